#!/bin/bash
# shellcheck disable=SC1003,SC2016
# The user's command, in the user's directory.
cd "$HOME/project" || exit 1
python main.py --out "$HPC_LAUNCH_RUN_DIR/out" | tee log
