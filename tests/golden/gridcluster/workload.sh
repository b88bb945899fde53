#!/bin/bash
# shellcheck disable=SC1003,SC2016
# The user's command, in the user's directory.
cd /home/user/monte-carlo-pi || exit 1
exec python pi.py --size 2GB --chunk 50MB
