# shellcheck shell=bash
# How a job's shell watches what it has started, as a guest on the shared file system: while nothing happens, files are
# looked at twice a minute. Sourced by the job's script before attempt.sh.

# Wait until a process of this shell ends, a signal comes, or so many seconds have gone by; no file is looked at. This shell
# reads a pipe on which nobody else writes: no process is started, and none is left behind when the shell is killed. Twice a
# second it asks the kernel whether its processes live. (`wait -n` would be told, but now and then misses one that has just
# ended, and waits on.) By URG, which does nothing to whoever does not listen to it, the scheduler tells that there is news
# in state/, or that a client has left: then the workload may be about to end.
news='' short_waits=0
trap 'news=yes short_waits=60; echo >&"$bell"' URG
make_bell() { exec {bell}<> <(:); } # of each shell's own
make_bell
pause() { # SECONDS, or until the bell rings
  reading=yes
  read -r -t "$1" -u "$bell"
  reading=''
  $after_reading
}
wait_for_any() { # SECONDS PROCESS…
  local give_up=$((SECONDS + $1)) longest
  while [ -z "$news" ] && [ "$SECONDS" -lt "$give_up" ] && all_alive "${@:2}"; do
    longest=0.5
    [ "$short_waits" = 0 ] || longest=0.05 short_waits=$((short_waits - 1))
    pause "$longest"
  done
  while read -r -t 0 -u "$bell"; do read -r -u "$bell"; done
  news=''
}
# For what a trap does, and ends this shell with: whether that has to wait. To end within a `read` that has a time-out makes
# bash 5.2 jump to where it is no more.
reading='' after_reading=''
has_to_wait() { # COMMAND…
  [ -n "$reading" ] || return 1 # the number: in a trap, bash 4.4 would say what was before it
  after_reading=${after_reading:-$*}
  echo >&"$bell"
}
all_alive() {
  local each
  for each; do alive "$each" || return 1; done
}

# What other files of this directory do in these places.
at_every_look() { :; }
end_if_closed() { :; }
end_other_jobs() { :; }
workers_lost() { # all of them, and not because all was done
  [ -n "$workers" ] && ! alive "$workers" || return 1
  [ -n "$workers_code" ] || { wait "$workers"; workers_code=$?; }
  reason="all workers ended before the workload did, with exit code $workers_code$(see logs/workers-*.log)"
  [ "$workers_code" != 0 ]
}
# Hosts on which Python did not run: their starting-HOST-PID is still there, and says so. In mpi the launcher then ends the
# ranks of all hosts, and those that had just begun leave such a file, too: where logs say more, only their hosts are told.
tell_where_python_did_not_run() { # [HOST, whose launcher may know it by a longer name]
  local left host silent told=''
  for silent in no yes; do
    for left in "$state"/starting-*; do
      host=${left##*/starting-} host=${host%-*}
      [[ -e $left && ${1-$host}. == "$host".* && ! -e $state/unfit/$host ]] || continue
      [ "$silent" = yes ] || has_spoken "$host" "${left##*-}" || continue
      mv "$left" "$state/unfit/$host" && told=yes
    done
    [ -z "$told" ] || return 0
  done
}
has_spoken() { # HOST PROCESS, a rank: whether its log tells more after the line with which it begins
  [ -n "$(sed -n "/^rank .* is process $2 on /,\$ { /^rank .* is process /! p }" "logs/workers-$1.log" 2>/dev/null)" ]
}

# Wait for what happens next. Where no signal tells it (a node that is not fit, ids of worker jobs), files are looked at
# again each second while a job begins, for two minutes at most, later each half minute.
# A kill at the walltime would leave no trace: end before it.
wake_at='' # seconds of this job at which to look all the same
still_before() { wake_at+=" $1"; [ "$SECONDS" -lt "$1" ]; } # SECOND
wait_a_moment() {
  local longest=30 second processes
  [ -z "$last_second" ] || [ "$SECONDS" -lt "$last_second" ] || out_of_time
  end_if_closed
  at_every_look
  [ -n "$begun" ] || [ "$SECONDS" -ge 120 ] || longest=1
  for second in $last_second $wake_at; do
    [ $((second - SECONDS)) -ge "$longest" ] || longest=$((second - SECONDS))
  done
  wake_at=''
  # shellcheck disable=SC2206 # some may not have been started
  processes=($workload)
  [ -n "$scheduler_code" ] || processes+=($scheduler)
  [ -n "$scheduler_code$workers_code" ] || processes+=($workers)
  [ "$longest" -le 0 ] || wait_for_any "$longest" "${processes[@]}"
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
  ! was_killed_for_memory "$code" "$scheduler_code" || outcome=out-of-memory reason=$(killed_here "$([ "$code" = 137 ] && echo workload || echo scheduler)") code=1
  [ -n "$reason" ] || reason=$(no_space_in "$state") reason=${reason:+the run directory cannot be written$reason}
  exit
}
