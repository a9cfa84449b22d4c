"""All kinds that are played on the stage, by name."""

from tests.attacks import control, huge, injection, leak, model_output, query, render, secret, ssrf, telemetry, unicode
from tests.attacks.kinds import Kind

_MODULES = (injection, telemetry, render, unicode, secret, control, query, ssrf, model_output, huge, leak)
KINDS: dict[str, Kind] = {module.KIND.name: module.KIND for module in _MODULES}
