"""The rules of policy, one idea each. None means "no objection"; a RuleResult ends the question."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from bot.core.action import Tier
from bot.core.actor import Actor
from bot.core.alert import Severity
from bot.core.approvals.policy_types import (
    RULE_ERRORS,
    SOLO_AFTER,
    ActionRequest,
    CountedDecision,
    DecisionContext,
    Rule,
    RuleResult,
    names_text,
    requesters_text,
    who_may,
)
from bot.core.approvals.roster import STALE_ROTA, Eligibility
from bot.core.approvals.standing import STANDING_APPROVAL
from bot.core.config.actions import SoloMode
from bot.core.text.moments import date_to_the_minute

Check = Callable[[], RuleResult | None]
# The database's clock stamps both moments; this only absorbs rounding.
_CLOCK_TOLERANCE = timedelta(seconds=1)


def first_objection(checks: Iterable[Check]) -> RuleResult | None:
    """The first answer of a rule; None if all of them pass. An error in a rule is an objection, never a skipped rule."""
    for check in checks:
        try:
            objection = check()
        except RULE_ERRORS as error:
            return RuleResult(False, Rule.ERROR, f"A rule failed ({type(error).__name__}), so the answer is no.")
        if objection is not None:
            return objection
    return None


def tier_allowed(request: ActionRequest) -> RuleResult | None:
    """Refuses tier X, and any value that is no tier."""
    if request.tier is Tier.X or request.tier not in set(Tier):
        return RuleResult(False, Rule.TIER_X, f"The bot never does {request.action}.", who_may(Tier.X, request.service))
    return None


def human_member(actor: Actor, eligibility: Eligibility | None) -> RuleResult | None:
    """Refuses bots, guests, deactivated accounts, people of other workspaces, and whoever is not in the roster."""
    if actor.is_bot:
        return RuleResult(False, Rule.ONLY_HUMANS, "Bots never qualify; a person of the roster has to do this.")
    if actor.is_stranger:
        return RuleResult(False, Rule.OTHER_WORKSPACE, "People of other workspaces never qualify.")
    if actor.is_deleted:
        return RuleResult(False, Rule.DEACTIVATED, "This account is deactivated.")
    if actor.is_guest:
        return RuleResult(False, Rule.GUEST, "Guests never qualify, whatever their name is: identity is the user id.")
    if eligibility is None or not eligibility.in_roster or not actor.person or eligibility.person != actor.person:
        return RuleResult(False, Rule.NOT_IN_ROSTER, "You can't do this: you are not in the roster.")
    return None


def on_rota_or_owner(eligibility: Eligibility | None) -> RuleResult | None:
    """Refuses whoever is on no rota, owns nothing and is no deputy."""
    if eligibility is not None and eligibility.rostered:
        return None
    text = "Only people of a rota, owners and deputies may propose an action."
    return RuleResult(False, Rule.NOT_ROSTERED, text, "any rostered person")


def automation_on(context: DecisionContext) -> RuleResult | None:
    """Refuses while all actions are paused or this incident is stopped."""
    if context.paused:
        text = f"All automated actions are paused ({context.paused})."
        return RuleResult(False, Rule.PAUSED, text, "an admin resumes with `admin resume`")
    if context.stopped:
        return RuleResult(False, Rule.STOPPED, "This incident was stopped.", "the on-call resumes with `resume`")
    return None


def no_freeze(request: ActionRequest, context: DecisionContext) -> RuleResult | None:
    """Refuses while a freeze covers the service, except for an undo of a change in an open SEV1/2."""
    for freeze in context.freezes:
        covers = not freeze.services or request.service in freeze.services
        if covers and freeze.starts <= context.now < freeze.ends:
            if passes_freeze(request, context):
                continue
            return RuleResult(
                False,
                Rule.FREEZE,
                f"Changes are frozen until {date_to_the_minute(freeze.ends)} ({freeze.reason}).",
                "nobody; only a rollback or a flag switched off in an open SEV1/2 passes a freeze",
            )
    return None


def passes_freeze(request: ActionRequest, context: DecisionContext) -> bool:
    """Whether it takes a change back in an open SEV1/2 that alerts or somebody rostered stand behind."""
    return request.undo_of_change and context.incident_open and context.backed_severity.at_least(Severity.SEV2)


def askers(request: ActionRequest, context: DecisionContext) -> frozenset[str]:
    """Everyone whose word led to it: who declared the incident counts where the incident is what allows it."""
    allowed_by = context.declarers if passes_freeze(request, context) and _is_frozen(request, context) else frozenset()
    return (request.requesters | allowed_by | {request.requester}) - {""}


def let_through_by(eligibility: Eligibility, request: ActionRequest, context: DecisionContext) -> bool:
    """Whether it passes a freeze only because this person declared the severity."""
    return eligibility.person in context.declarers and _is_frozen(request, context)


def _is_frozen(request: ActionRequest, context: DecisionContext) -> bool:
    return any(
        (not freeze.services or request.service in freeze.services) and freeze.starts <= context.now < freeze.ends
        for freeze in context.freezes
    )


def incident_open(context: DecisionContext) -> RuleResult | None:
    """Refuses once the incident is closed."""
    text = "The incident is closed; propose anew if it is still needed."
    return None if context.incident_open else RuleResult(False, Rule.CLOSED, text)


def silence_length(request: ActionRequest, context: DecisionContext) -> RuleResult | None:
    """Refuses silences of more than 2 hours in a SEV1, else of more than 12."""
    hours = 2 if context.severity is Severity.SEV1 else 12
    if request.silence is None or request.silence <= timedelta(hours=hours):
        return None
    return RuleResult(False, Rule.SILENCE_LENGTH, f"A silence may last {hours} h here at most.")


def exact_silence(request: ActionRequest) -> RuleResult | None:
    """Refuses what is more than one alert: a wide silence is tier 2, so a second person agrees."""
    if request.tier <= Tier.ONE:
        return None
    text = "It covers more than one alert, so another person approves it."
    return RuleResult(False, Rule.SILENCE_WIDTH, text, who_may(request.tier, request.service, request.requester))


def too_many_open(context: DecisionContext) -> RuleResult | None:
    """At most `limits.open_proposals` an incident, and one a target."""
    if context.open_here >= (most := context.limits.open_proposals):
        text = f"{most} {'proposal is' if most == 1 else 'proposals are'} open already; decide or withdraw one first."
        return RuleResult(False, Rule.OPEN_PROPOSALS, text)
    if context.open_on_targets:
        text = f"{context.open_on_targets} is open on the same target; decide or withdraw it first."
        return RuleResult(False, Rule.ONE_A_TARGET, text)
    return None


def too_many_targets(request: ActionRequest, context: DecisionContext) -> RuleResult | None:
    """The press refuses only what can never fit; the claim asks whether another action runs."""
    return blast_radius(request, context) if len(set(request.targets)) > context.limits.targets_an_hour else None


def blast_radius(request: ActionRequest, context: DecisionContext) -> RuleResult | None:
    """At most `limits.targets_an_hour` of one service; a grant changes nothing, so it is none of them."""
    if request.kind == STANDING_APPROVAL:
        return None
    if not request.targets:
        return RuleResult(False, Rule.NO_TARGET, "It is not known what would be touched, so the answer is no.")
    total = len(context.recent_targets) + len(set(request.targets))
    if total <= (most := context.limits.targets_an_hour):
        return None
    return RuleResult(
        False,
        Rule.BLAST_RADIUS,
        f"Blast radius: {total} targets of {request.service} within an hour would be more than {most}.",
        "nobody before the hour is over; the command can be run by hand and recorded with `did`",
    )


def one_at_a_time(request: ActionRequest, context: DecisionContext) -> RuleResult | None:
    """Refuses while another action runs on the service."""
    if not context.running_on_service:
        return None
    return RuleResult(
        False, Rule.BUSY, f"{context.running_on_service} is running on {request.service}; one at a time on a service."
    )


def rota_age(eligibility: Eligibility, request: ActionRequest) -> RuleResult | None:
    """Tier 3 needs a rota that was read now; below it a copy serves for STALE_ROTA."""
    rota = eligibility.rota
    if request.tier is Tier.THREE and not rota.fresh:
        text = "The rota cannot be read now; tier 3 is refused until it can."
        return RuleResult(False, Rule.ROTA_UNREACHABLE, text, "run it by hand")
    if not rota.readable and not (eligibility.commander or eligibility.deputy):
        hours = int(STALE_ROTA.total_seconds() // 3600)
        text = f"The rota cannot be read and no copy is younger than {hours} h, so nobody counts as on call."
        return RuleResult(False, Rule.ROTA_UNREACHABLE, text, "the incident commander or a deputy")
    return None


def dry_run_fresh(request: ActionRequest) -> RuleResult | None:
    """Refuses from tier 2 on without a fresh dry run that worked."""
    if request.tier < Tier.TWO or request.dry_run_ok:
        return None
    return RuleResult(False, Rule.DRY_RUN, "The dry run is missing, failed or older than 2 minutes; open Approve... again.")


def eligible(
    eligibility: Eligibility, request: ActionRequest, others: Sequence[CountedDecision], context: DecisionContext
) -> RuleResult | None:
    """Whether the person's roles allow an approval of this tier at all."""
    if eligibility.on_call or eligibility.commander or eligibility.deputy:
        return None
    if request.tier is Tier.THREE:
        both_in_one = any(o.eligibility.commander and o.eligibility.owner for o in others)
        if eligibility.owner or (eligibility.rostered and both_in_one):
            return None
    return _not_an_approver("approve", request, context, request.requester)


