"""The triage: one message in the card's thread. Facts first, then ranked causes, then how they were found."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.slack.blocks import (
    Block,
    Rendered,
    actions,
    button,
    context,
    header,
    link,
    picture,
    prose,
    quoted,
    section,
    spoken,
    trim,
    when,
)

MOST_CAUSES = 3
_WORDS = {"facts": "LOOKING", "investigating": "INVESTIGATING", "done": "TRIAGED", "stopped": "STOPPED", "failed": "FAILED"}


def render(state: Mapping[str, Any]) -> Rendered:
    """`state` is bot.store.views' triage: facts, findings, progress and the evidence they name."""
    word = _WORDS[state["triage_state"]]
    if word == "TRIAGED" and not state["findings"]:
        word = "FACTS"
    blocks: list[Block] = [header(f"{word} · {state['ref']} · {spoken(state['service'] or state['title'], 80)}")]
    blocks += _facts(state)
    blocks += _causes(state)
    if running := _progress(state):
        blocks.append(running)
    blocks.append(_controls(state, word))
    return _fallback(state, word), trim([*blocks, _small_print(state, word)])


def _fallback(state: Mapping[str, Any], word: str) -> str:
    first = next(iter(_hypotheses(state)), None)
    if first:
        return f"{word.capitalize()}, {state['ref']}: {first['confidence']} {first['score']:.2f}, {spoken(first['cause'])}"
    return f"{word.capitalize()}, {state['ref']}: {spoken(state['facts'].get('onset_text') or 'looking for the onset')}"


