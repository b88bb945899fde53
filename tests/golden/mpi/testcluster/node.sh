#!/bin/bash
# shellcheck disable=SC1003,SC2016
# Runs once for each MPI rank: looks whether the node is fit, then becomes that rank.
trap '' USR1 USR2 # they are for the job's shell: a suspension is near, or the end
HPC_LAUNCH_RUN_DIR=$(cd "${0%/*}" && pwd)
export HPC_LAUNCH_RUN_DIR
read -r HPC_LAUNCH_ATTEMPT <"$HPC_LAUNCH_RUN_DIR/state/attempt"
HPC_LAUNCH_NODE=${SLURM_PROCID:-0}
export HPC_LAUNCH_ATTEMPT HPC_LAUNCH_NODE
read -r HPC_LAUNCH_HOST </proc/sys/kernel/hostname
exec >>"$HPC_LAUNCH_RUN_DIR/logs/workers-$HPC_LAUNCH_HOST.log" 2>&1

. "$HPC_LAUNCH_RUN_DIR/jobside/fit.sh"

# The user's lines are over: names are ours from here on.
state=$HPC_LAUNCH_RUN_DIR/state/$HPC_LAUNCH_ATTEMPT
host=$HPC_LAUNCH_HOST
node=$HPC_LAUNCH_NODE
# Cores for each task, and memory that is given back early. Both are read when Python and libraries are loaded, before
# Dask says them; what the environment itself has set holds.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" MKL_NUM_THREADS="${MKL_NUM_THREADS:-1}" OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-1}"
export MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-65536}"
command -v "$HPC_LAUNCH_PYTHON" >/dev/null || unfit "there is no $HPC_LAUNCH_PYTHON here (PATH is $PATH)"
# Workers write to a file system of this node.
local_directory=$(set -u && printf %s /scratch) || unfit 'a variable in the local directory /scratch is not set here'
[ -d "$local_directory" ] || mkdir -p -- "$local_directory"
[ -w "$local_directory/" ] || unfit "cannot write to the local directory $local_directory"
type=$(stat -f -c %T -- "$local_directory")
case $type in
  ext2/ext3 | ext4 | xfs | btrfs | zfs | f2fs | jfs | reiserfs | bcachefs | overlayfs) kind=disk ;;
  tmpfs | ramfs) kind=memory ;;
  *) kind=shared ;; # or unknown: it is not for us to fill it up
esac
export HPC_LAUNCH_FIT="$local_directory is $kind ($type)"

# The forkserver's socket lies in TMPDIR, and a socket's path holds 107 characters.
[ "${#TMPDIR}" -le 60 ] || export TMPDIR=/tmp

# Workers find the workload's files where it finds them.
cd /home/user/monte-carlo-pi || unfit 'there is no directory /home/user/monte-carlo-pi here'
# Python looks further. The first that it does is to take this away: where it is left lying, Python did not run.
export HPC_LAUNCH_STARTING=$state/starting-$host-$$
echo "$HPC_LAUNCH_PYTHON ($HPC_LAUNCH_PYTHON_IS) does not run, see logs/workers-$host.log" >"$HPC_LAUNCH_STARTING"
echo "rank $node is process $$ on $host" # several ranks share this log
# What the scheduler of the first rank loads. dask-mpi has no option for it.
export HPC_LAUNCH_MINIMUM=20 HPC_LAUNCH_DASHBOARD=loopback HPC_LAUNCH_PRELOADS="hpc_launch_jobside.guard hpc_launch_jobside.progress"
exec "$HPC_LAUNCH_PYTHON" "$HPC_LAUNCH_RUN_DIR"/jobside rank 20 --scheduler-file "$HPC_LAUNCH_RUN_DIR/scheduler.json" --inclusive-workers \
  --nthreads 1 --memory-limit 500000000 --name "$host" --local-directory "$local_directory" \
  --protocol tls --interface ib0 --scheduler-port 0 --dashboard-address 127.0.0.1:0 --no-dashboard \
  --worker-options '{"dashboard": false, "dashboard_address": "127.0.0.1:0", "death_timeout": 600, "resources": {"subprocess_slots": 1.0}}'
