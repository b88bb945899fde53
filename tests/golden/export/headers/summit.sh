#BSUB -J dask-worker
#BSUB -q batch
#BSUB -nnodes 1
#BSUB -alloc_flags NVME
