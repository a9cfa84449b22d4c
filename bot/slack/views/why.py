"""The evidence behind one hypothesis: each claim with what was seen and the query anyone can run again."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.slack.blocks import Block, Rendered, context, header, link, prose, quoted, section, trim


def render(state: Mapping[str, Any]) -> Rendered:
    """`state`: ref, n, count, hypothesis, evidence (id -> evidence) and the allowed hosts."""
    hypothesis = state["hypothesis"]
    blocks: list[Block] = [
        header(f"Why {state['n']} of {state['count']}: {hypothesis['confidence']} {hypothesis['score']:.2f}")
    ]
    blocks.append(section(prose(hypothesis["cause"])))
    blocks += [section("\n".join(_claim(state, claim))) for claim in hypothesis["claims"]]
    blocks += [section("\n".join(["*Against:*", *_claim(state, claim)])) for claim in hypothesis["against"]]
    if hypothesis["not_checked"]:
        blocks.append(section("\n".join(["*Not checked:*", *(f"• {prose(line)}" for line in hypothesis["not_checked"])])))
    small = f"{state['ref']}, hypothesis {state['n']} of {state['count']}; `why 2` shows the next"
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
