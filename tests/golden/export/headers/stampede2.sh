#SBATCH -J dask-worker
#SBATCH -p development
#SBATCH -n 1
#SBATCH --cpus-per-task=272
