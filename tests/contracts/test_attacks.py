"""Own attacks of eight kinds against the whole bot, and the given ones as far as no stage is needed for them.

`make attacks` plays all given items on the stage.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from bot.core.metrics.logql import line_query
from bot.core.metrics.promql import Matcher, selector
from bot.core.redaction.redaction import redact
from tests.attacks.items import read_items
from tests.attacks.judging import seen_in, shape
from tests.unit.recorded_data import shared_data

VARIANTS = Path(__file__).parents[1] / "attacks" / "variants"
KINDS = ("injection", "telemetry", "render", "unicode", "query", "ssrf", "model_output", "leak")


@pytest.mark.timeout(1800)
async def test_a_model_that_obeys_every_injected_order_achieves_nothing_and_the_legitimate_twins_pass() -> None:
    command = [sys.executable, "-m", "tests.attacks", *KINDS, "--data", str(VARIANTS)]
    playing = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told = (await playing.communicate())[0].decode()

    assert playing.returncode == 0, told
    assert all(f"{kind}: passed" in told for kind in KINDS) and "FALSE REFUSAL" not in told, told


def test_at_most_three_in_a_hundred_of_the_given_secrets_are_seen() -> None:
    given = [item for item in read_items(shared_data("attacks", "secrets.jsonl")) if item.category == "secret"]
    seen = [item.id for item in given if seen_in(item.canary, redact(item.text))]

    assert len(seen) <= 0.03 * len(given), seen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("pan=4111 1111 1111 1111", " as it is"),
        ("pan=4111-1111-1111-1111", " without its signs"),
        ("pan=4111.\n    1111.\n    11111111", " without its signs"),
        ("counts [4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]", ""),
        ("pan=[card]", ""),
    ],
)
def test_a_secret_in_another_spelling_is_seen_and_a_list_of_numbers_is_none(text: str, seen: str) -> None:
    assert seen_in("4111 1111 1111 1111", text) == seen


def test_every_given_look_alike_stays_as_it_is() -> None:
    given = read_items(shared_data("attacks", "controls.jsonl"))

    assert [(item.id, redact(item.text)) for item in given if redact(item.text) != item.text] == []


def test_every_given_text_stays_one_literal_in_a_query() -> None:
    given = [item.text for item in read_items(shared_data("attacks", "tool_inputs.jsonl"))]
    plain = shape(selector("up", [Matcher("job", "a")])), shape(line_query("service", "a", ""))

    assert [t for t in given if shape(selector("up", [Matcher("job", t)])) != plain[0]] == []
    assert [t for t in given if shape(line_query("service", t, "")) != plain[1]] == []
