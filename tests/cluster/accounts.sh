# shellcheck shell=bash
# Ordinary users, known to every host. Accounts that were here before are used and left alone.

ACCOUNT_MARK='hpc-launch test cluster'

our_accounts() { getent passwd | awk -F: -v mark="$ACCOUNT_MARK" '$5 == mark { print $1 }'; }

make_accounts() {
  local user
  for user in "${USERS[@]}"; do
    id "$user" >/dev/null 2>&1 || useradd --create-home --password '*' --shell /bin/bash --comment "$ACCOUNT_MARK" "$user"
    # (An account without a password is one that sshd takes for locked.) Open to all, as on many sites: what must be private is to be so by its own mode.
    chmod 755 "$(home_of "$user")"
  done
}

home_of() { getent passwd "$1" | cut -d: -f6; }

remove_accounts() {
  local user
  for user in $(our_accounts); do
    # Not as long as a process of theirs waits for its burial.
    wait_until 20 "the removal of the account $user" userdel --remove "$user"
  done
}

run_as() { # USER HOST CMD...: with an environment as after a login, in the user's home directory
  local user=$1 host=$2 home
  shift 2
  [ $# -gt 0 ] || set -- bash -l
  home=$(home_of "$user") || die "no user $user"
  local environment=(HOME="$home" USER="$user" LOGNAME="$user" SHELL=/bin/bash LANG=C.UTF-8
    PATH="$VENV/bin:/usr/local/bin:/usr/bin:/bin" HPC_LAUNCH_SITE_PATH="$S/sites")
  ! has_gridengine || environment+=(SGE_ROOT="$SGE_ROOT" SGE_CELL="$SGE_CELL")
  enter "$host" setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups \
    env --ignore-environment --chdir="$home" "${environment[@]}" "$@"
}
