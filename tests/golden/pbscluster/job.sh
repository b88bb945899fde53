#!/bin/bash
#PBS -l select=3:ncpus=8:mpiprocs=1:ompthreads=1:mem=5020mb
#PBS -l place=scatter
#PBS -l walltime=00:10:00
#PBS -q workq
#PBS -A proj01
#PBS -m n
#PBS -j oe
#PBS -o logs/job.log
#PBS -k oed
#PBS -r n
#
# monte-carlo-pi on pbscluster: a Dask scheduler, 24 workers on 3 nodes, then the workload.
# The job ends when the workload ends, with its exit code. What happened is told in state/, what was printed in logs/.
# `hpc-launch submit` submits this script, not a hand: without the record that it makes here (run.json) the job ends at once.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$PBS_O_WORKDIR" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $PBS_O_WORKDIR: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${PBS_JOBID-}
last_second=570 # when the job ends by itself: 30 s before its walltime
patience=15 # seconds that a workload gets from TERM to KILL
. ./jobside/watch.sh
. ./jobside/attempt.sh
killed_after=10 # seconds after qdel's TERM, which reaches every process (kill_delay of the queue): to be done with everything by then
mapfile -t hosts < <(uniq "$PBS_NODEFILE") # the first one is this host
[ "${#hosts[@]}" = 3 ] || fail "PBS gave ${#hosts[@]} hosts (${hosts[*]}), 3 are needed"

# Scheduler and workers start at the same moment: workers wait by themselves for the scheduler file.
HPC_LAUNCH_MINIMUM=24 HPC_LAUNCH_DASHBOARD=loopback HPC_LAUNCH_JOB_SHELL=$$ without_usr2 bash jobside/within.sh python jobside with_settings distributed.cli.dask_scheduler \
  --scheduler-file "$PWD/scheduler.json" --preload hpc_launch_jobside.guard --preload hpc_launch_jobside.told_once --preload hpc_launch_jobside.progress \
  --protocol tls --interface ib0 --port 0 \
  --dashboard-address 127.0.0.1:0 --no-dashboard >>logs/scheduler.log 2>&1 &
scheduler=$!
launcher=pbsdsh
. ./jobside/hosts.sh
complaints='s/^pbsdsh: task ([0-9A-Fa-fx]+) (exit status [1-9][0-9]*)$/task-\1 \2/p'
pbsdsh -- "$BASH" "$HPC_LAUNCH_RUN_DIR/node.sh" >"$state/launcher/all" 2>&1 &
workers=$!

# The workload starts when 24 of 24 workers are connected.
until [ -f "$state/ready" ]; do
  ! some_node_is_unfit || fail "$(unfit)"
  alive "$scheduler" || fail "$(unfit_by_now || echo "the Dask scheduler ended before the workload began$(see logs/scheduler.log)")"
  alive "$workers" || fail "$(pass_on_launcher_output; unfit || echo "the workers ended before the workload began$(all_words)$(see logs/workers-*.log)")"
  still_before 600 || fail "fewer than 24 workers were connected after 600 s$(see logs/workers-*.log)"
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
