# shellcheck shell=bash disable=SC1003,SC1091,SC2016
# The environment in which the workload runs.

export HPC_LAUNCH_ENVIRONMENT=begun
# What Python programs print is in the logs at once, also when they are killed.
export PYTHONUNBUFFERED=1

# The Python environment.
module load mintpy || return
HPC_LAUNCH_PYTHON=/opt/analysis/bin/python
case $HPC_LAUNCH_PYTHON in */*) export PATH="${HPC_LAUNCH_PYTHON%/*}:$PATH" ;; esac
export HPC_LAUNCH_PYTHON

# Whatever the lines above have switched on is not for what follows.
set +aefu +o pipefail
unset IFS

# Modules beside the workload can be imported.
export PYTHONPATH=/home/user/mintpy${PYTHONPATH:+:$PYTHONPATH}
export HPC_LAUNCH_ENVIRONMENT=ready
