"""The read-only API under /api, with its documentation at /api/docs. One token, TOCSIN_TOKEN_API."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict
from starlette.exceptions import HTTPException as StarletteHTTPException

from bot.core.alert import Severity
from bot.core.change import Change
from bot.core.errors import NotFound
from bot.core.incident import AlertGroup, Incident, number_of
from bot.store import audit, incidents
from bot.store.alerts import Alerts
from bot.store.changes import Changes
from bot.store.database import Database
from bot.store.dossier import Dossier, read_dossier
from bot.store.postmortems import Postmortems
from bot.store.tables import EpisodeRow
from bot.web.auth import bearer_matches
from bot.web.errors import http_error, refusal


class AlertView(BaseModel):
    """One episode of one alert: from its start to its end."""

    model_config = ConfigDict(from_attributes=True)

    source: str
    fingerprint: str
    status: str
    name: str
    service: str
    severity: Severity
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ended_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    repeats: int
    group: str = ""
    """`AL-n`; empty while `muted_by` says why."""
    muted_by: str
    link: str
    expression: str


class AuditView(BaseModel):
    """One row of the audit chain."""

    model_config = ConfigDict(from_attributes=True)

    seq: int
    at: datetime
    who: str
    what: str
    subject: str
    before: str
    after: str
    reason: str
    policy: str
    message: str
    prev: str
    hash: str


class GroupDossier(Dossier):
    """An alert group with its alerts, the newest first."""

    alerts: list[AlertView]


def _moment(value: object) -> object:
    """`2026-01-05T09:00Z`; a moment without zone is UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip().replace(" ", "+"))
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


Since = Annotated[
    AwareDatetime | None,
    BeforeValidator(_moment),
    Query(description="Not older than this moment, ISO 8601; UTC if it has no zone"),
]
Service = Annotated[str, Query(max_length=200, description="A service's name; empty: all")]
Limit = Annotated[int, Query(ge=1, le=10_000, description="At most so many")]
GroupRef = Annotated[str, Path(pattern=r"^(?:[Aa][Ll]-)?[0-9]{1,9}$", description="AL-n or n")]
IncidentRef = Annotated[str, Path(pattern=r"^(?:[Ii][Nn][Cc]-)?[0-9]{1,9}$", description="INC-n or n")]


def build_api(db: Database, *, token: str) -> FastAPI:
    """The app to mount at /api. Without a token nothing is handed out."""
    app = FastAPI(
        title="Tocsin",
        description="Alerts, groups, incidents, changes and the audit, for reading.",
        exception_handlers={
            NotFound: _not_found,
            RequestValidationError: _wrong_request,
            StarletteHTTPException: http_error,
        },
    )

    def authorised(request: Request) -> None:
        if not bearer_matches(request.headers, token):
            raise HTTPException(
                401, "send Authorization: Bearer with TOCSIN_TOKEN_API" if token else "TOCSIN_TOKEN_API is not set"
            )

    app.include_router(_alerts(db), dependencies=[Depends(authorised)])
    app.include_router(_incidents(db), dependencies=[Depends(authorised)])
    app.include_router(_records(db), dependencies=[Depends(authorised)])
    return app


def _alerts(db: Database) -> APIRouter:
    router = APIRouter(tags=["alerts"])
    store = Alerts(db)

    @router.get("/alerts")
    async def alerts(
        response: Response,
        state: Literal["", "firing", "resolved"] = "",
        service: Service = "",
        since: Since = None,
        limit: Limit = 500,
    ) -> list[AlertView]:
        """Episodes, newest first; the header X-Total-Count says how many there are in all."""
        response.headers["X-Total-Count"] = str(await store.count(state=state, service=service, since=since))
        return [_alert(row) for row in await store.episodes(state=state, service=service, since=since, limit=limit)]

    @router.get("/groups")
    async def groups(state: str = "", service: Service = "") -> list[AlertGroup]:
        """Alert groups, newest first; `state=open` means not resolved."""
        async with db.read() as session:
            return await incidents.groups(session, state or None, service or None)

    @router.get("/groups/{ref}")
    async def group(ref: GroupRef) -> GroupDossier:
        """One group with its alerts, timeline, evidence, findings, proposals and decisions."""
        full = _full(ref, "AL")
        found = await read_dossier(db, full)
        rows = await store.episodes(group_id=number_of(full, "AL"), limit=1000)
        return GroupDossier(**dict(found), alerts=[_alert(row) for row in rows])

    return router


def _incidents(db: Database) -> APIRouter:
    router = APIRouter(tags=["incidents"])

    @router.get("/incidents")
    async def listed(state: str = "", service: Service = "", since: Since = None) -> list[Incident]:
        """Incidents, newest first; `state=open` means not resolved."""
        async with db.read() as session:
            return await incidents.incidents(session, state or None, service or None, since)

    @router.get("/incidents/{ref}")
    async def incident(ref: IncidentRef) -> Dossier:
        """One incident with its group, timeline, evidence, findings, proposals and decisions."""
        return await read_dossier(db, _full(ref, "INC"))

    @router.get("/incidents/{ref}/postmortem", response_class=PlainTextResponse)
    async def postmortem(ref: IncidentRef) -> Response:
        """The newest draft as Markdown."""
        row = await Postmortems(db).newest(_full(ref, "INC"))
        if row is None:
            raise NotFound(f"there is no postmortem draft of {_full(ref, 'INC')}")
        return PlainTextResponse(row.markdown, media_type="text/markdown")

    return router


def _records(db: Database) -> APIRouter:
    router = APIRouter(tags=["records"])

    @router.get("/changes")
    async def changes(service: Service = "", since: Since = None) -> list[Change]:
        """Changes, newest first."""
        return await Changes(db).since(service, since or datetime(1970, 1, 1, tzinfo=UTC))

    @router.get("/audit")
    async def audited(after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 500) -> list[AuditView]:
        """Audit rows behind `after`, oldest first."""
        return [AuditView.model_validate(row) for row in await audit.after(db, after, limit)]

    return router


def _alert(row: EpisodeRow) -> AlertView:
    view = AlertView.model_validate(row)
    return view.model_copy(update={"group": f"AL-{row.group_id}"}) if row.group_id else view


def _full(ref: str, kind: str) -> str:
    return f"{kind}-{ref}" if ref.isdigit() else ref.upper()


async def _not_found(_request: Request, error: Exception) -> JSONResponse:
    return refusal(404, str(error))


async def _wrong_request(_request: Request, error: Exception) -> JSONResponse:
    """Which parameter and why; what was sent is not echoed."""
    found: list[dict[str, Any]] = list(error.errors()) if isinstance(error, RequestValidationError) else []
    first = found[0] if found else {}
    return refusal(400, str(first.get("msg", "not readable")), field=".".join(str(part) for part in first.get("loc", ())))
