"""`python -m tests.week --data DIR`: recorded and storm alerts through the running bot, faster than they came.

Prints what became of every alert (shown, grouped, muted, informational, each with its reason; unaccounted: none of these),
and how many messages and mentions an incident took. Exit code 0 only if every alert is accounted for.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from tests.bench.report import table
from tests.trial.recorder import Version
from tests.week.account import Fate, Identity, account
from tests.week.faster import FastClock
from tests.week.replay import Played, play
from tests.week.streams import Stream, week

SYSTEMS = ("micross", "online_boutique_cb1")
FIRST = timedelta(minutes=5)
"""Of the bot's time, in which it starts before the first alert."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with recorded, alert_storm, rca_alerts"
    )
    parser.add_argument("--speed", type=float, default=60.0, help="seconds of the streams in a second")
    parser.add_argument("--hours", type=float, default=24.0, help="at most so much of each storm stream")
    options = parser.parse_args()
    began = time.time()
    clock = FastClock(began, options.speed)
    start = datetime.fromtimestamp(began, UTC) + max(FIRST, timedelta(seconds=20 * options.speed))
    streams = week(options.data, SYSTEMS, start, timedelta(hours=options.hours))
    total = sum(len(stream.deliveries) for stream in streams)
    with tempfile.TemporaryDirectory(prefix="week-") as folder, Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Alerts", total=total)
        played = play(Path(folder), streams, clock, lambda sent: progress.update(task, completed=sent))
    shown = {version.key for version in played.versions}
    fates = account({one.identity for stream in streams for one in stream.deliveries}, played.stored, shown)
    _print(streams, played, fates, options.speed)
    return 0 if not played.refused and Fate.UNACCOUNTED not in fates.values() else 1


def _print(streams: Sequence[Stream], played: Played, fates: dict[Identity, Fate], speed: float) -> None:
    hours = (streams[-1].deliveries[-1].at - streams[0].deliveries[0].at).total_seconds() / 3600
    rows = [_row(stream, fates) for stream in streams]
    head = ("stream", "deliveries", "alerts", *(fate.value for fate in Fate), "incidents behind them")
    table(f"{hours:.1f} h of alerts at {speed:g} x: what became of each", head, rows)
    hidden = (one for one, fate in fates.items() if fate in (Fate.GROUPED, Fate.MUTED))
    reasons = Counter(played.stored[one].kind.replace("_", " ") for one in hidden)
    table("Reasons, the most frequent", ("reason", "alerts"), [[reason, n] for reason, n in reasons.most_common(12)])
    posts = [version for version in played.versions if version.posted]
    mentions = sum(len(version.pings) for version in posts)
    behind = sum(stream.incidents for stream in streams)
    in_channel = sum(version.thread == version.ts for version in posts)
    kinds = Counter(_kind(version) for version in posts)
    pinged = Counter(_kind(version) for version in posts for _ in version.pings)
    table("By kind of message", ("kind", "messages", "mentions"), [[kind, n, pinged[kind]] for kind, n in kinds.most_common()])
    head = ("groups", "incidents", "messages", "in channels", "edits", "mentions")
    title = f"In Slack ({behind} incidents were behind the streams; {played.refused} bodies refused)"
    table(title, head, [[played.groups, played.incidents, len(posts), in_channel, len(played.versions) - len(posts), mentions]])
    whom = {"declared": played.incidents, "behind the streams": behind}
    each = [[name, len(posts) / max(1, n), in_channel / max(1, n), mentions / max(1, n)] for name, n in whom.items()]
    table("An incident", ("of those", "messages", "in channels", "mentions"), each)


def _kind(version: Version) -> str:
    return version.key.partition(":")[0]


def _row(stream: Stream, fates: dict[Identity, Fate]) -> list[object]:
    own = {one.identity for one in stream.deliveries}
    counts = Counter(fates[identity] for identity in own)
    return [stream.source, len(stream.deliveries), len(own), *(counts[fate] for fate in Fate), stream.incidents]


if __name__ == "__main__":
    sys.exit(main())
