"""What the rules need to know about the world around a proposal, read in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import and_, bindparam, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.alert import Severity
from bot.core.approvals import in_force
from bot.core.approvals.policy_types import BLAST_WINDOW, DecisionContext
from bot.core.approvals.roster import IncidentRoles, Roster
from bot.core.approvals.standing import STANDING_APPROVAL
from bot.core.incident import GroupState, IncidentState
from bot.store.approvals.context.incident_roles import roles_of
from bot.store.approvals.context.severity_backing import severity_backing
from bot.store.db.columns import Moment
from bot.store.db.database import Database
from bot.store.tables import ClaimRow, GroupRow, IncidentRow, ProposalRow, SwitchRow

PAUSE = "pause"
"""The switch that holds all automated actions everywhere."""

WAITING = tuple(s.value for s in (ProposalState.PENDING, ProposalState.PARTLY_APPROVED, ProposalState.APPROVED))
RUNNING = tuple(s.value for s in (ProposalState.CLAIMED, ProposalState.EXECUTING))
_NEVER_STARTED = tuple(s.value for s in (ProposalState.STALE, ProposalState.STOPPED, ProposalState.DENIED))
_BETWEEN = ProposalState.VERIFYING.value

# Written once: a press asks these four times until its action runs, and writing one takes as long as its answer.
_INCIDENTS = select(IncidentRow).where(
    or_(
        and_(col(IncidentRow.service) == bindparam("service"), col(IncidentRow.state) != IncidentState.RESOLVED.value),
        col(IncidentRow.id) == bindparam("own"),
    )
)
_SWITCHES = select(SwitchRow.name, SwitchRow.who, SwitchRow.reason).where(
    col(SwitchRow.on).is_(True), or_(col(SwitchRow.name) == PAUSE, col(SwitchRow.name) == bindparam("stop"))
)
# What is open elsewhere is nothing to this one, and may be much.
_OPEN_NEARBY = select(ProposalRow).where(
    col(ProposalRow.state).in_((*WAITING, *RUNNING, _BETWEEN)),
    or_(
        col(ProposalRow.service) == bindparam("service"),
        col(ProposalRow.group_id) == bindparam("group"),
        col(ProposalRow.incident_id) == bindparam("incident"),
    ),
)
_CLAIMS = (
    select(ClaimRow, ProposalRow.state, ProposalRow.steps_begun, ProposalRow.action)
    .join(ProposalRow, col(ProposalRow.id) == ClaimRow.proposal_id)
    .where(col(ClaimRow.service) == bindparam("service"), col(ClaimRow.at) > bindparam("since", type_=Moment()))
    .where(col(ClaimRow.proposal_id) != bindparam("own"))
)


def stop_switch(group_id: int) -> str:
    """The switch that `stop` turns on for a group without an incident."""
    return f"stop:AL-{group_id}"


class Surroundings(NamedTuple):
    """What is going on around a proposal, and who has which role in its incident."""

    context: DecisionContext
    roles: IncidentRoles


async def read_context(
    db: Database,
    session: AsyncSession,
    roster: Roster,
    *,
    service: str,
    group_id: int | None,
    incident_id: int | None,
    targets: Iterable[str],
    own_id: int | None = None,
) -> Surroundings:
    """Everything around one proposal under the roster's configuration; `own_id` is its key, so that it is not counted twice."""
    config = roster.config
    group = await session.get(GroupRow, group_id) if group_id is not None else None
    if incident_id is None and group is not None:
        # Declared since it was proposed: who leads and what was stopped there counts here too.
        incident_id = group.incident_id
    incidents = await incidents_around(session, service, incident_id)
    incident = next((row for row in incidents if row.id == incident_id), None)
    still_open = [row for row in incidents if row.state != IncidentState.RESOLVED]
    backing = await severity_backing(db, session, roster, still_open)
    switches = await switches_on(session, group)
    others = await _other_proposals(session, service, group_id, incident_id, set(targets), own_id)
    context = DecisionContext(
        now=db.clock(),
        paused=switches.get(PAUSE, ""),
        stopped=(incident is not None and incident.stopped) or bool(switches.keys() - {PAUSE}),
        severity=min((Severity(row.severity) for row in still_open), key=lambda s: s.rank, default=Severity.NONE),
        backed_severity=backing.severity,
        declarers=backing.declarers,
        incident_open=is_open(group, incident),
        freezes=in_force.freezes(config),
        solo=in_force.solo(config),
        limits=in_force.limits(config),
        open_here=others.open_here,
        open_on_targets=others.on_targets,
        running_on_service=others.running,
        recent_targets=await _recent_targets(db, session, service, own_id),
    )
    return Surroundings(context, await roles_of(db, session, incident))


