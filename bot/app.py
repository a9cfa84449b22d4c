"""The composition root: builds store, engine and adapters, registers the workflows, starts and drains them."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any

import httpx
import structlog
from starlette.applications import Starlette
from starlette.types import ASGIApp

from bot.actions.support.http import Outbound
from bot.adapters import agents_of, audit_key, fetch_public, logs_of, metrics_of, pager_of, systems_of, tools_of
from bot.core.actor import Actor
from bot.core.approvals import in_force
from bot.core.approvals.roster import FRESH_ROTA, OnCallNow
from bot.core.config import Config
from bot.core.evidence import Case
from bot.core.redaction.screening import redact_one, warm_up
from bot.core.service import LiveCatalogue
from bot.engine.durable import DurableEngine
from bot.engine.schedule import Schedule, tick_name
from bot.memory import keep_returning_memory
from bot.monitoring.metrics.graph import draw
from bot.monitoring.runbooks import RunbookFolder
from bot.plugins import Command, Tool, ToolContext, discover, discover_actions
from bot.plugins.scopes import Scopes
from bot.ports import Run
from bot.reloading import LiveMapping, Reloader, review_of
from bot.settings import Secrets, catalogue_of, require_slack_tokens, source_kinds, source_tokens
from bot.slack.alert_channels import AlertChannels, ChannelHistory
from bot.slack.answers import Answers
from bot.slack.app import SlackEdge
from bot.slack.client import SlackClient, web_client
from bot.slack.command_router import CommandRouter
from bot.slack.people import People
from bot.slack.render import Renderer, allowed_hosts, called_hosts
from bot.store.alerts.intake.writer import IntakeWriter
from bot.store.alerts.reader import Alerts
from bot.store.answers.postmortems import Postmortems
from bot.store.answers.questions import Questions
from bot.store.approvals.decisions import Decisions
from bot.store.approvals.proposals import ProposalStore
from bot.store.approvals.runs.claims import Claims
from bot.store.db.clock import Clock, DatabaseClock, Elapsed, SteadyClock
from bot.store.db.database import UNAVAILABLE, Database, async_url, translating_unavailability, utc_now
from bot.store.oversight.clock import begin_time
from bot.store.oversight.left_out import LeftOutNotices
from bot.store.retention.pruning import Pruning
from bot.store.slack.interactions import Interactions
from bot.store.slack.outbox import Outbox
from bot.store.slack.usergroups import Usergroups
from bot.store.triage.changes import Changes
from bot.store.triage.frozen_cases import Cases
from bot.store.triage.past_incidents import PastIncidents
from bot.store.triage.triage import Triages
from bot.store.triage.visibility import visible_alerts
from bot.web.app import build as build_web
from bot.web.health import Health, check_of
from bot.web.metrics import count_message, count_pruned
from bot.web.webhooks import WebhookEndpoints
from bot.workflows.channel_watch import watch_channels
from bot.workflows.command_context import CommandContext
from bot.workflows.failure_recovery import FailureRecovery
from bot.workflows.inbox import Inbox
from bot.workflows.investigation.analyst import Analyst
from bot.workflows.investigation.fact_collection import FactCollector
from bot.workflows.investigation.learning import LeadRecord
from bot.workflows.investigation.question_checks import QuestionChecks
from bot.workflows.investigation.questions import QuestionSteps, question, start_unanswered
from bot.workflows.investigation.tool_running import ToolRunner
from bot.workflows.investigation.triage import TriageSteps, triage
from bot.workflows.messages.delivery import DeliveryLimits
from bot.workflows.messages.sender import Sender
from bot.workflows.periodic_checks import periodic_checks, retries_of
from bot.workflows.postmortem import PostmortemSteps, postmortem
from bot.workflows.read_access import ReadAccess
from bot.workflows.remediation.approvals import Approvals
from bot.workflows.remediation.executor import ActionExecutor
from bot.workflows.remediation.remediation import RemediationSteps, remediation
from bot.workflows.rotas import Rotas
from bot.workflows.ticks import EVERY, HousekeepingTick, RetentionTick, Tick, as_workflow, logged

log = structlog.get_logger(__name__)

SERVER_SECONDS, SOCKET_SECONDS, SENDER_SECONDS, STEPS_SECONDS = 3, 2, 4, 8
"""Parts of a stop, which takes 20 s at most: the rest is for closing connections."""
SILENT_SECONDS = 30.0
"""A sender whose loop has not run for so long counts as dead."""


class App:
    """Everything, built and not yet started. `wrap_run`: tests inject crashes between steps; `clock`, `elapsed` and
    `delivery`: the machine's clocks and Slack's limits, the only ones: tests start a bot in the past, or let time go faster."""

    def __init__(
        self,
        secrets: Secrets,
        config: Config,
        *,
        wrap_run: Callable[[Run], Run] = lambda run: run,
        clock: Clock = utc_now,
        elapsed: Elapsed | None = None,
        delivery: DeliveryLimits | None = None,
    ) -> None:
        require_slack_tokens(secrets)
        self.secrets, self.config = secrets, config
        self.clock: Clock = (DatabaseClock if secrets.postgres else SteadyClock)(clock, elapsed)
        self.catalogue = LiveCatalogue(catalogue_of(config).services.values())
        self.tokens = source_tokens(config.sources)
        self.scopes = Scopes(self.catalogue.of_labels, lambda name: name in self.config.heartbeats)
        self.client = httpx.AsyncClient(follow_redirects=False, timeout=10)
        self.metrics = metrics_of(secrets, config, self.client)
        self.logs, self.pager = logs_of(secrets, config, self.client), pager_of(secrets, config, self.client)
        self.systems = systems_of(secrets, config, self.client)
        self.tools = tools_of(discover(["tools", *config.plugins], Tool), self.systems)
        self.failure_recovery = FailureRecovery()
        self.engine = DurableEngine(
            secrets.data_dir,
            secrets.database_url if secrets.postgres else "",
            clock=self.clock,
            wrap_run=wrap_run,
            on_mismatch=self.failure_recovery.mismatch,
            on_failure=self.failure_recovery.failure,
            on_takeover=self._resume,
            retry_on=UNAVAILABLE,
        )
        url = async_url(secrets.database_url, secrets.data_dir)
        self.db = Database(url, audit_key=audit_key(secrets), clock=self.clock, name=self.engine.session_name)
        self.policy_review = review_of(self.db, config, lambda: self.people.replace(in_force.people(config)))
        self.reloader = Reloader(secrets.config, config, self.db, self._config_replaced, self.policy_review)
        self.triages, self.postmortems = Triages(self.db), Postmortems(self.db)
        self._build_intake()
        self._build_messages(delivery)
        self._build_router()
        self._build_workflows()
        self._build_ticks()
        self.asgi: ASGIApp = self._build_web()
        self._tasks: list[asyncio.Task[Any]] = []

    def _build_intake(self) -> None:
        self.committed = asyncio.Event()
        self.writer = IntakeWriter(self.db, self.committed.set)
        of_app = (self.db, self.config, self.catalogue, self.engine, self.committed)
        self.inbox = Inbox(*of_app, is_leader=self.engine.is_leader, channels=lambda: self.people.known_channels())

    def _build_messages(self, limits: DeliveryLimits | None) -> None:
        """The bot's messages: state, rendered and sent."""
        self.web = web_client(self.secrets.slack_bot_token.get_secret_value(), self.secrets.slack_api_url)
        self.slack_client = SlackClient(self.web)
        self.people = People(self.slack_client, self.config.people)
        self.read_access = ReadAccess(self.db, self.people.channel_access, self.people.members)
        self.rotas = Rotas(self.config, self.people.usergroup, Usergroups(self.db), self.clock, self.policy_review.refresh)
        self.renderer = Renderer(self.db, self.config, self._on_call, redact=redact_one, public_url=self.secrets.public_url)
        self.sender = Sender(
            Outbox(self.db),
            self.renderer.render,
            self.slack_client,
            default_channel=self.config.default_channel,
            may_fall_back=self.read_access.may_fall_back,
            limits=limits,
            count=count_message,
            lease_until=self.engine.lease_until,
        )
        self.db.on_messages.append(self.sender.wake)

    def _build_router(self) -> None:
        """What people say to the bot: verbs, presses and dialogs."""
        self.approvals = self._build_approvals()
        ctx = CommandContext(
            db=self.db,
            config=self.config,
            catalogue=self.catalogue,
            engine=self.engine,
            clock=self.clock,
            verbs=discover(["bot.commands", *self.config.plugins], Command),
            approvals=self.approvals,
            usergroup=self.people.usergroup,
            read_access=self.read_access,
            account=partial(self.people.actor, fresh=True),
            tools={name: tool.info for name, tool in self.tools.items()},
        )
        hosts = allowed_hosts(self.config, self.secrets.public_url)
        self.answers = Answers(self.slack_client, hosts=hosts, called=called_hosts(self.config), redact=redact_one)
        self.router = CommandRouter(ctx, self.people, Interactions(self.db), self.answers)
        self.slack = SlackEdge(
            self.web,
            self.router,
            app_token=self.secrets.slack_app_token.get_secret_value(),
            signing_secret=self.secrets.slack_signing_secret.get_secret_value(),
            clock=self.clock,
            channels=AlertChannels(
                LiveMapping(lambda: self.config.sources),
                source_kinds(self.config),
                self.writer,
                ChannelHistory(self.slack_client),
                self.clock,
                Alerts(self.db).last_delivery,
                scopes=self.scopes,
            ),
        )

    async def _on_call(self, service: str) -> tuple[str, ...]:
        return (await self._on_call_now(service)).people

    async def _on_call_now(self, service: str) -> OnCallNow:
        roster = await self.rotas.roster(service, within=FRESH_ROTA)
        return roster.on_call_now(service, self.clock())

    def _build_approvals(self) -> Approvals:
        store, claims = ProposalStore(self.db, self.config), Claims(self.db, self.config)
        executor = ActionExecutor(
            store,
            claims,
            actions=discover_actions(["bot.actions", *self.config.plugins]),
            config=self.config,
            catalogue=self.catalogue,
            metrics=self.metrics,
            http=Outbound(self.secrets.webhook_secret.get_secret_value()),
            systems=self.systems.writable,
            permit=self.engine.permit,
        )
        return Approvals(store, Decisions(self.db, self.config), claims, executor, self.rotas, self.engine)

    def _build_workflows(self) -> None:
        self.runbooks = RunbookFolder(self.config.runbooks) if self.config.runbooks else None
        self.tool_runner = ToolRunner(self.triages, self.tools, self._tool_context)
        facts = FactCollector(self.tool_runner, self.triages, self.catalogue, self.metrics, draw)
        self.questions = Questions(self.db, LiveMapping(lambda: self.catalogue.services), self.tool_runner.infos)
        checks = QuestionChecks(self.questions, self.tool_runner)
        steps = TriageSteps(self.triages, facts, self.approvals, self.config, checks, LeadRecord(Cases(self.db)))
        analyst = Analyst(
            self.tool_runner.for_case,
            self.tool_runner.infos,
            has_traces=self.systems.traces is not None,
            has_code=self.systems.code is not None,
            has_cluster=self.systems.cluster is not None,
        )
        of_app = (self.secrets, self.config, self.tool_runner, self.triages, self.questions)
        self.agents = agents_of(*of_app, LiveMapping(lambda: self.catalogue.services), self.systems.remote)
        self.engine.register("triage", triage(steps, analyst, self.agents.get))
        self.engine.register("remediation", remediation(RemediationSteps(self.approvals, self._account)))
        drafting = PostmortemSteps(self.postmortems, self.triages, self.catalogue, self.metrics, draw)
        self.engine.register("postmortem", postmortem(drafting))
        of_questions = QuestionSteps(self.questions, self.triages, self.config, checks, self._on_call_now)
        self.engine.register("question", question(of_questions, self.agents.get))
        self.failure_recovery.attach(self.engine, self.triages, self.postmortems, self.approvals, self.questions)

    def _build_ticks(self) -> None:
        retries = retries_of(self.db, self.catalogue, self.tool_runner.infos, measured=self.metrics is not None)
        of_app = (self.db, self.config, self.catalogue, self.metrics, self.systems.traces, self.pager, self.approvals)
        ticks: Mapping[str, Tick] = {
            "quiet": HousekeepingTick(self.config, self.postmortems, retries, self.engine),
            "heartbeat": self._heartbeat,
            "tidy": RetentionTick(Pruning(self.db, self.config, count_pruned), self.engine.forget),
            **periodic_checks(*of_app),
        }
        direct = {} if self.secrets.postgres else {name: logged(name, tick) for name, tick in ticks.items()}
        self.schedule = Schedule(self.engine, clock=self.clock, is_leader=self.engine.is_leader, direct=direct)
        for name, tick in ticks.items():
            self.engine.register(tick_name(name), as_workflow(name, tick))
            self.schedule.add(name, EVERY[name])

    async def _account(self, team: str, user: str) -> Actor:
        return await self.people.actor(user, home=team, fresh=True)

    def _tool_context(self, case: Case) -> ToolContext:
        return ToolContext(
            now=self.clock(),
            case=case,
            catalogue=self.catalogue,
            changes=Changes(self.db),
            alerts=visible_alerts(
                self.db, case.group, self.read_access.recallable, self.catalogue, self.config.default_channel
            ),
            runbooks=self.runbooks,
            metrics=self.metrics,
            logs=self.logs,
            past=PastIncidents(self.db, case.group, self.read_access.recallable),
            traces=self.systems.traces,
            histories=self.systems.histories,
            code=self.systems.code,
            models=self.systems.models,
            web=self.systems.web,
            cluster=self.systems.cluster,
            databases=self.systems.databases,
            remote=self.systems.remote,
        )

    def _build_web(self) -> ASGIApp:
        self.webhooks = WebhookEndpoints(
            LiveMapping(lambda: self.config.sources),
            source_kinds(self.config),
            LiveMapping(lambda: self.tokens),
            self.writer,
            self.clock,
            fetch=fetch_public,
            knows_severity=lambda word: self.config.knows_severity(word),
            scopes=self.scopes,
            announce=LeftOutNotices(self.db, self.config),
        )
        self.loops = {"inbox": self.inbox.alive, "intake": self.writer.healthy, "sender": self._sender_alive}
        checks = {name: check_of(alive) for name, alive in self.loops.items()}
        optional = {"model": self.agents.healthy, "slack": self.slack.connected}
        health = Health.with_database(self.db, checks, optional, is_leader=self.engine.is_leader)
        token, endpoints = self.secrets.token_api.get_secret_value(), {"/slack/events": self.slack.endpoint}
        return build_web(
            self.webhooks, health, db=self.db, clock=self.clock, api_token=token, endpoints=endpoints, lifespan=self._lifespan
        )

    def _config_replaced(self) -> None:
        """Derive anew what was derived from the configuration; everything else reads it at each use."""
        self.catalogue.replace(catalogue_of(self.config).services.values())
        self.tokens = source_tokens(self.config.sources)
        self.webhooks.count_from_zero()
        self.answers.called, self.answers.hosts = called_hosts(self.config), self.renderer.hosts
        self.agents.renew()
        self.inbox.reader.sorter.reset()
        self.slack.catch_up()

    # ------------------------------------------------------------ health

    def _sender_alive(self) -> bool:
        """Whether the sender of the leading process runs; the others have none."""
        return not self.engine.is_leader() or self.sender.age() < SILENT_SECONDS

    async def _heartbeat(self) -> None:
        """Say outside that all loops run: that is all it means."""
        if self.config.heartbeat_url and all(alive() for alive in self.loops.values()):
            await self.client.get(self.config.heartbeat_url)

    # ------------------------------------------------------------ start and stop

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        with translating_unavailability():
            await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def start(self) -> None:
        """Open the database and the journal, then the loops and Slack; what was interrupted goes on."""
        await begin_time(self.db)
        await self.reloader.note_start()
        await self.engine.launch()
        self.writer.start()
        watch = await watch_channels(self.db, self.config, self.people)
        self._tasks += [watch, asyncio.create_task(self.inbox.run(), name="inbox")]
        self.engine.lead(self._lead)
        await self.slack.start()
        await self._resume()
        address = asyncio.create_task(self.renderer.read_public_url(self.metrics, self._take_hosts), name="public address")
        self._tasks += [asyncio.create_task(self._warm_up(), name="agent"), address]
        log.info("ready", database="postgresql" if self.secrets.postgres else "sqlite", services=len(self.catalogue.services))

    async def _warm_up(self) -> None:
        """Load what the first alert needs, then the agent, and exclude all that was imported from garbage collection."""
        await asyncio.to_thread(warm_up)
        await self.agents.get()
        # A full collection stops everything; over these million objects it took 200 to 500 ms.
        gc.freeze()
        await keep_returning_memory()

    def _take_hosts(self) -> None:
        self.answers.hosts = self.renderer.hosts

    def _lead(self) -> None:
        """What one process does for all replicas: messages and ticks."""
        self._tasks.append(asyncio.create_task(self.sender.run(), name="sender"))
        self.committed.set()
        self.schedule.start()

    async def _resume(self) -> None:
        """Do what a process that has died may have committed and not begun."""
        self.inbox.reread_unstarted()
        await self.approvals.resume()
        await start_unanswered(self.questions, self.engine)

    async def stop(self) -> None:
        """Drain within 20 s: intake, running steps, messages; unfinished workflows go on after the next start."""
        self.schedule.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SOCKET_SECONDS):
                await self.slack.stop()
        await self.writer.stop()
        # The sender first: once the engine has stopped, another replica leads and sends.
        if self.engine.is_leader():
            await self.sender.stop(within=SENDER_SECONDS)
        await self.engine.stop(within=STEPS_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.aclose()
        await self.db.close()
        log.info("stopped")
