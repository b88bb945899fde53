"""JupyterLab beside the scheduler: begins when that is there, ends with the run, is told in ``state/N/jupyter.json``.

Arguments: the directory of the notebooks.

Whoever has its token runs code, and others may be logged in on this node: it listens on loopback and wants a token of
its own, and kernels talk through sockets in a directory that is the owner's alone, not through ports.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import Any

from . import state
from .free_ports import PORTS, is_free, ports_of_the_site

LOOPBACK = "127.0.0.1"
PARENT = os.getppid()
INTERVAL = 0.5  # seconds between two looks
ENDS_IN = 8  # seconds: it ends its kernels
LONGEST = 40  # characters of a directory: a socket's path holds 107, and Jupyter's names are long
DASHBOARD = "proxy-dask"  # dask-labextension asks for a name that begins with `proxy`
PR_SET_PDEATHSIG = 1  # linux/prctl.h
INSTALL = "install jupyterlab, dask-labextension, jupyter-server-proxy and bokeh there"


class ToldToEnd(Exception):
    """By the job's shell, or because it is gone."""


def told_to_end(*_: object) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise ToldToEnd


def pause() -> None:
    if os.getppid() != PARENT:
        told_to_end()
    time.sleep(INTERVAL)


def write_private(path: str, text: str) -> None:
    """Write a new file that its owner alone can read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def tell(port: int | None, lacks: str = "") -> None:
    told = {"schema": 1, "host": state.HOST, "address": LOOPBACK, "port": port, "lacks": lacks}
    state.tell("jupyter.json", json.dumps(told))


def wait_for_scheduler() -> dict[str, Any]:
    """What the scheduler tells of itself and of its pages."""
    while True:
        with suppress(FileNotFoundError), open(state.path("dashboard.json")) as file:
            told: dict[str, Any] = json.load(file)
            return told
        pause()


def dashboard_port(scheduler: dict[str, Any]) -> int | None:
    """Of the dashboard on this host's loopback."""
    port: int | None = scheduler["loopback_port"]
    return port if scheduler["host"] == state.HOST else None


def free_port() -> int | None:
    """The last one of the site's ports (`network.ports`) that is free, 0 for any where it has none; None: none is free.

    Jupyter itself would take one that is near by. Workers begin with the first port.
    """
    if not PORTS:
        return 0
    return next((port for port in reversed(ports_of_the_site()) if is_free(port, LOOPBACK)), None)


def settings(scheduler: dict[str, Any], notebooks: str, token: str, port: int) -> dict[str, Any]:
    """Jupyter's configuration."""
    said: dict[str, Any] = {
        "IdentityProvider": {"token": token},
        "PasswordIdentityProvider": {"hashed_password": ""},
        "ServerApp": {
            **{"ip": LOOPBACK, "port": port, "port_retries": 0, "open_browser": False, "root_dir": notebooks},
            **{"allow_root": os.geteuid() == 0},
        },
        "KernelManager": {"transport": "ipc"},
        # Compute nodes seldom see the internet.
        "LabApp": {"check_for_updates_class": "jupyterlab.NeverCheckForUpdate", "news_url": None},
    }
    if pages := dashboard_port(scheduler):
        with open(state.path("token")) as file:
            headers = {"Authorization": f"Bearer {file.read().strip()}"}
        proxied = {"command": [], "port": pages, "absolute_url": False, "request_headers_override": headers}
        said["ServerProxy"] = {"servers": {DASHBOARD: proxied}}
    return said


def environment(scheduler: dict[str, Any], private: str) -> dict[str, str]:
    """What kernels find: a bare ``Client()`` connects to the run's scheduler."""
    said = {"JUPYTER_RUNTIME_DIR": private, "DASK_SCHEDULER_ADDRESS": scheduler["scheduler"]}
    if dashboard_port(scheduler):
        said["DASK_DISTRIBUTED__DASHBOARD__LINK"] = f"/{DASHBOARD}/status"
    if importlib.util.find_spec("hpc_launch"):
        said |= {f"DASK_LABEXTENSION__FACTORY__{key}": value for key, value in FACTORY.items()}
    return os.environ | said


FACTORY = {"MODULE": "hpc_launch", "CLASS": "HPCCluster"}
"""What the panel of dask-labextension makes its clusters of: inside a run, of this run."""


def end_with_this_process() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(scheduler: dict[str, Any], notebooks: str, private: str, port: int) -> subprocess.Popen[bytes]:
    token, config = secrets.token_hex(32), os.path.join(private, "config.json")
    write_private(config, json.dumps(settings(scheduler, notebooks, token, port)))
    write_private(state.path("jupyter-token"), token)
    command = [sys.executable, "-m", "jupyterlab", f"--config={config}"]
    said = environment(scheduler, private)
    return subprocess.Popen(command, cwd=notebooks, env=said, preexec_fn=end_with_this_process)


def watch(process: subprocess.Popen[bytes], private: str) -> None:
    """Tell where it listens, and when it has ended by itself."""
    port = None
    while process.poll() is None:
        if port is None:
            with suppress(OSError, ValueError), open(os.path.join(private, f"jpserver-{process.pid}.json")) as file:
                tell(port := json.load(file)["port"])
        pause()
    tell(None, f"JupyterLab ended with exit code {process.returncode}, see logs/jupyter.log")


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(ENDS_IN)
    except subprocess.TimeoutExpired:
        process.kill()


def serve(scheduler: dict[str, Any], notebooks: str, port: int) -> None:
    above = tempfile.gettempdir()
    private = tempfile.mkdtemp(prefix="hpc-launch-", dir=above if len(above) <= LONGEST else "/tmp")  # mode 0700
    try:
        process = start(scheduler, notebooks, private, port)
        try:
            watch(process, private)
        finally:
            end(process)
    finally:
        shutil.rmtree(private, ignore_errors=True)
        with suppress(OSError):
            os.unlink(state.path("jupyter-token"))


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told_to_end)
    with suppress(ToldToEnd):
        if importlib.util.find_spec("jupyterlab") is None:
            tell(None, f"{sys.executable} has no JupyterLab: {INSTALL}")
            return
        scheduler = wait_for_scheduler()
        if (port := free_port()) is None:
            tell(None, f"all ports of {PORTS} (network.ports) are in use on this node")
            return
        serve(scheduler, sys.argv[1], port)
