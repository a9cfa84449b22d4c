"""Which implementation of a port this configuration chooses, and the keys it needs."""

import asyncio
import os
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from secrets import token_hex

import httpx
import structlog
from pydantic import SecretStr

from bot.actions.support.http import Outbound
from bot.core.config import Config
from bot.core.config.systems import KubernetesConfig
from bot.core.errors import ActionFailed, ConfigurationError, OutcomeUnknown, QueryFailed
from bot.core.redaction.inventory import inventory_of
from bot.llm.loading import Agents
from bot.llm.providers.capabilities import ModelApi, Provider, parse_model_name
from bot.llm.settings import NO_KEY, ModelSettings
from bot.monitoring.http import TokenSource
from bot.monitoring.logs.files import FileLogs
from bot.monitoring.logs.loki import LokiLogs
from bot.monitoring.metrics.prometheus import PrometheusMetrics
from bot.monitoring.systems.argocd import ArgoCd
from bot.monitoring.systems.github import GitHub
from bot.monitoring.systems.helm import Helm
from bot.monitoring.systems.kubernetes import Kubernetes
from bot.monitoring.systems.mcp_servers import McpServers
from bot.monitoring.systems.mlflow import MLflow
from bot.monitoring.systems.postgres import PostgresServers
from bot.monitoring.systems.web import AllowedWeb
from bot.monitoring.traces.jaeger import JaegerTraces
from bot.monitoring.traces.tempo import TempoTraces
from bot.pager.pagerduty import PagerDuty
from bot.pager.webhook import WebhookPager
from bot.plugins import Tool, WritableSystem
from bot.ports import History, Model, Pager
from bot.settings import Secrets, mcp_tokens, postgres_passwords, require_audit_key, web_tokens
from bot.store.answers.questions import Questions
from bot.store.db.database import Database
from bot.store.rekeying import ends_with, key_of_address
from bot.store.triage.triage import Triages
from bot.workflows.investigation.tool_running import ToolRunner
from tools._remote import remote_tool

log = structlog.get_logger(__name__)
MAX_NATIVE = 16


def audit_key(secrets: Secrets) -> bytes:
    """TOCSIN_AUDIT_KEY; on SQLite else a key file in the data folder. Raises ConfigurationError on PostgreSQL without one."""
    require_audit_key(secrets)
    if configured := secrets.audit_key.get_secret_value():
        return configured.encode()
    path = secrets.data_dir / "audit.key"
    if not path.exists():
        secrets.data_dir.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(token_hex(32).encode())
    return path.read_bytes()


async def refuse_derivable_key(secrets: Secrets, db: Database) -> None:
    """Raise ConfigurationError for a trail whose key earlier versions drew from the database's address."""
    if secrets.postgres and await ends_with(db, key_of_address(secrets.database_url)):
        problem = "the audit was written before it was set, with a key that follows from the database's address: "
        raise ConfigurationError(problem + "run `tocsin audit rekey` once, while no process runs", key="TOCSIN_AUDIT_KEY")


async def fetch_public(url: str) -> bytes:
    """A small file at a public address; private addresses and redirects are refused. Raises QueryFailed."""
    try:
        answer = await Outbound().send("GET", url, json=None, key="")
    except (ActionFailed, OutcomeUnknown) as error:
        raise QueryFailed(str(error).rstrip(".")) from error
    if answer.status != 200:
        raise QueryFailed(f"{httpx.URL(url).host} answered {answer.status}")
    return answer.text.encode()


def metrics_of(secrets: Secrets, config: Config, client: httpx.AsyncClient) -> PrometheusMetrics | None:
    """Prometheus, if one is configured."""
    if not config.prometheus.url:
        return None
    return PrometheusMetrics(config.prometheus, client, token=secrets.prometheus_token.get_secret_value())


def logs_of(secrets: Secrets, config: Config, client: httpx.AsyncClient) -> LokiLogs | FileLogs | None:
    """Loki before files; None if neither is configured."""
    if config.logs.loki:
        return LokiLogs(config.logs, client, token=secrets.loki_token.get_secret_value())
    return FileLogs(config.logs.files) if config.logs.files else None


