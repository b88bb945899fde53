"""Dask's dashboard and JupyterLab beside the scheduler, as a person sees them in a browser."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.examples.browser.conftest import Served
from tests.examples.browser.devtools import SCREENSHOTS, Page
from tests.local.jobside.guarded import TOKEN, new_run, port_of, scheduler
from tests.local.runs import until
from tests.local.secrets_told import files_with, words_of_all_processes

DRAWN = "window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].roots().length"
BARS = """
[...Bokeh.documents[0]._all_models.values()]
  .filter(model => model.type == "ColumnDataSource" && model.data.worker_thread)
  .map(model => model.data.worker_thread.length)[0]
"""
"""Tasks that the task stream shows."""
IN_FRAME = "document.querySelector('iframe').contentWindow"
NOTEBOOK = ".jp-Notebook .jp-CodeCell .cm-content"
KERNEL_IS_THERE = """
(select => select ? (select.click(), false) : document.body.innerText.includes("| Idle"))
(document.querySelector(".jp-Dialog .jp-mod-accept"))
"""
"""It may be asked first which one is wanted."""
OUTPUT = "[...document.querySelectorAll('.jp-OutputArea-output')].map(e => e.innerText).join()"


@pytest.fixture(scope="module")
def dashboard(served: Served, new_page: Callable[[], Page]) -> Page:
    """The status page, opened by the token."""
    page = new_page()
    page.go(served.url("dashboard"))
    page.until(DRAWN)
    return page


@pytest.fixture(scope="module")
def lab(served: Served, new_page: Callable[[], Page]) -> Iterator[Page]:
    """JupyterLab with a notebook."""
    page = new_page()
    page.go(served.url("jupyter", "/tree/squares.ipynb"))
    page.call("Page.bringToFront")
    page.until(f"document.querySelector({NOTEBOOK!r}) && true")
    page.until(KERNEL_IS_THERE)
    yield page


def test_without_the_token_there_is_no_page(served: Served, new_page: Callable[[], Page]) -> None:
    page = new_page()
    for path in ("/status", "/workers", "/graph", "/info/main/workers.html"):
        url = served.status("dashboard")["url"].replace("/status", path)
        page.go(url)
        page.until("document.body.innerText.includes('the token of the run')")
        assert page.answers[url] == 403
    page.go(served.status("jupyter")["url"])
    page.until("document.querySelector('input[type=password]') && true")
    assert "squares.ipynb" not in page.text()


def test_a_cookie_opens_the_other_pages(served: Served, dashboard: Page) -> None:
    assert "hpc-launch" not in dashboard.value("document.cookie")  # no script sees it
    dashboard.click("a", "Workers")
    dashboard.until("document.title.includes('Workers')")
    assert "token=" not in dashboard.value("location.href")
    dashboard.until(DRAWN)
    dashboard.go(served.status("dashboard")["url"])
    dashboard.until(DRAWN)


def test_a_cell_computes_on_the_cluster_and_the_status_page_moves(dashboard: Page, lab: Page) -> None:
    dashboard.call("Page.bringToFront")
    dashboard.until(DRAWN)
    assert dashboard.until(BARS, lambda bars: bars is not None) < 100
    lab.call("Page.bringToFront")
    lab.click(NOTEBOOK)
    lab.press_shift_enter()
    lab.until(OUTPUT, lambda text: "computed 328350" in text)
    lab.screenshot(SCREENSHOTS / "notebook.png")
    dashboard.call("Page.bringToFront")
    dashboard.until(BARS, lambda bars: bars >= 100)
    dashboard.screenshot(SCREENSHOTS / "status.png")


def test_the_panel_finds_the_dashboard_and_shows_plots(lab: Page) -> None:
    lab.call("Page.bringToFront")
    lab.click("[data-id=dask-dashboard-launcher]")
    lab.click("[title='Auto-detect dashboard URL']")
    lab.until("document.querySelector('.dask-URLInput input').value", lambda url: url.startswith("/proxy-dask/"))
    lab.click(".dask-DashboardListing-item button", "Task Stream")
    lab.until(DRAWN.replace("window", IN_FRAME).replace(" Bokeh.", f" {IN_FRAME}.Bokeh."))
    assert "token" not in lab.value("document.querySelector('iframe').src")
    lab.until(BARS.replace("Bokeh.", f"{IN_FRAME}.Bokeh."), lambda bars: bars is not None)
    lab.screenshot(SCREENSHOTS / "panel.png")


def test_the_panel_scales_the_cluster(served: Served, lab: Page) -> None:
    lab.call("Page.bringToFront")
    lab.click("[data-command='dask:launch-cluster']")
    lab.click(".dask-ClusterListingItem-scale")
    field = "document.querySelector('.dask-ScalingInput')"
    lab.until(f"({field} && ({field}.focus(), {field}.select(), true))")
    lab.call("Input.insertText", text="2")
    lab.screenshot(SCREENSHOTS / "scaling.png")
    lab.click(".jp-Dialog .jp-mod-accept")
    until(lambda: served.run.status()["workers"]["connected"] == 2, "the second worker")


def test_no_token_is_seen_anywhere(served: Served, dashboard: Page, lab: Page) -> None:
    of_dashboard, of_jupyter = served.token("dashboard"), served.token("jupyter")
    assert files_with(served.run, of_dashboard) == [f"state/1/{Path(served.status('dashboard')['token_file']).name}"]
    assert files_with(served.run, of_jupyter) == [f"state/1/{Path(served.status('jupyter')['token_file']).name}"]
    shown = dashboard.value("document.documentElement.outerHTML") + dashboard.text() + lab.text()
    shown += lab.value("document.documentElement.outerHTML").replace(of_jupyter, "", 1)
    said = words_of_all_processes()
    notebooks = "".join(file.read_text() for file in served.run.here.project.rglob("*.ipynb"))
    for token in (of_dashboard, of_jupyter):
        assert token not in said and token not in notebooks
    assert of_dashboard not in shown and of_jupyter not in lab.text()


def processes_of(run: Path, *words: str) -> list[Path]:
    """Those of a run whose command lines hold all of these words."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_text().replace("\0", " ")
            if f"HPC_LAUNCH_RUN_DIR={run}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found += [process] if all(word in command for word in words) else []
    return found


