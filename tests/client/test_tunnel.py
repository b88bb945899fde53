"""A tunnel is there when a process of one's own listens: what somebody else listens on would be told the token."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hpc_launch.client import tunnel
from hpc_launch.client.access import Forward, Way, free_port
from hpc_launch.client.endpoint import Unreachable
from hpc_launch.client.tunnel import open_tunnel

NODE = Way((), "node", True)
LISTENS = """
import os, socket, sys, time
os.setuid(int(sys.argv[1]))
kept = socket.create_server(("127.0.0.1", int(sys.argv[2])))
print(flush=True)
time.sleep(1000)
"""
NOBODY = 65534


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """To be forwarded, by an `ssh` that the test writes."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return free_port()


def listens(user: int, port: int) -> list[str]:
    """The words of a program of this user."""
    return [sys.executable, "-c", LISTENS, str(user), str(port)]


def write_ssh(tmp_path: Path, lines: str) -> None:
    (tmp_path / "ssh").write_text(f"#!/bin/sh\n{lines}\n")
    (tmp_path / "ssh").chmod(0o755)


def test_it_is_there_when_ssh_listens_and_ends_with_it(tmp_path: Path, port: int) -> None:
    write_ssh(tmp_path, f"exec {shlex.join(listens(os.geteuid(), port))}")
    held = open_tunnel(NODE, [Forward(port, "127.0.0.1", 8787)])
    socket.create_connection(("127.0.0.1", port), 10).close()
    held.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 10)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_port_that_somebody_else_has_taken_is_no_tunnel(tmp_path: Path, port: int) -> None:
    write_ssh(tmp_path, "sleep 1; echo 'bind: Address already in use' >&2; exit 255")
    with subprocess.Popen(listens(NOBODY, port), stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout and other.stdout.readline()
            with pytest.raises(Unreachable, match="ssh did not get there: bind: Address already in use"):
                open_tunnel(NODE, [Forward(port, "127.0.0.1", 8787)])
        finally:
            other.kill()


def test_where_it_cannot_be_seen_who_listens_the_line_for_a_shell_is_told(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "SOCKETS", tmp_path / "proc/net/tcp")
    write_ssh(tmp_path, "exec sleep 1000")
    with pytest.raises(Unreachable) as refused:
        open_tunnel(NODE, [Forward(port, "127.0.0.1", 8787)])
    assert "proc/net/tcp: No such file or directory" in str(refused.value)
    assert f"ssh -N -o ExitOnForwardFailure=yes -L 127.0.0.1:{port}:127.0.0.1:8787 node" in str(refused.value)
