#SBATCH -J dask-worker
#SBATCH -p ceres
#SBATCH -n 1
#SBATCH --cpus-per-task=96
#SBATCH --mem=732421M
#SBATCH -t 02:00:00
