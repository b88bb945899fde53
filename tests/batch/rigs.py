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
    """Purposes for which to say nothing means that there is no such job."""


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
    not_queued={"squeue": "exit 0"},
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
_UNKNOWN = """echo '{"pbs_version": "23"}'; echo 'qstat: Unknown Job Id 7.server' >&2; exit 153"""
PBS = Rig(
    "7.server",
    "8[].server",
    "8[1].server",
    {
        "qsub": "echo 7.server",
        "qstat": f"[ $1 = -x ] && {{ {_PAST}; exit; }}\n{_NOW}",
        "qdel": "exit 0",
        "qsig": "exit 0",
        "qselect": "echo 7.server",
    },
    not_queued={"qstat": f"[ $1 = -x ] && {{ BAD\nexit; }}\n{_UNKNOWN}"},
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
    return f"""[ $1 = -j ] && exit 1
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
