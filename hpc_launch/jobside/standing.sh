# shellcheck shell=bash
# A standing cluster: the job has no workload, and stays until it is closed, idle for too long, or out of walltime.
# Sourced by the job's script after attempt.sh; it sets `idle_timeout`, in words.

# `hpc-launch close` leaves a file, and has the scheduler tell this shell that there is news.
end_if_closed() { [ ! -e control/close ] || end_standing succeeded "it was closed"; }

stand_until_closed() {
  begun=yes outcome=failed
  while :; do
    [ -z "$scheduler" ] || alive "$scheduler" || end_with_scheduler
    [ -z "$workers" ] || alive "$workers" || end_with_workers
    wait_a_moment
  done
}
end_standing() { # OUTCOME REASON
  ignore_signals
  outcome=$1 reason=$2 code=1
  [ "$outcome" != succeeded ] || code=0
  exit "$code"
}

# The scheduler ends by itself when nobody has used it for long enough (idle.py), or when a client shuts it down.
end_with_scheduler() {
  wait "$scheduler"
  scheduler_code=$?
  [ "$scheduler_code" != 0 ] || end_standing succeeded "$(idle_or_shut_down)"
  ! was_killed_for_memory "$scheduler_code" || end_standing out-of-memory "$(killed_here scheduler)"
  end_standing failed "the Dask scheduler died with exit code $scheduler_code$(see logs/scheduler.log)"
}
idle_or_shut_down() { idle || echo "a client shut the cluster down"; }
idle() { [ -e "$state/idle" ] && echo "it was idle for $idle_timeout"; }

# All of them, where they came with this job, and no others can come: they have ended with the scheduler, or alone.
end_with_workers() {
  wait "$workers"
  workers_code=$?
  [ -z "$scheduler" ] || ! ends 10 "$scheduler" || end_with_scheduler
  [ "$workers_code" != 0 ] || end_standing succeeded "$(idle || echo "all workers were sent home")"
  end_standing failed "all workers ended, with exit code $workers_code$(see logs/workers-*.log)"
}
