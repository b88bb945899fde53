"""The scheduler's pages behind the run's token: a real scheduler with the file as it travels, and plain HTTP."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import dask
import pytest
from bokeh.util.token import get_token_payload
from distributed import Client
from distributed.dashboard.scheduler import applications

from tests.local.jobside.guarded import TOKEN, new_run, port_of, scheduler
from tests.local.runs import until

OTHER = TOKEN[:-1] + "0"
OPENS = {"query": (f"?token={TOKEN}", {}), "bearer": ("", {"Authorization": f"Bearer {TOKEN}"})}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return new_run(tmp_path)


class Browser:
    """One connection that is kept alive."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> http.client.HTTPResponse:
        self.connection.request(method, path, headers=headers or {})
        answer = self.connection.getresponse()
        self.body = answer.read().decode()
        return answer


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The run directory of a scheduler that serves pages."""
    run = new_run(tmp_path_factory.mktemp("run"))
    with scheduler(run):
        browser = Browser(port_of(run))
        assert browser.ask("/status", OPENS["bearer"][1]).status == 200  # from here on all of them are there
        browser.connection.close()
        yield run


@pytest.fixture
def browser(pages: Path) -> Iterator[Browser]:
    made = Browser(port_of(pages))
    yield made
    made.connection.close()


def all_paths() -> set[str]:
    """Of every page that the scheduler serves."""
    modules = map(import_module, dask.config.get("distributed.scheduler.http.routes"))
    routes = {"/" + url.lstrip("/") for module in modules for url, *_ in module.routes}
    return {"/", "/sitemap.json", *applications, *(re.sub(r"\(.*\)", "x", route) for route in routes)}


def test_without_the_token_every_page_is_refused_but_static_files(browser: Browser) -> None:
    paths = all_paths()
    assert len(paths) > 60 and {"/status", "/individual-progress", "/health", "/metrics", "/eventstream"} <= paths
    opened = {path for path in paths if browser.ask(path).status != 403 or "token of the run" not in browser.body}
    assert opened == {"/statics/x"} and browser.ask("/statics/x").status == 404
    assert {browser.ask(path).status for path in ("/statics/css/base.css", "/static/js/bokeh.min.js")} == {200}
    assert {browser.ask(path).status for path in ("/static/../status", "/statics/%2e%2e/status")} <= {403, 404}


def test_nor_does_another_way_of_asking_open_a_page(browser: Browser) -> None:
    paths = ["/nothing", "/status/ws", "/static", "/status?x=1", "*", f"http://127.0.0.1/status?token={OTHER}"]
    paths += ["//status", f"/status?Token={TOKEN}", f"/status;token={TOKEN}", "/info/main/workers.html"]
    assert {path: browser.ask(path).status for path in paths} == dict.fromkeys(paths, 403)
    for method in ("HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert browser.ask("/status", method=method).status == 403, method


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {OTHER}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN}é"},
        {"Cookie": f"token={TOKEN}"},
        {"Cookie": f"hpc-launch-0000000000000000={TOKEN}"},
    ],
)
def test_what_is_not_the_token_opens_nothing(browser: Browser, headers: dict[str, str]) -> None:
    assert browser.ask("/health", headers).status == 403
    assert browser.ask(f"/health?token={OTHER}", headers).status == 403


@pytest.mark.parametrize("way", OPENS)
def test_the_token_opens_one_request_alone(browser: Browser, way: str) -> None:
    query, headers = OPENS[way]
    answer = browser.ask(f"/health{query}", headers)
    assert (answer.status, browser.body, answer.headers["Referrer-Policy"]) == (200, "ok", "no-referrer")
    assert browser.ask("/health").status == 403  # on the same connection


def test_a_cookie_that_is_named_by_the_run_keeps_pages_open(browser: Browser) -> None:
    assert "Set-Cookie" not in browser.ask("/status", OPENS["bearer"][1]).headers
    cookie = browser.ask(f"/status?token={TOKEN}").headers["Set-Cookie"]
    found = re.fullmatch(rf"(hpc-launch-[0-9a-f]{{16}}={TOKEN}); Path=/; HttpOnly; SameSite=Lax", cookie)
    assert found and browser.ask("/status", {"Cookie": f"a=b; {found[1]}; c=d"}).status == 200
    assert browser.ask("/status").status == 403


def test_pages_do_not_see_what_opened_them(pages: Path, browser: Browser) -> None:
    cookie = browser.ask(f"/status?token={TOKEN}&a=b").headers["Set-Cookie"].partition(";")[0]
    everything = {"Cookie": f"mine=1; {cookie}", **OPENS["bearer"][1]}
    assert browser.ask(f"/status?x=1&token={TOKEN}&tok%65n={TOKEN}&y=2", everything).status == 200
    assert TOKEN not in browser.body
    [session] = set(re.findall(r'"token":"([^"]+)"', browser.body))
    payload = get_token_payload(session)
    assert TOKEN not in str(payload)
    assert payload["cookies"] == {"mine": "1"} and "Host" in payload["headers"]
    assert payload["arguments"] == {"x": [b"1"], "y": [b"2"]}
    assert TOKEN not in (pages / "log").read_text()


def upgrade(path: str, *headers: str) -> bytes:
    """The request that opens a websocket."""
    lines = ["Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==", *headers]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def test_websockets_want_the_token_too(pages: Path) -> None:
    answers = []
    for headers in ([], [f"Authorization: Bearer {TOKEN}"]):
        with socket.create_connection(("127.0.0.1", port_of(pages)), 60) as connection:
            connection.sendall(upgrade("/eventstream", *headers))
            answers.append(connection.recv(12))
    assert answers == [b"HTTP/1.1 403", b"HTTP/1.1 101"]


def test_requests_in_one_packet_are_looked_at_one_by_one(pages: Path) -> None:
    one = "GET /health HTTP/1.1\r\nHost: x\r\n"
    with socket.create_connection(("127.0.0.1", port_of(pages)), 60) as connection:
        connection.sendall(f"{one}Authorization: Bearer {TOKEN}\r\n\r\n{one}Connection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"403"]


def told(run: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((run / "state" / "1" / "dashboard.json").read_text())
    return found


def test_it_tells_where_the_pages_are(pages: Path) -> None:
    port = port_of(pages)
    where = {"address": "127.0.0.1", "port": port, "loopback_port": port}
    address = json.loads((pages / "scheduler.json").read_text())["address"]
    assert told(pages) == {"schema": 1, "scheduler": address, "host": os.uname().nodename, **where, "lacks": ""}


@pytest.mark.parametrize("token", [None, "", "too short"])
def test_without_a_token_there_is_no_scheduler(run: Path, token: str | None) -> None:
    (run / "state" / "1" / "token").unlink()
    if token is not None:
        (run / "state" / "1" / "token").write_text(token)
    with scheduler(run, "loopback") as process:
        assert process.wait(60) != 0
        assert not (run / "scheduler.json").exists()


def listens(port: int, address: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


@pytest.mark.parametrize(
    ("whole", "broken"),
    [
        ("def serve", "def not_serve"),
        ("state.tell(", "state.not_tell("),
        ("node.RoutingApplication = GuardedPages", ""),
    ],
)
def test_what_is_broken_here_opens_nothing(run: Path, whole: str, broken: str) -> None:
    guard = run / "jobside" / "guard.py"
    assert whole in guard.read_text()
    guard.write_text(guard.read_text().replace(whole, broken))
    with scheduler(run, "loopback") as process:
        assert "Failed to start preload: hpc_launch_jobside.guard" in (run / "log").read_text()
        assert not listens(port_of(run))
        assert process.poll() is None


def test_pages_of_workers_are_not_passed_on(pages: Path) -> None:
    def passes_on() -> tuple[bool, bool]:
        """Whether this scheduler does, and one that is made now would."""
        import sys

        import dask

        name = "distributed.http.proxy"
        return name in sys.modules, name in dask.config.get("distributed.scheduler.http.routes")

    with Client(json.loads((pages / "scheduler.json").read_text())["address"]) as client:  # type: ignore[no-untyped-call]
        assert client.run_on_scheduler(passes_on) == (False, True)


def test_no_pages_at_all(run: Path) -> None:
    with scheduler(run, "none"):
        assert told(run)["port"] is None
        assert not listens(port_of(run))


def has_bokeh(run: Path) -> bool:
    """Whether the scheduler has imported it."""
    with Client(json.loads((run / "scheduler.json").read_text())["address"]) as client:  # type: ignore[no-untyped-call]
        found: bool = client.run_on_scheduler(lambda: "bokeh" in __import__("sys").modules)
    return found


def test_bokeh_is_imported_when_somebody_who_may_asks_for_the_dashboard(run: Path) -> None:
    with scheduler(run):
        browser = Browser(port_of(run))
        paths = ["/status", "/", "/individual-plots.json", "/static/x"]
        assert {path: browser.ask(path).status for path in paths} == dict.fromkeys(paths, 403)
        assert browser.ask(f"/health?token={TOKEN}").status == 200
        assert not has_bokeh(run)
        assert browser.ask(f"/individual-plots.json?token={TOKEN}").status == 200
        assert json.loads(browser.body)["Individual Progress"] == "/individual-progress"  # dask-labextension lists them
        assert has_bokeh(run)
        browser.connection.close()


def test_all_who_ask_meanwhile_wait_and_are_answered(run: Path) -> None:
    def answer(path: str) -> tuple[int, str | None, bool]:
        browser = Browser(port_of(run))
        found = browser.ask(f"{path}?token={TOKEN}")
        browser.connection.close()
        return found.status, found.headers["Referrer-Policy"], "Set-Cookie" in found.headers

    paths = {"/status": 200, "/": 301, "/individual-progress": 200, "/nothing": 404}
    with scheduler(run), ThreadPoolExecutor(len(paths)) as threads:
        assert dict(zip(paths, threads.map(answer, paths), strict=True)) == {
            path: (status, "no-referrer", True) for path, status in paths.items()
        }
        assert "Traceback" not in (run / "log").read_text()


def ask_and_leave_open(run: Path) -> socket.socket:
    """The connection of somebody who has asked for the dashboard."""
    connection = socket.create_connection(("127.0.0.1", port_of(run)), 60)
    connection.sendall(f"GET /status?token={TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection


def test_who_goes_away_while_waiting_gets_no_page(run: Path) -> None:
    def sessions(dask_scheduler: object) -> int:
        [bokeh] = dask_scheduler.http_application.applications  # type: ignore[attr-defined]
        return sum(len(bokeh.get_sessions(path)) for path in bokeh.app_paths)

    with scheduler(run):
        ask_and_leave_open(run).close()
        browser = Browser(port_of(run))
        assert browser.ask(f"/nothing?token={TOKEN}").status == 404  # the dashboard is there
        with Client(json.loads((run / "scheduler.json").read_text())["address"]) as client:  # type: ignore[no-untyped-call]
            assert client.run_on_scheduler(sessions) == 0
            assert browser.ask(f"/status?token={TOKEN}").status == 200
            assert client.run_on_scheduler(sessions) == 1
        browser.connection.close()
        assert "Traceback" not in (run / "log").read_text()


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGINT])
def test_a_scheduler_ends_though_bokeh_is_being_imported(run: Path, way: signal.Signals) -> None:
    (run / "bokeh.py").write_text("import time\nopen('begun', 'w').close()\ntime.sleep(600)\n")  # is found first
    with scheduler(run) as process, ask_and_leave_open(run) as connection:
        until((run / "begun").exists, "the import")
        process.send_signal(way)
        assert process.wait(60) == 0
        assert connection.recv(1) == b""
        assert "Traceback" not in (run / "log").read_text()


def test_a_dashboard_that_cannot_be_made_is_told(run: Path) -> None:
    (run / "bokeh.py").write_text("raise AttributeError('of another version')\n")  # is found first
    with scheduler(run) as process:
        browser = Browser(port_of(run))
        assert browser.ask(f"/status?token={TOKEN}").status == 404
        assert "cannot be made" in str(told(run)["lacks"])
        assert process.poll() is None and "of another version" in (run / "log").read_text()
        browser.connection.close()


@pytest.mark.parametrize(
    ("metadata", "pages", "is_told"),
    [
        ("Metadata-Version: 2.1\n", "loopback", True),
        ("Metadata-Version: 2.1\nName: bokeh\nVersion: 2.4.3\n", "loopback", True),
        ("Metadata-Version: 2.1\nName: bokeh\nVersion: 2.4.3\n", "none", False),
    ],
)
def test_bokeh_that_is_broken_or_too_old_is_told_where_it_is_wanted(
    run: Path, metadata: str, pages: str, is_told: bool
) -> None:
    (run / "bokeh-0.dist-info").mkdir()
    (run / "bokeh-0.dist-info" / "METADATA").write_text(metadata)
    with scheduler(run, pages):
        assert ("bokeh" in str(told(run)["lacks"])) is is_told


def test_pages_for_other_hosts_want_the_token_too(run: Path) -> None:
    with scheduler(run, "node"):
        where = told(run)
        assert where["loopback_port"] == port_of(run) and isinstance(where["port"], int)
        for port in (where["port"], port_of(run)):
            browser = Browser(port)
            assert [browser.ask("/health").status, browser.ask(f"/health?token={TOKEN}").status] == [403, 200]
            browser.connection.close()
