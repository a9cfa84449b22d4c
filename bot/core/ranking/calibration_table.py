"""Written by `python -m tests.evaluation calibration`: the share of leads at least so far ahead that was right."""

from collections.abc import Mapping, Sequence

from bot.core.evidence import Basis

TABLE: Mapping[Basis, Sequence[tuple[float, float]]] = {
    "measured": (
        (-0.003, 0.864),
        (0.117, 0.885),
        (0.128, 0.902),
        (0.191, 0.918),
        (0.296, 0.932),
        (0.403, 0.962),
        (0.46, 0.974),
        (0.533, 1.000),
    ),
    "alerts": (
        (0, 0.619),
        (0.003, 0.682),
        (0.131, 0.699),
        (0.168, 0.713),
        (0.276, 0.724),
        (0.317, 0.740),
        (0.36, 0.755),
        (0.489, 0.769),
        (0.511, 0.784),
        (0.537, 0.800),
        (0.659, 0.815),
        (0.863, 0.833),
        (1.077, 0.844),
        (1.112, 0.855),
        (1.159, 0.867),
        (1.306, 0.879),
        (1.44, 0.889),
        (1.568, 0.899),
        (1.775, 0.909),
        (2.333, 0.924),
        (2.551, 0.934),
        (4.457, 0.955),
        (11.877, 1.000),
    ),
}
