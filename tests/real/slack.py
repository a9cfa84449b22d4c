"""Slack's stand-in as a process of its own, and the people in it: what they see and what they do."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.real import PATIENCE
from tests.real.processes import Process, clean_environment, until

Json = dict[str, Any]

ON_CALL, COMMANDER, DEVELOPER, OWNER = "U1", "U2", "U3", "U5"
"""alice, bob, carol, guest, dave."""


PATIENT = {"ack_s": PATIENCE, "trigger_s": PATIENCE}
"""Slack waits three seconds for an acknowledgement. A slow machine must not fail a test: how long it took is a figure."""


class NothingThere(AssertionError):
    """What somebody wanted to press or to send is not there: the message was edited in between, or another dialog opened."""


class Slack:
    """The sandbox. `addresses` is what it printed; people act and look through its control API."""

    def __init__(self, folder: Path, *arguments: str, name: str = "sandbox") -> None:
        command = [sys.executable, "-m", "bot.sandbox", "--dir", str(folder / "shop"), *arguments]
        self.process = Process(name, command, folder, clean_environment())
        self.addresses: Json = {}
        self.http = httpx.Client(timeout=PATIENCE, trust_env=False)

    def start(self) -> "Slack":
        self.process.start()
        line = until(self._ready_line, PATIENCE, "the sandbox's line of addresses")
        if not self.process.alive:
            raise AssertionError(f"the sandbox ended:\n{self.process.tail()}")
        self.addresses = json.loads(line)
        self.post("limits", PATIENT)
        return self

    def _ready_line(self) -> str:
        if not self.process.alive:
            return "{}"
        return next((line for line in self.process.tail(100_000).splitlines() if line.startswith("{")), "")

    def stop(self) -> None:
        self.http.close()
        self.process.stop(5)

    # ------------------------------------------------------------ looking

    def get(self, what: str, **query: Any) -> Json:
        """One of the control API's views."""
        answer = self.http.get(f"{self.addresses['control']}/{what}", params=query)
        answer.raise_for_status()
        return dict(answer.json())

    def messages(self, **query: str) -> list[Json]:
        return list(self.get("messages", **query)["messages"])

    def of(self, prefix: str, **query: str) -> list[Json]:
        """The bot's messages whose key begins so, oldest first."""
        return [m for m in self.messages(**query) if key_of(m).startswith(prefix)]

    def wait(self, prefix: str, *words: str, seconds: float = PATIENCE) -> Json:
        """The first message of this key that holds all these words."""

        def look() -> Json | None:
            fitting = (m for m in self.of(prefix) if all(word.lower() in m["words"].lower() for word in words))
            return next(fitting, None)

        try:
            found: Json = until(look, seconds, f"a message {prefix} with {words}")
        except AssertionError as error:
            seen = "\n---\n".join(f"{key_of(m)}: {m['words']}" for m in self.messages())[-6000:]
            raise AssertionError(f"{error}; Slack shows:\n{seen}") from None
        return found

    def private(self, user: str, *words: str, after: str = "", seconds: float = PATIENCE) -> Json:
        """The newest that only somebody reads, with these words: a message, or the dialog into which a slow bot puts it."""

        def look() -> Json | None:
            found = self.get("ephemerals", user=user, after=after)["ephemerals"]
            dialogs = [view for view in self.get("views", user=user)["views"] if not view.get("submit")]
            found += [{"words": json.dumps(view["blocks"], ensure_ascii=False)} for view in dialogs]
            return next((e for e in reversed(found) if all(w.lower() in e["words"].lower() for w in words)), None)

        found: Json = until(look, seconds, f"a private message to {user} with {words}")
        return found

    def view(self, user: str, seconds: float = PATIENCE) -> Json:
        """The modal before somebody, once it is no longer loading."""

        def look() -> Json | None:
            views = self.get("views", user=user)["views"]
            return views[-1] if views and views[-1].get("submit") else None

        found: Json = until(look, seconds, f"a modal before {user}")
        return found

    # ------------------------------------------------------------ acting

    def post(self, what: str, body: Any) -> Json:
        answer = self.http.post(f"{self.addresses['control']}/{what}", json=body)
        told = f"{what} {body}: {answer.text[:500]}"
        if any(f'"{gone}"' in answer.text for gone in ("no_such_control", "no_open_view")):
            raise NothingThere(told)
        assert answer.status_code == 200, told
        return dict(answer.json())

    def act(self, user: str, **act: Any) -> Json:
        """Act as one person; what the sandbox says of it, with `acked` and `acked_ms`."""
        return self.post("act", {"as": user, **act})

    def press(self, user: str, message: Json, action: str) -> Json:
        return self.act(user, press={"channel": message["channel"], "ts": message["ts"], "action_id": action})

    def submit(self, user: str, **values: str) -> Json:
        """Fill in and send the modal before somebody; only the inputs it has."""
        view = self.view(user)
        known = {block["block_id"] for block in view["blocks"] if block.get("type") == "input"}
        chosen = {name: text for name, text in values.items() if name in known}
        return self.act(user, submit={"view": view["id"], "values": chosen})

    def command(self, user: str, channel: str, text: str) -> Json:
        return self.act(user, command={"channel": channel, "command": "/incident", "text": text})

    # ------------------------------------------------------------ the world behind it

    def world(self, path: str, body: Json | None = None) -> Any:
        """`/_world/<path>`: read, or change with a body."""
        url = self.addresses["page"] + "_world/" + path
        answer = self.http.get(url) if body is None else self.http.post(url, json=body)
        answer.raise_for_status()
        return answer.json()


def key_of(message: Json) -> str:
    """The bot's key of a message; "" for anybody else's."""
    return str(((message.get("metadata") or {}).get("event_payload") or {}).get("key", ""))
