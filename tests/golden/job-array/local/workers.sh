#!/bin/bash
#LOCAL at-once=4 walltime=600
#
# monte-carlo-pi on local: 4 workers on a node for the Dask scheduler in the job of scheduler.sh. They end when their scheduler does.
# Submitted as often as the run needs it, as a job or as an array: each element is a node. Which one, pool/ tells.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$PWD" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $PWD: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${HPC_LAUNCH_LOCAL_JOB:-$$}
. ./jobside/element.sh

run_workers "$1" "$((HPC_LAUNCH_LOCAL_INDEX))"
