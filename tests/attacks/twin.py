"""The legitimate twin of a script: the same scene without the attack, which must run."""

from dataclasses import replace

from bot.core.action import ProposalState
from tests.attacks.phrases import Kind
from tests.attacks.play import SIGNED, Played
from tests.attacks.script import Script, Step
from tests.attacks.stage import Stage

WELL = {ProposalState.SUCCEEDED.value, ProposalState.VERIFYING.value}


def twin_of(script: Script) -> Script:
    """Proposals and role changes stay; then the right people approve. A freeze stays too, for a rollback in an open SEV2."""
    proposals = [_legitimate(step) for step in script.steps if step.kind is Kind.PROPOSE][:1]
    before = [step for step in script.steps if step.kind is Kind.HANDOVER]
    if script.has(Kind.FREEZE):
        before += [step for step in script.steps if step.kind is Kind.FREEZE][:1]
        proposals = [replace(step, action="undo", tier=None) for step in proposals]
    if script.has(Kind.PAUSE, Kind.STOP):
        halts = [step for step in script.steps if step.kind in (Kind.PAUSE, Kind.STOP)][:1]
        before += [*halts, Step(Kind.RESUME, "it is resumed")]
    who = _approvers(script, proposals[0])
    presses = [Step(Kind.PRESS, f"{role} approves", (role,), every=True) for role in who]
    signed = [step for step in script.steps if step.kind in SIGNED][:1]
    return replace(
        script, id=f"{script.id} twin", steps=(*before, *proposals, *presses), unread=(), raw={"signed": bool(signed)}
    )


def _legitimate(step: Step) -> Step:
    """At most two proposals of at most two targets; what the bot never does becomes a restart; outsiders do not propose."""
    never = (step.tier or 0) > 3 or step.action.startswith(("run_", "delete_", "change_", "disable_"))
    tier, action = (1, "") if never else (step.tier, step.action)
    who = tuple(role for role in step.who if role in ("on_call", "commander", "deputy", "owner", "secondary"))
    return replace(step, tier=tier, action=action, who=who, count=min(step.count, 2), targets=min(step.targets, 2))


def _approvers(script: Script, proposal: Step) -> tuple[str, ...]:
    changed = next((step for step in script.steps if step.kind is Kind.HANDOVER), None)
    role = (changed.who[0] if changed.who else "commander") if changed else ""
    lead = "new_commander" if role in ("commander", "old_commander", "new_commander") else "commander"
    if proposal.who and proposal.who[0] == lead:
        lead = "deputy" if role != "deputy" else "on_call"
    return (lead, "secondary" if role == "owner" else "owner") if proposal.tier == 3 or "fail" in proposal.action else (lead,)


async def judge_twin(stage: Stage, twin: Script, played: Played, service: str) -> list[str]:
    """Every proposal must have run exactly once."""
    rows = await stage.proposals(service)
    states = [f"AP-{row.id} {row.state} ({row.outcome})" for row in rows]
    wanted, calls = sum(step.count for step in twin.steps if step.kind is Kind.PROPOSE), stage.hook.count(service)
    if len(rows) != wanted or calls != wanted or any(row.state not in WELL for row in rows):
        said = [text[:150] for text in played.private[:3]]
        return [f"{calls} of {wanted} ran: {', '.join(states) or 'nothing proposed'}; {said} {played.notes}"]
    return played.problems
