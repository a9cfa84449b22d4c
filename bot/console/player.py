"""Plays people in the sandbox: reads messages, presses buttons, submits modals, waits."""

import time
from typing import Any, NotRequired, TypedDict

import httpx

from bot.core.errors import TocsinError


class _Payload(TypedDict, total=False):
    key: str


class _Metadata(TypedDict, total=False):
    event_payload: _Payload | None


class Message(TypedDict):
    """A message as the sandbox lists it."""

    channel: str
    ts: str
    text: str
    words: str
    metadata: NotRequired[_Metadata | None]


class Player:
    """Acts for people in the sandbox's workspace, over its control API."""

    def __init__(self, client: httpx.Client, control: str) -> None:
        self.client = client
        self.control = control

    def messages(self) -> list[Message]:
        """All messages, oldest first."""
        return self._get("messages")["messages"]  # type: ignore[no-any-return]

    def names(self) -> dict[str, str]:
        """People and channels by their Slack id."""
        entries = [*self._get("people")["people"], *self._get("channels")["channels"]]
        return {entry["id"]: entry["name"] for entry in entries}

    def by_key(self, prefix: str) -> list[Message]:
        """Messages of the bot whose key begins so (`card:`, `triage:`, `proposal:`, `postmortem:`)."""
        return [m for m in self.messages() if key_of(m).startswith(prefix)]

    def wait(self, prefix: str, *, holds: str = "", but: str = "", seconds: float = 30) -> Message | None:
        """The first message of this key that holds a word (and does not hold another); None when the time is up."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for message in self.by_key(prefix):
                if holds.lower() in message["words"].lower() and not (but and but.lower() in message["words"].lower()):
                    return message
            time.sleep(0.1)
        return None

    def press(self, person: str, message: Message, action: str) -> dict[str, object]:
        """Press a button of a message."""
        press = {"channel": message["channel"], "ts": message["ts"], "action_id": action}
        return self._act({"as": person, "press": press})

    def submit(self, person: str, values: dict[str, str], *, seconds: float = 10) -> dict[str, object]:
        """Fill in and send the modal that stands before a person, once it is no longer loading."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            views = self._get("views", user=person)["views"]
            if views and views[-1].get("submit"):
                inputs = {b["block_id"] for b in views[-1]["blocks"] if b.get("type") == "input"}
                chosen = {name: text for name, text in values.items() if name in inputs}
                return self._act({"as": person, "submit": {"values": chosen}})
            time.sleep(0.1)
        raise TocsinError(f"no modal opened before {person}")

    def command(self, person: str, channel: str, text: str) -> dict[str, object]:
        """A slash command."""
        return self._act({"as": person, "command": {"channel": channel, "command": "/incident", "text": text}})

    def private(self, person: str, after: str = "", *, seconds: float = 5) -> Message | None:
        """The newest private answer to a person; waits for one."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answers = self._get("ephemerals", user=person, after=after)["ephemerals"]
            if answers:
                return answers[-1]  # type: ignore[no-any-return]
            time.sleep(0.1)
        return None

    def _get(self, what: str, **query: str) -> Any:  # Any: the JSON of an answer
        answer = self.client.get(f"{self.control}/{what}", params=query)
        answer.raise_for_status()
        return answer.json()

    def _act(self, act: dict[str, object]) -> dict[str, object]:
        answer = self.client.post(f"{self.control}/act", json=act)
        if answer.status_code != 200:
            raise TocsinError(f"the sandbox refused an act: {answer.text[:300]}")
        return answer.json()  # type: ignore[no-any-return]


def key_of(message: Message) -> str:
    """The bot's key of a message; "" for anybody else's."""
    return str(((message.get("metadata") or {}).get("event_payload") or {}).get("key", ""))
