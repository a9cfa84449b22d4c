"""Sentences about signals: none of them tells a change that nobody can see in its figures."""

from bot.core.metrics.deviation import Deviation
from bot.core.metrics.wording import deviation_text


def errors(after: float) -> str:
    return deviation_text(Deviation("checkout", "errors", "errors", doublings=3.7, before=0.0, after=after, unit="ratio"))


def test_what_was_bad_for_a_moment_did_not_rise_from_nothing_to_nothing() -> None:
    told = errors(0.0)

    assert told == "checkout errors deviated briefly (13 times its usual range): mostly 0 %, as before"
    assert errors(0.12) == "checkout errors rose from 0 % to 12 % (13 times its usual range)"
