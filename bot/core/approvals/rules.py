"""The rules of policy, one idea each. None means "nothing against it"; a RuleResult ends the question."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from bot.core.action import Tier
from bot.core.actor import Actor
from bot.core.alert import Severity
from bot.core.approvals.policy_types import (
    MAX_OPEN,
    MAX_TARGETS,
    RULE_ERRORS,
    SOLO_AFTER,
    ActionRequest,
    CountedDecision,
    DecisionContext,
    RuleResult,
    who_may,
)
from bot.core.approvals.roster import STALE_ROTA, Eligibility
from bot.core.text.moments import date_to_the_minute

Rule = Callable[[], RuleResult | None]
# The database's clock stamps both moments; this only swallows rounding.
_CLOCK_SLACK = timedelta(seconds=1)


def first(rules: Iterable[Rule], otherwise: RuleResult) -> RuleResult:
    """The first rule that objects. An error in a rule is an objection, never a skipped rule."""
    for rule in rules:
        try:
            objection = rule()
        except RULE_ERRORS as error:
            return RuleResult(False, "error", f"A rule could not be asked ({type(error).__name__}), so the answer is no.")
        if objection is not None:
            return objection
    return otherwise


def never(ask: ActionRequest) -> RuleResult | None:
    if ask.tier is Tier.X or ask.tier not in set(Tier):
        return RuleResult(False, "tier X", f"{ask.action} is never done by the bot.", who_may(Tier.X, ask.service))
    return None


def human(presser: Actor, standing: Eligibility | None) -> RuleResult | None:
    if presser.is_bot:
        return RuleResult(False, "only humans", "Bots never qualify; a person of the roster has to do this.")
    if presser.is_stranger:
        return RuleResult(False, "other workspace", "People of other workspaces never qualify.")
    if presser.is_deleted:
        return RuleResult(False, "deactivated", "This account is deactivated.")
    if presser.is_guest:
        return RuleResult(False, "guest", "Guests never qualify, whatever their name is: identity is the user id.")
    if standing is None or not standing.known or not presser.person or standing.person != presser.person:
        return RuleResult(False, "not in the roster", "You are not among the people of the roster, so this is not yours to do.")
    return None


def rostered(standing: Eligibility | None, ask: ActionRequest) -> RuleResult | None:
    if standing is None or not standing.rostered:
        return RuleResult(
            False, "not rostered", "Only people of a rota, owners and deputies may propose an action.", "any rostered person"
        )
    return None


def halted(context: DecisionContext) -> RuleResult | None:
    if context.paused:
        return RuleResult(
            False, "paused", f"All automated actions are paused ({context.paused}).", "an admin resumes with `admin resume`"
        )
    if context.stopped:
        return RuleResult(False, "stopped", "This incident was stopped.", "the on-call resumes with `resume`")
    return None


def frozen(ask: ActionRequest, context: DecisionContext) -> RuleResult | None:
    for freeze in context.freezes:
        covers = not freeze.services or ask.service in freeze.services
        if covers and freeze.starts <= context.now < freeze.ends:
            if ask.undoes_change and context.severity.at_least(Severity.SEV2) and context.incident_open:
                continue
            return RuleResult(
                False,
                "freeze",
                f"Changes are frozen until {date_to_the_minute(freeze.ends)} ({freeze.reason}).",
                "nobody; only a rollback or a flag switched off in an open SEV1/2 passes a freeze",
            )
    return None


def closed(context: DecisionContext) -> RuleResult | None:
    return (
        None
        if context.incident_open
        else RuleResult(False, "closed", "The incident is closed; propose anew if it is still needed.")
    )


def silence_length(ask: ActionRequest, context: DecisionContext) -> RuleResult | None:
    if ask.silence is None:
        return None
    limit = timedelta(hours=2 if context.severity is Severity.SEV1 else 12)
    if ask.silence > limit:
        return RuleResult(False, "silence length", f"A silence may last {int(limit.total_seconds() // 3600)} h here at most.")
    return None


def too_many(ask: ActionRequest, context: DecisionContext) -> RuleResult | None:
    if context.open_here >= MAX_OPEN:
        return RuleResult(False, "open proposals", f"{MAX_OPEN} proposals are open already; decide or withdraw one first.")
    if context.open_on_targets:
        return RuleResult(
            False, "one a target", f"{context.open_on_targets} is open on the same target; decide or withdraw it first."
        )
    return None


def target_room(ask: ActionRequest, context: DecisionContext) -> RuleResult | None:
    """At the press only what can never fit is refused; whether another one runs is asked at the claim."""
    if len(set(ask.targets)) > MAX_TARGETS:
        return blast(ask, context)
    return None


def blast(ask: ActionRequest, context: DecisionContext) -> RuleResult | None:
    if not ask.targets:
        return RuleResult(False, "no target", "What would be touched is not known, so the answer is no.")
    total = len(context.recent_targets) + len(set(ask.targets))
    if total > MAX_TARGETS:
        return RuleResult(
            False,
            "blast radius",
            f"{total} targets of {ask.service} within an hour would be more than {MAX_TARGETS}.",
            "nobody before the hour is over; the command can be run by hand and recorded with `did`",
        )
    return None


def busy(ask: ActionRequest, context: DecisionContext) -> RuleResult | None:
    if context.running_on_service:
        return RuleResult(False, "busy", f"{context.running_on_service} is running on {ask.service}; one at a time.")
    return None


def rota_age(standing: Eligibility, ask: ActionRequest) -> RuleResult | None:
    rota = standing.rota
    if ask.tier is Tier.THREE and not rota.fresh:
        return RuleResult(
            False, "rota unreachable", "The rota cannot be read now; tier 3 is refused until it can.", "run it by hand"
        )
    if not rota.known and not (standing.commander or standing.deputy):
        hours = int(STALE_ROTA.total_seconds() // 3600)
        return RuleResult(
            False,
            "rota unreachable",
            f"The rota cannot be read and no copy is younger than {hours} h, so nobody counts as on call.",
            "the incident commander or a deputy",
        )
    return None


def dry_run(ask: ActionRequest) -> RuleResult | None:
    if ask.tier >= Tier.TWO and not ask.dry_run_ok:
        return RuleResult(False, "dry run", "The dry run is missing, failed or older than 2 minutes; open Approve... again.")
    return None


def eligible(standing: Eligibility, ask: ActionRequest, others: Sequence[CountedDecision] = ()) -> RuleResult | None:
    """Whether the person's roles allow an approval of this tier at all."""
    if standing.on_call or standing.commander or standing.deputy:
        return None
    if ask.tier is Tier.THREE:
        both_in_one = any(o.standing.commander and o.standing.owner for o in others)
        if standing.owner or (standing.rostered and both_in_one):
            return None
    return RuleResult(
        False,
        "not an approver",
        f"{ask.tier.label.capitalize()} on {ask.service} is not yours to approve now.",
        who_may(ask.tier, ask.service, ask.requester),
    )