def listening(process: Path) -> set[str]:
    """The TCP ports that a process listens on, each as /proc has it."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in (process / "net" / name).read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]": row[1] for row in rows if row[3] == "0A"}
    links = {os.readlink(file) for file in (process / "fd").iterdir()}
    return {address for name, address in sockets.items() if name in links}


def heard_at(address: str) -> bytes:
    """What somebody hears who connects to a port of loopback and says nothing."""
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2], 16)), 5) as connection:
        connection.settimeout(1)
        with suppress(TimeoutError):
            return connection.recv(1000) + connection.recv(1000)
        return b""


ZMQ_GREETING = b"\xff" + 7 * b"\0" + b"\1\x7f"
"""rfc.zeromq.org/spec/23"""


def test_nobody_else_hears_what_a_kernel_says(served: Served, lab: Page) -> None:
    """It has one port, into which processes that it has forked print, if they know a secret; all others are sockets."""
    [kernel] = processes_of(served.run.directory, "ipykernel_launcher")
    [server] = processes_of(served.run.directory, "-m jupyterlab")
    assert len(listening(server)) == 1 and len(listening(kernel)) <= 1
    assert {heard_at(address) for address in listening(kernel)} <= {ZMQ_GREETING, b""}
    [config] = [word for word in (server / "cmdline").read_text().split("\0") if word.startswith("--config=")]
    private = Path(config.partition("=")[2]).parent
    assert private.stat().st_mode & 0o777 == 0o700
    assert any(file.is_socket() for file in private.iterdir())


def test_when_jupyter_dies_it_is_told_and_the_cluster_goes_on(served: Served) -> None:
    [server] = processes_of(served.run.directory, "-m jupyterlab")
    os.kill(int(server.name), signal.SIGKILL)
    lacks = until(lambda: served.status("jupyter")["lacks"], "its end to be told")
    assert lacks == "JupyterLab ended with exit code -9, see logs/jupyter.log"
    assert lacks in served.run.here.command("status", served.run.id).stdout
    until(lambda: not processes_of(served.run.directory, "ipykernel_launcher"), "its kernel to end")
    assert served.run.status()["state"] == "running" and served.run.status()["workers"]["connected"] >= 1


def test_after_the_run_nothing_is_left_of_it(served: Served) -> None:
    url = served.status("dashboard")["url"]
    served.run.here.command("close", served.run.id)
    assert served.run.wait() == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(url.split(":")[2].split("/")[0]))) != 0
    assert not list(served.run.directory.glob("state/*/*token"))
    until(lambda: not processes_of(served.run.directory), "all processes of the run to end")


@pytest.mark.parametrize(("whole", "broken"), [("def serve", "def not_serve"), ("state.tell(", "state.not_tell(")])
def test_a_guard_that_is_broken_on_purpose_opens_nothing(
    tmp_path: Path, new_page: Callable[[], Page], whole: str, broken: str
) -> None:
    run = new_run(tmp_path)
    guard = run / "jobside" / "guard.py"
    assert whole in guard.read_text()
    guard.write_text(guard.read_text().replace(whole, broken))
    with scheduler(run):
        page = new_page()
        for path in ("/status", f"/status?token={TOKEN}"):
            page.go(f"http://127.0.0.1:{port_of(run)}{path}")
            time.sleep(0.5)
            assert "Workers" not in page.text() and not any("127.0.0.1" in url for url in page.answers)
