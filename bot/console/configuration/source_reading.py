"""`tocsin source try` and `tocsin source failed`: how a body is read, and what could not be."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot.console.incident_listing import open_database
from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.config import Config
from bot.core.config.alerts import SourceConfig
from bot.core.errors import NotFound, UnreadableBody
from bot.core.payloads.choices import Choice, Understanding
from bot.core.payloads.items import items_of
from bot.core.payloads.names import AlertField
from bot.core.payloads.reading import understand
from bot.core.text.moments import date_to_the_minute
from bot.core.text.untrusted import counted, one_line
from bot.plugins import Source, SourceRequest, discover
from bot.plugins.scopes import Scopes, takes
from bot.settings import Secrets, catalogue_of
from bot.sources._any_form import corrections_of
from bot.sources._parsing import parse
from bot.store.alerts.intake import unreadable
from bot.store.db.database import readable
from bot.store.tables import UnreadableRow
from bot.web.forms import FORM, json_of

SHOWN = 20


def try_body(
    config: Config, file: Path, *, source: str, kind: str, now: datetime, console: Console, changes: bool = False
) -> bool:
    """Print what the endpoint would make of the body in a file; False if it cannot be read. Nothing is sent or stored.

    `changes`: read it as what came to /changes, where the kind takes both.
    """
    chosen = _source(config, source, kind)
    plugin = discover(["bot.sources", *config.plugins], Source)[chosen.kind]
    open_to = takes(chosen, plugin)
    endpoint = "changes" if changes or "alerts" not in open_to else "alerts"
    if endpoint not in open_to:
        raise NotFound(f"{source or chosen.kind} takes {' and '.join(sorted(open_to))} only")
    # A file has no content type: what is no JSON may be a form that holds it.
    body = json_of({"content-type": FORM}, file.read_bytes())
    request = SourceRequest(source or chosen.kind, body, {}, now, chosen, endpoint)
    service_of = catalogue_of(config).of_labels
    scopes = Scopes(service_of, lambda name: name in config.heartbeats)
    try:
        parsed = plugin.read(request)
    except UnreadableBody as error:
        console.print(f"{chosen.kind} cannot read it: {escape(str(error))}", soft_wrap=True)
        return False
    choices = _choices(request) if chosen.kind == "generic" and endpoint == "alerts" else []
    allowed = scopes.within(parsed, chosen)
    alerts = [(alert, choices[n : n + 1]) for n, alert in enumerate(parsed.alerts) if alert in allowed.alerts]
    lines = [line for alert, understood in alerts for line in _alert(alert, understood, config, service_of(alert.labels))]
    lines += [line for change in allowed.changes for line in _change(change)]
    lines += [f"Set aside: {item.problem}" for item in allowed.rejected]
    lines += [f"Warning: {warning}" for warning in parsed.warnings]
    for line in lines or ["It holds no alert and no change that counts."]:
        console.print(escape(line), highlight=False, soft_wrap=True)
    return bool(allowed.alerts or allowed.changes or not allowed.rejected)


def _source(config: Config, source: str, kind: str) -> SourceConfig:
    if source and source not in config.sources:
        raise NotFound(f"tocsin.yaml has no source {source}; it has {', '.join(config.sources) or 'none'}")
    if source:
        return config.sources[source]
    kinds = discover(["bot.sources", *config.plugins], Source)
    if kind not in kinds:
        raise NotFound(f"{kind!r} is no kind of sources; there are {', '.join(sorted(kinds))}")
    return SourceConfig(kind=kind)


def _change(change: Change) -> Iterator[str]:
    yield f"Change of {one_line(change.service, 120)}"
    for field in ("kind", "title", "version", "previous_version", "author", "at", "link", "id"):
        if text := str(getattr(change, field)):
            yield f"  {field:<16} {one_line(text, 160)}"


def _choices(request: SourceRequest) -> list[Understanding]:
    """How generic came to each alert, in the order of the alerts that it reads."""
    items = items_of(parse(request.body), request.config.fields.alerts)
    readings = [understand(i.document, corrections_of(request), around=i.around, now=request.received_at) for i in items]
    return [one for one in readings if AlertField.NAME in one.choices]


def _alert(alert: Alert, understood: Sequence[Understanding], config: Config, service: str) -> Iterator[str]:
    """`service`: the one that it counts for, whatever label names it."""
    severity = config.severity_of(alert.severity).value
    remark = "" if config.knows_severity(alert.severity) else f"; the word is not in `severities`, so it counts as {severity}"
    rows = {
        "name": alert.name,
        "status": alert.status,
        "severity": f"{alert.severity or 'none'} ({severity}{remark})",
        "service": service,
        "summary": alert.annotations.get("summary", ""),
        "starts_at": alert.starts_at.isoformat(),
        "ends_at": alert.ends_at.isoformat() if alert.ends_at else "",
        "link": alert.link,
        "expression": alert.expression,
        "fingerprint": alert.fingerprint,
    }
    choices = {field.value: choice for one in understood for field, choice in one.choices.items()}
    if service != alert.labels.get("service"):
        choices.pop("service", None)
    yield f"Alert {one_line(alert.name, 120)}"
    for field, text in rows.items():
        if text:
            choice = choices.get(field)
            if field == "fingerprint" and choice and str(choice.value).strip() != text:
                choice = choice._replace(
                    reason=f"{choice.reason} of more than one alert: with its rule or title, and its thing"
                )
            yield f"  {field:<12} {one_line(text, 160)}{_origin(choice)}"
    yield f"  {'labels':<12} {one_line(', '.join(f'{name}={value}' for name, value in alert.labels.items()), 400)}"


def _origin(choice: Choice | None) -> str:
    """Where a value came from and why it was taken."""
    if choice is None:
        return ""
    origin = f"from {choice.path}: " if choice.path else ""
    return f"   ({one_line(origin + choice.reason, 200)})"


def print_failed(secrets: Secrets, *, source: str, number: int | None, console: Console) -> None:
    """The newest bodies that could not be read, with why; or one of them whole. Raises NotFound."""
    with readable():
        rows = asyncio.run(_failed(secrets, source, number))
    if number is not None:
        console.print(rows[0].body.decode("utf-8", "replace"), markup=False, highlight=False, soft_wrap=True)
        return
    if not rows:
        console.print("Every body could be read.")
    for row in rows:
        head = f"{row.id}  {date_to_the_minute(row.received_at)}  {row.source}  {counted(len(row.body), 'byte')}"
        console.print(escape(f"{head}  {one_line(row.problem, 200)}"), highlight=False, soft_wrap=True)
        console.print(
            escape(f"    {one_line(row.body[:200].decode('utf-8', 'replace'), 120)}"), highlight=False, soft_wrap=True
        )


async def _failed(secrets: Secrets, source: str, number: int | None) -> Sequence[UnreadableRow]:
    db = open_database(secrets)
    try:
        async with db.read() as session:
            if number is not None:
                return [await unreadable.one(session, number)]
            return await unreadable.newest(session, source, SHOWN)
    finally:
        await db.close()
