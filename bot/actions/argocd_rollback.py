"""Set an Argo CD application back to an earlier sync. API: https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/"""

from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field, field_validator

from bot.actions.support.remote import JsonObject, RemoteSystem, called, objects_at, outcome_of, text_at, value_at
from bot.actions.support.signal import read_signal
from bot.core.action import DryRun, Outcome, OutcomeState, Tier, Verification, VerificationState
from bot.core.errors import ActionFailed
from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext, action

SHORT = 12
"""Characters of a Git revision that people read, as in the list of changes."""


@action
class ArgocdRollback(Action):
    """Sync the service's application to an earlier entry of its history: that of a version, else the one before.

    Helps when a sync is the cause. Does not help where Argo CD syncs by itself: it would refuse, since Git would win.
    """

    version: ClassVar[str] = "1"
    least_tier: ClassVar[Tier] = Tier.TWO
    reads_versions: ClassVar[bool] = True
    service: str
    history_id: str = ""
    """The number of an entry of the application's history."""
    change_id: str = ""
    version_: str = Field(default="", alias="version")
    previous_version: str = ""
    """A Git revision, or its beginning."""

    @field_validator("history_id")
    @classmethod
    def _history_id(cls, value: str) -> str:
        if value and not (value.isascii() and value.isdigit() and len(value) <= 9):
            raise ValueError(f"{one_line(value, 20)!r} is no number of the history")
        return value

    def undo(self, remote_id: str) -> "Action | None":
        """The entry that was in force before."""
        return ArgocdRollback(service=self.service, history_id=remote_id) if remote_id.isdigit() else None

    def undo_text(self) -> str:
        """The sync from before can be made again."""
        return "syncing to what was before"

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """The application."""
        return (_argocd(ctx).name_of(self.service),)

    def steps(self, ctx: ActionContext) -> list[str]:
        """The rollback, and what is watched."""
        goal = self.history_id or self.previous_version or "the sync before"
        return [f"roll {self.targets(ctx)[0]} back to {goal}", "watch the application's health and the signal"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """From which entry to which. Raises ActionFailed where Argo CD would refuse it."""
        name, application = await self._application(ctx)
        now, goal = self._chosen(name, application)
        text = f"roll {name} back from {_entry_text(now)} to {_entry_text(goal)}; nothing is pruned"
        return DryRun(ok=True, text=text, targets={name: _version(application)})

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one request."""
        return await called(self._run(ctx))

    async def _run(self, ctx: ActionContext) -> Outcome:
        name, application = await self._application(ctx)
        now, goal = self._chosen(name, application)
        if (approved := ctx.approved.get(name)) and approved != _version(application):
            text = f"{name} was synced since this was approved. Nothing was done."
            return Outcome(state=OutcomeState.FAILED, text=text)
        body = {"name": name, "id": int(text_at(goal, "id")), "prune": False, "dryRun": False}
        answer = await _argocd(ctx).write("POST", f"{_path(name)}/rollback", body, key=ctx.idempotency_key)
        return outcome_of("Argo CD", answer, f"{name} is going back to {_entry_text(goal)}.", remote_id=text_at(now, "id"))

    async def verify(self, ctx: ActionContext) -> Verification:
        """Whether the application is healthy and no operation runs, then the signal."""
        try:
            name, application = await self._application(ctx)
        except ActionFailed as error:
            return Verification(state=VerificationState.COULD_NOT_VERIFY, text=str(error))
        phase = text_at(application, "status", "operationState", "phase")
        health = text_at(application, "status", "health", "status")
        if phase in ("Running", "Terminating") or health != "Healthy":
            text = f"{name} is {health or 'of unknown health'}, its operation {phase or 'unknown'}"
            return Verification(state=VerificationState.NOT_RECOVERED, text=text)
        return await read_signal(ctx, self.service)

    async def _application(self, ctx: ActionContext) -> tuple[str, JsonObject]:
        argocd = _argocd(ctx)
        name = argocd.name_of(self.service)
        return name, await argocd.read(_path(name))

    def _chosen(self, name: str, application: JsonObject) -> tuple[JsonObject, JsonObject]:
        """The history's entry in force, and the wanted one. Raises ActionFailed."""
        if value_at(application, "spec", "syncPolicy", "automated") is not None:
            raise ActionFailed(f"{name} syncs by itself, so Argo CD refuses a rollback: revert the commit, or stop auto-sync.")
        history = sorted(objects_at(application, "status", "history"), key=_number)
        if len(history) < 2:
            raise ActionFailed(f"{name} has no earlier sync.")
        fitting = [entry for entry in history[:-1] if self._fits(entry)]
        if not fitting:
            raise ActionFailed(f"no earlier sync fits. {name} has: {', '.join(map(_entry_text, _newest(history)))}.")
        return history[-1], fitting[-1]

    def _fits(self, entry: JsonObject) -> bool:
        if self.history_id:
            return _number(entry) == int(self.history_id)
        return text_at(entry, "revision").startswith(self.previous_version)


def _newest(history: Sequence[JsonObject]) -> Sequence[JsonObject]:
    return history[-2:-12:-1]


def _argocd(ctx: ActionContext) -> RemoteSystem:
    return RemoteSystem(ctx, "argocd", "Argo CD")


def _path(name: str) -> str:
    return f"/api/v1/applications/{quote(name, safe='')}"


def _number(entry: JsonObject) -> int:
    return int(text_at(entry, "id") or -1)


def _version(application: JsonObject) -> str:
    """What an approval binds: the newest entry of the history."""
    history = objects_at(application, "status", "history")
    return f"sync {max(map(_number, history), default=-1)}"


def _entry_text(entry: JsonObject) -> str:
    return f"{text_at(entry, 'id')} ({text_at(entry, 'revision')[:SHORT] or 'several sources'})"
