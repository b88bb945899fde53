# shellcheck shell=bash
# The worker jobs of this run, looked after from the scheduler's job. Sourced by scheduler.sh after attempt.sh, where
# the batch system's own commands stand: worker_jobs_left, end_worker_jobs, and release_worker_jobs where they are held.

# Their ids, which the submitting side writes into run.json one after the other.
worker_jobs() {
  sed -n 's/^ *"job_id": "\([^"]*\)".*/\1/p' run.json | grep -vxF -- "$HPC_LAUNCH_JOB_ID"
}

# Is no worker connected, and no job left that could bring one? The batch system is asked once a minute at most.
look_at=30 none_left=''
workers_lost() {
  if ! grep -q '"workers": 0,' "$state/progress.json" 2>/dev/null; then
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

# Worker jobs that are held until this one runs are let go as soon as they are known.
released=0
attend() {
  [ "$released" -lt "${worker_arrays:-0}" ] || return 0
  mapfile -t jobs < <(worker_jobs)
  [ ${#jobs[@]} -gt "$released" ] || return 0
  release_worker_jobs "${jobs[@]:released}" || fail "the worker jobs cannot be released from here"
  released=${#jobs[@]}
}

# The run is over: workers were sent home by their scheduler, and get ten seconds for what they do just now (told once
# more to end, they would leave their directories behind). Then what is left is called off, pending and running.
end_other_jobs() {
  local give_up=$((SECONDS + 10))
  while [ -n "$(ls "$state/elements" 2>/dev/null)" ] && [ "$SECONDS" -lt "$give_up" ]; do sleep 0.5; done
  mapfile -t jobs < <(worker_jobs)
  [ ${#jobs[@]} = 0 ] || end_worker_jobs "${jobs[@]}"
}
