"""When an open group is about something new: it fires again, another service or kind of problem joins, or it becomes worse."""

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from bot.core.alert import Severity
from bot.core.alerts.problem_kind import HANDED_DOWN, is_own, kind_of, says_own
from bot.core.facts.alerting import AlertKind
from bot.core.service import Catalogue
from bot.core.text.camel_case import named_by, separated

BURST = timedelta(seconds=15)
"""Alerts of one outage come within so long of each other, whatever service they are on: rules wait differently."""
RECOVERED_FOR = BURST
"""A service of a group that still fires has recovered once it is quiet and its alert that fires again was off for so long."""
SPREADS_WITHIN = timedelta(minutes=5)
"""So long after an outage began its further alerts on the same service and on who calls it are expected of it."""
ACK_KEPT_WITHIN = timedelta(minutes=10)
"""An acknowledged alert that fires again within this time of clearing is still somebody's."""
COMES_BACK_AFTER = timedelta(minutes=10)
"""What somebody resolved is open again where an alert is still reported so long after: alerts end some minutes after a fix."""
NEWS_AGAIN_AFTER = timedelta(minutes=10)
"""That an alert fires again has a line however often it did, where the news before is older than this."""
_OF_CALLEES = named_by(r"depend\w*|(up|down)streams?")
"""Names of alerts that tell of what a service calls, and not of itself."""
_TRAFFIC = named_by(r"request.?rate|rps|qps", parts=r"traffic|throughput")
"""Names of alerts about how much is asked: callers pass that on to what they call."""
_WAITING = named_by(r"waiting|lag", parts=r"queue|backlog")
"""Words of alerts about work that waits: it does where the service fails at it."""
_FAILED = named_by(r"down|dead|replica\w*")
"""Words of alerts about what died or fell behind otherwise, though a queue is named too."""
_FAILS: frozenset[AlertKind] = frozenset({"errors", "latency"})
SETTLES_WITHIN = timedelta(seconds=10)
"""Alerts of one outage come in a burst: causes are ranked again once so long nothing new came."""
ALWAYS_A_LINE = 8
"""So many new services or kinds of problem have a line each: more is a storm, and the card counts them."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=30)
"""Between two rankings of one group; doubled with each further one."""
LONGEST_WAIT_OF_NEWS = timedelta(minutes=1)
"""The same for an alert that did not fire there again and again: what flapped before it must not leave it uninvestigated."""
NEWS_WITHIN, NEWS_UNTIL = timedelta(hours=1), 2
"""An alert is news in its group up to so many firings in so long a time."""


def older_until(previous_onset: datetime, previous_alert_at: datetime, started_at: datetime) -> datetime | None:
    """Until when what deviates belongs rather to the outage before than to one whose alert fires since `started_at`.

    Alerts wait (`for:`), so the new outage began about as long before its alert as the one before did. Halfway between both
    onsets the nearer one changes. None where the new one would not have begun after the one before.
    """
    onset = started_at - max(previous_alert_at - previous_onset, timedelta(0))
    return previous_onset + (onset - previous_onset) / 2 if onset > previous_onset else None


class RenewalReason(StrEnum):
    """What made an open group a matter of its own again."""

    FIRES_AGAIN = "fires_again"
    NEW_SERVICE = "new_service"
    NEW_KIND = "new_kind"
    WORSE = "worse"


class Notify(StrEnum):
    """Whom the line of a renewed group mentions."""

    NOBODY = "nobody"
    OTHERS = "others"
    """The on-call of the service that joined, unless the card mentioned them already."""
    ON_CALL = "on_call"


@dataclass(frozen=True)
class Members:
    """What an open group holds already."""

    alerts: Set[tuple[str, str]]
    """(alert name, service), "" for an unknown service."""
    kinds: Set[tuple[AlertKind, str]]
    """(kind of problem, service)."""
    services: Set[str]
    began_at: datetime
    """When its present outage began: its opening, or the last renewal."""


@dataclass(frozen=True)
class FurtherAlert:
    """A further alert of an open group, with everything that decides what it makes of the group."""

    name: str
    service: str
    severity: Severity
    members: Members
    catalogue: Catalogue
    now: datetime
    cleared: bool = False
    """No alert of the group fired any more."""
    flaps_rapidly: bool = False
    """The alert fires again and again: that it does so once more is no news, unless something was changed."""
    quiet: bool = False
    """Its service had recovered, while others of the group still fire."""
    changed: bool = False
    """Its service was changed since the outage began; of one that fires again, or what it calls."""
    absent_from_present_outage: bool = False
    """Nothing of its service fired in the present outage, and none of the group's services that it calls hands it anything."""
    alert_had_ended: bool = False
    """It fired before and does no more, on any component of its service."""
    next_burst: bool = False
    """Alerts come fast again: another outage has begun, which stays on this card."""
    present_alerts: Set[str] | None = None
    """The names of its service's alerts in the present outage; None where all of the group's are of it."""
    fires_elsewhere: bool = False
    """Something that nobody acknowledged fires in another group since this one cleared: of its service or what that calls."""
    suspected: bool = False
    """The newest ranking of the group names its service already."""
    acknowledged_at: datetime | None = None
    renewed_at: datetime | None = None
    worst_present: Severity | None = None
    """The worst alert of the present outage, where somebody acknowledged it; one before may have been as bad."""

    @property
    def recovered(self) -> bool:
        """Whether its service fires again as another outage of it, though the group did not clear.

        After a change of the service that its alert had ended is enough: the outage before may have ended seconds ago.
        """
        ended = self.quiet or (self.changed and self.alert_had_ended)
        return not self.cleared and ended and (self.changed or not self.flaps_rapidly)

    @property
    def renews(self) -> RenewalReason | None:
        """What it would make of the group if nothing were suspected or acknowledged.

        None where it is expected of the outage that the group shows already. That it became worse is an escalation.
        """
        if self.cleared:
            return RenewalReason.FIRES_AGAIN
        if not may_be_new(self.service, self.members, self.now):
            return None
        if self.recovered:
            return RenewalReason.FIRES_AGAIN
        members = self._present_members
        if (self.name, self.service) in members.alerts or (self._spreads and self._follows(members)):
            return None
        kind, own = kind_of(self.name), is_own(self.name)
        spreading = self._spreads and not own
        if self.service not in members.services:
            handed_down = spreading and _calls_one_of(self.service, members.services, self.catalogue)
            return None if handed_down else RenewalReason.NEW_SERVICE
        is_old_kind = _had_kind(kind, self.service, members, changed=self.changed) and not (own and kind in HANDED_DOWN)
        return None if spreading or is_old_kind else RenewalReason.NEW_KIND

    @property
    def _spreads(self) -> bool:
        """Whether the outage may still be spreading; what fails on a service that was changed since need not have spread."""
        return self.now - self.members.began_at <= SPREADS_WITHIN and not self.changed

    def _follows(self, members: Members) -> bool:
        """Whether it is about more requests that a caller passes on, or about work that waits where its service fails at it."""
        if _TRAFFIC.search(separated(self.name)) and _called_by_a_surge(self.service, members, self.catalogue):
            return True
        return _is_about_waiting(self.name) and any((failing, self.service) in members.kinds for failing in _FAILS)

    @property
    def _present_members(self) -> Members:
        """The members, without alerts of its service that fired in an outage before alone.

        What was changed since the present outage began may fail as it did then, and what is a service's own may run short
        again: each is another outage.
        """
        if self.present_alerts is None:
            return self.members
        alerts = {one for one in self.members.alerts if one[1] != self.service}
        kinds = {one for one in self.members.kinds if one[1] != self.service}
        own = {(kind_of(name), self.service) for name in self.present_alerts}
        return replace(self.members, alerts=alerts | {(name, self.service) for name in self.present_alerts}, kinds=kinds | own)

    @property
    def renewed_lately(self) -> bool:
        """Whether the thread told moments ago of something new, to which this belongs."""
        return self.renewed_at is not None and self.now - self.renewed_at <= BURST

    @property
    def acknowledgement_outlived_flap(self) -> bool:
        """Whether an acknowledgement outlived a flap, and what it was for had no part of this.

        Nothing of its service, or no such alert of something of the service's own: that is none of a flap.
        """
        over_flap = self.acknowledged_at is not None and self.renewed_at is not None and self.acknowledged_at < self.renewed_at
        new_of_its_own = is_own(self.name) and (self.name, self.service) not in self.members.alerts
        return over_flap and (new_of_its_own or has_no_part_in(self.service, self.members, self.catalogue))

    @property
    def worse(self) -> bool:
        """Whether it is worse than all of the outage that somebody acknowledged."""
        return self.worst_present is not None and self.severity.worse_than(self.worst_present)


