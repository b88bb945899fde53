#!/bin/bash
# shellcheck disable=SC1003,SC2016
# The user's command, in the user's environment and directory.
# shellcheck source=environment.sh
. "$HPC_LAUNCH_RUN_DIR/environment.sh"
[ "${HPC_LAUNCH_ENVIRONMENT-}" = ready ] || exit 1
cd /home/user/monte-carlo-pi || exit 1
exec -- python pi.py --size 2GB --chunk 50MB
