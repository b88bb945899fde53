#!/bin/bash
# What MPICH's mpiexec calls in place of qrsh to start its processes on other hosts, which ignore the signal with which
# qdel warns, for the ranks end when the scheduler does. Over there a shell reads the words again; the program's own is quoted already.
options=()
while [[ $1 = -* ]]; do
  options+=("$1")
  shift
done
exec qrsh "${options[@]}" "$1" "bash -c 'trap \"\" USR2; exec \"\$@\"' bash $2 $(printf '%q ' "${@:3}")"
