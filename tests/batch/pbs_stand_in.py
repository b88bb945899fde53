"""A PBS of this one host, as programs: jobs are processes, and end as they do there.

A job's script runs below a login shell. `qdel` sends TERM to every process of the job at the same moment, and KILL ten
seconds later. `qsig` sends it to the login shell alone; when that has ended, what is left of the job is killed.
"""

from __future__ import annotations

from pathlib import Path

KILL_DELAY = 10
"""Seconds from TERM to KILL (kill_delay of a queue, as PBS has it when nobody says otherwise)."""

_COMMON = r"""#!/bin/bash
jobs={jobs}
members() { grep -lzFx "PBS_SPOOL=$jobs/$1" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; } # they all carry its place
elements() { # the jobs behind an id, which may be an array's
  local job=${1%%.*}
  case $job in *'[]') ls "$jobs" | grep -F "${job%]}" | grep -v '\[\]' ;; *) echo "$job" ;; esac
}
"""
_PROGRAMS = {
    "qsub": r"""
for file; do :; done
echo "$file" >>"$jobs/count"
range=$(sed -n 's/^#PBS -J 0-//p' "$file") name=''
for ((word = 1; word < $#; word++)); do
  after=$((word + 1))
  case ${!word} in -J) range=${!after#0-} ;; -N) name=${!after} ;; esac
done
start() { # NUMBER, and more of its environment
  local job=$1 left
  shift
  mkdir -p "$jobs/$job/tmp" && uname -n >"$jobs/$job/nodes" && cp "$file" "$jobs/$job/script"
  (
    setsid env -i HOME="$HOME" PATH="$PATH" PBS_JOBID="$job.server" PBS_SPOOL="$jobs/$job" PBS_O_WORKDIR="$PWD" \
      PBS_NODEFILE="$jobs/$job/nodes" PBS_JOBNAME="$name" TMPDIR="$jobs/$job/tmp" "$@" \
      bash -c 'cd; bash "$0"; exit' "$jobs/$job/script"
    sleep 0.5
    while [ -e "$jobs/$job/deleted" ] && [ -n "$(members "$job")" ]; do sleep 0.5; done
    left=$(members "$job")
    [ -z "$left" ] || { ps -o pid=,args= -p "${left//$'\n'/,}" >"$jobs/$job/killed-with-the-shell"; kill -KILL $left; }
    touch "$jobs/$job/over"
  ) </dev/null >"$jobs/$job/output" 2>&1 &
}
number=$(wc -l <"$jobs/count")
if [ -n "$range" ]; then
  for ((index = 0; index <= range; index++)); do start "$number[$index]" PBS_ARRAY_INDEX=$index; done
  echo "$number[].server"
else
  start "$number"
  echo "$number.server"
fi
""",
    "qstat": r"""
json='' plain='' code=0
for id; do
  case $id in [0-9]*) ;; *) continue ;; esac
  running=0
  for job in $(elements "$id"); do [ -e "$jobs/$job/over" ] || running=$((running + 1)); done
  if [ $running = 0 ]; then
    echo "qstat: Unknown Job Id $id" >&2
    code=153
  else
    json+="${json:+, }\"$id\": {\"job_state\": \"R\"}"
    plain+="$id  run  user  0 R workq"$'\n'
  fi
done
case "$*" in
  *json*) echo "{\"pbs_version\": \"23.06.06\"${json:+, \"Jobs\": {$json\}}}" ;;
  *) printf %s "$plain" ;;
esac
exit $code
""",
    "qdel": r"""
if [ "$1" = --insist ]; then
  left=$(members "$2")
  [ -z "$left" ] || { ps -o pid=,args= -p "${left//$'\n'/,}" >"$jobs/$2/killed-in-the-end"; kill -KILL $left; }
  exit
fi
for id; do
  for job in $(elements "$id"); do
    [ ! -e "$jobs/$job/over" ] || { echo "qdel: Unknown Job Id $id" >&2; continue; }
    mkdir "$jobs/$job/deleted" 2>/dev/null || continue
    kill -TERM $(members "$job") 2>/dev/null
    # by a process that is not one of the job, should qdel be called there
    env -u PBS_SPOOL bash -c 'sleep KILL_DELAY; exec "$0" --insist "$1"' "$0" "$job" </dev/null >/dev/null 2>&1 &
  done
done
exit 0
""".replace("KILL_DELAY", str(KILL_DELAY)),
    "qsig": r"""
for id; do
  case $id in [0-9]*) kill -TERM "$(members "${id%%.*}" | head -n 1)" ;; esac # the login shell
done
""",
    "pbsdsh": r"""
[ "$1" = -- ] && shift
PBS_NODENUM=0 "$@" & wait $! # a TERM ends this program, and passes nothing on
""",
    "qselect": "exit 0",
}


def install(directory: Path) -> Path:
    """Make the programs in `directory`/bin; gives the directory in which a job of number N leaves what became of it."""
    jobs = directory / "jobs"
    jobs.mkdir()
    (directory / "bin").mkdir()
    for name, text in _PROGRAMS.items():
        program = directory / "bin" / name
        program.write_text(_COMMON.replace("{jobs}", str(jobs)) + text)
        program.chmod(0o755)
    return jobs
