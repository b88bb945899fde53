#!/bin/bash
#SBATCH --nodes=3
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=7
#SBATCH --mem=5670M
#SBATCH --time=00:10:00
#SBATCH --partition=short
#SBATCH --output=logs/job.log
#SBATCH --open-mode=append
#SBATCH --no-requeue
#SBATCH --signal=B:USR1@10
#
# stand on testcluster: dask-mpi on 3 nodes. Each of 20 MPI ranks is a Dask worker, and the first holds the scheduler too.
# The job ends when it is closed (`hpc-launch close`), or was idle for 1 h. What happened is told in state/, what was printed in logs/.
# `hpc-launch submit` submits this script, not a hand: without the record that it makes here (run.json) the job ends at once.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$SLURM_SUBMIT_DIR" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $SLURM_SUBMIT_DIR: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${SLURM_JOB_ID-}
last_second=570 # when the job ends by itself: 30 s before its walltime
patience=15 # seconds that a workload gets from TERM to KILL
. ./jobside/watch.sh
. ./jobside/attempt.sh
. ./jobside/standing.sh
idle_timeout='1 h'
# The reminder (--signal) comes up to a minute early; much earlier it means something else, such as preemption.
trap '[ "$SECONDS" -lt "$((${last_second:-0} - 90))" ] && told_to_end USR1; out_of_time' USR1

# The scheduler ends by itself when this shell is gone, and is ended first when all is over.
echo "$$ $(uname -n)" >"$state/shell"
srun --overlap --nodes=3 --ntasks=20 --ntasks-per-node=7 --cpus-per-task=1 \
  --cpu-bind=none --kill-on-bad-exit=1 --wait=0 --mpi=pmi2 bash "$HPC_LAUNCH_RUN_DIR/node.sh" &
workers=$!

# The cluster stands when 20 of 20 workers are connected.
# A rank that is not fit ends before it has joined the others, and they would wait for it: they are ended from here.
until [ -f "$state/ready" ]; do
  ! some_node_is_unfit || fail "$(unfit)"
  if ! alive "$workers"; then
    wait "$workers"
    workers_code=$?
    how="ended with exit code $workers_code"
    [ "$workers_code" -ne 127 ] || how="$how (a program was not found: is the MPI library's module in environment.modules?)"
    fail "$(unfit || { [ ! -e "$state/scheduler" ] && cat "$state/joining" 2>/dev/null; } ||
      echo "the MPI launcher $how before the cluster stood$(see logs/job.log logs/workers-*.log)")"
  fi
  still_before 600 || fail "fewer than 20 workers were connected after 600 s$(see logs/workers-*.log)"
  wait_a_moment
done
DASK_SCHEDULER_ADDRESS=$(cat "$state/ready")
cluster_is_there "$DASK_SCHEDULER_ADDRESS"
stand_until_closed
