# shellcheck shell=bash
# Slurm: the controller on login, a daemon on each compute host, memory limits that the kernel enforces.

write_slurm_configuration() { # none|slurmdbd: the kind of accounting
  mkdir -p "$S/etc/slurm" "$S/slurm/state"
  cat >"$S/etc/slurm/slurm.conf" <<CONF
ClusterName=testcluster
SlurmctldHost=login($ETHERNET.$(number_of login))
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$S/slurm/state
SlurmdSpoolDir=$S/slurm/%n
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
FirstJobId=${FIRST_JOB:-1}
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# The hosts claim more cores and memory than this machine has.
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/$1
AccountingStorageHost=login
$([ "$1" = none ] || echo AccountingStorageEnforce=limits,qos)
KillWait=5
MinJobAge=600
MaxArraySize=10001
MaxJobCount=50000
SlurmdTimeout=30
# Switching accounting on and off restarts the controller alone.
DebugFlags=NO_CONF_HASH
# Two GPUs on each, to ask for and to be dealt out; what stands behind them is no GPU.
GresTypes=gpu
NodeName=$(IFS=,; echo "${COMPUTE_HOSTS[*]}") CPUs=$CORES RealMemory=$MEMORY_MIB Gres=gpu:2 State=UNKNOWN
PartitionName=short Nodes=ALL Default=YES MaxTime=01:00:00 State=UP
PartitionName=long Nodes=ALL MaxTime=7-00:00:00 MaxNodes=2 State=UP
CONF
  printf 'Name=gpu File=%s\n' /dev/null /dev/zero >"$S/etc/slurm/gres.conf"
  cat >"$S/etc/slurm/cgroup.conf" <<CONF
CgroupPlugin=cgroup/$(cgroup_version)
$([ "$(cgroup_version)" = v1 ] || echo IgnoreSystemd=yes)
ConstrainRAMSpace=yes
# Or a job that is too large would go to the machine's swap space, if it has one.
ConstrainSwapSpace=$(counts_swap && echo yes || echo no)
AllowedSwapSpace=0
ConstrainCores=no
CONF
}

counts_swap() { [ -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ] || [ "$(cgroup_version)" = v2 ]; }

start_slurm() {
  local host
  start_slurmctld
  for host in "${COMPUTE_HOSTS[@]}"; do start_slurmd "$host"; done
}

start_slurmctld() { # [OPTION]
  wait_for_munge login
  start_daemon login slurmctld slurmctld -D "$@"
}

start_slurmd() { # HOST
  mkdir -p "$S/slurm/$1"
  wait_for_munge "$1"
  start_daemon "$1" slurmd slurmd -D -N "$1"
}

restart_slurmctld() { # [OPTION]
  enter login pkill -x slurmctld || true
  wait_until 30 "the end of slurmctld" not_running login slurmctld
  start_slurmctld "$@"
  wait_for_slurm
}
not_running() { ! enter "$1" pgrep -x "$2"; }

wait_for_slurm() { # until every host that is alive takes jobs
  wait_until 60 "Slurm's compute hosts" slurm_is_ready
}
slurm_is_ready() {
  local hosts=() host
  for host in "${COMPUTE_HOSTS[@]}"; do [ ! -e "$S/hosts/$host" ] || hosts+=("$host"); done
  local ready
  ready=$(enter login sinfo --noheader --Node --partition=short --states=idle,alloc,mix,comp --responding --format=%N)
  [ "$(wc -w <<<"$ready")" = ${#hosts[@]} ]
}

slurmd_start_time() { # HOST: as Slurm last heard it
  enter login scontrol show node "$1" | sed -n 's/.*SlurmdStartTime=//p'
}
registered_since() { [ "$(slurmd_start_time "$1")" != "$2" ]; } # HOST TIME

forget_jobs() { # the controller starts anew; job ids go on, as they would on a real site
  FIRST_JOB=$(enter login scontrol show config | awk '$1 == "NEXT_JOB_ID" { print $3 }')
  write_slurm_configuration "$(accounting_kind)"
  restart_slurmctld -c
}