async def incidents_around(session: AsyncSession, service: str, own_id: int | None = None) -> Sequence[IncidentRow]:
    """The open incidents of a service and, open or not, the one with this key."""
    return (await session.exec(_INCIDENTS, params={"service": service, "own": own_id})).all()


async def switches_on(session: AsyncSession, group: GroupRow | None) -> Mapping[str, str]:
    """The switches that are on now and hold a proposal of this group: by whom and why, by their names."""
    stop = stop_switch(group.id) if group is not None and group.id is not None else ""
    rows = (await session.exec(_SWITCHES, params={"stop": stop})).all()
    return {name: f"by {who}" + (f": {reason}" if reason else "") for name, who, reason in rows}


def is_open(group: GroupRow | None, incident: IncidentRow | None) -> bool:
    """Whether what a proposal belongs to goes on: its incident, else its group."""
    if incident is not None:
        return incident.state != IncidentState.RESOLVED
    return group is None or group.state != GroupState.RESOLVED


class _Others(NamedTuple):
    """What other proposals are open: how many here, and the reference of one on a target and of one that runs."""

    open_here: int
    on_targets: str
    running: str


async def _other_proposals(
    session: AsyncSession, service: str, group_id: int | None, incident_id: int | None, targets: set[str], own_id: int | None
) -> _Others:
    nearby = await session.exec(_OPEN_NEARBY, params={"service": service, "group": group_id, "incident": incident_id})
    # A plan runs until its last step is verified; a single action only until its call has an answer.
    rows = [r for r in nearby.all() if r.id != own_id and (r.state != _BETWEEN or _goes_on(r))]
    here = [row for row in rows if _same_owner(row, service, group_id, incident_id)]
    on_target = [r for r in rows if r.service == service and targets & set(r.record.get("targets", ()))]
    running = [r for r in rows if r.service == service and r.state not in WAITING]
    return _Others(
        open_here=len(here),
        on_targets=f"AP-{on_target[0].id}" if on_target else "",
        running=f"AP-{running[0].id}" if running else "",
    )


def _goes_on(row: ProposalRow) -> bool:
    return row.steps_begun < len(row.record.get("parts", ()))


def _same_owner(row: ProposalRow, service: str, group_id: int | None, incident_id: int | None) -> bool:
    if incident_id is not None and row.incident_id == incident_id:
        return True
    if group_id is not None:
        return row.group_id == group_id
    return incident_id is None and row.group_id is None and row.service == service


async def _recent_targets(db: Database, session: AsyncSession, service: str, own_id: int | None) -> tuple[str, ...]:
    """Targets of the last hour's runs on this service, each time counted, of a plan once.

    What never started does not count, and a grant of a standing approval changes nothing.
    """
    about = {"service": service, "since": db.clock() - BLAST_WINDOW, "own": own_id or 0}
    rows = (await session.exec(_CLAIMS, params=about)).all()
    counted: dict[int, dict[str, None]] = {}
    for claim, state, steps_begun, action in rows:
        if action == STANDING_APPROVAL and await _is_grant(session, claim.proposal_id):
            continue
        if state not in _NEVER_STARTED or claim.step <= steps_begun:
            counted.setdefault(claim.proposal_id, {}).update(dict.fromkeys(claim.targets))
    return tuple(target for targets in counted.values() for target in targets)


async def _is_grant(session: AsyncSession, id: int) -> bool:
    """Whether it is one by its kind: an entry of a team's own catalogue may be called so too."""
    row = await session.get(ProposalRow, id)
    return row is not None and row.record.get("kind") == STANDING_APPROVAL
