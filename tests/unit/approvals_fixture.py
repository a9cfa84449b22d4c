"""Approvals as a whole for tests: a catalogue, a database, a clock to move, an executor whose calls are recorded."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlmodel import SQLModel, select

from bot.actions.run_webhook import RunWebhook
from bot.actions.silence_alert import SilenceAlert
from bot.actions.standing_approval import StandingApproval
from bot.actions.tocsin_silence import TocsinSilence
from bot.core.action import DecisionChoice, DryRun, Proposal, ProposalState, Tier
from bot.core.actor import Actor
from bot.core.approvals.authority import Authority
from bot.core.config import Config
from bot.core.errors import QueryFailed
from bot.core.metrics.series import Series
from bot.engine.direct import DirectEngine
from bot.plugins import Action, HttpAnswer
from bot.plugins.actions import tiers_of
from bot.settings import catalogue_of
from bot.store.approvals.decisions import DecisionResult, Decisions, Press
from bot.store.approvals.policies.policies import Policies
from bot.store.approvals.proposals import ProposalStore
from bot.store.approvals.runs.claims import AttemptStart, ClaimResult, Claims
from bot.store.db.database import Database
from bot.store.slack.usergroups import Usergroups
from bot.store.tables import EpisodeRow, GroupRow, IncidentRow, ProposalRow
from bot.workflows.policy_review import PolicyReview
from bot.workflows.remediation.approvals import Approvals
from bot.workflows.remediation.executor import ActionExecutor
from bot.workflows.remediation.remediation import RemediationSteps, remediation
from bot.workflows.rotas import Rotas
from tests.real import PATIENCE
from tests.unit.builders import NOW

VERIFY = {"signal": "errors", "below": 0.02, "within": "20s"}
CONFIG: dict[str, Any] = {
    "people": {
        "alice": {"slack": "UALICE"},
        "bob": {"slack": "UBOB"},
        "carol": {"slack": "UCAROL"},
        "owner": {"slack": "UOWNER"},
        "mallory": {"slack": "UMALLORY"},
        "root": {"slack": "UROOT"},
    },
    "services": {
        "checkout": {
            "owners": ["owner"],
            "on_call": {"rotation": ["alice", "carol"], "every": "1w", "starts": "2026-02-25T00:00:00Z"},
            "channel": "C1",
            "signals": {"errors": {"promql": "errors", "unit": "ratio", "bad_above": 0.02}},
        },
        "search": {"on_call": {"usergroup": "S1"}, "channel": "C1"},
    },
    "approvers": {"deputies": ["bob"], "admins": ["root", "bob"]},
    "actions": {
        "restart": {
            "kind": "run_webhook", "url": "http://jobs.example/restart", "idempotent": True, "undo": "rollforward",
            "verify": VERIFY, "body": {"service": "{service}"}, "options": {"state": "pods", "targets": ["{service}-pods"]},
        },
        "rollback": {
            "kind": "run_webhook", "url": "http://jobs.example/rollback", "undo": "rollforward", "verify": VERIFY,
            "helps": ["change"], "change_kinds": ["deploy"],
        },
        "rollforward": {"kind": "run_webhook", "url": "http://jobs.example/forward", "verify": VERIFY},
        "revert": {"kind": "run_webhook", "url": "http://jobs.example/revert", "verify": VERIFY, "body": {"id": "{change_id}"}},
        "failover": {"kind": "run_webhook", "url": "http://jobs.example/failover", "verify": VERIFY, "tier": 3},
    },
    "alertmanager": {"url": "http://am.example:9093"},
}  # fmt: skip


class RecordedHttp:
    """Keeps what was sent and answers as told; an error is raised instead."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answer: HttpAnswer | Exception = HttpAnswer(200, '{"id": "run-1"}', {"id": "run-1"})

    async def check(self, url: str, *, allow_private: bool = False) -> str:
        return ""

    async def send(self, method: str, url: str, **more: Any) -> HttpAnswer:
        self.sent.append({"method": method, "url": url, **more})
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class RecordedMetrics:
    """One value a query; None is an absent series, an error is raised."""

    def __init__(self) -> None:
        self.versions_are_seen = True
        self.values: dict[str, float | QueryFailed | None] = {"errors": 0.001, "pods": 2.0}
        self.past: dict[str, float | QueryFailed | None] = {"errors": 0.3}
        """What is read of a moment before now; as now, where nothing is written here."""

    async def instant(self, promql: str, *, at: datetime | None = None) -> list[Series]:
        value = (self.values if at is None else {**self.values, **self.past}).get(promql)
        if isinstance(value, QueryFailed):
            raise value
        return [] if value is None else [Series({}, np.array([0.0]), np.array([value]))]

    async def range(self, promql: str, **window: Any) -> list[Series]:
        return []

    async def label_sets(self, selector: str, **window: Any) -> list[dict[str, str]]:
        """Every version was seen running, unless a test says otherwise."""
        return [{"selector": selector}] if self.versions_are_seen else []

    async def rules(self) -> list[Any]:
        return []

    def link(self, promql: str, **window: Any) -> str:
        return ""


