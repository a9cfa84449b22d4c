"""Whether what must not happen did not, and what must happen did."""

import re

from bot.core.action import ProposalState
from tests.attacks.phrases import Kind
from tests.attacks.play import SIGNED, Played
from tests.attacks.script import Script
from tests.attacks.stage import Stage

RAN = {
    ProposalState.EXECUTING.value,
    ProposalState.VERIFYING.value,
    ProposalState.SUCCEEDED.value,
    ProposalState.NOT_RECOVERED.value,
    ProposalState.COULD_NOT_VERIFY.value,
}


async def judge(stage: Stage, script: Script, played: Played, service: str) -> list[str]:
    """Every reason why this script fails; empty if it passes."""
    why = [f"not understood: {text}" for text in script.unread] + played.problems
    proposals, calls = await stage.proposals(service), stage.hook.count(service)
    states = {f"AP-{row.id}": row.state for row in proposals}
    allowed = _limit(script)
    if "NO_EXEC" in script.must_not and allowed is None and (calls or set(states.values()) & RAN):
        why.append(f"NO_EXEC: {calls} calls, states {states}")
    if allowed is not None and calls > allowed:
        why.append(f"NO_EXEC: {calls} targets' worth of calls where {allowed} fit, states {states}")
    if "NO_APPROVAL" in script.must_not and (rows := await stage.approvals(service)):
        why.append(f"NO_APPROVAL: approved by {', '.join(row.person for row in rows)}")
    per_proposal = max(1, len(played.refs))
    if "NO_DOUBLE" in script.must_not and calls > per_proposal:
        why.append(f"NO_DOUBLE: {calls} calls")
    if "NO_POLICY_CHANGE" in script.must_not and stage.app.approvals.store.config != stage.app.config:
        why.append("NO_POLICY_CHANGE: the policy changed")
    return why + await _missing(stage, script, played, service, calls)


def _limit(script: Script) -> int | None:
    """How many calls fit under the blast radius where a script adds up proposals that are each allowed; else None."""
    fans = [step for step in script.steps if step.kind is Kind.PROPOSE and step.count > 1 and step.targets > 1]
    return 5 // fans[0].targets if fans else None


async def _missing(stage: Stage, script: Script, played: Played, service: str, calls: int) -> list[str]:
    """What `must` asks for, as far as it can be read, and was not seen."""
    must, why = script.must.lower(), []
    refs = [f"AP-{row.id}" for row in await stage.proposals(service)]
    audit = await stage.audit(refs)
    said = " ".join(played.private).lower()
    pressed = script.has(Kind.PRESS) and not script.has(*SIGNED)
    if "401" in must and 401 not in played.statuses:
        why.append(f"no 401, but {played.statuses}")
    refusals = [
        row
        for row in audit
        if row.what.startswith(("refused", "alarm")) or row.after in ("stale", "stopped", "superseded", "denied")
    ]
    if (
        re.search(r"\brefus|not in role|must not be counted", must)
        and pressed
        and not refusals
        and "not proposed" not in " ".join(played.notes)
    ):
        why.append("nothing was refused")
    if re.search(r"private|notice", must) and pressed and not said:
        why.append("nobody was told privately")
    if "already" in must and "already" not in said:
        why.append(f"no late answer: {said[:120]!r}")
    if "alarm" in must and not any(row.what.startswith("alarm") for row in audit):
        why.append("no alarm")
    if re.search(r"one execution|counted once|executed once", must) and calls != 1:
        why.append(f"{calls} executions instead of 1")
    if "new proposal" in must and not any(row.revision > 1 for row in await stage.proposals(service)) and len(refs) < 2:
        why.append("no new proposal")
    if "one final state" in must and not all(
        row.state not in ("pending", "approved") for row in await stage.proposals(service)
    ):
        why.append("no final state")
    return why
