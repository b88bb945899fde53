"""Batch systems whose commands all answer well, as programs: for tests that spoil one of them."""

from __future__ import annotations

from dataclasses import dataclass, field

NAME = "pi-a1b2c3"


@dataclass(frozen=True)
class Rig:
    """What the programs tell: a job, and an array of two elements, run; the accounting says that they ended well."""

    job: str
    array: str
    element: str
    good: dict[str, str]
    """Program → text of a bash script. `BAD` in a text is where a spoiled answer for a purpose of its own goes."""
    not_queued: dict[str, str] = field(default_factory=dict)
    """The same, where the queue knows none of the jobs (any more)."""
    strange: dict[str, str] = field(default_factory=dict)
    """The same, where the jobs are BEWITCHED."""
    silence_is_an_answer: frozenset[str] = frozenset()
    """Purposes for which to say nothing, to whatever question, may mean that there is no such job."""


def _squeue(state: str) -> str:
    rows = [f"{job:24}{state:16}{'0':12}{'c1':200}None" for job in ("7", "8_0", "8_1")]
    listing = "; ".join(f"echo '{row}'" for row in rows)
    return f"""case "$*" in *--format=*) echo '7 {NAME}' ;; *) {listing} ;; esac"""


def _sacct(state: str) -> str:
    rows = "; ".join(f"echo '{job}|{state}|0:0|c1'" for job in ("7", "8_0", "8_1"))
    return f"""case "$*" in *--delimiter=*) echo '7 {NAME}' ;; *) {rows} ;; esac"""


SLURM = Rig(
    "7",
    "8",
    "8_1",
    {
        "sbatch": "echo 7",
        "squeue": _squeue("RUNNING"),
        "scancel": "exit 0",
        "sacct": _sacct("COMPLETED"),
        "scontrol": "echo 'ClusterName = big'",
    },
    # of several ids, or of a name, it passes over what it does not know; alone a job is an error to it
    not_queued={
        "squeue": r"""[[ "$*" =~ --jobs=[^,\ ]+(\ |$) ]] && {
        echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1; }; exit 0"""
    },
    strange={"squeue": _squeue("BEWITCHED"), "sacct": _sacct("BEWITCHED")},
    silence_is_an_answer=frozenset({"status", "history"}),
)


def _qstat(fields: str) -> str:
    each = {"7.server": "", "8[].server": '"array": "True", '}
    each |= {f"8[{n}].server": '"array_id": "8[].server", ' for n in range(2)}
    jobs = ", ".join(f'"{job}": {{{more}{fields}}}' for job, more in each.items())
    return f"""echo '{{"pbs_version": "23", "Jobs": {{{jobs}}}}}'"""


_NOW = _qstat('"job_state": "R"')
_PAST = _qstat('"job_state": "F", "Exit_status": 0, "substate": 92')
UNKNOWN_TO_PBS = """for id; do case $id in [0-9]*) echo "qstat: Unknown Job Id $id" >&2 ;; esac; done; exit 153"""
PBS = Rig(
    "7.server",
    "8[].server",
    "8[1].server",
    {
        "qsub": "echo 7.server",
        "qstat": f"[ $1 = -x ] && {{ {_PAST}; exit; }}\n{_NOW}",
        "qdel": "exit 0",
        "qselect": "echo 7.server",
    },
    not_queued={"qstat": f"[ $1 = -x ] && {{ BAD\nexit; }}\n{UNKNOWN_TO_PBS}"},
    strange={"qstat": _qstat('"job_state": "BEWITCHED", "Exit_status": 0')},
    silence_is_an_answer=frozenset({"find"}),
)


def _bjobs(state: str) -> str:
    rows = [f"{job}|{index}|{state}|0|-|c1|{NAME}|-" for job, index in (("7", 0), ("8", 1), ("8", 2))]
    one, *more = (f"echo '{row}'" for row in rows)
    return f"""{one}; case "$*" in *-J*) ;; *) {"; ".join(more)} ;; esac"""


LSF = Rig(
    "7",
    "8",
    "8[2]",
    {
        "bsub": "echo 'Job <7> is submitted to queue <normal>.'",
        "bjobs": _bjobs("RUN"),
        "bkill": "echo 'Job <7> is being terminated'",
        "lsid": "echo 'My cluster name is big'",
    },
    strange={"bjobs": _bjobs("BEWITCHED")},
)


def _listing(state: str) -> str:
    each = [("7", ""), ("8", "<tasks>1</tasks>"), ("8", "<tasks>2</tasks>")]
    rows = [
        f"<job_list><JB_job_number>{job}</JB_job_number><JB_name>{NAME if job == '7' else 'else'}</JB_name>"
        f"<state>{state}</state>{element}</job_list>"
        for job, element in each
    ]
    return f"""[ $1 = -j ] && {{ echo "Following jobs do not exist: " >&2; echo "${{2//,/, }}" >&2; exit 1; }}
echo '<?xml version="1.0"?><job_info><queue_info>{"".join(rows if state else [])}</queue_info></job_info>'"""


def _qacct(number: str) -> str:
    records = [("7", "undefined"), ("8", "1"), ("8", "2")]
    texts = [
        f"{'=' * 62}\njobname {NAME}\njobnumber {job}\ntaskid {element}\nfailed {number}\nexit_status 0"
        for job, element in records
    ]
    return "cat <<'END'\n" + "\n".join(texts) + "\nEND"


