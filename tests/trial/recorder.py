"""Every version of every message that Slack's stand-in showed, with the moment at which it stood there first."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from bot.console.player import key_of


@dataclass(frozen=True)
class Version:
    """What people saw from `at` (Unix seconds) on."""

    at: float
    posted_at: float
    channel: str
    ts: str
    key: str
    thread: str
    text: str
    """The notification."""
    words: str
    pings: tuple[str, ...]
    """Who was notified when it was posted; edits notify nobody."""

    @property
    def posted(self) -> bool:
        """Whether this is the message as it was posted, not an edit."""
        return self.at == self.posted_at


class Recorder:
    """`with Recorder(control) as seen:` follows the stream; `seen.versions` grows."""

    def __init__(self, control: str) -> None:
        self.control = control
        self.versions: list[Version] = []
        self.client = httpx.Client(timeout=httpx.Timeout(10, read=60), trust_env=False)
        self._thread = threading.Thread(target=self._follow, daemon=True, name="recorder")
        self._ready = threading.Event()
        self._ended = threading.Event()

    def __enter__(self) -> "Recorder":
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the sandbox's stream of changes did not begin within 10 s")
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self.client.close()

    def _follow(self) -> None:
        try:
            with self.client.stream("GET", f"{self.control}/stream") as lines:
                for change in self._changes(lines.iter_lines()):
                    if change.get("kind") == "message" and (version := version_of(change["message"])):
                        self.versions.append(version)
        except (httpx.HTTPError, RuntimeError):
            # Closed from the other thread, or the sandbox ended before us; one that broke in the middle leaves outages untold.
            if not self._ended.is_set():
                raise

    def _changes(self, lines: Iterator[str]) -> Iterator[dict[str, Any]]:
        for line in lines:
            self._ready.set()
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def version_of(message: dict[str, Any]) -> Version | None:
    """The bot's message as it stands; None for anybody else's."""
    key = key_of(message)  # type: ignore[arg-type]
    if not key:
        return None
    at = (message["edited_at"] or [message["posted_at"]])[-1]
    thread = str(message.get("thread_ts") or message["ts"])
    said = str(message.get("text", "")), str(message["words"]), tuple(message["pings"])
    return Version(at, message["posted_at"], message["channel"], message["ts"], key, thread, *said)
