#SBATCH -J dask-worker
#SBATCH -n 1
#SBATCH --cpus-per-task=256
#SBATCH --mem=488281M
#SBATCH --qos=debug
#SBATCH --constraint=cpu
