"""How trouble travels: load flows from callers to callees, failures and waiting flow back.

Everything is an array over a stretch of the time grid; a stretch costs the same
numpy calls whether it is six hours or one point.
"""

from dataclasses import dataclass, field

import numpy as np

from bot.sandbox.world.effects import Effects
from bot.sandbox.world.history import History
from bot.sandbox.world.noise import Floats, normal, smooth
from bot.sandbox.world.pods import Fleet, Pod
from bot.sandbox.world.shop import ENTRY, ENTRY_RPS, Call, ServiceSpec, Shop

SHAPE = 5.0
"""Latencies are log-logistic with this shape: the slowest 5 % take 1.8 times the median."""
TIMEOUT_SECONDS = 2.5
BASE_ERROR = 0.0003
HEADROOM = 3.0
"""A service saturates at this multiple of its usual load."""
DAY_SECONDS = 86400.0


def slower_than(limit: float, median: Floats) -> Floats:
    """Share of log-logistic latencies above `limit` seconds."""
    return np.asarray(1.0 / (1.0 + (limit / np.maximum(median, 1e-6)) ** SHAPE))


@dataclass
class Stretch:
    """Working state over one stretch of `len(times)` points from grid index `first` on."""

    first: int
    times: Floats
    effects: Effects
    pods: dict[str, list[Pod]]
    rps: dict[str, Floats] = field(default_factory=dict)
    error: dict[str, Floats] = field(default_factory=dict)
    """Error ratio that callers of a service see."""
    latency: dict[str, Floats] = field(default_factory=dict)
    """Mean over its pods of the median seconds."""

    @property
    def count(self) -> int:
        """Points in the stretch."""
        return len(self.times)


