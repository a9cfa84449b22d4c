"""Which addresses the bot may open: none inside the machine or the cloud, unless the configuration allows it.

The address of a tool or an action comes from the configuration; a text only fills a field of it. Code that opens one
resolves the name, checks every resolved address with `forbidden`, connects to the very address that was checked, and
follows no redirect.
"""

import ipaddress
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_TRANSLATED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96")))
"""NAT64, its local-use prefix and IPv4-translated addresses (RFC 6052, 8215, 2765): IPv4 in the last four bytes."""
_LOCAL = tuple(map(ipaddress.ip_network, ("fec0::/10", "192.88.99.0/24", "3fff::/20", "5f00::/16")))
"""Site-local, 6to4 relays, documentation, segment routing: Python calls them global."""
_METADATA = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
)
"""Metadata services of clouds that are not link-local: AWS and Google (IPv6), Alibaba, Azure, Oracle."""


def ambiguous(url: str) -> str:
    """Why different parsers may read an address differently; "" if they do not. To be called before any parser."""
    if "\\" in url or any(ord(char) <= 0x20 or 0x7F <= ord(char) <= 0xA0 for char in url):
        return "holds characters that parsers read in different ways"
    return ""


def forbidden(address: Address, allow_private: bool) -> str:
    """Why this address is not called; "" if it may be. Link-local and metadata services are never called."""
    inner = _inner(address)
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified or inner in _METADATA:
        return "an address that actions never call"
    if (not inner.is_global or any(inner in network for network in _LOCAL)) and not allow_private:
        return "a private address, and the entry does not set allow_private"
    return ""


def forbidden_as_written(url: str, allow_private: bool) -> str:
    """Why what an address says itself is not called, before any name is resolved; "" if a resolver has to say."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host)
    except ValueError:
        return ""
    why = forbidden(address, allow_private)
    return f"{host} is {why}" if why else ""


def _inner(address: Address) -> Address:
    """The IPv4 address inside of mapped, compatible, translated, 6to4, Teredo, ISATAP and NAT64 forms."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    compatible = int(address) >> 32 == 0 and int(address) > 1
    isatap = (int(address) >> 32) & 0xFDFFFFFF == 0x5EFE
    if compatible or isatap or any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address
