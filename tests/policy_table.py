"""`python -m tests.policy_table`: writes into docs/approvals.md who may what, as the policy itself answers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.core.action import DecisionChoice, ProposalState, Tier
from bot.core.actor import Actor
from bot.core.alert import Severity
from bot.core.approvals.policy import may_decide, may_propose, quorum
from bot.core.approvals.policy_types import ActionRequest, CountedDecision, DecisionContext
from bot.core.approvals.roster import Eligibility, Rota

PAGE = Path(__file__).parents[1] / "docs" / "approvals.md"
BEGIN, END = "<!-- table made from the policy -->", "<!-- end of the table -->"
NOW = datetime(2026, 3, 1, 3, tzinfo=UTC)
TIERS = (Tier.ONE, Tier.TWO, Tier.THREE)
_SOMEBODY = Eligibility(person="p", in_roster=True, rostered=True, rota=Rota(on_call=("p",)))
_CONTEXT = DecisionContext(now=NOW, severity=Severity.SEV2, backed_severity=Severity.SEV2)
ROLES = {
    "the service's on-call": replace(_SOMEBODY, on_call=True),
    "secondary of the service": replace(_SOMEBODY, secondary=True),
    "incident commander with the right": replace(_SOMEBODY, commander=True),
    "deputy": replace(_SOMEBODY, deputy=True),
    "owner of the service": replace(_SOMEBODY, owner=True),
    "admin alone": replace(_SOMEBODY, rostered=False, admin=True),
    "on a rota elsewhere, or leads without the right": _SOMEBODY,
    "in `people`, on no rota": replace(_SOMEBODY, rostered=False),
    "guest, bot, stranger, deactivated": Eligibility(),
}


def _request(tier: Tier, asked: bool) -> ActionRequest:
    return ActionRequest(
        "act", "checkout", tier, ("checkout",), requester="p" if asked else "", dry_run_ok=True, notified_at=NOW
    )


def _approves(role: Eligibility, tier: Tier, *, asked: bool, after: timedelta = timedelta(0)) -> str:
    """What one approval of this person comes to: yes, one of two, no."""
    context, request = replace(_CONTEXT, now=NOW + after), _request(tier, asked)
    actor = Actor("T1", "U1", role.person, is_guest=not role.person)
    answer = may_decide(actor, role, request, context, DecisionChoice.APPROVE, reason="it broke")
    if not answer.allow:
        return "no"
    counted = quorum(request, [CountedDecision(role, DecisionChoice.APPROVE, context.now, "it broke")], context)
    words = {ProposalState.APPROVED: "alone" if counted.solo else "yes", ProposalState.PARTLY_APPROVED: "one of two"}
    return words.get(ProposalState(counted.state), "no")


def _own(role: Eligibility, tier: Tier) -> str:
    """The same of what this person asked for: now, or after two minutes."""
    at_once = _approves(role, tier, asked=True)
    later = _approves(role, tier, asked=True, after=timedelta(minutes=3))
    return at_once if at_once == later else f"{later} after 2 minutes, with a reason"


def _row(name: str, role: Eligibility) -> Sequence[str]:
    actor = Actor("T1", "U1", role.person, is_guest=not role.person)
    proposes = may_propose(actor, role, _request(Tier.TWO, True), _CONTEXT).allow
    denies = may_decide(actor, role, _request(Tier.TWO, False), _CONTEXT, DecisionChoice.DENY).allow
    plain = [_approves(role, tier, asked=False) for tier in TIERS]
    return name, "yes" if proposes else "no", *plain, _own(role, Tier.TWO), "yes" if denies else "no"


def table() -> str:
    """The table in Markdown."""
    head = ("", "propose", "approve tier 1", "tier 2", "tier 3", "own request at tier 2", "deny")
    rows = [head, ["---"] * len(head), *(_row(name, role) for name, role in ROLES.items())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def written(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
