# shellcheck shell=bash disable=SC1003,SC1091,SC2016
# The environment in which the workload runs.

export HPC_LAUNCH_ENVIRONMENT=begun
# What Python programs print is in the logs at once, also when they are killed.
export PYTHONUNBUFFERED=1

# The Python environment.
. "$HPC_LAUNCH_RUN_DIR/jobside/modules.sh" || return
own_python=/opt/analysis/bin/python # it runs hpc-launch
. "$HPC_LAUNCH_RUN_DIR/jobside/python.sh"
load_module mintpy || return
choose_python environment.modules

# Whatever the lines above have switched on is not for what follows.
set +aefu +o pipefail
unset IFS
type -P uname >/dev/null || { echo "the system's own commands are not on PATH: it is ${PATH-not set}" >&2; PATH=/usr/bin:/bin; return 1; }

# Modules beside the workload can be imported.
export PYTHONPATH=/home/user/mintpy${PYTHONPATH:+:$PYTHONPATH}
export HPC_LAUNCH_ENVIRONMENT=ready
