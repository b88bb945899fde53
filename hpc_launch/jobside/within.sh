#!/bin/bash
# A command in the run's environment; `python` is the run's Python, in its container if it has one.
# The user's lines never run in the shell that watches over the job: a variable or an option of theirs must not
# change what that shell believes.
_hpc_launch_command=("$@")
. "$HPC_LAUNCH_RUN_DIR/jobside/fit.sh"
if [ "${_hpc_launch_command[0]}" = python ]; then
  exec "${HPC_LAUNCH_CONTAINER[@]}" "$HPC_LAUNCH_PYTHON" "${_hpc_launch_command[@]:1}"
fi
exec "${_hpc_launch_command[@]}"
