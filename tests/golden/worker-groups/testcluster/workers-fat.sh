#!/bin/bash
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=2
#SBATCH --mem=6024M
#SBATCH --time=00:20:00
#SBATCH --partition=long
#SBATCH --open-mode=append
#SBATCH --no-requeue
#SBATCH --exclusive
#
# pieces on testcluster: 1 worker of the group fat on a node for the Dask scheduler in the job of scheduler.sh. They end when their scheduler does.
# Submitted as often as the run needs it, as a job or as an array: each element is a node. Which one, pool/ tells.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$SLURM_SUBMIT_DIR" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $SLURM_SUBMIT_DIR: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${SLURM_JOB_ID-}
. ./jobside/element.sh

run_workers "${SLURM_JOB_NAME-}" "$((SLURM_ARRAY_TASK_ID))" node-fat.sh
