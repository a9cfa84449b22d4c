"""Systems that the bot reads from, pages through or links to."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.core.config.fields import Address, ConfigSection, Duration
from bot.core.systems import Listing


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


class TracesConfig(ConfigSection):
    """One of the two; Tempo before Jaeger."""

    tempo: Address = ""
    jaeger: Address = ""


class SystemConfig(ConfigSection):
    """Another system that tools ask read-only; its token comes from the environment (TOCSIN_<SYSTEM>_TOKEN).

    Actions have a token of their own, TOCSIN_<SYSTEM>_WRITE_TOKEN.
    """

    url: Address = ""


class KubernetesConfig(SystemConfig):
    """The API server. In a pod: https://kubernetes.default.svc, with the files of its service account."""

    token_file: str = ""
    """Read before each request, instead of TOCSIN_KUBERNETES_TOKEN: a service account's token is replaced every hour."""
    write_token_file: str = ""
    """The same for actions, instead of TOCSIN_KUBERNETES_WRITE_TOKEN: another account's, which tools never get."""
    ca_file: str = ""
    """Certificates that the server's own is checked against; empty: those of the system."""


class WebConfig(ConfigSection):
    """A server of the team's own that a tool may query: these paths alone, with GET."""

    url: Address
    allow: tuple[str, ...] = ()
    """Paths that begin with a slash, e.g. `/api/annotations`; one that ends in `/*` allows one more segment."""
    about: str = ""
    """What it holds, in words for the model."""


class McpConfig(ConfigSection):
    """An MCP server over Streamable HTTP. Of its tools only those are offered that are listed here."""

    url: Address
    tools: tuple[str, ...] = ()
    """Those that may be called; a tool under `pins` or `native` alone may be as long as the server marks it as read-only."""
    pins: dict[str, Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]] = Field(default_factory=dict)
    """Tool -> SHA-256 of its name, description and schema, as `tocsin mcp pin` prints it. A tool without is not offered."""
    native: tuple[str, ...] = ()
    """Of the offered tools those that a model gets as tools of their own, with their own schemas, at most 16."""
    about: str = ""
    """What it holds, in words for the model."""

    @property
    def listing(self) -> Listing:
        """What may be offered of its tools."""
        return Listing(self.tools, self.native, self.pins)


def pin_notices(servers: Mapping[str, McpConfig]) -> list[str]:
    """What a team should know of servers whose tools nobody has read yet."""
    return [
        f"none of the tools of systems.mcp.{name} is offered; read what `tocsin mcp pin {name}` prints, and put its pins there"
        for name, server in servers.items()
        if not server.pins
    ]


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
    jira: SystemConfig = SystemConfig()
    """For actions alone; no tool reads it."""
    postgres: dict[str, PostgresConfig] = Field(default_factory=dict)
    web: dict[str, WebConfig] = Field(default_factory=dict)
    mcp: dict[str, McpConfig] = Field(default_factory=dict)
    """Needs the extra `mcp`."""


class AlertmanagerConfig(ConfigSection):
    url: Address = ""
    public_url: Address = ""
    """Where people open it; `url` if empty."""


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
    """Hosts that may be live links in Slack besides those of prometheus, alertmanager, loki and the sources' option url.

    One that others share (`bot/core/text/link_prefixes.py`) needs a path: `github.com/your-org`.
    """
