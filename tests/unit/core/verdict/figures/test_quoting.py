"""Numbers and words in a claim against what the cited evidence says."""

from typing import Any

import pytest

from bot.core.evidence import LedgerEntry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import DeviationFact
from bot.core.facts.recorded import TemplateFact
from bot.core.verdict.figures.evidence_figures import EvidenceFigures
from bot.core.verdict.figures.quantities import follows_words, quantities
from bot.core.verdict.figures.quoting import check_quotes
from tests.unit.evidence_builders import entry

MEMORY = entry(
    1, "query_metric", EvidenceFacts(last=530_000_000), summary="memory is 506 MiB (limit 512 MiB), 3.2 s p95, 14 restarts"
)


def first_unsupported(text: str, cited: list[LedgerEntry]) -> str:
    """The first part of the text that its evidence does not hold."""
    return next(iter(check_quotes(text, EvidenceFigures(cited)).missing), "")


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


SLOWER = entry(
    1,
    "query_metric",
    EvidenceFacts(),
    summary="checkout p95 is 3.2 s (before 0.47 s) since 11:58:15 UTC; 41 errors and 17 timeouts in 10 min; 12 of 16 pods; "
    "2.3.1 was rolled out at 09:20:10 UTC",
)


@pytest.mark.parametrize(
    "text",
    [
        "6.8-fold slower, p95 is 6.8 times what it was",
        "p95 rose sevenfold",
        "p95 rose by 580 %, by 2.73 s",
        "58 errors and timeouts in all, 24 more errors than timeouts",
        "12 of 16 pods (75 %)",
        "it began 2 h 38 min after the roll-out",
        "it began more than two and a half hours after 2.3.1",
        "since 11:58, or 11:58 am, for 10 minutes or 600 s",
        "about half a second before (0.5 s), over 3 s now",
    ],
)
def test_what_follows_from_the_evidence_stands(text: str) -> None:
    assert first_unsupported(text, [SLOWER]) == ""


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("it began 5 h 12 min after the roll-out", "5 h 12 min"),
        ("9-fold slower", "9-fold"),
        ("p95 rose by 120 %", "120 %"),
        ("77 errors and timeouts in all", "77"),
        ("since 13:40", "13:40"),
        ("2.3.7 broke it", "2.3.7"),
        ("pod checkout-5d8f7c9b6d-x2x9z", "checkout-5d8f7c9b6d-x2x9z"),
        ("pay.example.com is down", "pay.example.com"),
        ("9" * 400 + " errors", "9" * 400),
    ],
)
def test_what_does_not_follow_is_named(text: str, missing: str) -> None:
    assert first_unsupported(text, [SLOWER]) == missing


def test_what_is_struck_leaves_the_sentence_and_says_what_it_was() -> None:
    checked = check_quotes("9-fold slower since 13:40, says `out of disk`", EvidenceFigures([SLOWER]))

    assert checked.text == "[figure not in evidence] slower since [time not in evidence], says [words not in evidence]"
    assert checked.missing == ("9-fold", "13:40", "out of disk") and checked.supported == 0
    assert check_quotes(checked.text, EvidenceFigures([SLOWER])).text == checked.text


GROWN = entry(
    1,
    "service_health",
    EvidenceFacts(
        deviations=(
            DeviationFact(
                service="cart", signal="errors", family="errors", before=0.004, after=0.344, unit="ratio", doublings=6
            ),
            DeviationFact(service="cart", signal="requests", family="traffic", before=80, after=20, unit="req/s", doublings=2),
        )
    ),
    summary="cart errors rose from 0.4 % to 34.4 % (60 times its usual range) [bad above 2 %], requests fell from 80 to 20 /s, "
    "latency stayed normal: 36 ms, before 36 ms [bad above 72 ms]",
)


@pytest.mark.parametrize(
    "text",
    [
        "errors grew 86-fold",
        "errors are up about 86 times",
        "requests fell 4-fold, by a factor of 4",
        "errors are 17.2 times the 2 % above which they are bad",
        "errors rose 60 times its usual range",
    ],
)
def test_a_factor_between_two_measured_levels_stands(text: str) -> None:
    assert first_unsupported(text, [GROWN]) == ""


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("errors grew 17.2-fold", "17.2-fold"),
        ("errors rose by a factor of 17.2", "17.2"),
        ("latency doubled", "doubled"),
        ("requests grew 4-fold", "4-fold"),
        ("errors fell 86 times", "86 times"),
    ],
)
def test_a_level_over_its_threshold_is_no_growth(text: str, missing: str) -> None:
    assert first_unsupported(text, [GROWN]) == missing


def clock(number: int) -> str:
    return f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"