class Physics:
    """Appends to a history what the shop does under given effects."""

    def __init__(self, shop: Shop, fleet: Fleet, seed: int, history: History) -> None:
        self.shop, self.fleet, self.seed, self.history = shop, fleet, seed, history
        self.usual_rps = self._usual_rps()
        self._backlog: dict[str, float] = {}

    def advance(self, effects: Effects) -> None:
        """Append the stretch that `effects` describes; it must begin where the history ends."""
        times, first = effects.times, self.history.length
        living: dict[str, list[Pod]] = {name: [] for name in self.shop.services}
        for pod in self.fleet.between(times[0], times[-1]):
            living[pod.service].append(pod)
        stretch = Stretch(first, times, effects, living)
        self._flow_load(stretch)
        for name in reversed(self.shop.callers_first):
            self._flow_trouble(self.shop[name], stretch)
        self.history.length = first + stretch.count

    def _usual_rps(self) -> dict[str, float]:
        usual = dict.fromkeys(self.shop.services, 0.0)
        usual[ENTRY] = ENTRY_RPS
        for name in self.shop.callers_first:
            for call in self.shop[name].calls:
                usual[call.callee] += usual[name] * call.per_request
        return usual

    def _flow_load(self, s: Stretch) -> None:
        wave = 1.0 + 0.15 * np.sin(2 * np.pi * (s.times / DAY_SECONDS - 0.3))
        load = ENTRY_RPS * wave * (1.0 + 0.02 * smooth(self.seed, "load", s.first, s.count))
        s.rps = {name: np.zeros(s.count) for name in self.shop.services}
        s.rps[ENTRY] = load
        for name in self.shop.callers_first:
            s.rps[name] = s.rps[name] * s.effects.entry[name]
            for call in self.shop[name].calls:
                factor = s.effects.calls.get((name, call.callee), np.ones(s.count))
                self.history.append("call_factor", f"{name}>{call.callee}", s.first, factor)
                s.rps[call.callee] = s.rps[call.callee] + s.rps[name] * call.per_request * factor
            self.history.append("rps", name, s.first, s.rps[name])

    def _flow_trouble(self, spec: ServiceSpec, s: Stretch) -> None:
        dependency_error, waiting = self._from_calls(spec, s)
        provider_error, provider_wait = self._from_provider(spec, s)
        dependency_error = 1.0 - (1.0 - dependency_error) * (1.0 - provider_error)
        waiting = waiting + provider_wait
        alive = sum((self._mask(pod, s) for pod in s.pods[spec.name]), np.zeros(s.count))
        pod_rps = s.rps[spec.name] / np.maximum(alive, 1.0)
        overload = s.rps[spec.name] / (HEADROOM * self.usual_rps[spec.name] * np.maximum(alive, 0.5) / spec.replicas)
        error_sum, latency_sum = np.zeros(s.count), np.zeros(s.count)
        for pod in s.pods[spec.name]:
            own, median = self._pod_behaviour(spec, pod, s, overload)
            median = median + waiting
            mask = self._mask(pod, s)
            error_sum += mask * (1.0 - (1.0 - own) * (1.0 - dependency_error))
            latency_sum += mask * median
            self._record_pod(spec, pod, s, pod_rps, own, dependency_error, median, overload)
        s.error[spec.name] = np.where(alive > 0, error_sum / np.maximum(alive, 1.0), 1.0)
        s.latency[spec.name] = latency_sum / np.maximum(alive, 1.0)
        if spec.queue:
            self._record_queue(spec, s)

    def _from_calls(self, spec: ServiceSpec, s: Stretch) -> tuple[Floats, Floats]:
        """Error ratio and seconds that the calls of one request add."""
        survived, waiting = np.ones(s.count), np.zeros(s.count)
        for call in spec.calls:
            failed = self._call_error(call, s)
            self.history.append("call_error", f"{spec.name}>{call.callee}", s.first, failed)
            self.history.append("call_seconds", f"{spec.name}>{call.callee}", s.first, s.latency[call.callee])
            survived = survived * (1.0 - min(1.0, call.per_request) * call.weight * failed)
            waiting = waiting + call.per_request * np.minimum(s.latency[call.callee], TIMEOUT_SECONDS)
        return 1.0 - survived, waiting

    def _call_error(self, call: Call, s: Stretch) -> Floats:
        timed_out = slower_than(TIMEOUT_SECONDS, s.latency[call.callee])
        return np.asarray(1.0 - (1.0 - s.error[call.callee]) * (1.0 - timed_out))

    def _from_provider(self, spec: ServiceSpec, s: Stretch) -> tuple[Floats, Floats]:
        provider = spec.provider
        if provider is None:
            return np.zeros(s.count), np.zeros(s.count)
        usual = 0.0005 * (1.0 + 0.3 * normal(self.seed, provider.name, s.first, s.count))
        failed = np.clip(usual + s.effects.provider_errors.get(provider.name, 0.0), 0.0, 0.98)
        seconds = provider.seconds + s.effects.provider_delays.get(provider.name, np.zeros(s.count))
        self.history.append("provider_error", spec.name, s.first, failed)
        self.history.append("provider_seconds", spec.name, s.first, seconds)
        return failed * min(1.0, provider.per_request) * provider.weight, seconds * provider.per_request

    def _pod_behaviour(self, spec: ServiceSpec, pod: Pod, s: Stretch, overload: Floats) -> tuple[Floats, Floats]:
        """Own error ratio and own median seconds of one pod."""
        usual = BASE_ERROR * (1.0 + 0.25 * normal(self.seed, f"{pod.name}:error", s.first, s.count))
        refused = np.clip(1.0 - 1.0 / np.maximum(overload, 1e-6), 0.0, 0.9)
        wobble = 1.0 + 0.05 * smooth(self.seed, f"{pod.name}:trouble", s.first, s.count)
        own = np.clip(usual + s.effects.total(s.effects.errors, pod) * wobble + refused, 0.0, 0.98)
        queueing = 0.8 * np.clip(overload - 0.85, 0.0, 1.5)
        jitter = 1.0 + 0.04 * smooth(self.seed, f"{pod.name}:latency", s.first, s.count)
        return own, spec.seconds * jitter + queueing + s.effects.total(s.effects.delays, pod)

    def _mask(self, pod: Pod, s: Stretch) -> Floats:
        return ((s.times >= pod.born) & (s.times < pod.died)).astype(np.float64)

    def _record_pod(
        self,
        spec: ServiceSpec,
        pod: Pod,
        s: Stretch,
        rps: Floats,
        own: Floats,
        inherited: Floats,
        median: Floats,
        overload: Floats,
    ) -> None:
        start, stop = np.searchsorted(s.times, (pod.born, pod.died))
        ready = (1.0 - (1.0 - own) * (1.0 - inherited)) < 0.6
        values = {
            "pod_rps": rps,
            "pod_own_error": own,
            "pod_inherited_error": inherited,
            "pod_seconds": median,
            "pod_ready": ready.astype(np.float64),
            "pod_memory": self._memory(spec, pod, s),
            "pod_cpu": self._cpu(pod, s, overload),
            "pod_restarts": s.effects.total(s.effects.restarts, pod) + np.zeros(s.count),
        }
        if spec.pool:
            values["pod_connections"] = self._connections(spec, pod, s, rps)
        for kind, array in values.items():
            self.history.append(kind, pod.name, s.first + int(start), array[start:stop])

    def _memory(self, spec: ServiceSpec, pod: Pod, s: Stretch) -> Floats:
        breathing = 0.03 * smooth(self.seed, f"{pod.name}:memory", s.first, s.count, 64)
        usual = spec.memory_mib * (1.0 + breathing)
        return np.asarray(np.maximum(usual, spec.limit_mib * s.effects.most(s.effects.memory, pod)) * 2.0**20)

    def _cpu(self, pod: Pod, s: Stretch, overload: Floats) -> Floats:
        """Cores in use; each pod may use one."""
        jitter = 1.0 + 0.05 * normal(self.seed, f"{pod.name}:cpu", s.first, s.count)
        extra = s.effects.total(s.effects.cpu, pod)
        return np.clip((0.9 * overload + extra) * jitter, 0.01, 1.0)

    def _connections(self, spec: ServiceSpec, pod: Pod, s: Stretch, rps: Floats) -> Floats:
        usual = 2.0 + 0.04 * rps + 0.8 * normal(self.seed, f"{pod.name}:connections", s.first, s.count)
        occupied = spec.pool * s.effects.most(s.effects.connections, pod)
        return np.clip(np.round(np.maximum(usual, occupied)), 1, spec.pool)

    def _record_queue(self, spec: ServiceSpec, s: Stretch) -> None:
        """Work that failed or could not be done waits, and is worked off at a fifth of the usual load."""
        step = self.history.grid.step
        balance = step * (s.rps[spec.name] * s.error[spec.name] * 3.0 - 0.2 * self.usual_rps[spec.name])
        depth, backlog = np.empty(s.count), self._backlog.get(spec.name, 0.0)
        for i, change in enumerate(balance):
            depth[i] = backlog = min(max(0.0, backlog + change), 20000.0)
        self._backlog[spec.name] = backlog
        resting = np.abs(6.0 + 2.0 * normal(self.seed, f"{spec.name}:queue", s.first, s.count))
        self.history.append("queue", spec.name, s.first, np.round(depth + resting))
