"""The shape of tocsin.yaml. Every key has a default: an empty file is a valid configuration.

Texts here are trusted (a reviewed file). `bot/settings.py` loads it and turns errors into lines.
"""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.core.alert import Severity
from bot.core.change import ChangeKind
from bot.core.evidence import CauseKind
from bot.core.service import Objective, Signal

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(text: object) -> timedelta:
    """`90s`, `5m`, `2h`, `1d`, `1w`, or `1h30m` as a timedelta. Raises ValueError with the accepted forms."""
    if isinstance(text, timedelta):
        return text
    total, number = 0, ""
    for char in str(text).strip().lower():
        if char.isascii() and char.isdigit() and len(number) < 7:
            number += char
        elif char in _UNITS and number:
            total, number = total + int(number) * _UNITS[char], ""
        else:
            break
    else:
        if total and not number:
            return timedelta(seconds=total)
    raise ValueError("not a duration: write for example 90s, 5m, 2h, 1d or 1w")


def _with_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("names no time zone: write for example 2026-01-05T09:00:00Z or 2026-01-05T09:00:00+01:00")
    return moment


def _reachable(address: str) -> str:
    if address and not _ADDRESS.match(address):
        raise ValueError("not an address: it begins with http:// or https://")
    return address


_ADDRESS = re.compile(r"https?://[^/\s]", re.IGNORECASE)


def _slack_id(text: str) -> str:
    if text and not _SLACK_ID.fullmatch(text):
        raise ValueError("not an id of Slack: names change, ids do not; copy it (U..., C..., S...) from Slack's own details")
    return text


_SLACK_ID = re.compile(r"[A-Z][\w-]*", re.ASCII)
"""No more is promised of an id; names of channels and people begin with a small letter, # or @."""


def _slash_command(text: str) -> str:
    if not re.fullmatch(r"/[a-z0-9_-]{1,31}", text):
        raise ValueError("not a slash command: one word of small letters, for example /incident")
    return text


def _bare_off(word: object) -> object:
    # YAML 1.1 reads the bare words off and no as false.
    return "off" if word is False else word


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Moment = Annotated[datetime, AfterValidator(_with_zone)]
Address = Annotated[str, AfterValidator(_reachable)]
"""Of a machine, over HTTP; empty where there is none."""
SlackId = Annotated[str, AfterValidator(_slack_id)]
"""Of a person, channel or user group; empty where there is none."""
SeverityLevel = Literal["SEV1", "SEV2", "SEV3", "SEV4", "NONE"]


class SoloMode(StrEnum):
    """Whether one on-call alone may approve what they asked for: never, after two minutes without an answer, at once."""

    OFF = "off"
    AFTER = "after"
    IMMEDIATE = "immediate"


class ConfigSection(BaseModel):
    """Base of all parts: unknown keys are errors, or a misspelt key would be a silent fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceConfig(ConfigSection):
    kind: str
    """A file of bot/sources, e.g. `alertmanager`, `generic`; for changes `generic` or `github`."""
    options: dict[str, Any] = Field(default_factory=dict)


class Person(ConfigSection):
    slack: SlackId = ""
    """Slack user id (U...). Identity is team id and user id, never a name."""
    email: str = ""
    name: str = ""


class OnCall(ConfigSection):
    """Either a rotation from a start, or a Slack user group. The first named is on call now, the next is the secondary."""

    rotation: tuple[str, ...] = ()
    every: Duration = timedelta(weeks=1)
    starts: Moment | None = None
    usergroup: SlackId = ""


class KnownAs(ConfigSection):
    """What other systems call a service: tools take the service's name and never an address."""

    github: str = Field(default="", pattern=r"^$|^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")
    """owner/repository."""
    argocd: str = Field(default="", pattern=r"^$|^[a-z0-9.-]+$")
    """The application."""
    helm: str = Field(default="", pattern=r"^$|^[a-z0-9-]+/[a-z0-9.-]+$")
    """namespace/release."""
    kubernetes: str = Field(default="", pattern=r"^$|^[a-z0-9-]+/[a-z0-9.-]+$")
    """namespace/name of its deployment, stateful set or daemon set; else that of `deployment`."""
    mlflow: str = Field(default="", pattern=r"^[^/:'\"\\]*$")
    """The registered model that the service serves."""


class ServiceConfig(ConfigSection):
    owners: tuple[str, ...] = ()
    on_call: OnCall = OnCall()
    channel: SlackId = ""
    depends_on: tuple[str, ...] = ()
    match: dict[str, str] = Field(default_factory=dict)
    deployment: dict[str, str] = Field(default_factory=dict)
    signals: dict[str, Signal] = Field(default_factory=dict)
    objectives: dict[str, Objective] = Field(default_factory=dict)
    known_as: KnownAs = KnownAs()


class Approvers(ConfigSection):
    deputies: tuple[str, ...] = ()
    """May command incidents and approve tiers 1 to 3."""
    admins: tuple[str, ...] = ()


