#!/bin/bash
#LOCAL at-once=4
#
# monte-carlo-pi on local: 4 workers on a node for the Dask scheduler in the job of scheduler.sh, 22 in all.
# Each element of this array is a node: number 1 to 6 of 6. Its workers end when their scheduler does.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$PWD" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $PWD: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${HPC_LAUNCH_LOCAL_JOB:-$$}
. ./jobside/element.sh

run_workers "$((HPC_LAUNCH_LOCAL_INDEX))"
