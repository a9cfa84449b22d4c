"""Argo CD's notifications as changes: the webhook's template sends the application itself, with our token as a header."""

from datetime import datetime

from bot.core.change import Change
from bot.plugins import ParsedBody, SourceRequest, source
from bot.sources._parsing import clean_line, start_moment
from bot.sources.changes._reading import (
    JsonObject,
    changes_of_services,
    objects,
    optional_object,
    read_object,
    required_object,
    required_text,
    services_of,
)

_SHORT = 12
"""Characters of a commit that people read."""
_MAX_IMAGES = 3


@source("argocd", takes=("changes",), options=("services",))
def argocd(request: SourceRequest) -> ParsedBody:
    """A sync that succeeded is a change of the application's service, from when it began: pods were replaced from then on.

    The body is `{"url": <of Argo CD>, "app": <the Application as JSON>}`; docs/sources.md has the template. Take the trigger
    `on-sync-succeeded`: `on-deployed` waits for health, which a bad version never reaches. Option: `services: {application:
    service or services}`, else the application's name.
    """
    body = read_object(request, "Argo CD")
    application = required_object(body, "app")
    operation = optional_object(optional_object(application, "status"), "operationState")
    if operation.get("phase") != "Succeeded":
        return ParsedBody()
    return ParsedBody(changes=_of_sync(request, body, application, operation))


def _of_sync(request: SourceRequest, body: JsonObject, application: JsonObject, operation: JsonObject) -> tuple[Change, ...]:
    name = required_text(required_object(application, "metadata"), "name", "app.metadata.name")
    status = optional_object(application, "status")
    history = objects(status.get("history"))
    revision = _revision(optional_object(operation, "syncResult")) or _revision(history[-1] if history else {})
    at = start_moment(operation.get("startedAt"), "app.status.operationState.startedAt", request.received_at)
    return changes_of_services(
        request,
        services_of(request, name),
        id=f"{name}:{_run(history, revision, at)}",
        at=at,
        title=f"sync of {revision[:_SHORT]}{_images(status)}",
        author=_author(operation),
        version=revision[:_SHORT],
        previous_version=_before(history, revision)[:_SHORT],
        link=_link(clean_line(body.get("url"), 500), name),
    )


def _run(history: list[JsonObject], revision: str, at: datetime) -> str:
    """The number that Argo CD gives the sync, which its API shows too; without one, its commit and moment."""
    newest = history[-1] if history else {}
    return (
        clean_line(newest.get("id"), 20) if _revision(newest) == revision and "id" in newest else f"{revision}:{at.isoformat()}"
    )


def _before(history: list[JsonObject], revision: str) -> str:
    earlier = (_revision(row) for row in reversed(history))
    return next((before for before in earlier if before and before != revision), "")


def _revision(row: JsonObject) -> str:
    """Of one source, or of several as one text."""
    several = row.get("revisions")
    parts = [clean_line(revision, 64)[:_SHORT] for revision in several] if isinstance(several, list) else []
    return clean_line(row.get("revision"), 80) or "+".join(parts[:8])


def _author(operation: JsonObject) -> str:
    by = optional_object(optional_object(operation, "operation"), "initiatedBy")
    return "automated" if by.get("automated") else clean_line(by.get("username"), 200)


def _images(status: JsonObject) -> str:
    images = optional_object(status, "summary").get("images")
    names = [clean_line(image, 200).rpartition("/")[2] for image in images[:_MAX_IMAGES]] if isinstance(images, list) else []
    return f": {', '.join(names)}" if names else ""


def _link(url: str, name: str) -> str:
    return f"{url.rstrip('/')}/applications/{name}" if url.startswith(("http://", "https://")) else ""
