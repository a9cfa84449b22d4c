"""Whatever stands where a vendor's value should: it is read, or refused with its field; nothing else ever comes out."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.core.alert import Alert
from bot.core.errors import UnreadableBody
from tests.unit.sources.vendor_bodies import PAIRS, Pair, read

STRANGE: tuple[Any, ...] = (
    None, [], {}, "", 0, -1, True, 10**5000, 1e300, "x" * 5000, [1], {"a": 1}, [None], "\u202e\u0000", "[" * 300, "{{ x }}",
)  # fmt: skip


def paths(document: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = document.keys() if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in keys:
        yield (*above, key)
        yield from paths(document[key], (*above, key))


def mutated(document: Any) -> Iterator[Any]:
    for path in paths(document):
        for value in STRANGE:
            changed = copy.deepcopy(document)
            inner = changed
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = value
            yield changed


def encoded(document: Any) -> bytes:
    """As senders would; Python itself prints no number of five thousand digits."""
    digits = "1" + "0" * 5000
    return json.dumps(document, default=str, cls=_Encoder).replace('"HUGE"', digits).encode("utf-8", "surrogatepass")


class _Encoder(json.JSONEncoder):
    def encode(self, o: Any) -> str:
        return super().encode(_without_huge(o))


def _without_huge(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_huge(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_huge(inner) for inner in value]
    return "HUGE" if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 4096 else value


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.kind)
@pytest.mark.parametrize("kind", ["own", "generic"])
def test_a_strange_value_anywhere_is_read_or_refused(pair: Pair, kind: str) -> None:
    alerts: list[Alert] = []
    for body in (*mutated(pair.firing), *mutated(pair.resolved)):
        try:
            alerts += read(pair.kind if kind == "own" else "generic", encoded(body), **pair.options).alerts
        except UnreadableBody:
            continue

    assert alerts and all(alert.name and alert.fingerprint and alert.starts_at.tzinfo for alert in alerts)
