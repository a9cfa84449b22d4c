"""`tocsin doctor`: checks every system that Tocsin depends on, with advice for each failure."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace

import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from bot.adapters import logs_of, model_of, settings_of, systems_of, workloads_of
from bot.console.configuration.action_addresses import address_problems
from bot.console.configuration.fingerprints import check_fingerprints
from bot.console.configuration.heartbeats import check_heartbeats
from bot.console.configuration.query_checks import check_queries
from bot.console.incident_listing import sqlite_file
from bot.core.check import Check, absent, failed, ok
from bot.core.config import Config
from bot.core.errors import ConfigurationError, QueryFailed
from bot.core.text.link_prefixes import link_notices
from bot.core.text.untrusted import counted, one_line
from bot.engine.data_folder import JOURNAL
from bot.llm.checkup import check_model
from bot.llm.loading import check_loading
from bot.match_notices import match_notices
from bot.monitoring.http import JsonServer
from bot.monitoring.metrics.prometheus import PrometheusMetrics
from bot.monitoring.systems.histories import unused
from bot.monitoring.traces.jaeger import JaegerTraces
from bot.monitoring.traces.tempo import TempoTraces
from bot.plugins.scopes import scope_notices, takes
from bot.settings import (
    Secrets,
    alert_channels,
    catalogue_of,
    load_config,
    require_audit_key,
    require_slack_tokens,
    source_kinds,
    source_tokens,
    without_token,
)
from bot.slack.checkup import check_slack
from bot.store.checkup import check_database, check_sizes, heartbeats, newest_labels
from bot.store.db.database import utc_now
from bot.variable_notices import unread_variables

COLOURS = {"ok": "green", "failed": "bold red", "not set up": "yellow"}


def examine(secrets: Secrets, console: Console) -> int:
    """Print a table of checks; 0 if none failed, else 1."""
    checks = asyncio.run(checkup(secrets))
    table = Table("Check", Column("State", no_wrap=True), *(Column(name, overflow="fold") for name in ("Found", "What to do")))
    for check in checks:
        state = f"[{COLOURS[check.state]}]{check.state}[/]"
        table.add_row(escape(check.name), state, escape(check.result), escape(check.advice))
    console.print(table)
    bad, missing = (sum(check.state == state for check in checks) for state in ("failed", "not set up"))
    blind = f" {missing} of {len(checks)} not set up." if missing else ""
    console.print(
        f"{bad} of {len(checks)} checks failed.{blind}"
        if bad
        else f"Nothing failed.{blind} Try it: tocsin test-alert --source NAME"
    )
    return 1 if bad else 0


async def checkup(secrets: Secrets) -> list[Check]:
    """All checks, in the order in which one would repair them; with a broken configuration, those that need none."""
    config, first = _configuration(secrets)
    if config is None:
        slack, models = await asyncio.gather(_slack(secrets, Config()), _models(secrets, Config()))
        return [first, _database(secrets), *_audit(secrets), *slack, *models, *_model_code(secrets)]
    async with httpx.AsyncClient(follow_redirects=False, timeout=10) as client:
        slack, models, systems = await asyncio.gather(
            _slack(secrets, config), _models(secrets, config), _systems(secrets, config, client)
        )
    if config.systems.kubernetes.url and not workloads_of(config):
        systems.append(unused("Kubernetes", "workloads"))
    database = [_database(secrets), *_audit(secrets), *_sizes(secrets, config)]
    outside = [*slack, *models, *_model_code(secrets), *systems]
    remedies = await _actions(config)
    called = [*_heartbeats(secrets, config), _on_call(config), _pager(secrets, config)]
    local = [*_local(config), *_links(config), *_matches(config), *_variables(config)]
    return [first, *_sources(config), *fingerprints(secrets, config), *database, *outside, *remedies, *local, *called]


def _configuration(secrets: Secrets) -> tuple[Config | None, Check]:
    """None where there is one that cannot be read: what it sets up is unknown, so no check covers that."""
    if not secrets.config.exists():
        advice = "`tocsin init --prometheus URL` drafts one; TOCSIN_CONFIG names another place"
        return Config(), failed("Configuration", f"{secrets.config} does not exist", advice)
    try:
        config = load_config(secrets.config)
    except ConfigurationError as error:
        return None, failed("Configuration", str(error), "repair this line, then run doctor again")
    if not config.default_channel:
        advice = "set default_channel: alerts of unknown services have nowhere to go"
        return config, failed("Configuration", f"{secrets.config} has no default_channel", advice)
    return config, ok("Configuration", f"services: {len(config.services)}, people: {len(config.people)}")


def _sources(config: Config) -> list[Check]:
    if not config.sources:
        return [failed("Sources", "none", "name one under `sources`, e.g. {alertmanager: {kind: alertmanager}}")]
    if missing := without_token(config, source_kinds(config), source_tokens(config.sources)):
        return [
            failed("Sources", f"no token: {', '.join(missing)}", "a source without a token takes nothing: set these variables")
        ]
    return [ok("Sources", ", ".join(config.sources), _open_wide(config))]


def _open_wide(config: Config) -> str:
    """Advice where a token opens more than its holder is likely to need: a pipeline's could open incidents."""
    kinds = source_kinds(config)
    notices = scope_notices(config.sources, kinds)
    says = {name: takes(source, kinds[source.kind]) for name, source in config.sources.items()}
    reporting = [name for name in says if "changes" in says[name] and not config.sources[name].services]
    # A vendor's body names a repository or an application, which the vendor vouches for.
    if anywhere := [name for name in reporting if config.sources[name].kind == "generic"]:
        notices.append(f"sources.{', '.join(anywhere)}: may report changes of any service; `services` names whose")
    return "; ".join(notices)


