"""One group, incident or proposal in short, with the newest lines of its timeline."""

from collections.abc import Mapping
from typing import Any

from bot.core.alerts.reasons import AlertReasons
from bot.core.evidence import nothing_wrong
from bot.core.text.moments import date_and_clock
from bot.core.text.untrusted import counted
from bot.core.timeline import TimelineEntry
from bot.slack.blocks import Block, Rendered, context, fields, header, named, prose, section, spoken, titled, trim
from bot.slack.views.proposal import word_of

LINES = 12


def render(state: Mapping[str, Any]) -> Rendered:
    """`state`: ref, title, service, severity, word, group, incident, lead, cause, timeline, proposals; reasons and proposal.

    `proposal` is bot.store.slack.message_states' own of the proposal that is shown, None where a group or incident is.
    """
    word, title = _headline(state)
    blocks: list[Block] = [header(title), _facts(state)]
    if findings := state.get("findings"):
        blocks.append(section(findings_line(findings)))
    if reasons := state.get("reasons"):
        blocks += _reasons(reasons)
    entries = state["timeline"]
    lines = [_entry(entry) for entry in entries[-LINES:]]
    earlier = [f"{len(entries) - LINES} earlier"] if len(entries) > LINES else []
    blocks.append(section("\n".join(["*Timeline in UTC, newest last:*", *(earlier + lines or ["nothing yet"])])))
    return title, trim([*blocks, context(f"*{word}* {state['ref']}")])


def _reasons(reasons: AlertReasons) -> list[Block]:
    """Why the alerts stand together, and which others of the service are muted."""
    parts = {
        "Why these alerts are one group": reasons.joined_lines(),
        f"Muted alerts of {spoken(reasons.service, 60)} since then": reasons.muted_lines(),
    }
    return [
        section("\n".join([f"*{title}:*", *(prose(line, 240) for line in lines)])) for title, lines in parts.items() if lines
    ]


def _entry(entry: TimelineEntry) -> str:
    """In UTC, as the moments in its words are."""
    by = f"{spoken(entry.author, 40)}: " if entry.author else ""
    return f"{date_and_clock(entry.at)} {by}{prose(entry.text, 200)}"


def _headline(state: Mapping[str, Any]) -> tuple[str, str]:
    """The state as a word, and the title; a proposal has both of its own."""
    if proposal := state.get("proposal"):
        word = word_of(proposal)
        return word, f"{word} · {state['ref']} · {spoken(proposal['record']['title'], 90)}"
    return state["word"], f"{state['word']} {state['severity']} · {state['ref']} · {spoken(state['title'], 90)}"


def _facts(state: Mapping[str, Any]) -> Block:
    return fields(
        service=named(state["service"], 80) if state["service"] else "",
        belongs_to=", ".join(ref for ref in (state["incident"], state["group"]) if ref != state["ref"]),
        lead=spoken(state["lead"], 40) if state["lead"] else "",
        proposals=", ".join(f"{p['ref']} {p['state']}" for p in state["proposals"] if p["ref"] != state["ref"]),
        cause=titled(state["cause"]) if state["cause"] else "",
    )


def findings_line(findings: Mapping[str, Any]) -> str:
    """The first cause in one line; where there is none, how many looks failed."""
    failed = len(findings.get("not_checked", ()))
    missed = f" {counted(failed, 'look')} failed." if failed else ""
    if well := nothing_wrong(findings):
        return f"*{well}.*{missed}"
    first = next(iter(findings.get("hypotheses", ())), None)
    return f"*{first['confidence'].capitalize()}:* {prose(first['cause'])}" if first else f"*No cause was found.*{missed}"