def may_deny(eligibility: Eligibility, request: ActionRequest, context: DecisionContext) -> RuleResult | None:
    """Whoever may approve, the secondary, an owner, and the requester, who withdraws."""
    if eligibility.stands:
        return None
    if request.requester and eligibility.person == request.requester:
        return None
    return _not_an_approver("deny", request, context)


def _not_an_approver(verb: str, request: ActionRequest, context: DecisionContext, requester: str = "") -> RuleResult:
    text = f"You can't {verb} this."
    if context.approvers:
        return RuleResult(False, Rule.NOT_AN_APPROVER, f"{text} {names_text(context.approvers)} can.")
    return RuleResult(False, Rule.NOT_AN_APPROVER, text, who_may(request.tier, request.service, requester))


def not_requester(
    eligibility: Eligibility,
    request: ActionRequest,
    context: DecisionContext,
    reason: str,
    others: Sequence[CountedDecision],
) -> RuleResult | None:
    """Tier 2 is not approved by who asked for it, but for solo: then the answer is a permission that says so.

    Nobody approves at any tier what their own word about the severity lets through a freeze.
    """
    if eligibility.person not in askers(request, context):
        return None
    if let_through_by(eligibility, request, context):
        text = "You declared the incident that lets this through the freeze, so somebody else approves it."
        return RuleResult(False, Rule.REQUESTER, text, who_may(request.tier, request.service, eligibility.person))
    if request.tier is not Tier.TWO:
        return None
    if (refused := solo(eligibility, request, context.now, context, reason, others)) is not None:
        return refused
    text = "You approve this alone; the record says SOLO and the secondary is notified."
    return RuleResult(True, Rule.SOLO, text, solo=True)


