"""The bot as a process of its own: `python -m bot.cli serve`, configured as a person would, or another entry for tests."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.real import PATIENCE, free_port
from tests.real.processes import Process, clean_environment, until
from tests.real.slack import Json, Slack

API_TOKEN = "api-token-of-tests"
AUDIT_KEY = "audit-key-of-tests"
T = TypeVar("T")
SERVE = (sys.executable, "-m", "bot.cli", "serve")


def until_answered(ask: Callable[[], T], seconds: float, what: str) -> T:
    """The answer, also of a bot that is away for a while. Raises AssertionError with `what` after `seconds`."""
    answers: list[T] = []

    def look() -> bool:
        with suppress(httpx.TransportError):
            answers.append(ask())
        return bool(answers)

    until(look, seconds, what)
    return answers[0]


class Bot:
    """One bot beside one Slack. `mode` is socket or http; `forked` makes its process in another way than by `command`."""

    def __init__(
        self,
        folder: Path,
        slack: Slack,
        config: Path,
        *,
        port: int = 0,
        database_url: str = "",
        mode: str = "socket",
        model_url: str = "",
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = SERVE,
        forked: Callable[[str, Path, Mapping[str, str]], Process] | None = None,
        name: str = "bot",
    ) -> None:
        self.slack, self.mode = slack, mode
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        told = slack.addresses
        settings = {
            "TOCSIN_CONFIG": str(config),
            "TOCSIN_DATA_DIR": str(folder / "data"),
            "TOCSIN_PORT": str(self.port),
            "TOCSIN_SLACK_API_URL": told["slack"],
            "TOCSIN_SLACK_BOT_TOKEN": told["bot_token"],
            "TOCSIN_SLACK_SIGNING_SECRET": told["signing_secret"],
            "TOCSIN_TOKEN_API": API_TOKEN,
            **({"TOCSIN_SLACK_APP_TOKEN": told["app_token"]} if mode == "socket" else {}),
            **({"TOCSIN_DATABASE_URL": database_url, "TOCSIN_AUDIT_KEY": AUDIT_KEY} if database_url else {}),
            **({"TOCSIN_MODEL": "scripted", "OPENAI_BASE_URL": f"{model_url}/v1", "OPENAI_API_KEY": "k"} if model_url else {}),
        }
        self.environment = clean_environment(**settings, **(environment or {}))
        self.process = forked(name, folder, self.environment) if forked else Process(name, command, folder, self.environment)
        self._upgraded = not database_url
        self.http = httpx.Client(timeout=PATIENCE, trust_env=False)

    def prepare(self) -> None:
        """Bring the database up to date. SQLite is that by itself; with PostgreSQL a person does it once."""
        if not self._upgraded:
            command = [sys.executable, "-m", "bot.cli", "db", "upgrade"]
            subprocess.run(command, env=self.environment, check=True, capture_output=True)
            self._upgraded = True

    def start(self, seconds: float = PATIENCE) -> float:
        """Start and wait until it is ready and Slack reaches it; the seconds it took."""
        self.prepare()
        self.process.start()
        if self.mode == "http":
            self.slack.post("delivery", {"mode": "http", "bot_url": self.url})
        took = self.process.ready(f"{self.url}/readyz", seconds)
        if self.mode == "socket":
            until(lambda: self.slack.get("state")["connections"], PATIENCE, "the bot's socket")
        return took

    def stop(self) -> None:
        self.http.close()
        self.process.stop()

    def get(self, path: str, *, missing: Any = None) -> Any:
        """`/api/<path>` as JSON; `missing` for a 404."""
        answer = self.http.get(f"{self.url}/api/{path}", headers={"Authorization": f"Bearer {API_TOKEN}"})
        if answer.status_code == 404:
            return missing
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    def post(self, path: str, body: Any, token: str) -> httpx.Response:
        """POST a body with a bearer token."""
        return self.http.post(f"{self.url}{path}", json=body, headers={"Authorization": f"Bearer {token}"})

    def proposal(self, ref: str) -> Json:
        """A proposal as the API knows it now, with its `decisions`; empty while it is not known."""
        found = self.get(f"proposals/{ref}", missing={})
        return {**found["proposal"], "decisions": found["decisions"]} if found else {}
