#!/bin/bash
#PBS -l select=1:ncpus=8:mpiprocs=1:ompthreads=1:mem=4016mb
#PBS -l place=scatter
#PBS -l walltime=00:10:00
#PBS -q workq
#PBS -A proj01
#PBS -m n
#PBS -j oe
#PBS -k oed
#PBS -r n
#
# monte-carlo-pi on pbscluster: 8 workers on a node for the Dask scheduler in the job of scheduler.sh. They end when their scheduler does.
# Submitted as often as the run needs it, as a job or as an array: each element is a node. Which one, pool/ tells.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$PBS_O_WORKDIR" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $PBS_O_WORKDIR: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${PBS_JOBID-}
. ./jobside/element.sh

run_workers "${PBS_JOBNAME-}" "$((PBS_ARRAY_INDEX))"
