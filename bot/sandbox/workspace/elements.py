"""What may stand inside a block: buttons, selects, inputs, images, each with Slack's limits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.sandbox.workspace.checks import Problems
from bot.sandbox.workspace.limits import LIMIT

Json = dict[str, Any]
Check = Callable[[Problems, Json, str], None]

_COMMON = ("confirm", "focus_on_load")


def check_element(problems: Problems, element: object, pointer: str, allowed: frozenset[str]) -> None:
    """One element of a block that allows the types in `allowed`."""
    if not isinstance(element, dict):
        problems.add("must provide an object", pointer)
        return
    kind = str(element.get("type"))
    if kind not in allowed or kind not in ELEMENTS:
        problems.add(f"unsupported type: {kind}", f"{pointer}/type")
        return
    if "action_id" in element:
        problems.string(element["action_id"], "action_id", f"{pointer}/action_id")
    if "placeholder" in element:
        problems.text(element["placeholder"], "placeholder", f"{pointer}/placeholder", plain=True)
    if "confirm" in element:
        _confirm(problems, element["confirm"], f"{pointer}/confirm")
    ELEMENTS[kind](problems, element, pointer)


def _confirm(problems: Problems, node: object, pointer: str) -> None:
    if not isinstance(node, dict):
        problems.add("must provide an object", pointer)
        return
    problems.keys(node, pointer, need=("title", "text", "confirm", "deny"), may=("style",))
    problems.text(node.get("title"), "confirm.title", f"{pointer}/title", plain=True)
    problems.text(node.get("text"), "confirm.text", f"{pointer}/text")
    problems.text(node.get("confirm"), "confirm.button", f"{pointer}/confirm", plain=True)
    problems.text(node.get("deny"), "confirm.button", f"{pointer}/deny", plain=True)
    if "style" in node:
        problems.one_of(node["style"], ("primary", "danger"), f"{pointer}/style")


def _button(problems: Problems, node: Json, pointer: str) -> None:
    problems.keys(node, pointer, need=("text",), may=("value", "url", "style", "confirm", "accessibility_label"))
    problems.text(node.get("text"), "button.text", f"{pointer}/text", plain=True)
    if "value" in node:
        problems.string(node["value"], "button.value", f"{pointer}/value", may_be_empty=True)
    if "url" in node:
        problems.string(node["url"], "button.url", f"{pointer}/url")
        if not re.match(r"(https?|mailto|slack)://?", str(node["url"])):
            problems.add("must be a valid URL", f"{pointer}/url")
    if "style" in node:
        problems.one_of(node["style"], ("primary", "danger"), f"{pointer}/style")
    if "accessibility_label" in node:
        problems.string(node["accessibility_label"], "accessibility_label", f"{pointer}/accessibility_label")


def _icon_button(problems: Problems, node: Json, pointer: str) -> None:
    problems.keys(node, pointer, need=("icon", "text"), may=("value", "confirm", "accessibility_label", "visible_to_user_ids"))
    problems.one_of(node.get("icon"), ("trash",), f"{pointer}/icon")
    problems.text(node.get("text"), "button.text", f"{pointer}/text", plain=True)


def _feedback_buttons(problems: Problems, node: Json, pointer: str) -> None:
    problems.keys(node, pointer, need=("positive_button", "negative_button"))
    for name in ("positive_button", "negative_button"):
        button = node.get(name)
        if isinstance(button, dict):
            at = f"{pointer}/{name}"
            problems.keys(button, at, need=("text", "value"), may=("accessibility_label",))
            problems.text(button.get("text"), "button.text", f"{at}/text", plain=True)
            problems.string(button.get("value"), "button.value", f"{at}/value")


def _option(problems: Problems, node: object, pointer: str, *, plain: bool) -> None:
    if not isinstance(node, dict):
        problems.add("must provide an object", pointer)
        return
    problems.keys(node, pointer, need=("text", "value"), may=("description", "url"))
    problems.text(node.get("text"), "option.text", f"{pointer}/text", plain=plain)
    problems.string(node.get("value"), "option.value", f"{pointer}/value")
    if "description" in node:
        problems.text(node["description"], "option.description", f"{pointer}/description", plain=plain)


def _options(problems: Problems, node: Json, pointer: str, limit: str, *, plain: bool = True) -> None:
    options = problems.items(node.get("options"), limit, f"{pointer}/options")
    for index, option in enumerate(options):
        _option(problems, option, f"{pointer}/options/{index}", plain=plain)
    chosen = [node["initial_option"]] if "initial_option" in node else node.get("initial_options", [])
    if any(option not in options for option in chosen):
        problems.add("initial option must be one of the options", f"{pointer}/initial_option")


def _static_select(problems: Problems, node: Json, pointer: str) -> None:
    may = ("options", "option_groups", "initial_option", "initial_options", "max_selected_items", "placeholder", *_COMMON)
    problems.keys(node, pointer, may=may)
    if "option_groups" not in node:
        _options(problems, node, pointer, "select.options")
        return
    for index, group in enumerate(problems.items(node["option_groups"], "select.groups", f"{pointer}/option_groups")):
        at = f"{pointer}/option_groups/{index}"
        problems.text(group.get("label"), "option.text", f"{at}/label", plain=True)
        _options(problems, group, at, "select.options")


def _open_select(*extra: str) -> Check:
    """A select whose options Slack or the app fills in later."""

    def check(problems: Problems, node: Json, pointer: str) -> None:
        problems.keys(node, pointer, may=(*extra, "max_selected_items", "placeholder", *_COMMON))

    return check


def _overflow(problems: Problems, node: Json, pointer: str) -> None:
    problems.keys(node, pointer, need=("options",), may=("confirm",))
    _options(problems, node, pointer, "overflow.options")


def _choices(problems: Problems, node: Json, pointer: str) -> None:
    problems.keys(node, pointer, need=("options",), may=("initial_option", "initial_options", *_COMMON))
    _options(problems, node, pointer, "choices.options", plain=False)


def _picker(initial: str, pattern: str) -> Check:
    """A date or time picker; its initial value has the form `pattern`."""

    def check(problems: Problems, node: Json, pointer: str) -> None:
        problems.keys(node, pointer, may=(initial, "placeholder", "timezone", *_COMMON))
        if initial in node and not re.fullmatch(pattern, str(node[initial])):
            problems.add(f"must match {pattern}", f"{pointer}/{initial}")

    return check


def _text_input(problems: Problems, node: Json, pointer: str) -> None:
    may = ("initial_value", "multiline", "min_length", "max_length", "placeholder", "dispatch_action_config", "focus_on_load")
    problems.keys(node, pointer, may=may)
    longest = node.get("max_length", LIMIT["plain_text_input.max_length"])
    if not isinstance(longest, int) or not 1 <= longest <= LIMIT["plain_text_input.max_length"]:
        problems.add(f"must be between 1 and {LIMIT['plain_text_input.max_length']}", f"{pointer}/max_length")
    elif len(str(node.get("initial_value", ""))) > longest:
        problems.add("must be shorter than max_length", f"{pointer}/initial_value")


def _number_input(problems: Problems, node: Json, pointer: str) -> None:
    may = (
        "is_decimal_allowed",
        "initial_value",
        "min_value",
        "max_value",
        "placeholder",
        "dispatch_action_config",
        "focus_on_load",
    )
    problems.keys(node, pointer, need=("is_decimal_allowed",), may=may)


def _rich_text_input(problems: Problems, node: Json, pointer: str) -> None:
    problems.keys(node, pointer, may=("initial_value", "placeholder", "dispatch_action_config", "focus_on_load"))


def check_image(problems: Problems, node: Json, pointer: str) -> None:
    """An image by address or by an uploaded file, with the text that stands for it."""
    problems.keys(node, pointer, need=("alt_text",), may=("image_url", "slack_file", "title", "image_width", "image_height"))
    problems.string(node.get("alt_text"), "image.alt_text", f"{pointer}/alt_text")
    if ("image_url" in node) == ("slack_file" in node):
        problems.add("must provide exactly one of image_url or slack_file", pointer)
    if "image_url" in node:
        problems.string(node["image_url"], "image.url", f"{pointer}/image_url")
        if not re.match(r"https?://", str(node["image_url"])):
            problems.add("must be a valid URL", f"{pointer}/image_url")
    if "slack_file" in node:
        file = node["slack_file"]
        name = str(file.get("id") or file.get("url") or "") if isinstance(file, dict) else ""
        if not problems.file_exists(name):
            problems.add("invalid slack file", f"{pointer}/slack_file")


ELEMENTS: dict[str, Check] = {
    "button": _button,
    "icon_button": _icon_button,
    "feedback_buttons": _feedback_buttons,
    "image": check_image,
    "static_select": _static_select,
    "multi_static_select": _static_select,
    "external_select": _open_select("initial_option", "min_query_length"),
    "multi_external_select": _open_select("initial_options", "min_query_length"),
    "users_select": _open_select("initial_user"),
    "multi_users_select": _open_select("initial_users"),
    "conversations_select": _open_select(
        "initial_conversation", "default_to_current_conversation", "response_url_enabled", "filter"
    ),
    "multi_conversations_select": _open_select("initial_conversations", "default_to_current_conversation", "filter"),
    "channels_select": _open_select("initial_channel", "response_url_enabled"),
    "multi_channels_select": _open_select("initial_channels"),
    "overflow": _overflow,
    "checkboxes": _choices,
    "radio_buttons": _choices,
    "datepicker": _picker("initial_date", r"\d{4}-\d{2}-\d{2}"),
    "timepicker": _picker("initial_time", r"\d{2}:\d{2}"),
    "datetimepicker": _picker("initial_date_time", r"\d{10}"),
    "plain_text_input": _text_input,
    "email_text_input": _text_input,
    "url_text_input": _text_input,
    "number_input": _number_input,
    "rich_text_input": _rich_text_input,
}

_SELECTS = frozenset(kind for kind in ELEMENTS if kind.endswith("_select"))
_PICKERS = frozenset({"datepicker", "timepicker", "datetimepicker"})
_CHOICES = frozenset({"checkboxes", "radio_buttons"})
_TYPED = frozenset({"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"})

IN_SECTION = _SELECTS | _PICKERS | _CHOICES | {"button", "overflow", "image"}
IN_ACTIONS = _SELECTS | _PICKERS | _CHOICES | {"button", "overflow", "rich_text_input"}
IN_INPUT = _SELECTS | _PICKERS | _CHOICES | _TYPED
IN_CONTEXT_ACTIONS = frozenset({"feedback_buttons", "icon_button"})
