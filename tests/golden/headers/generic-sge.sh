#!/bin/bash
#$ -pe mpi 16
#$ -l h_rt=00:30:00
#$ -cwd
#$ -S /bin/bash
#$ -j y
#$ -o logs/job.log
#$ -r n
#$ -notify
