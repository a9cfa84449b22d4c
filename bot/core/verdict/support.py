"""What the evidence shows of a cause: not what its sentence says, but whether what it names was recorded and measured."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE, begins_after_report
from bot.core.evidence import Hypothesis
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.changes.versions import VersionComparison
from bot.core.ranking.context import DETECTION_DELAY
from bot.core.tuning import TUNING
from bot.core.verdict.measured import Measured

_SURE = TUNING.confidence.sure
_NEAR = timedelta(seconds=TUNING.changes.sure_within)


@dataclass(frozen=True)
class Support:
    """How far the evidence carries one cause."""

    strength: int
    """0: nothing of it was measured. 1: its service fails. 2: what it names is there, and so is something else that
    explains the failure. 3: what it names explains it, and nothing else does. 4: the version alone carries it, or the code
    of the change explains it."""
    reason: str = ""
    """What keeps it from being likely; "" if nothing does."""
    too_late: bool = False
    """The change came after the onset, was taken back before the alert, or is what an approved action did about it."""
    evidence: frozenset[str] = field(default_factory=frozenset)
    """What shows it."""


def support_of(hypothesis: Hypothesis, measured: Measured) -> Support:
    """What the evidence shows of a cause of its kind, and what else explains the failure.

    What began well after the start that a person reports did not start it, whatever shows it.
    """
    change = measured.observations.changes.get(hypothesis.change_id)
    support = _of_its_kind(hypothesis, change, measured)
    began = change.at if change else measured.began(hypothesis.service)
    if support.strength > 2 and begins_after_report(began, measured.reported_at):
        return replace(support, strength=2, reason="it began well after the start that a person reports")
    return support


def _of_its_kind(hypothesis: Hypothesis, change: Change | None, measured: Measured) -> Support:
    if hypothesis.kind == "resource" and (change is None or not measured.near_changes(change.service)):
        return _resource(hypothesis, change, measured)
    if change is not None:
        return _change(change, measured)
    if hypothesis.kind == "change" or hypothesis.change_id:
        return Support(_location(hypothesis.service, measured), "no record holds the change")
    judges = {"external": _external, "traffic": _traffic, "dependency": _dependency}
    if judge := judges.get(hypothesis.kind):
        return judge(hypothesis.service, measured)
    return Support(_location(hypothesis.service, measured), "it names no kind of cause that a measurement could show")


def _location(service: str, measured: Measured) -> int:
    return 1 if measured.deviations(service) else 0


def _change(change: Change, measured: Measured) -> Support:
    service = change.service
    shown = frozenset({measured.observations.change_evidence[change.id], *measured.ids(service)})
    began = measured.began(service)
    versions = measured.versions_of(change)
    if change.by_action:
        return Support(0, f"it is what {change.by_action} did", too_late=True, evidence=shown)
    if change.was_undone(measured.alerted_at):
        return Support(0, "it was taken back, verified, before the alert", too_late=True, evidence=shown)
    if began and change.at > began + ONSET_TOLERANCE:
        if measured.overlap_began_at and change.at <= measured.overlap_began_at + ONSET_TOLERANCE:
            return Support(2, "it was made while another outage ran, and only its moment speaks for it", evidence=shown)
        return Support(0, "the change came after the onset", too_late=True, evidence=shown)
    if measured.carries(change) and (began or measured.came_before_alert(change)):
        code = measured.code_of(change).evidence if versions.factor <= 1 else ""
        return Support(4, evidence=shown | ({versions.evidence, code} - {""}))
    if not began:
        return Support(0, "when it began is not known, so the change may have come after it", evidence=shown)
    if not measured.deviations(service):
        return Support(0, f"nothing of {service} left its normal range", evidence=shown)
    reason = _against_change(change, began, versions, measured)
    return Support(2 if reason else 3, reason, evidence=shown)


def _against_change(change: Change, began: datetime, versions: VersionComparison, measured: Measured) -> str:
    """What keeps a change, of which only its moment is known, from being likely."""
    service = change.service
    if versions.factor < 1:
        return "another version alone shows it" if versions.spared else "other versions show it too"
    if measured.code_of(change).unrelated:
        return "its code was read, and nothing in it has to do with the symptoms"
    if (symptom := measured.symptom_of(service)) is None or symptom.doublings < _SURE:
        return f"{service} has neither errors nor latency clearly beyond its normal range"
    if callee := measured.explaining_callee(service):
        return f"{callee}, which {service} depends on, explains it"
    if callee := measured.unchecked_callee(service):
        return f"{callee}, which {service} depends on, could not be checked"
    if measured.failing_provider(service):
        return f"calls of {service} to somebody outside fail"
    if outside := measured.named_outside(service):
        return f"its log names a cause outside: {outside}"
    if began - change.at > _NEAR:
        return "it ran well for too long before the onset, and nothing shows that its version carries the failure"
    if earlier := next((d for d in measured.short_resources(service) if _before(d, change)), None):
        return f"{service} {earlier.signal} had left its normal range before the change"
    if measured.surge(service):
        return f"{service} got more requests at the same time"
    others = [other for other in measured.near_changes(service) if other.id != change.id]
    if others:
        return f"{len(others) + 1} changes of {service} came then, and only its moment speaks for this one"
    if change.kind in ("scale", "other"):
        return "a change of this kind rarely breaks a service"
    carried = measured.carried_change(service)
    return f"another change of {service} carries it" if carried and carried.id != change.id else ""


def _before(deviation: Deviation, change: Change) -> bool:
    """One that climbs through the whole window has no onset: it began before."""
    return deviation.onset is None or deviation.onset < change.at - DETECTION_DELAY


def _resource(hypothesis: Hypothesis, change: Change | None, measured: Measured) -> Support:
    service = hypothesis.service
    short = measured.short_resources(service)
    if not short:
        return Support(_location(service, measured), f"no resource of {service or 'a service'} ran short before it failed")
    shown = frozenset({measured.observations.id_of(d) for d in short} | measured.ids(service))
    first = min((d.onset for d in short if d.onset), default=None)
    climbing = any(d.onset is None for d in short)
    reason = _against_own_trouble(service, measured, None if climbing else first)
    if not reason and change is not None and not (climbing and measured.changes_of(service)[:1] == [change]):
        reason = "nothing shows that it ran short since that change"
    if not reason and measured.surge(service):
        reason = f"{service} got more requests at the same time"
    if not reason and measured.failing_provider(service):
        reason = f"calls of {service} to somebody outside fail"
    if not reason and measured.symptom_of(service) is None:
        reason = f"{service} has neither errors nor latency beyond its normal range"
    return Support(2 if reason else 3, reason, evidence=shown)


def _external(service: str, measured: Measured) -> Support:
    outside = measured.failing_provider(service)
    if outside is None and (named := measured.named_outside(service)):
        return Support(1, f"only log lines say so: {named}", evidence=frozenset(measured.ids(service)))
    if outside is None:
        why = f"calls of {service or 'a service'} to somebody outside do not fail first"
        return Support(_location(service, measured), why)
    reason = _against_own_trouble(service, measured, outside.onset)
    return Support(2 if reason else 3, reason, evidence=_shown(outside, measured))


def _shown(deviation: Deviation, measured: Measured) -> frozenset[str]:
    return frozenset({measured.observations.id_of(deviation), *measured.ids(deviation.service)})


def _traffic(service: str, measured: Measured) -> Support:
    rise = measured.surge(service)
    if rise is None:
        why = f"{service or 'no service'} got no more requests than its callers pass on"
        return Support(_location(service, measured), why)
    reason = _against_own_trouble(service, measured, rise.onset, surge=True)
    began = measured.onset_of(service)
    carried = timedelta(seconds=TUNING.traffic.carried_for + rise.step)
    if not reason and measured.symptom_of(service) is None:
        reason = f"{service} carries them: neither errors nor latency left their normal range"
    if not reason and rise.onset and began and rise.onset < began - carried:
        reason = f"{service} had carried them for a while before it failed"
    return Support(2 if reason else 3, reason, evidence=_shown(rise, measured))


def _dependency(service: str, measured: Measured) -> Support:
    network = measured.observations.signals.get(service, {}).get("network")
    symptom = network or measured.symptom_of(service)
    if symptom is None or symptom.doublings < _SURE:
        return Support(_location(service, measured), f"{service or 'no service'} does not fail clearly")
    reason = ""
    if callee := measured.explaining_callee(service):
        reason = f"{callee}, which {service} depends on, explains it"
    elif callee := measured.unchecked_callee(service):
        reason = f"{callee}, which {service} depends on, could not be checked"
    strength = 1 if reason else 3 if network else 2
    if not reason and not network and (more := _more_than_where(service, measured)):
        reason = f"it says where it fails, and not why: {more}"
    return Support(strength, reason, evidence=frozenset(measured.ids(service)))


def _more_than_where(service: str, measured: Measured) -> str:
    """What is measured or recorded at a failing service that may say why it fails; "" if nothing is."""
    if near := measured.near_changes(service):
        return f"{near[0].kind} {near[0].version or near[0].title} of {service} came just before"
    if short := measured.short_resources(service):
        return f"{service} {short[0].signal} ran short"
    if measured.failing_provider(service):
        return f"calls of {service} to somebody outside fail"
    return f"{service} got more requests" if measured.surge(service) else ""


def _against_own_trouble(service: str, measured: Measured, moment: datetime | None, *, surge: bool = False) -> str:
    """What else explains a trouble of the service's own that began at `moment` (None: it climbed through the whole window).

    Behind a surge the dependencies get more requests too: their trouble is then an effect.
    """
    if carried := measured.carried_change(service):
        return f"{carried.kind} {carried.version or carried.title} of {service} carries it"
    if moment and (near := measured.near_changes(service, moment)):
        return f"{near[0].kind} {near[0].version or near[0].title} of {service} came just before"
    callee = measured.explaining_callee(service)
    if callee and not (surge and measured.rise(callee)):
        return f"{callee}, which {service} depends on, explains it"
    if callee := measured.unchecked_callee(service):
        return f"{callee}, which {service} depends on, could not be checked"
    return ""
