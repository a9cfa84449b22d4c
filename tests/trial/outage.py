"""What really happened in a run: outages, and the alerts that were delivered of them."""

from dataclasses import dataclass
from math import inf

from tests.trial.plan import Follows

AT_ONCE = 30.0
"""Seconds from its cause within which a fault does harm that raises no alert before that; slow ones warn first."""
STANDING = frozenset({"Watchdog", "CertificateExpiring"})
"""Alerts of the shop that no outage causes."""


@dataclass(frozen=True)
class Outage:
    """One fault of a run; moments are Unix seconds."""

    number: int
    fault: str
    root: str
    affected: frozenset[str]
    follows: Follows
    caused_at: float
    """When its cause came into the world; slow ones raise alerts before they do harm."""
    began_at: float
    ended_at: float
    change: tuple[str, ...]
    """Words that name its guilty change (its service and version, or its title); empty without one."""


@dataclass(frozen=True)
class DeliveredAlert:
    """One alert as the bot acknowledged it, from `delivered_at` until its end was delivered."""

    name: str
    service: str
    fingerprint: str
    starts_at: float
    delivered_at: float
    ended_at: float = inf
    severity: str = "critical"


@dataclass(frozen=True)
class Run:
    """Everything that a run is judged by, beside the messages."""

    seed: int
    began_at: float
    ended_at: float
    outages: tuple[Outage, ...]
    alerts: tuple[DeliveredAlert, ...]
    acknowledged: tuple[tuple[str, float], ...]
    """(thread, when) of each press of Acknowledge."""


def alerts_of(outage: Outage, alerts: tuple[DeliveredAlert, ...]) -> list[DeliveredAlert]:
    """The alerts that began with it, on its root or what calls it, in their order.

    Of a fault that does harm at once none from before that: a queue of an outage that stands may grow meanwhile.
    """
    services = outage.affected | {outage.root}
    since = outage.caused_at if outage.began_at - outage.caused_at > AT_ONCE else outage.began_at - 1
    return [
        alert
        for alert in alerts
        if alert.service in services and alert.name not in STANDING and since <= alert.starts_at <= outage.ended_at
    ]


def newest_until(outage: Outage, run: Run) -> float:
    """The moment until which it stands and no further one was caused."""
    return min([outage.ended_at, *(o.caused_at for o in run.outages if o.number > outage.number)])


def first_alert(outage: Outage, run: Run) -> DeliveredAlert | None:
    """The alert that has to be told: the first one on its root if that comes within 20 s of the first of all, else the first.

    Of outages that overlap, what calls both roots alerts already: only the root's own alert says that there is another,
    and of those none that fired there before its cause came into the world (pods are replaced and alert anew), nor one that
    fired elsewhere, where the outage that stands reaches the root and another one of the root is left. Where the root has
    none, because it fails already with that outage, the first that did not fire on its service before; None if all did.
    """
    own = alerts_of(outage, run.alerts)
    if not own:
        return None
    first = min(own, key=lambda alert: alert.delivered_at)
    until = inf if stands_beside(outage, run) else first.delivered_at + 20
    standing = [o for o in run.outages if o.number < outage.number and o.ended_at > outage.caused_at]
    reached = any(outage.root in o.affected for o in standing)
    before = firing(run.alerts, outage.caused_at)
    here, anywhere = {a.name for a in before if a.service == outage.root}, {a.name for a in before if reached}
    of_root = [a for a in own if a.service == outage.root and a.delivered_at <= until and a.name not in here]
    telling = [a for a in of_root if a.name not in anywhere] or of_root
    if not telling and reached:
        stood = {(a.name, a.service) for a in before}
        telling = [a for a in own if (a.name, a.service) not in stood]
    return min(telling, key=lambda alert: alert.delivered_at, default=None if reached else first)


def stands_beside(outage: Outage, run: Run) -> bool:
    """Whether alerts of an outage before fired when its own first came; an action may have ended that one before."""
    own = alerts_of(outage, run.alerts)
    first = min((alert.delivered_at for alert in own), default=outage.began_at)
    return outage.follows is Follows.OVERLAPPING and any(alert not in own for alert in firing(run.alerts, first))


def firing(alerts: tuple[DeliveredAlert, ...], at: float) -> list[DeliveredAlert]:
    """What fired at a moment, as far as it had been delivered; what no outage causes aside."""
    return [a for a in alerts if a.name not in STANDING and a.delivered_at <= at < a.ended_at]
