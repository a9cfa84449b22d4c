"""The executor: the only place that builds actions with writers and makes the one remote call."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from pydantic import ValidationError

from bot.core.action import (
    DryRun,
    Outcome,
    OutcomeState,
    Plan,
    Proposal,
    ProposalState,
    Terms,
    Tier,
    Verification,
    VerificationState,
)
from bot.core.approvals import in_force, plans, policy
from bot.core.approvals.authority import Authority
from bot.core.approvals.plans import PlanName
from bot.core.approvals.standing import STANDING_APPROVAL
from bot.core.config import Config, verbs
from bot.core.config.actions import ActionConfig
from bot.core.errors import ActionFailed, NotFound
from bot.core.redaction.screening import redact_one
from bot.core.service import Catalogue
from bot.core.text.durations import elapsed_text
from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext, Http, SilenceBook, WritableSystem
from bot.ports import Metrics
from bot.store.alerts.silences import Silences
from bot.store.approvals.proposals import ProposalStore
from bot.store.approvals.runs.claims import CallPermission, Claims
from bot.workflows.remediation.version_corroboration import VersionCorroboration

HELD_UP = timedelta(seconds=10)
"""After the last check, from which on an action is not called: it may have been stopped meanwhile."""
SILENCE = "tocsin_silence"
BUILT_IN: Mapping[str, ActionConfig] = {
    SILENCE: ActionConfig(kind=SILENCE, title="Silence {alerts} for {duration}"),
    STANDING_APPROVAL: ActionConfig(
        kind=STANDING_APPROVAL, title="Let {action} run on {service} without asking when {alert} fires"
    ),
}
"""Entries that every catalogue has; a team's own of the same name counts instead."""


