"""Sentences that cannot be true are found, true ones are left alone."""

import pytest

from tests.trial.contradictions import contradictions
from tests.unit.trial.builders import alert, began, message, outage, run


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("cart latency rose from 24.2 ms to 24.2 ms", "a change that is none"),
        ("errors from 0 % to 0 %", "a change that is none"),
        ("see hxxp://127.0.0.1/graph", "a dead link"),
        ("ruled out: cart is normal", "cart alerts and is called normal"),
        ("nothing was readable", "nothing readable"),
        (f"since {began(0)}\nonset {began(600)}", "two starts, 600 s apart"),
    ],
)
def test_what_cannot_be_true_is_found(words: str, reason: str) -> None:
    lines = contradictions(run(outage(), alerts=(alert(),)), [message(words, 5.0)])

    assert len(lines) == 1 and lines[0].startswith(reason)


@pytest.mark.parametrize(
    "words",
    [
        "cart latency rose from 24.2 ms to 242 ms",
        "errors from 1.0 % to 1.05 %",
        "auth is normal, cart fails",
        f"since {began(0)}\nEarlier: since {began(600)}",
    ],
)
def test_what_can_be_true_is_left_alone(words: str) -> None:
    assert contradictions(run(outage(), alerts=(alert(),)), [message(words, 5.0)]) == []


def test_the_cause_of_an_ended_outage_may_not_stand_over_the_next_one() -> None:
    made = run(outage(change=("cart", "4.3.0"), end=60.0), outage(2, at=100, end=260), alerts=(alert(),))
    standing = "Firing\n*Likely cause:* deploy of cart 4.3.0"

    for sure in ("Likely cause", "Best lead", "One of 2", "One of several"):
        lines = contradictions(made, [message(standing.replace("Likely cause", sure), 200.0)])
        assert lines[0].startswith("the cause of a past outage")
    assert contradictions(made, [message(standing.replace("Likely", "Earlier"), 200.0)]) == []
    assert contradictions(made, [message(standing, 50.0)]) == []
