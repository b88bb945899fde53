# shellcheck shell=bash
# One worker job of a run whose scheduler has a job of its own. Sourced in the run directory by workers.sh.

fail() {
  echo "hpc-launch: $1" >&2
  exit 1
}

# The scheduler's job has begun before this one; on a network file system its files can be seen a little later.
begun() {
  local second
  for ((second = 0; second < 60; second++)); do
    [ ! -f state/attempt ] || return 0
    sleep 1
  done
  return 1
}

# Start the workers of one node, and pass on to them that they are to end: the batch system tells it to this shell,
# on some systems with a signal of its own.
run_workers() { # NUMBER
  begun || fail "the scheduler's job has not begun"
  local state here
  state=state/$(cat state/attempt)
  here=$state/elements/$1
  [ ! -e "$state/outcome" ] || { echo "the run is over: $(cat "$state/outcome")"; exit 0; }
  export HPC_LAUNCH_BEGAN=$(($(date +%s) - SECONDS)) # the walltime runs from then on
  mkdir -p "$state/elements" "$state/elements-gone" && rm -f "$state/elements-gone/$1"
  echo "$(uname -n) $HPC_LAUNCH_JOB_ID" >"$here"
  # shellcheck disable=SC2064 # now, while they have these values
  trap "mv '$here' '$state/elements-gone/$1'" EXIT
  trap 'kill -TERM "$workers" 2>/dev/null' TERM INT HUP USR2 XCPU
  trap '' USR1 # before a suspension: the job goes on later
  ( trap '' USR2; exec bash node.sh "$1" ) &
  workers=$!
  while kill -0 "$workers" 2>/dev/null; do wait "$workers"; done
  wait "$workers"
}
