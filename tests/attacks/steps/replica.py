"""One replica of a world: its process, the strings into it, and its own folder."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from bot.engine.replica import REPLACED_EXIT_CODE
from tests.attacks.steps import process
from tests.attacks.steps.items import Unplayable
from tests.real import PATIENCE, free_port

Json = dict[str, Any]


class Replica:
    """Started, killed and paused by the player; `environment` is that of `tocsin serve`."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.name, self.folder, self.port = name, folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {**environment, "TOCSIN_PORT": str(self.port), "TOCSIN_DATA_DIR": str(folder)}
        self.process = process.forked(f"bot-{name}", folder, self.environment)
        self.held: set[str] = set()
        self.clock = (0, 0)
        self.paused = False
        self.read_only = False
        self.should_run = False
        self._strings: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()
        self._http = httpx.AsyncClient(timeout=PATIENCE, trust_env=False)

    @property
    def running(self) -> bool:
        return self.process.alive and not self.paused

    @property
    def replaced(self) -> bool:
        """Whether it ended because another one had taken over: whoever looks after services starts such a one again."""
        return self.should_run and not self.paused and self.process.exit_code == REPLACED_EXIT_CODE

    async def start(self) -> str:
        """Start it: "ready" once it answers /readyz, "refused" if it ended by itself."""
        clocks = {"wall_s": self.clock[0], "monotonic_s": self.clock[1]}
        settings = {"held": sorted(self.held), "read_only": self.read_only, **clocks}
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "strings.json").write_text(json.dumps(settings))
        (self.folder / "strings.sock").unlink(missing_ok=True)
        await asyncio.to_thread(self.process.start)
        while self.process.alive:
            if await self.answers("/readyz"):
                reader, writer = await asyncio.open_unix_connection(str(self.folder / "strings.sock"))
                self._strings, self.should_run = (reader, writer), True
                return "ready"
            await asyncio.sleep(0.03)
        self.should_run = False
        return "refused"

    async def answers(self, path: str) -> bool:
        """Whether it answers this path with 200."""
        try:
            return (await self._http.get(f"{self.url}{path}", timeout=5)).status_code == 200
        except httpx.HTTPError:
            return False

    async def order(self, do: str, **how: Any) -> Json:
        """Pull one string; the answer. Raises Unplayable if the process is not there or refuses."""
        if self._strings is None or not self.running:
            raise Unplayable(f"replica {self.name} does not run, so {do} is not possible")
        async with self._turn:
            reader, writer = self._strings
            writer.write(json.dumps({"do": do, **how}).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
        answer: Json = json.loads(line) if line else {"ok": False, "error": "it ended meanwhile"}
        if not answer.pop("ok"):
            raise Unplayable(f"replica {self.name}, {do}: {answer['error']}")
        return answer

    async def forbid_writing(self, on: bool) -> None:
        """Whether its database is read-only, from now on: one that does not run finds it so when it starts."""
        self.read_only = on
        if self.running:
            await self.order("read_only", on=on)

    async def hold(self, point: str) -> None:
        self.held.add(point)
        if self.running:
            await self.order("hold", point=point)

    async def release(self, point: str) -> None:
        if point not in self.held:
            raise Unplayable(f"{point} is not held")
        self.held.discard(point)
        if self.running:
            await self.order("release", point=point)

    async def post(self, body: bytes, headers: Mapping[str, str]) -> int | None:
        """Send a request to where Slack sends; the status, None if nobody answered."""
        try:
            answer = await self._http.post(f"{self.url}/slack/events", content=body, headers=dict(headers))
        except httpx.HTTPError:
            return None
        return answer.status_code

    async def stop(self) -> None:
        """SIGTERM, as a service manager does."""
        self.should_run = False
        await self._forget()
        await asyncio.to_thread(self.process.stop)

    async def kill(self) -> None:
        """SIGKILL."""
        self.should_run = False
        await self._forget()
        if self.paused:
            self.resume()
        await asyncio.to_thread(self.process.kill)

    def pause(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)
        self.paused = True

    def resume(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)
        self.paused = False

    async def run(self, arguments: list[str]) -> tuple[int, str]:
        """`tocsin ...` with this replica's environment: exit status, and words of output and errors."""
        command = [sys.executable, "-m", "bot.cli", *arguments]
        pipe = asyncio.subprocess.PIPE
        running = await asyncio.create_subprocess_exec(
            *command, env=self.environment, stdout=pipe, stderr=asyncio.subprocess.STDOUT, stdin=asyncio.subprocess.DEVNULL
        )
        output, _ = await running.communicate()
        return running.returncode or 0, output.decode("utf-8", "replace")

    async def close(self) -> None:
        await self.kill()
        await self._http.aclose()

    async def _forget(self) -> None:
        if self._strings:
            self._strings[1].close()
        self._strings = None
