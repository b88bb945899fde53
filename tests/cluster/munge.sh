# shellcheck shell=bash
# MUNGE tells Slurm's daemons who is asking. One daemon on each host, one key for all of them.

start_munge() { # HOST
  local host=$1
  install -d -o munge -g munge -m 700 "$S/munge"
  [ -s "$S/munge/key" ] || install -o munge -g munge -m 400 <(head -c 1024 /dev/urandom) "$S/munge/key"
  start_daemon "$host" munged runuser -u munge -- /usr/sbin/munged --foreground --num-threads=1 --key-file="$S/munge/key" \
    --seed-file="$S/munge/$host.seed" --pid-file="/run/munge/munged.pid"
}

wait_for_munge() { wait_until 10 "munged on $1" enter "$1" munge --no-input; }
