"""Written by `python -m tests.evaluation calibration`: the share of leads at least so far ahead that was right."""

from collections.abc import Mapping, Sequence

from bot.core.evidence import Basis

TABLE: Mapping[Basis, Sequence[tuple[float, float]]] = {
    "measured": (
        (0, 0.864),
        (0.117, 0.885),
        (0.128, 0.902),
        (0.191, 0.918),
        (0.296, 0.932),
        (0.403, 0.962),
        (0.46, 0.974),
        (0.533, 1.000),
    ),
    "burst": (
        (0, 0.619),
        (0.022, 0.663),
        (0.044, 0.677),
        (0.051, 0.691),
        (0.078, 0.705),
        (0.087, 0.720),
        (0.105, 0.733),
        (0.119, 0.750),
        (0.139, 0.774),
        (0.213, 0.787),
        (0.22, 0.797),
        (0.232, 0.808),
        (0.266, 0.827),
        (0.269, 0.838),
        (0.326, 0.857),
        (0.37, 0.882),
        (0.39, 0.894),
        (0.519, 0.911),
        (0.628, 0.922),
        (0.674, 0.939),
        (0.727, 0.951),
        (1.194, 0.967),
        (2.639, 1.000),
    ),
}
