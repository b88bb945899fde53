# shellcheck shell=bash
# The end of everything that was made here, also by an `up` that was killed at any point; and the proof of it.

MARK=.made-by-hpc-launch-test-cluster

down() { remove_everything; }

remove_everything() {
  if [ -d "$S" ] && [ ! -e "$S/$MARK" ] && [ -n "$(ls -A "$S")" ]; then
    die "$S was not made by the test cluster: will not remove it"
  fi
  remove_cgroup
  remove_accounts
  # The mark goes last: whatever interrupts this, the next one may go on.
  [ ! -d "$S" ] || find "$S" -mindepth 1 -maxdepth 1 -not -name "$MARK" -exec rm -rf --one-file-system {} +
  rm -rf --one-file-system "$S"
}

leftovers() {
  local pid link user
  for pid in $( { cgroup_processes; pgrep -f -- "first-process $S |=$S/" || true; } | sort -un); do
    [ "$pid" = $$ ] || [ ! -e "/proc/$pid" ] || echo "process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
  done
  # What an interface is called here is what first-process's host would have called it.
  for link in $(ip -o link show type veth | awk -F'[ :@]+' '{ print $2 }'); do
    case $link in eth0 | ib0 | eth-* | ib-*) echo "network interface $link" ;; esac
  done
  awk -v s="$S" 'index($2, s) == 1 { print "mount " $2 }' /proc/self/mounts
  for user in $(our_accounts); do echo "account $user"; done
  cgroup_branches | sed 's/^/control group /'
  [ ! -e "$S" ] || echo "directory $S"
}
