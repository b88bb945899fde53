# shellcheck shell=bash
# Grid Engine, beside Slurm on the same hosts, started only when asked for (CLUSTER_GRIDENGINE=1).
# Its hosts need process ids of their own: it marks a job's processes with a group id from a range that every host uses, and the
# end of a job on one host would otherwise kill jobs on the others.

SGE_ROOT=/var/lib/gridengine SGE_CELL=default
SGE_COMMON=$SGE_ROOT/$SGE_CELL/common SGE_SPOOL=/var/spool/gridengine

prepare_gridengine() { # before the hosts are made: they see these directories in place of the package's own
  command -v sge_qmaster >/dev/null || die "Grid Engine is not installed; CLUSTER_GRIDENGINE=1 $HERE/install-packages installs it"
  mkdir -p "$S$SGE_COMMON"
  cp "$SGE_COMMON/"* "$S$SGE_COMMON/"
  echo login >"$S$SGE_COMMON/act_qmaster"
  mkdir -p "$S$SGE_SPOOL/"{spooldb,execd,qmaster/job_scripts}
  chown -R sgeadmin: "$S$SGE_COMMON" "$S$SGE_SPOOL"
}

has_gridengine() { [ -d "$S$SGE_SPOOL" ]; }

gridengine_daemon() { # HOST NAME
  enter "$1" install -d -o sgeadmin /run/gridengine
  start_daemon "$1" "$2" env SGE_ROOT="$SGE_ROOT" SGE_CELL="$SGE_CELL" SGE_ND=1 "$2"
}

qconf() { enter login env SGE_ROOT="$SGE_ROOT" SGE_CELL="$SGE_CELL" qconf "$@" >>"$S/log/login/qconf" 2>&1; }

start_gridengine() {
  local host
  enter login su -s /bin/sh sgeadmin -c \
    "/usr/share/gridengine/scripts/init_cluster $SGE_ROOT $SGE_CELL $SGE_SPOOL/spooldb sgeadmin" >"$S/log/login/init_cluster" 2>&1
  gridengine_daemon login sge_qmaster
  wait_until 30 sge_qmaster qconf -sh
  qconf -ah login || true # the host of the first start is one already
  qconf -as login
  for host in "${COMPUTE_HOSTS[@]}"; do
    qconf -ah "$host"
    qconf -as "$host"
    gridengine_daemon "$host" sge_execd
  done
  configure_gridengine
  wait_until 60 "Grid Engine's hosts" gridengine_is_ready
}

gridengine_is_ready() { # a host that has not reported yet shows no load
  local reporting
  reporting=$(run_as "${USERS[0]}" login qhost | awk '/^c[0-9]/ && $4 != "-"' | wc -l)
  [ "$reporting" = ${#COMPUTE_HOSTS[@]} ]
}

configure_gridengine() {
  parallel_environment smp "\$pe_slots"
  parallel_environment mpi "\$round_robin"
  parallel_environment mpi-4 4
  printf 'group_name @allhosts\nhostlist %s\n' "${COMPUTE_HOSTS[*]}" >"$S/hostgroup"
  qconf -Ahgrp "$S/hostgroup"
  # Look for jobs at once, not every 15 s.
  enter login env SGE_ROOT="$SGE_ROOT" SGE_CELL="$SGE_CELL" qconf -ssconf | sed \
    -e 's/^schedule_interval .*/schedule_interval 0:0:2/' \
    -e 's/^flush_\(submit\|finish\)_sec .*/flush_\1_sec 1/' >"$S/scheduler"
  qconf -Msconf "$S/scheduler"
  # The package's template of a queue, with what differs. The load is that of the machine below the hosts, which claim more than it has.
  enter login env SGE_ROOT="$SGE_ROOT" SGE_CELL="$SGE_CELL" qconf -sq | sed \
    -e 's/^qname .*/qname all.q/' \
    -e 's/^hostlist .*/hostlist @allhosts/' \
    -e "s/^slots .*/slots $CORES/" \
    -e 's/^pe_list .*/pe_list make smp mpi mpi-4/' \
    -e 's/^load_thresholds .*/load_thresholds NONE/' \
    -e 's#^shell .*#shell /bin/bash#' \
    -e 's/^shell_start_mode .*/shell_start_mode unix_behavior/' >"$S/queue"
  qconf -Aq "$S/queue"
}

parallel_environment() { # NAME ALLOCATION_RULE
  cat >"$S/parallel_environment" <<PE
pe_name $1
slots 999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule $2
control_slaves TRUE
job_is_first_task FALSE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
PE
  qconf -Ap "$S/parallel_environment"
}
