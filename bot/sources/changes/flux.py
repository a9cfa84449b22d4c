"""Flux's notifications as changes: a Provider of type `generic-hmac` signs the event in X-Signature with the secret's token."""

import re

from bot.core.change import Change
from bot.plugins import ParsedBody, SourceRequest, hmac_hex, source
from bot.sources._parsing import clean, clean_line, start_moment
from bot.sources.changes._reading import (
    JsonObject,
    changes_of_services,
    optional_object,
    read_object,
    required_object,
    required_text,
    services_of,
)

_RELEASED = frozenset({"InstallSucceeded", "UpgradeSucceeded", "UpgradeFailed", "RollbackSucceeded", "UninstallSucceeded"})
"""What a HelmRelease says when it changed the cluster; an upgrade that failed has replaced pods as well."""
_APPLIED = re.compile(r" (?:created|configured|deleted)$", re.MULTILINE)
"""How a Kustomization lists what it applied; its other events tell of waiting and of nothing new."""
_COMMIT = re.compile(r"(?:[@/:])([0-9a-f]{40,64})$")
_VERSION = re.compile(r"v?\d+\.\d+\S*")
_SHORT = 12
"""Characters of a commit that people read."""


@source("flux", takes=("changes",), signatures=(hmac_hex("x-signature", prefix="sha256="),), options=("services",))
def flux(request: SourceRequest) -> ParsedBody:
    """What a Kustomization applied or a HelmRelease released is a change; other events are accepted and ignored.

    Option: `services: {name or namespace/name of the object: service or services}`, else the object's name.
    """
    body = read_object(request, "Flux")
    involved = required_object(body, "involvedObject")
    return ParsedBody(changes=_of_event(request, body, involved) if _changed(body, clean_line(involved.get("kind"))) else ())


def _changed(body: JsonObject, kind: str) -> bool:
    if kind == "HelmRelease":
        return clean_line(body.get("reason")) in _RELEASED
    return kind == "Kustomization" and body.get("severity") == "info" and bool(_APPLIED.search(clean(body.get("message"))))


def _of_event(request: SourceRequest, body: JsonObject, involved: JsonObject) -> tuple[Change, ...]:
    name, namespace = required_text(involved, "name", "involvedObject.name"), clean_line(involved.get("namespace"), 200)
    at = start_moment(body.get("timestamp"), "timestamp", request.received_at)
    revision = _revision(optional_object(body, "metadata"))
    lines = clean(body.get("message"), 300).splitlines()
    return changes_of_services(
        request,
        services_of(request, f"{namespace}/{name}", name),
        # The same revision is released again by a rollback: the moment tells the two apart, and repeats of one event carry it.
        id=f"{clean_line(involved.get('kind'))}/{namespace}/{name}:{revision}:{at.isoformat()}",
        at=at,
        title=f"{revision}: {'; '.join(line.strip() for line in lines[:3])}".strip(": "),
        author="Flux",
        version=revision,
    )


def _revision(metadata: JsonObject) -> str:
    """`6.3.5` or the commit of `main@sha1:...`; its key may carry the API group of the object before a slash."""
    names = (name for name in metadata if name.rpartition("/")[2] == "revision" and "origin" not in name)
    text = clean_line(metadata.get(next(names, "")), 200)
    if named := _VERSION.match(text.partition("@")[0]):
        return named[0]
    commit = _COMMIT.search(text)
    return commit[1][:_SHORT] if commit else text
