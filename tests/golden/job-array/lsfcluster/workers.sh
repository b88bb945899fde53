#!/bin/bash
#BSUB -n 8
#BSUB -R "span[ptile=8] rusage[mem=4016MB]"
#BSUB -W 00:10
#BSUB -q normal
#BSUB -P proj01
#BSUB -o logs/workers-job-%I.log
#BSUB -rn
#
# monte-carlo-pi on lsfcluster: 8 workers on a node for the Dask scheduler in the job of scheduler.sh, 22 in all.
# Each element of this array is a node: number 1 to 3 of 3. Its workers end when their scheduler does.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$LS_SUBCWD" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $LS_SUBCWD: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${LSB_JOBID-}
. ./jobside/element.sh

run_workers "$((LSB_JOBINDEX - 1))"