class VerifyConfig(ConfigSection):
    signal: str
    """A signal of the service, e.g. `errors`."""
    below: float | None = None
    above: float | None = None
    within: Duration = timedelta(minutes=5)


class ActionConfig(ConfigSection):
    """One entry of the catalogue of remediations."""

    kind: str
    """A file of bot/actions, e.g. `run_webhook`, `silence_alert`."""
    title: str = ""
    """A verb phrase for cards: "Roll back checkout"; `{service}` is filled in."""
    when: str = ""
    """When it helps and when not; shown to people and to the model."""
    helps: tuple[CauseKind, ...] = ()
    """Kinds of hypothesis it fits. Empty: only people propose it."""
    change_kinds: tuple[ChangeKind, ...] = ()
    """With `change` in helps: only these kinds of change. Empty: any."""
    url: Address = ""
    method: Literal["POST", "PUT"] = "POST"
    body: dict[str, Any] = Field(default_factory=dict)
    """Rendered with {service}, {change_id}, {version}, {previous_version}: plain substitution, no expressions."""
    idempotent: bool = False
    undo: str = Field(default="", validation_alias=AliasChoices("undo", "inverse"), serialization_alias="inverse")
    """The entry that undoes it. `inverse` is its old name: files may still have it, and the versions that records hold
    are hashes over it."""
    tier: int | None = None
    """Raises the floor of the kind, never lowers it."""
    services: tuple[str, ...] = ()
    """Empty: every service of the catalogue."""
    verify: VerifyConfig | None = None
    allow_private: bool = False
    """Private and loopback addresses are refused unless this is set; link-local never."""
    options: dict[str, Any] = Field(default_factory=dict)


class Period(ConfigSection):
    """A time from `starts` to `ends`, and why."""

    starts: Moment
    ends: Moment
    reason: str

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.ends <= self.starts:
            raise ValueError("ends before it starts")
        return self


class Matchers(ConfigSection):
    """Labels that must be equal; empty matches nothing."""

    match: dict[str, str] = Field(default_factory=dict)


class Maintenance(Matchers, Period):
    """Alerts with these labels are muted meanwhile."""


class Inhibition(ConfigSection):
    """Alerts that match `target` are muted while one that matches `source` fires with equal values of `equal`."""

    source: dict[str, str]
    target: dict[str, str]
    equal: tuple[str, ...] = ()


class Threshold(Matchers):
    """Muted until `count` episodes came within `window`."""

    count: int = Field(ge=2)
    window: Duration = timedelta(minutes=10)


class Freeze(Period):
    """No action starts in this window (except a rollback for an open SEV1/2)."""

    services: tuple[str, ...] = ()


class PrometheusConfig(ConfigSection):
    url: Address = ""
    public_url: Address = ""
    """Where people open it; `url` if empty."""
    timeout: Duration = timedelta(seconds=10)


class LogsConfig(ConfigSection):
    loki: Address = ""
    label: str = "service"
    """The Loki label that holds the service."""
    pod_label: str = "pod"
    """The Loki label that holds the pod or host."""
    files: dict[str, str] = Field(default_factory=dict)
    """Service -> glob of log files."""


class SystemConfig(ConfigSection):
    """Another system that tools ask read-only; its token comes from the environment (TOCSIN_<SYSTEM>_TOKEN)."""

    url: Address = ""


class KubernetesConfig(SystemConfig):
    """The API server. In a pod: https://kubernetes.default.svc, with the files of its service account."""

    token_file: str = ""
    """Read before each request, instead of TOCSIN_KUBERNETES_TOKEN: a service account's token is replaced every hour."""
    ca_file: str = ""
    """Certificates that the server's own is checked against; empty: those of the system."""


class WebConfig(ConfigSection):
    """A server of the team's own that a tool may query: these paths alone, with GET."""

    url: Address
    allow: tuple[str, ...] = ()
    """Paths, e.g. `/api/annotations`; one that ends in `/*` allows one more segment."""
    about: str = ""
    """What it holds, in words for the model."""


class TracesConfig(ConfigSection):
    """One of the two; Tempo before Jaeger."""

    tempo: Address = ""
    jaeger: Address = ""


class McpConfig(ConfigSection):
    """An MCP server over Streamable HTTP. Of its tools those that it marks as read-only are offered, and those listed here."""

    url: Address
    tools: tuple[str, ...] = ()
    native: tuple[str, ...] = ()
    """Of the offered tools those that a model gets as tools of their own, with their own schemas, at most 16."""
    about: str = ""
    """What it holds, in words for the model."""


class PostgresConfig(ConfigSection):
    """A PostgreSQL server whose statistics are read; its password comes from TOCSIN_POSTGRES_PASSWORD_<NAME>."""

    host: str
    port: int = Field(default=5432, ge=1, le=65535)
    database: str
    user: str
    """A role of its own that is a member of pg_monitor and no superuser."""
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    services: tuple[str, ...] = ()
    """The services that use it."""


