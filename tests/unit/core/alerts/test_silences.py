"""Silences: how their conditions are read, what they cover, and what a preview says."""

from datetime import timedelta

import pytest

from bot.core.alert import Severity
from bot.core.alerts.silences import (
    PastAlert,
    Silence,
    matchers_text,
    parse_length,
    parse_matchers,
    preview,
    silence_of,
)
from bot.core.errors import NotFound
from tests.unit.builders import at


def past(name: str = "Errors", service: str = "checkout", group: int | None = 1, **labels: str) -> PastAlert:
    return PastAlert(name, service, "prod", f"{name}{service}{labels}", labels, Severity.SEV3, group)


@pytest.mark.parametrize("text", ["alertname=Errors", 'job="api server" service=checkout', "K8s_pod=a-1 zone=eu/1"])
def test_what_is_written_back_means_the_same(text: str) -> None:
    assert parse_matchers(matchers_text(parse_matchers(text))) == parse_matchers(text)


@pytest.mark.parametrize(
    "value",
    ['disk "sda" full', "the “big” one", "~check", "C:\\", r"a\"b c", "plain\\path", "\\", "a\tb", '"', "«", "~", r"\d+ \\"],
)
def test_whatever_a_label_holds_can_be_typed_back(value: str) -> None:
    matchers = {"alertname": value, "service": "checkout"}

    assert parse_matchers(matchers_text(matchers)) == matchers


def test_the_quotes_of_phones_are_quotes() -> None:
    assert parse_matchers("job=“api server”") == {"job": "api server"}
    assert parse_matchers('job=“api server” title="the “big” one"') == {"job": "api server", "title": "the “big” one"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Say which alerts"),
        ("service=", "is no condition"),
        ('service=""', "each with a value"),
        ("service=~check.*", "Patterns are not offered"),
        ("errors on checkout", "is no condition: write label=value"),
        ("a=1 a=2", "named twice"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, problem: str) -> None:
    with pytest.raises(NotFound, match=problem):
        parse_matchers(text)


@pytest.mark.parametrize("text", ["0m", "13h", "soon", "30s"])
def test_a_silence_lasts_a_minute_to_twelve_hours(text: str) -> None:
    with pytest.raises(NotFound):
        parse_length(text)


def test_half_a_day_is_the_longest() -> None:
    assert parse_length("12h") == timedelta(hours=12)


def test_of_several_silences_the_longest_names_itself() -> None:
    short, long = (Silence(n, {"service": "checkout"}, "alice", "x", at(60 * n)) for n in (1, 2))

    found = silence_of({"service": "checkout", "alertname": "Errors"}, [short, long])

    assert found is not None and found.ref == "SI-2"
    assert silence_of({"service": "search"}, [short, long]) is None
    assert silence_of({}, [Silence(3, {}, "alice", "x", at(60))]) is None


def test_a_preview_names_what_would_have_been_muted_and_the_cards_that_would_be_gone() -> None:
    alerts = [past(group=1), past(group=1), past("Latency", group=2)]

    text = preview({"service": "checkout"}, alerts, compared=220, sizes={1: 2, 2: 5}).text

    assert text == (
        "Over the last day it would have muted 3 of 220 alerts, the worst SEV3:\n"
        "- Errors on checkout: 2\n- Latency on checkout: 1\n"
        "1 card would not have been posted: AL-1."
    )


def test_a_preview_of_nothing_asks_about_the_spelling() -> None:
    text = preview({"service": "chekout"}, [past()], compared=7, sizes={}).text

    assert text == "No alert of the last day matches (of 7 alerts): check the spelling, or it is new."


@pytest.mark.parametrize(
    ("matchers", "exact"),
    [
        ({"alertname": "Errors", "pod": "a"}, True),
        ({"alertname": "Errors", "service": "checkout"}, False),
        ({"alertname": "Errors"}, False),
        ({"pod": "a"}, False),
        ({"alertname": "New", "service": "checkout"}, True),
    ],
)
def test_exact_is_one_alert_by_its_name_and_what_it_is_about(matchers: dict[str, str], exact: bool) -> None:
    alerts = [past(pod="a"), past(pod="b")]

    assert preview(matchers, alerts, compared=2, sizes={}).exact(matchers) is exact


def test_what_was_not_read_whole_is_never_exact() -> None:
    matchers = {"alertname": "Errors", "pod": "a"}

    assert not preview(matchers, [past(pod="a")], compared=90_000, sizes={}, truncated=True).exact(matchers)
