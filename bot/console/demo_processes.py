"""The demo's stage: the sandbox and the real bot as processes of their own, started, restarted and ended by their pids."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TypedDict

import httpx

from bot.core.errors import TocsinError

READY_SECONDS = 60.0
PYTHON = (sys.executable, "-P", "-m")
"""-P: a folder `bot` in the working directory must not be imported."""
SOURCE, CHANGES = "shop", "pipeline"
"""The sources of the shop's tocsin.yaml."""


class SandboxDetails(TypedDict):
    """The line with which the sandbox says that it is up: addresses, tokens, and what the bot needs to read its systems."""

    control: str
    slack: str
    bot_token: str
    app_token: str
    signing_secret: str
    environment: dict[str, str]


class DemoProcesses:
    """`with DemoProcesses(seed=1) as stage:` - sandbox and bot are up inside, and gone after it."""

    def __init__(self, *, seed: int, port: int = 0, model: bool = True) -> None:
        self.seed = seed
        self.port = port or free_port()
        self.bot_port = free_port()
        self.model = model
        self.client = httpx.Client(timeout=30)
        self._folder = tempfile.TemporaryDirectory(prefix="tocsin-demo-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.kill_file = self.folder / "bot.pid"
        self.bot: subprocess.Popen[bytes] | None = None
        self.sandbox: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self.restarts = 0

    @property
    def bot_url(self) -> str:
        return f"http://127.0.0.1:{self.bot_port}"

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> "DemoProcesses":
        try:
            self.access = self._start_sandbox()
            self._environment = self._bot_environment(self.access)
            self._start_bot()
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        threading.Thread(target=self._supervise, daemon=True, name="supervisor").start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending.set()
        for process, patience in ((self.bot, 25), (self.sandbox, 5)):
            _end(process, patience)
        self.client.close()
        self._folder.cleanup()

    def _start_sandbox(self) -> SandboxDetails:
        command = [*PYTHON, "bot.sandbox", "--port", str(self.port), "--seed", str(self.seed)]
        command += ["--dir", str(self.folder), "--bot", self.bot_url, "--kill-file", str(self.kill_file)]
        with (self.folder / "sandbox.log").open("wb") as log:
            self.sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        assert self.sandbox.stdout is not None
        line = self.sandbox.stdout.readline()
        if not line:
            raise TocsinError(f"the sandbox did not start: {self.tail('sandbox.log')}")
        details: SandboxDetails = json.loads(line)
        return details

    def _bot_environment(self, access: SandboxDetails) -> dict[str, str]:
        """Addresses and tokens, as a person would set them; nothing about the fault."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
        if not self.model:
            inherited = {k: v for k, v in inherited.items() if not k.startswith("OPENAI_")}
        own = ("TOCSIN_MODEL", "TOCSIN_FALLBACK_MODEL", "TOCSIN_REASONING_EFFORT")
        models = {k: v for k, v in os.environ.items() if k in own or k.startswith("TOCSIN_MODEL_")} if self.model else {}
        return {
            **inherited,
            **models,
            **access["environment"],
            "TOCSIN_CONFIG": str(self.folder / "tocsin.yaml"),
            "TOCSIN_DATA_DIR": str(self.folder / "data"),
            "TOCSIN_PORT": str(self.bot_port),
            "TOCSIN_SLACK_API_URL": access["slack"],
            "TOCSIN_SLACK_BOT_TOKEN": access["bot_token"],
            "TOCSIN_SLACK_APP_TOKEN": access["app_token"],
            "TOCSIN_SLACK_SIGNING_SECRET": access["signing_secret"],
            "TOCSIN_TOKEN_API": "demo-api-token",
        }

    def _start_bot(self) -> None:
        with (self.folder / "bot.log").open("ab") as log:
            command = [*PYTHON, "bot.cli", "serve"]
            self.bot = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        self.kill_file.write_text(str(self.bot.pid), encoding="ascii")

    def _supervise(self) -> None:
        """Start the bot again when it was killed: what a service manager does."""
        while not self._ending.wait(0.2):
            if self.bot is not None and self.bot.poll() is not None and not self._ending.is_set():
                self.restarts += 1
                self._start_bot()

    def wait_ready(self) -> float:
        """Seconds until the bot was ready. Raises TocsinError with its log when it is not."""
        began = time.monotonic()
        while time.monotonic() - began < READY_SECONDS:
            if self.bot is not None and self.bot.poll() is not None and self.restarts == 0:
                break
            try:
                ready = self.client.get(f"{self.bot_url}/readyz", timeout=2).status_code == 200
                wait = self.client.get(f"{self.access['control']}/wait", params={"for": "bot", "timeout": 1})
                connected = wait.json()["found"]
            except httpx.HTTPError:
                ready = connected = False
            if ready and connected:
                return time.monotonic() - began
            time.sleep(0.05)
        why = self.tail("bot.log") or f"it wrote no log within {READY_SECONDS:.0f} s; the machine may be busy, so try again"
        raise TocsinError(f"the bot did not become ready: {why}")

    def break_something(self) -> None:
        """Let the shop send its changes and alerts to the bot."""
        environment = self.access["environment"]
        endpoints = {
            "alerts_to": f"{self.bot_url}/alerts/{SOURCE}",
            "alerts_token": environment["TOCSIN_TOKEN_SHOP"],
            "changes_to": f"{self.bot_url}/changes/{CHANGES}",
            "changes_token": environment["TOCSIN_TOKEN_PIPELINE"],
        }
        self.client.post(f"{self.page}_world/start", json=endpoints).raise_for_status()

    def tail(self, name: str, size: int = 3000) -> str:
        """The end of a log of the stage."""
        path = self.folder / name
        return path.read_text(encoding="utf-8", errors="replace")[-size:] if path.exists() else ""


def _end(process: subprocess.Popen[bytes] | None, patience: float) -> None:
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
