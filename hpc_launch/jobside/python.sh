#!/bin/bash
# The run's Python, in the run's environment. The user's lines never run in the shell that watches over the job:
# a variable or an option of theirs must not change what that shell believes.
_hpc_launch_arguments=("$@")
# shellcheck source=/dev/null
. "$HPC_LAUNCH_RUN_DIR/environment.sh"
[ "${HPC_LAUNCH_ENVIRONMENT-}" = ready ] || exit 69
cd "$HPC_LAUNCH_RUN_DIR" || exit 69
exec "$HPC_LAUNCH_PYTHON" "${_hpc_launch_arguments[@]}"
