"""Who may propose, who may decide, and whether it may run now. Deny by default: a rule that cannot be asked denies.

Policy is asked three times: at the proposal, at the press and inside the claim.
"""

import hashlib
import json
from collections.abc import Sequence

from bot.core.action import Tier, Verdict
from bot.core.actor import Actor
from bot.core.approvals import rules
from bot.core.approvals.policy_types import (
    RULE_ERRORS,
    ActionRequest,
    CountedDecision,
    DecisionContext,
    Quorum,
    RuleResult,
    who_may,
)
from bot.core.approvals.roster import Eligibility
from bot.core.approvals.rules import Rule
from bot.core.config import ActionConfig, Config

CODE_VERSION = "2"
"""Raised with every change of a rule."""


def policy_version(config: Config) -> str:
    """16 hex digits over the configuration that policy reads and the version of the rules."""
    read = config.model_dump(
        mode="json", include={"people", "services", "approvers", "solo", "actions", "freezes", "default_channel"}
    )
    body = json.dumps([CODE_VERSION, read], sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def undoes_change(entry: ActionConfig) -> bool:
    """Whether this catalogue entry takes a change back (a rollback, a flag off): it helps against a change at fault."""
    return "change" in entry.helps or entry.options.get("undoes") is True


def tier_with(floor: Tier, entry: ActionConfig, targets: int, *, has_dry_run: bool = True) -> Tier:
    """The tier after configuration raised the floor; several targets are never tier 1; no dry run is one tier higher."""
    tier = max(int(floor), entry.tier if entry.tier is not None else 0)
    if tier == Tier.ONE and targets > 1:
        tier = int(Tier.TWO)
    if not has_dry_run and tier < Tier.THREE:
        tier += 1
    return Tier(tier) if tier in (0, 1, 2, 3) else Tier.X


# ---------------------------------------------------------------- asked three times


def may_propose(presser: Actor | None, standing: Eligibility | None, ask: ActionRequest, scene: DecisionContext) -> RuleResult:
    """Whether this may be put to people. `presser` None: the bot proposes by itself."""
    asked: list[Rule] = [lambda: rules.never(ask)]
    if presser is not None:
        asked += [lambda: rules.human(presser, standing), lambda: rules.rostered(standing, ask)]
    asked += [
        lambda: rules.halted(scene),
        lambda: rules.frozen(ask, scene),
        lambda: rules.closed(scene),
        lambda: rules.silence_length(ask, scene),
        lambda: rules.too_many(ask, scene),
        lambda: rules.blast(ask, scene),
    ]
    return rules.first(asked, RuleResult(True, "may propose"))


def may_decide(
    presser: Actor,
    standing: Eligibility,
    ask: ActionRequest,
    scene: DecisionContext,
    verdict: Verdict,
    *,
    reason: str = "",
    others: Sequence[CountedDecision] = (),
) -> RuleResult:
    """Whether this person's answer counts now. A denial needs only an eligible person (or the requester, who may withdraw)."""
    asked: list[Rule] = [lambda: rules.never(ask), lambda: rules.human(presser, standing)]
    if verdict == "deny":
        asked.append(lambda: rules.may_deny(standing, ask))
        return rules.first(asked, RuleResult(True, "may deny"))
    asked += [
        lambda: rules.halted(scene),
        lambda: rules.frozen(ask, scene),
        lambda: rules.closed(scene),
        lambda: rules.rota_age(standing, ask),
        lambda: rules.dry_run(ask),
        lambda: rules.eligible(standing, ask, others),
        lambda: rules.target_room(ask, scene),
    ]
    if (refused := rules.first(asked, RuleResult(True, "eligible"))).allow is False:
        return refused
    return rules.first(
        [lambda: rules.not_requester(standing, ask, scene, reason, others)], RuleResult(True, f"may approve {ask.tier.label}")
    )


def may_start(ask: ActionRequest, scene: DecisionContext) -> RuleResult:
    """Whether it may start now: asked in the claim and again before the remote call. Eligibility is asked by `quorum`."""
    asked: list[Rule] = [
        lambda: rules.never(ask),
        lambda: rules.halted(scene),
        lambda: rules.frozen(ask, scene),
        lambda: rules.closed(scene),
        lambda: rules.busy(ask, scene),
        lambda: rules.blast(ask, scene),
    ]
    return rules.first(asked, RuleResult(True, "may start"))


def quorum(ask: ActionRequest, said: Sequence[CountedDecision], scene: DecisionContext) -> Quorum:
    """Count the decisions of one revision, with the standing of now; who no longer qualifies is not counted."""
    try:
        return _quorum(ask, said, scene)
    except RULE_ERRORS as error:
        return Quorum("pending", f"a rule could not be asked ({type(error).__name__}): nothing is approved")


def _quorum(ask: ActionRequest, said: Sequence[CountedDecision], scene: DecisionContext) -> Quorum:
    if any(s.verdict == "deny" for s in said):
        return Quorum("denied", "denied")
    approvals = [s for s in said if s.verdict == "approve"]
    counted = [s for s in approvals if _counts(s, ask, approvals)]
    if ask.tier in (Tier.X, Tier.ZERO):
        return Quorum("pending", "this tier is not decided by people")
    if ask.tier is Tier.THREE:
        return _two_people(ask, counted)
    solo = False
    if ask.tier is Tier.TWO:
        own = [s for s in counted if s.standing.person == ask.requester]
        counted = [s for s in counted if s.standing.person != ask.requester]
        if not counted and own and rules.solo(own[0].standing, ask, own[0].at, scene, own[0].reason, ()) is None:
            counted, solo = own, True
    if not counted:
        return Quorum("pending", "nobody who may has approved", missing=who_may(ask.tier, ask.service, ask.requester))
    return Quorum("approved", f"approved by {counted[0].standing.person}{' SOLO' if solo else ''}", solo=solo)


def _counts(said: CountedDecision, ask: ActionRequest, approvals: Sequence[CountedDecision]) -> bool:
    others = [other for other in approvals if other is not said]
    return rules.rota_age(said.standing, ask) is None and rules.eligible(said.standing, ask, others) is None


def _two_people(ask: ActionRequest, counted: Sequence[CountedDecision]) -> Quorum:
    people = {s.standing.person: s.standing for s in counted}
    names = " and ".join(sorted(people))
    if len(people) >= 2 and any(s.owner for s in people.values()):
        return Quorum("approved", f"approved by {names}")
    if not people:
        return Quorum("pending", "nobody who may has approved", missing=who_may(ask.tier, ask.service))
    missing = f"an owner of {ask.service}" if not any(s.owner for s in people.values()) else "a second person"
    return Quorum("partly approved", f"approved by {names}; {missing} is still needed", missing=missing)