class ApprovalsFixture:
    """Everything of approvals over one database."""

    def __init__(self, url: str, config: dict[str, Any] | None = None) -> None:
        self.now = NOW
        self.config = Config.model_validate({**CONFIG, **(config or {})})
        self.db = Database(url, audit_key=b"key", clock=lambda: self.now)
        self.http, self.metrics = RecordedHttp(), RecordedMetrics()
        self.group_members: frozenset[str] | QueryFailed = frozenset({"UCAROL"})
        self.store, self.claims = ProposalStore(self.db, self.config), Claims(self.db, self.config)
        self.decisions = Decisions(self.db, self.config)
        kinds: dict[str, type[Action]] = {
            "run_webhook": RunWebhook,
            "silence_alert": SilenceAlert,
            "tocsin_silence": TocsinSilence,
            "standing_approval": StandingApproval,
        }
        self.policies = Policies(self.db, lambda: "C0")
        self.review = PolicyReview(self.policies, self.config, lambda config: tiers_of(config, kinds), lambda: None)
        self.rotas = Rotas(self.config, self.usergroup, Usergroups(self.db), lambda: self.now, self.review.refresh)
        self.executor = ActionExecutor(
            self.store,
            self.claims,
            actions=kinds,
            config=self.config,
            catalogue=catalogue_of(self.config),
            metrics=self.metrics,
            http=self.http,
        )
        self.engine = DirectEngine(clock=lambda: self.now)
        self.approvals = Approvals(self.store, self.decisions, self.claims, self.executor, self.rotas, self.engine)
        self.engine.register("remediation", remediation(RemediationSteps(self.approvals)))

    async def usergroup(self, group: str) -> frozenset[str]:
        if isinstance(self.group_members, QueryFailed):
            raise self.group_members
        return self.group_members

    async def open(self) -> "ApprovalsFixture":
        async with self.db.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        async with self.db.write() as session:
            moments = {"opened_at": NOW, "last_alert_at": NOW}
            session.add(
                GroupRow(
                    key="k",
                    title="Errors",
                    service="checkout",
                    severity="SEV2",
                    state="FIRING",
                    channel="C1",
                    incident_id=1,
                    **moments,
                )
            )
            session.add(
                IncidentRow(
                    title="Errors", severity="SEV2", service="checkout", state="OPEN", channel="C1", group_id=1, declared_at=NOW
                )
            )
        return self

    async def close(self) -> None:
        # A step in its middle is let end: cut off, its connection would still answer when the loop is gone.
        await self.engine.stop(within=PATIENCE)
        await self.db.close()

    async def ended(self, ref: str, **step: float) -> str:
        """How the remediation of a proposal ends. Whenever every workflow waits, time passes by one such step."""
        return await self.ended_as(f"remediation:{ref}", **step)

    async def ended_as(self, id: str, **step: float) -> str:
        """How one workflow of a proposal ends."""
        while not await self.engine.finished(id):
            # Never while one works: a slow machine would have hours pass between two of its steps.
            if self.engine.is_idle():
                self.pass_time(**step)
                self.engine.expire(self.now)
            await asyncio.sleep(0.001)
        state: str = await self.engine.result(id)
        return state

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)

    async def propose(self, entry: str = "restart", requester: str = "", key: str = "k1", **arguments: Any) -> Proposal:
        proposal = await self.approvals.propose(
            entry, "checkout", arguments, group_ref="AL-1", requester=requester, because="E1 says so", key=key
        )
        # Its remediation waits for people before anybody presses, as it does for people.
        while not self.engine.is_idle():
            await asyncio.sleep(0)
        return proposal

    async def press(
        self, ref: str, who: str, verdict: str = "approve", *, revision: int = 1, reason: str = "", key: str = ""
    ) -> DecisionResult:
        """Count one answer without waking the workflow."""
        press = Press(ref, revision, actor(who), DecisionChoice(verdict), reason, key)
        return await self.decisions.decide(press, await self.rotas.roster("checkout"))

    async def approve(
        self, ref: str, who: str = "bob", *, revision: int = 1, reason: str = "", key: str = ""
    ) -> DecisionResult:
        """Approve as the button of the card does."""
        press = Press(ref, revision, actor(who), DecisionChoice.APPROVE, reason, key or f"{who}:{ref}:{revision}")
        return await self.approvals.decide(await self.store.load(ref), press)

    async def revise(self, ref: str, seen: DryRun, tier: Tier) -> Proposal:
        """The same plan with another dry run."""
        fresh = {"dry_run": seen.text, "dry_run_ok": seen.ok, "targets": seen.targets, "tier": tier}
        return await self.store.revise(ref, (await self.store.load(ref)).model_copy(update=fresh))

    async def authority(self, ref: str) -> Authority:
        """The roster and the catalogue as they are now."""
        return await self.approvals.authority(await self.store.service(ref))

    async def claim(self, ref: str, workflow: str = "w1", step: int = 1) -> ClaimResult:
        return await self.claims.claim(ref, workflow, await self.authority(ref), step=step)

    async def attempt(self, ref: str, workflow: str = "w1") -> AttemptStart:
        """The last check before the call."""
        return await self.claims.attempt_start(ref, workflow, await self.authority(ref))

    async def execute(self, ref: str, workflow: str = "w1", step: int = 1) -> ProposalState:
        return await self.executor.execute(ref, workflow, await self.authority(ref), step=step)

    async def alert_fires(self, severity: str = "SEV2") -> None:
        """An alert stands behind the incident's severity."""
        about = {"source": "am", "fingerprint": "f1", "name": "ErrorsHigh", "service": "checkout", "status": "firing"}
        moments = {"starts_at": NOW, "first_seen_at": NOW, "last_seen_at": NOW}
        async with self.db.write() as session:
            session.add(EpisodeRow(**about, **moments, severity=severity, labels={}, annotations={}, group_id=1))

    async def tampered(self, ref: str) -> None:
        """Somebody changes the row in the database, and the bot notices."""
        async with self.db.write() as session:
            row = await session.get(ProposalRow, int(ref.removeprefix("AP-")))
            assert row is not None
            row.because = "something else"
        await self.claims.untampered(ref)

    async def rows(self, table: type[Any]) -> list[Any]:
        async with self.db.read() as session:
            return list((await session.exec(select(table))).all())

    async def state(self, ref: str) -> str:
        return (await self.store.load(ref)).state.value


def actor(person: str, **flags: Any) -> Actor:
    """A full member of our workspace, unless flags say otherwise."""
    return Actor(team="T1", user=f"U{person.upper()}", person=person, **flags)


def dry_run(text: str = "POST", **values: Any) -> DryRun:
    return DryRun(**{"ok": True, "text": text, "targets": {"checkout": ""}, "least_tier": Tier.ZERO, **values})


async def open_approvals(path: Path, config: dict[str, Any] | None = None) -> ApprovalsFixture:
    """The approvals on SQLite in a folder."""
    return await ApprovalsFixture(f"sqlite+aiosqlite:///{path / 'app.db'}", config).open()
