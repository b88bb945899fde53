#!/bin/bash
# What a careful user writes by hand, with everything as Dask has it by default: no TLS, workers by `spawn`, a page of
# its own for each. The same shape as profile.yaml beside it.
#SBATCH --job-name=by-hand
#SBATCH --nodes=3
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=8000M
#SBATCH --time=00:10:00
#SBATCH --output=job.log

dask scheduler --scheduler-file scheduler.json --interface ib0 &
srun --cpus-per-task=8 dask worker --scheduler-file scheduler.json --interface ib0 --nworkers 8 --nthreads 1 &
python one_task.py scheduler.json >workload.log
