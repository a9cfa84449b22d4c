"""Measured values as people read them aloud."""

import math

_SECOND_STEPS = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
LEAST_PERCENT = 0.0005
"""Less of a share reads as none: a difference of two counters may end a hair below zero."""
_BYTE_STEPS = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))


def figure(value: float | None, unit: str = "") -> str:
    """`4.2 %` for a ratio, `350 ms` for seconds, `512 MiB` for bytes, else three digits (`193 million`) and the unit; "no
    value" for NaN. Below one percent two digits, `0.41 %`: a third is read aloud and tells nobody anything."""
    if value is None or not math.isfinite(value):
        return "no value"
    if unit == "ratio":
        return f"{_percent(100 * value)} %"
    if unit in ("s", "seconds"):
        return _stepped(value, _SECOND_STEPS)
    if unit in ("B", "bytes"):
        return _stepped(value, _BYTE_STEPS)
    return f"{_digits(value)} {unit}".strip()


def _percent(value: float) -> str:
    if abs(value) < LEAST_PERCENT:
        return "0"
    return _digits(float(f"{value:.2g}") if abs(value) < 1 else value)


def _stepped(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    if not value:
        return f"0 {steps[2][1] if steps is _SECOND_STEPS else steps[-1][1]}"
    size, _ = _step(value, steps)
    # 0.9996 s are a second and no 1000 ms: the step is that of the rounded figure.
    rounded = _rounded(value / size) * size
    size, name = _step(rounded, steps)
    return f"{_digits(rounded / size)} {name}"


def _step(value: float, steps: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    # An hour or a minute only from two of them on: "90 s" is read faster than "1.5 min".
    return next(((s, n) for s, n in steps if abs(value) >= (2 * s if s in (60.0, 3600.0) else s)), steps[-1])


def _rounded(value: float) -> float:
    """As `_digits` shows it."""
    return float(round(value)) if abs(value) >= 100 else float(f"{value:.3g}")


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


_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `11th`, `23rd`, `112th`."""
    return f"{number}{_ENDINGS.get(0 if number % 100 in (11, 12, 13) else number % 10, 'th')}"
