"""What verbs and the triage use: propose, prepare, decide, record by hand. Decisions are rows; a signal only wakes a story."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from bot.core.action import Proposal, ProposalState, Verdict
from bot.core.actor import Actor
from bot.core.approvals import policy
from bot.core.approvals.remedies import Fitted, Remedy, fitting, why_none
from bot.core.config import Config
from bot.core.errors import ActionFailed, NotAllowed, NotFound
from bot.core.evidence import Findings
from bot.core.text.untrusted import one_line
from bot.ports import Engine
from bot.store.approvals.claims import Claimed, Claims
from bot.store.approvals.decisions import Decided, DecisionResult, Decisions
from bot.store.approvals.store import Draft, ProposalStore
from bot.workflows.remediation.executor import ActionExecutor, Looked
from bot.workflows.rotas import Rotas

log = structlog.get_logger(__name__)
STORY = "remediation"

Accounts = Callable[[str, str], Awaitable[Actor]]
"""(team, user) -> the account as Slack knows it now; raises LookFailed."""


def _told(decided: Decided, ref: str, actor: Actor) -> str:
    """The private answer; what did not count is one line in the log too."""
    if not decided.counted:
        log.info("an answer did not count", ref=ref, who=actor.user, rule=decided.rule, why=decided.text)
    return decided.text


def story_id(ref: str) -> str:
    """The workflow id of a proposal's story."""
    return f"{STORY}:{ref}"


