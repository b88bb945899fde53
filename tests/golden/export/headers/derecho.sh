#PBS -N dask-worker
#PBS -q main
#PBS -l select=1:ncpus=128:ompthreads=1:mem=240640mb
