#!/bin/bash
#BSUB -n 1
#BSUB -R "span[ptile=1] rusage[mem=1004MB]"
#BSUB -W 00:10
#BSUB -q normal
#BSUB -P proj01
#BSUB -o logs/job.log
#BSUB -rn
#
# monte-carlo-pi on lsfcluster: a Dask scheduler, and the workload. Its 22 workers come with jobs of their own (workers.sh).
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

# The worker jobs are looked after from here: this site lets jobs speak to the batch system.
# shellcheck disable=SC2329 # array.sh calls them
end_worker_jobs() { timeout 20 bkill "$@"; }
worker_jobs_left() {
  local said
  said=$(timeout 20 bjobs -w "$@" 2>&1)
  [ "$(grep -cE '^[0-9]+ +[^ ]+ +(DONE|EXIT) ' <<<"$said")" -lt 3 ] &&
    [ "$(grep -cE '^Job <[^>]*> is not found' <<<"$said")" -lt $# ]
}
worker_submissions=1 # so many ids of worker jobs will stand in control/worker-jobs
. ./jobside/array.sh

# Workers find the scheduler by its file, whenever the queue lets them start.
HPC_LAUNCH_MINIMUM=1 HPC_LAUNCH_DASHBOARD=loopback HPC_LAUNCH_JOB_SHELL=$$ without_usr2 bash jobside/within.sh python jobside with_settings distributed.cli.dask_scheduler \
  --scheduler-file "$PWD/scheduler.json" --preload hpc_launch_jobside.guard --preload hpc_launch_jobside.told_once --preload hpc_launch_jobside.progress --preload hpc_launch_jobside.pools \
  --protocol tls --interface ib0 --port 0 \
  --dashboard-address 127.0.0.1:0 --no-dashboard >>logs/scheduler.log 2>&1 &
scheduler=$!

# The workload starts when 1 of 22 workers is connected.
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
