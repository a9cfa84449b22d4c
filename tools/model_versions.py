"""The tool `model_versions`: which model version serves, and since when."""

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import ModelVersionFact
from bot.core.systems import ModelVersion
from bot.core.text.moments import clock, date_and_clock, day
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import CHANGES
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import ServiceName
from tools._arguments import service_of

MAX_SHOWN = 10


@tool(needs="models", label="model versions of {service}", topic=CHANGES)
async def model_versions(ctx: ToolContext, service: ServiceName) -> Evidence:
    """Tell which version of its model a service serves, and which were registered lately.

    Call it when a service that predicts or ranks answers worse or slower. The registry knows what ought
    to serve, not what a process has loaded.
    """
    name = service_of(ctx, service)
    if ctx.models is None:
        raise QueryFailed("no model registry is configured (systems.mlflow)")
    versions = await ctx.models.versions(name)
    return Evidence(
        summary=_summary(name, versions),
        query=f"GET /api/2.0/mlflow/model-versions/search (model of {name})",
        details=tuple(_line(version) for version in versions[:MAX_SHOWN]),
        source="mlflow",
        user_controllable=False,
        facts=EvidenceFacts(
            models=tuple(ModelVersionFact(version=v.version, serves_as=v.serves_as, since=v.since) for v in versions)
        ),
    )


def _summary(service: str, versions: list[ModelVersion]) -> str:
    if not versions:
        return f"{service}: its model has no version"
    serving = next((version for version in versions if version.serves_as), None)
    newest = versions[0]
    latest = f"newest is version {newest.version}, registered {day(newest.registered_at)} {clock(newest.registered_at)}"
    if serving is None:
        return f"{service}: no version of {newest.model} serves under a usual alias or stage; {latest}"
    since = f"{day(serving.since)} {clock(serving.since)} at the earliest"
    return f"{service}: {serving.model} version {serving.version} serves as {serving.serves_as}, since {since}; {latest}"


def _line(version: ModelVersion) -> str:
    names = ", ".join((*version.aliases, *([version.stage] if version.stage else [])))
    marks = f" [{one_line(names, 80)}]" if names else ""
    registered = f"{date_and_clock(version.registered_at)}Z"
    return f"version {version.version}{marks} registered {registered} {version.status.lower()}".rstrip()
