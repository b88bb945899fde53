#PBS -l select=4:ncpus=128:mpiprocs=1:ompthreads=1:mem=197055mb
#PBS -l place=scatter
#PBS -l walltime=02:00:00
#PBS -q main
#PBS -A my_project
#PBS -m n
#PBS -j oe
#PBS -o logs/job.log
#PBS -k oed
#PBS -r n
  --protocol tls --interface hsn0 --port 0 \
  --local-directory "$local_directory" --protocol tls --interface hsn0 --no-dashboard --dashboard-address 127.0.0.1:0 \
