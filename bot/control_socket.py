"""The control socket: `tocsin reload` asks the bot that runs on this machine, through a file that only its user may open."""

import asyncio
import json
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from bot.core.errors import ConfigurationError
from bot.reloading import ReloadResult

log = structlog.get_logger(__name__)
Reloading = Callable[[str], Awaitable[ReloadResult]]
"""Who asks -> what became of it."""
_ANSWER_SECONDS = 30.0
_REQUEST_SECONDS = 5.0
_PEER = struct.Struct("3i")
"""Process, user and group of whoever connected, as Linux gives them."""


def control_path(data_dir: Path, port: int) -> Path:
    """Where the bot that listens on this port has its socket."""
    return data_dir / f"control-{port}.sock"


class ControlSocket:
    """Open while the bot runs. Where a file system takes no sockets, SIGHUP is the way."""

    def __init__(self, path: Path, reload: Reloading) -> None:
        self._path, self._reload = path, reload
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen, in the place of one whose process was killed."""
        self._path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._answer, self._path)
        except OSError as error:
            log.warning("tocsin reload will not work: no socket can be made; send SIGHUP instead", why=str(error))
        finally:
            os.umask(mask)

    async def close(self) -> None:
        if self._server:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                request = await reader.readline()
            if request == b"reload\n":
                result = await self._reload(_peer(writer))
                writer.write(json.dumps({"accepted": result.accepted, "lines": result.lines}).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError) as error:
            log.info("a control connection ended early", why=type(error).__name__)
        finally:
            writer.close()


def ask_reload(path: Path) -> ReloadResult:
    """Ask the running bot to reload. Raises ConfigurationError where none runs here."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            connection.connect(str(path))
            connection.sendall(b"reload\n")
            answer = json.loads(connection.makefile("rb").readline())
    except TimeoutError:
        raise ConfigurationError(
            f"the bot did not answer within {_ANSWER_SECONDS:.0f} s; its log says more", key=str(path)
        ) from None
    except OSError as error:
        problem = f"no bot of this user runs here with this TOCSIN_DATA_DIR and TOCSIN_PORT ({error.strerror or error})"
        raise ConfigurationError(problem, key=str(path)) from None
    except ValueError:
        raise ConfigurationError("the bot ended before it answered; its log says more", key=str(path)) from None
    return ReloadResult(answer["accepted"], tuple(answer["lines"]))


def _peer(writer: asyncio.StreamWriter) -> str:
    """The user of this machine who asks, as the kernel says; others than Linux do not say it this way."""
    if not hasattr(socket, "SO_PEERCRED"):
        return "somebody on this machine"
    connection: socket.socket = writer.get_extra_info("socket")
    user = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[1]
    try:
        return f"{pwd.getpwuid(user).pw_name} of this machine"
    except KeyError:
        return f"user {user} of this machine"