def may_deny(standing: Eligibility, ask: ActionRequest) -> RuleResult | None:
    if standing.on_call or standing.secondary or standing.commander or standing.deputy or standing.owner:
        return None
    if ask.requester and standing.person == ask.requester:
        return None
    return RuleResult(False, "not an approver", "This is not yours to deny.", who_may(ask.tier, ask.service))


def not_requester(
    standing: Eligibility, ask: ActionRequest, context: DecisionContext, reason: str, others: Sequence[CountedDecision]
) -> RuleResult | None:
    if ask.tier is not Tier.TWO or standing.person != ask.requester:
        return None
    if (refused := solo(standing, ask, context.now, context, reason, others)) is not None:
        return refused
    return RuleResult(True, "solo", "You approve this alone; the record says SOLO and the secondary is told.", solo=True)


def solo(
    standing: Eligibility,
    ask: ActionRequest,
    at: datetime,
    context: DecisionContext,
    reason: str,
    others: Sequence[CountedDecision],
) -> RuleResult | None:
    """The requester alone at night: on call, nobody else acted for two minutes, with a reason.

    A rollback to the last verified revision in an open SEV1/2 does not wait: it is known to help, and every minute counts.
    """
    base = "You asked for this, so you cannot approve it."
    may = who_may(ask.tier, ask.service, ask.requester)
    if context.solo == "off" or not standing.on_call:
        return RuleResult(False, "requester", base, may)
    if any(other.standing.person != standing.person for other in others):
        return RuleResult(False, "requester", f"{base} Somebody else has answered.", may)
    if context.solo == "after" and not back_to_verified(ask, context) and _too_early(ask, at):
        wait = int(SOLO_AFTER.total_seconds() // 60)
        return RuleResult(
            False, "requester", f"{base} If nobody acts within {wait} minutes, you may approve alone with a reason.", may
        )
    if not reason.strip():
        return RuleResult(False, "solo reason", "Approving alone needs a reason.", may)
    return None


def back_to_verified(ask: ActionRequest, context: DecisionContext) -> bool:
    """Whether this goes back to the revision last verified, in an open SEV1/2."""
    known = ask.undoes_change and ask.back_to != "" and ask.back_to == context.verified_revision
    return known and context.incident_open and context.severity.at_least(Severity.SEV2)


def _too_early(ask: ActionRequest, at: datetime) -> bool:
    return ask.notified_at is None or at + _CLOCK_SLACK < ask.notified_at + SOLO_AFTER