@dataclass(frozen=True)
class Systems:
    """Other systems that tools may query; None or empty where none is configured."""

    code: GitHub | None
    argocd: ArgoCd | None
    helm: Helm | None
    cluster: Kubernetes | None
    databases: PostgresServers | None
    models: MLflow | None
    web: AllowedWeb | None
    remote: McpServers | None
    traces: TempoTraces | JaegerTraces | None
    writable: Mapping[str, WritableSystem]
    """For actions alone, by name."""

    @property
    def histories(self) -> tuple[History, ...]:
        """Those that hold changes."""
        return tuple(reader for reader in (self.argocd, self.helm, self.models) if reader is not None)


def systems_of(secrets: Secrets, config: Config, client: httpx.AsyncClient) -> Systems:
    """A client for each system with an address; services without a name in a system are left out."""
    chosen, key = config.systems, SecretStr.get_secret_value
    code, argocd, kubernetes, models = chosen.github, chosen.argocd, chosen.kubernetes, chosen.mlflow
    to_cluster, cluster_token = cluster_access(kubernetes, client, key(secrets.kubernetes_token))
    workloads, releases = workloads_of(config), names_in(config, "helm")
    return Systems(
        code=GitHub(code, client, names_in(config, "github"), token=key(secrets.github_token)) if code.url else None,
        argocd=ArgoCd(argocd, client, names_in(config, "argocd"), token=key(secrets.argocd_token)) if argocd.url else None,
        helm=Helm(kubernetes, to_cluster, releases, token=cluster_token) if kubernetes.url else None,
        cluster=Kubernetes(kubernetes, to_cluster, workloads, token=cluster_token) if kubernetes.url and workloads else None,
        databases=PostgresServers(chosen.postgres, passwords=postgres_passwords(chosen.postgres)) if chosen.postgres else None,
        models=MLflow(models, client, names_in(config, "mlflow"), token=key(secrets.mlflow_token)) if models.url else None,
        web=AllowedWeb(chosen.web, client, tokens=web_tokens(chosen.web)) if chosen.web else None,
        remote=McpServers(chosen.mcp, tokens=mcp_tokens(chosen.mcp)) if chosen.mcp else None,
        traces=traces_of(secrets, config, client),
        writable=writable_systems(secrets, config),
    )


def writable_systems(secrets: Secrets, config: Config) -> dict[str, WritableSystem]:
    """The systems that actions may change, each with its token for writing; tools get none of these."""
    chosen, cluster = config.systems, config.systems.kubernetes
    names = {system: names_in(config, system) for system in ("github", "argocd", "mlflow", "jira")}
    tokens = {
        "github": secrets.github_write_token,
        "argocd": secrets.argocd_write_token,
        "mlflow": secrets.mlflow_write_token,
        "jira": secrets.jira_write_token,
        "kubernetes": secrets.kubernetes_write_token,
    }
    systems = {
        name: WritableSystem(getattr(chosen, name).url, names.get(name, {}), _write_token(name, token))
        for name, token in tokens.items()
    }
    file = cluster.write_token_file
    token = (lambda: _token_in(file)) if file else systems["kubernetes"].token
    return {**systems, "kubernetes": WritableSystem(cluster.url, workloads_of(config), token, cluster.ca_file)}


def _write_token(system: str, token: SecretStr) -> Callable[[], str]:
    def read() -> str:
        if not (text := token.get_secret_value()):
            raise ActionFailed(f"TOCSIN_{system.upper()}_WRITE_TOKEN is not set: {system} is only read. Nothing was sent.")
        return text

    return read


