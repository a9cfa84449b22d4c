"""Plays items: the steps and the twin each in a fresh world, several worlds at a time."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.attacks.steps.acts import Acts
from tests.attacks.steps.checks import Checks
from tests.attacks.steps.database_acts import DatabaseActs
from tests.attacks.steps.items import Given, Item, Step, Unplayable, grouped
from tests.attacks.steps.outside import Outside
from tests.attacks.steps.world import World
from tests.real.postgres import Server, serving

AT_ONCE = 3
"""Worlds at a time: two cores are busy with them, and four took 1.1 GB."""
PLAY_S = 240.0
ERRORS = (Unplayable, TimeoutError, TypeError, ValueError, LookupError, RuntimeError, OSError, httpx.HTTPError, psycopg.Error)
"""What an unknown word, a step that cannot be played, and a world that does not come to rest end in."""


@dataclass(frozen=True)
class Result:
    """What came of one play. `why` is empty if it passed; `not_applicable` says why it does not count."""

    id: str
    technique: str
    twin: bool
    why: list[str] = field(default_factory=list)
    not_applicable: str = ""
    seconds: float = 0.0


class Player:
    """`async with Player(folder) as player`: `play` any number of items."""

    def __init__(self, folder: Path, *, postgres: bool) -> None:
        self._folder, self._postgres = folder, postgres
        self._outside = Outside()
        self._server: Server | None = None
        self._number = 0
        self._lacking: dict[str, str] = {}
        self._looking = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Player":
        await self._stack.enter_async_context(self._outside)
        if self._postgres:
            self._server = self._stack.enter_context(serving())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def play(self, item: Item, *, twin: bool) -> Result:
        """One of the two plays of an item."""
        began = time.monotonic()
        steps, checks = (item.twin, item.twin_expect) if twin else (item.steps, item.expect)
        try:
            async with asyncio.timeout(PLAY_S):
                if lacking := await self._lacks(item.needs):
                    return Result(item.id, item.technique, twin, not_applicable=lacking)
                why = await self._in_world(item.given, steps, lambda world: _played(world, steps, checks))
        except ERRORS as error:
            why = [f"could not be played: {type(error).__name__}: {error}"]
        return Result(item.id, item.technique, twin, why, seconds=time.monotonic() - began)

    async def in_world(self, given: Given, play: Callable[[World], Any], *, postgres: bool) -> Any:
        """Whatever `play` answers, in a world of its own, on SQLite or PostgreSQL."""
        return await self._in_world(given, (), play, postgres=postgres)

    async def _in_world(
        self, given: Given, steps: Sequence[Step], play: Callable[[World], Any], *, postgres: bool = False
    ) -> Any:
        self._number += 1
        name = f"w{self._number}"
        folder = self._folder / name
        folder.mkdir()
        database = self._server.create_database() if (postgres or given.replicas == 2) and self._server else ""
        if database:
            _let_time_pass_there(database)
        world = World(
            folder,
            given,
            hook=f"{self._outside.url}/{name}",
            outside=self._outside.place(name),
            database=database,
            model=any(step.act == "model" for step in steps),
        )
        try:
            await world.open()
            return await play(world)
        finally:
            await world.close()
            if database and self._server:
                self._server.drop_database(database)
            shutil.rmtree(folder, ignore_errors=True)

    # ------------------------------------------------------------ what the product lacks

    async def _lacks(self, needs: Sequence[str]) -> str:
        """Why an item with these needs does not apply; found out by looking, once."""
        for need in needs:
            async with self._looking:
                if need not in self._lacking:
                    self._lacking[need] = await self._in_world(Given(), (), _LOOKS[need])
            if self._lacking[need]:
                return self._lacking[need]
        return ""


async def _lacks_break_glass(world: World) -> str:
    before = len(await world.slack.private("commander"))
    await world.slash("commander", "help break-glass")
    await world.rest()
    told = (await world.slack.private("commander"))[before:]
    return "" if any("break-glass" in words and "no verb" not in words.lower() for words in told) else f"no break-glass: {told}"


async def _lacks_policy_review(world: World) -> str:
    config = {**world.own_config, "approvers": {"deputies": ["deputy", "mole"], "admins": ["admin", "owner"]}}
    world.write_config(config)
    await world.restart()
    await world.rest()
    waits = [row for row in world.records.audit() if row["what"] == "policy" and "second person" in row["reason"]]
    return "" if waits else "a policy that widens rights waits for nobody"


_LOOKS = {"break_glass": _lacks_break_glass, "policy_review": _lacks_policy_review}


def _let_time_pass_there(database: str) -> None:
    """Functions without a schema are looked up where the player can lay its own clock before PostgreSQL's."""
    name = database.rsplit("/", 1)[1]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA passed")
        connection.execute(f'ALTER DATABASE "{name}" SET search_path = passed, pg_catalog, public'.encode())


async def _played(world: World, steps: Sequence[Step], checks: Sequence[dict[str, Any]]) -> list[str]:
    """Every step in its order, then the checks."""
    acts, at_the_end = (Acts(world), DatabaseActs(world)), Checks(world)
    for group in grouped(tuple(steps)):
        for outcome in await asyncio.gather(*(_step(world, acts, step) for step in group), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        if group[0].act != "check":
            await world.rest()
    why = await at_the_end.failures(checks)
    if world.outside.model_runs == 0:
        why.append("no run asked the model")
    return why + [f"replica {name} does not answer" for name in await world.healthy()]


async def _step(world: World, acts: tuple[Acts, DatabaseActs], step: Step) -> None:
    if step.act == "check":
        if why := await Checks(world).check(step.args):
            raise Unplayable(f"in between: {'; '.join(why)}")
        return
    people, database = acts
    name = {"world": "do_world"}.get(step.act, step.act)
    act = database.db if name == "db" else getattr(people, name, None) if not name.startswith("_") else None
    if act is None:
        raise Unplayable(f"unknown act {step.act!r}")
    await act(step, **step.args)


async def play_all(
    items: Sequence[Item], told: Callable[[Result], None], *, twins: bool = True, at_once: int = AT_ONCE
) -> list[Result]:
    """All items with their twins; `told` hears of each result as it comes."""
    plays = [(item, twin) for item in items for twin in ((False, True) if twins else (False,))]
    with tempfile.TemporaryDirectory(prefix="tocsin-steps-") as folder:
        async with Player(Path(folder), postgres=any(item.given.replicas == 2 for item in items)) as player:
            gate = asyncio.Semaphore(at_once)

            async def one(item: Item, twin: bool) -> Result:
                async with gate:
                    result = await player.play(item, twin=twin)
                told(result)
                return result

            return list(await asyncio.gather(*(one(*play) for play in plays)))
