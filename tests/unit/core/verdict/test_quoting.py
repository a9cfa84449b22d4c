"""Numbers and words in a claim against what the cited evidence says."""

import pytest

from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.verdict.quoting import first_unsupported
from tests.unit.evidence_builders import entry

MEMORY = entry(
    1, "query_metric", EvidenceFacts(last=530_000_000), summary="memory is 506 MiB (limit 512 MiB), 3.2 s p95, 14 restarts"
)


@pytest.mark.parametrize(
    "text",
    [
        "memory is at 506 MiB",
        "p95 is 3200 ms",
        "p95 is about 3.2 s",
        "530 MB in use",
        "14 restarts, checkout-2 and v2 play no part",
        "HTTP/2 and utf-8 are names, not figures",
        "memory rose to 506-512 MiB, with 14restarts",
        "5xx answers of checkout's and the pods' 3rd replica",
        "it says 'limit 512 MiB' and «3.2 s p95», the pods' own words",
    ],
)
def test_the_same_quantity_in_another_unit_stands(text: str) -> None:
    assert first_unsupported(text, [MEMORY]) == ""


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("15 restarts", "15"),
        ("p95 is 32 s", "32 s"),
        ("no errors: 0 %", "0 %"),
        ("limit 1 GiB", "1 GiB"),
        ("it says `limit 1024`", "limit 1024"),
        ("it says 'no rule for region'", "no rule for region"),
        ("it says ‘no rule’", "no rule"),
        ("it says «no rule»", "no rule"),
        ("it says „no rule“", "no rule"),
        ("memory rose by 14-71 MiB", "71 MiB"),
        ("errors:71%", "71%"),
        ("only 14/71 answer", "71"),
        ("the queue holds 40000msgs", "40000msgs"),
    ],
)
def test_what_the_evidence_does_not_say_is_named(text: str, missing: str) -> None:
    assert first_unsupported(text, [MEMORY]) == missing
