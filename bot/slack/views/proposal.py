"""The approval card: rendered from the approved record only. All of it is visible, or there is no Approve button."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.action import ProposalState, Tier, Verdict
from bot.core.approvals.policy_types import who_may
from bot.slack.blocks import (
    Block,
    Rendered,
    actions,
    button,
    code,
    context,
    fields,
    header,
    named,
    quoted,
    section,
    spoken,
    titled,
    when,
)
from bot.slack.untrusted_text import code_lines

ROOM = 2800
"""Characters that one code block shows whole."""
_DECIDABLE = (ProposalState.PENDING, ProposalState.PARTLY_APPROVED)
_BY_HAND = (*_DECIDABLE, ProposalState.FAILED, ProposalState.UNKNOWN, ProposalState.STALE, ProposalState.EXPIRED)
_WORDS = {ProposalState.PENDING: "APPROVAL NEEDED", ProposalState.PARTLY_APPROVED: "PARTLY APPROVED"}
_APPROVALS = {Tier.ONE: "1 approval", Tier.TWO: "1 approval, not by the requester", Tier.THREE: "2 approvals, one by an owner"}


def render(state: Mapping[str, Any]) -> Rendered:
    """`state` is bot.store.slack.message_states' proposal with called, people, on_call and mention from the renderer."""
    now = ProposalState(state["state"])
    record, shown = state["record"], request_of(state)
    whole = len(code_lines(shown, state["called"])) <= ROOM
    blocks: list[Block | None] = [
        header(f"{word_of(state)}: {spoken(record['title'], 110)}"),
        _outcome(state),
        _facts(state, now),
        section(f"*Why:* {titled(record['because'], 400)}"),
        code(shown, state["called"]),
        _controls(state, now, whole=whole),
        _small_print(state, now, whole=whole),
    ]
    return _fallback(state), [block for block in blocks if block]


def word_of(state: Mapping[str, Any]) -> str:
    """The state as a word, first on the card."""
    now = ProposalState(state["state"])
    return ("DONE BY HAND, " if state["manual"] else "") + _WORDS.get(now, now.value.upper())


def request_of(state: Mapping[str, Any]) -> str:
    """What is approved: action, arguments, targets, steps and dry run, exactly as the record has them."""
    record = state["record"]
    targets = ", ".join(f"{name}{f' at {version}' if version else ''}" for name, version in sorted(record["targets"].items()))
    return "\n".join(
        [
            f"{record['action']} {json.dumps(record['arguments'], sort_keys=True, ensure_ascii=False)}",
            f"targets: {targets}",
            *(f"{number}. {step}" for number, step in enumerate(record["steps"], 1)),
            "dry run:" if record["dry_run_ok"] else "dry run (did not work):",
            state["dry_run"],
        ]
    )


def _facts(state: Mapping[str, Any], now: ProposalState) -> Block:
    record, tier = state["record"], Tier(state["record"]["tier"])
    return fields(
        target=", ".join(named(target, 80) for target in sorted(record["targets"])),
        risk=f"{tier.label}: {_APPROVALS.get(tier, 'not decided by people')}",
        reversible=f"yes, by {spoken(record['inverse'], 60)}" if record["inverse"] else "no undo configured",
        requester=_name(record["requester"]) if record["requester"] else "Suggested by Tocsin",
        expires=when(record["expires_at"]) if now in _DECIDABLE else "",
        decided=_decided(state),
    )


def _decided(state: Mapping[str, Any]) -> str:
    current: Sequence[Mapping[str, Any]] = [d for d in state["decisions"] if d["revision"] == state["revision"]]
    lines = [
        f"{Verdict(d['verdict']).past} by {_name(d['person'])} {when(d['at'])}"
        + (f": {titled(d['reason'], 120)}" if d["reason"] else "")
        for d in current
    ]
    return "\n".join([*lines, "*SOLO*"] if state["solo"] else lines)


def _outcome(state: Mapping[str, Any]) -> Block | None:
    """How the signal is and what the call answered."""
    verdict, _, figures = state["verification"].partition(": ")
    seen = f"*{spoken(verdict, 40).capitalize()}:* {spoken(figures)}" if figures else spoken(verdict)
    ran = f"*Ran:* {quoted(state['outcome'], 300)}" if state["outcome"] else ""
    return section("\n".join(filter(None, (seen, ran)))) if seen or ran else None


def _controls(state: Mapping[str, Any], now: ProposalState, *, whole: bool) -> Block | None:
    ref = state["ref"]
    value = f"{ref}:{state['revision']}"
    tier = Tier(state["record"]["tier"])
    may_approve = now in _DECIDABLE and whole and tier in _APPROVALS
    controls = [
        _approve(state, value, tier) if may_approve else None,
        button("Deny...", Verdict.DENY, value, spoken_as=f"Deny {ref}")
        if now in (*_DECIDABLE, ProposalState.APPROVED)
        else None,
        button("I ran it", "did", value, spoken_as=f"I ran {ref} by hand") if now in _BY_HAND and not state["manual"] else None,
    ]
    return actions(*controls) if any(controls) else None


def _approve(state: Mapping[str, Any], value: str, tier: Tier) -> Block:
    if tier.needs_form:
        return button("Approve...", "approve", value, style="primary", spoken_as=f"Approve {state['ref']}, opens the plan")
    title = spoken(state["record"]["title"], 90)
    question = f"{title}\nIt runs once, now."
    return button(
        "Approve",
        "approve",
        value,
        spoken_as=f"Approve {state['ref']}",
        confirm=(f"Approve {state['ref']}?", question, "Approve"),
    )


def _small_print(state: Mapping[str, Any], now: ProposalState, *, whole: bool) -> Block:
    record, tier = state["record"], Tier(state["record"]["tier"])
    open_now = now in _DECIDABLE
    unseen = "The plan does not fit whole on this card, so it cannot be approved here: run it by hand" if not whole else ""
    may_not = "May not: guests, bots, other workspaces" + (
        f", {_name(record['requester'])}" if tier is Tier.TWO and record["requester"] else ""
    )
    return context(
        " ".join(f"<@{user}>" for user in approvers(state)) if open_now else "",
        f"May approve: {spoken(who_may(tier, record['service'], record['requester']), 300)}" if open_now else "",
        may_not if open_now else "",
        unseen if open_now else "",
        f"*{word_of(state)}* {state['ref']} revision {state['revision']}",
    )


def approvers(state: Mapping[str, Any]) -> list[str]:
    """Up to three Slack users to notify: on call, who leads, deputies; not the requester from tier 2 on."""
    people = state["people"]
    named = [*state["on_call"], state["lead"], *state["deputies"]]
    record = state["record"]
    barred = {record["requester"]} if record["tier"] == Tier.TWO else set()
    users = [people[p].slack for p in dict.fromkeys(named) if p in people and p not in barred and people[p].slack]
    return users[:3]


def _fallback(state: Mapping[str, Any]) -> str:
    title = spoken(state["record"]["title"], 120)
    return f"{word_of(state).capitalize()}: {title}, {Tier(state['record']['tier']).label}, {state['ref']}"


def _name(person: str) -> str:
    return spoken(person, 40)
