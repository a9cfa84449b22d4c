"""Situations that somebody thought out, and what the policy answers in each: what the team expects of its own rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from bot.core.action import DecisionChoice, ProposalState, Tier
from bot.core.actor import Actor
from bot.core.alert import Severity
from bot.core.approvals import policy
from bot.core.approvals.break_glass import may_break_glass
from bot.core.approvals.policy_types import ActionRequest, CountedDecision, DecisionContext, Rule, RuleResult
from bot.core.approvals.roster import Eligibility, GroupCopy, IncidentRoles, Roster
from bot.core.config import Config
from bot.core.config.fields import ConfigSection, Duration, Moment
from bot.core.config.plans import PlanConfig


class Ask(StrEnum):
    """What somebody wants, or, for `run`, what the decisions so far carry."""

    PROPOSE = "propose"
    APPROVE = "approve"
    DENY = "deny"
    BREAK_GLASS = "break-glass"
    RUN = "run"


class Account(StrEnum):
    """What kind of Slack account asks."""

    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    STRANGER = "stranger"
    DEACTIVATED = "deactivated"


class Expected(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


class Situation(ConfigSection):
    """One situation, with the answer that is expected."""

    that: str
    """What it shows, in words."""
    ask: Ask = Ask.APPROVE
    who: str = ""
    """A person of tocsin.yaml; empty for `run`, and for what Tocsin proposes by itself."""
    account: Account = Account.MEMBER
    action: str
    service: str
    at: Moment | None = None
    """Which rota and freeze count; empty: now."""
    severity: Severity = Severity.NONE
    """Of the open incident, with alerts behind it."""
    lead: str = ""
    requester: str = ""
    approved_by: tuple[str, ...] = ()
    waited: Duration | None = None
    """How long ago the others were notified; empty: just now."""
    reason: str = ""
    dry_run_works: bool = True
    incident_open: bool = True
    paused: bool = False
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Members of Slack's user groups, by person."""
    expect: Expected
    rule: Rule | None = None
    """The rule that is to give the answer; empty: any."""


@dataclass(frozen=True)
class PolicyAnswer:
    """What the policy answered, beside what was expected."""

    allow: bool
    rule: Rule
    text: str

    def fits(self, situation: Situation) -> bool:
        """Whether the answer, and where one is named its rule, is the expected one."""
        return self.allow == (situation.expect is Expected.ALLOW) and situation.rule in (None, self.rule)


def answer(config: Config, situation: Situation, tiers: Mapping[str, Tier], now: datetime) -> PolicyAnswer:
    """What the policy of `config` says. `tiers`: of each entry of the catalogue. Raises ValueError for an unknown name."""
    _require_declared(config, situation)
    question = _Question(config, situation, tiers[situation.action], situation.at or now)
    if situation.ask is Ask.RUN:
        return question.may_run()
    if situation.ask is Ask.BREAK_GLASS:
        result = question.may_break_glass()
    else:
        result = question.may_propose() if situation.ask is Ask.PROPOSE else question.may_decide()
    return PolicyAnswer(allow=result.allow, rule=result.rule, text=result.explanation)


def _require_declared(config: Config, situation: Situation) -> None:
    names = {"who": situation.who, "lead": situation.lead, "requester": situation.requester}
    people = {**names, **{f"approved_by[{n}]": name for n, name in enumerate(situation.approved_by)}}
    people |= {f"groups.{group}[{n}]": name for group, members in situation.groups.items() for n, name in enumerate(members)}
    for key, name in people.items():
        if name and name not in config.people:
            raise ValueError(f"{key}: {name!r} is not among people")
    if situation.action not in config.actions and situation.action not in config.plans:
        raise ValueError(f"action: {situation.action!r} is not among actions")
    if situation.service not in config.services:
        raise ValueError(f"service: {situation.service!r} is not among services")


class _Question:
    """One situation as the rules read it."""

    def __init__(self, config: Config, situation: Situation, tier: Tier, now: datetime) -> None:
        self.situation = situation
        self.now = now
        self.roster = Roster(config, {name: _copy(config, members) for name, members in situation.groups.items()})
        self.roles = IncidentRoles(lead=situation.lead)
        waited = situation.waited or timedelta(0)
        steps = config.steps_of(situation.action)
        self.request = ActionRequest(
            action=situation.action,
            service=situation.service,
            tier=tier,
            targets=(situation.service,),
            requester=situation.requester,
            undo_of_change=all(policy.undo_of_change(config.actions[step]) for step in steps),
            dry_run_ok=situation.dry_run_works,
            notified_at=now - waited,
            kind=config.actions[steps[0]].kind if len(steps) == 1 else PlanConfig.kind,
            autonomy=min((config.autonomy_of(situation.service, step) for step in steps), key=lambda rung: rung.rank),
        )
        self.context = DecisionContext(
            now=now,
            paused="a situation" if situation.paused else "",
            severity=situation.severity,
            backed_severity=situation.severity,
            incident_open=situation.incident_open,
            freezes=config.freezes,
            solo=config.solo,
            limits=config.limits,
        )

    def may_propose(self) -> RuleResult:
        person = self.situation.who
        actor = self._actor(person) if person else None
        return policy.may_propose(actor, self._eligibility(person) if person else None, self.request, self.context)

    def may_decide(self) -> RuleResult:
        person = self.situation.who
        verdict = DecisionChoice.DENY if self.situation.ask is Ask.DENY else DecisionChoice.APPROVE
        others, reason = self._approvals(), self.situation.reason
        about = self.request, self.context
        return policy.may_decide(self._actor(person), self._eligibility(person), *about, verdict, reason=reason, others=others)

    def may_break_glass(self) -> RuleResult:
        person, reason = self.situation.who, self.situation.reason
        named = self.roster.config.break_glass
        about = self.request, self.context
        return may_break_glass(self._actor(person), self._eligibility(person), *about, named=named, reason=reason)

    def may_run(self) -> PolicyAnswer:
        """Whether the approvals so far carry it, and nothing else keeps it from starting."""
        carried = policy.quorum(self.request, self._approvals(), self.context)
        if carried.state is not ProposalState.APPROVED:
            return PolicyAnswer(allow=False, rule=Rule.NOT_AN_APPROVER, text=carried.text)
        start = policy.may_start(self.request, self.context)
        text = start.explanation or carried.text
        return PolicyAnswer(allow=start.allow, rule=Rule.SOLO if start.allow and carried.solo else start.rule, text=text)

    def _eligibility(self, person: str) -> Eligibility:
        return self.roster.eligibility(person, self.situation.service, self.now, roles=self.roles)

    def _actor(self, person: str) -> Actor:
        account = self.situation.account
        return Actor(
            person=person,
            is_bot=account is Account.BOT,
            is_guest=account is Account.GUEST,
            is_deleted=account is Account.DEACTIVATED,
            is_stranger=account is Account.STRANGER,
        )

    def _approvals(self) -> list[CountedDecision]:
        by = self.situation.approved_by
        return [
            CountedDecision(self._eligibility(person), DecisionChoice.APPROVE, self.now, self.situation.reason) for person in by
        ]


def _copy(config: Config, members: tuple[str, ...]) -> GroupCopy:
    users = frozenset(config.people[name].slack for name in members if name in config.people)
    return GroupCopy(users, timedelta(0))
