#!/bin/bash
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=4016M
#SBATCH --time=00:10:00
#SBATCH --partition=short
#SBATCH --open-mode=append
#SBATCH --no-requeue
#
# monte-carlo-pi on testcluster: 8 workers on a node for the Dask scheduler in the job of scheduler.sh. They end when their scheduler does.
# Submitted as often as the run needs it, as a job or as an array: each element is a node. Which one, pool/ tells.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$SLURM_SUBMIT_DIR" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $SLURM_SUBMIT_DIR: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${SLURM_JOB_ID-}
. ./jobside/element.sh

run_workers "${SLURM_JOB_NAME-}" "$((SLURM_ARRAY_TASK_ID))"