class ActionExecutor:
    """Plans an action with a dry run, calls it once, probes a call whose answer was lost, and verifies."""

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
        systems: Mapping[str, WritableSystem] | None = None,
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
        self.systems = systems or {}
        self.permit = permit
        self.silences: SilenceBook = Silences(store.db)
        self.version_corroboration = VersionCorroboration(store.db, metrics, catalogue)
        self._called: dict[str, Outcome | None] = {}
        """The calls of this process by idempotency key, with what came of them: neither a change in the database nor one that
        is away when the outcome is stored makes it forget."""

    @property
    def catalogued(self) -> Mapping[str, ActionConfig]:
        """The entries of the catalogue as they are now, the built-in ones too."""
        return {**BUILT_IN, **self.config.actions}

    # ------------------------------------------------------------ planning

    async def plan(
        self,
        entry: str,
        service: str,
        arguments: Mapping[str, object],
        *,
        ref: str = "",
        incident: str = "",
        by_hand: bool = False,
    ) -> Plan:
        """Check the arguments and make the dry run. Raises NotFound (no such entry) or ActionFailed (they do not fit).

        `by_hand`: a person did it already, so a dry run that is refused now ("it is off already") is no objection.
        """
        config, kind = self._entry(entry, service)
        ctx = self._context(entry, config, ref=ref, incident=incident)
        arguments = await kind.complete(ctx, service, arguments)
        _require_readable(arguments)
        action = _with_arguments(kind, service, arguments)
        least_tier = max(action.tier_for(config), _least_tier_by_words(entry, config, arguments))
        dry_run = DryRun(ok=False, text="")
        if least_tier is not Tier.X:
            dry_run = await (_dry_run_after(action, ctx) if by_hand else action.dry_run(ctx))
        targets = dry_run.targets or dict.fromkeys(action.targets(ctx), "")
        tier = policy.tier_with(max(least_tier, dry_run.least_tier), config, len(targets))
        checked = policy.undo_of_change(config) and not kind.reads_versions
        only_sender = await self.version_corroboration.only_sender(entry, service, arguments, ctx.now) if checked else ""
        return Plan(
            action=entry,
            action_version=self.version(entry),
            kind=config.kind,
            service=service,
            title=_title(entry, config, service, arguments) + (f" ({only_sender})" if only_sender else ""),
            arguments=dict(arguments),
            targets=targets,
            steps=action.steps(ctx),
            dry_run=dry_run.text + (f"\n{only_sender}: one tier higher" if only_sender else ""),
            dry_run_ok=dry_run.ok,
            replicas=dry_run.replicas,
            tier=in_force.tier(self.config, entry, policy.one_higher(tier) if only_sender else tier),
            undo=self._undo_text(config, action, service, arguments),
        )

    def _undo_text(self, config: ActionConfig, action: Action, service: str, arguments: Mapping[str, object]) -> str:
        """What undoes it, in words: the title of the entry that does, else what the action says itself."""
        if config.undo:
            return _title(config.undo, self.catalogued[config.undo], service, arguments)
        return action.undo_text()

    def _built(self, entry: str, service: str, arguments: Mapping[str, object]) -> tuple[ActionConfig, Action]:
        config, kind = self._entry(entry, service)
        return config, _with_arguments(kind, service, arguments)

    def _entry(self, entry: str, service: str) -> tuple[ActionConfig, type[Action]]:
        config = self.catalogued.get(entry)
        kind = self.actions.get(config.kind) if config else None
        if config is None or kind is None:
            entries = ", ".join(sorted({*self.config.actions, *self.config.plans})) or "none yet"
            raise NotFound(f"The catalogue has no action {one_line(entry, 60)!r}. It has: {entries}.")
        anywhere = kind.spans_services and not service
        if self.config.services and service not in self.config.services and not anywhere:
            raise NotFound(f"The catalogue has no service {one_line(service, 60)!r}.")
        if config.services and service not in config.services:
            raise ActionFailed(f"{entry} is for {', '.join(config.services)} only.")
        return config, kind

    def _context(
        self,
        entry: str,
        config: ActionConfig,
        *,
        ref: str,
        incident: str = "",
        key: str = "",
        remote: str = "",
        terms: Terms | None = None,
        step: int = 1,
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
            requester=terms.requester if terms else "",
            silences=self.silences,
            systems=self.systems,
            approved=_approved(terms, step) if terms else {},
        )

    def kind_of(self, entry: str) -> type[Action] | None:
        """The action class behind a catalogue entry; None if there is none."""
        config = self.catalogued.get(entry)
        return self.actions.get(config.kind) if config else None

    def composed(self, called: PlanName, parts: Sequence[Plan]) -> Plan:
        """These actions as one plan, with the tier of now."""
        return plans.composed(called, parts, plans.tier_of(called.name, (part.tier for part in parts), self.config))

    def version(self, entry: str) -> str:
        """Code and configuration of one entry in one word: a changed address or body is another action."""
        config = self.catalogued[entry]
        kind = self.actions.get(config.kind)
        body = json.dumps(config.model_dump(mode="json", by_alias=True), sort_keys=True)
        return f"{config.kind}@{kind.version if kind else '-'}+{hashlib.sha256(body.encode()).hexdigest()[:8]}"

    def versions(self) -> dict[str, str]:
        """The version of every entry and of every declared plan, as they are now."""
        declared = {name: plans.version(plan) for name, plan in self.config.plans.items()}
        return {**declared, **{entry: self.version(entry) for entry in self.catalogued}}

    async def refresh(self, proposal: Proposal) -> Plan:
        """The plan of a proposal with a fresh dry run, of each step where it has several."""
        parts = [await self._planned_again(run, proposal) for run in proposal.runs]
        return self.composed(plans.name_of(proposal), parts) if proposal.parts else parts[0]

    async def _planned_again(self, run: Plan, proposal: Proposal) -> Plan:
        return await self.plan(run.action, run.service, run.arguments, ref=proposal.ref, incident=proposal.incident)

    async def changed_since_approval(self, proposal: Proposal, step: int = 1) -> str:
        """Why it would not do what was approved; "" if it would. A dry run that fails counts as a change.

        Before the first step the whole is compared, later the step alone.
        """
        try:
            if step > 1:
                return plans.difference(proposal, step, await self._planned_again(proposal.runs[step - 1], proposal))
            fresh = await self.refresh(proposal)
        except (ActionFailed, NotFound) as error:
            return str(error)
        return plans.difference_of_whole(proposal, fresh)

    # ------------------------------------------------------------ the one call

    async def execute(self, ref: str, workflow: str, authority: Authority, *, step: int = 1) -> ProposalState:
        """Run one step, at most once over all crashes and replicas; the proposal's state afterwards."""
        start = await self.claims.attempt_start(ref, workflow, authority, step=step)
        if (terms := start.terms) is None:
            return (await self.store.load(ref)).state
        run = terms.runs[step - 1]
        config, action = self._built(run.action, run.service, run.arguments)
        ctx = self._context(run.action, config, ref=ref, incident=terms.incident, key=start.key, terms=terms, step=step)
        if start.permission is CallPermission.REPEATED:
            outcome = self._called.get(start.key) or await self._probed(action, ctx)
        else:
            outcome = await self._call(action, ctx, start.key)
        return await self.claims.attempt_finish(ref, outcome, step)

    async def _call(self, action: Action, ctx: ActionContext, key: str) -> Outcome:
        """The call, unless it was made already, or what allowed it is no longer as of this moment."""
        checked_at = self.store.db.clock()
        if self.permit:
            # If this process was paused since the attempt was written, another one may have stored `unknown` by now.
            await self.permit()
        if key in self._called:
            return Outcome(state=OutcomeState.UNKNOWN, text=_CALLED_BEFORE)
        if (held_up := self.store.db.clock() - checked_at) > HELD_UP:
            text = f"This process was held up for {elapsed_text(held_up)} after its last check. Nothing was sent."
            return Outcome(state=OutcomeState.FAILED, text=text)
        self._called[key] = None
        outcome = self._called[key] = await action.run(ctx)
        return outcome

    async def _probed(self, action: Action, ctx: ActionContext) -> Outcome:
        """A call may have gone out before the process ended: ask read-only, never call again."""
        outcome = await action.probe(ctx)
        return outcome or Outcome(state=OutcomeState.UNKNOWN, text="The process ended between the call and its answer.")

    # ------------------------------------------------------------ verifying and undoing

    async def verify(self, ref: str, step: int = 1) -> Verification:
        """One reading of whether a step helped."""
        proposal = await self.store.load(ref)
        run = proposal.runs[step - 1]
        try:
            config, action = self._built(run.action, run.service, run.arguments)
        except (ActionFailed, NotFound) as error:
            return Verification(state=VerificationState.COULD_NOT_VERIFY, text=str(error))
        remote = await self.claims.remote_id(ref, step)
        ctx = self._context(run.action, config, ref=ref, incident=proposal.incident, remote=remote)
        return await action.verify(replace(ctx, begun_at=await self.claims.begun_at(ref, step)))

    def watch_seconds(self, entry: str) -> float:
        """How long to watch the signal: the entry's `verify.within`; one reading where nothing is configured."""
        config = self.config.actions.get(entry)
        return config.verify.within.total_seconds() if config and config.verify else 0.0

    async def undo_of(self, proposal: Proposal, step: int = 1) -> tuple[str, dict[str, object]] | None:
        """The entry and arguments that undo a step; None if nothing does."""
        run = proposal.runs[step - 1]
        config, action = self._built(run.action, run.service, run.arguments)
        if config.undo:
            return config.undo, dict(run.arguments)
        undo = action.undo(await self.claims.remote_id(proposal.ref, step))
        if undo is None:
            return None
        # By alias, as the arguments are read again: the argument `version` is a field `version_`.
        return run.action, undo.model_dump(exclude={"service"}, exclude_defaults=True, by_alias=True)