async def _actions(config: Config) -> list[Check]:
    """Whether the addresses of remediations may be called from here; nothing is called."""
    if not (count := sum(bool(entry.url) for entry in config.actions.values())):
        return []
    advice = "allow_private: true is for jobs of your own network; else repair the address or the resolver"
    problems = [failed(f"Action {name}", text, advice) for name, text, _ in await address_problems(config)]
    return problems or [ok("Actions", f"{counted(count, 'action')} may be called")]


def _database_address(secrets: Secrets) -> str:
    """Empty where there is none yet: connecting would create the file, and a check must not."""
    try:
        file = sqlite_file(secrets)
    except ConfigurationError:
        # The check of the database says what is wrong with it.
        return secrets.database_url
    return secrets.database_url if file is None else f"sqlite:///{file}" if file.exists() else ""


def _database(secrets: Secrets) -> Check:
    address = _database_address(secrets)
    return check_database(address) if address else _new_database(secrets)


def _audit(secrets: Secrets) -> list[Check]:
    """On SQLite the key lies in the data folder and is made by itself."""
    if not secrets.postgres:
        return []
    try:
        require_audit_key(secrets)
    except ConfigurationError as error:
        return [failed("Audit", str(error), "set it before the start; docs/upgrade.md says how a trail without one gets it")]
    return [ok("Audit", "TOCSIN_AUDIT_KEY is set")]


def _sizes(secrets: Secrets, config: Config) -> list[Check]:
    address = _database_address(secrets)
    journal = None if secrets.postgres else secrets.data_dir / JOURNAL
    return check_sizes(address, journal, config.retention) if address else []


def _heartbeats(secrets: Secrets, config: Config) -> list[Check]:
    address = _database_address(secrets)
    return check_heartbeats(config, heartbeats(address) if address else [], utc_now())


def fingerprints(secrets: Secrets, config: Config) -> list[Check]:
    """Whether each rule of a source's identity fits anything that is stored."""
    address = _database_address(secrets)
    return check_fingerprints(config, lambda source: newest_labels(address, source) if address else [])


