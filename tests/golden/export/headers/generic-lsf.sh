#BSUB -J dask-worker
#BSUB -n 4
#BSUB -R "span[hosts=1]"
