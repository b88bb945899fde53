#PBS -N dask-worker
#PBS -q normal
#PBS -l ncpus=48
#PBS -l mem=194560mb
