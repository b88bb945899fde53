#!/bin/bash
#$ -pe smp 4
#$ -l mem_free=1536M
#$ -l h_rt=01:00:00
#$ -q all.q
#$ -cwd
#$ -S /bin/bash
#$ -j y
#$ -o logs/job.log
#$ -r n
#$ -notify
#
# mintpy on gridcluster: the workload alone.
# The job ends when the workload ends, with its exit code. What happened is told in state/, what was printed in logs/.
# `hpc-launch submit` submits this script, not a hand: without the record that it makes here (run.json) the job ends at once.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$PWD" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $PWD: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${JOB_ID-}
last_second=3540 # when the job ends by itself: 60 s before its walltime
patience=30 # seconds that a workload gets from TERM to KILL
. ./jobside/watch.sh
. ./jobside/attempt.sh
trap '' USR1 # before a suspension: the job goes on later
trap 'told_to_end USR2' USR2 # what qdel sends first
exit_codes_taken='99 100' # requeue, error
PATH=$PATH${SGE_BINARY_PATH:+:$SGE_BINARY_PATH}

# What the parallel environment gave: hosts and their slots, this host first.
declare -A slots=(); hosts=()
while read -r host count _; do
  [ -n "${slots[$host]-}" ] || hosts+=("$host")
  slots[$host]=$((${slots[$host]-0} + count))
done < <(cat "${PE_HOSTFILE:-/dev/stdin}" <<<"$(uname -n) 1")
given="(${PE-no parallel environment} gave ${hosts[*]})"
for host in "${hosts[@]}"; do
  [ "${slots[$host]}" -ge 4 ] || fail "$host has ${slots[$host]} slots, 4 are needed on each of 1 hosts $given"
done
[ ${#hosts[@]} = 1 ] || fail "${#hosts[@]} hosts, 1 are needed $given"

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
