"""How actions reach out: checked addresses, no redirects, signed, and never a doubt about what was sent."""

import asyncio
import hashlib
import hmac
import ipaddress
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.actions.support.http import Outbound, forbidden
from bot.core.errors import ActionFailed, OutcomeUnknown

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{"id": "r1"}'
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Server:
    """Answers every request with the same bytes and keeps what came."""

    def __init__(self) -> None:
        self.answer, self.requests, self.port = OK, [], 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        self.requests.append(head + await reader.readexactly(length))
        writer.write(self.answer)
        await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    listening = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = listening.sockets[0].getsockname()[1]
    yield found
    listening.close()
    await listening.wait_closed()


def resolver(*addresses: str) -> Any:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


async def test_the_call_goes_to_the_checked_address_with_the_names_host_header_and_signature(server: Server) -> None:
    http = Outbound("secret", resolve=resolver("127.0.0.1"))

    answer = await http.send("POST", f"http://jobs.test:{server.port}/x", json={"a": 1}, key="k1", allow_private=True)

    signature = hmac.new(b"secret", b'{"a":1}', hashlib.sha256).hexdigest()
    assert answer.json == {"id": "r1"}
    assert f"host: jobs.test:{server.port}".encode() in server.requests[0].lower()
    assert b"Idempotency-Key: k1" in server.requests[0]
    assert f"X-Tocsin-Signature: sha256={signature}".encode() in server.requests[0]


async def test_a_redirect_is_an_answer_and_is_not_followed(server: Server) -> None:
    server.answer = REDIRECT

    answer = await Outbound().send("POST", f"http://127.0.0.1:{server.port}/", json={}, key="", allow_private=True)

    assert answer.status == 302
    assert len(server.requests) == 1


async def test_a_lost_answer_is_unknown(server: Server) -> None:
    server.answer = b""

    with pytest.raises(OutcomeUnknown):
        await Outbound().send("POST", f"http://127.0.0.1:{server.port}/", json={}, key="", allow_private=True)


async def test_a_name_with_one_private_address_is_refused_before_anything_is_sent() -> None:
    http = Outbound(resolve=resolver("93.184.216.34", "10.0.0.7"))

    with pytest.raises(ActionFailed, match=r"10\.0\.0\.7, a private address"):
        await http.send("POST", "http://jobs.test/", json={}, key="")


async def test_an_address_is_checked_without_sending_anything(server: Server) -> None:
    private = Outbound(resolve=resolver("127.0.0.1"))

    assert await private.check(f"http://jobs.test:{server.port}/", allow_private=True) == ""
    with pytest.raises(ActionFailed, match="allow_private"):
        await private.check(f"http://jobs.test:{server.port}/")
    assert "has no address" in await Outbound(resolve=resolver()).check("http://jobs.test/")
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    ["http://a\\@b/", "http://user:pw@jobs.test/", "file:///etc/passwd", "http:///x", "http://a b/", "http://a/\r\nX: y"],
)
async def test_addresses_that_can_be_read_in_two_ways_are_refused(url: str) -> None:
    with pytest.raises(ActionFailed, match="nothing was sent"):
        await Outbound(resolve=resolver("93.184.216.34")).send("POST", url, json={}, key="")


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "0.0.0.0", "64:ff9b::a9fe:a9fe"])
def test_link_local_is_never_called_even_where_private_is_allowed(address: str) -> None:
    assert forbidden(ipaddress.ip_address(address), allow_private=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "100.64.0.1", "::ffff:192.168.0.1"])
def test_private_addresses_need_the_entrys_word(address: str) -> None:
    assert forbidden(ipaddress.ip_address(address), allow_private=False)
    assert not forbidden(ipaddress.ip_address(address), allow_private=True)
