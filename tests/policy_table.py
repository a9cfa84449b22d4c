"""`python -m tests.policy_table`: writes into docs/approvals.md who may what, as the policy itself answers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.actions.standing_approval import StandingApproval
from bot.core.action import DecisionChoice, ProposalState, Tier
from bot.core.actor import Actor
from bot.core.alert import Severity
from bot.core.approvals.break_glass import may_break_glass, may_review
from bot.core.approvals.plans import tier_of
from bot.core.approvals.policies.policy_review import LOCAL, Confirmation
from bot.core.approvals.policy import may_decide, may_propose, quorum
from bot.core.approvals.policy_types import ActionRequest, CountedDecision, DecisionContext
from bot.core.approvals.roster import Eligibility, Rota
from bot.core.approvals.standing import may_revoke, may_stop
from bot.core.config import Config
from bot.core.config.policy_snapshot import PolicySnapshot

PAGE = Path(__file__).parents[1] / "docs" / "approvals.md"
BEGIN, END = "<!-- table made from the policy -->", "<!-- end of the table -->"
BEGIN_REST, END_REST = "<!-- table of the rest -->", "<!-- end of the rest -->"
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
    return name, _word(proposes), *plain, _own(role, Tier.TWO), _word(denies)


def table() -> str:
    """Who answers single proposals, in Markdown."""
    head = ("", "propose", "approve tier 1", "tier 2", "tier 3", "own request at tier 2", "deny")
    return _markdown(head, (_row(name, role) for name, role in ROLES.items()))


def table_of_rest() -> str:
    """Who may what of plans, standing approvals, break-glass and policies, in Markdown."""
    head = (
        "", "approve a plan of tier 1 steps", "a plan with a tier 3 step", "approve alone by break-glass, if named for it",
        "review another's break-glass", "grant a standing approval", "stop what it starts", "revoke it",
        "confirm a wider policy",
    )  # fmt: skip
    return _markdown(head, (_row_of_rest(name, role) for name, role in ROLES.items()))


def _row_of_rest(name: str, role: Eligibility) -> Sequence[str]:
    actor = Actor("T1", "U1", role.person, is_guest=not role.person)
    small, large = (tier_of("relieve", steps, Config()) for steps in ((Tier.ONE, Tier.ONE), (Tier.ONE, Tier.THREE)))
    glass = may_break_glass(actor, role, _request(Tier.THREE, True), _CONTEXT, named={"p"}, reason="nobody answers").allow
    told = (glass, may_review(actor, role, "another").allow)
    standing = (may_stop(actor), may_revoke(role))
    plans = (_approves(role, tier, asked=False) for tier in (small, large))
    # A grant is put to people as a proposal of this tier.
    granted = _approves(role, StandingApproval.least_tier, asked=False)
    return name, *plans, *map(_word, told), granted, *map(_word, standing), _word(_confirms(role))


def _confirms(role: Eligibility) -> bool:
    """Whether this person confirms a policy that somebody else had loaded and that gives them nothing."""
    own = ("p",) if role.person else ()
    snapshot = PolicySnapshot(
        accounts={"p": ("U1",)},
        on_call={"checkout": own if role.rostered else ()},
        owners={"checkout": own if role.owner else ("somebody",)},
        deputies=own if role.deputy else (),
        admins=own if role.admin else (),
    )
    loaded_by = f"loader{LOCAL}"
    wish = Confirmation(
        person=role.person, loaded_by=loaded_by, confirmers=snapshot.confirmers, gains=(), people=("p", "loader", "somebody")
    )
    return not wish.refusal


def _word(allowed: bool) -> str:
    return "yes" if allowed else "no"


def _markdown(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body])


def written(page: str) -> str:
    """The page with the tables as they are now."""
    for begin, end, made in ((BEGIN, END, table()), (BEGIN_REST, END_REST, table_of_rest())):
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{made}\n{end}{rest.partition(end)[2]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
