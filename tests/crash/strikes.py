"""Where the process dies: a Run that kills between steps, and collaborators that kill between workflows.

A point is `<workflow>/<step>#<n>:before|after`; `n` counts the step's name within one run. Before: its
function has not been called. After: it has, and the journal does not know yet. Tool steps carry a hash of
their arguments in the journal; here `tool:<name>` is enough, since `n` tells them apart.
"""

import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from bot.app import App
from bot.ports import Run

P = ParamSpec("P")
T = TypeVar("T")

OUTSIDE = (
    "intake/commit#1:before",
    "intake/answer#1:before",
    "sender/record card#1:before",
    "sender/record triage#1:before",
    "sender/record proposal#1:before",
    "sender/record postmortem#1:before",
    "sender/record line#1:before",
    "sender/record picture#1:before",
    "start/triage#1:before",
    "start/remediation#1:before",
    "start/postmortem#1:before",
    "interaction/note action#1:after",
    "interaction/note view#1:after",
    "wake/remediation#1:before",
    "action/send#1:before",
    "action/send#1:after",
)
"""Points outside workflows: alerts taken but not committed; committed but not answered; Slack answered but unrecorded (one a
kind of message, and the upload of a graph); a row that wants a workflow, which was not started; a press or a dialog noted but
not done; an answer stored, and the workflow not woken; claimed and begun but not sent; the effect done but unrecorded."""
OUTSIDE_LATE = (
    "late/commit#1:before",
    "late/answer#1:before",
    "start/again#1:before",
    "start/again#1:after",
)
"""The same for a change that is told after the causes were ranked: its row, its 2xx, and the further attempt it brings."""
PLAN_STEPS = 3
"""Of the plan that the scenarios of plans approve."""
OUTSIDE_PLAN = tuple(f"step/send {step}#1:{side}" for step in range(1, PLAN_STEPS + 1) for side in ("before", "after"))
"""Claimed and begun but not sent, and the effect done but unrecorded, of each step of a plan."""
LEAVES_UNKNOWN = ("action/send#1:before", "action/send#1:after", *OUTSIDE_PLAN)
"""Between the attempt row and its outcome: nobody can know whether it ran."""


def step_of(name: str) -> str:
    """A step's name as points have it."""
    return name.rpartition(":")[0] if name.startswith("tool:") else name


def of_a_late_change(point: str) -> bool:
    """Whether only a scenario comes to it whose changes are told after the causes were ranked."""
    return point.startswith(("late/", "again/", "start/again#"))


def of_a_plan(point: str) -> bool:
    """Whether only a scenario comes to it in which a plan of several steps is approved."""
    return point.startswith(("plan/", "step/"))


def workflow_of(id: str, *, late: bool, plan: bool = False) -> str:
    """A run's workflow as points have it: a tick is called by its name, an attempt that a `late` change brings is `again`.

    The remediation of a plan is `plan`.

    Without one a further attempt is the ranking of a group whose first alert was not bad enough for more than the facts.
    """
    kind, _, rest = id.partition(":")
    if kind == "tick":
        return f"tick:{rest.partition(':')[0]}"
    if plan and kind == "remediation":
        return "plan"
    return "again" if late and kind == "triage" and not rest.endswith(":1") else kind


