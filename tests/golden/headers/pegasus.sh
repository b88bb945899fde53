#!/bin/bash
#BSUB -n 32
#BSUB -R "span[ptile=16] rusage[mem=674]"
#BSUB -W 00:30
#BSUB -q parallel
#BSUB -o logs/job.log
