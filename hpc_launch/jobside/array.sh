# shellcheck shell=bash
# The worker jobs of this run, looked after from the scheduler's job. Sourced by scheduler.sh after attempt.sh, where
# the batch system's own commands stand: worker_jobs_left, end_worker_jobs, and release_worker_jobs where they are held;
# and `worker_submissions`, how many ids there are to be.

# Their ids, which the submitting side writes down one after the other.
jobs=() jobs_since=0
read_worker_jobs() {
  local known=${#jobs[@]}
  [ "$known" -lt "$worker_submissions" ] || return 0
  { mapfile -t jobs <control/worker-jobs; } 2>/dev/null || jobs=()
  [ ${#jobs[@]} = "$known" ] || jobs_since=$SECONDS
}

# So many seconds after the last of them was submitted, or after the beginning of this job, the others do not come any
# more: `hpc-launch submit` was killed, or its host went down. A submission takes two minutes at most.
submission_patience=240
submission_broke_off() {
  [ ${#jobs[@]} -lt "$worker_submissions" ] && [ $((SECONDS - jobs_since)) -ge "$submission_patience" ]
}

# Is no job left that could bring what is missing: `minimum` workers at first, later any worker for tasks that wait?
# The batch system is asked once a minute at most. A run that lacks a worker job altogether does not begin: it is half of
# what was asked for.
ask_at=30 none_left=''
# That tasks wait without a worker the scheduler tells by URG. Where that is not heard, its file is read at every second look.
read_progress_at=0
tasks_without_workers() {
  local progress
  [ "$short_waits" != 0 ] || [ "$SECONDS" -ge "$read_progress_at" ] || return 1
  read_progress_at=0
  read -r progress 2>/dev/null <"$state/progress.json"
  [[ $progress == *'"workers": 0,'* && $progress =~ \"(waiting|processing|queued|no-worker)\":\ [1-9] ]] && return
  read_progress_at=$((SECONDS + 45))
  return 1
}
workers_lost() {
  if [ -n "$begun" ] && ! tasks_without_workers; then
    none_left=''
    return 1
  fi
  [ -z "$none_left" ] || return 0
  [ "$worker_submissions" != 0 ] || a_keeper_has_begun || return 1 # workers come when somebody asks for them
  read_worker_jobs
  if submission_broke_off && [ -z "$begun" ] && ! keeper_submits_the_rest; then
    reason="of $worker_submissions calls to submit worker jobs ${#jobs[@]} were made, then hpc-launch submit ended$(why_not_the_rest)"
  elif a_keeper_has_begun; then
    keeper_has_stopped
    return
  elif submission_broke_off && keeper_can_run; then
    return 1 # one begins at the next look
  elif submission_broke_off || [ ${#jobs[@]} = "$worker_submissions" ]; then # otherwise another one may still come
    [ "$SECONDS" -ge "$ask_at" ] || { wake_at+=" $ask_at"; return 1; }
    ask_at=$((SECONDS + 60))
    [ ${#jobs[@]} = 0 ] || ! worker_jobs_left "${jobs[@]}" || return 1
    reason="all worker jobs have ended$(see logs/workers-*.log)"
  else
    return 1
  fi
  none_left=yes
}

# Worker jobs that are held until this one runs are let go as soon as they are known. That may fail for a moment, or for
# one that somebody has deleted.
released=0 release_at=0 release_failures=0
declare -F release_worker_jobs >/dev/null || released=$worker_submissions
at_every_look() {
  release_held_worker_jobs
  start_keeper
}
release_held_worker_jobs() {
  [ "$released" -lt "$worker_submissions" ] || return 0
  [ "$SECONDS" -ge 120 ] || wake_at+=" $((SECONDS + 2))"
  read_worker_jobs
  [ ${#jobs[@]} -gt "$released" ] && [ "$SECONDS" -ge "$release_at" ] || return 0
  if release_worker_jobs "${jobs[@]:released}"; then
    released=${#jobs[@]}
    return
  fi
  release_at=$((SECONDS + 30)) release_failures=$((release_failures + 1))
  [ -n "$begun" ] || [ "$release_failures" -lt 4 ] || fail "the worker jobs cannot be released from here$(see logs/job.log)"
}

# A keeper submits worker jobs and lets them go (pool/, logs/keeper.log): once there is a wish, as `hpc-launch scale` leaves it, or a
# `submit` that was killed has left something to do. If it dies it is started again, five times at most; what it had
# submitted it finds by name.
keeper='' keeper_starts=0 # its process while it runs; how often it was started
declare -p keeper_python &>/dev/null || keeper_python=(bash jobside/within.sh python)
start_keeper() {
  ! keeper_runs && [ "$keeper_starts" -lt 6 ] || return 0
  if ! keeper_is_wanted || ! keeper_can_run; then
    [ -z "${HPC_LAUNCH_INTERVALS-}" ] || wake_at+=" $((SECONDS + 1))" # set short, for a test or a notebook
    return
  fi
  "${keeper_python[@]}" -I -S -u jobside/keeper "$PWD" </dev/null >>logs/keeper.log 2>&1 &
  keeper=$! keeper_starts=$((keeper_starts + 1))
}
keeper_is_wanted() {
  [ ! -e control/scale.json ] || return 0
  read_worker_jobs
  submission_broke_off
}
keeper_can_run() { [ -n "${keeper_python[*]}" ] && [ -e jobside/keeper/__main__.py ]; }
keeper_runs() {
  [ -n "$keeper" ] || return
  ! alive "$keeper" || return 0
  wait "$keeper"
  [ $? != 3 ] || keeper_starts=6 # it cannot do its work from here
  keeper=''
  echo "hpc-launch: the keeper of the worker jobs has ended$(see logs/keeper.log)" >&2
  [ "$keeper_starts" -lt 6 ] ||
    echo "hpc-launch: it is not started again: \`hpc-launch keep\` can do its work on a login host" >&2
  return 1
}
# Whether one has, or had, this run: beside this shell, or on a login host (`hpc-launch keep`).
a_keeper_has_begun() { [ "$keeper_starts" -gt 0 ] || [ -e pool/lease ] || [ -e pool/status.json ]; }
# A keeper gets a minute to submit what `submit` has left; then there is one call more of which the id is known.
keeper_gets=60 rest_submitted=''
keeper_submits_the_rest() {
  [ -z "$rest_submitted" ] || return 0
  keeper_can_run || a_keeper_has_begun || return
  ! still_before $((jobs_since + submission_patience + keeper_gets)) || return 0
  [ "$(submissions_with_id)" -gt ${#jobs[@]} ] && rest_submitted=yes
}
submissions_with_id() {
  local file text number=0
  for file in pool/[1-9]*.json; do
    text=''
    read -r -d '' text 2>/dev/null <"$file"
    [[ $text != *'"job_id": "'* ]] || number=$((number + 1))
  done
  echo "$number"
}
why_not_the_rest() {
  local status=''
  read -r -d '' status 2>/dev/null <pool/status.json
  [[ ! $status =~ \"paused\":\ \"([^\"]+)\" ]] || echo "; the others could not be made from here: ${BASH_REMATCH[1]}"
}
# Whether it submits nothing more for any group, and why.
keeper_has_stopped() {
  local status=''
  read -r -d '' status 2>/dev/null <pool/status.json
  [[ $status != *'"brake": null'* && $status =~ \"brake\":\ \"([^\"]+)\" ]] && reason=${BASH_REMATCH[1]}
}
# What keepers have submitted, also one that runs no more, is called off: by ids, and by name where an answer was never read.
end_with_keeper() {
  [ -z "$keeper" ] || end 5 "$keeper"
  timeout 30 "${keeper_python[@]}" -I -S -u jobside/keeper "$PWD" call-off </dev/null >>logs/keeper.log 2>&1
}

worker_jobs_run() {
  local elements=("$state"/elements/*)
  [ -e "${elements[0]}" ]
}

# The run is over: workers were sent home by their scheduler, and get ten seconds for what they do just now (told once
# more to end, they would leave their directories behind). Then what is left is called off, pending and running.
end_other_jobs() {
  local give_up=$((SECONDS + elements_get))
  [ -z "$keeper" ] || kill -TERM "$keeper" 2>/dev/null # from now on nothing is submitted
  while worker_jobs_run && [ "$SECONDS" -lt "$give_up" ]; do sleep 0.5; done
  ! { a_keeper_has_begun && keeper_can_run; } || end_with_keeper
  read_worker_jobs
  [ ${#jobs[@]} = 0 ] || end_worker_jobs "${jobs[@]}"
}
