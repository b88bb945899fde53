"""Loaded into the Dask scheduler (``--preload``), first of all: its pages answer nobody who lacks the run's token.

From the moment this file is imported, before the scheduler listens, every lookup of a page asks for the token, of those
below another application and of websockets too. Without a token the import fails, and the scheduler ends. What comes
later, and may fail, opens nothing: where the pages are served, and that ``state/N/dashboard.json`` tells it.

Pages hand on what they were asked with (bokeh writes it into each of them): the token is taken out of a request first.

The scheduler starts without its dashboard (``--no-dashboard``): bokeh takes as long to import as everything else
together, and many runs are never looked at. Who first asks for a page of it waits while a thread imports bokeh.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from importlib import import_module
from importlib.metadata import version
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import dask.config
import distributed.node
from distributed.comm.addressing import get_address_host
from distributed.http.routing import RoutingApplication
from distributed.http.scheduler.info import IndividualPlots
from distributed.versions import BOKEH_REQUIREMENT
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate
from tornado.web import ErrorHandler, RequestHandler, StaticFileHandler

from . import state
from .log import log

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

node: Any = distributed.node
ROUTES = "distributed.scheduler.http.routes"
usual_routes: list[str] = dask.config.get(ROUTES)
PAGES_OF_WORKERS = "distributed.http.proxy"
"""Workers serve none; where jupyter-server-proxy is installed an eighth of a scheduler's start goes into this."""
LOOPBACK = "127.0.0.1"
SHORTEST = 32
"""Characters of a token."""
COOKIE = "hpc-launch-" + hashlib.sha256(os.environ["HPC_LAUNCH_RUN_DIR"].encode()).hexdigest()[:16]
"""A run's own: browsers do not tell the ports of one host apart."""
ASK = "403: this page wants the token of the run. `hpc-launch connect` tells the address that has it.\n"
WITHOUT_BOKEH = "bokeh is missing in the run's environment (pip install bokeh), or not of a version that dask takes"
DASHBOARD_FAILS = "the dashboard cannot be made, though bokeh is there: the scheduler's log tells why"


def read_token() -> bytes:
    with open(state.path("token"), "rb") as file:
        token = file.read().strip()
    if len(token) < SHORTEST:
        raise ValueError("the token of the run's pages is too short")
    return token


TOKEN = read_token()


class Refused(RequestHandler):
    """Answers whatever it is asked with 403."""

    def prepare(self) -> None:
        self.set_status(403)
        self.finish(ASK)


class GuardedPages(RoutingApplication):
    """All pages of a scheduler."""

    add_dashboard: Callable[[], Coroutine[Any, Any, None]] | None = None
    """What adds those of bokeh, until it has."""
    adding: asyncio.Task[None] | None = None

    async def wait_for_dashboard(self) -> None:
        """Return when the pages of bokeh are there, or cannot be had."""
        if self.add_dashboard:
            self.adding = self.adding or asyncio.ensure_future(self.add_dashboard())
            await asyncio.wait([self.adding])
            self.add_dashboard = None

    def find_handler(self, request: HTTPServerRequest, **options: Any) -> Any:
        in_query, in_headers = take_query_token(request), take_header_tokens(request)
        answer_with(request, "Referrer-Policy", "no-referrer")
        if opens(in_query):
            answer_with(request, "Set-Cookie", f"{COOKIE}={TOKEN.decode()}; Path=/; HttpOnly; SameSite=Lax")
        page = super().find_handler(request, **options)
        if not opens(in_query + in_headers) and not issubclass(page.handler_class, StaticFileHandler):
            return self.get_handler_delegate(request, Refused)
        if self.add_dashboard and issubclass(page.handler_class, (ErrorHandler, IndividualPlots)):
            return Waiting(self, request)
        return page


class Waiting(HTTPMessageDelegate):
    """A request that is answered when the dashboard is there."""

    def __init__(self, pages: GuardedPages, request: HTTPServerRequest) -> None:
        self.pages, self.request = pages, request
        self.connection: Any = request.connection
        self.page: HTTPMessageDelegate | None = None

    async def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        self.connection.stream.set_close_callback(lambda: None)  # without one tornado does not look who goes away
        try:
            await self.pages.wait_for_dashboard()
        except asyncio.CancelledError:  # the scheduler ends
            self.connection.close()
        if self.connection.stream.closed():
            return
        self.page = RoutingApplication.find_handler(self.pages, self.request)
        if received := self.page.headers_received(start_line, headers):
            await received

    def data_received(self, chunk: bytes) -> Any:
        return self.page and self.page.data_received(chunk)

    def finish(self) -> None:
        if self.page:
            self.page.finish()

    def on_connection_close(self) -> None:
        if self.page:
            self.page.on_connection_close()


