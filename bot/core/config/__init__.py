"""The shape of tocsin.yaml. Every key has a default: an empty file is a valid configuration.

Texts here are trusted (a reviewed file). `bot/settings.py` loads it and turns errors into lines.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PrivateAttr

from bot.core.action import Autonomy
from bot.core.alert import Severity
from bot.core.config.actions import ActionConfig
from bot.core.config.alerts import GROUPS_A_MINUTE, Inhibition, Maintenance, SourceConfig, Threshold
from bot.core.config.audit import AuditConfig
from bot.core.config.autonomy import ServiceAutonomy
from bot.core.config.budget import Budget
from bot.core.config.fields import Address, Duration, SeverityLevel, SlackId
from bot.core.config.plans import PlanConfig
from bot.core.config.policy_file import PolicyKeys
from bot.core.config.policy_snapshot import PolicySnapshot
from bot.core.config.retention import Retention
from bot.core.config.services import OnCall, Person, ServiceConfig
from bot.core.config.systems import (
    AlertmanagerConfig,
    LinkConfig,
    LogsConfig,
    PagerConfig,
    PrometheusConfig,
    SystemsConfig,
    TracesConfig,
)


def _slash_command(text: str) -> str:
    if not re.fullmatch(r"/[a-z0-9_-]{1,31}", text):
        raise ValueError("not a slash command: one word of small letters, for example /incident")
    return text


_SEVERITIES: dict[str, SeverityLevel] = {
    "critical": "SEV2",
    "page": "SEV2",
    "error": "SEV3",
    "warning": "SEV3",
    "none": "NONE",
    "info": "NONE",
}


_USUAL: dict[str, SeverityLevel] = {
    **_SEVERITIES,
    **dict.fromkeys(("sev0", "sev1", "p0", "urgent", "blocker"), "SEV1"),
    **dict.fromkeys(("sev2", "emergency", "disaster", "fatal", "crit", "severe", "p1", "high", "p2"), "SEV2"),
    **dict.fromkeys(("sev3", "major", "err", "average", "medium", "moderate", "warn", "p3"), "SEV3"),
    # Zabbix' triggers are "not classified" until somebody rates them: that says nothing of how bad it is.
    **dict.fromkeys(("sev4", "minor", "low", "not classified", "p4"), "SEV4"),
    **dict.fromkeys(("information", "informational", "notice", "debug", "p5"), "NONE"),
}
"""What the vendors' own scales mean, where the file says nothing of a word."""
_RANK = re.compile(r"(?:(s)(?:ev(?:erity)?)?|p(?:riority)?)[ _-]?([0-9])")
"""`SEV 1`, `sev-1`, `S1` and `Severity 1` are one rank, `P-1` and `Priority 1` another."""


class Config(PolicyKeys):
    """tocsin.yaml, whole."""

    sources: dict[str, SourceConfig] = Field(default_factory=dict)
    people: dict[str, Person] = Field(default_factory=dict)
    services: dict[str, ServiceConfig] = Field(default_factory=dict)
    default_channel: SlackId = ""
    default_on_call: OnCall = OnCall()
    """Who is on call for a service that is unknown or has nobody on call."""
    severities: dict[str, SeverityLevel] = Field(default_factory=lambda: dict(_SEVERITIES))
    triage_from: SeverityLevel = "SEV2"
    incident_from: SeverityLevel = "SEV2"
    heartbeats: tuple[str, ...] = ("Watchdog",)
    heartbeat_every: Duration | None = None
    maintenance: tuple[Maintenance, ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    actions: dict[str, ActionConfig] = Field(default_factory=dict)
    plans: dict[str, PlanConfig] = Field(default_factory=dict)
    runbooks: Path | None = None
    prometheus: PrometheusConfig = PrometheusConfig()
    alertmanager: AlertmanagerConfig = AlertmanagerConfig()
    logs: LogsConfig = LogsConfig()
    traces: TracesConfig = TracesConfig()
    systems: SystemsConfig = SystemsConfig()
    links: LinkConfig = LinkConfig()
    pager: PagerConfig = PagerConfig()
    heartbeat_url: Address = ""
    """Called every minute while the bot is well, so that its silence is noticed outside."""
    budget: Budget = Budget()
    close_after: Duration = timedelta(minutes=30)
    retention: Retention = Retention()
    audit: AuditConfig = AuditConfig()
    command: Annotated[str, AfterValidator(_slash_command)] = "/incident"
    plugins: tuple[str, ...] = ()

    _confirmed: PolicySnapshot | None = PrivateAttr(default=None)

    @property
    def confirmed(self) -> PolicySnapshot | None:
        """The policy that was confirmed last, while this one is wider and waits for a second person: both have to allow."""
        return self._confirmed

    def hold_back(self, confirmed: PolicySnapshot | None) -> None:
        """Let nothing be allowed from now on that `confirmed` does not allow; None: this configuration counts as it is."""
        self._confirmed = confirmed

    def steps_of(self, name: str) -> tuple[str, ...]:
        """The actions that run under a name of the catalogue: those of a plan, else the action itself."""
        plan = self.plans.get(name)
        return tuple(step.action for step in plan.steps) if plan is not None else (name,)

    def services_of(self, name: str) -> list[str]:
        """The services that an action, or a plan and all of its actions, are for."""
        narrowed = [self.actions[step].services for step in self.steps_of(name)]
        if name in self.plans:
            narrowed.append(self.plans[name].services)
        return [service for service in self.services if all(not services or service in services for services in narrowed)]

    def autonomy_of(self, service: str, action: str) -> Autonomy:
        """How far Tocsin goes by itself with an action on a service."""
        return self.autonomy.get(service, ServiceAutonomy()).of(action)

    def rota_notices(self) -> list[str]:
        """A line about each rota that does not do what it seems to."""
        rotas = {f"services.{name}.on_call": service.on_call for name, service in self.services.items()}
        rotas["default_on_call"] = self.default_on_call
        has_members = any(person.slack for person in self.people.values())
        return [f"{key}: {notice}" for key, rota in rotas.items() if (notice := rota.notice(has_members=has_members))]

    def person_key(self, key: str) -> str:
        """The main entry of a person: `same_as` of a second account's, else the key itself."""
        person = self.people.get(key)
        return person.same_as or key if person is not None else key

    def groups_a_minute(self, source: str) -> int:
        """How many new groups a source may open within a minute."""
        return self.sources[source].groups_a_minute if source in self.sources else GROUPS_A_MINUTE

    def severity_of(self, word: str) -> Severity:
        """SEVn for a source's own word; a severity that neither the file nor the usual scales know is treated as SEV3."""
        return Severity(self._mapped(word) or "SEV3")

    def knows_severity(self, word: str) -> bool:
        """Whether a source's own word is mapped; no word at all needs no mapping."""
        return not word.strip() or self._mapped(word) is not None

    def _mapped(self, word: str) -> SeverityLevel | None:
        plain = word.strip().lower()
        rank = _RANK.fullmatch(plain)
        spellings = (plain, f"{'sev' if rank[1] else 'p'}{rank[2]}") if rank else (plain,)
        return next((table[word] for table in (self.severities, _USUAL) for word in spellings if word in table), None)
