#!/bin/bash

#BSUB -J dask-worker
#BSUB -q normal
#BSUB -P "proj01"
#BSUB -n 8
#BSUB -W 00:10
#BSUB -R "span[hosts=1] rusage[mem=16000MB]"

PYTHON -m distributed.cli.dask_worker tcp://10.0.0.1:1 --name w --nthreads 2 --memory-limit 3.71GiB --nworkers 4 --nanny --death-timeout 60 --local-directory /tmp --interface ib0
