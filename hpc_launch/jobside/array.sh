# shellcheck shell=bash
# The worker jobs of this run, looked after from the scheduler's job. Sourced by scheduler.sh after attempt.sh, where
# the batch system's own commands stand: worker_jobs_left, end_worker_jobs, and release_worker_jobs where they are held.

# Their ids, which the submitting side writes into run.json one after the other; the first job there is this one.
worker_jobs() {
  sed -n 's/^ *"job_id": "\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p' run.json | tail -n +2 | grep -vx null
}

# Is no job left that could bring what is missing: `minimum` workers at first, later any worker for tasks that wait?
# The batch system is asked once a minute at most.
look_at=30 none_left=''
tasks_without_workers() {
  grep -q '"workers": 0,' "$state/progress.json" 2>/dev/null &&
    grep -qE '"(waiting|processing|queued|no-worker)": [1-9]' "$state/progress.json"
}
workers_lost() {
  if [ -e "$state/ready" ] && ! tasks_without_workers; then
    none_left=''
    return 1
  fi
  [ -z "$none_left" ] || return 0
  [ "$SECONDS" -ge "$look_at" ] || return 1
  look_at=$((SECONDS + 60))
  mapfile -t jobs < <(worker_jobs)
  if [ ${#jobs[@]} = 0 ]; then # for five minutes it may still be submitting
    [ "$SECONDS" -ge 300 ] || return 1
    reason="the worker jobs were never submitted"
  else
    ! worker_jobs_left "${jobs[@]}" || return 1
    reason="all worker jobs have ended, see logs/workers-*.log"
  fi
  none_left=yes
}

# Worker jobs that are held until this one runs are let go as soon as they are known. That may fail for a moment, or for
# one that somebody has deleted.
released=0 release_at=0 release_failures=0
attend() {
  [ "$released" -lt "${worker_arrays:-0}" ] && [ "$SECONDS" -ge "$release_at" ] || return 0
  mapfile -t jobs < <(worker_jobs)
  [ ${#jobs[@]} -gt "$released" ] || return 0
  if release_worker_jobs "${jobs[@]:released}"; then
    released=${#jobs[@]}
    return
  fi
  release_at=$((SECONDS + 30)) release_failures=$((release_failures + 1))
  [ -e "$state/ready" ] || [ "$release_failures" -lt 4 ] || fail "the worker jobs cannot be released from here, see logs/job.log"
}

# The run is over: workers were sent home by their scheduler, and get ten seconds for what they do just now (told once
# more to end, they would leave their directories behind). Then what is left is called off, pending and running.
end_other_jobs() {
  local give_up=$((SECONDS + elements_get))
  while [ -n "$(ls "$state/elements" 2>/dev/null)" ] && [ "$SECONDS" -lt "$give_up" ]; do sleep 0.5; done
  mapfile -t jobs < <(worker_jobs)
  [ ${#jobs[@]} = 0 ] || end_worker_jobs "${jobs[@]}"
}
