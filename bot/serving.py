"""The process: refuses a port that is in use, serves until SIGTERM or SIGINT, then drains."""

import asyncio
import contextlib
import gc
import logging
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import cast

import structlog
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.loops.auto import auto_loop_factory

from bot.adapters import known_secrets, refuse_derivable_key
from bot.app import SERVER_SECONDS, App
from bot.control_socket import ControlSocket, control_path
from bot.core.config import Config
from bot.core.errors import ConfigurationError
from bot.engine.data_folder import DataFolder
from bot.logs import configure
from bot.match_notices import match_notices
from bot.memory import run_apart, share_one_heap
from bot.plugins.scopes import scope_notices
from bot.ports import Run
from bot.reloading import ReloadResult
from bot.settings import (
    Secrets,
    deprecated_keys,
    load_config,
    prepare_data_dir,
    require_audit_key,
    source_kinds,
    unheard_notice,
)
from bot.store.migrate import current, head, ready
from bot.variable_notices import unread_variables
from bot.web.connections import MAX_CONNECTIONS, OTHER_FILES, Connection, Connections, raise_file_limit

log = structlog.get_logger(__name__)
IDLE_SECONDS = 75
"""Longer than senders and load balancers keep an idle connection, often 60 s: if we close first, a request is cut off."""
_OWN_ERROR = re.compile(r"bot\.[\w.]+: (.+)")
"""The last line of a traceback of an error that the product raised itself: it says all that there is to say."""
SWITCH_SECONDS = 0.0005
"""Python's own is ten times as long."""


def _leave(*_: object) -> None:
    """The server raises SIGTERM again once it has drained: a good end. At once, since a thread of the journal may sleep on."""
    logging.shutdown()
    os._exit(0)


def _require_free_port(host: str, port: int) -> None:
    """Raises ConfigurationError early: a second bot would connect to Slack and take its events before the server fails."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError:
        problem = f"cannot listen on {host}:{port}: another program has the port, or the address is not of this machine"
        raise ConfigurationError(problem, key="TOCSIN_PORT") from None


def _plainly(asgi: ASGIApp) -> ASGIApp:
    """A start that fails because of the configuration or the database prints the error's text, without a traceback."""

    def wrapped(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        async def send_plain(message: Message) -> None:
            lines = str(message.get("message", "")).strip().splitlines()
            if message["type"] == "lifespan.startup.failed" and lines and (expected := _OWN_ERROR.match(lines[-1])):
                message = {**message, "message": expected[1]}
            await send(message)

        return asgi(scope, receive, send_plain if scope["type"] == "lifespan" else send)

    return wrapped


@contextlib.asynccontextmanager
async def _reloadable(app: App, secrets: Secrets) -> AsyncIterator[None]:
    """SIGHUP and `tocsin reload` read tocsin.yaml again meanwhile."""
    running: set[asyncio.Task[ReloadResult]] = set()

    def on_signal() -> None:
        task = asyncio.create_task(app.reloader.reload("SIGHUP"), name="reload")
        running.add(task)
        task.add_done_callback(running.discard)

    loop, control = asyncio.get_running_loop(), ControlSocket(control_path(secrets.data_dir, secrets.port), app.reloader.reload)
    loop.add_signal_handler(signal.SIGHUP, on_signal)
    await control.open()
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        await control.close()


def _keep_private(folder: Path) -> None:
    """What the process writes is for its own user alone, and so is what an earlier version wrote."""
    prepare_data_dir(folder)
    for path in (folder, *folder.iterdir()):
        try:
            path.chmod(0o700 if path.is_dir() else 0o600)
        except OSError as error:
            log.warning("others may read this", path=str(path), why=error.strerror)


def _ready(url: str) -> None:
    """The database at this version's schema. What upgrades it takes 10 MB: it stays in a process that ends."""
    if current(url) != head():
        run_apart(partial(ready, url))
    # What failed there fails here again, and says why.
    ready(url)


def _prepare(secrets: Secrets) -> Config:
    """The configuration, with the log, the data folder, the database and the address ready for a server."""
    config = load_config(secrets.config)
    require_audit_key(secrets)
    configure(secrets.log_level, known_secrets(secrets, config))
    os.umask(0o077)
    _keep_private(secrets.data_dir)
    # Nothing is upgraded, nor a start written down, under a process that runs.
    with nullcontext() if secrets.postgres else DataFolder(secrets.data_dir).locked():
        _ready(secrets.database_url or f"sqlite:///{secrets.data_dir / 'app.db'}")
    _require_free_port(secrets.host, secrets.port)
    return config


def _log_notices(secrets: Secrets, config: Config) -> None:
    """What may stand as it is and is hardly meant so."""
    for notice in deprecated_keys(secrets.config):
        log.warning("deprecated configuration key", notice=notice)
    for notice in scope_notices(config.sources, source_kinds(config)):
        log.warning("a source takes alerts and changes", notice=notice)
    for notice in match_notices(config):
        log.warning("a match does not do what it seems to", notice=notice)
    for notice in config.rota_notices():
        log.warning("a rota does not do what it seems to", notice=notice)
    for notice in unread_variables(config):
        log.warning("a variable is read by nothing", notice=notice)
    if notice := unheard_notice(secrets):
        log.warning("Slack cannot reach Tocsin", notice=notice)


def _server(app: App, secrets: Secrets) -> uvicorn.Server:
    connections = Connections(max(1, min(MAX_CONNECTIONS, raise_file_limit() - OTHER_FILES)))
    return uvicorn.Server(
        uvicorn.Config(
            _plainly(app.asgi),
            host=secrets.host,
            port=secrets.port,
            http=cast("type[asyncio.Protocol]", partial(Connection, among=connections)),
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=SERVER_SECONDS,
            timeout_keep_alive=IDLE_SECONDS,
            lifespan="on",
            interface="asgi3",
        )
    )


def _handle_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Until it can be answered: its default would end the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)


def tuned_runner() -> asyncio.Runner:
    """A loop for a process that only serves; sets how often its threads switch and how often its garbage is collected."""
    # Each answer of SQLite crosses two threads; at Python's 5 ms a busy workflow would delay every one of them.
    sys.setswitchinterval(SWITCH_SECONDS)
    # What a request makes is freed without the collector: to look for cycles every 700 objects took 6 % of intake's time.
    gc.set_threshold(20_000, 20, 20)
    # uvloop where there is one: it halves what a request costs.
    return asyncio.Runner(loop_factory=auto_loop_factory())


def run(secrets: Secrets, *, wrap_run: Callable[[Run], Run] = lambda run: run, build: Callable[..., App] = App) -> None:
    """Serve until SIGTERM or SIGINT, then drain. `build` is for tests that wrap collaborators."""
    config = _prepare(secrets)

    async def serve() -> None:
        app = build(secrets, config, wrap_run=wrap_run)
        # Once nothing refuses the start: a refusal is one line.
        _log_notices(secrets, config)
        await refuse_derivable_key(secrets, app.db)
        async with _reloadable(app, secrets):
            await _server(app, secrets).serve()

    share_one_heap()
    _handle_signals()
    with contextlib.suppress(KeyboardInterrupt), tuned_runner() as runner:
        runner.run(serve())
