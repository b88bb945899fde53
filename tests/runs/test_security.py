"""The credentials of a run: who may read them, and that strict TLS takes them."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from hpc_launch import security


def side(tls: Path, purpose: ssl.Purpose) -> ssl.SSLContext:
    """As Dask makes it (distributed.security), and as strict as Python 3.13 is on its own."""
    context = ssl.create_default_context(purpose=purpose, cafile=str(tls / "ca.pem"))
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_cert_chain(str(tls / "ca.pem"), str(tls / "key.pem"))
    return context


def talk(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes:
    """What the client hears from the server."""
    here, there = socket.socketpair()
    with here, there:

        def serve() -> None:
            try:
                with server.wrap_socket(here, server_side=True) as secure:
                    secure.sendall(b"hello")
            except ssl.SSLError:
                here.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with client.wrap_socket(there) as secure:
                return secure.recv(5)
        finally:
            thread.join()


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    security.create(tmp_path / "tls")
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
    for name in ("ca.pem", "key.pem"):
        assert (tmp_path / "tls" / name).stat().st_mode & 0o777 == 0o600


def test_tokens_of_all_attempts_are_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("1/token", "2/token", "2/jupyter-token", "2/events", "x/token"):
        (tmp_path / "state" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "state" / name).touch()
    tmp_path.chmod(0o700)
    security.remove_tokens(tmp_path)
    left = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file())
    assert left == ["state/2/events", "state/x/token"]
    security.remove_tokens(tmp_path / "gone")


def test_two_sides_that_hold_the_key_trust_each_other(tmp_path: Path) -> None:
    security.create(tmp_path / "tls")
    server, client = (
        side(tmp_path / "tls", ssl.Purpose.CLIENT_AUTH),
        side(tmp_path / "tls", ssl.Purpose.SERVER_AUTH),
    )
    assert talk(server, client) == b"hello"


def test_another_runs_key_is_refused(tmp_path: Path) -> None:
    security.create(tmp_path / "one")
    security.create(tmp_path / "other")
    with pytest.raises(OSError):  # SSLError is one; so is a connection that is closed at once
        talk(side(tmp_path / "one", ssl.Purpose.CLIENT_AUTH), side(tmp_path / "other", ssl.Purpose.SERVER_AUTH))


def test_clocks_that_are_behind_and_long_queues_do_not_matter(tmp_path: Path) -> None:
    from datetime import datetime, timedelta, timezone

    from cryptography.x509 import load_pem_x509_certificate

    security.create(tmp_path / "tls")
    certificate = load_pem_x509_certificate((tmp_path / "tls" / "ca.pem").read_bytes())
    now = datetime.now(timezone.utc)
    assert certificate.not_valid_before_utc < now - timedelta(hours=12)
    assert certificate.not_valid_after_utc > now + timedelta(days=180)


def test_they_are_removed_and_again_is_no_error(tmp_path: Path) -> None:
    security.create(tmp_path / "tls")
    security.remove(tmp_path / "tls")
    assert not (tmp_path / "tls").exists()
    security.remove(tmp_path / "tls")
