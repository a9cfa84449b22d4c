"""The shape of tocsin.yaml. Every key has a default: an empty file is a valid configuration.

Texts here are trusted (a reviewed file). `bot/settings.py` loads it and turns errors into lines.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from bot.core.alert import Severity
from bot.core.config.actions import ActionConfig, Approvers, Freeze, SoloMode
from bot.core.config.alerts import Inhibition, Maintenance, SourceConfig, Threshold
from bot.core.config.budget import Budget
from bot.core.config.fields import Address, ConfigSection, Duration, SeverityLevel, SlackId
from bot.core.config.retention import Retention
from bot.core.config.services import Person, ServiceConfig
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


def _bare_off(word: object) -> object:
    # YAML 1.1 reads the bare words off and no as false.
    return "off" if word is False else word


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
    heartbeat_every: Duration | None = None
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
    retention: Retention = Retention()
    command: Annotated[str, AfterValidator(_slash_command)] = "/incident"
    plugins: tuple[str, ...] = ()

    def severity_of(self, word: str) -> Severity:
        """SEVn for a source's own word; a severity that the file does not map is treated as SEV3."""
        return Severity(
            self.severities.get(word.strip().lower(), "NONE" if word.strip().lower() in ("none", "info") else "SEV3")
        )
