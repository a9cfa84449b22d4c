"""Modals and home tabs: their limits, their stack of three, their hash."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.workspace.blocks import check_blocks, with_ids
from bot.sandbox.workspace.checks import Problems
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.limits import LIMIT
from bot.sandbox.workspace.people import APP_ID, BOT_ID, TEAM_ID

Json = dict[str, Any]

_MAY = (
    "blocks",
    "private_metadata",
    "callback_id",
    "external_id",
    "title",
    "submit",
    "close",
    "clear_on_close",
    "notify_on_close",
)


def check_view(view: object, file_exists: Callable[[str], bool]) -> Json:
    """The view itself if Slack would take it; otherwise `Refused` with every problem."""
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        raise Refused("invalid_arguments", ["[ERROR] unsupported type [json-pointer:/view/type]"])
    if len(json.dumps(view).encode()) > LIMIT["view.bytes"]:
        raise Refused("view_too_large")
    problems = Problems(str(view["type"]), file_exists)
    modal = view["type"] == "modal"
    problems.keys(view, "/view", need=("blocks", "title") if modal else ("blocks",), may=(*_MAY, "submit_disabled"))
    for name in ("title", "submit", "close"):
        if view.get(name) is not None:
            problems.text(view[name], f"view.{name}", f"/view/{name}", plain=True)
    for name in ("private_metadata", "callback_id"):
        if view.get(name):
            problems.string(view[name], f"view.{name}", f"/view/{name}")
    problems.messages += check_blocks(view.get("blocks"), str(view["type"]), file_exists, "/view/blocks")
    has_input = any(isinstance(block, dict) and block.get("type") == "input" for block in view.get("blocks") or [])
    if modal and has_input and view.get("submit") is None:
        problems.add("submit is required when an input is in blocks", "/view")
    if problems.messages:
        raise Refused("invalid_arguments", problems.messages)
    return view


@dataclass
class View:
    """One modal or home tab as it stands before a person."""

    id: str
    user: str
    doc: Json
    root_id: str
    previous_id: str | None = None
    hash: str = ""
    values: Json = field(default_factory=dict)

    def as_slack(self) -> Json:
        """The view object of payloads and of `views.*`."""
        defaults: Json = {"private_metadata": "", "callback_id": "", "external_id": "", "submit": None, "close": None}
        return {
            **defaults,
            "clear_on_close": False,
            "notify_on_close": False,
            **self.doc,
            "id": self.id,
            "team_id": TEAM_ID,
            "app_id": APP_ID,
            "bot_id": BOT_ID,
            "app_installed_team_id": TEAM_ID,
            "root_view_id": self.root_id,
            "previous_view_id": self.previous_id,
            "hash": self.hash,
            "state": {"values": self.values},
        }


class Views:
    """Every person's stack of modals and their home tab."""

    def __init__(self, file_exists: Callable[[str], bool]) -> None:
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self._file_exists = file_exists

    def open(self, user: str, doc: object) -> View:
        """A new modal for `user`; what was open before is closed, as Slack shows one stack only."""
        view = self._make(user, doc, "modal")
        self.stacks[user] = [view]
        return view

    def push(self, user: str, doc: object) -> View:
        """A modal on top of the open one; refused above three."""
        stack = self.stacks.get(user, [])
        if not stack:
            raise Refused("not_found")
        if len(stack) >= LIMIT["view.stack"]:
            raise Refused("push_limit_reached")
        view = self._make(user, doc, "modal", root_id=stack[0].root_id, previous_id=stack[-1].id)
        stack.append(view)
        return view

    def update(self, view_id: str, external_id: str, doc: object, expected_hash: str) -> View:
        """Replace what an open modal shows; refused when it is gone or was changed since `expected_hash`."""
        view = self.find(view_id, external_id)
        if view is None:
            raise Refused("not_found")
        if expected_hash and expected_hash != view.hash:
            raise Refused("hash_conflict")
        return self._replace(view, check_view(doc, self._file_exists))

    def publish(self, user: str, doc: object, expected_hash: str) -> View:
        """Replace a person's home tab."""
        home = self.homes.get(user)
        if home is None:
            self.homes[user] = self._make(user, doc, "home")
            return self.homes[user]
        if expected_hash and expected_hash != home.hash:
            raise Refused("hash_conflict")
        return self._replace(home, check_view(doc, self._file_exists))

    def find(self, view_id: str, external_id: str = "") -> View | None:
        """An open modal or a home tab by its id or the app's own id."""
        views = [*(view for stack in self.stacks.values() for view in stack), *self.homes.values()]
        for view in views:
            if view.id == view_id or (external_id and view.doc.get("external_id") == external_id):
                return view
        return None

    def top(self, user: str) -> View | None:
        """The modal that `user` sees."""
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def close(self, user: str, *, everything: bool = False) -> list[View]:
        """Close the top modal, or all; the answer is what was closed, the top one first."""
        stack = self.stacks.get(user, [])
        closed = [stack.pop() for _ in range(len(stack) if everything else min(1, len(stack)))]
        if not stack:
            self.stacks.pop(user, None)
        return closed

    def _make(self, user: str, doc: object, kind: str, root_id: str = "", previous_id: str | None = None) -> View:
        checked = check_view(doc, self._file_exists)
        if checked["type"] != kind:
            raise Refused("invalid_arguments", [f"[ERROR] must be a {kind} view [json-pointer:/view/type]"])
        if (external := checked.get("external_id")) and self.find("", str(external)):
            raise Refused("duplicate_external_id")
        view_id = "V" + secrets.token_hex(5).upper()
        return self._replace(View(view_id, user, {}, root_id or view_id, previous_id), checked)

    def _replace(self, view: View, doc: Json) -> View:
        view.doc = {**doc, "blocks": with_ids(doc["blocks"])}
        view.hash = f"{secrets.randbelow(10**10)}.{secrets.token_hex(4)}"
        return view