def opens(given: list[str]) -> bool:
    return any([hmac.compare_digest(each.encode(), TOKEN) for each in given])


def take_query_token(request: HTTPServerRequest) -> list[str]:
    """Take what is called `token` out of the request's query."""
    found, rest = [], []
    for part in request.query.split("&") if request.query else []:
        name, _, value = part.partition("=")
        if unquote_plus(name) == "token":
            found.append(unquote_plus(value))
        else:
            rest.append(part)
    request.query = "&".join(rest)
    request.uri = request.path + ("?" + request.query if rest else "")
    for arguments in (request.arguments, request.query_arguments):
        arguments.pop("token", None)
    return found


def take_header_tokens(request: HTTPServerRequest) -> list[str]:
    """Take this run's cookie and all of `Authorization` out of the request's headers."""
    given = request.headers.get("Authorization", "")
    request.headers.pop("Authorization", None)
    found = [given[7:].strip()] if given[:7].lower() == "bearer " else []
    cookies = [each.strip() for each in request.headers.pop("Cookie", "").replace(",", ";").split(";")]
    ours = [each for each in cookies if each.partition("=")[0] == COOKIE]
    if others := [each for each in cookies if each and each not in ours]:
        request.headers["Cookie"] = "; ".join(others)
    return found + [each.partition("=")[2] for each in ours]


def answer_with(request: HTTPServerRequest, name: str, value: str) -> None:
    """Whatever answers this request, send this header too."""
    connection: Any = request.connection
    write = connection.write_headers

    def write_headers(start_line: Any, headers: Any, chunk: bytes | None = None) -> Any:
        headers.add(name, value)
        return write(start_line, headers, chunk)

    connection.write_headers = write_headers


node.RoutingApplication = GuardedPages
dask.config.set({ROUTES: [each for each in usual_routes if each != PAGES_OF_WORKERS]})


async def dask_setup(scheduler: Any) -> None:
    """Called by the scheduler when it starts (Dask's preload protocol)."""
    dask.config.set({ROUTES: usual_routes})  # a task's own scheduler may be told them
    try:
        serve(scheduler)
    except BaseException:
        scheduler.http_server.stop()
        raise


async def dask_teardown(scheduler: Any) -> None:
    """Called by the scheduler when it ends: also where the job's shell was killed, and removes nothing any more."""
    with suppress(OSError):
        os.unlink(state.path("token"))


def serve(scheduler: Any) -> None:
    """Serve the pages where the profile wants them, and tell where that is."""
    if not isinstance(scheduler.http_application, GuardedPages):
        raise RuntimeError("this version of dask serves its pages in a way that cannot be guarded")
    where, server = os.environ["HPC_LAUNCH_DASHBOARD"], scheduler.http_server
    address, port = LOOPBACK, server.port
    if where == "node":
        server.listen(0, address := get_address_host(scheduler.address))
        port = next(port for host, port, *_ in node.get_tcp_server_addresses(server) if host == address)
    elif where == "none":
        server.stop()
        del scheduler.services["dashboard"]
        port = None
    where_they_are = {
        "schema": 1,
        "scheduler": scheduler.address,
        "host": state.HOST,
        "address": address,
        "port": port,
        "loopback_port": port and server.port,
        "lacks": lacks_bokeh() if port else "",
    }
    state.tell("dashboard.json", json.dumps(where_they_are))
    if port and not where_they_are["lacks"]:
        scheduler.http_application.add_dashboard = partial(add_dashboard, scheduler, where_they_are)


def lacks_bokeh() -> str:
    """Why there is no dashboard; empty if there is one."""
    try:
        fits = BOKEH_REQUIREMENT.specifier.contains(version("bokeh"), prereleases=True)
    except Exception:  # it is not there, or half of it is
        fits = False
    return "" if fits else WITHOUT_BOKEH


def import_in_thread(name: str) -> asyncio.Future[Any]:
    """The module, once a thread has imported it. Python does not wait for the thread when it ends."""
    found: Future[Any] = Future()

    def import_it() -> None:
        try:
            found.set_result(import_module(name))
        except BaseException as fault:
            found.set_exception(fault)

    found.set_running_or_notify_cancel()  # from here on nobody can take back that it is wanted
    Thread(target=import_it, daemon=True).start()
    return asyncio.wrap_future(found)


async def add_dashboard(scheduler: Any, where_they_are: dict[str, Any]) -> None:
    """Serve the pages of bokeh, too; tell where that fails."""
    try:
        pages = await import_in_thread("distributed.dashboard.scheduler")
        pages.connect(scheduler.http_application, scheduler.http_server, scheduler, prefix="/")
    except Exception as fault:
        log.warning("hpc-launch: there is no dashboard: %r", fault)
        with suppress(OSError):
            state.tell("dashboard.json", json.dumps({**where_they_are, "lacks": DASHBOARD_FAILS}))
