"""A broken configuration names its line; an empty one is valid."""

import pytest

from bot.core.errors import ConfigurationError
from bot.settings import catalogue_of, parse_config, source_tokens


def test_an_empty_file_is_a_valid_configuration() -> None:
    assert parse_config("").incident_from == "SEV2"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("services:\n  checkout:\n    owners: [nobody]\n", "3: services.checkout.owners.0"),
        ("services:\n  checkout: {singals: {}}\n", "2: services.checkout.singals: unknown key"),
        ("people:\n  alice: {}\n  alice: {}\n", "3: alice: stands twice"),
        ("budget:\n  per_run_usd: much\n", "2: budget.per_run_usd"),
        ("close_after: soon\n", "1: close_after: not a duration"),
        ("- a list\n", "1: the file must be a mapping"),
        ("a: [1\n", "2: expected"),
        ("actions:\n  rollback: {kind: run_webhook, inverse: nothing}\n", "2: actions.rollback.inverse"),
    ],
)
def test_a_broken_configuration_names_line_and_key(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config(text)

    assert told in str(caught.value)


def test_services_without_a_channel_speak_in_the_default_one() -> None:
    config = parse_config("default_channel: C0\nservices:\n  checkout: {}\n  payments: {channel: C1}\n")

    catalogue = catalogue_of(config)

    assert [s.channel for s in catalogue.services.values()] == ["C0", "C1"]


def test_a_source_without_a_token_takes_nothing() -> None:
    found = source_tokens({"prod-eu": None, "other": None}, {"TOCSIN_TOKEN_PROD_EU": "secret"})

    assert found == {"prod-eu": "secret"}