class Approvals:
    """The one way to put an action to people and to answer."""

    def __init__(
        self, store: ProposalStore, decisions: Decisions, claims: Claims, hands: ActionExecutor, rotas: Rotas, engine: Engine
    ) -> None:
        self.store = store
        self.decisions = decisions
        self.claims = claims
        self.hands = hands
        self.rotas = rotas
        self.engine = engine

    @property
    def config(self) -> Config:
        return self.store.config

    # ------------------------------------------------------------ proposing

    async def propose(
        self,
        action_entry: str,
        service: str,
        arguments: Mapping[str, Any],
        *,
        group_ref: str,
        requester: str,
        because: str,
        key: str,
        actor: Actor | None = None,
    ) -> Proposal:
        """Put an action with exact arguments to people; the same `key` again is the same proposal.

        Raises NotFound (no such action, service or group), ActionFailed (the
        arguments do not fit) or NotAllowed (a rule refuses, with who may).
        """
        looked = await self._look(action_entry, service, arguments, group_ref)
        draft = _draft(looked, group_ref=group_ref, requester=requester, because=because, key=key)
        presser = actor or (Actor(person=requester) if requester else None)
        opened = await self.store.open_proposal(draft, presser, await self.rotas.roster(service))
        if not opened.ruling.allow:
            who = f" Who may: {opened.ruling.who_may}." if opened.ruling.who_may else ""
            raise NotAllowed(opened.ruling.text + who, audited=True)
        await self.engine.start(STORY, story_id(opened.ref), opened.ref)
        return await self.store.load(opened.ref)

    async def _look(self, entry: str, service: str, arguments: Mapping[str, Any], group: str) -> Looked:
        incident = group if group.startswith("INC") else ""
        return await self.hands.look(entry, service, await self._completed(entry, service, arguments), incident=incident)

    async def _completed(self, entry: str, service: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Versions come from the recorded change, never from a model or an alert; without an id the newest fitting change."""
        config = self.config.actions.get(entry)
        if config is None or config.kind != "run_webhook" or not policy.undoes_change(config):
            return dict(arguments)
        id = str(arguments.get("change_id", ""))
        change = await self.store.change(id) if id else await self.store.newest_change(service, config.change_kinds)
        if id and change is None:
            raise ActionFailed(f"No change {one_line(id, 80)!r} was reported.")
        if change is None:
            return dict(arguments)
        if change.service != service:
            raise ActionFailed(f"{one_line(change.id, 80)} is a change of {one_line(change.service, 60)}, not of {service}.")
        known = {"change_id": change.id, "version": change.version, "previous_version": change.previous_version}
        return {**arguments, **{name: value for name, value in known.items() if value}}

    async def propose_fitting(self, group: str, findings: Findings, requester: str) -> Fitted:
        """Put the first remediation that fits the first cause to people, or say why there is none."""
        around = await self.store.service_of(group), self.config.actions, await self._named_changes(findings)
        refused: list[str] = []
        for remedy in fitting(findings, *around):
            try:
                return Fitted((await self._try(remedy, group, requester)).ref)
            except (NotAllowed, NotFound, ActionFailed) as error:
                log.info("a fitting action was not proposed", entry=remedy.entry, group=group, why=str(error))
                refused.append(f"{remedy.entry} fits and was not proposed: {error}")
        return Fitted(why=refused[0] if refused else why_none(findings, *around))

    async def _named_changes(self, findings: Findings) -> dict[str, Any]:
        named = [h.change_id for h in findings.hypotheses[:1] if h.change_id]
        found = [await self.store.change(id) for id in named]
        return {change.id: change for change in found if change is not None}

    async def _try(self, remedy: Remedy, group: str, requester: str) -> Proposal:
        key = f"fit:{group}:{remedy.entry}:{remedy.service}:{remedy.arguments.get('change_id', '')}"
        return await self.propose(
            remedy.entry,
            remedy.service,
            remedy.arguments,
            group_ref=group,
            requester=requester,
            because=remedy.because,
            key=await self.store.unused(key),
        )

    # ------------------------------------------------------------ deciding

    async def check(self, ref: str, revision: int, actor: Actor, verdict: Verdict) -> Decided | None:
        """A refusal that needs no look at the world, written down; None if there is none."""
        answer = DecisionResult(ref, revision, actor, actor.team, verdict, reason="-")
        return await self.decisions.check(answer, await self._roster_of(ref))

    async def prepare(self, ref: str, actor: Actor) -> Proposal:
        """What *Approve...* shows: a fresh dry run, bound to the revision returned. Raises NotAllowed with rule and who may."""
        current = await self.store.load(ref)
        if (refused := await self.check(ref, current.revision, actor, "approve")) is not None:
            await self._wake(ref, refused, "check")
            raise NotAllowed(refused.text, audited=True)
        return await self._refreshed(current)

    async def _refreshed(self, proposal: Proposal) -> Proposal:
        try:
            fresh = await self.hands.refresh(proposal)
        except (ActionFailed, NotFound) as error:
            raise NotAllowed(f"The dry run failed: {error}") from error
        return await self.store.revise(proposal.ref, fresh.dry_run, fresh.tier)

    async def decide(
        self, ref: str, revision: int, actor: Actor, verdict: Verdict, reason: str, key: str, card: str = "", channel: str = ""
    ) -> str:
        """Count one person's answer; the private text for whoever pressed. Never raises for a refusal."""
        answer = DecisionResult(ref, revision, actor, actor.team, verdict, reason.strip()[:500], key, card, channel)
        roster = await self._roster_of(ref)
        proposal = await self.store.load(ref)
        if verdict == "approve" and not _needs_form(proposal) and not proposal.state.final:
            # Tier 1 has no form in between, so the look that the press binds is made here.
            if (refused := await self.decisions.check(answer, roster)) is not None:
                await self._wake(ref, refused, key)
                return _told(refused, ref, actor)
            try:
                await self._refreshed(proposal)
            except NotAllowed as error:
                return _told(await self.decisions.refuse(answer, "dry run", str(error)), ref, actor)
        decided = await self.decisions.decide(answer, roster)
        await self._wake(ref, decided, key or f"{actor.user}:{revision}:{verdict}")
        return _told(decided, ref, actor)

    async def refuse(self, ref: str, revision: int, actor: Actor, rule: str, text: str) -> str:
        """Write down that something which looks like an approval is none."""
        answer = DecisionResult(ref, revision, actor, actor.team, "approve")
        return _told(await self.decisions.refuse(answer, rule, text), ref, actor)

    async def _wake(self, ref: str, decided: Decided, key: str) -> None:
        """A doubled or late press wakes too: the first signal may have been lost."""
        if decided.wake:
            await self.engine.wake(story_id(ref), "decision", key=f"{ref}:{key}")

    async def _roster_of(self, ref: str) -> Any:
        return await self.rotas.roster((await self.store.load(ref)).service)

    async def claim(self, ref: str, workflow: str, without: frozenset[str] = frozenset()) -> Claimed:
        """Take the right to run, with roster and catalogue as of now."""
        roster = await self._roster_of(ref)
        return await self.claims.claim(ref, workflow, roster, versions=self.hands.versions(), without=without)

    # ------------------------------------------------------------ by hand

    async def record_manual(
        self, what: str, actor: Actor, *, service: str = "", group_ref: str = "", key: str = ""
    ) -> Proposal:
        """A person did it by hand: `what` is `AP-3` or a catalogue entry. Verification and timeline start the same way."""
        standing = (await self.rotas.roster(service)).standing(actor.person, service, self.store.db.clock())
        if not standing.rostered or actor.is_bot or actor.is_guest or actor.is_stranger or actor.is_deleted:
            raise NotAllowed("Only people of a rota, owners and deputies may record an action.")
        if what.upper().startswith("AP-"):
            looked, group_ref = await self._by_hand(what.upper(), actor)
        else:
            looked = await self._look(what, service, {}, group_ref)
        draft = _draft(
            looked,
            group_ref=group_ref,
            requester=actor.person,
            because=f"Run by hand by {actor.person}",
            key=key or f"did:{what}:{actor.user}",
        )
        ref = await self.store.open_manual(draft, actor.person)
        await self.engine.start(STORY, story_id(ref), ref)
        return await self.store.load(ref)

    async def _by_hand(self, ref: str, actor: Actor) -> tuple[Looked, str]:
        if not await self.claims.sound(ref):
            raise NotAllowed(f"{ref} was changed in the database after it was put to people.")
        proposal = await self.store.load(ref)
        running = (ProposalState.CLAIMED, ProposalState.EXECUTING, ProposalState.VERIFYING, ProposalState.SUCCEEDED)
        if proposal.state in running:
            raise NotAllowed(f"{ref} is {proposal.state.value}: the bot runs or ran it.")
        # First: what cannot be looked at must not end the proposal with nothing in its place.
        looked = await self.hands.refresh(proposal)
        if not proposal.state.final:
            state = await self.store.leave(
                ref, ProposalState.SUPERSEDED, who=actor.person, reason=f"run by hand by {actor.person}"
            )
            if state != ProposalState.SUPERSEDED:
                raise NotAllowed(f"{ref} is {state}: the bot runs or ran it.")
            await self.engine.wake(story_id(ref), "decision", key=f"{ref}:by-hand")
        return looked, proposal.incident or proposal.group

    # ------------------------------------------------------------ after a restart

    async def resume(self) -> None:
        """After launch: start (or attach to) the story of every open proposal and wake those with answers.

        A process may have died between the row and the start, or between the answer and its signal.
        """
        for ref in await self.store.open_refs():
            await self.engine.start(STORY, story_id(ref), ref)
        for ref in await self.store.pending_with_decisions():
            await self.engine.wake(story_id(ref), "decision", key=f"{ref}:resume:{self.store.db.clock().isoformat()}")

    async def wake_all(self, refs: Sequence[str], why: str) -> None:
        """Have the stories of these proposals look at their rows."""
        for ref in refs:
            await self.engine.wake(story_id(ref), "decision", key=f"{ref}:{why}:{self.store.db.clock().isoformat()}")


def _needs_form(proposal: Proposal) -> bool:
    return proposal.tier >= 2


def _draft(looked: Looked, *, group_ref: str, requester: str, because: str, key: str) -> Draft:
    return Draft(
        key=key,
        group=group_ref,
        action=looked.entry,
        action_version=looked.version,
        kind=looked.kind,
        service=looked.service,
        title=looked.title,
        arguments=looked.arguments,
        steps=looked.steps,
        dry_run=looked.dry_run,
        tier=looked.tier,
        because=one_line(because, 500),
        requester=requester,
        inverse=looked.inverse,
    )
