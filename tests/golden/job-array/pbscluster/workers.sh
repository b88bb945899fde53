#!/bin/bash
#PBS -l select=1:ncpus=8:mpiprocs=1:ompthreads=1:mem=4016mb
#PBS -l place=scatter
#PBS -l walltime=00:10:00
#PBS -q workq
#PBS -A proj01
#PBS -m n
#PBS -j oe
#PBS -o logs/workers-job-^array_index^.log
#PBS -k oed
#PBS -J 0-2
#
# monte-carlo-pi on pbscluster: 8 workers on a node for the Dask scheduler in the job of scheduler.sh, 22 in all.
# Each element of this array is a node: number 1 to 3 of 3. Its workers end when their scheduler does.

# The run directory is where this job was submitted from. By the exit code 66 `hpc-launch status` knows that it is not there.
{ cd "$PBS_O_WORKDIR" && [ -f run.json ]; } || { echo "hpc-launch: $(uname -n) cannot see the run directory $PBS_O_WORKDIR: is storage.runs shared by all nodes?" >&2; exit 66; }
export HPC_LAUNCH_RUN_DIR=$PWD HPC_LAUNCH_JOB_ID=${PBS_JOBID-}
. ./jobside/element.sh

run_workers "$((PBS_ARRAY_INDEX))"
