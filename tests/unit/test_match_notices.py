"""A match that cannot do what its writer means by it is named, with what to write instead."""

import pytest

from bot.match_notices import match_notices
from bot.settings import parse_config

TIMES = "starts: 2026-01-05T09:00:00Z, ends: 2026-01-06T09:00:00Z, reason: moving"


def test_of_two_services_with_one_match_it_is_said_which_gets_the_alerts() -> None:
    (notice,) = match_notices(parse_config("services:\n  cart: {match: {app: shop}}\n  checkout: {match: {app: shop}}\n"))

    assert notice.startswith("services.checkout.match is that of cart too ({app: shop}): what it fits goes to checkout")
    assert "nothing to cart" in notice


def test_services_that_differ_in_one_label_share_nothing() -> None:
    text = "services:\n  cart: {match: {app: shop}}\n  checkout: {match: {app: shop, tier: web}}\n"

    assert match_notices(parse_config(text)) == []


@pytest.mark.parametrize("value", ["pay.*", "pay*", "=~pay", "^pay", "pay$", "cart|checkout", "web-[0-9]", r"web-\d"])
def test_a_value_that_looks_like_a_pattern_is_named(value: str) -> None:
    (notice,) = match_notices(parse_config(f"maintenance:\n  - {{match: {{service: '{value}'}}, {TIMES}}}\n"))

    assert notice.startswith("maintenance.0.match.service: ") and "write the whole value, one entry for each" in notice


@pytest.mark.parametrize("value", ["payments", "api.example.com", "10.0.0.7:9090", "[prod] disk full", "C++ build", "what?"])
def test_a_plain_value_is_no_pattern(value: str) -> None:
    assert match_notices(parse_config(f"maintenance:\n  - {{match: {{service: '{value}'}}, {TIMES}}}\n")) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("services: {cart: {match: {app: 'cart-*'}}}", "services.cart.match.app"),
        ("thresholds: [{match: {job: 'a.*'}, count: 2}]", "thresholds.0.match.job"),
        ("inhibitions: [{source: {job: 'a.*'}, target: {job: b}}]", "inhibitions.0.source.job"),
        ("inhibitions: [{source: {job: a}, target: {job: 'b.*'}}]", "inhibitions.0.target.job"),
        (
            "sources: {am: {kind: alertmanager, fingerprint: [{match: {job: 'a.*'}, labels: [job]}]}}",
            "sources.am.fingerprint.0.match.job",
        ),
    ],
)
def test_patterns_are_looked_for_in_every_match(text: str, path: str) -> None:
    (notice,) = match_notices(parse_config(text))

    assert notice.startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"maintenance: [{{{TIMES}}}]", "maintenance.0"),
        ("thresholds: [{count: 2}]", "thresholds.0"),
        ("inhibitions: [{source: {}, target: {job: b}}]", "inhibitions.0.source"),
    ],
)
def test_what_names_no_alerts_mutes_nothing_and_that_is_said(text: str, path: str) -> None:
    (notice,) = match_notices(parse_config(text))

    assert notice.startswith(f"{path} ") and "it mutes nothing" in notice
