"""Streams of overlapping bursts of alerts (MIT, as rca_alerts): which alerts belong to one outage, said as each arrives?

`DIR` holds `<stream>.alerts.jsonl.gz` and, for figures, `<stream>.labels.json`; the topology of a system lies beside it as
`<system>.topology.json`, or in `../rca_alerts/<system>`. Every alert goes through the inbox in its order, at its time, and
its group is the one that the sorter stored. One stream writes its list of groups, several write `{stream: list}`.
"""

import asyncio
import gzip
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlmodel import SQLModel, col, select

from bot.core.alert import Alert
from bot.core.config import Config
from bot.core.service import Catalogue
from bot.sources._parsing import fingerprint
from bot.store.alerts.sorting.inbox import InboxReader
from bot.store.alerts.sorting.sorter import Sorter
from bot.store.db.database import Database
from bot.store.tables import AlertRow, EpisodeRow
from tests.evaluation.rca_alerts import System
from tests.evaluation.world import moment

ENDING = ".alerts.jsonl.gz"
BATCH, BATCH_SECONDS = 250, 5.0
"""So many alerts, and so much of the stream, go into the inbox at once; each keeps its own time of arrival."""
SENT_AFTER = timedelta(milliseconds=1)
"""A start that is the arrival would say that the source knows none, and the alert would repeat what fires."""
SIMPLE = (
    "simple baselines: per component and name 0.008 / 0.010 (MicroSS / cloudbed-1), fixed windows of 5 minutes 0.647 / 0.538; "
    "told every onset, the newest takes all: 0.776 / 0.721"
)
PUBLISHED = "published best: none, the streams were put together from the bursts of rca_alerts"


def evaluate(data: Path, out: Path) -> None:
    """Group every stream under `data`; print how right that was where labels lie beside it."""
    streams = [Stream(path) for path in sorted(data.rglob(f"*{ENDING}"))]
    groups: dict[str, list[int]] = {}
    for stream in streams:
        began = time.process_time()
        groups[stream.name] = asyncio.run(grouped(stream))
        seconds = time.process_time() - began
        if stream.truth:
            print(f"{stream.name} (n {len(stream.rows)}): {figures(stream.truth, groups[stream.name])}; {seconds:.0f} s CPU")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(next(iter(groups.values())) if len(groups) == 1 else groups), encoding="utf-8")
    print(SIMPLE, PUBLISHED, sep="\n")


@dataclass(frozen=True)
class Stream:
    """One stream of alerts and the system that it comes from."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(ENDING)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """In the order of arrival."""
        with gzip.open(self.path, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    @cached_property
    def truth(self) -> list[int]:
        """The incident of each alert; empty without labels."""
        path = self.path.with_name(f"{self.name}.labels.json")
        if not path.exists():
            return []
        incidents: list[int] = json.loads(path.read_text(encoding="utf-8"))["incident_of_alert"]
        return incidents

    @cached_property
    def system(self) -> System | None:
        """Its topology; None without one."""
        system = self.name.split(".")[0]
        beside = self.path.parent / system
        for folder in (beside, self.path.parent, self.path.parent.parent / "rca_alerts" / system):
            if (folder / "topology.json").exists():
                return System(folder)
        return None

    @property
    def catalogue(self) -> Catalogue:
        return self.system.catalogue if self.system else Catalogue()

    def alerts(self) -> Iterator[tuple[datetime, Alert]]:
        """When each arrives, and what a source would send."""
        for row in self.rows:
            at = moment(row["ts"])
            labels = {**self._labels(row), "direction": row["direction"]}
            yield (
                at,
                Alert(
                    source=self.name.split(".")[0],
                    fingerprint=fingerprint([row["name"], labels]),
                    status="firing",
                    name=row["name"],
                    severity="warning",
                    labels=labels,
                    starts_at=at - SENT_AFTER,
                ),
            )

    def _labels(self, row: Mapping[str, str]) -> dict[str, str]:
        if "caller" in row:
            return {**self._of(row["component"]), "caller": row["caller"]}
        return self._of(row["component"])

    def _of(self, component: str) -> dict[str, str]:
        if self.system is None or component not in self.system.kinds:
            return {"instance": component}
        return self.system.labels_of(component)


async def grouped(stream: Stream) -> list[int]:
    """The group of each alert, as the sorter chose it; 0 for one without a group."""
    with tempfile.TemporaryDirectory() as folder:
        clock = _Clock(moment(stream.rows[0]["ts"]))
        db = Database(f"sqlite+aiosqlite:///{Path(folder) / 'app.db'}", audit_key=b"key", clock=clock)
        async with db.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        inbox = InboxReader(db, Sorter(db, Config(default_channel="C1"), stream.catalogue))
        order: list[Alert] = []
        for batch in _batches(stream.alerts()):
            clock.now = batch[-1][0]
            async with db.write() as session:
                rows = [{**alert.model_dump(), "received_at": at} for at, alert in batch]
                await (await session.connection()).execute(insert(AlertRow), rows)
            while await inbox.take(BATCH) is not None:
                pass
            order += [alert for _, alert in batch]
        groups = await _groups(db)
        await db.close()
    return [groups.get((alert.fingerprint, alert.starts_at), 0) for alert in order]


class _Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def _batches(alerts: Iterator[tuple[datetime, Alert]]) -> Iterator[list[tuple[datetime, Alert]]]:
    batch: list[tuple[datetime, Alert]] = []
    for at, alert in alerts:
        if batch and (len(batch) == BATCH or at - batch[0][0] > timedelta(seconds=BATCH_SECONDS)):
            yield batch
            batch = []
        batch.append((at, alert))
    if batch:
        yield batch


async def _groups(db: Database) -> dict[tuple[str, datetime], int]:
    async with db.read() as session:
        columns: Any = (EpisodeRow.fingerprint, EpisodeRow.starts_at, EpisodeRow.group_id)
        rows = (await session.exec(select(*columns).where(col(EpisodeRow.group_id).is_not(None)))).all()
    return {(name, starts_at): group for name, starts_at, group in rows}


def figures(truth: Sequence[Hashable], groups: Sequence[int]) -> str:
    """Pairs of alerts of one incident that are in one group, and what that costs in groups."""
    held, sizes, both = Counter(groups), Counter(truth), Counter(zip(truth, groups, strict=True))
    same, together, right = (sum(n * (n - 1) // 2 for n in counts.values()) for counts in (sizes, held, both))
    precision, recall = right / max(1, together), right / max(1, same)
    f1 = 2 * right / max(1, same + together)
    largest: dict[int, int] = defaultdict(int)
    for (_, group), count in both.items():
        largest[group] = max(largest[group], count)
    purity = sum(largest.values()) / max(1, len(groups))
    return (
        f"pair F1 {f1:.3f} (precision {precision:.3f}, recall {recall:.3f}), compression {1 - len(held) / len(groups):.4f}, "
        f"{len(held)} groups of {len(sizes)} incidents, purity {purity:.3f}"
    )
