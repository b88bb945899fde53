#SBATCH -J dask-worker
#SBATCH -p skx
#SBATCH -n 1
#SBATCH --cpus-per-task=48
