# shellcheck shell=bash
# One worker job of a run whose scheduler has a job of its own. Sourced in the run directory by workers.sh.

fail() {
  echo "hpc-launch: $1" >&2
  exit 1
}

# Whether a file is there: on a network file system it can be seen a little later than it was written.
appears() { # FILE
  local second
  for ((second = 0; second < 60; second++)); do
    [ ! -f "$1" ] || return 0
    sleep 1
  done
  return 1
}

# What is said of one call of the submit command, by the number at the end of its jobs' name (none: the first call):
# `first`, the number of its first element; `array`, how many they are, or `null`; `workers`, of all of them.
read_submission() { # NAME-OF-THE-JOB
  local number=${1%%\[*} key value
  number=${number##*-}
  [[ $number =~ ^[1-9][0-9]{0,5}$ ]] || number=1
  appears "pool/$number.json" || fail "there is no pool/$number.json, which tells the number of this worker job"
  while read -r key value; do
    case $key in '"first":' | '"array":' | '"workers":' | '"per_node":') printf -v "${key:1:-2}" %s "${value%,}" ;; esac
  done <"pool/$number.json"
}

# Start the workers of one node, and pass on to them that they are to end: the batch system tells it to this shell,
# on some systems with a signal of its own.
run_workers() { # NAME-OF-THE-JOB INDEX, counted from 0 [SCRIPT of its group]
  local first=0 array=null workers_left workers=0 per_node=0 index=$2 script=${3:-node.sh} state here number code
  read_submission "$1"
  [ "$array" != null ] || index=0 # a plain job: the batch system's variable says nothing
  number=$((first + index)) workers_left=$((workers - index * per_node))
  export HPC_LAUNCH_WORKERS=$((workers_left < per_node ? workers_left : per_node))
  # The scheduler's job has begun before this one.
  appears state/attempt || fail "the scheduler's job has not begun"
  state=state/$(cat state/attempt)
  here=$state/elements/$number
  [ ! -e "$state/outcome" ] || { echo "the run is over: $(cat "$state/outcome")"; exit 0; }
  export HPC_LAUNCH_BEGAN=$(($(date +%s) - SECONDS)) # the walltime runs from then on
  mkdir -p "$state/elements" "$state/elements-gone" && rm -f "$state/elements-gone/$number"
  echo "$(uname -n) $HPC_LAUNCH_JOB_ID" >"$here"
  # shellcheck disable=SC2064 # now, while they have these values
  trap "mv '$here' '$state/elements-gone/$number'" EXIT
  trap 'kill -TERM "$node" 2>/dev/null' TERM INT HUP USR2 XCPU
  trap '' USR1 # before a suspension: the job goes on later
  ( trap '' USR2; exec bash "./$script" "$number" ) &
  node=$!
  while kill -0 "$node" 2>/dev/null; do wait "$node"; done
  wait "$node"
  code=$?
  case $code in
    0 | 143) ;; # told to end, maybe before Python took away what is told if it does not run
    *) mv "$state/starting-$(uname -n)-$node" "$state/unfit/$(uname -n)" 2>/dev/null ;;
  esac
  return "$code"
}
