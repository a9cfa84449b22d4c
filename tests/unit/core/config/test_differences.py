"""What differs between two configurations, and what of it needs a restart."""

import pytest

from bot.core.config import Config
from bot.core.config.differences import LIVE, changes_between
from bot.settings import parse_config

BEFORE = """
sources: {prod: {kind: alertmanager}}
people: {alice: {slack: U1}}
services:
  checkout: {owners: [alice], depends_on: [payments]}
  payments: {known_as: {argocd: payments}}
triage_from: SEV2
"""


def differences(after: str) -> list[tuple[str, bool]]:
    return [(change.text, change.needs_restart) for change in changes_between(parse_config(BEFORE), parse_config(after))]


def test_the_same_file_differs_in_nothing() -> None:
    assert differences(BEFORE + "# a comment\n") == []


def test_each_entry_is_named_with_what_changed_in_it() -> None:
    after = BEFORE.replace("U1", "U2").replace("[payments]", "[]").replace("SEV2", "SEV3") + "maintenance: []\n"

    assert differences(after) == [
        ("people.alice.slack changed", False), ("services.checkout.depends_on changed", False), ("triage_from changed", False),
    ]  # fmt: skip


def test_entries_that_came_and_went_are_named() -> None:
    after = BEFORE.replace("prod: {kind: alertmanager}", "git.lab: {kind: gitlab}".replace(".", "-"))

    assert differences(after) == [("sources.prod removed", False), ("sources.git-lab added", False)]


@pytest.mark.parametrize(
    "line", ["prometheus: {url: 'http://p:9090'}", "command: /ops", "default_channel: C1", "links: {hosts: [a]}"]
)
def test_what_clients_were_made_from_needs_a_restart(line: str) -> None:
    assert [needs_restart for _, needs_restart in differences(f"{BEFORE}{line}\n")] == [True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{argocd: payments}", "{argocd: pay}"),
        ("  payments: {known_as: {argocd: payments}}\n", "  payments: {}\n"),
        ("triage_from", "  cart: {deployment: {namespace: shop, name: cart}}\ntriage_from"),
    ],
)
def test_names_of_a_service_in_other_systems_need_a_restart(old: str, new: str) -> None:
    assert any(needs_restart for _, needs_restart in differences(BEFORE.replace(old, new)))


def test_every_live_key_is_a_key() -> None:
    assert Config.model_fields.keys() >= LIVE
