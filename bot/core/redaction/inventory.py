"""Which names of services, pods, hosts and people one incident speaks of: what is not to leave where names are masked."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from bot.core.config import Config
from bot.core.evidence import Case, LedgerEntry
from bot.core.redaction.pseudonyms import Kind, Name

_KEYS: dict[Kind, str] = {
    "service": "service services depends_on dependents app app_kubernetes_io_name job caller callee peer release application",
    "pod": "pod pod_name kubernetes_pod_name",
    "host": "host hostname node nodename instance exported_instance kubernetes_node server",
    "namespace": "namespace kubernetes_namespace exported_namespace",
    "workload": "deployment statefulset daemonset workload container",
    "cluster": "cluster",
    "component": "component",
    "person": "author user owner owners who confirmed_by said_by",
}
"""Labels and fields whose value is a name."""
_KIND_OF: dict[str, Kind] = {key: kind for kind, keys in _KEYS.items() for key in keys.split()}
_LABEL = re.compile(rf"\b({'|'.join(_KIND_OF)})=\"?([\w.:/@-]+)", re.A)
_SPEAKER = re.compile(r"([^:]{1,80}): ")


def inventory_of(config: Config) -> list[Name]:
    """The names that the configuration holds: services first, as other systems call them, deployments, people, hosts."""
    names = [Name("service", name) for name in config.services]
    for service in config.services.values():
        names += [Name("service", other) for other in service.depends_on]
        names += _in({**service.match, **service.deployment})
        if deployed := service.deployment.get("name"):
            names.append(Name("workload", deployed))
        names += [Name("service", name) for name in service.known_as.model_dump().values() if name]
    for key, person in config.people.items():
        names += [Name("person", text) for text in (key, person.name, person.slack, person.email) if text]
    # Queries and errors name the systems that were queried.
    return names + [Name("host", host) for host in _hosts(config)]


def _hosts(config: Config) -> Iterator[str]:
    """Hosts of the configured systems. One word as in `http://loki:3100` identifies nobody, and stands in every finding."""
    systems = config.systems
    inventories = (systems.github.url, systems.argocd.url, systems.kubernetes.url, systems.mlflow.url)
    team_servers = (*(server.url for server in systems.web.values()), *(server.url for server in systems.mcp.values()))
    metrics = (config.prometheus.url, config.prometheus.public_url)
    others = (config.logs.loki, config.traces.tempo, config.traces.jaeger, config.alertmanager.url)
    hosts = (*(urlsplit(url).hostname for url in (*metrics, *others, *inventories, *team_servers)), *_database_hosts(config))
    yield from (host for host in hosts if host and "." in host)


def _database_hosts(config: Config) -> Iterator[str]:
    return (server.host for server in config.systems.postgres.values())


def names_in(case: Case, ledger: Sequence[LedgerEntry], hints: Iterable[str] = ()) -> list[Name]:
    """The names that a case, its evidence and the hints ("who: text") hold. The same rows give the same list.

    Names are taken from fields and labels, where measurements and records put them. Of running text only `label=value` of
    evidence that users of the service cannot write counts: they could make a name of every word.
    """
    services = (case.service, *(interval.service for interval in case.firing_before))
    names = [*(Name("service", service) for service in services), *_in(case.labels), *_labels(case.expression)]
    for entry in ledger:
        if not entry.evidence.ok:
            continue  # it names what was requested, which need not exist
        names += [*_in(entry.arguments), *_in(entry.evidence.facts.model_dump(mode="json"))]
        if not entry.evidence.user_controllable:
            for text in (entry.evidence.query, entry.evidence.summary, *entry.evidence.details):
                names += _labels(text)
    names += [Name("person", speaker[1]) for hint in hints if (speaker := _SPEAKER.match(hint))]
    return [part for name in names for part in _with_address(name) if part.text]


def _in(node: object, kind: Kind | None = None) -> Iterator[Name]:
    """The names below one piece of JSON; `kind` is what the key above it says."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _in(value, _KIND_OF.get(str(key)))
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _in(item, kind)
    elif isinstance(node, str) and kind:
        yield Name(kind, node)


def _with_address(name: Name) -> tuple[Name, ...]:
    """`10.2.0.7:9100` is written as `10.2.0.7` too."""
    host, _, port = name.text.rpartition(":")
    return (name, Name(name.kind, host)) if name.kind == "host" and host and port.isdigit() else (name,)


def _labels(text: str) -> list[Name]:
    return [Name(_KIND_OF[key], value.rstrip(".:/-")) for key, value in _LABEL.findall(text)]
