"""What goes wrong on demand: refusals, delays, lost answers, doubled events, an unreachable Slack."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class MethodError:
    """`method` answers `code` for the next `times` calls; `*` is any method."""

    method: str
    code: str
    times: int = 1
    retry_after: int | None = None


@dataclass
class Faults:
    """All faults that are switched on. Counters go down as they strike; times are milliseconds."""

    delay_ms: int = 0
    late_ms: int = 0
    down: bool = False
    drop_after_accept: int = 0
    drop_before_accept: int = 0
    duplicate_events: int = 0
    retry_delays_s: list[float] = field(default_factory=lambda: [0.0, 60.0, 300.0])
    errors: list[MethodError] = field(default_factory=list)

    def change(self, request: Json) -> None:
        """Apply a control request; keys that are not named stay as they are."""
        for name in ("delay_ms", "late_ms", "drop_after_accept", "drop_before_accept", "duplicate_events"):
            if name in request:
                setattr(self, name, int(request[name]))
        if "down" in request:
            self.down = bool(request["down"])
        if "retry_delays_s" in request:
            self.retry_delays_s = [float(delay) for delay in request["retry_delays_s"]]
        if "429" in request:
            self.errors.append(
                MethodError(str(request.get("method", "chat.*")), "ratelimited", int(request["429"]), _seconds(request))
            )
        error = request.get("error")
        for one in error if isinstance(error, list) else [error] if error else []:
            self.errors.append(MethodError(str(one["method"]), str(one["code"]), int(one.get("times", 1))))

    def strike(self, method: str) -> MethodError | None:
        """The error this call gets, if one is due; it is counted down."""
        for error in self.errors:
            fits = error.method in ("*", method) or (error.method.endswith("*") and method.startswith(error.method[:-1]))
            if fits and error.times > 0:
                error.times -= 1
                return error
        return None

    def take(self, counter: str) -> bool:
        """Count one of the counters down; True if the fault strikes now."""
        left = int(getattr(self, counter))
        if left > 0:
            setattr(self, counter, left - 1)
        return left > 0

    def as_json(self) -> Json:
        """What is switched on now."""
        return asdict(self)


def _seconds(request: Json) -> int:
    return int(request.get("retry_after", 1))
