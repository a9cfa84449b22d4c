"""TOCSIN_* variables that are set and read by nothing: a slip in a name would be noticed when an alert is missing."""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from bot.core.config import Config
from bot.settings import Secrets, variable_of

_NEAR_TOKEN, _NEAR_SETTING = 0.6, 0.9
"""How alike two names are, of 1. Whoever runs the process sets other TOCSIN_ variables too (Kubernetes for a Service)."""
_MAX_NAMED = 5


def unread_variables(config: Config, environment: Mapping[str, str] = os.environ) -> list[str]:
    """A line about each variable that nothing reads, with the name that is probably meant."""
    settings = {f"TOCSIN_{name.upper()}" for name in Secrets.model_fields}
    names = sorted(name for name, value in environment.items() if name.startswith("TOCSIN_") and name not in settings and value)
    families = _families(config)
    notices: list[str] = []
    for name in names:
        prefix = next((prefix for prefix in families if name.startswith(prefix)), "")
        if prefix:
            notices += _of_entry(name, prefix, *families[prefix], environment)
        elif near := get_close_matches(name, settings, n=1, cutoff=_NEAR_SETTING):
            notices.append(f"{name} is read by nothing: {near[0]} is probably meant")
    return notices


def _families(config: Config) -> dict[str, tuple[str, Mapping[str, object]]]:
    """Prefixes of variables that are named after an entry of tocsin.yaml: where the entries stand, and these."""
    systems = config.systems
    return {
        "TOCSIN_TOKEN_": ("sources", config.sources),
        "TOCSIN_WEB_TOKEN_": ("systems.web", systems.web),
        "TOCSIN_MCP_TOKEN_": ("systems.mcp", systems.mcp),
        "TOCSIN_POSTGRES_PASSWORD_": ("systems.postgres", systems.postgres),
    }


def _of_entry(
    name: str, prefix: str, where: str, entries: Mapping[str, object], environment: Mapping[str, str]
) -> Iterator[str]:
    expected = {variable_of(prefix, entry): entry for entry in entries}
    if name in expected:
        return
    lacking = [variable for variable in expected if not environment.get(variable)]
    if near := get_close_matches(name, lacking, n=1, cutoff=_NEAR_TOKEN):
        yield f"{name} is read by nothing: {near[0]} is probably meant, for which {where}.{expected[near[0]]} waits"
    else:
        listed = ", ".join(list(expected)[:_MAX_NAMED]) or "none"
        yield f"{name} is read by nothing: no entry of `{where}` has this name; those that there are read {listed}"
