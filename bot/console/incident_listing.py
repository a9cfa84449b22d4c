"""`tocsin incidents` and `tocsin show`: read straight from the database, also while Slack is down."""

import asyncio
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from bot.core.alerts.reasons import AlertReasons
from bot.core.errors import NotFound
from bot.core.evidence import Findings, nothing_wrong, stored_findings
from bot.core.incident import Incident, number_of
from bot.core.text.moments import date_and_clock, date_to_the_minute
from bot.core.text.untrusted import counted, one_line
from bot.core.timeline import TimelineEntry
from bot.core.tool_calls import without_lead
from bot.core.verdict.merging import views_text
from bot.settings import Secrets
from bot.store import timeline
from bot.store.alerts.reader import reasons_of
from bot.store.answers.postmortems import Postmortems
from bot.store.db.database import Database, async_url, readable
from bot.store.incidents import rows as incident_rows
from bot.store.migrate import sync_url
from bot.store.triage.attempts import shown_triage_of


def open_database(secrets: Secrets) -> Database:
    """The configured database, for reading. Raises NotFound, ConfigurationError."""
    expect_database(secrets)
    return Database(async_url(secrets.database_url, secrets.data_dir), audit_key=secrets.audit_key.get_secret_value().encode())


def expect_database(secrets: Secrets) -> None:
    """Reading must not create an empty database. Raises NotFound, ConfigurationError."""
    file = sqlite_file(secrets)
    if file is not None and not file.exists():
        names = "TOCSIN_DATABASE_URL names the file" if secrets.database_url else "TOCSIN_DATA_DIR names the folder"
        raise NotFound(f"no database in {file.parent}: {names}, `tocsin serve` makes it")


def sqlite_file(secrets: Secrets) -> Path | None:
    """The file of the tables; None on PostgreSQL. Raises ConfigurationError."""
    address = sync_url(secrets.database_url or f"sqlite:///{secrets.data_dir / 'app.db'}")
    return Path(address.removeprefix("sqlite:///")) if address.startswith("sqlite") else None


PRIVATE = "it is private, which --private shows too"


def print_incidents(secrets: Secrets, *, everything: bool, private: bool = False, console: Console) -> None:
    """Open (or all) incidents, two lines each; of private ones only how many there are, unless they are wanted."""
    with readable():
        rows = asyncio.run(_incidents(secrets, everything))
    shown = [row for row in rows if private or not row.private]
    if not rows:
        console.print("No open incident." if not everything else "No incident yet.")
    for line in chain.from_iterable(map(_overview, shown)):
        console.print(escape(line), highlight=False, soft_wrap=True)
    if hidden := len(rows) - len(shown):
        console.print(f"and {counted(hidden, 'private incident')}: --private shows them", highlight=False)


def _overview(row: Incident) -> tuple[str, str]:
    """Two lines, not a row of a table: eight columns do not fit a narrow terminal without cuts."""
    parts = (row.ref, row.state, row.severity, row.service, row.group, f"declared {date_to_the_minute(row.declared_at)}")
    lead = f"led by {one_line(row.lead, 40)}" if row.lead else "nobody leads"
    return "  ".join(filter(None, (*parts, lead))), f"    {one_line(row.title, 200)}"


async def _incidents(secrets: Secrets, everything: bool) -> list[Incident]:
    db = open_database(secrets)
    try:
        async with db.read() as session:
            return await incident_rows.newest_incidents(session, None if everything else "open")
    finally:
        await db.close()


def print_incident(secrets: Secrets, ref: str, console: Console, *, private: bool = False) -> None:
    """One incident or alert group with its timeline, findings and draft. Raises NotFound; of a private one unless `private`."""
    with readable():
        lines = asyncio.run(_whole(secrets, ref.upper(), private))
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)


async def _whole(secrets: Secrets, ref: str, private: bool) -> list[str]:
    if not (number_of(ref, "INC") or number_of(ref, "AL")):
        raise NotFound(
            f"{ref} is no incident or alert group: write INC-3 or AL-3; `tocsin incidents --all` lists what there is"
        )
    db = open_database(secrets)
    try:
        async with db.read() as session:
            incident = await incident_rows.load_incident(session, ref) if ref.startswith("INC") else None
            group = await incident_rows.load_group(session, incident.group if incident else ref)
            if incident is None and group is None:
                raise NotFound(f"there is no {ref}; `tocsin incidents --all` lists what there is")
            if not private and any(row.private for row in (incident, group) if row):
                raise NotFound(f"{ref} is not shown: {PRIVATE}")
            subject: Any = incident or group
            lines = [f"{subject.ref}  {subject.state}  {subject.severity}  {subject.service}", one_line(subject.title, 200), ""]
            group_id = number_of(group.ref, "AL") if group else None
            incident_id = number_of(incident.ref, "INC") if incident else None
            entries = await timeline.of(session, group_id=group_id, incident_id=incident_id)
            lines += ["Timeline in UTC, newest last:", *map(_entry, entries)]
            reasons = _reasons(await reasons_of(session, group_id)) if group_id else []
        return [*lines, *reasons, *await _findings(db, group.ref if group else ""), *await _draft(db, incident)]
    finally:
        await db.close()


def _entry(entry: TimelineEntry) -> str:
    by = f"  ({entry.author})" if entry.author else ""
    return f"  {date_and_clock(entry.at)}  {entry.kind:<9} {one_line(entry.text, 300)}{by}"


def _reasons(reasons: AlertReasons) -> list[str]:
    """Why the alerts stand together, and which others of the service are muted."""
    joined, muted = reasons.joined_lines(), reasons.muted_lines()
    lines = ["", "Why these alerts are one group:", *(f"  {line}" for line in joined)] if joined else []
    return [*lines, "", f"Muted alerts of {reasons.service} since then:", *(f"  {line}" for line in muted)] if muted else lines


async def _findings(db: Database, ref: str) -> list[str]:
    row = await shown_triage_of(db, ref) if ref else None
    if row is None:
        return ["", "It was not investigated."]
    findings = stored_findings(row.findings) or Findings()
    causes = [
        f"  {number}. {h.confidence_text.capitalize()}: {one_line(h.cause, 300)}"
        for number, h in enumerate(findings.hypotheses, 1)
    ]
    missed = [f"  {one_line(without_lead(line), 300)}" for line in findings.not_checked]
    well = nothing_wrong(findings)
    views = [f"  {text}"] if (text := views_text(findings)) else []
    lines = [
        "",
        *([f"{well}."] if well else []),
        *(["Ranked causes:", *causes, *views] if causes else ["No cause was ranked."]),
    ]
    return [*lines, "", "Not checked:", *missed] if missed else lines


async def _draft(db: Database, incident: Incident | None) -> list[str]:
    row = await Postmortems(db).newest(incident.ref) if incident else None
    return ["", *row.markdown.splitlines()] if row else []
