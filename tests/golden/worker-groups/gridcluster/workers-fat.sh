#!/bin/bash
#$ -pe smp 2
#$ -l mem_free=3012M
#$ -l h_rt=00:20:00
#$ -q all.q
#$ -cwd
#$ -S /bin/bash
#$ -j y
#$ -r n
#$ -notify
#$ -js 3
#
# pieces on gridcluster: 1 worker of the group fat on a node for the Dask scheduler in the job of scheduler.sh. They end when their scheduler does.
# Submitted as often as the run needs it, as a job or as an array: each element is a node. Which one, pool/ tells.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$PWD" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $PWD: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${JOB_ID-}
. ./jobside/element.sh

# What the parallel environment gave: hosts and their slots, this host first.
declare -A slots=(); hosts=()
while read -r host count _; do
  [ -n "${slots[$host]-}" ] || hosts+=("$host")
  slots[$host]=$((${slots[$host]-0} + count))
done < <(cat "${PE_HOSTFILE:-/dev/stdin}" <<<"$(uname -n) 1")
given="(${PE-no parallel environment} gave ${hosts[*]})"
for host in "${hosts[@]}"; do
  [ "${slots[$host]}" -ge 2 ] || fail "$host has ${slots[$host]} slots, 2 are needed on each of 1 hosts $given"
done
[ ${#hosts[@]} = 1 ] || fail "${#hosts[@]} hosts, 1 are needed $given"

run_workers "${JOB_NAME-}" "$((SGE_TASK_ID - 1))" node-fat.sh
