#$ -N dask-worker
#$ -cwd
#$ -j y
#$ -S /bin/bash
