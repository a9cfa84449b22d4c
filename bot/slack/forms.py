"""Modals: a verb's Form as a view, and a submitted view as fields again."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.core.text.untrusted import cut
from bot.plugins import Field, FieldErrors, Form
from bot.slack.blocks import Block, View, code, section
from bot.slack.limits import LIMIT
from bot.slack.untrusted_text import prose

CALLBACK = "form"


@dataclass(frozen=True)
class Origin:
    """Where a modal was opened, so that its submission can be answered there; travels in private_metadata."""

    verb: str
    ref: str = ""
    revision: int | None = None
    channel: str = ""
    thread: str = ""
    open_thread: str = ""

    def dump(self) -> str:
        """As private_metadata."""
        return json.dumps(self.__dict__, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> "Origin":
        """From private_metadata; raises ValueError for what no form of this bot holds."""
        origin = json.loads(text)
        if not isinstance(origin, dict) or not {"verb"} <= origin.keys() <= cls.__dataclass_fields__.keys():
            raise ValueError("not a form of this bot")
        return cls(**origin)


def form_view(form: Form, *, channel: str, thread: str, open_thread: str = "", called: Collection[str] = ()) -> View:
    """A Form as a modal; addresses of the hosts `called` stand as they are in its code."""
    origin = Origin(form.verb, form.ref, form.revision, channel, thread, open_thread)
    blocks: list[Block] = [section(lines(form.intro))] if form.intro else []
    blocks += [code(form.code, called)] if form.code else []
    blocks += [_input(field) for field in form.fields]
    return {
        **_frame(form.title, blocks or [section("Nothing to fill in.")], close="Cancel"),
        "submit": _plain(form.submit, LIMIT["view.button"]),
        "private_metadata": origin.dump(),
    }


def text_view(title: str, text: str, blocks: Sequence[Block] = ()) -> View:
    """A modal that only says something."""
    return _frame(title, [*blocks] or [section(lines(text))], close="Close")


def loading_view(title: str) -> View:
    """Opened at once, because a trigger lives three seconds and the work may take longer."""
    return _frame(title, [section("Loading...")], close="Close")


def lines(text: str) -> str:
    """A verb's plain text answer as mrkdwn: its lines stay, everything else in it is untrusted."""
    return "\n".join(prose(line, 10_000) for line in text.split("\n"))


def submitted(view: View) -> dict[str, str]:
    """The fields of a submitted view by name."""
    values: dict[str, str] = {}
    for name, inputs in view["state"]["values"].items():
        element = next(iter(inputs.values()))
        option = element.get("selected_option") or {}
        values[name] = str(element.get("value") or option.get("value") or "")
    return values


def errors_of(answer: FieldErrors, view: View) -> dict[str, str]:
    """Errors by input. Slack refuses unknown inputs, so what belongs to none stands at the first."""
    inputs = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    errors: dict[str, str] = {}
    for name, text in answer.errors.items():
        block_id = name if name in inputs or not inputs else inputs[0]
        errors[block_id] = cut(f"{errors[block_id]} {text}" if block_id in errors else text, 1000)
    return errors


def _input(field: Field) -> Block:
    block: Block = {
        "type": "input",
        "block_id": field.name,
        "optional": field.optional,
        "label": _plain(field.label, LIMIT["input.label"]),
        "element": _select(field) if field.kind == "select" else _text_input(field),
    }
    if field.hint:
        block["hint"] = _plain(field.hint, LIMIT["input.label"])
    return block


def _text_input(field: Field) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": "value", "multiline": field.kind == "long", "max_length": 3000}
    if field.value:
        element["initial_value"] = cut(field.value, LIMIT["input.text"])
    return element


def _select(field: Field) -> Block:
    options = [_option(value, label) for value, label in field.options][: LIMIT["options"]]
    element: Block = {"type": "static_select", "action_id": "value", "options": options}
    if chosen := next((option for option in options if option["value"] == field.value), None):
        element["initial_option"] = chosen
    return element


def _option(value: str, label: str) -> Block:
    return {"text": _plain(label, LIMIT["option"]), "value": value[: LIMIT["option.value"]]}


def _frame(title: str, blocks: list[Block], *, close: str) -> View:
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": _plain(title, LIMIT["view.title"]),
        "close": _plain(close, LIMIT["view.button"]),
        "blocks": blocks[: LIMIT["view.blocks"]],
    }


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": cut(text, limit) or "-", "emoji": False}
