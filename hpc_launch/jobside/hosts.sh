# shellcheck shell=bash
# The launcher that starts the nodes of a job: what it prints is kept, and a host that it fails on is told in state/ at
# once, with its last words. Sourced by job.sh after attempt.sh; `launcher` is the launcher's name, `hosts` its hosts.

mkdir "$state/launcher"
complaints='' # for a launcher that starts all nodes: makes HOST CAUSE of what it prints of one that failed
lines_seen=0

# The last line that a launcher printed, without what a terminal adds to it.
last_words() {
  [ ! -s "$1" ] || tr -d '\r' <"$1" | grep -v '^[[:space:]]*$' | tail -n 1 | cut -c 1-500
}

# The last words of a launcher that starts all nodes.
all_words() {
  local words
  words=$(last_words "$state/launcher/all")
  echo "${words:+: $words}"
}

# A host whose workers ended, or never began. Nothing is told once the run ends, nor twice.
host_failed() { # HOST CAUSE FILE-OF-WORDS
  local cause=$2
  [ ! -e "$state/outcome" ] || return 0
  tell_where_python_did_not_run "$1"
  { [ ! -e "$state/unfit/$1" ] && [ ! -e "$state/unfit/${1%%.*}" ]; } || return 0
  # What is started there is the first that is looked for in this directory.
  if grep -qF "$HPC_LAUNCH_RUN_DIR/node.sh: " "$3" 2>/dev/null; then
    cause="it cannot see the run directory: is storage.runs shared by all nodes?"
  fi
  echo "$cause$(see "logs/workers-$1.log" "logs/workers-${1%%.*}.log")" >"$state/unfit-$1.new" &&
    mv "$state/unfit-$1.new" "$state/unfit/$1"
}

# Wait for the launchers of all hosts (`processes`, by the host's number); one that fails leaves the others alone.
until_hosts_end() {
  local index code worst=0 words
  make_bell
  while [ ${#processes[@]} -gt 0 ]; do
    wait_for_any 30 "${processes[@]}"
    for index in "${!processes[@]}"; do
      ! alive "${processes[index]}" || continue
      wait "${processes[index]}"
      code=$?
      unset "processes[index]"
      cat "$state/launcher/$index" >&2
      [ "$code" != 0 ] || continue
      worst=$code words=$(last_words "$state/launcher/$index")
      [ "$code" = 70 ] || # node.sh has told why
        host_failed "${hosts[index]}" "$launcher ended with exit code $code${words:+: $words}" "$state/launcher/$index"
    done
  done
  return "$worst"
}

# End the launchers: KILL for those that are left after four seconds, a second before it comes to this shell. (Workers that
# are told to end while they look for their scheduler may hang.)
# shellcheck disable=SC2046 # several numbers
end_hosts() {
  ! has_to_wait end_hosts || return
  local give_up=$((SECONDS + 4))
  trap '' TERM
  kill $(jobs -p) 2>/dev/null
  while [ -n "$(jobs -rp)" ] && [ "$SECONDS" -lt "$give_up" ]; do sleep 0.2; done
  kill -KILL $(jobs -rp) 2>/dev/null
  exit 143
}

# What a launcher that starts all nodes has printed since the last look: for the job's log, and in it what it says of
# single hosts.
at_every_look() { pass_on_launcher_output; }
pass_on_launcher_output() {
  local lines host cause
  { mapfile -t -s "$lines_seen" lines <"$state/launcher/all"; } 2>/dev/null
  [ ${#lines[@]} -gt 0 ] || return 0
  lines_seen=$((lines_seen + ${#lines[@]}))
  printf '%s\n' "${lines[@]}" >&2
  while read -r host cause; do
    [[ $cause == *' 70' ]] || # node.sh has told why
      host_failed "$host" "$launcher says: $cause" "$state/launcher/all"
  done < <(printf '%s\n' "${lines[@]}" | sed -nE "$complaints")
}
