"""A generic form for registries of models, datasets and features that can POST JSON: one version, or a list of them.

`{"kind", "name", "version", "previous_version", "services", "at", "id", "author", "stage", "link"}`. `name` and `version`
are needed; `kind` is model (the default), dataset or feature. `services` is one service or all that read it; without it
the option `services` maps the name, and else the name is the service. `stage` ("production") is shown.
"""

from functools import partial

from bot.core.change import Change, ChangeKind
from bot.core.errors import UnreadableBody
from bot.plugins import ParsedBody, SourceRequest, hmac_hex, source
from bot.sources._parsing import clean_line, parse, read_each, start_moment
from bot.sources.changes._reading import JsonObject, changes_of_services, required_text, services_of

_KINDS: dict[str, ChangeKind] = {"model": "model", "dataset": "data", "data": "data", "feature": "data", "features": "data"}


@source("registry", takes=("changes",), signatures=(hmac_hex("x-signature", prefix="sha256="),), options=("services",))
def registry(request: SourceRequest) -> ParsedBody:
    """Each version is a change of every service that reads it. Options: `services: {name: service or services}`."""
    body = parse(request.body)
    if not isinstance(body, list):
        return ParsedBody(changes=_version(request, body, "body"))
    versions, rejected = read_each(body, partial(_version, request))
    return ParsedBody(changes=tuple(change for version in versions for change in version), rejected=tuple(rejected))


def _version(request: SourceRequest, raw: object, field: str) -> tuple[Change, ...]:
    if not isinstance(raw, dict):
        raise UnreadableBody("must be an object", field=field)
    kind, name, version = (
        _kind(raw, field),
        required_text(raw, "name", f"{field}.name"),
        required_text(raw, "version", f"{field}.version"),
    )
    at = start_moment(raw.get("at"), f"{field}.at", request.received_at)
    stage = clean_line(raw.get("stage"), 60)
    return changes_of_services(
        request,
        _services(request, raw, name),
        id=clean_line(raw.get("id"), 200) or f"{kind}:{name}:{version}:{stage}:{clean_line(raw.get('at'))}",
        at=at,
        kind=_KINDS[kind],
        title=f"{kind} {name} {version}" + (f" ({stage})" if stage else ""),
        author=raw.get("author"),
        version=version,
        previous_version=clean_line(raw.get("previous_version"), 200),
        link=raw.get("link"),
    )


def _kind(raw: JsonObject, field: str) -> str:
    kind = clean_line(raw.get("kind") or "model").lower()
    if kind not in _KINDS:
        raise UnreadableBody(f"must be one of {', '.join(_KINDS)}", field=f"{field}.kind")
    return kind


def _services(request: SourceRequest, raw: JsonObject, name: str) -> tuple[str, ...]:
    value = raw.get("services") or raw.get("service")
    several = [clean_line(service, 200) for service in (value if isinstance(value, list) else [value])]
    return tuple(service for service in several[:100] if service) or services_of(request, name)
