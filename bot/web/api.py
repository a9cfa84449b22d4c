"""The read-only API under /api, documented at /api/docs. Every answer needs TOCSIN_TOKEN_API, and holds nothing private."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from pydantic import AwareDatetime, Field
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response

from bot.core.change import Change
from bot.core.errors import NotFound
from bot.core.evidence import LedgerEntry
from bot.core.incident import AlertGroup, Incident
from bot.store.alerts.reader import Alerts
from bot.store.answers import records
from bot.store.answers.postmortems import Postmortems
from bot.store.db.clock import Clock
from bot.store.db.database import Database
from bot.store.incidents import rows as incident_rows
from bot.store.triage.changes import Changes
from bot.web.api_models import (
    AuditEntry,
    DecidedProposal,
    Episode,
    IncidentRecord,
    Refusal,
    audit_entry,
    incident_record,
)
from bot.web.auth import bearer_matches, token_problem
from bot.web.errors import HANDLERS, Guard, refusal

CHANGES_SINCE = timedelta(hours=24)
MarkdownAnswer = PlainTextResponse
_Moment = Annotated[AwareDatetime, Field(ge=datetime(1971, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
"""No calculation with it leaves the years that there are."""
Since = Annotated[_Moment | None, Query(description="ISO 8601 with a zone, e.g. 2026-01-05T09:00:00Z")]
ServiceName = Annotated[str, Query(pattern=r"^[^\x00]*$")]
"""PostgreSQL takes no NUL in a text."""


def api_app(db: Database, token: str, clock: Clock) -> FastAPI:
    """The API as an app to mount. The documentation itself is open: it holds nothing that the source code does not."""

    async def authorised(request: Request) -> None:
        if not bearer_matches(request.headers, token):
            raise HTTPException(401, token_problem("api", token), headers={"WWW-Authenticate": "Bearer"})

    app = FastAPI(
        title="Tocsin",
        description="Alerts, incidents, evidence, proposals, changes and the audit. Read only.",
        middleware=[Middleware(Guard)],
        exception_handlers={**HANDLERS, RequestValidationError: _bad_parameter},
    )
    # The scheme only documents: what is checked, and answered, is `authorised`'s.
    dependencies = [Depends(authorised), Depends(HTTPBearer(auto_error=False, scheme_name="TOCSIN_TOKEN_API"))]
    for router in (_lists(db, clock), _singles(db)):
        app.include_router(router, dependencies=dependencies, responses={"4XX": {"model": Refusal}})
    return app


async def _bad_parameter(_request: Request, error: Exception) -> Response:
    """The first parameter that could not be read, by name."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return refusal(400, str(first["msg"]), field=str(first["loc"][-1]))


def _lists(db: Database, clock: Clock) -> APIRouter:
    router = APIRouter()

    @router.get("/alerts")
    async def alerts(
        state: Literal["firing", "resolved", ""] = "", service: ServiceName = "", since: Since = None
    ) -> list[Episode]:
        """Alerts by episode, the newest first, at most 500. `since`: last seen at or after."""
        rows = await Alerts(db).public_episodes(state=state, service=service, since=since)
        return [Episode.model_validate(row) for row in rows]

    @router.get("/groups")
    async def groups(
        state: Literal["open", "firing", "acknowledged", "monitoring", "resolved", ""] = "", service: ServiceName = ""
    ) -> list[AlertGroup]:
        """Alert groups, the newest first, at most 500; `open` is all but resolved."""
        async with db.read() as session:
            return await incident_rows.newest_public_groups(session, state, service)

    @router.get("/incidents")
    async def all_incidents(
        state: Literal["open", "monitoring", "resolved", ""] = "", service: ServiceName = "", since: Since = None
    ) -> list[Incident]:
        """Incidents, the newest first, at most 500; `open` is all but resolved. `since`: declared at or after."""
        async with db.read() as session:
            return await incident_rows.newest_incidents(session, state, service, since, public_only=True)

    @router.get("/changes")
    async def changes(service: ServiceName = "", since: Since = None) -> list[Change]:
        """Changes, the newest first, at most 200; without `since` those of the last 24 hours."""
        return await Changes(db).since(service, since or clock() - CHANGES_SINCE)

    @router.get("/audit")
    async def audit_rows(after: Annotated[int, Query(ge=0, lt=2**63)] = 0) -> list[AuditEntry]:
        """Audit rows behind `after`, the oldest first, at most 500: ask again with the last `seq`."""
        return [audit_entry(row, is_private=is_private) for row, is_private in await records.audit_after(db, after)]

    return router


def _singles(db: Database) -> APIRouter:
    router = APIRouter()

    @router.get("/groups/{ref}")
    async def group(ref: str) -> IncidentRecord:
        """`AL-n` with its alerts, timeline, evidence, triages, proposals and decisions."""
        if not ref.upper().startswith("AL-"):
            raise NotFound(f"{ref} is no alert group (AL-n)")
        await records.require_public(db, ref)
        return incident_record(await records.record_of(db, ref))

    @router.get("/incidents/{ref}")
    async def incident(ref: str) -> IncidentRecord:
        """`INC-n` with its group, timeline, evidence, triages, proposals and decisions."""
        if not ref.upper().startswith("INC-"):
            raise NotFound(f"{ref} is no incident (INC-n)")
        await records.require_public(db, ref)
        return incident_record(await records.record_of(db, ref))

    @router.get("/incidents/{ref}/postmortem", response_class=MarkdownAnswer)
    async def postmortem(ref: str) -> MarkdownAnswer:
        """The newest draft as Markdown."""
        await records.require_public(db, ref)
        row = await Postmortems(db).newest(ref)
        if row is None:
            raise NotFound(f"there is no postmortem of {ref} yet")
        return MarkdownAnswer(row.markdown, media_type="text/markdown")

    @router.get("/evidence/{group}/{id}")
    async def evidence(group: str, id: str) -> LedgerEntry:
        """One finding (`AL-3`, `E7`) with the query that anyone can run again."""
        await records.require_public(db, group)
        return await records.evidence_of(db, group, id)

    @router.get("/proposals/{ref}")
    async def proposal(ref: str) -> DecidedProposal:
        """`AP-n` with every answer to every revision."""
        await records.require_public(db, ref)
        stored, decisions = await records.proposal_of(db, ref)
        return DecidedProposal(proposal=stored, decisions=list(decisions))

    return router
