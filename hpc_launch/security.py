"""The credentials of one run: who holds its key may talk to its scheduler and workers, nobody else."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from hpc_launch.errors import HpcLaunchError
from hpc_launch.runs.ownership import opened
from hpc_launch.runs.services import TOKENS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import KeyUsage

KEYS = ("ca.pem", "key.pem")
BEFORE = timedelta(days=1)
"""Clocks of login and compute nodes differ: what is valid from now on is not valid yet on some node."""
AFTER = timedelta(days=366)
"""A job may wait in the queue for weeks and then run for weeks (the longest known limit is three), and
nothing renews the certificate. Its key is removed when the run is over, so more than enough costs nothing."""


def create(directory: Path) -> None:
    """Write `ca.pem` and `key.pem`, mode 0600, into the new directory `directory`, mode 0700.

    One self-signed certificate is the authority and the certificate of every role: Dask asks each side for
    one that the authority has signed, and all processes of a run trust each other alike. P-256: such a key is
    made in no time, and every TLS library of the last ten years knows it.

    Raises:
        OSError: the directory exists, or cannot be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    directory.mkdir(mode=0o700)
    certificate, private_key = (directory / name for name in KEYS)
    _write(certificate, _certificate(key))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(private_key, private)


def remove(directory: Path) -> None:
    """Remove the credentials, if they are still there, in a run directory that is the caller's alone."""
    with suppress(OSError, HpcLaunchError), opened(directory.parent) as run:
        _unlink(run, directory.name, *KEYS)
        os.rmdir(directory.name, dir_fd=run)


def remove_tokens(run_directory: Path) -> None:
    """Remove what opened the run's pages, where the job could not do it itself any more."""
    with suppress(OSError, HpcLaunchError), opened(run_directory) as run:
        state = os.open("state", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=run)
        try:
            for attempt in filter(str.isdecimal, os.listdir(state)):
                _unlink(state, attempt, *TOKENS.values())
        finally:
            os.close(state)


def _unlink(above: int, directory: str, *names: str) -> None:
    """Remove these files of a directory below an open one, as far as they are there."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
    try:
        for name in names:
            with suppress(OSError):
                os.unlink(name, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def _certificate(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hpc-launch run")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(now + AFTER)
        # path length 0: this authority signs itself and nothing else
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hpc-launch-run")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _usage() -> KeyUsage:
    # Python 3.13 checks strictly (ssl.VERIFY_X509_STRICT): an authority must say that it may sign
    # certificates, and being the peers' own certificate too, that it may sign handshakes.
    from cryptography.x509 import KeyUsage

    return KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, content: bytes) -> None:
    # never readable by others, not even for the moment between creation and a chmod
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
