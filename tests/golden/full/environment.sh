# shellcheck shell=bash disable=SC1003,SC1091,SC2016
# What every process of this run needs, on every node: Dask's settings, the credentials, the Python environment.

export HPC_LAUNCH_ENVIRONMENT=begun
# What Python programs print is in the logs at once, also when they are killed.
export PYTHONUNBUFFERED=1
# Settings of Dask that hold where its user has said nothing, in a variable DASK_… or in ~/.config/dask.
# Workers fork from one warm process per node instead of importing everything once each.
HPC_LAUNCH_DASK='distributed.worker.multiprocessing-method=forkserver'
# Workers serve no pages: those of the scheduler show all of them.
HPC_LAUNCH_DASK+=' distributed.worker.http.routes=[]'
export HPC_LAUNCH_DASK

# The site's own lines.
type module >/dev/null 2>&1 || source /etc/profile.d/modules.sh

# The Python environment.
. "$HPC_LAUNCH_RUN_DIR/jobside/modules.sh" || return
load_module miniconda || return
load_module gcc/12 || return
type conda >/dev/null 2>&1 || {
  echo "environment.conda: there is no command conda on $(uname -n); environment.modules can bring it, or the site's own lines" >&2
  return 1
}
{ eval "$(conda shell.bash hook)" && conda activate py_geo; } || {
  echo "environment.conda: conda cannot activate" py_geo "on $(uname -n); conda env list tells what there is" >&2
  return 1
}
HPC_LAUNCH_PYTHON=python
export HPC_LAUNCH_PYTHON HPC_LAUNCH_PYTHON_IS='named by environment.conda'

# The profile's variables.
export OMP_NUM_THREADS=1
export TITLE="${HOME-} is expanded, \$HOME 'not'"

# The profile's own lines.
ulimit -n 65535

# Whatever the lines above have switched on is not for what follows.
set +aefu +o pipefail
unset IFS
type -P uname >/dev/null || { echo "the system's own commands are not on PATH: it is ${PATH-not set}" >&2; PATH=/usr/bin:/bin; return 1; }

# Modules beside the workload can be imported by workers and scheduler too.
export PYTHONPATH="$HOME/project"${PYTHONPATH:+:$PYTHONPATH}
# security: none. Anyone who reaches the ports of this run's scheduler and workers can run code as its owner.
export HPC_LAUNCH_ENVIRONMENT=ready
