#!/bin/bash
# shellcheck disable=SC1003,SC2016
# The user's command, in the user's environment and directory.
# shellcheck source=environment.sh
. "$HPC_LAUNCH_RUN_DIR/environment.sh"
[ "${HPC_LAUNCH_ENVIRONMENT-}" = ready ] || exit 1
cd /home/user/mintpy || exit 1
echo "its environment is loaded" >"$HPC_LAUNCH_RUN_DIR/state/$HPC_LAUNCH_ATTEMPT/fit/$(uname -n)" || exit 1
set -o pipefail # the failure of a command whose output goes through a pipe is the workload's failure
smallbaselineApp.py template.txt --num-worker 4
