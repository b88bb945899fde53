# shellcheck shell=bash
# Hosts made of Linux namespaces. Each has its own processes, host name, networks (eth0 and ib0), /tmp, /run, /dev/shm and
# node-local /scratch; /home and the rest of the file system are shared, as on a real site.

start_time() { # PID: in clock ticks since boot; with the id it names one process for ever (proc(5): field 22)
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # shellcheck disable=SC2086  # split into fields; what stands before the last `)` may hold spaces
  set -- ${stat##*) }
  echo "${20}"
}

pid_of() { # HOST: its first process, as the machine counts
  local pid started
  read -r pid started 2>/dev/null <"$S/hosts/$1" || die "no host $1"
  [ "$(start_time "$pid")" = "$started" ] || die "host $1 is dead"
  echo "$pid"
}

new_namespaces() { # HOST
  local host=$1 parent
  [ ! -e "$S/hosts/$host" ] || die "host $host is there already"
  mkdir -p "$S/local/$host/scratch" "$S/local/$host/tmp" "$S/log/$host"
  chmod 1777 "$S/local/$host/"{scratch,tmp}
  make_cgroup "$host"
  (
    join_cgroup "$host"
    exec setsid unshare --net --uts --pid --mount --ipc --cgroup --fork --kill-child "$HERE/first-process" "$S" "$host"
  ) </dev/null >"$S/log/$host/first-process" 2>&1 &
  parent=$!
  wait_until 20 "host $host" test -e "$S/hosts/$host.ready"
  rm "$S/hosts/$host.ready"
  local pid
  pid=$(pgrep -P "$parent")
  echo "$pid $(start_time "$pid")" >"$S/hosts/$host"
}

new_switch() {
  local network
  new_namespaces switch
  for network in eth ib; do
    enter switch ip link add "$network" type bridge
    enter switch ip link set "$network" up
  done
}

new_host() { # HOST
  local host=$1 pid switch
  new_namespaces "$host"
  enter "$host" install -d -o munge -g munge /run/munge
  pid=$(pid_of "$host") switch=$(pid_of switch)
  connect eth "$ETHERNET.$(number_of "$host")"
  connect ib "$INFINIBAND.$(number_of "$host")"
  start_munge "$host"
}

connect() { # NETWORK ADDRESS: a cable from the host's card to the switch; made where it belongs, so that none can be left over
  local network=$1 address=$2 card=${1}0 port=$1-$host
  ip link add "$card" netns "$pid" type veth peer name "$port" netns "$switch"
  enter switch ip link set "$port" master "$network" up
  enter "$host" ip addr add "$address/24" dev "$card"
  enter "$host" ip link set "$card" up
}

number_of() { # HOST: last part of its addresses
  case $1 in login) echo 1 ;; c*) echo $((10 + ${1#c})) ;; esac
}

write_host_names() {
  local host
  echo '127.0.0.1 localhost'
  for host in login "${COMPUTE_HOSTS[@]}"; do
    echo "$ETHERNET.$(number_of "$host") $host"
    echo "$INFINIBAND.$(number_of "$host") $host-ib"
  done
} >"$S/etc/hosts"

enter() { # HOST CMD...: as root, in /
  local host=$1 pid
  shift
  pid=$(pid_of "$host")
  (
    join_cgroup "$host"
    exec nsenter -t "$pid" --net --uts --pid --mount --ipc --cgroup --wdns=/ "$@"
  )
}

start_daemon() { # HOST NAME CMD...: in the background; it ends with the host
  local host=$1 name=$2
  shift 2
  enter "$host" setsid "$@" </dev/null >>"$S/log/$host/$name" 2>&1 &
}

crash() { # HOST
  pid_of "$1" >/dev/null
  remove_cgroup "$1"
  rm "$S/hosts/$1"
}
