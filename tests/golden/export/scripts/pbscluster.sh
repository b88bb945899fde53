#!/bin/bash

#PBS -N dask-worker
#PBS -q workq
#PBS -A proj01
#PBS -l select=1:ncpus=8:ompthreads=1:mem=16000mb
#PBS -l walltime=00:10:00
cd -- "$PBS_O_WORKDIR" || exit
PYTHON -m distributed.cli.dask_worker tcp://10.0.0.1:1 --name w --nthreads 2 --memory-limit 3.71GiB --nworkers 4 --nanny --death-timeout 60 --local-directory "$TMPDIR" --interface ib0
