"""All kinds that are played on the stage, by name."""

from tests.attacks import (
    control,
    huge,
    injection,
    leak,
    malformed,
    model_output,
    query,
    render,
    replay,
    secret,
    ssrf,
    telemetry,
    unicode,
)
from tests.attacks.kinds import Kind

_MODULES = (injection, telemetry, render, unicode, secret, control, query, ssrf, model_output, huge, leak, malformed, replay)
KINDS: dict[str, Kind] = {module.KIND.name: module.KIND for module in _MODULES}
