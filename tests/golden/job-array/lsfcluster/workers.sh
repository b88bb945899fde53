#!/bin/bash
#BSUB -n 8
#BSUB -R "span[ptile=8] rusage[mem=4016MB]"
#BSUB -W 00:10
#BSUB -q normal
#BSUB -P proj01
#BSUB -rn
#
# monte-carlo-pi on lsfcluster: 8 workers on a node for the Dask scheduler in the job of scheduler.sh. They end when their scheduler does.
# Submitted as often as the run needs it, as a job or as an array: each element is a node. Which one, pool/ tells.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$LS_SUBCWD" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $LS_SUBCWD: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${LSB_JOBID-}
. ./jobside/element.sh

run_workers "${LSB_JOBNAME-}" "$((LSB_JOBINDEX - 1))"