def test_a_time_just_before_midnight_is_near_one_just_after() -> None:
    assert not first_unsupported(
        "It broke at 23:59:59.", [entry(1, "search_logs", EvidenceFacts(), summary="it broke at 00:00:01")]
    )
    assert first_unsupported(
        "It broke at 23:59:40.", [entry(1, "search_logs", EvidenceFacts(), summary="it broke at 00:00:01")]
    )


@pytest.mark.timeout(20)
def test_evidence_that_names_twelve_thousand_times_costs_no_more_than_a_moment() -> None:
    times = " ".join(clock(7 * number) for number in range(12_000))
    evidence = EvidenceFigures([entry(1, "search_logs", EvidenceFacts(), summary=times)])
    sentence = " ".join(clock(7 * number) for number in range(40))

    for _ in range(60):
        assert not check_quotes(sentence, evidence).missing


@pytest.mark.timeout(20)
def test_a_template_of_masks_alone_and_a_sentence_of_figures_alone_cost_no_more_than_a_moment() -> None:
    template = TemplateFact(template="a <*> " * 40 + "b", count=1, before=0)
    evidence = EvidenceFigures([entry(1, "search_logs", EvidenceFacts(templates=(template,)))])

    assert check_quotes("It said `" + "a " * 95 + "`.", evidence).missing
    assert len(check_quotes(" ".join(f"{number}.5 ms" for number in range(12_000)), evidence).text) == 400


BUSY = entry(
    1,
    "service_health",
    EvidenceFacts(
        deviations=(
            DeviationFact(
                service="cart", signal="cpu", family="saturation", before=0.2664, after=0.4627, unit="cores", doublings=3
            ),
            DeviationFact(service="cart", signal="errors", family="errors", before=0, after=0.471, unit="ratio", doublings=6),
            DeviationFact(service="cart", signal="traffic", family="traffic", before=52, after=50, unit="req/s", doublings=-1),
        ),
        templates=(
            TemplateFact(template="deadline exceeded", count=51, before=0, trend="new"),
            TemplateFact(template="refused", count=46, before=0, trend="new"),
            TemplateFact(template="GET", count=41, before=41),
        ),
    ),
    summary="cart 3.5.0 fails 47.1 % of requests since 22:55:04 UTC; the provider answered 503; 22 /s fail; "
    "pod cart-1ab75fac-4429k: errors rose to 47.1 % [bad above 2 %], first at 22:55:06 UTC",
)


@pytest.mark.parametrize(
    "text",
    [
        "CPU grew by 74 %, from 0.266 to 0.463 cores (+0.197)",
        "1,320 a minute fail, 22/s, 23.6 per second being 47.1 % of 50",
        "503s of the provider",
        "4429k has a rate of 47.1 %, against 0 elsewhere",
        "3.5 broke it, cart@3.5.0 did",
        "51 deadline errors; 51 may follow; 97 lines in all, 97 times, 70 % of 138 lines",
        "errors/limit: 47.1/2 %, i.e. 24 times the limit, 45.1 points above it",
        "`cart 3.5.0`, `cart-1ab75fac-*`",
        "22:55:04-22:55:06, two seconds, 2 s",
    ],
)
def test_figures_stand_in_any_form_in_which_people_write_them(text: str) -> None:
    assert first_unsupported(text, [BUSY]) == ""


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("latency is 900 ms", "900 ms"),
        ("latency is 1.4 s", "1.4 s"),
        ("1,900 a minute fail", "1,900 a minute"),
        ("errors are at 74 %", "74 %"),
        ("3.6 broke it", "3.6"),
        ("404s of the provider", "404s"),
        ("4428k fails", "4428k"),
        ("`cart 3.6.0`", "cart 3.6.0"),
        ("refused 96 times", "96 times"),
    ],
)
def test_a_latency_is_no_span_and_a_share_is_a_growth_only_where_it_is_told_as_one(text: str, missing: str) -> None:
    assert first_unsupported(text, [BUSY]) == missing


class CountedPattern:
    """A pattern that counts the characters in which it may be searched."""

    def __init__(self) -> None:
        self.characters = 0

    def search(self, text: str, start: int, end: int) -> None:
        self.characters += len(text[start:end])


def test_the_words_before_each_figure_are_searched_and_not_the_whole_sentence_again() -> None:
    text = " ".join(str(number) for number in range(1_000, 1_400))
    pattern: Any = CountedPattern()

    for figure in quantities(text):
        follows_words(pattern, text, figure)

    assert 0 < pattern.characters < 50 * len(text)


def test_the_services_that_were_checked_are_counted_once_each() -> None:
    checked = [
        entry(number, "service_health", EvidenceFacts(), summary=f"{service} is as usual", service=service)
        for number, service in enumerate(["checkout", "payments", "search", "search"], 1)
    ]

    assert first_unsupported("3 services are as usual", checked) == ""
    assert first_unsupported("5 services are as usual", checked) == "5"
