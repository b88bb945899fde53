#!/bin/bash
#BSUB -n 21
#BSUB -R "span[ptile=7] rusage[mem=4518MB]"
#BSUB -W 00:10
#BSUB -q normal
#BSUB -P proj01
#BSUB -o logs/job.log
#BSUB -rn
#
# monte-carlo-pi on lsfcluster: dask-mpi on 3 nodes, then the workload. Each of 20 MPI ranks is a Dask worker, and the first holds the scheduler too.
# The job ends when the workload ends, with its exit code. What happened is told in state/, what was printed in logs/.
# `hpc-launch submit` submits this script, not a hand: without the record that it makes here (run.json) the job ends at once.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$LS_SUBCWD" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $LS_SUBCWD: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${LSB_JOBID-}
last_second=570 # when the job ends by itself: 30 s before its walltime
patience=15 # seconds that a workload gets from TERM to KILL
. ./jobside/watch.sh
. ./jobside/attempt.sh
trap out_of_time USR2 # at the walltime
# MPICH and Intel MPI go by blaunch: where there is none (OpenLava 2.2), by ssh.
[ -x "${LSF_BINDIR-}/blaunch" ] || command -v blaunch >/dev/null || export HYDRA_LAUNCHER=ssh I_MPI_HYDRA_BOOTSTRAP=ssh
mapfile -t hosts < <(cat "${LSB_DJOB_HOSTFILE:-/dev/stdin}" <<<"${LSB_HOSTS// /$'\n'}" | uniq) # the first one is this host
[ "${#hosts[@]}" = 3 ] || fail "LSF gave ${#hosts[@]} hosts (${hosts[*]}), 3 are needed"

# The scheduler ends by itself when this shell is gone, and is ended first when all is over.
echo "$$ $(uname -n)" >"$state/shell"
without_usr2 bash jobside/within.sh \
  mpiexec -n 20 -ppn 7 bash "$HPC_LAUNCH_RUN_DIR/node.sh" </dev/null &
workers=$!

# The workload starts when 20 of 20 workers are connected.
# A rank that is not fit ends before it has joined the others, and they would wait for it: they are ended from here.
until [ -f "$state/ready" ]; do
  ! some_node_is_unfit || fail "$(unfit)"
  if ! alive "$workers"; then
    wait "$workers"
    workers_code=$?
    how="ended with exit code $workers_code"
    [ "$workers_code" -ne 127 ] || how="$how (a program was not found: is the MPI library's module in environment.modules?)"
    fail "$(unfit || { [ ! -e "$state/scheduler" ] && cat "$state/joining" 2>/dev/null; } ||
      echo "the MPI launcher $how before the workload began$(see logs/job.log logs/workers-*.log)")"
  fi
  still_before 600 || fail "fewer than 20 workers were connected after 600 s$(see logs/workers-*.log)"
  wait_a_moment
done
DASK_SCHEDULER_ADDRESS=$(cat "$state/ready")
export DASK_SCHEDULER_ADDRESS HPC_LAUNCH_SCHEDULER_FILE=$PWD/scheduler.json
cluster_is_there "$DASK_SCHEDULER_ADDRESS"
reason="the job's script ended before the workload$(see logs/job.log)" outcome=failed
set -m # a process group of its own, so that the workload can be ended with all its children
bash workload.sh </dev/null >>logs/workload.log 2>&1 &
workload=$! begun=yes
set +m
echo "$workload" >"$state/workload"
while alive "$workload"; do
  ! cluster_lost || end "$patience" "-$workload"
  wait_a_moment
done
exit_as_the_workload
