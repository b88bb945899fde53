# shellcheck shell=bash
# Loads the run's environment into this shell. A host on which that fails is not fit: it says so in state/, and this shell ends.

unfit() { # a sentence, for the run's owner
  trap - EXIT
  echo "$1" | tee "$HPC_LAUNCH_RUN_DIR/state/$HPC_LAUNCH_ATTEMPT/unfit-$(uname -n)-$$" >&2
  cd "$HPC_LAUNCH_RUN_DIR/state/$HPC_LAUNCH_ATTEMPT" && mv "unfit-$(uname -n)-$$" "unfit/$(uname -n)"
  exit 70
}
last_words() { [ ! -f /dev/stderr ] || tail -n 1 /dev/stderr; } # a log, in which they stand now
trap 'unfit "environment.sh failed: $(last_words)"' EXIT
# shellcheck source=/dev/null
. "$HPC_LAUNCH_RUN_DIR/environment.sh" # a `set -e` in it may end this here
[ "${HPC_LAUNCH_ENVIRONMENT-}" = ready ] || exit
trap - EXIT
cd "$HPC_LAUNCH_RUN_DIR" || exit
