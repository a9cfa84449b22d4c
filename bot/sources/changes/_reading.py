"""What sources of changes share: which services a vendor's own name stands for, and reading parts of its JSON."""

from collections.abc import Iterable
from datetime import datetime

from bot.core.change import Change, ChangeKind
from bot.core.errors import UnreadableBody
from bot.plugins import SourceRequest
from bot.sources._parsing import clean, clean_line, parse

JsonObject = dict[str, object]
"""Untrusted JSON, read with the functions here."""


def read_object(request: SourceRequest, vendor: str) -> JsonObject:
    """The body, which has to be an object. Raises UnreadableBody."""
    body = parse(request.body)
    if not isinstance(body, dict):
        raise UnreadableBody(f"{vendor}'s webhook must be an object", field="body")
    return body


def required_object(body: JsonObject, name: str) -> JsonObject:
    """An object that has to be there. Raises UnreadableBody with its name."""
    if not isinstance(value := body.get(name), dict):
        raise UnreadableBody("is missing", field=name)
    return value


def optional_object(body: JsonObject, name: str) -> JsonObject:
    """An object that may be missing."""
    return value if isinstance(value := body.get(name), dict) else {}


def objects(value: object) -> list[JsonObject]:
    """The objects of a list; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def required_text(body: JsonObject, name: str, field: str = "") -> str:
    """A one-line text that has to be there. Raises UnreadableBody with its name."""
    if not (text := clean_line(body.get(name), 200)):
        raise UnreadableBody("is missing", field=field or name)
    return text


def option_texts(request: SourceRequest, name: str, default: Iterable[str] = ()) -> tuple[str, ...]:
    """An option that is one text or a list of them, in small letters."""
    value = request.config.options.get(name, list(default))
    return tuple(str(item).lower() for item in (value if isinstance(value, list) else [value]))


def services_of(request: SourceRequest, *names: str) -> tuple[str, ...]:
    """The services that the option `services` gives for the first of these names that it holds; else the last name itself.

    One repository or table may stand for several services: then the option holds a list.
    """
    table = request.config.options.get("services", {})
    mapped = next((table[name] for name in names if isinstance(table, dict) and name in table), names[-1])
    return tuple(str(service) for service in (mapped if isinstance(mapped, list) else [mapped]))


def changes_of_services(
    request: SourceRequest,
    services: Iterable[str],
    *,
    id: str,
    at: datetime,
    title: str,
    kind: ChangeKind = "deploy",
    author: object = "",
    version: str = "",
    previous_version: str = "",
    link: object = "",
) -> tuple[Change, ...]:
    """One change for each service; `id` is the vendor's, so that a repeated delivery is the same change."""
    several = tuple(services)
    return tuple(
        Change(
            id=f"{request.source}:{id}" + (f":{service}" if len(several) > 1 else ""),
            at=at,
            service=service,
            kind=kind,
            title=clean(title, 500),
            author=clean_line(author, 200),
            version=version,
            previous_version=previous_version,
            link=clean(link),
            source=request.source,
        )
        for service in several
    )
