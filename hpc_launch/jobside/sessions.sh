# shellcheck shell=bash
# The worker jobs of a run on a machine without a batch system, ended and looked at from the scheduler's job; sourced
# by scheduler.sh. Each is a session of processes. Its id is HOST:PID:START@BOOT of the first one, which starts and ends
# the others.
here=$(uname -n) boot=$(head -c 8 /proc/sys/kernel/random/boot_id)

stat_of() { # PID: its state, parent, group, session … start in `stat`; nothing if there is none
  stat=()
  { IFS= read -r -d '' stat <"/proc/$1/stat"; } 2>/dev/null
  read -r -a stat <<<"${stat##*) }" # before that stands its name, which may hold blanks and brackets (proc(5))
}

# A number is another session's by now if its first process is not the one that the id names. If that is gone, the
# number is not used again before the others of its session are gone, too.
worker_job_processes() { # ID …: `first` are the first processes of these jobs that live, `members` all that live
  local job host pid start stat sessions=' '
  first=() members=() unseen=''
  for job; do
    IFS=: read -r host pid start <<<"${job%@*}"
    [ "$host" = "$here" ] || unseen=yes
    [ "$host@$boot" = "$here@${job##*@}" ] || continue
    stat_of "$pid"
    [ "${stat[19]-$start}" = "$start" ] || continue
    sessions+="$pid "
    [[ ${stat-Z} = [ZX] ]] || first+=("$pid")
  done
  for pid in /proc/[0-9]*; do
    stat_of "${pid#/proc/}"
    [[ ${stat-Z} = [ZX] || $sessions != *" ${stat[3]} "* ]] || members+=("${pid#/proc/}")
  done
}

worker_jobs_left() {
  local first members unseen
  worker_job_processes "$@"
  [ -z "$boot" ] || [ -n "$unseen${members[*]}" ]
}

# TERM to the first ones, and after five seconds KILL to all that are left, until none is.
end_worker_jobs() {
  local first members unseen until_killed=$((SECONDS + 5)) give_up=$((SECONDS + 15))
  worker_job_processes "$@"
  [ -z "${first[*]}" ] || kill -TERM "${first[@]}" 2>/dev/null
  while worker_job_processes "$@"; [ -n "${members[*]}" ] && [ "$SECONDS" -lt "$give_up" ]; do
    [ "$SECONDS" -lt "$until_killed" ] || kill -KILL "${members[@]}" 2>/dev/null
    sleep 0.2
  done
}
