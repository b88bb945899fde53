#!/bin/bash
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=4016M
#SBATCH --time=00:10:00
#SBATCH --partition=short
#SBATCH --output=logs/workers-job-%a.log
#SBATCH --open-mode=append
#SBATCH --no-requeue
#SBATCH --array=0-2
#
# monte-carlo-pi on testcluster: 8 workers on a node for the Dask scheduler in the job of scheduler.sh, 22 in all.
# Each element of this array is a node: number 1 to 3 of 3. Its workers end when their scheduler does.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$SLURM_SUBMIT_DIR" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $SLURM_SUBMIT_DIR: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${SLURM_JOB_ID-}
. ./jobside/element.sh

run_workers "$((SLURM_ARRAY_TASK_ID))"
