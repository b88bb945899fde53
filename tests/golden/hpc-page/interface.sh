#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=4
#SBATCH --mem=20374M
#SBATCH --time=00:10:00
#SBATCH --account=my_project
#SBATCH --output=logs/job.log
#SBATCH --open-mode=append
#SBATCH --no-requeue
#SBATCH --signal=B:USR1@10
  --protocol tls --interface ib0 --port 0 \
  --local-directory "$local_directory" --protocol tls --interface ib0 --no-dashboard --dashboard-address 127.0.0.1:0 \
