"""Addresses inside of other forms of addresses, and metadata services, are not opened."""

from ipaddress import ip_address

import pytest

from bot.core.text.addresses import ambiguous, forbidden, forbidden_as_written


@pytest.mark.parametrize(
    "inside",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::169.254.169.254",
        "fe80::1",
        "0.0.0.0",
        "fd00:ec2::254",
        "168.63.129.16",
        "100.100.100.200",
        "::ffff:0:169.254.169.254",
        "64:ff9b:1::a9fe:a9fe",
        "2001:4860::5efe:a9fe:a9fe",
    ],
)
def test_metadata_and_link_local_are_never_called_however_they_are_written(inside: str) -> None:
    assert forbidden(ip_address(inside), allow_private=True)


@pytest.mark.parametrize(
    "inside",
    ["127.0.0.1", "10.0.0.1", "::1", "fd12::1", "192.168.1.1", "::ffff:10.0.0.1", "100.64.0.1", "::ffff:0:10.0.0.1", "fec0::1"],
)
def test_private_addresses_are_called_where_the_entry_allows_it_alone(inside: str) -> None:
    assert forbidden(ip_address(inside), allow_private=False)
    assert not forbidden(ip_address(inside), allow_private=True)


def test_public_addresses_are_called() -> None:
    assert not forbidden(ip_address("93.184.216.34"), allow_private=False)
    assert not forbidden(ip_address("2606:4700::1111"), allow_private=False)
    assert not forbidden(ip_address("64:ff9b::5db8:d822"), allow_private=False)


@pytest.mark.parametrize(
    "url", ["https://a.example\\@b.example/", "https://a.example/\r\nx", "https://a .example", "https://a.example/\u0085"]
)
def test_what_parsers_read_differently_is_refused_before_any_parser(url: str) -> None:
    assert ambiguous(url)
    assert not ambiguous("https://a.example/path?x=1#y")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/x", "https://[::1]/", "http://localhost/x", "http://a.localhost./", "http://10.1.2.3/"]
)
def test_an_address_that_is_private_as_written_is_found_without_a_resolver(url: str) -> None:
    assert "a private address" in forbidden_as_written(url, allow_private=False)
    assert forbidden_as_written(url, allow_private=True) == ""


@pytest.mark.parametrize("url", ["", "http://jobs.internal/", "http://{service}/x", "http://93.184.216.34/", "http://[bad/"])
def test_of_any_other_address_only_a_resolver_can_say(url: str) -> None:
    assert forbidden_as_written(url, allow_private=False) == ""
