#!/bin/bash
#PBS -l select=1:ncpus=4:mpiprocs=1:mem=6144mb
#PBS -l place=scatter
#PBS -l walltime=01:00:00
#PBS -q workq
#PBS -A proj01
#PBS -m n
#PBS -j oe
#PBS -o logs/job.log
#PBS -k oed
#PBS -r n
#
# mintpy on pbscluster: the workload alone.
# The job ends when the workload ends, with its exit code. What happened is told in state/, what was printed in logs/.
# `hpc-launch submit` submits this script, not a hand: without the record that it makes here (run.json) the job ends at once.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$PBS_O_WORKDIR" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $PBS_O_WORKDIR: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${PBS_JOBID-}
last_second=3540 # when the job ends by itself: 60 s before its walltime
patience=30 # seconds that a workload gets from TERM to KILL
. ./jobside/watch.sh
. ./jobside/attempt.sh
killed_after=10 # seconds after qdel's TERM, which reaches every process (kill_delay of the queue): to be done with everything by then

event workload
reason="the job's script ended before the workload$(see logs/job.log)" outcome=failed
set -m # a process group of its own, so that the workload can be ended with all its children
bash workload.sh </dev/null >>logs/workload.log 2>&1 &
workload=$! begun=yes
set +m
echo "$workload" >"$state/workload"
while alive "$workload"; do wait_a_moment; done
if [ ! -e "$state/fit/$(uname -n)" ]; then
  outcome=launch-failed
  fail "the workload's environment did not load on $(uname -n): $(tail -n 1 logs/workload.log)$(see logs/workload.log)"
fi
exit_as_the_workload
