"""The public rules: what they add to our own kinds of secrets, and what they must leave alone."""

from importlib.resources import files

import pytest

from bot.core.redaction.gitleaks import LEFT_OUT, vendor_secrets
from bot.core.redaction.redaction import redact

SHA = "3f2c9a1be0d74c55aa91e6f0b7d3c2a1908e7f6d"
UUID = "7d9f1c2e-33b1-4d7a-9c0e-0a1b2c3d4e5f"


def published(name: str) -> str:
    return files("bot.core.redaction").joinpath(name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        # Cut in the middle, so that no scanner takes these lines for a leak.
        ("login with sm_pat_" + "yT0NZnBKrf8x866m failed", "login with [secret] failed"),
        ("octopus: API-" + "RSXPBKVNQNCCJT5XWPA1LXZIWK", "octopus: [secret]"),
        ("bittrex = " + "tukxc5goeghocnvj0wxfwh0zutx1wnyk", "bittrex = [secret]"),
        ("adobe_" + f"token = '{SHA[:32]}'", "adobe_token = '[secret]'"),
    ],
)
def test_keys_of_vendors_are_removed_that_no_kind_of_ours_knows(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        f"datadog-agent commit={SHA}",
        f"zendesk-sync: {SHA}",
        f"image=confluent-kafka:{SHA[:16]}",
        f"service=hubspot-sync trace_id={UUID} took 3 s",
        f"sourcegraph runs {SHA}",
        "confluent_topic=checkoutpayments",
        "linkedin_campaign=20260101120000",
        "twitter-feed pod: twitter-feed-7d9f8b6c5d-x2x4z",
    ],
)
def test_identifiers_beside_the_name_of_a_vendor_stay(text: str) -> None:
    assert redact(text) == text


def test_a_secret_has_to_be_as_random_as_its_rule_says() -> None:
    token = "sm_pat_" + "yT0NZnBKrf8x866m"

    assert vendor_secrets(f"used {token} twice") == [(5, 5 + len(token))]
    assert vendor_secrets("used sm_pat_" + "a" * 16 + " twice") == []


def test_what_the_rules_allow_stays() -> None:
    assert vendor_secrets("key AKIA" + "IOSFODNN7EXAMPLE") == []


def test_the_licence_and_the_rules_left_out_stand_in_the_published_file() -> None:
    assert "Copyright (c) 2019 Zachary Rice" in published("gitleaks-LICENSE")
    assert all(f'id = "{name}"' in published("gitleaks.toml") for name in LEFT_OUT)