def _token_in(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ActionFailed(f"write_token_file cannot be read: {error.strerror}. Nothing was sent.") from error


def names_in(config: Config, system: str) -> dict[str, str]:
    """Service -> what a system calls it; services that it does not know are left out."""
    names = {name: getattr(service.known_as, system) for name, service in config.services.items()}
    return {name: name_there for name, name_there in names.items() if name_there}


def workloads_of(config: Config) -> dict[str, str]:
    """Service -> `namespace/name` of its workload, where the configuration says both."""
    places = {}
    for name, service in config.services.items():
        namespace, workload = service.deployment.get("namespace", ""), service.deployment.get("name", "")
        if place := service.known_as.kubernetes or (f"{namespace}/{workload}" if namespace and workload else ""):
            places[name] = place
    return places


def cluster_access(config: KubernetesConfig, client: httpx.AsyncClient, token: str) -> tuple[httpx.AsyncClient, TokenSource]:
    """The client that trusts the cluster's own certificates, and the token; with a file, the token that it holds now."""
    if config.ca_file:
        # A client of its own for as long as the process runs: certificates are checked by client.
        client = httpx.AsyncClient(follow_redirects=False, verify=ssl.create_default_context(cafile=config.ca_file))

    def read_token() -> str:
        try:
            return Path(config.token_file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise QueryFailed(f"the token of Kubernetes cannot be read: {error.strerror} (token_file)") from error

    return client, read_token if config.token_file else token


def tools_of(tools: Mapping[str, Tool], systems: Systems) -> dict[str, Tool]:
    """The tools whose systems are configured; those for the team's own systems name them in their description."""
    offered = {name: tool for name, tool in tools.items() if not tool.needs or getattr(systems, tool.needs, None)}
    return {name: replace(tool, set_up=_inventory(getattr(systems, tool.needs, None))) for name, tool in offered.items()}


def _inventory(system: object) -> str:
    if not isinstance(system, AllowedWeb | McpServers):
        return ""
    return "; ".join(f"{name} ({what})" if what else name for name, what in system.inventory().items())


def traces_of(secrets: Secrets, config: Config, client: httpx.AsyncClient) -> TempoTraces | JaegerTraces | None:
    """Tempo before Jaeger; None if neither is configured."""
    token = secrets.traces_token.get_secret_value()
    if config.traces.tempo:
        return TempoTraces(config.traces, client, token=token)
    return JaegerTraces(config.traces, client, token=token) if config.traces.jaeger else None


def pager_of(secrets: Secrets, config: Config, client: httpx.AsyncClient) -> Pager | None:
    """PagerDuty before the webhook; None if neither is configured."""
    key = secrets.pagerduty_key.get_secret_value()
    if config.pager.pagerduty:
        if not key:
            raise ConfigurationError("is empty although pager.pagerduty is on", key="TOCSIN_PAGERDUTY_KEY")
        return PagerDuty(client, key, url=config.pager.pagerduty_url)
    if config.pager.webhook:
        return WebhookPager(client, config.pager.webhook, secrets.pager_secret.get_secret_value())
    return None


DEFAULT_MODEL = "gpt-5.5"
"""Where there is a key for OpenAI and no model is named."""


def model_of(secrets: Secrets) -> str:
    """The model to use; "" when none is set up: then the built-in analyst ranks."""
    return secrets.model or (DEFAULT_MODEL if secrets.openai_api_key.get_secret_value() else "")


async def native_tools(remote: McpServers | None, config: Config, own: Collection[str] = ()) -> dict[str, Tool]:
    """The tools of MCP servers that the configuration lists as native; a server that cannot be reached has none.

    One that would be called as one of our `own`, or as another server's, is left out.
    """
    listed = {server: mcp.native[:MAX_NATIVE] for server, mcp in config.systems.mcp.items() if mcp.native}
    if remote is None or not listed:
        return {}
    # All at once: one that hangs must not make the next one wait.
    offers = await asyncio.gather(*(_native_of(remote, server, names) for server, names in listed.items()))
    tools: dict[str, Tool] = {}
    for server, name, tool in chain.from_iterable(offers):
        if tool.name in own or tool.name in tools:
            log.warning("a tool of an MCP server has the name of another", server=server, tool=name, name=tool.name)
        else:
            tools[tool.name] = tool
    return tools


async def _native_of(remote: McpServers, server: str, names: Sequence[str]) -> list[tuple[str, str, Tool]]:
    """(server, name, tool) of those that can be given to a model; the log says why another cannot."""
    from bot.llm.tool_schemas import why_not_offered

    try:
        offered = {tool.name: tool for tool in (await remote.offer(server)).tools}
    except QueryFailed as error:
        log.warning("an MCP server cannot be asked for its native tools", server=server, why=str(error))
        return []
    tools: list[tuple[str, str, Tool]] = []
    for name in names:
        tool = remote_tool(server, offered[name]) if name in offered else None
        if tool is None:
            log.warning("a tool of an MCP server cannot be native", server=server, tool=name, offered=name in offered)
        elif why := why_not_offered(tool):
            log.warning("a tool of an MCP server cannot be converted", server=server, tool=name, why=why)
        else:
            tools.append((server, name, tool))
    return tools


def agents_of(
    secrets: Secrets,
    config: Config,
    tool_runner: ToolRunner,
    triages: Triages,
    questions: Questions,
    services: Collection[str],
    remote: McpServers | None = None,
) -> Agents:
    """The investigator with a model; nothing is imported, and no server asked for its tools, before the first use."""

    async def prepare() -> None:
        tool_runner.add(await native_tools(remote, config, tool_runner.own))

    def build() -> Model:
        settings = settings_of(secrets, model_of(secrets))
        with_others = replace(settings, fallback=secrets.fallback_model, skeptic=secrets.skeptic_model)
        return agent_of(with_others, config, tool_runner, triages, questions, list(services))

    return Agents(model_of(secrets), build, prepare)


def settings_of(secrets: Secrets, name: str) -> ModelSettings:
    """How the model of this name is called on the configured server."""
    provider = parse_model_name(name).provider
    openai = provider is Provider.OPENAI
    return ModelSettings(
        name=name,
        base_url=secrets.model_url or (secrets.openai_base_url if openai else ""),
        api_key=secrets.openai_api_key if openai else NO_KEY,
        structured=secrets.structured_output,
        masked=secrets.model_names == "masked",
        api=ModelApi(secrets.model_api),
        effort=secrets.reasoning_effort,
        extra=secrets.model_extra_body,
        tool_choice=secrets.model_tool_choice,
        urls={} if openai else {Provider.OPENAI: secrets.openai_base_url},
        keys={
            Provider.OPENAI: secrets.openai_api_key,
            Provider.ANTHROPIC: secrets.anthropic_api_key,
            Provider.GOOGLE: secrets.google_api_key,
            Provider.BEDROCK: secrets.bedrock_api_key,
            Provider.DEEPSEEK: secrets.deepseek_api_key,
            Provider.OLLAMA: secrets.ollama_api_key,
        },
    )


def agent_of(
    settings: ModelSettings,
    config: Config,
    tool_runner: ToolRunner,
    triages: Triages,
    questions: Questions,
    services: Sequence[str],
) -> Model:
    """The agent. Imports langchain, which takes seconds."""
    from bot.llm.agent import Agent

    # Those of a service that names none are deduced from its metrics, and a list without them would forbid them.
    listed = [service.signals for service in config.services.values()]
    signals = [name for names in listed for name in names] if all(listed) else []
    return Agent(settings, config.budget, tool_runner, triages, questions, services, inventory_of(config), signals=signals)


def known_secrets(secrets: Secrets, config: Config) -> list[str]:
    """Every configured secret, so that logs can mask them."""
    fields = (value.get_secret_value() for value in vars(secrets).values() if hasattr(value, "get_secret_value"))
    systems = (
        *web_tokens(config.systems.web).values(),
        *mcp_tokens(config.systems.mcp).values(),
        *postgres_passwords(config.systems.postgres).values(),
    )
    # Also of sources that a reload may add.
    tokens = (value for name, value in os.environ.items() if name.startswith("TOCSIN_TOKEN_"))
    return [value for value in (*fields, *tokens, *systems, secrets.database_url) if value]