def _on_call(config: Config) -> Check:
    """Whether somebody is called whatever alerts."""
    called = {name for name, service in config.services.items() if service.on_call.rotation or service.on_call.usergroup}
    if config.default_on_call.rotation or config.default_on_call.usergroup:
        result = f"{len(called)} of {counted(len(config.services), 'service')}, default_on_call for all else"
        return ok("On call", result, one_line("; ".join(config.rota_notices()), 400))
    without = [*sorted(config.services.keys() - called), "services that are not in the catalogue"]
    return absent("On call", f"set default_on_call: nobody is called for {one_line(', '.join(without), 200)}")


def _new_database(secrets: Secrets) -> Check:
    folder = secrets.data_dir
    if folder.is_file():
        return failed("Database", f"{folder} is a file", "TOCSIN_DATA_DIR must be a folder")
    return ok("Database", f"{sqlite_file(secrets)} is made at the first start")


async def _slack(secrets: Secrets, config: Config) -> list[Check]:
    try:
        require_slack_tokens(secrets)
    except ConfigurationError as error:
        return [failed("Slack token", str(error), "the server does not start without it")]
    return await check_slack(
        secrets.slack_bot_token.get_secret_value(),
        secrets.slack_app_token.get_secret_value(),
        secrets.slack_signing_secret.get_secret_value(),
        secrets.slack_api_url,
        _channels(config),
    )


def _channels(config: Config) -> Mapping[str, str]:
    """Each configured channel with the services whose messages it gets, and the sources that it is."""
    services: dict[str, list[str]] = {config.default_channel: ["default"]} if config.default_channel else {}
    for service in catalogue_of(config).services.values():
        if service.channel and service.channel != config.default_channel:
            services.setdefault(service.channel, []).append(service.name)
    for name, channel in alert_channels(config, source_kinds(config)).items():
        services.setdefault(channel, []).append(f"alerts of {name}")
    return {channel: one_line(", ".join(names), 60) for channel, names in services.items()}


async def _models(secrets: Secrets, config: Config) -> list[Check]:
    """The model, and those that stand in for it or review its answers."""
    name = model_of(secrets)
    settings = replace(settings_of(secrets, name), fallback=secrets.fallback_model, skeptic=secrets.skeptic_model)
    others = {"Fallback model": secrets.fallback_model, "Skeptic": secrets.skeptic_model} if name else {}
    named = {"Model": name, **{role: other for role, other in others.items() if other}}
    checks = (check_model(settings, other, role, config.budget) for role, other in named.items())
    return list(await asyncio.gather(*checks))


def _model_code(secrets: Secrets) -> list[Check]:
    """Whether the agent's code can be imported; skipped without a model."""

    def build() -> None:
        from bot.llm import agent  # noqa: F401

    return [check_loading(build)] if model_of(secrets) else []


async def _systems(secrets: Secrets, config: Config, client: httpx.AsyncClient) -> list[Check]:
    rest = asyncio.gather(_logs(secrets, config, client), _alertmanager(config, client), *_others(secrets, config, client))
    prometheus, others = await asyncio.gather(_prometheus(secrets, config, client), rest)
    return [*prometheus, *others]


def _others(secrets: Secrets, config: Config, client: httpx.AsyncClient) -> Sequence[Awaitable[Check]]:
    """The other systems that tools read; those that are not configured give no check."""
    systems = systems_of(secrets, config, client)
    named = [
        system.check()
        for system in (systems.code, systems.argocd, systems.helm, systems.cluster, systems.models)
        if system is not None
    ]
    if systems.traces is not None:
        named.append(_traces(systems.traces))
    web = [systems.web.check(name) for name in config.systems.web if systems.web is not None]
    if systems.databases is not None:
        named += [systems.databases.check(name) for name in config.systems.postgres]
    return named + web + [systems.remote.check(name) for name in config.systems.mcp if systems.remote is not None]


