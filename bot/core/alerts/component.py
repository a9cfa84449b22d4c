"""The component that an alert is about, from its labels: a pod, a service or a host; or the two ends of a call."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.facts.alerting import Level
from bot.core.infrastructure.exporters import HOSTS, PODS, host_of, subject_of

_ENDS = (("client", "server"), ("source", "destination"), ("caller", "callee"))
"""How service graphs, meshes and tracers name the two ends of a call."""
SCOPE_LABELS = ("cluster", "env", "environment")
"""Two values of one of these are two installations: never one cause."""
OPERATIONS = ("operation", "span_name", "route", "rpc_method", "method", "endpoint", "path")


@dataclass(frozen=True)
class Component:
    """One component: its own name, what kind of thing it is, and the service and host it belongs to ("": unknown)."""

    name: str
    level: Level
    service: str = ""
    host: str = ""


def component_of(labels: Mapping[str, str], service: str) -> Component | None:
    """The narrowest component that the labels name; None if they name none. `service` is what the catalogue makes of them."""
    labels, _, is_host = subject_of(labels)
    host, instance = _first(labels, HOSTS), host_of(labels.get("instance", ""))
    if is_host and (machine := host or instance):
        return Component(machine, "host", host=machine)
    pod = _first(labels, PODS)
    if pod:
        return Component(pod, "pod", service, host)
    if service:
        return Component(service, "service", service, host)
    name = host or instance
    return Component(name, "host", host=name) if name else None


def scope_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Which installation an alert is about, as far as its labels name it."""
    return {name: labels[name] for name in SCOPE_LABELS if labels.get(name)}


def place_of(labels: Mapping[str, str]) -> str:
    """The pod, host or instance that the labels name; "" where they name none."""
    component = component_of(labels, "")
    return component.name if component else ""


def ends_of(labels: Mapping[str, str]) -> tuple[Component, Component] | None:
    """Caller and callee of an alert about calls; None for any other alert."""
    for first, second in _ENDS:
        caller = _end(labels, first)
        callee = _end(labels, second) if caller else None
        if caller and callee:
            return caller, callee
    return None


def _end(labels: Mapping[str, str], end: str) -> Component | None:
    service = _first(labels, (end, f"{end}_service", f"{end}_service_name", f"{end}_workload", f"{end}_app"))
    pod, host = labels.get(f"{end}_pod", ""), labels.get(f"{end}_node", "")
    if pod:
        return Component(pod, "pod", service, host)
    return Component(service, "service", service, host) if service else None


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
