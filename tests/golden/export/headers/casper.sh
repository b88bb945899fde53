#PBS -N dask-worker
#PBS -q casper
#PBS -l select=1:ncpus=34:ompthreads=1:mem=362496mb
