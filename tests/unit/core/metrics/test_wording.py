"""Sentences about signals: none of them tells a change that nobody can see in its figures."""

from bot.core.metrics.deviation import Deviation
from bot.core.metrics.wording import deviation_text


def errors(after: float) -> str:
    return deviation_text(Deviation("checkout", "errors", "errors", doublings=3.7, before=0.0, after=after, unit="ratio"))


def test_what_was_bad_for_a_moment_did_not_rise_from_nothing_to_nothing() -> None:
    told = errors(0.0)

    assert told == "checkout errors deviated briefly (13 times its usual range): mostly 0 %, as before"
    assert errors(0.12) == "checkout errors rose from 0 % to 12 % (13 times its usual range)"


def restarts(before: float, after: float) -> str:
    return deviation_text(Deviation("cart", "restarts", "saturation", doublings=-0.4, before=before, after=after))


def test_what_is_far_from_its_usual_level_is_not_called_normal_because_it_was_there_before() -> None:
    assert restarts(0, 7.2) == "cart restarts stayed within the usual range: 7.2, mostly 0 before"
    assert restarts(0, 0) == "cart restarts stayed normal: 0, before 0"
    assert restarts(6.8, 7.2) == "cart restarts stayed normal: 7.2, before 6.8"
