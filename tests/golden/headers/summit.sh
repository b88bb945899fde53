#!/bin/bash
#BSUB -W 00:30
#BSUB -q batch
#BSUB -P proj01
#BSUB -o logs/job.log
#BSUB -nnodes 2
#BSUB -alloc_flags NVME
