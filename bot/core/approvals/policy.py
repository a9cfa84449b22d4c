"""Who may propose, who may decide, and whether it may run now. Deny by default: a rule that fails denies.

Policy is asked three times: at the proposal, at the press and inside the claim.
"""

import hashlib
import json
from collections.abc import Sequence

from bot.core.action import DecisionChoice, ProposalState, Tier
from bot.core.actor import Actor
from bot.core.approvals import autonomy, blast_radius, break_glass, rules
from bot.core.approvals.policy_types import (
    RULE_ERRORS,
    ActionRequest,
    CountedDecision,
    DecisionContext,
    Quorum,
    Rule,
    RuleResult,
    requesters_text,
    who_may,
)
from bot.core.approvals.roster import Eligibility
from bot.core.approvals.rules import Check
from bot.core.config import Config
from bot.core.config.actions import ActionConfig, Limits

CODE_VERSION = "4"
"""Raised with every change of a rule."""


def policy_version(config: Config) -> str:
    """16 hex digits over the configuration that policy reads, what holds it back, and the version of the rules."""
    settings = config.model_dump(
        mode="json",
        by_alias=True,
        # Without plans the version is the one that it was before there were any.
        include=_DECIDES | ({"plans"} if config.plans else set()),
        # Decides nothing here, and would make proposals stale that wait while this version is installed.
        exclude={"services": {"__all__": {"known_as": {"kubernetes", "jira"}}}},
    )
    if config.limits != Limits():
        settings["limits"] = config.limits.model_dump()
    # What is as before these keys were known has the version that it always had.
    if config.break_glass:
        settings["break_glass"] = config.break_glass
    for name in ("autonomy", "standing_approvals"):
        if getattr(config, name) != Config.model_fields[name].get_default(call_default_factory=True):
            settings[name] = config.model_dump(mode="json", include={name})[name]
    held_back = [config.confirmed.fingerprint] if config.confirmed else []
    body = json.dumps([CODE_VERSION, settings, *held_back], sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()[:16]


_DECIDES = {
    "people",
    "services",
    "default_on_call",
    "approvers",
    "solo",
    "actions",
    "freezes",
    "plugins",
    "severities",
    "incident_from",
    "default_channel",
}
"""What rights, tiers and exceptions follow from: people, rotas, actions, and when an incident opens a freeze."""


def undo_of_change(entry: ActionConfig) -> bool:
    """Whether this catalogue entry takes a change back (a rollback, a flag off): it helps against a change at fault."""
    return "change" in entry.helps or entry.options.get("undoes") is True


def tier_with(least_tier: Tier, entry: ActionConfig, targets: int, *, has_dry_run: bool = True) -> Tier:
    """The tier after configuration raised the least one; several targets are never tier 1; no dry run is one tier higher."""
    tier = max(int(least_tier), entry.tier if entry.tier is not None else 0)
    if tier == Tier.ONE and targets > 1:
        tier = int(Tier.TWO)
    if not has_dry_run and tier < Tier.THREE:
        tier += 1
    return Tier(tier) if tier in (0, 1, 2, 3) else Tier.X


def one_higher(tier: Tier) -> Tier:
    """The next tier; 3 is the highest that people decide."""
    return Tier(tier + 1) if tier < Tier.THREE else tier


# ---------------------------------------------------------------- the three questions


def may_propose(
    actor: Actor | None, eligibility: Eligibility | None, request: ActionRequest, context: DecisionContext
) -> RuleResult:
    """Whether this may be put to people. `actor` None: the bot proposes by itself."""
    checks: list[Check] = [lambda: rules.tier_allowed(request), lambda: autonomy.may_be_proposed(request)]
    if actor is not None:
        checks += [lambda: rules.human_member(actor, eligibility), lambda: rules.on_rota_or_owner(eligibility)]
    checks += [
        lambda: rules.automation_on(context),
        lambda: rules.no_freeze(request, context),
        lambda: rules.incident_open(context),
        lambda: rules.silence_length(request, context),
        lambda: rules.too_many_open(context),
        lambda: rules.blast_radius(request, context),
        lambda: blast_radius.replicas_away(request),
    ]
    return rules.first_objection(checks) or RuleResult(True, Rule.MAY_PROPOSE)


def may_decide(
    actor: Actor,
    eligibility: Eligibility,
    request: ActionRequest,
    context: DecisionContext,
    verdict: DecisionChoice,
    *,
    reason: str = "",
    others: Sequence[CountedDecision] = (),
) -> RuleResult:
    """Whether this person's answer counts now. A denial needs only an eligible person (or the requester, who may withdraw)."""
    checks: list[Check] = [lambda: rules.tier_allowed(request), lambda: rules.human_member(actor, eligibility)]
    if verdict == DecisionChoice.DENY:
        checks.append(lambda: rules.may_deny(eligibility, request, context))
        return rules.first_objection(checks) or RuleResult(True, Rule.MAY_DENY)
    checks += [
        lambda: autonomy.may_run(request),
        lambda: rules.automation_on(context),
        lambda: rules.no_freeze(request, context),
        lambda: rules.incident_open(context),
        lambda: rules.rota_age(eligibility, request),
        lambda: rules.dry_run_fresh(request),
        lambda: rules.eligible(eligibility, request, others, context),
        lambda: rules.too_many_targets(request, context),
        lambda: blast_radius.replicas_away(request),
        # The last one: it alone may answer with a permission of its own kind (solo).
        lambda: rules.not_requester(eligibility, request, context, reason, others),
    ]
    return rules.first_objection(checks) or RuleResult(True, Rule.MAY_APPROVE)


def may_silence(actor: Actor, eligibility: Eligibility, request: ActionRequest, context: DecisionContext) -> RuleResult:
    """Whether this person may silence one exact alert at once, by a dialog that shows what it mutes.

    A pause, a stop or a freeze holds what changes systems; a silence changes none.
    """
    checks: list[Check] = [
        lambda: rules.human_member(actor, eligibility),
        lambda: rules.silence_length(request, context),
        lambda: rules.exact_silence(request),
        lambda: rules.rota_age(eligibility, request),
        lambda: rules.eligible(eligibility, request, (), context),
    ]
    return rules.first_objection(checks) or RuleResult(True, Rule.MAY_SILENCE)


def may_start(request: ActionRequest, context: DecisionContext) -> RuleResult:
    """Whether it may start now: asked in the claim and again before the remote call. `quorum` asks for eligibility."""
    checks: list[Check] = [
        lambda: rules.tier_allowed(request),
        lambda: autonomy.may_run(request),
        lambda: rules.automation_on(context),
        lambda: rules.no_freeze(request, context),
        lambda: rules.incident_open(context),
        lambda: rules.one_at_a_time(request, context),
        lambda: rules.blast_radius(request, context),
        lambda: blast_radius.replicas_away(request),
    ]
    return rules.first_objection(checks) or RuleResult(True, Rule.MAY_START)


# ---------------------------------------------------------------- counting


def quorum(request: ActionRequest, decisions: Sequence[CountedDecision], context: DecisionContext) -> Quorum:
    """Count the decisions of one revision, with the eligibility of now; who no longer qualifies is not counted."""
    try:
        return _quorum(request, decisions, context)
    except RULE_ERRORS as error:
        return Quorum(ProposalState.PENDING, f"a rule failed ({type(error).__name__}), so nothing is approved")


def _quorum(request: ActionRequest, decisions: Sequence[CountedDecision], context: DecisionContext) -> Quorum:
    if any(d.verdict == DecisionChoice.DENY for d in decisions):
        return Quorum(ProposalState.DENIED, "denied")
    if request.tier in (Tier.X, Tier.ZERO):
        return Quorum(ProposalState.PENDING, "this tier is not decided by people")
    approvals = [d for d in decisions if d.verdict == DecisionChoice.APPROVE]
    if (alone := break_glass.broke_glass(approvals, request, context)) is not None:
        text = f"approved by {alone.eligibility.person} by BREAK-GLASS"
        return Quorum(ProposalState.APPROVED, text, break_glass=True)
    counted = [d for d in approvals if _counts(d, request, approvals, context)]
    if request.tier is Tier.THREE:
        return _two_people(request, counted, rules.askers(request, context))
    solo = False
    if request.tier is Tier.TWO:
        askers = rules.askers(request, context)
        own = [d for d in counted if d.eligibility.person in askers]
        counted = [d for d in counted if d.eligibility.person not in askers]
        if not counted and own and rules.solo(own[0].eligibility, request, own[0].at, context, own[0].reason, ()) is None:
            counted, solo = own, True
    counted = [d for d in counted if not rules.let_through_by(d.eligibility, request, context)]
    if not counted:
        return _nobody_yet(request, requesters_text(request.requester, rules.askers(request, context)))
    text = f"approved by {counted[0].eligibility.person}{' SOLO' if solo else ''}"
    return Quorum(ProposalState.APPROVED, text, solo=solo)


def _counts(
    decision: CountedDecision, request: ActionRequest, approvals: Sequence[CountedDecision], context: DecisionContext
) -> bool:
    others = [other for other in approvals if other is not decision]
    return (
        rules.rota_age(decision.eligibility, request) is None
        and rules.eligible(decision.eligibility, request, others, context) is None
    )


def _two_people(request: ActionRequest, counted: Sequence[CountedDecision], requesters: frozenset[str]) -> Quorum:
    """Two different people, one of them an owner, and one of them nobody who asked for it."""
    people = {d.eligibility.person: d.eligibility for d in counted}
    names = " and ".join(sorted(people))
    has_owner = any(eligibility.owner for eligibility in people.values())
    if len(people) >= 2 and has_owner and people.keys() - requesters:
        return Quorum(ProposalState.APPROVED, f"approved by {names}")
    if not people:
        return _nobody_yet(request)
    missing = "a second person" if has_owner else f"an owner of {request.service}"
    if has_owner and len(people) >= 2:
        missing = "somebody who did not ask for it"
    return Quorum(ProposalState.PARTLY_APPROVED, f"approved by {names}; {missing} is still needed", missing=missing)


def _nobody_yet(request: ActionRequest, requester: str = "") -> Quorum:
    missing = who_may(request.tier, request.service, requester)
    return Quorum(ProposalState.PENDING, "nobody who may approve has approved", missing=missing)