def _approved(terms: Terms, step: int) -> dict[str, str]:
    """Versions of a step's targets as people approved them, without those of targets that the steps before it changed."""
    touched = plans.touched_before(terms, step)
    return {target: version for target, version in terms.runs[step - 1].targets.items() if target not in touched}


_CALLED_BEFORE = "It was called once already, and the database no longer says so: somebody changed it."


def _with_arguments(kind: type[Action], service: str, arguments: Mapping[str, object]) -> Action:
    """The action with these arguments. Raises ActionFailed where they do not fit."""
    try:
        return kind.model_validate({**arguments, "service": service})
    except ValidationError as error:
        first = error.errors()[0]
        # A validator over several fields raises with the field's name in its text, so it has no place of its own.
        position = "".join(f"{part}: " for part in first["loc"])
        raise ActionFailed(f"{position}{first['msg'].removeprefix('Value error, ')}") from error


def _require_readable(arguments: Mapping[str, object]) -> None:
    """Raises ActionFailed for what would be masked as it is shown: nobody approves what they cannot read."""
    shown = json.dumps(arguments, sort_keys=True, ensure_ascii=False, default=str)
    if redact_one(shown) != shown:
        raise ActionFailed(
            "An argument looks like a secret. It would be hidden from those who approve, so it belongs where the job runs. "
            "Nothing was proposed."
        )


async def _dry_run_after(action: Action, ctx: ActionContext) -> DryRun:
    """The dry run of what was done already, as far as it can be made then."""
    try:
        return await action.dry_run(ctx)
    except ActionFailed as error:
        return DryRun(ok=False, text=f"after it was run by hand: {error}")


def _least_tier_by_words(entry: str, config: ActionConfig, arguments: Mapping[str, object]) -> Tier:
    """What the words say, whatever the configuration and the plugin do; X for what leaves nothing running."""
    counts = {"body": config.body, "query": verbs.query_values(config.url), "arguments": arguments}
    if verbs.scales_to_nothing(counts) or verbs.names_scaling_to_nothing(entry, config.url):
        return Tier.X
    return verbs.least_tier_of(config.kind, *verbs.telling_names(entry, config.url, config.body, config.options))


def _title(entry: str, config: ActionConfig, service: str, arguments: Mapping[str, object]) -> str:
    title = config.title or f"{entry.replace('_', ' ').replace('-', ' ').capitalize()} {{service}}"
    for name, value in {**arguments, "service": service}.items():
        if isinstance(value, str):
            title = title.replace(f"{{{name}}}", one_line(value, 60))
    return one_line(title, 140)
