# shellcheck shell=bash
# Every host has a branch of the machine's control groups: Slurm enforces memory limits in it, and it holds every process that
# the cluster has started, however deep: that is how exactly those can be found and ended again.

CGROUP=hpc-launch-cluster

find_cgroups() { # CGROUP_TREES: the mount points in which every host gets its branch
  case $(stat -f -c %T /sys/fs/cgroup) in
    tmpfs) CGROUP_TREES=(/sys/fs/cgroup/memory /sys/fs/cgroup/freezer) ;;
    cgroup2fs) CGROUP_TREES=(/sys/fs/cgroup) ;;
    *) die "/sys/fs/cgroup holds no control groups" ;;
  esac
  local tree
  for tree in "${CGROUP_TREES[@]}"; do
    [ -w "$tree/cgroup.procs" ] || die "$tree: this machine gives no control groups to work with"
  done
}

cgroup_version() { if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo v2; else echo v1; fi; }

cgroup_branches() { # of the whole cluster, those that exist
  local branch
  for branch in "${CGROUP_TREES[@]/%//$CGROUP}"; do [ ! -d "$branch" ] || echo "$branch"; done
}

make_cgroup() { # HOST
  local tree
  for tree in "${CGROUP_TREES[@]}"; do
    mkdir -p "$tree/$CGROUP/$1"
    # Version 2 hands its controllers down level by level (version 1 has no such file).
    [ ! -e "$tree/cgroup.subtree_control" ] || echo +memory +pids | tee "$tree"{,"/$CGROUP"}/cgroup.subtree_control >/dev/null
  done
}

join_cgroup() { # HOST: this (sub)shell and all that it starts belong to the host from now on
  local tree branch
  for tree in "${CGROUP_TREES[@]}"; do
    branch=$tree/$CGROUP/$1
    # In version 2 only leaves hold processes; first-process makes this one.
    [ ! -d "$branch/init.scope" ] || branch+=/init.scope
    echo "$BASHPID" >"$branch/cgroup.procs"
  done
}

cgroup_processes() { # [HOST]: ids of all processes of the host, or of the cluster
  local branch
  for branch in $(cgroup_branches); do
    [ ! -d "$branch/${1:-}" ] || find "$branch/${1:-}" -name cgroup.procs -exec cat {} + 2>/dev/null || true # a branch may go meanwhile
  done | sort -un
}

has_no_processes() { [ -z "$(cgroup_processes "${1:-}")" ]; }

empty_cgroup() { # [HOST]: end all its processes
  local deadline=$((SECONDS + 15)) pids pid
  # First the hosts' first processes alone: with them the kernel ends the rest, and those that wait outside bury their dead.
  for pid in $(cgroup_processes "${1:-}"); do
    [[ $(grep ^NSpid: "/proc/$pid/status" 2>/dev/null) != NSpid:*$'\t1' ]] || kill -KILL "$pid" 2>/dev/null || true
  done
  for _ in {1..60}; do
    ! has_no_processes "${1:-}" || break
    sleep 0.05
  done
  while pids=$(cgroup_processes "${1:-}") && [ -n "$pids" ]; do
    ((SECONDS < deadline)) || die "processes that cannot be killed: $(tr '\n' ' ' <<<"$pids")"
    # shellcheck disable=SC2086  # one word for each process
    kill -KILL $pids 2>/dev/null || true
    sleep 0.05
  done
}

remove_cgroup() { # [HOST]
  local branch
  empty_cgroup "${1:-}"
  for branch in $(cgroup_branches); do
    # The kernel lets go of a branch a moment after its last process.
    wait_until 10 "the end of $branch/${1:-}" remove_branch "$branch/${1:-}"
  done
}
remove_branch() { [ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} +; }
