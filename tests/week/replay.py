"""Plays the streams into a running bot beside Slack's stand-in, on a clock that runs faster, and waits until all is done."""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.sandbox.workspace.limits import RATES, Rate
from tests.bench.place import RunningBot
from tests.real.bot import Bot
from tests.real.processes import until
from tests.real.slack import Slack
from tests.trial.recorder import Recorder, Version
from tests.week.account import Episode, Identity, episodes
from tests.week.faster import BEGAN, FastClock
from tests.week.streams import Delivery, Stream

TOKEN = "token-of-the-week"
MOST = 100
"""Alerts in one body."""
TICK = 0.05
SETTLED_SECONDS = 1_800.0
"""Until a slow machine has sorted and posted what came faster than it can work."""


@dataclass(frozen=True)
class Played:
    """What came of it: the episodes that the bot stored, every version of every message, how many groups and incidents."""

    stored: dict[Identity, Episode]
    versions: Sequence[Version]
    groups: int
    incidents: int
    refused: int
    """Bodies that were not answered with 202."""


def play(folder: Path, streams: Sequence[Stream], clock: FastClock, report: Callable[[int], None]) -> Played:
    """Replay the streams by `clock`. `report` is called with the number of alerts that were sent."""
    config = folder / "tocsin.yaml"
    config.write_text(yaml.safe_dump(_config(streams)), encoding="utf-8")
    with ExitStack() as ending:
        slack = Slack(folder, "--no-world").start()
        ending.callback(slack.stop)
        slack.post("limits", {"rates": [_rate(method, rate, clock.speed) for method, rate in RATES.items()]})
        slack.post("channels", [{"id": f"C{n}", "name": stream.source} for n, stream in enumerate(streams, 20)])
        seen = ending.enter_context(Recorder(slack.addresses["control"]))
        tokens = {f"TOCSIN_TOKEN_{stream.source.upper()}": TOKEN for stream in streams}
        bot = Bot(
            folder,
            slack,
            config,
            environment={**tokens, BEGAN: str(clock.began)},
            command=(sys.executable, "-m", "tests.week.faster", str(clock.speed)),
        )
        ending.callback(bot.stop)
        running = RunningBot(bot, slack, folder, bot.start())
        refused = _send(bot, streams, clock, report)
        _settle(running)
        stored = episodes(folder / "data" / "app.db")
        return Played(stored, list(seen.versions), running.count('"groups"'), running.count("incidents"), refused)


def _rate(method: str, rate: Rate, speed: float) -> dict[str, object]:
    """Slack's limit of a method on the faster clock."""
    return {"method": method, "burst": rate.burst, "per_second": rate.per_second * speed}


def _config(streams: Sequence[Stream]) -> dict[str, object]:
    """A channel and an on-call for each system, and the services with what they call."""
    services = {
        name: {"channel": f"C{n}", "depends_on": sorted(set(calls) - {name}), "on_call": _ON_CALL, "match": {"service": name}}
        for n, stream in enumerate(streams, 20)
        for name, calls in stream.depends_on.items()
    }
    return {
        "sources": {stream.source: {"kind": "alertmanager"} for stream in streams},
        "people": {"alice": {"slack": "U1"}, "bob": {"slack": "U2"}},
        "services": services,
        "default_channel": "C0",
    }


_ON_CALL = {"rotation": ["alice", "bob"], "every": "1w", "starts": "2026-01-05T09:00:00Z"}


def _send(bot: Bot, streams: Sequence[Stream], clock: FastClock, report: Callable[[int], None]) -> int:
    """Each delivery once its moment has come; the number of bodies that were refused."""
    waiting = sorted((one for stream in streams for one in stream.deliveries), key=lambda one: one.at)
    sent = refused = 0
    while sent < len(waiting):
        now = clock()
        due = [one for one in waiting[sent : sent + 20 * MOST] if one.at <= now]
        for source, key, alerts in _bodies(due):
            body = {"version": "4", "groupKey": key, "status": "firing", "receiver": "tocsin", "alerts": alerts}
            body |= {"groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": ""}
            refused += bot.post(f"/alerts/{source}", body, TOKEN).status_code != 202
        sent += len(due)
        report(sent)
        time.sleep(TICK)
    return refused


def _bodies(due: Sequence[Delivery]) -> Iterator[tuple[str, str, list[dict[str, object]]]]:
    """As Alertmanager does with `group_by: [alertname, service]`: one body for each group."""
    groups: dict[tuple[str, str], list[dict[str, object]]] = defaultdict(list)
    for one in due:
        labels = one.alert["labels"]
        key = f'{{}}:{{alertname="{labels.get("alertname", "")}", service="{labels.get("service", "")}"}}'
        groups[one.source, key].append(one.alert)
    for (source, key), alerts in groups.items():
        for start in range(0, len(alerts), MOST):
            yield source, key, alerts[start : start + MOST]


def _settle(bot: RunningBot) -> None:
    """Until all is sorted and every first post stands in Slack."""
    bot.caught_up(SETTLED_SECONDS)
    first_posts = "SELECT count(*) FROM messages WHERE sent_rev = 0 AND undelivered = ''"
    until(lambda: bot.ask(first_posts) == 0, SETTLED_SECONDS, "every message posted", every=1.0)
