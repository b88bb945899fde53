# shellcheck shell=bash
# One execution of a job, told in state/; on every way out, everything it has started is ended.
# Sourced in the run directory by the job's script, which sets `last_second` and `patience`.

cannot_write() {
  echo "hpc-launch: cannot write to $PWD/state$(no_space_in state)" >&2
  exit 73 # nothing can be told in state/: by this code `hpc-launch status` knows
}
# What the system says when some kilobytes are written to this directory: nothing where they can be.
no_space_in() {
  local cause
  cause=$({ printf '%65536s' '' >"$1/probe"; } 2>&1) || echo ": ${cause##*: }"
  rm -f "$1/probe"
}

# A requeued job starts a new attempt, with a clean slate.
attempt=1
until mkdir "state/$attempt" 2>/dev/null; do
  [ -d "state/$attempt" ] || cannot_write
  attempt=$((attempt + 1))
done
state=$PWD/state/$attempt
# The outcome gets its room now: when it is known, the disk may be full.
{
  mkdir "$state/fit" "$state/unfit" && echo "$attempt" >state/attempt.new && printf '%1023s\n' '' >"$state/outcome.new" &&
    mv state/attempt.new state/attempt
} || cannot_write
export HPC_LAUNCH_ATTEMPT=$attempt
# Who has this opens the scheduler's pages, in front of which guard.py stands.
[ ! -e jobside/guard.py ] ||
  { (umask 077 && od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' >"$state/token") && [ -s "$state/token" ]; } || cannot_write
rm -f scheduler.json # an earlier attempt's would lead workers astray

event() { echo "$(date +%s) $*" >>"$state/events"; }
cluster_is_there() { # ADDRESS of its scheduler
  event workload "$1"
  echo "hpc-launch: the Python of this run is $(cat "$state/python")"
}
alive() { kill -0 -- "$1" 2>/dev/null; }

# Where to read more: the first of these files that is there, or nothing.
see() {
  local file
  for file in "$@"; do
    [ ! -e "$file" ] || { echo ", see $file"; return; }
  done
}

some_node_is_unfit() {
  local nodes=("$state"/unfit/*)
  [ -e "${nodes[0]}" ]
}
# The first node that cannot be used, and why; fails when there is none.
unfit() {
  local node
  some_node_is_unfit || [ -z "$workers" ] || alive "$workers" || tell_where_python_did_not_run
  for node in "$state"/unfit/*; do
    [ -e "$node" ] && echo "${node##*/}: $(cat "$node")" && return
  done
  return 1
}

# The same, given a moment: what keeps workers from starting may have kept the scheduler from it a little earlier.
unfit_by_now() {
  local again
  for again in 0.5 0.5 1 0; do
    ! unfit || return 0
    sleep "$again"
  done
  return 1
}

# What the scheduler's Python lacks on this host; fails when it lacks nothing.
unfit_for_scheduler() {
  local cause
  ! cause=$(bash jobside/within.sh python jobside preflight 2>>logs/scheduler.log) && [ -n "$cause" ] &&
    echo "$(uname -n): $cause"
}

# Whether a process ends by itself within so many seconds; a negative number is a process group.
ends() {
  local give_up=$((SECONDS + $1))
  while alive "$2"; do
    [ "$SECONDS" -lt "$give_up" ] || return 1
    pause 0.05
  done
}
# TERM, then KILL for what is left after so many seconds.
end() {
  kill -TERM -- "$2" 2>/dev/null
  ends "$1" "$2" || kill -KILL -- "$2" 2>/dev/null
}

# How often the kernel has killed a process of this job for its memory (control groups, version 1 and 2).
killed_for_memory() {
  local first second file
  first=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup 2>/dev/null)
  second=$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null)
  for file in "/sys/fs/cgroup/memory$first/memory.oom_control" "/sys/fs/cgroup$second/memory.events"; do
    [ ! -r "$file" ] || { sed -n 's/^oom_kill //p' "$file"; return; }
  done
  echo 0
}
killed_before=$(killed_for_memory)
killed_here() { # workload or scheduler
  echo "the kernel killed the $1 on $(uname -n) for its memory: raise $1.memory"
}
was_killed_for_memory() { # EXIT_CODE…
  [[ " $* " == *" 137 "* ]] && [ "$(killed_for_memory)" -gt "$killed_before" ]
}