def _hypotheses(state: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = (state["findings"] or {}).get("hypotheses", ())
    return found[:MOST_CAUSES]


# ---------------------------------------------------------------- facts


def _facts(state: Mapping[str, Any]) -> Iterable[Block]:
    facts = state["facts"]
    if not facts:
        yield section("Looking at metrics, changes, alerts and runbooks.")
        return
    yield section("\n".join(_fact_lines(state, facts)))
    if runbook := facts.get("runbook"):
        yield section(_runbook(state, runbook))
    if facts.get("graph"):
        yield picture(facts["graph"])


def _fact_lines(state: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterable[str]:
    onset = f" {when(facts['onset'])}" if facts.get("onset") else ""
    yield f"*Onset:*{onset} {prose(facts.get('onset_text', ''))}{_cite(state, facts.get('onset_evidence'))}"
    yield from _changes(state, facts)
    alerts = [f"{quoted(a['name'], 60)} on {quoted(a['service'] or 'unknown', 40)} ({a['count']})" for a in facts["alerts"][:6]]
    yield f"*Related alerts:* {', '.join(alerts) or 'none'}{_cite(state, facts.get('alerts_evidence'))}"
    for line in facts.get("health", ())[:4]:
        yield f"• {prose(line)}"
    for line in facts.get("not_checked", ())[:4]:
        yield f"• {prose(line)}"


def _changes(state: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterable[str]:
    changes = facts.get("changes", ())
    source = _cite(state, facts.get("changes_evidence"))
    if not changes:
        looked = facts.get("changes_ok", True)
        yield f"*Changed before it:* {'nothing found' if looked else 'could not look'}{source}"
        return
    yield "*Changed before it:*"
    for change in changes[:5]:
        by = f" by {quoted(change['author'], 40)}" if change.get("author") else ""
        what = f"{change['kind']} {quoted(change['service'], 40)} {quoted(change['title'], 100)}{by}"
        yield f"• {change['age_text']}: {what}{_cite(state, change.get('evidence'))}"


def _runbook(state: Mapping[str, Any], runbook: Mapping[str, Any]) -> str:
    title = link(runbook["title"], runbook.get("link", ""), state["hosts"])
    passage = f"\n{quoted(runbook['passage'])}" if runbook.get("passage") else ""
    return f"*Runbook:* {title}{_cite(state, runbook.get('evidence'))}{passage}"


# ---------------------------------------------------------------- causes


def _causes(state: Mapping[str, Any]) -> Iterable[Block]:
    findings = state["findings"]
    if not findings:
        return
    ranked = _hypotheses(state)
    if not ranked:
        yield section("*No cause was found.* What was looked at stands above.")
    for number, hypothesis in enumerate(ranked, 1):
        yield section("\n".join(_cause(state, number, hypothesis)))
    if cleared := findings.get("ruled_out", ())[:4]:
        yield section("\n".join(["*Ruled out:*", *(f"• {_claim(state, claim)}" for claim in cleared)]))
    if open_ := findings.get("not_checked", ())[:5]:
        yield section("\n".join(["*Not checked:*", *(f"• {prose(line)}" for line in open_)]))
    if queries := list(_queries(state, ranked)):
        yield section("\n".join(["*Run it again:*", *queries]))


def _cause(state: Mapping[str, Any], number: int, hypothesis: Mapping[str, Any]) -> Iterable[str]:
    yield f"*{number}. {hypothesis['confidence']} {hypothesis['score']:.2f}:* {prose(hypothesis['cause'])}"
    for claim in hypothesis["claims"][:4]:
        yield f"• {_claim(state, claim)}"
    against = [_claim(state, claim) for claim in hypothesis["against"][:3]]
    yield f"*Against:* {'; '.join(against) or 'nothing found'}"
    if hypothesis["not_checked"]:
        yield f"*Not checked:* {'; '.join(prose(line, 120) for line in hypothesis['not_checked'][:3])}"
    if hypothesis.get("check"):
        yield f"*Would decide it:* {prose(hypothesis['check'], 200)}"


def _claim(state: Mapping[str, Any], claim: Mapping[str, Any]) -> str:
    return prose(claim["text"], 240) + (_cite(state, *claim["evidence"]) if claim["evidence"] else " (unsupported)")


def _cite(state: Mapping[str, Any], *ids: str | None) -> str:
    """` (E1, E4)`, each a link where the evidence has an allowed address."""
    shown = []
    for id in dict.fromkeys(filter(None, ids)):
        entry = state["evidence"].get(id, {})
        target = link(id, entry.get("link", ""), state["hosts"])
        shown.append(target if target.startswith("<") else id)
    return f" ({', '.join(shown)})" if shown else ""


def _queries(state: Mapping[str, Any], ranked: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    cited = dict.fromkeys(id for h in ranked[:1] for claim in h["claims"] for id in claim["evidence"])
    for id in list(cited)[:5]:
        if query := state["evidence"].get(id, {}).get("query"):
            yield f"{id} {quoted(query, 200)}"


# ---------------------------------------------------------------- how it was found


def _progress(state: Mapping[str, Any]) -> Block | None:
    if state["triage_state"] not in ("facts", "investigating") or not state["progress"]:
        return None
    done = sum(step["state"] in ("complete", "error") for step in state["progress"])
    now = state["progress"][-1]
    return context(f"{done} of {len(state['progress'])} checks done; now: {prose(now['text'], 120)}")


def _controls(state: Mapping[str, Any], word: str) -> Block:
    ref = state["ref"]
    running = word in ("LOOKING", "INVESTIGATING")
    again = "Investigate" if word == "FACTS" else "Investigate again"
    return actions(
        button("Why?", "why", ref, spoken_as=f"Evidence behind the causes of {ref}"),
        None if running else button(again, "investigate", ref, spoken_as=f"{again} {ref}"),
        button("Stop", "stop", ref, spoken_as=f"Stop automation for {ref}") if running else None,
    )


def _small_print(state: Mapping[str, Any], word: str) -> Block:
    findings = state["findings"] or {}
    asked = f"asked by {spoken(state['requester'], 40)}: {prose(state['question'], 120)}" if state["question"] else ""
    note = prose(findings.get("note", ""), 250)
    cost = _cost(findings) if findings else ""
    proposals = ", ".join(f"{p['ref']} {p['state']}" for p in state["proposals"])
    return context(
        asked,
        note,
        cost,
        f"Proposals: {proposals}" if proposals else "",
        f"*{word}* {state['ref']}, attempt {state['attempt']}",
    )


def _cost(findings: Mapping[str, Any]) -> str:
    by = f"agent ({spoken(findings['model'], 60)})" if findings["by"] == "agent" else "built-in analyst"
    parts = [f"ranked by the {by}", f"{findings['steps']} steps", f"{findings['seconds']:.0f} s"]
    if findings["tokens"]:
        parts.append(f"{findings['tokens']} tokens, ${findings['usd']:.3f}")
    if findings["stop_reason"]:
        parts.append(f"stopped: {spoken(findings['stop_reason'], 80)}")
    return " · ".join(parts)
