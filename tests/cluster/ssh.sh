# shellcheck shell=bash
# sshd on every host, started by the tests that want it. Users log in with keys of their own.

start_ssh() {
  local host etc=$S/etc/ssh
  if [ ! -d "$etc" ]; then
    mkdir "$etc"
    ssh-keygen -q -t ed25519 -N '' -f "$etc/host_key"
    printf '%s\n' "HostKey $etc/host_key" 'AuthenticationMethods publickey' 'UsePAM no' 'PidFile none' >"$etc/sshd_config"
    local user
    for user in "${USERS[@]}"; do let_in "$user"; done
  fi
  for host in login "${COMPUTE_HOSTS[@]}"; do
    enter "$host" mkdir -p /run/sshd
    start_daemon "$host" sshd /usr/sbin/sshd -D -e -f "$etc/sshd_config"
    wait_until 20 "sshd on $host" enter "$host" bash -c ': </dev/tcp/127.0.0.1/22'
  done
}

let_in() { # USER: on every host, from every host; the home directory is shared
  local directory
  directory=$(home_of "$1")/.ssh
  mkdir -m 700 "$directory"
  ssh-keygen -q -t ed25519 -N '' -f "$directory/id_ed25519"
  cp "$directory/id_ed25519.pub" "$directory/authorized_keys"
  sed 's/^/* /' "$S/etc/ssh/host_key.pub" >"$directory/known_hosts"
  chown -R "$1:" "$directory"
}
