#SBATCH -J dask-worker
#SBATCH -p batch
#SBATCH -n 1
#SBATCH --cpus-per-task=56
#SBATCH --constraint=nvme
