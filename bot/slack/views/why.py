"""The evidence behind one hypothesis: its claims, then each piece of evidence once with the query anyone can run again."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.core.tool_calls import unseen
from bot.slack.blocks import Block, Rendered, code, context, header, prose, section, trim
from bot.slack.untrusted_text import allowed_address
from bot.slack.views.citing import cite


def render(state: Mapping[str, Any]) -> Rendered:
    """`state`: ref, n, count, hypothesis, ruled_out (claims), evidence (id -> evidence) and the allowed hosts."""
    hypothesis = state["hypothesis"]
    following = f"; `why {state['n'] + 1}` shows the next" if state["n"] < state["count"] else ""
    blocks = [
        header(f"Why {state['n']} of {state['count']}: {hypothesis['confidence'].capitalize()}"),
        section("\n".join(_statements(hypothesis, state.get("ruled_out", ())))),
        *_evidence(state),
        context(state["ref"] + following),
    ]
    return f"Evidence for hypothesis {state['n']} of {state['ref']}", trim(blocks)


def _statements(hypothesis: Mapping[str, Any], ruled_out: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    yield f"*{prose(hypothesis['cause'])}*"
    yield from (f"• {_claim(claim)}" for claim in hypothesis["claims"])
    yield from (f"*Against:* {_claim(claim)}" for claim in hypothesis["against"])
    yield from (f"*Not checked:* {prose(unseen(line))}" for line in hypothesis["not_checked"])
    yield from (f"*Ruled out:* {_claim(claim)}" for claim in ruled_out)


def _claim(claim: Mapping[str, Any]) -> str:
    return prose(claim["text"]) + (cite(*claim["evidence"]) or " (unsupported: no evidence was named)")


def _evidence(state: Mapping[str, Any]) -> Iterable[Block]:
    hypothesis = state["hypothesis"]
    claims = (*hypothesis["claims"], *hypothesis["against"])
    for id in dict.fromkeys(id for claim in claims for id in claim["evidence"]):
        entry = state["evidence"].get(id)
        if entry is None:
            yield section(f"*{prose(id, 12)}*: not in the record")
            continue
        address = allowed_address(entry["link"], state["hosts"])
        yield section(f"*{f'<{address}|{id}>' if address else id}* {prose(entry['summary'])}")
        if entry["query"]:
            # A look at a whole service asks several queries; each on its own line can be run alone.
            yield code(entry["query"].replace("; ", "\n"))
