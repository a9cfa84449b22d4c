"""Let another version of a registered model serve, by moving its alias in MLflow.

API: https://mlflow.org/docs/latest/api_reference/rest-api.html
"""

from typing import ClassVar, Self

from pydantic import Field, field_validator, model_validator

from bot.actions.support.remote import JsonObject, RemoteSystem, called, objects_at, outcome_of, text_at, value_at
from bot.actions.support.signal import read_signal
from bot.core.action import DryRun, Outcome, OutcomeState, Tier, Verification, VerificationState
from bot.core.config.fields import ConfigSection
from bot.core.errors import ActionFailed
from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext, ActionOptions, action

API = "/api/2.0/mlflow"
ALIAS = "champion"
"""Without `options.alias` of the entry."""


class Gate(ConfigSection):
    """What the metric of a version must be before it may serve."""

    metric: str = Field(min_length=1)
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("lets every version through: give at_least or at_most")
        return self


class AliasOptions(ActionOptions):
    alias: str = Field(default=ALIAS, min_length=1)
    gate: Gate | None = None


@action
class ModelAlias(Action):
    """Move the serving alias of the service's model to a given version: back to an older one, or on to a retrained one.

    Helps when a new model version is the cause. Does not help where the data changed: an older model has it too.
    """

    version: ClassVar[str] = "1"
    least_tier: ClassVar[Tier] = Tier.TWO
    options_type: ClassVar[type[ActionOptions]] = AliasOptions
    reads_versions: ClassVar[bool] = True
    service: str
    change_id: str = ""
    version_: str = Field(default="", alias="version")
    """The version that serves now, of a recorded change."""
    previous_version: str = ""
    """The version that shall serve."""

    @field_validator("previous_version")
    @classmethod
    def _number(cls, value: str) -> str:
        if value and not (value.isascii() and value.isdigit() and len(value) <= 9):
            raise ValueError(f"{one_line(value, 20)!r} is no version of a model, which are numbers")
        return value

    def undo(self, remote_id: str) -> "Action | None":
        """The version that the alias had before."""
        return ModelAlias(service=self.service, previous_version=remote_id) if remote_id.isdigit() else None

    def undo_text(self) -> str:
        """The alias can be moved back."""
        return "moving the alias back"

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """`model@alias`."""
        return (f"{_mlflow(ctx).name_of(self.service)}@{_alias(ctx)}",)

    def steps(self, ctx: ActionContext) -> list[str]:
        """The move, and what is watched."""
        return [f"move {self.targets(ctx)[0]} to version {self.previous_version}", "watch the signal"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """From which version to which, with the metric that the entry's gate asks for.

        Raises ActionFailed if the version does not exist, is not ready, or does not pass the gate.
        """
        if not self.previous_version:
            raise ActionFailed("Say which version shall serve: previous_version=<number>.")
        now = await _serving(ctx, self.service)
        if now == self.previous_version:
            raise ActionFailed(f"Version {now} serves already.")
        target = self.targets(ctx)[0]
        lines = [f"move {target} from version {now or 'none'} to {self.previous_version}", *await self._gate(ctx, now)]
        return DryRun(ok=True, text="\n".join(lines), targets={target: f"version {now}"})

    async def _gate(self, ctx: ActionContext, now: str) -> list[str]:
        """What the evaluation of both versions says; raises ActionFailed if the wanted one is too bad.

        `options.gate`: {metric: auc, at_least: 0.9} or {metric: mae, at_most: 3}; without it nothing is asked of it.
        """
        goal = await _version(ctx, self.service, self.previous_version)
        if (status := text_at(goal, "status")) != "READY":
            raise ActionFailed(f"Version {self.previous_version} is {status or 'of unknown status'}, not READY.")
        gate = ctx.config.options.get("gate")
        if not isinstance(gate, dict):
            return []
        metric = str(gate.get("metric", ""))
        value = await _metric(ctx, goal, metric)
        low, high = gate.get("at_least"), gate.get("at_most")
        if value is None or (low is not None and value < float(low)) or (high is not None and value > float(high)):
            bounds = " and ".join(f"{word} {at}" for word, at in (("at least", low), ("at most", high)) if at is not None)
            has = "has no such metric" if value is None else f"has {value:g}"
            raise ActionFailed(f"Version {self.previous_version} {has}; the entry's gate asks for {metric} {bounds}.")
        before = await _metric(ctx, await _version(ctx, self.service, now), metric) if now else None
        return [f"{metric}: {value:g}" + (f", of version {now}: {before:g}" if before is not None else "")]

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one request."""
        return await called(self._run(ctx))

    async def _run(self, ctx: ActionContext) -> Outcome:
        now, target = await _serving(ctx, self.service), self.targets(ctx)[0]
        if (approved := ctx.approved.get(target)) and approved != f"version {now}":
            text = f"{target} was moved since this was approved. Nothing was done."
            return Outcome(state=OutcomeState.FAILED, text=text)
        mlflow = _mlflow(ctx)
        body = {"name": mlflow.name_of(self.service), "alias": _alias(ctx), "version": self.previous_version}
        answer = await mlflow.write("POST", f"{API}/registered-models/alias", body, key=ctx.idempotency_key)
        return outcome_of("MLflow", answer, f"{target} is version {self.previous_version} now.", remote_id=now)

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Whether the alias stands where this run would have put it."""
        try:
            now = await _serving(ctx, self.service)
        except ActionFailed:
            return None
        moved = now == self.previous_version
        text = f"The alias is at version {now or 'none'}."
        before = next(iter(ctx.approved.values()), "").removeprefix("version ")
        return Outcome(state=OutcomeState.DONE if moved else OutcomeState.FAILED, text=text, remote_id=before)

    async def verify(self, ctx: ActionContext) -> Verification:
        """Whether the alias stands there, then the signal."""
        try:
            now = await _serving(ctx, self.service)
        except ActionFailed as error:
            return Verification(state=VerificationState.COULD_NOT_VERIFY, text=str(error))
        if now != self.previous_version:
            text = f"the alias is at version {now or 'none'}"
            return Verification(state=VerificationState.NOT_RECOVERED, text=text)
        return await read_signal(ctx, self.service)


def _mlflow(ctx: ActionContext) -> RemoteSystem:
    return RemoteSystem(ctx, "mlflow", "MLflow")


def _alias(ctx: ActionContext) -> str:
    return str(ctx.config.options.get("alias", ALIAS))


async def _serving(ctx: ActionContext, service: str) -> str:
    """The version that the alias names now; "" if it names none."""
    mlflow = _mlflow(ctx)
    model = await mlflow.read(f"{API}/registered-models/get", name=mlflow.name_of(service))
    rows = objects_at(model, "registered_model", "aliases")
    return next((text_at(row, "version") for row in rows if text_at(row, "alias") == _alias(ctx)), "")


async def _version(ctx: ActionContext, service: str, number: str) -> JsonObject:
    mlflow = _mlflow(ctx)
    answer = await mlflow.read(f"{API}/model-versions/get", name=mlflow.name_of(service), version=number)
    return value_at(answer, "model_version") or {}


async def _metric(ctx: ActionContext, version: JsonObject, metric: str) -> float | None:
    """The last value of a metric of the run that made a version; None if it has none."""
    if not (run := text_at(version, "run_id")):
        return None
    answer = await _mlflow(ctx).read(f"{API}/runs/get", run_id=run)
    rows = objects_at(answer, "run", "data", "metrics")
    return next((float(row["value"]) for row in rows if text_at(row, "key") == metric and "value" in row), None)
