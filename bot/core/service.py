"""The catalogue: services, who owns them, where they talk and what they depend on."""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from bot.core.infrastructure.exporters import subject_of

Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""PromQL."""


class Signal(BaseModel):
    """How to see whether a service is well."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    promql: Query
    unit: str = ""
    bad_above: float | None = None
    bad_below: float | None = None


class Objective(BaseModel):
    """A service level objective: the share of good events over a window. `{window}` in the queries is filled in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    good: Query
    """PromQL for the rate of good events, e.g. `sum(rate(http_requests_total{code!~"5.."}[{window}]))`."""
    total: Query
    """PromQL for the rate of all events."""
    objective: float = Field(gt=0, lt=100)
    """Percent of events that must be good, e.g. 99.9."""
    window: str = Field(default="30d", pattern=r"^[1-9][0-9]{0,3}[hdw]$")
    """Over which the error budget is counted."""

    @field_validator("good", "total")
    @classmethod
    def _over_the_window(cls, promql: str, info: ValidationInfo) -> str:
        """A query with a range of its own would be told as if it were over each window; a constant total has none."""
        if "{window}" not in promql and (info.field_name == "good" or "[" in promql):
            raise ValueError("has no {window}: write it in the place of the range, e.g. [{window}]")
        return promql


class Service(BaseModel):
    """One service as the catalogue describes it; `name` is its key in tocsin.yaml."""

    model_config = ConfigDict(frozen=True)

    name: str
    owners: tuple[str, ...] = ()
    channel: str = ""
    depends_on: tuple[str, ...] = ()
    match: dict[str, str] = Field(default_factory=dict)
    deployment: dict[str, str] = Field(default_factory=dict)
    signals: dict[str, Signal] = Field(default_factory=dict)
    objectives: dict[str, Objective] = Field(default_factory=dict)
    known_as: dict[str, str] = Field(default_factory=dict)
    """What other systems call it: github (owner/repository), argocd (application), helm (namespace/release), mlflow (model)."""


def reachable(start: str, depends_on: Mapping[str, Sequence[str]], *, depth: float = math.inf) -> dict[str, int]:
    """The service and all that it depends on, directly or not, with the distance in calls; the nearest first."""
    distances = {start: 0}
    queue = deque([start])
    while queue:
        service = queue.popleft()
        for callee in depends_on.get(service, ()) if distances[service] < depth else ():
            if callee not in distances:
                distances[callee] = distances[service] + 1
                queue.append(callee)
    return distances


class Catalogue:
    """All known services. An empty catalogue is normal: tools then work from the alert's own labels."""

    def __init__(self, services: Iterable[Service] = ()) -> None:
        self._take(services)

    def _take(self, services: Iterable[Service]) -> None:
        self.services: Mapping[str, Service] = {service.name: service for service in services}
        self._depends_on = {service.name: service.depends_on for service in self.services.values()}
        # By one of the labels that it matches: every alert is asked for its service, and there may be hundreds.
        self._by_label: dict[tuple[str, str], list[Service]] = {}
        for service in self.services.values():
            if service.match:
                self._by_label.setdefault(next(iter(service.match.items())), []).append(service)

    def get(self, name: str) -> Service | None:
        """The service of this exact name."""
        return self.services.get(name)

    def of_labels(self, labels: Mapping[str, str]) -> str:
        """The service these labels belong to: the longest matching `match`, else a usual label, else a check of that name."""
        near = (service for label in labels.items() for service in self._by_label.get(label, ()))
        matching = [s for s in near if all(labels.get(k) == v for k, v in s.match.items())]
        if matching:
            return max(matching, key=lambda s: (len(s.match), s.name)).name
        if names := subject_of(labels, self.services).names:
            return names[0]
        check = labels.get("check", "")
        return check if check in self.services else ""

    def channel_of(self, service: str, default: str) -> str:
        """Where alerts of a service stand; the `default` of one that is unknown, or has no channel of its own."""
        entry = self.services.get(service)
        return entry.channel if entry and entry.channel else default

    def dependencies(self, name: str) -> tuple[str, ...]:
        """What `name` calls directly."""
        return self._depends_on.get(name, ())

    def dependents(self, name: str) -> tuple[str, ...]:
        """Who calls `name` directly."""
        return tuple(s.name for s in self.services.values() if name in s.depends_on)

    def downstream(self, name: str, *, depth: int = 4) -> dict[str, int]:
        """Everything `name` depends on, with its distance in calls (1 = direct)."""
        return {service: calls for service, calls in reachable(name, self._depends_on, depth=depth).items() if calls}


class LiveCatalogue(Catalogue):
    """The catalogue of a running process: whoever holds it reads what was taken over last. Tools know it as one to read."""

    def replace(self, services: Iterable[Service]) -> None:
        """Know these services from now on, and no others."""
        self._take(services)
