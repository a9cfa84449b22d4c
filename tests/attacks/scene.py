"""Plays items of several kinds in one world, a few at a time, then judges each of them by everything that can be seen."""

import asyncio
import json
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import col

from bot.serving import tuned_runner
from bot.store.tables import AuditRow, DecisionRow, IncidentRow, ProposalRow
from tests.attacks.cast import channel_of
from tests.attacks.items import Item, decoded
from tests.attacks.judging import Seen, is_record, judge
from tests.attacks.kinds import Kind
from tests.attacks.planting import STORMS, play
from tests.attacks.world import World

AT_ONCE = 6
"""The bot is busy all the time with so few; with more each takes longer, and a busy machine makes them too late to count."""


@dataclass
class Outcome:
    """What came of one item."""

    item: Item
    why: list[str]
    twin: bool = False


@dataclass
class Played:
    """Outcomes by kind, and how long it all took."""

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    seconds: float = 0.0


def play_in_one_world(kinds: Sequence[Kind], chosen: Mapping[str, Sequence[Item]], twins: Collection[str]) -> Played:
    """Play every chosen item, and the twins of the kinds that `twins` names."""
    with tuned_runner() as runner:
        return runner.run(_play(kinds, chosen, twins))


async def _play(kinds: Sequence[Kind], chosen: Mapping[str, Sequence[Item]], with_twin: Collection[str]) -> Played:
    began = time.monotonic()
    items = [item for kind in kinds for item in chosen[kind.name]]
    services = {f"svc-{number:03d}": item for number, item in enumerate(items)}
    twin = f"svc-{len(items):03d}"
    played = Played({kind.name: [] for kind in kinds})
    with tempfile.TemporaryDirectory(prefix="tocsin-attacks-") as folder:
        async with World([*services, twin], Path(folder)) as world:
            world.puppet.honest.add(twin)
            gate = asyncio.Semaphore(AT_ONCE)
            storms = {service: item for service, item in services.items() if item.rule.get("rule") in STORMS}
            calm = [_scene(world, gate, item, service) for service, item in services.items() if service not in storms]
            scenes = await asyncio.gather(*calm)
            twins = [(kind.name, await kind.twin(world, twin)) for kind in kinds if kind.name in with_twin]
            scenes += [await _scene(world, gate, item, service) for service, item in storms.items()]
            await _look(world, scenes)
    by_name = {kind.name: kind for kind in kinds}
    for seen in scenes:
        extra = [] if seen.problem else [why for check in by_name[seen.item.category].checks for why in check(seen)]
        played.outcomes[seen.item.category].append(Outcome(seen.item, [*judge(seen), *extra]))
    for name, found in twins:
        played.outcomes[name] += [Outcome(item, why, twin=True) for item, why in found]
    played.seconds = time.monotonic() - began
    return played


async def _scene(world: World, gate: asyncio.Semaphore, item: Item, service: str) -> Seen:
    async with gate:
        seen = Seen(item, service)
        try:
            seen.statuses = await play(world, item, service)
        except Exception as error:  # noqa: BLE001 - one item that cannot be played must not end the others
            seen.problem = f"could not be played: {type(error).__name__}: {error}"
        return seen


async def _look(world: World, scenes: Sequence[Seen]) -> None:
    """Fill every scene with what can be seen once all of them rest."""
    said, alive = await world.said(), (await world.client.get("/readyz")).status_code == 200
    logged = [line for line in world.log.getvalue().split("\n") if line]
    requests = json.dumps(world.puppet.requests, ensure_ascii=False)
    forged = next((line for line in logged if not is_record(line)), "")
    everything = "\n".join([json.dumps(said, ensure_ascii=False), requests, await world.database(), *logged])
    audit = "\n".join(f"{row.what} {row.subject} {row.before} {row.after}" for row in await world.rows(AuditRow))
    same = world.app.config.model_dump_json() == world.policy
    texts = {seen.item.id: "\n".join([seen.item.text, *decoded(seen.item.text)]) for seen in scenes}
    for seen in scenes:
        others = [text for id, text in texts.items() if id != seen.item.id]
        seen.shared = frozenset(line for line in seen.item.canary.split("\n") if line and any(line in one for one in others))
        channel = await world.channel(seen.service)
        seen.doubts = world.doubts.get(seen.service, [])
        seen.messages = [m for m in said if m.get("channel") == channel]
        seen.elsewhere = [m for m in said if m.get("channel") not in {channel, *map(channel_of, world.services)}]
        seen.requests = world.puppet.requests.get(seen.service, [])
        seen.group, seen.triage = await world.group(seen.service), await world.triage_over(seen.service)
        seen.episodes = await world.stored(seen.service)
        if seen.group is not None and seen.group.incident_id:
            seen.incident = (await world.rows(IncidentRow, IncidentRow.id == seen.group.incident_id))[0]
        seen.proposals = await world.rows(ProposalRow, ProposalRow.service == seen.service)
        ids = [row.id for row in seen.proposals]
        seen.approvals = await world.rows(DecisionRow, col(DecisionRow.proposal_id).in_(ids), DecisionRow.verdict == "approve")
        seen.calls = world.backends.calls.count(seen.service)
        seen.asked, seen.outside = world.backends.asked, world.watch.seen
        seen.everything, seen.logged, seen.forged, seen.audit = everything, logged, forged, audit
        seen.canaries, seen.policy_same, seen.alive = tuple(world.canaries.values()), same, alive
