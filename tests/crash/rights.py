"""Break-glass and standing approvals, with the bot killed before every step of what they start.

`python -m tests.crash.rights`: in worlds of the attacks' player, on SQLite and PostgreSQL. Exit code 1 if a promise is broken
or a point was not reached.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.attacks.steps.acts import Acts
from tests.attacks.steps.cast import SERVICE
from tests.attacks.steps.items import Given, Step
from tests.attacks.steps.names import FINAL
from tests.attacks.steps.play import ERRORS, Player
from tests.attacks.steps.world import World

HOUR_S, VETO_S, REACH_S = 3700, 301, 60.0
"""Until targets count anew; until nobody may stop it any more; and how long a point may take to be reached."""
WATCHED = ("look again", "claim", "execute", "look at the signal", "conclude")
UNKNOWN = {"call": 0, "outcome": 1}
"""Between attempt and outcome nobody knows whether it ran: calls that were made by then."""
GLASS = ("decide", "wake", "read the decisions", *WATCHED, *UNKNOWN)
STANDING = ("start by standing approval", "read the decisions", *WATCHED, "call")
LAST = ("outcome",)
"""A run of unknown outcome ends the grant, so each has a world of its own."""
LADDER = {"autonomy": {SERVICE: {"actions": {"restart": "standing"}}}}
REASON = "no owner can be reached"


@dataclass
class Report:
    """What came of one world: kills, what broke, and the points that nothing came to."""

    name: str
    kills: int = 0
    violations: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


class Deaths:
    """One world in which the bot dies again and again."""

    def __init__(self, world: World, report: Report) -> None:
        self.world, self.report, self.acts = world, report, Acts(world)
        self.bot = world.replicas["A"]
        self._label = 0

    async def propose(self, entry: str, *, by_rules: bool = False) -> str:
        """The bot puts it to people; its reference, once its card stands."""
        self._label += 1
        key = f"crash:{self._label}"
        answer = await self.bot.order(
            "propose", entry=entry, service=SERVICE, arguments={}, group=self.world.incident, key=key, by_rules=by_rules
        )
        ref = str(answer["ref"])
        if not ref:
            raise RuntimeError(f"{entry} was not proposed: {answer['why']}")
        self.world.proposals[ref] = ref
        await self.world.until(lambda: self.world.records.message(f"proposal:{ref}"))
        return ref

    async def pass_time(self, seconds: int) -> None:
        await self.acts.clock(Step("clock", "clock"), wall_s=seconds, monotonic_s=seconds)

    async def dies_at(self, point: str, begin: Callable[[], Awaitable[None]]) -> None:
        """Begin it, and kill the bot where it stands before the point; then it starts again."""
        await self.bot.hold(point)
        begun = asyncio.ensure_future(begin())
        try:
            await self.world.until(lambda: self._stands(point), REACH_S)
            self.report.kills += 1
        except TimeoutError:
            self.report.missed.append(f"{self.report.name}: {point}")
        await self.bot.kill()
        await asyncio.wait({begun}, timeout=REACH_S)
        if not begun.done():
            begun.cancel()
        elif begun.exception() is not None and not isinstance(begun.exception(), ERRORS):
            raise begun.exception() or RuntimeError
        self.bot.held.discard(point)
        if await self.bot.start() != "ready":
            raise RuntimeError("the bot did not start again")
        await self.world.rest()

    async def _stands(self, point: str) -> bool:
        return any(name == point for name, _ in (await self.bot.order("status"))["standing"])

    async def settled(self, ref: str) -> None:
        """Until it has ended, as far as it does: what waits for its time is at rest for everybody else."""
        with suppress(TimeoutError):
            await self.world.until(lambda: self.state(ref) in FINAL, REACH_S)
        await self.world.rest()

    def state(self, ref: str) -> str:
        return str(self.world.records.proposal(ref)["state"])

    def require(self, holds: bool, what: str) -> None:
        if not holds:
            self.report.violations.append(f"{self.report.name}: {what}")

    def judge(self, ref: str, point: str, *, approved_by: str) -> None:
        """It ran once, or it is unknown; and the keyed audit had its approval before."""
        calls = sum(call.ref == ref for call in self.world.outside.calls)
        expected = ("unknown", UNKNOWN[point]) if point in UNKNOWN else ("succeeded", 1)
        self.require((self.state(ref), calls) == expected, f"{point}: {ref} is {self.state(ref)} after {calls} calls")
        rows = [row["what"] for row in self.world.records.audit() if row["subject"] == ref]
        begins = [n for n, row in enumerate(self._edges(ref)) if row == "executing"]
        self.require(len(begins) == 1, f"{point}: {ref} began {len(begins)} times")
        self.require(approved_by in rows, f"{point}: {ref} ran, and the audit has no {approved_by!r}")

    def _edges(self, ref: str) -> list[str]:
        return [row["after"] for row in self.world.records.audit() if row["subject"] == ref and row["what"] == "proposal"]

    async def audit_is_whole(self) -> None:
        code, words = await self.bot.run(["audit", "verify"])
        self.require(code == 0, f"the audit is not whole: {words[-300:]}")


async def broken_glass(deaths: Deaths, points: Sequence[str]) -> None:
    """One person approves tier 3 alone; the bot dies before each point in turn."""
    world = deaths.world
    for point in points:
        ref = await deaths.propose("failover")

        async def alone(ref: str = ref) -> None:
            step = Step("commander", "slash")
            await deaths.acts.slash(step, text=f"break-glass {ref}", fields={"target": SERVICE, "reason": REASON})

        await deaths.dies_at(point, alone)
        if deaths.state(ref) == "pending":
            deaths.require(not [call for call in world.outside.calls if call.ref == ref], f"{point}: {ref} ran undecided")
            await alone()
            await world.rest()
        deaths.judge(ref, point, approved_by="break-glass")
        paged = world.records.rows("SELECT key FROM pages WHERE key = ?", f"break-glass:{ref}")
        deaths.require(len(paged) == 1, f"{point}: {len(paged)} pages about {ref}")
        reviewed = [row for row in world.records.rows("SELECT proposals FROM break_glass") if ref in str(row["proposals"])]
        deaths.require(len(reviewed) == 1, f"{point}: {ref} waits for {len(reviewed)} reviews")
        await deaths.pass_time(HOUR_S)
    await deaths.audit_is_whole()


async def standing(deaths: Deaths, points: Sequence[str]) -> None:
    """What two people granted starts by itself; the bot dies before each point in turn."""
    await prove(deaths)
    granted = await grant(deaths)
    for point in points:
        ref = await deaths.propose("restart", by_rules=True)
        await deaths.world.rest()

        async def in_time() -> None:
            await deaths.pass_time(VETO_S)

        await deaths.dies_at(point, in_time)
        await deaths.settled(ref)
        deaths.judge(ref, point, approved_by="standing")
        decided = deaths.world.records.decisions(ref)
        deaths.require(not decided, f"{point}: people answered {ref}: {decided}")
        await deaths.pass_time(HOUR_S)
    if points[-1] in UNKNOWN:
        await _ended(deaths, granted)
    await deaths.audit_is_whole()


async def prove(deaths: Deaths) -> None:
    """Five restarts that people approve, each verified and an hour apart."""
    for _ in range(5):
        ref = await deaths.propose("restart")
        await deaths.acts.press(Step("on_call", "press", object=ref), button="approve")
        await deaths.world.rest()
        deaths.require(deaths.state(ref) == "succeeded", f"{ref} is {deaths.state(ref)} before anybody died")
        await deaths.pass_time(HOUR_S)


async def grant(deaths: Deaths) -> str:
    """The owner asks for a standing approval of it, and approves it with the on-call; its reference."""
    world = deaths.world
    await world.slash("owner", f"standing grant restart {SERVICE} alert=ErrorsHigh a_day=10")
    await world.rest()
    row = world.records.proposals()[-1]
    ref = f"AP-{row['id']}"
    if row["action"] != "standing_approval":
        raise RuntimeError(f"no grant was proposed: {(await world.slack.private('owner'))[-1:]}")
    world.proposals[ref] = ref
    for role in ("owner", "on_call"):
        fields = {"target": f"{SERVICE}/restart", "reason": "it helped each time"}
        await deaths.acts.press(Step(role, "press", object=ref), button="approve", fields=fields)
        await world.rest()
    deaths.require(deaths.state(ref) == "succeeded", f"the grant {ref} is {deaths.state(ref)}")
    return ref


async def _ended(deaths: Deaths, granted: str) -> None:
    """A run of unknown outcome ended the grant: the audit says it, and nothing starts by it any more."""

    def revoked() -> bool:
        return any(row["what"] == "standing revoked" and row["subject"] == granted for row in deaths.world.records.audit())

    try:
        await deaths.world.until(revoked, REACH_S)
    except TimeoutError:
        deaths.require(False, f"{granted} still stands after a run of unknown outcome")
    ref = await deaths.propose("restart", by_rules=True)
    await deaths.pass_time(VETO_S)
    await deaths.world.rest()
    deaths.require(deaths.state(ref) == "pending", f"{ref} is {deaths.state(ref)}, and its grant has ended")


Scenario = tuple[str, Callable[[Deaths, Sequence[str]], Awaitable[None]], Sequence[str], Given]
SCENARIOS: tuple[Scenario, ...] = (
    ("break-glass", broken_glass, GLASS, Given()),
    ("standing", standing, STANDING, Given(config=LADDER)),
    ("standing, last", standing, LAST, Given(config=LADDER)),
)


async def play(databases: Sequence[str], told: Callable[[Report], None], only: str = "") -> list[Report]:
    """Every scenario whose name begins so on every database, one world after the other of each database."""
    with tempfile.TemporaryDirectory(prefix="tocsin-rights-") as folder:
        async with Player(Path(folder), postgres="postgresql" in databases) as player:

            async def on(database: str) -> list[Report]:
                return [
                    await _played(player, database, scenario, told) for scenario in SCENARIOS if scenario[0].startswith(only)
                ]

            return [report for reports in await asyncio.gather(*map(on, databases)) for report in reports]


async def _played(player: Player, database: str, scenario: Scenario, told: Callable[[Report], None]) -> Report:
    name, run, points, given = scenario
    report = Report(f"{database}, {name}")
    try:
        await player.in_world(given, lambda world: run(Deaths(world, report), points), postgres=database == "postgresql")
    except ERRORS as error:
        report.violations.append(f"{report.name}: it broke off: {type(error).__name__}: {error}")
    told(report)
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, print a line a world and the sums."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.rights", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--only", default="", metavar="PREFIX", help="scenarios that begin so: break-glass, standing")
    options = parser.parse_args(arguments)
    chosen = options.database
    databases = ("sqlite", "postgresql") if chosen == "both" else (chosen,)
    began = time.monotonic()

    def tell(report: Report) -> None:
        print(f"{report.name}: {report.kills} kills", *report.violations, *report.missed, sep="\n  ", flush=True)

    reports = asyncio.run(play(databases, tell, options.only))
    kills, broken = sum(report.kills for report in reports), sum(len(report.violations) for report in reports)
    missed = sum(len(report.missed) for report in reports)
    spent = time.monotonic() - began
    print(f"rights: {kills} kills, {broken} violations, {missed} points not reached, {spent:.0f} s")
    return int(bool(broken or missed))


if __name__ == "__main__":
    sys.exit(main())
