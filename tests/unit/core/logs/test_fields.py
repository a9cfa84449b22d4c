"""The fields of a line, in the forms that loggers write."""

from datetime import UTC, datetime

import pytest

from bot.core.logs.fields import MOST_FIELDS, fields_of
from bot.core.logs.line import LogLine


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('{"msg": "late", "k8s.node": "w-7", "attempt": 3}', {"msg": "late", "k8s.node": "w-7", "attempt": "3"}),
        ('{"kubernetes": {"node": {"name": "w-7"}}, "tags": ["a"]}', {"kubernetes.node.name": "w-7"}),
        ('level=error zone=eu-1b msg="no answer"', {"level": "error", "zone": "eu-1b", "msg": "no answer"}),
        ("2026-03-01T12:00:00Z ERROR no answer (node=w-7, shard=4)", {"node": "w-7", "shard": "4"}),
        ('{"msg": "cut off", "node=w-7', {"node": "w-7"}),
        ("request failed", {}),
    ],
)
def test_json_and_pairs_of_key_and_value_are_read(text: str, fields: dict[str, str]) -> None:
    assert dict(fields_of(LogLine(at=datetime.now(UTC), text=text))) == fields


def test_the_pod_that_wrote_it_is_a_field_and_a_flood_of_fields_is_bounded() -> None:
    line = LogLine(at=datetime.now(UTC), text=" ".join(f"k{number}=v" for number in range(500)), pod="api-1")

    fields = fields_of(line)

    assert fields["pod"] == "api-1" and len(fields) == MOST_FIELDS + 1
