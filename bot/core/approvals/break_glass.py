"""Break-glass: one person named for it approves alone, loudly and with a reason, and a second person reviews it afterwards.

It replaces the others' approval, and nothing else: freezes, a pause, a stop, tier X and every other rule hold as ever.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bot.core.action import Tier
from bot.core.actor import Actor
from bot.core.alert import Severity
from bot.core.approvals import autonomy, rules
from bot.core.approvals.policy_types import ActionRequest, CountedDecision, DecisionContext, Rule, RuleResult, names_text
from bot.core.approvals.roster import Eligibility
from bot.core.approvals.rules import Check

WINDOW = timedelta(minutes=15)
"""How long an approval under it counts, and how long the same person approves more of the service under one review."""
REVIEW_DAYS = 3
"""Working days until a second person has to have looked at it."""
_FIRST_OF_WEEKEND = 5


def may_break_glass(
    actor: Actor,
    eligibility: Eligibility,
    request: ActionRequest,
    context: DecisionContext,
    *,
    named: Collection[str],
    reason: str,
    overdue: str = "",
) -> RuleResult:
    """Whether this person may approve alone now. `named`: in the configuration; `overdue`: their use that nobody reviewed."""
    checks: list[Check] = [
        lambda: rules.tier_allowed(request),
        lambda: rules.human_member(actor, eligibility),
        lambda: autonomy.may_run(request),
        lambda: _named_for_it(eligibility, named),
        lambda: _decided_by_people(request),
        lambda: rules.automation_on(context),
        lambda: rules.no_freeze(request, context),
        lambda: rules.incident_open(context),
        lambda: rules.dry_run_fresh(request),
        lambda: rules.too_many_targets(request, context),
        lambda: _not_let_through_by(eligibility, request, context),
        lambda: _reviewed(overdue, context),
        lambda: _with_reason(reason),
    ]
    text = "You approve this alone; the record says BREAK-GLASS, everyone is told and somebody is paged."
    return rules.first_objection(checks) or RuleResult(True, Rule.BREAK_GLASS, text)


def broke_glass(
    approvals: Sequence[CountedDecision], request: ActionRequest, context: DecisionContext
) -> CountedDecision | None:
    """The approval that counts alone because it was given so and is in force; None without one."""
    return next(
        (
            one
            for one in approvals
            if one.break_glass
            and one.eligibility.in_roster
            and request.tier in (Tier.ONE, Tier.TWO, Tier.THREE)
            and not rules.let_through_by(one.eligibility, request, context)
        ),
        None,
    )


def review_by(used_at: datetime) -> datetime:
    """When a second person has to have reviewed it: REVIEW_DAYS working days later, at the same hour."""
    moment, left = used_at, REVIEW_DAYS
    while left:
        moment += timedelta(days=1)
        left -= moment.weekday() < _FIRST_OF_WEEKEND
    return moment


def may_review(reviewer: Actor, eligibility: Eligibility, person: str) -> RuleResult:
    """Whether `reviewer` may review what `person` approved by break-glass."""
    checks: list[Check] = [
        lambda: rules.human_member(reviewer, eligibility),
        lambda: _second_person(eligibility, person),
        lambda: None if eligibility.rostered or eligibility.admin else _NOT_A_REVIEWER,
    ]
    return rules.first_objection(checks) or RuleResult(True, Rule.BREAK_GLASS)


_NOT_A_REVIEWER = RuleResult(False, Rule.NOT_ROSTERED, "You can't review this.", "anybody on a rota, an owner, deputy or admin")


def _second_person(eligibility: Eligibility, person: str) -> RuleResult | None:
    if eligibility.person != person:
        return None
    return RuleResult(False, Rule.REQUESTER, "You used it yourself, so somebody else reviews it.", "any other rostered person")


def _named_for_it(eligibility: Eligibility, named: Collection[str]) -> RuleResult | None:
    if eligibility.person in named:
        return None
    may = names_text(sorted(named)) or "nobody: `break_glass` of tocsin.yaml names no one"
    return RuleResult(False, Rule.BREAK_GLASS, "You are not named for break-glass.", may)


def _decided_by_people(request: ActionRequest) -> RuleResult | None:
    if request.tier is not Tier.ZERO:
        return None
    return RuleResult(False, Rule.BREAK_GLASS, "Nobody has to approve this, so there is no glass to break.")


def _not_let_through_by(eligibility: Eligibility, request: ActionRequest, context: DecisionContext) -> RuleResult | None:
    if not rules.let_through_by(eligibility, request, context):
        return None
    text = "You declared the incident that lets this through the freeze, so somebody else approves it."
    return RuleResult(False, Rule.REQUESTER, text)


def _reviewed(overdue: str, context: DecisionContext) -> RuleResult | None:
    """Who has an unreviewed use that is overdue waits for its review; never in an open SEV1 or SEV2."""
    if not overdue or (context.incident_open and context.backed_severity.at_least(Severity.SEV2)):
        return None
    text = f"Your break-glass on {overdue} is overdue for review."
    return RuleResult(False, Rule.BREAK_GLASS, text, f"you again once somebody else said: break-glass review {overdue}")


def _with_reason(reason: str) -> RuleResult | None:
    return None if reason.strip() else RuleResult(False, Rule.BREAK_GLASS, "Break-glass needs a reason.")
