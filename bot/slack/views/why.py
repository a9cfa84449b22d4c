"""The evidence behind one hypothesis: each claim with what was seen and the query anyone can run again."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.slack.blocks import Block, Rendered, context, header, link, prose, quoted, scored, section, trim
from bot.slack.views.citing import cite


def render(state: Mapping[str, Any]) -> Rendered:
    """`state`: ref, n, count, hypothesis, ruled_out (claims), evidence (id -> evidence) and the allowed hosts."""
    hypothesis = state["hypothesis"]
    blocks: list[Block] = [
        header(f"Why {state['n']} of {state['count']}: {scored(hypothesis['confidence'], hypothesis['score'])}")
    ]
    blocks.append(section(prose(hypothesis["cause"])))
    blocks += [section("\n".join(_claim(state, claim))) for claim in hypothesis["claims"]]
    blocks += [section("\n".join(["*Against:*", *_claim(state, claim)])) for claim in hypothesis["against"]]
    if hypothesis["not_checked"]:
        blocks.append(section("\n".join(["*Not checked:*", *(f"• {prose(line)}" for line in hypothesis["not_checked"])])))
    if cleared := state.get("ruled_out", ()):
        lines = (f"• {prose(claim['text'])}{cite(*claim['evidence'])}" for claim in cleared)
        blocks.append(section("\n".join(["*Ruled out:*", *lines])))
    following = f"; `why {state['n'] + 1}` shows the next" if state["n"] < state["count"] else ""
    small = f"{state['ref']}, hypothesis {state['n']} of {state['count']}{following}"
    return f"Evidence for hypothesis {state['n']} of {state['ref']}", trim([*blocks, context(small)])


def _claim(state: Mapping[str, Any], claim: Mapping[str, Any]) -> Iterable[str]:
    yield f"*{prose(claim['text'])}*"
    if not claim["evidence"]:
        yield "unsupported: no evidence was named"
    for id in claim["evidence"]:
        entry = state["evidence"].get(id)
        if entry is None:
            yield f"{id}: not in the record"
            continue
        yield f"{link(id, entry['link'], state['hosts'])} {prose(entry['summary'])}"
        if entry["query"]:
            yield quoted(entry["query"])
