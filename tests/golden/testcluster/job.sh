#!/bin/bash
#SBATCH --nodes=3
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=5020M
#SBATCH --time=00:10:00
#SBATCH --partition=short
#SBATCH --output=logs/job.log
#SBATCH --open-mode=append
#SBATCH --no-requeue
#SBATCH --signal=B:USR1@10
#
# monte-carlo-pi on testcluster: a Dask scheduler, 24 workers on 3 nodes, then the workload.
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

# Scheduler and workers start at the same moment: workers wait by themselves for the scheduler file.
HPC_LAUNCH_MINIMUM=24 HPC_LAUNCH_DASHBOARD=loopback HPC_LAUNCH_JOB_SHELL=$$ without_usr2 bash jobside/within.sh python jobside with_settings distributed.cli.dask_scheduler \
  --scheduler-file "$PWD/scheduler.json" --preload hpc_launch_jobside.guard --preload hpc_launch_jobside.told_once --preload hpc_launch_jobside.progress \
  --protocol tls --interface ib0 --port 0 \
  --dashboard-address 127.0.0.1:0 --no-dashboard >>logs/scheduler.log 2>&1 &
scheduler=$!
launcher=srun
. ./jobside/hosts.sh
complaints='s/^srun: error: (Task launch for .* failed on node )?([^ :]+): (tasks? [^ :]+: )?(.*)$/\2 \4/p'
srun --overlap --nodes=3 --ntasks-per-node=1 --cpus-per-task=8 \
  --kill-on-bad-exit=0 --wait=0 bash "$HPC_LAUNCH_RUN_DIR/node.sh" >"$state/launcher/all" 2>&1 &
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
