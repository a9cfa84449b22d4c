"""The check of blocks against Slack's limits, and the ids that Slack adds where the app gave none."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from bot.sandbox.workspace.checks import Problems
from bot.sandbox.workspace.elements import IN_ACTIONS, IN_CONTEXT_ACTIONS, IN_INPUT, IN_SECTION, check_element, check_image
from bot.sandbox.workspace.limits import LIMIT
from bot.sandbox.workspace.richtext import check_rich_text

Json = dict[str, Any]
Check = Callable[[Problems, Json, str], None]

_TASK_STATES = ("pending", "in_progress", "complete", "error")


def check_blocks(blocks: object, surface: str, file_exists: Callable[[str], bool], pointer: str = "/blocks") -> list[str]:
    """What Slack would refuse about `blocks` on a `surface` (message, modal, home); an empty list if nothing."""
    problems = Problems(surface, file_exists)
    limit = "message.blocks" if surface == "message" else "view.blocks"
    listed = problems.items(blocks, limit, pointer, at_least=0)
    for index, block in enumerate(listed):
        _check_block(problems, block, f"{pointer}/{index}")
    ids = Counter(block["block_id"] for block in listed if isinstance(block, dict) and block.get("block_id"))
    for block_id in (name for name, times in ids.items() if times > 1):
        problems.add(f"`block_id` {block_id} already exists", pointer)
    if (
        sum(len(str(b.get("text", ""))) for b in listed if isinstance(b, dict) and b.get("type") == "markdown")
        > LIMIT["markdown.text"]
    ):
        problems.add("markdown blocks hold too much text", pointer)
    if sum(isinstance(b, dict) and b.get("type") == "table" for b in listed) > 1:
        problems.add("only one table is allowed", pointer)
    return problems.messages


def _check_block(problems: Problems, block: object, pointer: str) -> None:
    if not isinstance(block, dict):
        problems.add("must provide an object", pointer)
        return
    kind = str(block.get("type"))
    surfaces = BLOCKS.get(kind)
    if surfaces is None or problems.surface not in surfaces[1]:
        problems.add(f"unsupported type: {kind}", f"{pointer}/type")
        return
    if "block_id" in block:
        problems.string(block["block_id"], "block_id", f"{pointer}/block_id")
    surfaces[0](problems, block, pointer)
    for action_id, times in Counter(e["action_id"] for e in elements_of(block) if e.get("action_id")).items():
        if times > 1:
            problems.add(f"`action_id` {action_id} already exists in this block", pointer)


def _header(problems: Problems, block: Json, pointer: str) -> None:
    problems.keys(block, pointer, need=("text",), may=("level",))
    problems.text(block.get("text"), "header.text", f"{pointer}/text", plain=True)


def _section(problems: Problems, block: Json, pointer: str) -> None:
    problems.keys(block, pointer, may=("text", "fields", "accessory", "expand"))
    if "text" not in block and "fields" not in block:
        problems.add("must provide text or fields", pointer)
    if "text" in block:
        problems.text(block["text"], "section.text", f"{pointer}/text")
    if "fields" in block:
        for index, field in enumerate(problems.items(block["fields"], "section.fields", f"{pointer}/fields")):
            problems.text(field, "section.field", f"{pointer}/fields/{index}")
    if "accessory" in block:
        check_element(problems, block["accessory"], f"{pointer}/accessory", IN_SECTION)


def _actions(problems: Problems, block: Json, pointer: str) -> None:
    problems.keys(block, pointer, need=("elements",))
    for index, element in enumerate(problems.items(block.get("elements"), "actions.elements", f"{pointer}/elements")):
        check_element(problems, element, f"{pointer}/elements/{index}", IN_ACTIONS)


def _context_actions(problems: Problems, block: Json, pointer: str) -> None:
    problems.keys(block, pointer, need=("elements",))
    for index, element in enumerate(problems.items(block.get("elements"), "context_actions.elements", f"{pointer}/elements")):
        check_element(problems, element, f"{pointer}/elements/{index}", IN_CONTEXT_ACTIONS)


def _context(problems: Problems, block: Json, pointer: str) -> None:
    problems.keys(block, pointer, need=("elements",))
    for index, element in enumerate(problems.items(block.get("elements"), "context.elements", f"{pointer}/elements")):
        at = f"{pointer}/elements/{index}"
        if isinstance(element, dict) and element.get("type") == "image":
            check_image(problems, element, at)
        else:
            problems.text(element, "context.text", at)


def _divider(problems: Problems, block: Json, pointer: str) -> None:
    problems.keys(block, pointer)


def _image(problems: Problems, block: Json, pointer: str) -> None:
    check_image(problems, block, pointer)
    if "title" in block:
        problems.text(block["title"], "image.title", f"{pointer}/title", plain=True)


def _input(problems: Problems, block: Json, pointer: str) -> None:
    problems.keys(block, pointer, need=("label", "element"), may=("hint", "optional", "dispatch_action"))
    problems.text(block.get("label"), "input.label", f"{pointer}/label", plain=True)
    if "hint" in block:
        problems.text(block["hint"], "input.hint", f"{pointer}/hint", plain=True)
    check_element(problems, block.get("element"), f"{pointer}/element", IN_INPUT)


def _markdown(problems: Problems, block: Json, pointer: str) -> None:
    problems.keys(block, pointer, need=("text",))
    problems.string(block.get("text"), "markdown.text", f"{pointer}/text")


def _table(problems: Problems, block: Json, pointer: str) -> None:
    problems.keys(block, pointer, need=("rows",), may=("column_settings",))
    size = 0
    for index, row in enumerate(problems.items(block.get("rows"), "table.rows", f"{pointer}/rows")):
        for column, cell in enumerate(problems.items(row, "table.columns", f"{pointer}/rows/{index}")):
            at = f"{pointer}/rows/{index}/{column}"
            kind = cell.get("type") if isinstance(cell, dict) else None
            if kind == "rich_text":
                check_rich_text(problems, cell, at)
            elif kind not in ("raw_text", "raw_number"):
                problems.add(f"unsupported type: {kind}", f"{at}/type")
            elif kind == "raw_text" and not cell.get("text"):
                problems.add("must be more than 0 characters", f"{at}/text")
            size += text_size(cell)
    if size > LIMIT["table.text"]:
        problems.add(f"a table holds at most {LIMIT['table.text']} characters", pointer)


def _task_card(problems: Problems, block: Json, pointer: str) -> None:
    problems.keys(block, pointer, need=("task_id", "title"), may=("status", "details", "output", "sources"))
    problems.string(block.get("title"), "task.title", f"{pointer}/title")
    if "status" in block:
        problems.one_of(block["status"], _TASK_STATES, f"{pointer}/status")


def _plan(problems: Problems, block: Json, pointer: str) -> None:
    problems.keys(block, pointer, need=("title",), may=("tasks",))
    problems.string(block.get("title"), "task.title", f"{pointer}/title")
    for index, task in enumerate(problems.items(block.get("tasks", []), "message.blocks", f"{pointer}/tasks", at_least=0)):
        _task_card(problems, task, f"{pointer}/tasks/{index}")


_EVERYWHERE = frozenset({"message", "modal", "home"})
_MESSAGES = frozenset({"message"})

# Video, file, call, card, carousel, container and the data blocks exist in Slack; nothing here needs them, so they are refused.
BLOCKS: dict[str, tuple[Check, frozenset[str]]] = {
    "header": (_header, _EVERYWHERE),
    "section": (_section, _EVERYWHERE),
    "actions": (_actions, _EVERYWHERE),
    "context": (_context, _EVERYWHERE),
    "divider": (_divider, _EVERYWHERE),
    "image": (_image, _EVERYWHERE),
    "input": (_input, _EVERYWHERE),
    "rich_text": (check_rich_text, _EVERYWHERE),
    "context_actions": (_context_actions, _MESSAGES),
    "markdown": (_markdown, _MESSAGES),
    "table": (_table, _MESSAGES),
    "task_card": (_task_card, _MESSAGES),
    "plan": (_plan, _MESSAGES),
}


def elements_of(block: Json) -> Iterator[Json]:
    """The elements of a block that a person can use: of actions, the accessory, the input."""
    candidates = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
    if block.get("type") in ("actions", "context_actions", "section", "input"):
        yield from (element for element in candidates if isinstance(element, dict) and element.get("type") != "image")


def with_ids(blocks: list[Json]) -> list[Json]:
    """The blocks with a `block_id` and `action_id` everywhere, as Slack returns them."""
    for block in blocks:
        block.setdefault("block_id", secrets.token_urlsafe(4))
        for element in elements_of(block):
            element.setdefault("action_id", secrets.token_urlsafe(4))
    return blocks


def text_size(node: object) -> int:
    """The sum of all text in blocks, in characters."""
    if isinstance(node, list):
        return sum(text_size(item) for item in node)
    if isinstance(node, dict):
        return sum(len(v) if k == "text" and isinstance(v, str) else text_size(v) for k, v in node.items())
    return 0
