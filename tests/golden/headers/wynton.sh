#!/bin/bash
#$ -pe mpi-8 16
#$ -l mem_free=1348M
#$ -l h_rt=00:30:00
#$ -cwd
#$ -S /bin/bash
#$ -j y
#$ -o logs/job.log
#$ -r n
#$ -notify
