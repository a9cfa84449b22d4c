"""The triage: one message in the card's thread. Facts first; once causes stand, the first cause leads and the facts shrink."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.core.action import WITHOUT_EFFECT
from bot.core.change import kind_in_words
from bot.core.evidence import nothing_wrong
from bot.core.text.moments import clock
from bot.core.text.untrusted import counted
from bot.core.tool_calls import unseen
from bot.slack.blocks import (
    Block,
    Rendered,
    actions,
    button,
    context,
    header,
    named,
    picture,
    prose,
    section,
    spoken,
    titled,
    trim,
)
from bot.slack.views.citing import cite, cited_line

MOST_CAUSES = 3
MOST_CHANGES = 3
MOST_UNSEEN = 4
"""Failed looks told one by one; the rest is counted."""
_WORDS = {"facts": "LOOKING", "investigating": "INVESTIGATING", "done": "TRIAGED", "stopped": "STOPPED", "failed": "FAILED"}


def render(state: Mapping[str, Any]) -> Rendered:
    """`state` is bot.store.slack.message_states' triage: facts, findings, checks and the evidence they name."""
    word = _WORDS[state["triage_state"]]
    if word == "TRIAGED" and not state["findings"]:
        word = "FACTS"
    blocks: list[Block] = [header(f"{word} · {state['ref']} · {spoken(state['service'] or state['title'], 80)}")]
    blocks += _with_causes(state) if state["findings"] else _facts_alone(state)
    if state.get("no_proposal") and not _stands(state["proposals"]):
        blocks.append(section(prose(state["no_proposal"], 300)))
    if running := _progress(state):
        blocks.append(running)
    blocks.append(_controls(state, word))
    return _fallback(state, word), trim([*blocks, _small_print(state, word)])


def _stands(proposals: Sequence[Mapping[str, Any]]) -> bool:
    """Whether something is put to people or was run: then an older attempt's reason for nothing would only confuse."""
    return any(proposal["state"] not in WITHOUT_EFFECT for proposal in proposals)


def _fallback(state: Mapping[str, Any], word: str) -> str:
    first = next(iter(_hypotheses(state)), None)
    if well := nothing_wrong(state["findings"]):
        return f"{word.capitalize()}, {state['ref']}: {well}"
    if first:
        return f"{word.capitalize()}, {state['ref']}: {first['confidence']}, {spoken(first['cause'])}"
    return f"{word.capitalize()}, {state['ref']}: {spoken(state['facts'].get('onset_text') or 'the facts follow in seconds')}"


