"""Which addresses the bot may open: no way to the inside of the machine or the cloud unless configuration says so.

An address of a tool or an action comes from configuration; what a text brings in only fills a field of it. Whoever opens
one resolves the name, checks every address found with `forbidden`, connects to the very address that was checked, and
follows no redirect.
"""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
)
"""Metadata services of clouds that are not link-local: AWS and Google (IPv6), Alibaba, Azure, Oracle."""


def ambiguous(url: str) -> str:
    """What in an address parsers are known to read in two ways; "" if nothing. Ask before any parser."""
    if "\\" in url or any(ord(char) <= 0x20 or 0x7F <= ord(char) <= 0xA0 for char in url):
        return "holds characters that parsers read in different ways"
    return ""


def forbidden(address: Address, allow_private: bool) -> str:
    """Why this address is not called; "" if it may be. Link-local and metadata services are never called."""
    inner = _inner(address)
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified or inner in _METADATA:
        return "an address that actions never call"
    if not inner.is_global and not allow_private:
        return "a private address, and the entry does not set allow_private"
    return ""


def _inner(address: Address) -> Address:
    """The IPv4 address inside of mapped, compatible, 6to4, Teredo and NAT64 forms."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address