async def _traces(traces: TempoTraces | JaegerTraces) -> Check:
    try:
        await traces.check()
    except QueryFailed as error:
        return failed("Traces", str(error), "check traces.tempo or traces.jaeger and TOCSIN_TRACES_TOKEN")
    return ok("Traces", "answers")


async def _logs(secrets: Secrets, config: Config, client: httpx.AsyncClient) -> Check:
    logs = logs_of(secrets, config, client)
    return await logs.check() if logs else absent("Logs", "set logs.loki or logs.files to search logs")


async def _prometheus(secrets: Secrets, config: Config, client: httpx.AsyncClient) -> list[Check]:
    """Whether it answers; if so, whether it understands the catalogue's queries."""
    if not config.prometheus.url:
        return [absent("Prometheus", "set prometheus.url: without it no onset, no graph and no verification")]
    metrics = PrometheusMetrics(config.prometheus, client, token=secrets.prometheus_token.get_secret_value())
    try:
        series = await metrics.instant("up")
    except QueryFailed as error:
        return [failed("Prometheus", str(error), "check prometheus.url and TOCSIN_PROMETHEUS_TOKEN")]
    up = sum(1 for target in series if len(target.values) and target.values[-1] == 1)
    # VictoriaMetrics and the like may be fed without scraping: no failure, but rarely meant.
    advice = (
        "" if series else "it scrapes nothing (no series `up`): is it the right one? Alerts get evidence from what it holds"
    )
    reachable = ok("Prometheus", f"{up} of {len(series)} targets are up", advice)
    return [reachable, *await check_queries(metrics, catalogue_of(config))]


async def _alertmanager(config: Config, client: httpx.AsyncClient) -> Check:
    if not config.alertmanager.url:
        return absent("Alertmanager", "set alertmanager.url to offer silences")
    server = JsonServer(client, name="Alertmanager", base=config.alertmanager.url, seconds=10)
    try:
        status = await server.read("/api/v2/status", {})
    except QueryFailed as error:
        return failed("Alertmanager", str(error), "check alertmanager.url and who may ask it: Tocsin sends it no token")
    if not isinstance(status, dict) or "cluster" not in status:
        return failed(
            "Alertmanager", f"{server.place} is another server", "check alertmanager.url: its API is below it at /api/v2"
        )
    return ok("Alertmanager", "answers")


def _local(config: Config) -> list[Check]:
    if config.runbooks is None:
        return [absent("Runbooks", "set runbooks to a folder of Markdown files")]
    if not config.runbooks.is_dir():
        return [failed("Runbooks", f"{config.runbooks} is no folder", "check runbooks in tocsin.yaml")]
    count = sum(1 for _ in config.runbooks.rglob("*.md"))
    return [ok("Runbooks", counted(count, "file"))]


def _links(config: Config) -> list[Check]:
    return [failed("Links", notice, "repair links.hosts in tocsin.yaml") for notice in link_notices(config.links.hosts)]


def _matches(config: Config) -> list[Check]:
    return [failed("Matches", notice, "repair it in tocsin.yaml") for notice in match_notices(config)]


def _variables(config: Config) -> list[Check]:
    return [failed("Variables", notice, "correct the name or take it out") for notice in unread_variables(config)]


def _pager(secrets: Secrets, config: Config) -> Check:
    if config.pager.pagerduty:
        if secrets.pagerduty_key.get_secret_value():
            return ok("Pager", "PagerDuty", "nothing was sent: only a real page proves the key")
        return failed("Pager", "PagerDuty without TOCSIN_PAGERDUTY_KEY", "set the integration's routing key")
    if config.pager.webhook:
        if secrets.pager_secret.get_secret_value():
            return ok("Pager", "webhook", "nothing was sent: only a real page proves the address")
        return failed("Pager", "a webhook without TOCSIN_PAGER_SECRET", "set the secret it is signed with")
    return absent("Pager", "nobody is woken when Slack is down: set pager.pagerduty or pager.webhook")