def solo(
    eligibility: Eligibility,
    request: ActionRequest,
    at: datetime,
    context: DecisionContext,
    reason: str,
    others: Sequence[CountedDecision],
) -> RuleResult | None:
    """The requester alone at night: on call, nobody else acted for two minutes, with a reason.

    A rollback to the last verified revision in an open SEV1/2 does not wait: it is known to help, and every minute counts.
    """
    base = "You asked for this, so you can't approve it."
    may = who_may(request.tier, request.service, requesters_text(request.requester, askers(request, context)))
    if context.solo == SoloMode.OFF or not eligibility.on_call:
        return RuleResult(False, Rule.REQUESTER, base, may)
    if let_through_by(eligibility, request, context):
        return RuleResult(False, Rule.REQUESTER, base, may)
    if any(other.eligibility.person != eligibility.person for other in others):
        return RuleResult(False, Rule.REQUESTER, f"{base} Somebody else has answered.", may)
    at_once = back_to_verified(request, context) and eligibility.person not in context.declarers
    if context.solo == SoloMode.AFTER and not at_once and _too_early(request, at):
        minutes = int(SOLO_AFTER.total_seconds() // 60)
        text = f"{base} If nobody acts within {minutes} minutes, you may approve alone with a reason."
        return RuleResult(False, Rule.REQUESTER, text, may)
    if not reason.strip():
        return RuleResult(False, Rule.SOLO_REASON, "Approving alone needs a reason.", may)
    return None


def back_to_verified(request: ActionRequest, context: DecisionContext) -> bool:
    """Whether this goes back to the revision last verified, in an open SEV1/2."""
    verified = request.target_revision != "" and request.target_revision == context.verified_revision
    return verified and passes_freeze(request, context)


def _too_early(request: ActionRequest, at: datetime) -> bool:
    return request.notified_at is None or at + _CLOCK_TOLERANCE < request.notified_at + SOLO_AFTER
