#PBS -N dask-worker
#PBS -l select=1:ncpus=4:mem=8192MB
