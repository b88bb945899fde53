#PBS -N dask-worker
#PBS -q debug
#PBS -l select=1:ncpus=32:ompthreads=1
#PBS -l filesystems=home:eagle
