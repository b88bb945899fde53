#!/bin/bash
#SBATCH --nodes=3
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=7
#SBATCH --mem=4518M
#SBATCH --time=00:10:00
#SBATCH --partition=short
#SBATCH --output=logs/job.log
#SBATCH --open-mode=append
#SBATCH --no-requeue
#SBATCH --signal=B:USR1@10
#
# monte-carlo-pi on testcluster: dask-mpi on 3 nodes, then the workload. Each of 20 MPI ranks is a Dask worker, and the first holds the scheduler too.
# The job ends when the workload ends, with its exit code. What happened is told in state/, what was printed in logs/.
# `hpc-launch submit` submits this script, not a hand: without the record that it makes here (run.json) the job ends at once.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$SLURM_SUBMIT_DIR" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $SLURM_SUBMIT_DIR: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${SLURM_JOB_ID-}
last_second=570 # when the job ends by itself: 30 s before its walltime
patience=15 # seconds that a workload gets from TERM to KILL
. ./jobside/watch.sh
. ./jobside/attempt.sh
# The reminder (--signal) comes up to a minute early; much earlier it means something else, such as preemption.
trap '[ "$SECONDS" -lt "$((${last_second:-0} - 90))" ] && told_to_end USR1; out_of_time' USR1

# The scheduler ends by itself when this shell is gone, and is ended first when all is over.
echo "$$ $(uname -n)" >"$state/shell"
srun --overlap --nodes=3 --ntasks=20 --ntasks-per-node=7 --cpus-per-task=1 \
  --cpu-bind=none --kill-on-bad-exit=1 --wait=0 --mpi=pmi2 bash "$HPC_LAUNCH_RUN_DIR/node.sh" &
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
