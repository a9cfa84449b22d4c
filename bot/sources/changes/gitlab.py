"""GitLab's deployment and pipeline hooks as changes; proved by the hook's secret token, or signed with its signing token."""

import re
from datetime import datetime

from bot.core.change import Change
from bot.plugins import ParsedBody, SourceRequest, plain_token, source, standard_webhook
from bot.sources._parsing import clean, clean_line, start_moment
from bot.sources.changes._reading import (
    JsonObject,
    changes_of_services,
    objects,
    option_texts,
    optional_object,
    read_object,
    required_object,
    required_text,
    services_of,
)

_SIGNED = standard_webhook("webhook-signature", id_header="webhook-id", timestamp_header="webhook-timestamp")
_ZONE = re.compile(r"^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?) ?(UTC|[+-]\d\d:?\d\d)$")
_SHORT = 12
"""Characters of a commit that people read."""


@source("gitlab", takes=("changes",), signatures=(_SIGNED, plain_token("x-gitlab-token")), options=("services", "environment"))
def gitlab(request: SourceRequest) -> ParsedBody:
    """What was deployed to the environment is a change of the project's service; the rest is accepted and ignored.

    A deployment and the pipeline that it belongs to name the same job: both together are one change. Options: `services:
    {project or its path: service or services}`, else the last part of its path; `environment` (names, or tiers; default
    production).
    """
    body = read_object(request, "GitLab")
    readers = {"deployment": _of_deployment, "pipeline": _of_pipeline}
    # System hooks name their event where the hooks of projects name a kind.
    kind = required_text(body, "object_kind") if not clean_line(body.get("event_name")) else clean_line(body.get("object_kind"))
    reader = readers.get(kind)
    return ParsedBody(changes=reader(request, body) if reader else ())


def _of_deployment(request: SourceRequest, body: JsonObject) -> tuple[Change, ...]:
    if body.get("status") != "success" or not _counts(request, body.get("environment"), body.get("environment_tier")):
        return ()
    commit = clean_line(body.get("commit_url"), 500).rpartition("/")[2] or clean_line(body.get("short_sha"), 64)
    return changes_of_services(
        request,
        _services(request, body),
        id=_id(body, body.get("deployable_id") or f"deployment-{clean_line(body.get('deployment_id'), 64)}"),
        at=_moment(body.get("status_changed_at"), "status_changed_at", request),
        title=_title(body.get("ref"), body.get("commit_title")),
        author=optional_object(body, "user").get("username"),
        version=commit[:_SHORT],
        link=body.get("deployable_url"),
    )


def _of_pipeline(request: SourceRequest, body: JsonObject) -> tuple[Change, ...]:
    """Each job of a pipeline that deployed; a pipeline is sent again whenever its state changes."""
    pipeline = required_object(body, "object_attributes")
    return tuple(
        change
        for number, job in enumerate(objects(body.get("builds")))
        if job.get("status") == "success" and _deploys(request, job)
        for change in _of_job(request, body, pipeline, job, f"builds.{number}.finished_at")
    )


def _of_job(request: SourceRequest, body: JsonObject, pipeline: JsonObject, job: JsonObject, field: str) -> tuple[Change, ...]:
    return changes_of_services(
        request,
        _services(request, body),
        id=_id(body, job.get("id")),
        at=_moment(job.get("finished_at"), field, request),
        title=_title(pipeline.get("ref"), optional_object(body, "commit").get("title")),
        author=optional_object(job, "user").get("username") or optional_object(body, "user").get("username"),
        version=clean_line(pipeline.get("sha"), 64)[:_SHORT],
        link=pipeline.get("url"),
    )


def _deploys(request: SourceRequest, job: JsonObject) -> bool:
    environment = optional_object(job, "environment")
    starts = environment.get("action") in (None, "start")
    return starts and _counts(request, environment.get("name"), environment.get("deployment_tier"))


def _counts(request: SourceRequest, *names: object) -> bool:
    """Whether an environment is meant, by its name or its tier."""
    return bool({clean_line(name).lower() for name in names} & set(option_texts(request, "environment", ("production",))))


def _services(request: SourceRequest, body: JsonObject) -> tuple[str, ...]:
    project = required_object(body, "project")
    path, name = clean_line(project.get("path_with_namespace"), 200), clean_line(project.get("name"), 200)
    # The name is for people, "Checkout Service"; the path has the one that stands in addresses.
    own = path.rpartition("/")[2] or required_text(project, "name", "project.path_with_namespace")
    return services_of(request, path, name, own)


def _id(body: JsonObject, job: object) -> str:
    return f"{clean_line(required_object(body, 'project').get('id'), 64)}:{clean_line(job, 100)}"


def _title(ref: object, commit: object) -> str:
    return f"{clean_line(ref, 200)}: {clean(commit, 300)}".rstrip(": ")


def _moment(value: object, field: str, request: SourceRequest) -> datetime:
    """GitLab writes `2026-11-24 23:01:57 UTC` and `... +0100`, which is nearly ISO 8601."""
    matched = _ZONE.match(value) if isinstance(value, str) else None
    iso = f"{matched[1]}T{matched[2]}{matched[3].replace('UTC', '+00:00')}" if matched else value
    return start_moment(iso, field, request.received_at)
