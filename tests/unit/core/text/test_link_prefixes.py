"""A host that many share is not the team's own; its own path there is."""

import pytest

from bot.core.text.link_prefixes import leads_within, link_notices, link_prefix, own_prefix, owner_prefix


@pytest.mark.parametrize("entry", ["github.com/Our-Org", "https://github.com/Our-Org/", "http://GitHub.com:443/Our-Org?x#y"])
def test_an_entry_may_be_written_with_or_without_its_scheme(entry: str) -> None:
    assert link_prefix(entry) == "github.com/Our-Org"


@pytest.mark.parametrize(
    "entry", ["github.com", "https://github.com/", "GITHUB.com.", "sentry.io/organizations", "https://[::1"]
)
def test_a_shared_host_without_the_path_that_says_whose_it_is_allows_nothing_and_this_is_said(entry: str) -> None:
    assert link_prefix(entry) == ""
    assert link_notices(["wiki.example.com", entry])[0].startswith(f"links.hosts: {entry} allows no link")


def test_entries_that_allow_something_give_no_notice() -> None:
    assert link_notices(["wiki.example.com", "gitlab.com/shop", "shop.atlassian.net", "sentry.io/organizations/shop"]) == []


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("https://prometheus.example.com/base", "prometheus.example.com"),
        ("https://prom-01.grafana.net/api/prom/", "prom-01.grafana.net/api/prom"),
        ("https://shop.grafana.net", "shop.grafana.net"),
        ("", ""),
    ],
)
def test_the_path_of_a_system_counts_only_where_others_share_its_host(address: str, prefix: str) -> None:
    assert own_prefix(address) == prefix


def test_what_is_drafted_from_an_address_is_as_short_as_its_owner_allows() -> None:
    assert owner_prefix("https://github.com/shop/runbooks/blob/main/a.md") == "github.com/shop"
    assert owner_prefix("https://docs.google.com/document/d/1a2b/edit") == "docs.google.com/document/d/1a2b"
    assert owner_prefix("https://wiki.example.com/{{ $labels.alertname }}") == "wiki.example.com"
    assert owner_prefix("https://github.com/{{ $labels.team }}/x") == ""


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/shop", True),
        ("/shop/runbooks/a.md", True),
        ("/shop.internal", False),
        ("/Shop/x", False),
        ("/shop/..;/attacker", False),
        ("/shop/%252e%252e/attacker", False),
        ("/shop/a..b", True),
        ("//shop/x", False),
    ],
)
def test_an_address_leads_to_the_team_only_at_or_below_its_path(path: str, leads: bool) -> None:
    assert leads_within("github.com", path, {"github.com/shop", "wiki.example.com"}) is leads
    assert leads_within("wiki.example.com", path, {"github.com/shop", "wiki.example.com"})
