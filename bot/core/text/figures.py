"""Measured values as people read them aloud."""

import math

_SECOND_STEPS = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_BYTE_STEPS = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))


def figure(value: float | None, unit: str = "") -> str:
    """`4.2 %` for a ratio, `350 ms` for seconds, `512 MiB` for bytes, else three digits (`193 million`) and the unit; "no
    value" for NaN."""
    if value is None or not math.isfinite(value):
        return "no value"
    if unit == "ratio":
        return f"{_digits(100 * value)} %"
    if unit in ("s", "seconds"):
        return _stepped(value, _SECOND_STEPS)
    if unit in ("B", "bytes"):
        return _stepped(value, _BYTE_STEPS)
    return f"{_digits(value)} {unit}".strip()


def _stepped(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    # An hour or a minute only from two of them on: "90 s" is read faster than "1.5 min".
    size, name = next(((s, n) for s, n in steps if abs(value) >= (2 * s if s in (60.0, 3600.0) else s)), steps[-1])
    return f"{_digits(value / size)} {name}" if value else f"0 {steps[2][1] if steps is _SECOND_STEPS else steps[-1][1]}"


def _digits(value: float) -> str:
    if value == 0 or abs(value) < 1e-9:
        return "0"
    if abs(value) >= 1e15:
        return f"{value:.2e}"
    for size, name in ((1e9, "billion"), (1e6, "million")):
        # 999.6 million are a billion: the step is that of the rounded figure.
        if abs(value) >= 0.9995 * size:
            return f"{_digits(value / size)} {name}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
