#!/bin/bash
#BSUB -n 16
#BSUB -R "span[ptile=8] rusage[mem=10779]"
#BSUB -W 00:30
#BSUB -o logs/job.log