SGE = Rig(
    "7",
    "8",
    "8.2",
    {
        "qsub": "echo 7",
        "qstat": _listing("r"),
        "qdel": "echo 'user has registered the job 7 for deletion'",
        "qacct": _qacct("0"),
    },
    not_queued={"qstat": _listing("")},
    strange={"qstat": _listing("BEWITCHED")},
    silence_is_an_answer=frozenset({"history"}),
)

RIGS = {"slurm": SLURM, "pbs": PBS, "lsf": LSF, "sge": SGE}


def _forgetful(seed: int | None) -> str:
    """Bash lines that give `keeps`, which leaves out one id in two; which, is decided by `seed` and the call."""
    if seed is None:
        return "keeps() { :; }\n"
    return f"""
call=$(cat "$0.calls" 2>/dev/null || echo 0); echo $((call + 1)) >"$0.calls"; RANDOM=$(({seed} * 1000 + call))
keeps() {{ [ $((RANDOM % 2)) = 0 ]; }}
"""


LIVING, GONE = (1, 2, 3), 9
"""Numbers of plain jobs that run, as does an element of each of the arrays 11, 12 and 13; 9 and 19 are gone."""


def forgetful(name: str, seed: int | None) -> dict[str, str]:
    """Programs of a batch system that answer well, but leave out ids that they are asked for, at random; None: no id.

    The accounting says of every job that a node has failed: as it does of one that was queued again.
    """
    return {program: _forgetful(seed) + text for program, text in FORGETFUL[name].items()}


FORGETFUL = {
    "slurm": {
        "squeue": r"""
row() { printf '%-24s%-16s%-12s%-200s%s\n' "$1" "$2" 0 c1 None; }
for word; do [[ $word != --jobs=* ]] || IFS=, read -ra ids <<<"${word#--jobs=}"; done
for id in "${ids[@]}"; do
  case $id in
    *9) [ ${#ids[@]} -gt 1 ] || { echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1; } ;;
    1?) ! keeps || row "${id}_0" COMPLETED; ! keeps || row "${id}_1" RUNNING ;;
    *) ! keeps || row "$id" RUNNING ;;
  esac
done; exit 0""",
        "sacct": r"""
for word; do [[ $word != --jobs=* ]] || IFS=, read -ra ids <<<"${word#--jobs=}"; done
for id in "${ids[@]}"; do case $id in *9) ;; *) echo "$id|NODE_FAIL|0:0|c1" ;; esac; done""",
    },
    "pbs": {
        "qstat": r"""
jobs='' text=''
for id; do
  case $id in
    9.*|19*) ! keeps || { echo "qstat: Unknown Job Id $id" >&2; code=153; } ;;
    [1-9]*) keeps && jobs+="${jobs:+,}\"$id\": {\"job_state\": \"R\"}" text+="Job Id: $id"$'\n    job_state = R\n' ;;
  esac
done
case "$*" in *json*) echo "{\"pbs_version\": \"23\"${jobs:+, \"Jobs\": {$jobs}}}" ;; *) printf %s "$text" ;; esac
exit ${code-0}""",
    },
    "lsf": {
        "bjobs": r"""
for id; do
  case $id in
    9|19) ! keeps || echo "Job <$id> is not found" >&2 ;;
    1?) ! keeps || echo "$id|1|DONE|0|-|c1|x|-"; ! keeps || echo "$id|2|RUN|-|-|c1|x|-" ;;
    [1-3]) ! keeps || echo "$id|0|RUN|-|-|c1|x|-" ;;
  esac
done; exit 0""",
    },
    "sge": {
        "qstat": r"""
if [ "$1" = -j ]; then
  IFS=, read -ra ids <<<"$2"; there=''
  for id in "${ids[@]}"; do
    case $id in *9) ;; *) there=yes; ! keeps || printf '=====\njob_number:     %s\n' "$id" ;; esac
  done
  [ -n "$there" ] || { echo 'Following jobs do not exist: ' >&2; echo "${2//,/, }" >&2; exit 1; }
  exit 0
fi
echo '<?xml version="1.0"?><job_info><queue_info>'
row() { echo "<job_list><JB_job_number>$1</JB_job_number><state>r</state>$2</job_list>"; }
for id in 1 2 3; do ! keeps || row $id; done
for id in 11 12 13; do for index in 1 2; do ! keeps || row $id "<tasks>$index</tasks>"; done; done
echo '</queue_info></job_info>'""",
        "qacct": r"""printf '=====\njobname x\njobnumber %s\ntaskid undefined\nfailed 0\nexit_status 0\n' "$2" """,
    },
    "torque": {
        "qstat": r"""
block() { printf 'Job Id: %s\n    job_state = %s\n\n' "$1" "$2"; }
for id; do
  case $id in
    9.*|19*) ! keeps || { echo "qstat: Unknown Job Id Error $id" >&2; code=153; } ;;
    [1-3].*) ! keeps || block "$id" R ;;
    1?*) ! keeps || block "${id%%[*}[0].s" $'C\n    exit_status = 0'; ! keeps || block "${id%%[*}[1].s" R ;;
  esac
done; exit ${code-0}""",
    },
}
