"""The hands: the only place that builds actions with writers and makes the one remote call."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from bot.core.action import DryRun, Outcome, Proposal, Tier, Verification
from bot.core.approvals import policy
from bot.core.config import ActionConfig, Config
from bot.core.errors import ActionFailed, NotFound
from bot.core.service import Catalogue
from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext, Http
from bot.ports import Metrics
from bot.store.approvals.claims import Claims
from bot.store.approvals.store import ProposalStore, same_world

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Looked:
    """An action with its arguments checked, looked at but not run."""

    entry: str
    kind: str
    version: str
    service: str
    title: str
    arguments: dict[str, Any]
    steps: list[str]
    dry_run: DryRun
    tier: Tier
    inverse: str


class ActionExecutor:
    """Builds, looks, calls once, probes and watches."""

    def __init__(
        self,
        store: ProposalStore,
        claims: Claims,
        *,
        actions: Mapping[str, type[Action]],
        config: Config,
        catalogue: Catalogue,
        metrics: Metrics | None,
        http: Http,
        permit: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`permit` returns when this process may begin an effect outside; one that was replaced waits for ever."""
        self.store = store
        self.claims = claims
        self.actions = actions
        self.config = config
        self.catalogue = catalogue
        self.metrics = metrics
        self.http = http
        self.permit = permit

    # ------------------------------------------------------------ looking

    async def look(
        self, entry: str, service: str, arguments: Mapping[str, Any], *, ref: str = "", incident: str = ""
    ) -> Looked:
        """Check the arguments and make the dry run. Raises NotFound (no such entry) or ActionFailed (they do not fit)."""
        config, action = self._built(entry, service, arguments)
        ctx = self._context(entry, config, ref=ref, incident=incident)
        floor = action.tier_for(config)
        dry_run = await action.dry_run(ctx) if floor is not Tier.X else DryRun(ok=False, text="", targets={})
        targets = dry_run.targets or dict.fromkeys(action.targets(ctx), "")
        dry_run = dry_run.model_copy(update={"targets": targets})
        return Looked(
            entry=entry,
            kind=config.kind,
            version=self.version(entry),
            service=service,
            title=_title(entry, config, service, arguments),
            arguments=dict(arguments),
            steps=action.steps(ctx),
            dry_run=dry_run,
            tier=policy.tier_with(max(floor, dry_run.floor), config, len(targets)),
            inverse=config.inverse or action.undone_by(),
        )

    def _built(self, entry: str, service: str, arguments: Mapping[str, Any]) -> tuple[ActionConfig, Action]:
        config = self.config.actions.get(entry)
        kind = self.actions.get(config.kind) if config else None
        if config is None or kind is None:
            known = ", ".join(sorted(self.config.actions)) or "none yet"
            raise NotFound(f"The catalogue has no action {one_line(entry, 60)!r}. It has: {known}.")
        if self.config.services and service not in self.config.services:
            raise NotFound(f"The catalogue has no service {one_line(service, 60)!r}.")
        if config.services and service not in config.services:
            raise ActionFailed(f"{entry} is for {', '.join(config.services)} only.")
        try:
            return config, kind.model_validate({**arguments, "service": service})
        except ValidationError as error:
            first = error.errors()[0]
            # What is wrong with the arguments together names its argument itself.
            place = "".join(f"{part}: " for part in first["loc"])
            raise ActionFailed(f"{place}{first['msg'].removeprefix('Value error, ')}") from error

    def _context(
        self, entry: str, config: ActionConfig, *, ref: str, incident: str = "", key: str = "", remote: str = ""
    ) -> ActionContext:
        return ActionContext(
            now=self.store.db.clock(),
            proposal=ref or "AP-n",
            entry=entry,
            config=config,
            catalogue=self.catalogue,
            metrics=self.metrics,
            http=self.http,
            alertmanager_url=self.config.alertmanager.url,
            idempotency_key=key,
            remote_id=remote,
            incident=incident,
        )

    def kind_of(self, entry: str) -> type[Action] | None:
        """The action class behind a catalogue entry; None if there is none."""
        config = self.config.actions.get(entry)
        return self.actions.get(config.kind) if config else None

    def version(self, entry: str) -> str:
        """Code and configuration of one entry in one word: a changed address or body is another action."""
        config = self.config.actions[entry]
        kind = self.actions.get(config.kind)
        body = json.dumps(config.model_dump(mode="json"), sort_keys=True)
        return f"{config.kind}@{kind.version if kind else '-'}+{hashlib.sha256(body.encode()).hexdigest()[:8]}"

    def versions(self) -> dict[str, str]:
        """The version of every entry, as they are now."""
        return {entry: self.version(entry) for entry in self.config.actions}

    async def refresh(self, proposal: Proposal) -> Looked:
        """Look again at what a proposal would do."""
        return await self.look(
            proposal.action, proposal.service, proposal.arguments, ref=proposal.ref, incident=proposal.incident
        )

    async def moved(self, ref: str) -> str:
        """Why the world is not the one that was approved; "" if it is. "Could not look" counts as moved."""
        proposal = await self.store.load(ref)
        try:
            fresh = await self.refresh(proposal)
        except (ActionFailed, NotFound) as error:
            return str(error)
        was = {"dry_run_ok": proposal.dry_run_ok, "targets": proposal.targets, "tier": int(proposal.tier)}
        if same_world(was, proposal.dry_run, fresh.dry_run, fresh.tier):
            return ""
        return "the target is not as it was when this was approved"

    # ------------------------------------------------------------ the one call

    async def execute(self, ref: str, workflow: str) -> str:
        """Run it, at most once over all crashes and replicas; the proposal's state afterwards."""
        started = await self.claims.attempt_start(ref, workflow, versions=self.versions())
        if started.verdict == "refused":
            return (await self.store.load(ref)).state.value
        record = started.record
        config, action = self._built(record["action"], record["service"], record["arguments"])
        ctx = self._context(record["action"], config, ref=ref, incident=record["incident"], key=started.key)
        if started.verdict == "seen":
            return await self.claims.attempt_finish(ref, await self._probed(action, ctx))
        if self.permit:
            # Paused since the attempt was written, another process may have said `unknown` by now.
            await self.permit()
        return await self.claims.attempt_finish(ref, await action.run(ctx))

    async def _probed(self, action: Action, ctx: ActionContext) -> Outcome:
        """A call may have gone out before the process ended: ask read-only, never call again."""
        found = await action.probe(ctx)
        return found or Outcome(state="unknown", text="The process ended between the call and its answer.")

    # ------------------------------------------------------------ watching

    async def watch(self, ref: str) -> dict[str, Any]:
        """One look at whether it helped, as JSON of `Verification`."""
        proposal = await self.store.load(ref)
        attempt = await self.claims.attempt(ref) or {}
        try:
            config, action = self._built(proposal.action, proposal.service, proposal.arguments)
        except (ActionFailed, NotFound) as error:
            return Verification(state="could not verify", text=str(error)).model_dump(mode="json")
        remote = attempt.get("remote_id", "")
        ctx = self._context(proposal.action, config, ref=ref, incident=proposal.incident, remote=remote)
        return (await action.verify(ctx)).model_dump(mode="json")

    def within(self, entry: str) -> float:
        """Seconds to watch: the entry's `verify.within`; one look where nothing is configured."""
        config = self.config.actions.get(entry)
        return config.verify.within.total_seconds() if config and config.verify else 0.0

    def way_back(self, proposal: Proposal, remote_id: str) -> tuple[str, dict[str, Any]] | None:
        """The entry and arguments that undo it; None if there is no way back."""
        config, action = self._built(proposal.action, proposal.service, proposal.arguments)
        if config.inverse:
            return config.inverse, dict(proposal.arguments)
        undo = action.way_back(remote_id)
        return (proposal.action, undo.model_dump(exclude={"service"}, exclude_defaults=True)) if undo is not None else None


def _title(entry: str, config: ActionConfig, service: str, arguments: Mapping[str, Any]) -> str:
    title = config.title or f"{entry.replace('_', ' ').replace('-', ' ').capitalize()} {{service}}"
    for name, value in {**arguments, "service": service}.items():
        if isinstance(value, str):
            title = title.replace(f"{{{name}}}", one_line(value, 60))
    return one_line(title, 140)