class SystemsConfig(ConfigSection):
    github: SystemConfig = SystemConfig()
    """https://api.github.com, or a server's own /api/v3."""
    argocd: SystemConfig = SystemConfig()
    kubernetes: KubernetesConfig = KubernetesConfig()
    """Workloads, pods, events and logs; and Helm's history from the labels of its release records, never their content."""
    mlflow: SystemConfig = SystemConfig()
    postgres: dict[str, PostgresConfig] = Field(default_factory=dict)
    web: dict[str, WebConfig] = Field(default_factory=dict)
    mcp: dict[str, McpConfig] = Field(default_factory=dict)
    """Needs the extra `mcp`."""


class AlertmanagerConfig(ConfigSection):
    url: Address = ""


class ModelPrices(ConfigSection):
    """Dollars for a million tokens. Cached input, input written to the cache, and reasoning cost what other input and output
    cost where they have no price of their own."""

    usd_per_million_in: float = Field(default=2.0, ge=0)
    usd_per_million_out: float = Field(default=8.0, ge=0)
    usd_per_million_cached: float | None = Field(default=None, ge=0)
    usd_per_million_cache_write: float | None = Field(default=None, ge=0)
    usd_per_million_reasoning: float | None = Field(default=None, ge=0)


class Budget(ModelPrices):
    """Limits of a model, and the prices of every model that `prices` does not name."""

    per_run_usd: float = Field(default=0.50, ge=0)
    per_day_usd: float = Field(default=20.0, ge=0)
    per_run_seconds: float = Field(default=300.0, ge=0)
    per_run_steps: int = Field(default=12, ge=0)
    per_run_calls: int = Field(default=25, ge=0)
    per_run_tokens: int = Field(default=200_000, ge=0)
    per_call_seconds: float = Field(default=180.0, gt=0)
    idle_seconds: float = Field(default=60.0, gt=0)
    """The longest silence within one answer."""
    context_tokens: int = Field(default=32_000, ge=4_000)
    """What the model can take in at once, its answer included."""
    prices: dict[str, ModelPrices] = Field(default_factory=dict)

    @property
    def most_of_a_run(self) -> float:
        """Dollars set aside for one run. A run may exceed its limit by its last answer: that excess is not reserved."""
        models = (self, *self.prices.values())
        priced = any(getattr(prices, price) for prices in models for price in ModelPrices.model_fields)
        return min(self.per_run_usd, self.per_day_usd) if priced else 0.0

    def prices_of(self, model: str) -> ModelPrices:
        """The prices of this model, whose name may stand with or without its provider (`anthropic:claude-...`)."""
        named = {name.rpartition(":")[2]: prices for name, prices in self.prices.items()}
        return self.prices.get(model) or named.get(model.rpartition(":")[2], self)


class PagerConfig(ConfigSection):
    pagerduty: bool = False
    """Events v2, with TOCSIN_PAGERDUTY_KEY."""
    pagerduty_url: Address = "https://events.pagerduty.com"
    webhook: Address = ""
    """Signed with TOCSIN_PAGER_SECRET."""
    unacknowledged_after: Duration = timedelta(minutes=5)
    slack_down_after: Duration = timedelta(minutes=2)


class LinkConfig(ConfigSection):
    hosts: tuple[str, ...] = ()
    """Hosts that may be live links in Slack, besides those of prometheus, alertmanager and loki."""


_SEVERITIES: dict[str, SeverityLevel] = {
    "critical": "SEV2",
    "page": "SEV2",
    "error": "SEV3",
    "warning": "SEV3",
    "none": "NONE",
    "info": "NONE",
}


class Config(ConfigSection):
    """tocsin.yaml, whole."""

    sources: dict[str, SourceConfig] = Field(default_factory=dict)
    people: dict[str, Person] = Field(default_factory=dict)
    services: dict[str, ServiceConfig] = Field(default_factory=dict)
    default_channel: SlackId = ""
    severities: dict[str, SeverityLevel] = Field(default_factory=lambda: dict(_SEVERITIES))
    triage_from: SeverityLevel = "SEV2"
    incident_from: SeverityLevel = "SEV2"
    heartbeats: tuple[str, ...] = ("Watchdog",)
    heartbeat_every: Duration = timedelta(minutes=5)
    maintenance: tuple[Maintenance, ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    approvers: Approvers = Approvers()
    solo: Annotated[SoloMode, BeforeValidator(_bare_off)] = SoloMode.AFTER
    actions: dict[str, ActionConfig] = Field(default_factory=dict)
    freezes: tuple[Freeze, ...] = ()
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
    command: Annotated[str, AfterValidator(_slash_command)] = "/incident"
    plugins: tuple[str, ...] = ()

    def severity_of(self, word: str) -> Severity:
        """SEVn for a source's own word; a severity that the file does not map is treated as SEV3."""
        return Severity(
            self.severities.get(word.strip().lower(), "NONE" if word.strip().lower() in ("none", "info") else "SEV3")
        )