class Judgement(NamedTuple):
    """What a further alert makes of an open group."""

    renewal: RenewalReason | None
    """What is new about it; None: nothing is."""
    another: bool = False
    """Another outage than the one that was acknowledged."""


def judge_further_alert(alert: FurtherAlert) -> Judgement:
    """What is new about the group; what was acknowledged may be something else than what fires now."""
    if alert.cleared:
        return Judgement(RenewalReason.FIRES_AGAIN, another=alert.changed or alert.fires_elsewhere)
    another, renews = alert.recovered and (alert.changed or alert.absent_from_present_outage), alert.renews
    if renews is None and alert.acknowledgement_outlived_flap:
        joins = alert.service not in alert.members.services
        return Judgement(RenewalReason.NEW_SERVICE if joins else RenewalReason.NEW_KIND, another)
    # What was changed since may fail of that, whatever it was suspected of before.
    expected = renews is RenewalReason.NEW_SERVICE and alert.suspected and not alert.changed
    if (renews is None or expected) and alert.next_burst and not alert.renewed_lately:
        return Judgement(RenewalReason.NEW_KIND, another)
    if renews is None or expected:
        return Judgement(RenewalReason.WORSE if alert.worse else None, another)
    return Judgement(renews, another)


def _had_kind(kind: AlertKind, service: str, members: Members, *, changed: bool) -> bool:
    """Whether a service has this kind of problem; of one that was `changed` since, what its callees gave it says nothing."""
    if not changed:
        return (kind, service) in members.kinds
    own = (name for name, of in members.alerts if of == service and not _OF_CALLEES.search(separated(name)))
    return any(kind_of(name) == kind for name in own)