# The outcome is written as soon as it is known: what comes after may be cut short.
outcome=launch-failed code=1 reason="the job's script ended early$(see logs/job.log)"
begun='' workload='' workers='' scheduler='' jupyter='' scheduler_code='' workers_code='' broken_since=''
scheduler_gets=10 workers_get=5 elements_get=10 jupyter_gets=10 # seconds to end in order
# For a shell that ends: a signal that came a second time would end it in the middle of `finish`, and so would what a
# first one has left for the end of a `pause`.
ignore_signals() { after_reading=''; trap '' TERM INT HUP QUIT XCPU USR1 USR2 URG; }
write_outcome() { # over what was written there before: on a full disk there is room for nothing else
  local line="$outcome $code $reason" LC_ALL=C
  printf '%s\n' "$line" 1<>"$state/outcome.new" && truncate -s $((${#line} + 1)) "$state/outcome.new" &&
    mv "$state/outcome.new" "$state/outcome"
}
finish() {
  [ "$BASHPID" = $$ ] || exit 1 # a child that a signal has reached before it was more than a copy of this shell
  ignore_signals
  trap - EXIT
  cd "$HPC_LAUNCH_RUN_DIR" || exit 1
  write_outcome
  event ending
  [ -z "$workload" ] || end "$patience" "-$workload"
  [ -z "$jupyter" ] || kill -TERM "$jupyter" 2>/dev/null # it has its kernels end meanwhile
  # The scheduler sends its workers home, and they tidy up their directories. (Told to end at the same moment as
  # their scheduler, some hang for eight seconds; ended by srun, they leave everything lying about.)
  [ -n "$scheduler" ] || scheduler_among_workers
  [ -z "$scheduler" ] || end "$scheduler_gets" "$scheduler"
  [ -z "$workers" ] || ends "$workers_get" "$workers" || end "$workers_get" "$workers"
  end_other_jobs
  [ -z "$jupyter" ] || end "$jupyter_gets" "$jupyter"
  # shellcheck disable=SC2086 # some may not have been started
  wait $workload $scheduler $workers $jupyter 2>/dev/null
  # A job that was told to end may be requeued, and needs them again.
  case $outcome in succeeded | failed | timeout) rm -rf tls ;; esac
  rm -f "$state/token" "$state/jupyter-token"
  event ended
  # The batch system would take these for a wish of its own; state/ keeps the truth.
  case " ${exit_codes_taken-} " in *" $code "*) code=1 ;; esac
  exit "$code"
}
fail() {
  ignore_signals
  reason=$1
  echo "hpc-launch: $reason" >&2
  exit 1
}
trap finish EXIT
told_to_end() { # SIGNAL
  ! has_to_wait told_to_end "$1" || return
  ignore_signals
  outcome=cancelled code=1 patience=5 reason="the job was told to end ($1)"
  [ -z "${killed_after-}" ] || patience=2 scheduler_gets=3 workers_get=1 elements_get=1 jupyter_gets=1
  exit 1
}
out_of_time() {
  ! has_to_wait out_of_time || return
  ignore_signals
  outcome=timeout code=1 reason="the walltime was used up"
  exit 1
}
for signal in TERM INT HUP QUIT XCPU USR1; do # some batch systems mean something else by some of them
  # shellcheck disable=SC2064 # now, while it has this value
  trap "told_to_end $signal" "$signal"
done

# A command that ignores the signal by which Grid Engine's qdel and LSF's run limit warn the job's shell, and with it all its processes.
without_usr2() {
  trap '' USR2
  exec "$@"
}

# A scheduler that is one of the processes that a launcher has started tells its number, and on which host it is one.
scheduler_among_workers() {
  local host
  read -r scheduler host 2>/dev/null <"$state/scheduler" || return
  [ "$host" = "$(uname -n)" ] || scheduler=''
}

event started "$(uname -n)" "$HPC_LAUNCH_JOB_ID"
