"""The processes of this machine, from /proc, or from ps where there is none (macOS)."""

from __future__ import annotations

import os
from contextlib import suppress

from hpc_launch.batch.command import run
from hpc_launch.batch.faults import NoAnswer

PROC = os.path.isdir("/proc/self")


def host() -> str:
    """The name of this machine."""
    return os.uname().nodename


def boot() -> str:
    """Which start of this machine it is (random(4)): pids and the times of processes begin anew with each.

    Nothing where there is no such number, and where none is needed: what ps tells is a date. Raises NoAnswer.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(8) if PROC else ""
    except (FileNotFoundError, PermissionError):
        return ""
    except OSError as fault:
        raise NoAnswer(f"which start of this machine it is cannot be told: {fault}") from fault


def started(pid: int) -> str | None:
    """When a process started, in no unit but its own: with the pid it names the process for good.

    None if there is no such process, or if it has ended and only waits for its parent (a zombie). Raises NoAnswer
    where that cannot be told.
    """
    if not PROC:
        state, _, start = _ps("-o", "stat=,lstart=", "-p", str(pid)).strip().partition(" ")
        return "_".join(start.split()) if state and not state.startswith("Z") else None
    # `pid (name) state …`; a name may hold blanks and brackets; start time is field 22 (proc(5))
    fields = _proc(pid, "stat").rpartition(b")")[2].split()
    return None if not fields or fields[0] in (b"Z", b"X") else fields[19].decode()


def identity(pid: int, start: str) -> str:
    """`host:pid:start@boot`: a pid alone may be another's tomorrow, and after a reboot pid and start together."""
    now = boot()
    return f"{host()}:{pid}:{start}" + (f"@{now}" if now else "")


def this_one() -> str:
    """The identity of this process."""
    return identity(os.getpid(), started(os.getpid()) or "")


def parts(identity: str) -> tuple[str, int, str, str]:
    """Host, pid, start and boot; pid 0, which is nobody's, where the identity of a process is not one of ours."""
    there, _, rest = identity.partition(":")
    pid, _, rest = rest.partition(":")
    start, _, boot = rest.partition("@")
    return there, int(pid) if pid.isdecimal() else 0, start, boot


def is_this_boot(when: str) -> bool:
    """Whether the machine was not started again since; also for an identity that does not tell (older, or of macOS)."""
    return not when or when == boot()


def lives(identity: str) -> bool | None:
    """Whether this very process lives; None if it is another machine's, where it cannot be seen."""
    there, pid, start, when = parts(identity)
    if there != host():
        return None
    return bool(start) and is_this_boot(when) and started(pid) == start


def works_in(directory: str) -> bool:
    """Whether a process of this user has this working directory; no, where there is no /proc to tell."""
    for pid in mine() if PROC else ():
        with suppress(OSError):
            if os.readlink(f"/proc/{pid}/cwd") == directory:
                return True
    return False


def mine() -> list[int]:
    """The pids of this user's processes. Raises NoAnswer."""
    if not PROC:
        return [int(pid) for pid in _ps("-U", str(os.geteuid()), "-o", "pid=").split()]
    found = []
    try:
        names = os.listdir("/proc")
    except OSError as fault:
        raise NoAnswer(f"/proc cannot be read: {fault}") from fault
    for name in names:
        with suppress(OSError):
            if name.isdecimal() and os.stat(f"/proc/{name}").st_uid == os.geteuid():
                found.append(int(name))
    return found


def words(pid: int) -> list[str]:
    """The command line of a process; nothing if there is none. Raises NoAnswer."""
    if not PROC:
        return _ps("-o", "args=", "-p", str(pid)).split()
    return [os.fsdecode(word) for word in _proc(pid, "cmdline").split(b"\0")[:-1]]


def session(leader: int) -> list[int]:
    """The processes alive in the session that `leader` began, itself included.

    Its number stays theirs after the leader's end: a pid is not used again while a session bears it. Raises NoAnswer.
    """
    members = []
    for pid in mine():
        with suppress(OSError):
            if os.getsid(pid) == leader and started(pid):
                members.append(pid)
    return members


def _proc(pid: int, name: str) -> bytes:
    """A file of /proc/PID; nothing if there is no such process, or none of ours: not all failures say so."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
    except OSError as fault:
        raise NoAnswer(f"whether process {pid} is there cannot be told: {fault}") from fault


def _ps(*options: str) -> str:
    """What ps prints; of processes that are not there it prints nothing, and fails without a word."""
    answer = run(["ps", *options])
    if answer.returncode and answer.words:
        raise NoAnswer(f"`ps {' '.join(options)}` failed: {answer.words}")
    return answer.stdout
