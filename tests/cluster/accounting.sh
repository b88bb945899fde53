# shellcheck shell=bash
# Job accounting, which many small sites lack: sacct asks slurmdbd, and slurmdbd a database. Both run on login alone.

accounting_kind() { sed -n 's#^AccountingStorageType=accounting_storage/##p' "$S/etc/slurm/slurm.conf"; }

accounting() { # on|off
  case $1 in
    on) [ "$(accounting_kind)" = slurmdbd ] || start_accounting ;;
    off) [ "$(accounting_kind)" = none ] || stop_accounting ;;
    *) die "accounting on, or accounting off" ;;
  esac
}

start_accounting() {
  command -v mariadbd slurmdbd >/dev/null || die "accounting needs slurmdbd and mariadb-server; $HERE/install-packages installs them"
  start_database
  start_slurmdbd
  enter login sacctmgr -i add cluster testcluster >/dev/null 2>&1 || true # known already if accounting was on before
  enter login sacctmgr -i add account project >/dev/null 2>&1 || true
  local user
  for user in "${USERS[@]}"; do enter login sacctmgr -i add user "$user" account=project >/dev/null 2>&1 || true; done
  write_slurm_configuration slurmdbd
  restart_slurmctld
}

stop_accounting() {
  write_slurm_configuration none
  restart_slurmctld
  enter login pkill -x 'slurmdbd|mariadbd'
  wait_until 30 "the end of the database" not_running login 'slurmdbd|mariadbd'
}

database() { enter login mariadb --no-defaults --socket="$S/mysql/socket" "$@"; }

start_database() {
  local new=
  [ -d "$S/mysql/mysql" ] || new=yes
  install -d -o mysql -g mysql "$S/mysql"
  [ -z "$new" ] || mariadb-install-db --no-defaults --user=mysql --datadir="$S/mysql" --skip-test-db >"$S/log/mariadb-install-db" 2>&1
  start_daemon login mariadbd mariadbd --no-defaults --user=mysql --datadir="$S/mysql" --socket="$S/mysql/socket" \
    --pid-file="$S/mysql/pid" --bind-address=127.0.0.1 --skip-log-bin
  wait_until 30 "the database" database --execute='select 1'
  [ -z "$new" ] || database --execute="create user slurm@localhost identified by 'slurm'; create user slurm@127.0.0.1
    identified by 'slurm'; grant all on slurm_acct_db.* to slurm@localhost; grant all on slurm_acct_db.* to slurm@127.0.0.1;"
}

start_slurmdbd() {
  install -m 600 /dev/stdin "$S/etc/slurm/slurmdbd.conf" <<CONF
DbdHost=login
SlurmUser=root
AuthType=auth/munge
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
PidFile=/run/slurmdbd.pid
LogFile=$S/log/login/slurmdbd.log
CONF
  start_daemon login slurmdbd slurmdbd -D
  # sacctmgr itself refuses to work as long as slurm.conf knows of no accounting.
  write_slurm_configuration slurmdbd
  wait_until 30 slurmdbd enter login sacctmgr --noheader show cluster
}
