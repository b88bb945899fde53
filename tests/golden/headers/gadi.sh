#!/bin/bash
#PBS -l ncpus=16
#PBS -l mem=21558mb
#PBS -l walltime=00:30:00
#PBS -q normal
#PBS -m n
#PBS -j oe
#PBS -o logs/job.log
#PBS -k oed
#PBS -r n
#PBS -P proj01
