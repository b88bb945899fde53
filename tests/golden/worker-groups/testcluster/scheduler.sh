#!/bin/bash
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=4312M
#SBATCH --time=00:40:00
#SBATCH --partition=short
#SBATCH --output=logs/job.log
#SBATCH --open-mode=append
#SBATCH --no-requeue
#SBATCH --signal=B:USR1@10
#SBATCH --comment=first
#
# pieces on testcluster: a Dask scheduler, and the workload. Its 7 workers come with jobs of their own (workers-cpu.sh, workers-fat.sh).
# The job ends when the workload ends, with its exit code. What happened is told in state/, what was printed in logs/.
# `hpc-launch submit` submits this script, not a hand: without the record that it makes here (run.json) the job ends at once.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$SLURM_SUBMIT_DIR" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $SLURM_SUBMIT_DIR: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${SLURM_JOB_ID-}
last_second=2340 # when the job ends by itself: 60 s before its walltime
patience=30 # seconds that a workload gets from TERM to KILL
. ./jobside/watch.sh
. ./jobside/attempt.sh
# The reminder (--signal) comes up to a minute early; much earlier it means something else, such as preemption.
trap '[ "$SECONDS" -lt "$((${last_second:-0} - 90))" ] && told_to_end USR1; out_of_time' USR1

# The worker jobs are looked after from here: this site lets jobs speak to the batch system.
# shellcheck disable=SC2329 # array.sh calls them
end_worker_jobs() { timeout 20 scancel "$@"; }
worker_jobs_gone=' '
worker_jobs_left() {
  local said job asked=0
  said=$(timeout 20 squeue --noheader --states=all --array --format=%T --jobs="$(IFS=,; echo "$*,$1")") || return 0
  [ "$(grep -cE '^(CANCELLED|COMPLETED|DEADLINE|FAILED|OUT_OF_MEMORY|TIMEOUT)' <<<"$said")" -lt 5 ] || return 1
  [ -z "$said" ] || return 0
  for job; do # only one that squeue calls invalid when asked for it alone is gone
    [[ $worker_jobs_gone != *" $job "* ]] || continue
    [ $((asked += 1)) -le 10 ] || return 0 # the others the next time
    timeout 5 squeue --noheader --jobs="$job" 2>&1 | grep -q 'Invalid job id specified' || return 0
    worker_jobs_gone+="$job "
  done
  return 1
}
worker_submissions=2 # so many ids of worker jobs will stand in control/worker-jobs
. ./jobside/array.sh

# Workers find the scheduler by its file, whenever the queue lets them start.
HPC_LAUNCH_MINIMUM=1 HPC_LAUNCH_DASHBOARD=loopback HPC_LAUNCH_JOB_SHELL=$$ without_usr2 bash jobside/within.sh python jobside with_settings distributed.cli.dask_scheduler \
  --scheduler-file "$PWD/scheduler.json" --preload hpc_launch_jobside.guard --preload hpc_launch_jobside.told_once --preload hpc_launch_jobside.progress --preload hpc_launch_jobside.pools \
  --protocol tls --interface ib0 --port 0 \
  --dashboard-address 127.0.0.1:0 --no-dashboard >>logs/scheduler.log 2>&1 &
scheduler=$!

# The workload starts when 1 of 7 workers is connected.
until [ -f "$state/ready" ]; do
  alive "$scheduler" || fail "$(unfit_by_now || unfit_for_scheduler || echo "the Dask scheduler ended before the workload began$(see logs/scheduler.log)")"
  ! workers_lost || fail "$(unfit || echo "$reason")"
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
