#!/bin/bash

#SBATCH -J dask-worker
#SBATCH -p short
#SBATCH -n 1
#SBATCH --cpus-per-task=8
#SBATCH --mem=16000M
#SBATCH -t 00:10:00

PYTHON -m distributed.cli.dask_worker tcp://10.0.0.1:1 --name w --nthreads 2 --memory-limit 3.71GiB --nworkers 4 --nanny --death-timeout 60 --local-directory /scratch --interface ib0