class Strikes:
    """The points at which this process is to die, each once: `struck` remembers them over restarts."""

    def __init__(self, folder: Path) -> None:
        self.struck = folder / "struck"
        wanted = (folder / "points").read_text().splitlines() if (folder / "points").exists() else []
        done = self.struck.read_text().splitlines() if self.struck.exists() else []
        self._left = [point for point in wanted if point not in done]
        self._late, self._plan = any(map(of_a_late_change, wanted)), any(map(of_a_plan, wanted))

    def workflow_of(self, id: str) -> str:
        """A run's workflow as the points of this scenario have it."""
        return workflow_of(id, late=self._late, plan=self._plan)

    def at(self, point: str) -> None:
        """Die here, if that is wanted."""
        if point in self._left:
            with self.struck.open("a") as file:
                file.write(point + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.kill(os.getpid(), signal.SIGKILL)


class CrashingRun:
    """A Run around a Run. Nothing is awaited before the inner step, so that parallel steps keep their order."""

    def __init__(self, run: Run, strikes: Strikes) -> None:
        self._run = run
        self._strikes = strikes
        self._seen: Counter[str] = Counter()

    @property
    def id(self) -> str:
        return self._run.id

    def _point(self, name: str) -> str:
        step = step_of(name)
        self._seen[step] += 1
        return f"{self._strikes.workflow_of(self.id)}/{step}#{self._seen[step]}"

    async def step(self, name: str, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        point = self._point(name)

        @wraps(fn)  # The engine reads the record by the return type that the step declares.
        async def between(*args: P.args, **kwargs: P.kwargs) -> T:
            self._strikes.at(f"{point}:before")
            result = await fn(*args, **kwargs)
            self._strikes.at(f"{point}:after")
            return result

        return await self._run.step(name, between, *args, **kwargs)

    async def wait_for(self, topic: str, *, until: str) -> bool:
        point = self._point("wait_for")
        self._strikes.at(f"{point}:before")
        woken = await self._run.wait_for(topic, until=until)
        self._strikes.at(f"{point}:after")
        return woken

    async def now(self) -> datetime:
        point = self._point("now")
        self._strikes.at(f"{point}:before")
        moment = await self._run.now()
        self._strikes.at(f"{point}:after")
        return moment


class CrashingApp(App):
    """The app with collaborators that die at the points outside workflows."""

    def __init__(self, *args: Any, strikes: Strikes, **more: Any) -> None:
        super().__init__(*args, **more)
        self.writer.db = _DiesBeforeCommit(self.writer.db, self._commit_point, strikes)  # type: ignore[assignment]
        self._taken = ""
        _before(self.writer, "put", strikes, self._put_point)
        _after(self.writer, "put", strikes, lambda alerts, *_: "intake/answer#1:before" if alerts else "late/answer#1:before")
        _before(self.engine, "start", strikes, lambda _, id, *__: f"start/{strikes.workflow_of(id)}#1:before")
        _after(self.engine, "start", strikes, lambda _, id, *__: f"start/{strikes.workflow_of(id)}#1:after")
        _before(self.engine, "wake", strikes, lambda id, *_: f"wake/{strikes.workflow_of(id)}#1:before")
        _after(self.router.interactions, "first", strikes, lambda key: f"interaction/note {key.partition(':')[0]}#1:after")
        _before(self.sender.outbox, "sent", strikes, lambda key, *_: f"sender/record {key.partition(':')[0]}#1:before")
        _before(self.sender.outbox, "uploaded", strikes, lambda *_: "sender/record picture#1:before")
        _around_send(self.approvals.executor.http, strikes)

    def _put_point(self, alerts: Sequence[Any], *_: Any) -> str:
        self._taken = "intake" if alerts else "late"
        return ""

    def _commit_point(self) -> str:
        # One writer commits both. Only a scenario whose changes come late wants to die at one of them.
        return f"{self._taken}/commit#1:before" if self._taken else ""


class _DiesBeforeCommit:
    """A database that dies when all is written and nothing committed."""

    def __init__(self, db: Any, point: Callable[[], str], strikes: Strikes) -> None:
        self._db, self._point, self._strikes = db, point, strikes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    @asynccontextmanager
    async def write(self, **how: Any) -> AsyncIterator[Any]:
        async with self._db.write(**how) as session:
            yield session
            self._strikes.at(self._point())


def _around_send(http: Any, strikes: Strikes) -> None:
    """Before and after the one call of an action, or of a step of a plan: the key says which."""
    inner = http.send

    async def send(*args: Any, **more: Any) -> Any:
        step = str(more.get("key", "")).split(":")[3:]
        point = f"step/send {step[0]}#1" if step else "action/send#1"
        strikes.at(f"{point}:before")
        answer = await inner(*args, **more)
        strikes.at(f"{point}:after")
        return answer

    http.send = send


def _before(target: Any, method: str, strikes: Strikes, point: Callable[..., str]) -> None:
    inner = getattr(target, method)

    async def dies_first(*args: Any, **more: Any) -> Any:
        strikes.at(point(*args))
        return await inner(*args, **more)

    setattr(target, method, dies_first)


def _after(target: Any, method: str, strikes: Strikes, point: Callable[..., str]) -> None:
    inner = getattr(target, method)

    async def dies_then(*args: Any, **more: Any) -> Any:
        found = await inner(*args, **more)
        strikes.at(point(*args))
        return found

    setattr(target, method, dies_then)
