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

# The Python environment.
HPC_LAUNCH_PYTHON=/opt/analysis/bin/python
case $HPC_LAUNCH_PYTHON in */*) export PATH="${HPC_LAUNCH_PYTHON%/*}:$PATH" ;; esac
export HPC_LAUNCH_PYTHON HPC_LAUNCH_PYTHON_IS='the one that runs hpc-launch'

# Whatever the lines above have switched on is not for what follows.
set +aefu +o pipefail
unset IFS
type -P uname >/dev/null || { echo "the system's own commands are not on PATH: it is ${PATH-not set}" >&2; PATH=/usr/bin:/bin; return 1; }

# Modules beside the workload can be imported by workers and scheduler too.
export PYTHONPATH=/home/user/monte-carlo-pi${PYTHONPATH:+:$PYTHONPATH}
# Only processes that hold this run's key may talk to its scheduler and workers.
export DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION=true
export DASK_DISTRIBUTED__COMM__DEFAULT_SCHEME=tls # of an address that is HOST:PORT
export DASK_DISTRIBUTED__COMM__TLS__CA_FILE=$HPC_LAUNCH_RUN_DIR/tls/ca.pem
for _hpc_launch_role in SCHEDULER WORKER CLIENT; do
  export "DASK_DISTRIBUTED__COMM__TLS__${_hpc_launch_role}__CERT=$HPC_LAUNCH_RUN_DIR/tls/ca.pem"
  export "DASK_DISTRIBUTED__COMM__TLS__${_hpc_launch_role}__KEY=$HPC_LAUNCH_RUN_DIR/tls/key.pem"
done
export HPC_LAUNCH_ENVIRONMENT=ready
