"""Which deployment of the cluster belongs to which service, for the tools that read kube-state-metrics."""

import re
from collections.abc import Mapping

from bot.core.metrics.promql import is_plain_name
from bot.plugins import ToolContext

_POD_SUFFIX = re.compile(r"-[a-z0-9]+-[a-z0-9]+$")


def deployments(ctx: ToolContext, service: str) -> dict[str, str]:
    """Deployment -> service: of one service, or of the whole catalogue for "" (of the case alone without a catalogue)."""
    services = ctx.catalogue.services
    names = [service] if service else list(services) or [ctx.case.service]
    by_deployment = {}
    for name in names:
        entry = services.get(name)
        label = ctx.case.labels.get("deployment", "") if name == ctx.case.service and not entry else ""
        deployment = (entry.deployment.get("name") if entry else "") or label or name
        if is_plain_name(deployment):
            by_deployment[deployment] = name
    return by_deployment


def namespace(ctx: ToolContext, service: str) -> str:
    """The namespace of one service; "" where it is not known or there are several services."""
    entry = ctx.catalogue.get(service)
    if entry:
        return entry.deployment.get("namespace", "")
    label = ctx.case.labels.get("namespace", "") if service and service == ctx.case.service else ""
    return label if is_plain_name(label) else ""


def owner(labels: Mapping[str, str], services: Mapping[str, str]) -> str:
    """The service of a series of kube-state-metrics, by its deployment or its pod's name; "" for a stranger."""
    deployment = labels.get("deployment") or _POD_SUFFIX.sub("", labels.get("pod", ""))
    return services.get(deployment, "")
