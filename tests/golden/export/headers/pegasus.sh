#BSUB -J dask-worker
#BSUB -q general
#BSUB -n 15
#BSUB -W 24:00
#BSUB -R "span[hosts=1] rusage[mem=2034]"
