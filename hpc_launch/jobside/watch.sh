# shellcheck shell=bash
# How a job's shell watches what it has started, as a guest on the shared file system: while nothing happens, files are
# looked at twice a minute. Sourced by the job's script before attempt.sh.

# Wait until a process of this shell ends, a signal comes, or so many seconds have gone by; no file is looked at.
# By URG, which does nothing to whoever does not listen to it, the scheduler tells that there is news in state/.
sleep=$(type -P sleep) # found once: PATH may lead over a shared file system
sleeper='' news='' has_wait_n=yes
((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 403)) || has_wait_n=''
trap 'news=yes; stop_sleeping' URG
# With KILL: a child that was just forked, and is told to end by a signal that can be caught, runs this shell's EXIT trap.
stop_sleeping() { [ -z "$sleeper" ] || kill -KILL "$sleeper" 2>/dev/null; }
wait_for_any() { # SECONDS PROCESS…, none of which is known to have ended
  if [ -n "$has_wait_n" ]; then
    begin_to_sleep "$1"
    all_alive "${@:2}" || stop_sleeping
    wait -n 2>/dev/null
  else
    poll_for_any "$@"
  fi
  stop_sleeping
  wait "$sleeper" 2>/dev/null
  sleeper='' news=''
}
begin_to_sleep() {
  "$sleep" "$1" &
  sleeper=$!
  [ -z "$news" ] || stop_sleeping # it came before there was anything to stop
}
poll_for_any() { # the same where bash is older than 4.3
  local second
  for ((second = 0; second < $1; second++)); do
    begin_to_sleep 1
    wait "$sleeper" 2>/dev/null # bash tells on it who was killed
    [ -z "$news" ] && all_alive "${@:2}" || return
  done
}
all_alive() { # no loop: after a round of one bash has forgotten who ended meanwhile, and `wait -n` does not tell of it
  local each
  printf -v each 'alive %s && ' "$@"
  eval "$each:"
}

# What other files of this directory do in these places.
at_every_look() { :; }
end_if_closed() { :; }
end_other_jobs() { :; }
workers_lost() { # all of them, and not because all was done
  ! alive "$workers" || return 1
  [ -n "$workers_code" ] || { wait "$workers"; workers_code=$?; }
  reason="all workers ended before the workload did, with exit code $workers_code$(see logs/workers-*.log)"
  [ "$workers_code" != 0 ]
}

# Wait for what happens next. Where no signal tells it (a node that is not fit, ids of worker jobs), files are looked at
# again each second while a job begins, for two minutes at most, later each half minute.
# A kill at the walltime would leave no trace: end before it.
wake_at='' # seconds of this job at which to look all the same
still_before() { wake_at+=" $1"; [ "$SECONDS" -lt "$1" ]; } # SECOND
wait_a_moment() {
  local pause=30 second processes
  [ -z "$last_second" ] || [ "$SECONDS" -lt "$last_second" ] || out_of_time
  end_if_closed
  at_every_look
  [ -n "$begun" ] || [ "$SECONDS" -ge 120 ] || pause=1
  for second in $last_second $wake_at; do
    [ $((second - SECONDS)) -ge "$pause" ] || pause=$((second - SECONDS))
  done
  wake_at=''
  # shellcheck disable=SC2206 # some may not have been started
  processes=($workload)
  [ -n "$scheduler_code" ] || processes+=($scheduler)
  [ -n "$scheduler_code$workers_code" ] || processes+=($workers)
  [ "$pause" -le 0 ] || wait_for_any "$pause" "${processes[@]}"
}

# Has the workload had time to notice that its cluster is gone? What ends with 0 it has shut down itself.
seconds_to_notice=30
cluster_lost() {
  if [ -n "$scheduler" ] && ! alive "$scheduler"; then
    [ -n "$scheduler_code" ] || { wait "$scheduler"; scheduler_code=$?; }
    [ "$scheduler_code" != 0 ] || return 1
    reason="the Dask scheduler died with exit code $scheduler_code$(see logs/scheduler.log)"
  elif ! workers_lost; then
    broken_since=''
    return 1
  fi
  broken_since=${broken_since:-$SECONDS}
  wake_at+=" $((broken_since + seconds_to_notice))"
  [ $((SECONDS - broken_since)) -ge $seconds_to_notice ]
}

# The workload has ended: end the job, with the outcome that its exit code means.
exit_as_the_workload() {
  ignore_signals
  wait "$workload"
  code=$? outcome=failed
  if [ "$code" = 0 ]; then
    outcome=succeeded reason=''
    exit
  fi
  [ -n "$broken_since" ] || reason='' # it may have been ended for want of a cluster
  cluster_lost
  ! was_killed_for_memory "$code" "$scheduler_code" || outcome=out-of-memory code=1 reason=$killed_here
  [ -n "$reason" ] || reason=$(no_space_in "$state") reason=${reason:+the run directory cannot be written$reason}
  exit
}
