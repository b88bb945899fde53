#!/bin/bash
#PBS -l select=2:ncpus=8:mpiprocs=1:ompthreads=1
#PBS -l place=scatter
#PBS -l walltime=00:30:00
#PBS -q debug
#PBS -A proj01
#PBS -m n
#PBS -j oe
#PBS -o logs/job.log
#PBS -k oed
#PBS -r n
#PBS -l filesystems=home:eagle
