"""The answer to one question: the question, what of the evidence speaks about it, and what could not be looked at."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.core.tool_calls import unseen
from bot.slack.blocks import Rendered, context, prose, quoted, section, spoken, titled, trim, when
from bot.slack.views.citing import cite, cited_line, described

MOST_LOOKS = 8
"""Looks named where none of them speaks about the question."""


def render(state: Mapping[str, Any]) -> Rendered:
    """`state` is bot.store.slack.message_states' answer: the question, who asked, the answer and the evidence it names."""
    answer = state["answer"]
    asked = f"*{spoken(state['asked_by'], 40)} asked:* {titled(state['question'], 500)}"
    if not answer:
        failed = "The answer failed, and nothing is known of it. Ask again."
        return f"No answer, {state['ref']}: {failed}", [section(f"{asked}\n{failed}")]
    findings = answer["findings"]
    blocks = [
        section(asked),
        section("\n".join([*(_lines(findings) if findings else _nothing(state)), *_unseen(answer["unseen"])])),
        *cited_line(state, (id for finding in (*findings, *answer["unseen"]) for id in finding["evidence"])),
        context(*_small_print(state)),
    ]
    first = findings[0]["lines"][0] if findings else _not_found(state)
    return f"Answer, {state['ref']}: {spoken(first, 300)}", trim(blocks)


def _lines(findings: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for finding in findings:
        show = _written if finding["foreign"] else prose
        first, *more = finding["lines"]
        yield f"• {show(first)}{cite(*finding['evidence'])}"
        yield from (f"   {show(line)}" for line in more)


def _written(text: str) -> str:
    """What users of a service can write stands as their words, not as the bot's."""
    return quoted(text)


def _nothing(state: Mapping[str, Any]) -> Iterable[str]:
    yield f"{_not_found(state)}."
    if looks := list(_looks([state["evidence"][id] for id in state["answer"]["looked_at"] if id in state["evidence"]])):
        more = f" and {len(looks) - MOST_LOOKS} more" if len(looks) > MOST_LOOKS else ""
        yield f"*What was looked at:* {', '.join(looks[:MOST_LOOKS])}{more}"
    if state["ref"].startswith("AL-"):
        yield f"To look anew: {quoted('investigate ' + state['question'], 200)}"


def _not_found(state: Mapping[str, Any]) -> str:
    """Evidence that says nothing is something else than no evidence."""
    if state["answer"]["looked_at"]:
        return "The evidence says nothing about that"
    return f"Not known: nothing {'could be' if state['answer']['unseen'] else 'was'} looked at"


def _looks(entries: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """The kinds of look: one by what it looked at, several by how many services or things they saw."""
    by_tool: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        by_tool.setdefault(str(entry.get("tool", "")), []).append(entry)
    for tool, looks in by_tool.items():
        yield described(looks[0]) if len(looks) == 1 else f"{tool.replace('_', ' ')} ({len(looks)} looks)"


def _unseen(failed: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for finding in failed:
        yield f"*Not seen:* {prose(unseen(finding['lines'][0]))}{cite(*finding['evidence'])}"


def _small_print(state: Mapping[str, Any]) -> Iterable[str]:
    answer: Mapping[str, Any] = state["answer"]
    by_model = answer["by"] == "model"
    yield (
        f"read by {spoken(answer['model'], 60)}, kept what the evidence carries"
        if by_model
        else "found by the words of the question"
    )
    if state["answer_state"] == "failed":
        yield "The model's reading failed; this is from the record."
    elif answer["note"]:
        yield prose(answer["note"], 250)
    if answer["tokens"]:
        yield f"{answer['tokens']} tokens, ${answer['usd']:.3f}"
    seen = f"evidence up to {when(answer['seen_at'])}; " if answer["seen_at"] else ""
    yield f"{seen}nothing was looked at anew and nothing was done"
    yield state["ref"]
