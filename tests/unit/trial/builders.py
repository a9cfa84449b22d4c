"""Outages, alerts and messages for tests of the judge; moments are seconds after T."""

from math import inf

from tests.trial.outage import DeliveredAlert, Outage, Run
from tests.trial.plan import Follows
from tests.trial.recorder import Version

T = 1_800_000_000.0


def outage(number: int = 1, root: str = "cart", at: float = 0.0, end: float = 60.0, **more: object) -> Outage:
    follows = more.get("follows", Follows.FIRST)
    change = more.get("change", ())
    return Outage(number, "bad-deploy", root, frozenset({"checkout"}), follows, T + at, T + at, T + end, change)  # type: ignore[arg-type]


def alert(service: str = "cart", name: str = "HighErrorRate", at: float = 2.0, end: float = inf) -> DeliveredAlert:
    return DeliveredAlert(name, service, f"{name}/{service}", T + at - 1, T + at, T + end)


def message(words: str, at: float, *, key: str = "card:AL-1", thread: str = "1", pings: tuple[str, ...] = ()) -> Version:
    return Version(T + at, T + at, "C0", str(at), key, thread, words.splitlines()[0], words, pings)


def run(*outages: Outage, alerts: tuple[DeliveredAlert, ...] = (), acknowledged: tuple[tuple[str, float], ...] = ()) -> Run:
    return Run(1, T, T + 300, outages, alerts, tuple((thread, T + at) for thread, at in acknowledged))


def began(at: float) -> str:
    return f"<!date^{int(T + at)}^{{time}}|then>"
