"""Changes seen in kube-state-metrics: a new image, a new generation of a deployment, another number of pods.

Metrics: https://github.com/kubernetes/kube-state-metrics/tree/main/docs
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bot.core.change import Change, ChangeKind
from bot.core.loading.arrays import np
from bot.core.metrics.promql import Matcher, literal_pattern, selector
from bot.core.metrics.series import Series, known_samples

SOURCE = "kubernetes"
SAME_ROLLOUT = timedelta(minutes=5)
"""Image, generation and a deploy that another source reported belong together within this time."""

ServiceOf = Callable[[Mapping[str, str]], str]
"""The service that the labels of a series belong to; "" for none."""


def pod_pattern(deployments: Iterable[str]) -> str:
    """An RE2 pattern for the names of the deployments' pods: `<deployment>-<template hash>-<suffix>`."""
    return f"({_either(deployments)})-[a-z0-9]+-[a-z0-9]+"


def rollout_queries(deployments: Sequence[str], namespace: str = "") -> dict[str, str]:
    """PromQL for images, generations and desired pods of some deployments, by what it shows."""
    in_namespace = (Matcher("namespace", namespace),) if namespace else ()
    pods = (*in_namespace, Matcher("pod", pod_pattern(deployments), "=~"))
    own = (*in_namespace, Matcher("deployment", _either(deployments), "=~"))
    return {
        "images": f"count by (namespace, pod, container, image) ({selector('kube_pod_container_info', pods)})",
        "generations": selector("kube_deployment_metadata_generation", own)
        + " or "
        + selector("kube_deployment_status_observed_generation", own),
        "replicas": selector("kube_deployment_spec_replicas", own),
    }


def _either(names: Iterable[str]) -> str:
    return "|".join(literal_pattern(name) for name in sorted(names))


def rollouts(series: Mapping[str, Sequence[Series]], *, service_of: ServiceOf, start: datetime, step: float) -> list[Change]:
    """The changes that the series of `rollout_queries` show after `start`, newest first.

    A change lies between two samples and is dated at the earlier one, so that it never seems to come after its effect.
    """
    images = _images(series.get("images", ()), service_of, start, step)
    replicas = _steps(series.get("replicas", ()), service_of, "scale", "pods {0:g} -> {1:g}", step)
    generations = _steps(series.get("generations", ()), service_of, "config", "generation {0:g} -> {1:g}", step)
    explained = images + replicas
    changes = explained + [change for change in generations if not _is_among(change, explained)]
    return sorted(changes, key=lambda change: change.at, reverse=True)


def without_reported(changes: Iterable[Change], reported: Sequence[Change]) -> list[Change]:
    """Those that no other source has reported: a report says more than what can be read from series."""
    return [change for change in changes if not _is_among(change, reported)]


def merge_reported(reported: Sequence[Change], recorded: Iterable[Change]) -> list[Change]:
    """What was reported, and what systems of record hold besides: not the same change of the same kind a second time."""
    merged = list(reported)
    for change in sorted(recorded, key=lambda entry: (entry.at, entry.id)):
        if not _is_among(change, [other for other in merged if other.kind == change.kind]):
            merged.append(change)
    return merged


def _is_among(change: Change, others: Iterable[Change]) -> bool:
    """Whether one of the others is the same roll-out: of the same service, at about the same moment."""
    return any(other.service == change.service and abs(other.at - change.at) <= SAME_ROLLOUT for other in others)


def _images(series: Sequence[Series], service_of: ServiceOf, start: datetime, step: float) -> list[Change]:
    """A deploy wherever a pod runs another image than the pod that started before it.

    So a rollback to an older image counts, and more pods of the same image do not.
    """
    starts: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for line in series:
        service, image, times = service_of(line.labels), line.labels.get("image", ""), known_samples(line).times
        if service and image and len(times):
            starts.setdefault((service, line.labels.get("container", "")), []).append((float(times[0]), image))
    changes = []
    for (service, container), pods in starts.items():
        for (_, old), (moment, new) in pairwise(sorted(pods)):
            # The pods of the window's first samples may be of any age.
            if old != new and moment - start.timestamp() > 2 * step:
                changes.append(_deploy(service, container, old, new, _at(moment, step)))
    return changes


def _deploy(service: str, container: str, old: str, new: str, at: datetime) -> Change:
    return Change(
        id=f"{SOURCE}:image:{service}/{container}:{_tag(new)}:{int(at.timestamp())}",
        at=at,
        service=service,
        kind="deploy",
        title=f"image {_tag(old)} -> {_tag(new)}",
        version=_tag(new),
        previous_version=_tag(old),
        source=SOURCE,
    )


def _tag(image: str) -> str:
    """`1.5.0` of `registry/shop/checkout:1.5.0`; the digest's start, or the name, without a tag."""
    name = image.rsplit("/", 1)[-1]
    if "@" in name:
        return name.split("@", 1)[1][:19]
    return name.split(":", 1)[1] if ":" in name else name


def _steps(series: Sequence[Series], service_of: ServiceOf, kind: ChangeKind, title: str, step: float) -> list[Change]:
    """A change for each step of the values."""
    changes = []
    for line in series:
        service, samples = service_of(line.labels), known_samples(line)
        for index in np.flatnonzero(np.diff(samples.values)) if service else ():
            old, new = float(samples.values[index]), float(samples.values[index + 1])
            at = _at(float(samples.times[index + 1]), step)
            id = f"{SOURCE}:{kind}:{service}:{new:g}:{int(at.timestamp())}"
            changes.append(Change(id=id, at=at, service=service, kind=kind, title=title.format(old, new), source=SOURCE))
    return changes


def _at(moment: float, step: float) -> datetime:
    return datetime.fromtimestamp(moment - step, UTC)