def _hypotheses(state: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = (state["findings"] or {}).get("hypotheses", ())
    return found[:MOST_CAUSES]


# ---------------------------------------------------------------- facts


def _facts_alone(state: Mapping[str, Any]) -> Iterable[Block]:
    facts = state["facts"]
    if not facts:
        yield section("Looking at metrics, changes, alerts and runbooks.")
        return
    lines = [
        _onset(facts),
        *_changes(state, facts),
        _alerts(facts, 6),
        *_health(facts),
        _runbook(facts, whole=True),
        _past(facts),
    ]
    yield section("\n".join(filter(None, lines)))
    yield from _graph(facts)
    yield from cited_line(state, _cited_by_facts(facts))


def _graph(facts: Mapping[str, Any]) -> Iterable[Block]:
    if facts.get("graph"):
        yield picture(facts["graph"])


def _onset(facts: Mapping[str, Any]) -> str:
    if not facts.get("onset"):
        return prose(facts.get("onset_text", ""))
    # In UTC, as the claims and the graph tell it: the reader compares them.
    onset = datetime.fromisoformat(facts["onset"])
    return f"*Onset:* {clock(onset)} · {prose(facts.get('main') or facts.get('onset_text', ''))}"


def _health(facts: Mapping[str, Any]) -> Iterable[str]:
    yield from (f"• {prose(line)}" for line in facts.get("health", ())[:3])
    missed = facts.get("not_checked", ())
    yield from (f"*Not checked:* {prose(unseen(line))}" for line in missed[:MOST_UNSEEN])
    if len(missed) > MOST_UNSEEN:
        yield f"*Not checked:* {len(missed) - MOST_UNSEEN} more"


def _changes(state: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterable[str]:
    source = cite(facts.get("changes_evidence"))
    ordered = _nearest(state, facts.get("changes", ()))
    if not ordered:
        yield f"*Changes:* {_no_change(facts)}{source}"
        return
    yield f"*Changes:*{source}"
    yield from (f"• {change['age_text']}: {_change(change)}" for change in ordered[:MOST_CHANGES])
    if len(ordered) > MOST_CHANGES:
        yield f"• {len(ordered) - MOST_CHANGES} more"


def _no_change(facts: Mapping[str, Any]) -> str:
    """None found is said of a whole look alone."""
    if not facts.get("changes_ok", True):
        return "could not look"
    return "none found in what could be looked at" if facts.get("changes_partly") else "none found"


def _change(change: Mapping[str, Any]) -> str:
    version = f" {named(change['version'], 30)}" if change.get("version") else ""
    title = f" {titled(change['title'], 80)}" if change["title"] else ""
    by = f" by {named(change['author'], 40)}" if change.get("author") else ""
    return f"{kind_in_words(change['kind'])} of {named(change['service'], 40)}{version}{title}{by}"


def _nearest(state: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of the suspects' services first, the nearest to the onset first (the order they come in)."""
    suspects = {hypothesis["service"] for hypothesis in _hypotheses(state)}
    return sorted(changes, key=lambda change: change["service"] not in suspects)


def _alerts(facts: Mapping[str, Any], most: int) -> str:
    alerts = facts["alerts"]
    shown = [f"{named(a['name'], 60)} on {named(a['service'] or 'unknown', 40)} ({a['count']})" for a in alerts[:most]]
    more = f" and {counted(len(alerts) - most, 'more kind')}" if len(alerts) > most else ""
    return f"*Related alerts:* {', '.join(shown) or 'none'}{more}{cite(facts.get('alerts_evidence'))}"


def _runbook(facts: Mapping[str, Any], *, whole: bool) -> str:
    if not (runbook := facts.get("runbook")):
        return ""
    passage = f": {titled(runbook['passage'])}" if whole and runbook.get("passage") else ""
    return f"*Runbook:* {named(runbook['title'], 100)}{cite(runbook.get('evidence'))}{passage}"


def _past(facts: Mapping[str, Any]) -> str:
    """A lead from before, never a cause of now."""
    past = facts.get("past")
    return f"*Before:* {prose(past['text'], 300)}{cite(past['evidence'])}" if past else ""


def _cited_by_facts(facts: Mapping[str, Any]) -> list[str]:
    advice = [(facts.get(name) or {}).get("evidence") for name in ("runbook", "past")]
    return [id for id in (*(facts.get(f"{name}_evidence") for name in ("onset", "changes", "alerts")), *advice) if id]


# ---------------------------------------------------------------- causes


def _with_causes(state: Mapping[str, Any]) -> Iterable[Block]:
    """The first cause, the graph, what else was weighed, then the facts in short."""
    facts, findings, ranked = state["facts"], state["findings"], _hypotheses(state)
    healthy = nothing_wrong(findings)
    if healthy:
        yield section(_healthy(findings))
    elif ranked:
        yield section("\n".join(_first_cause(ranked[0])))
    else:
        yield section("*No cause was found:* nothing that was looked at explains it.")
    yield from _graph(facts)
    if weighed := [*_other_causes(ranked, 0 if healthy else 1), *_cleared(findings), *_open(findings, ranked)]:
        yield section("\n".join(weighed))
    if facts:
        lines = (_onset(facts), _changed(state, facts), _alerts(facts, 3), _runbook(facts, whole=False), _past(facts))
        yield section("\n".join(filter(None, lines)))
    yield from cited_line(state, [*_cited_by_findings(findings, ranked), *_cited_by_facts(facts)])


def _healthy(findings: Mapping[str, Any]) -> str:
    """What was looked at is well; where a look failed that is no all-clear, and the first words say so."""
    because = "; ".join(map(_claim, findings.get("because", ())[:1]))
    if failed := len(findings.get("not_checked", ())):
        return f"*{nothing_wrong(findings)}, which is no all-clear:* {counted(failed, 'look')} failed. {because}"
    return f"*{nothing_wrong(findings)}.* {because}"


def _first_cause(hypothesis: Mapping[str, Any]) -> Iterable[str]:
    yield f"*{hypothesis['confidence'].capitalize()}:* {prose(hypothesis['cause'])}"
    for claim in hypothesis["claims"][:4]:
        yield f"• {_claim(claim)}"
    yield f"*Against:* {'; '.join(map(_claim, hypothesis['against'][:3])) or 'nothing found'}"
    if hypothesis["not_checked"]:
        shown = [prose(unseen(line), 160) for line in hypothesis["not_checked"][:MOST_UNSEEN]]
        yield f"*Not checked:* {'; '.join(shown)}{_and_more(len(hypothesis['not_checked']) - MOST_UNSEEN)}"
    if hypothesis.get("check"):
        yield f"*Would decide it:* {prose(hypothesis['check'], 200)}"


def _other_causes(ranked: Sequence[Mapping[str, Any]], told: int) -> Iterable[str]:
    """One line for each cause behind the `told` first ones."""
    for number, hypothesis in enumerate(ranked[told:], told + 1):
        against = next(iter(hypothesis["against"]), None)
        but = f". Against: {_claim(against, 160)}" if against else ""
        yield f"*{number}. {hypothesis['confidence'].capitalize()}:* {prose(hypothesis['cause'], 160)}{but}"


def _cleared(findings: Mapping[str, Any]) -> Iterable[str]:
    cleared = findings.get("ruled_out", ())
    yield from (f"*Ruled out:* {_claim(claim, 200)}" for claim in cleared[:2])
    if len(cleared) > 2:
        yield f"{len(cleared) - 2} more ruled out, named behind Why?"


def _open(findings: Mapping[str, Any], ranked: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """What else could not be looked at: the first cause names its own."""
    told = () if nothing_wrong(findings) else [line for one in ranked[:1] for line in one["not_checked"]]
    lines = [line for line in findings.get("not_checked", ()) if line not in told]
    yield from (f"*Not checked:* {prose(unseen(line), 160)}" for line in lines[:MOST_UNSEEN])
    if len(lines) > MOST_UNSEEN:
        yield f"*Not checked:* {len(lines) - MOST_UNSEEN} more"


def _and_more(number: int) -> str:
    return f"; {number} more" if number > 0 else ""


def _changed(state: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """The changes as one line."""
    ordered = _nearest(state, facts.get("changes", ()))
    shown = [f"{kind_in_words(c['kind'])} of {named(c['service'], 40)} {c['age_text']}" for c in ordered[:MOST_CHANGES]]
    more = f" and {len(ordered) - MOST_CHANGES} more" if len(ordered) > MOST_CHANGES else ""
    return f"*Changes:* {', '.join(shown) or _no_change(facts)}{more}{cite(facts.get('changes_evidence'))}"


def _claim(claim: Mapping[str, Any], limit: int = 240) -> str:
    return prose(claim["text"], limit) + (cite(*claim["evidence"]) if claim["evidence"] else " (unsupported)")


def _cited_by_findings(findings: Mapping[str, Any], ranked: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """What the claims above name, in their order."""
    shown = [claim for hypothesis in ranked[:1] for claim in (*hypothesis["claims"][:4], *hypothesis["against"][:3])]
    shown += findings.get("because", ())[:1] if findings.get("category") == "healthy" else ()
    shown += [claim for hypothesis in ranked[1:] for claim in hypothesis["against"][:1]]
    return (id for claim in (*shown, *findings.get("ruled_out", ())[:2]) for id in claim["evidence"])


# ---------------------------------------------------------------- how it was found


def _progress(state: Mapping[str, Any]) -> Block | None:
    checks = state["checks"]
    if state["triage_state"] not in ("facts", "investigating") or not checks:
        return None
    failed = sum(not check["ok"] for check in checks)
    told = f"{counted(len(checks), 'look')} made" + (f", {failed} failed" if failed else "")
    return context(f"{told}; the newest: {prose(checks[-1]['summary'], 300)}")


def _controls(state: Mapping[str, Any], word: str) -> Block:
    ref = state["ref"]
    running = word in ("LOOKING", "INVESTIGATING")
    again = "Investigate" if word == "FACTS" else "Investigate again"
    return actions(
        button("Why?", "why", ref, spoken_as=f"Evidence behind the causes of {ref}") if _hypotheses(state) else None,
        None if running else button(again, "investigate", ref, spoken_as=f"{again} {ref}"),
        button("Stop", "stop", ref, spoken_as=f"Stop automation for {ref}") if running else None,
    )


def _small_print(state: Mapping[str, Any], word: str) -> Block:
    findings = state["findings"] or {}
    asked = f"asked by {spoken(state['requester'], 40)}: {prose(state['question'], 120)}" if state["question"] else ""
    proposals = ", ".join(p["ref"] for p in state["proposals"])  # their cards below say how they stand
    late = ", for a change that was reported late" if state.get("late") else ""
    attempt = f", attempt {state['attempt']}{late}" if state["attempt"] > 1 else ""
    return context(
        asked,
        prose(findings.get("note", ""), 400),
        _kind(findings),
        _cost(findings) if findings else "",
        f"Proposals: {proposals}" if proposals else "",
        f"*{word}* {state['ref']}{attempt}",
    )


def _kind(findings: Mapping[str, Any]) -> str:
    """The kind of cause in words; nothing where it is not known, or where nothing is wrong."""
    category = str(findings.get("category") or "")
    return "" if category in ("", "healthy", "unknown") else f"Kind of cause: {category.replace('_', ' ')}"


def _cost(findings: Mapping[str, Any]) -> str:
    by = f"agent ({spoken(findings['model'], 60)})" if findings["by"] == "agent" else "built-in analyst"
    # What a model was asked counts in turns; the analyst takes none.
    steps = counted(findings["steps"], "turn" if findings["model"] else "look") if findings["steps"] else ""
    parts = [f"ranked by the {by}", *([steps] if steps else []), f"{findings['seconds']:.0f} s"]
    if findings["tokens"]:
        parts.append(f"{findings['tokens']:,} tokens, ${findings['usd']:.3f}")
    if findings["stop_reason"] not in ("", "done", "answered") and findings["stop_reason"] not in findings.get("note", ""):
        parts.append(f"stopped: {spoken(findings['stop_reason'], 80)}")
    return " · ".join(parts)