def _is_about_waiting(name: str) -> bool:
    words = separated(name)
    other = kind_of(name) not in ("load", "other") or says_own(name) or _FAILED.search(words)
    return _WAITING.search(words) is not None and not other


def may_be_new(service: str, members: Members, now: datetime) -> bool:
    """Whether an alert of a group that still fires can be news at all: not one of the burst that its outage began with."""
    return service != "" and now - members.began_at > BURST


def _calls_one_of(service: str, failing: Set[str], catalogue: Catalogue) -> bool:
    """Errors are handed to callers: their alerts are no news."""
    return not catalogue.downstream(service).keys().isdisjoint(failing)


def _called_by_a_surge(service: str, members: Members, catalogue: Catalogue) -> bool:
    """Whether a service of the group that gets more requests calls it."""
    risen = {caller for name, caller in members.alerts if caller != service and _TRAFFIC.search(separated(name))}
    return any(service in catalogue.downstream(caller) for caller in risen)


def calls_a_member(service: str, members: Members, catalogue: Catalogue) -> bool:
    """Whether another service of a group may hand its errors to this one."""
    return _calls_one_of(service, members.services - {service}, catalogue)


def has_no_part_in(service: str, members: Members, catalogue: Catalogue) -> bool:
    """Whether a service alerts that did not before in a group, and that no failing one handed its errors to."""
    return service != "" and service not in members.services and not _calls_one_of(service, members.services, catalogue)


def keeps_acknowledgement(cleared_for: timedelta, *, another: bool) -> bool:
    """Whether an alert that fires again so long after it cleared is still taken by who acknowledged it.

    Not where this may be `another` outage: its service, or one that it depends on, was changed since that one began, or
    something else of the service fires since it cleared.
    """
    return cleared_for <= ACK_KEPT_WITHIN and not another


def outlasts_resolve(resolved_at: datetime | None, reported_at: datetime) -> bool:
    """Whether an alert that is reported then fires on after its group was resolved: somebody said that it is over."""
    return resolved_at is not None and reported_at - resolved_at >= COMES_BACK_AFTER


def notify(change: RenewalReason, *, acknowledged: bool) -> Notify:
    """Whom a renewal mentions: `acknowledged`: somebody had acknowledged what the group was about before."""
    if change is RenewalReason.FIRES_AGAIN:
        return Notify.NOBODY if acknowledged else Notify.ON_CALL
    return Notify.ON_CALL if acknowledged else Notify.OTHERS


def worth_a_line(change: RenewalReason, *, renewals: int, times: int, quiet_for: timedelta) -> bool:
    """Whether the thread says so: of an alert that fires again the 1st, 2nd, 4th, 8th ... time, and after a long quiet
    (`NEWS_AGAIN_AFTER`); of anything else the first ones.

    `renewals`: of the group, this one with them; `times`: that this very alert fired in it before; `quiet_for`: since the
    renewal before, or the group's opening.
    """
    if change is RenewalReason.FIRES_AGAIN:
        return quiet_for > NEWS_AGAIN_AFTER or times & (times - 1) == 0
    return renewals <= ALWAYS_A_LINE or renewals & (renewals - 1) == 0


def ranking_due(now: datetime, *, renewed_at: datetime, last_started_at: datetime, earlier: int, is_news: bool) -> bool:
    """Whether the causes of a renewed group are ranked again now; `earlier` rankings were made for renewals before.

    `is_news`: something fires since the last ranking that does not only fire again and again.
    """
    longest = LONGEST_WAIT_OF_NEWS if is_news else LONGEST_WAIT
    wait = min(FIRST_WAIT * 2 ** min(earlier, 10), longest)
    return last_started_at < renewed_at <= now - SETTLES_WITHIN and now - last_started_at >= wait
