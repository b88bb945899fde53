#!/bin/bash
#$ -pe smp 1
#$ -l mem_free=1004M
#$ -l h_rt=00:10:00
#$ -q all.q
#$ -cwd
#$ -S /bin/bash
#$ -j y
#$ -o logs/job.log
#$ -r n
#$ -notify
#
# monte-carlo-pi on gridcluster: a Dask scheduler, and the workload. Its 22 workers come with jobs of their own (workers.sh).
# The job ends when the workload ends, with its exit code. What happened is told in state/, what was printed in logs/.
# `hpc-launch submit` submits this script, not a hand: without the record that it makes here (run.json) the job ends at once.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$PWD" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $PWD: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${JOB_ID-}
last_second=570 # when the job ends by itself: 30 s before its walltime
patience=15 # seconds that a workload gets from TERM to KILL
. ./jobside/watch.sh
. ./jobside/attempt.sh
trap '' USR1 # before a suspension: the job goes on later
trap 'told_to_end USR2' USR2 # what qdel sends first
exit_codes_taken='99 100' # requeue, error
PATH=$PATH${SGE_BINARY_PATH:+:$SGE_BINARY_PATH}

# The worker jobs are looked after from here: this site lets jobs speak to the batch system.
# shellcheck disable=SC2329 # array.sh calls them
end_worker_jobs() { timeout 20 qdel "$@"; }
release_worker_jobs() { timeout 20 qrls "$@"; }
worker_jobs_left() {
  local said
  said=$(timeout 20 qstat -j "$(IFS=,; echo "$*")" 2>&1)
  [[ $said != 'Following jobs do not exist:'* || $(grep -oE '[0-9]+' <<<"$said" | sort -u | wc -l) -lt $# ]]
}
worker_submissions=1 # so many ids of worker jobs will stand in control/worker-jobs
. ./jobside/array.sh

# What the parallel environment gave: hosts and their slots, this host first.
declare -A slots=(); hosts=()
while read -r host count _; do
  [ -n "${slots[$host]-}" ] || hosts+=("$host")
  slots[$host]=$((${slots[$host]-0} + count))
done < <(cat "${PE_HOSTFILE:-/dev/stdin}" <<<"$(uname -n) 1")
given="(${PE-no parallel environment} gave ${hosts[*]})"
for host in "${hosts[@]}"; do
  [ "${slots[$host]}" -ge 1 ] || fail "$host has ${slots[$host]} slots, 1 are needed on each of 1 hosts $given"
done
[ ${#hosts[@]} = 1 ] || fail "${#hosts[@]} hosts, 1 are needed $given"

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
