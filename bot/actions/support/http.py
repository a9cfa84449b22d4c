"""How actions reach out: one parser, the address resolved, checked and pinned, no redirects, signed, limited in time.

An error before anything was sent is `ActionFailed`; an answer that was lost is `OutcomeUnknown`, and nothing is repeated.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import json as jsonlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence

import httpx

from bot.core.errors import ActionFailed, OutcomeUnknown
from bot.core.text.addresses import Address, ambiguous, forbidden
from bot.core.text.untrusted import one_line
from bot.plugins import HttpAnswer

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
"""For the whole call, from the connection to the last byte read."""
MAX_ANSWER_BYTES = 64 * 1024
SIGNATURE = "X-Tocsin-Signature"
"""`sha256=<hex HMAC-SHA-256 of the body>`, with TOCSIN_WEBHOOK_SECRET."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


async def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a host, as the system's resolver gives them. Raises OSError."""
    entries = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in entries]


class NoAddress(ActionFailed):
    """A name that the resolver does not know now; it may know it in a minute."""


class Outbound:
    """`plugins.Http` over httpx. `secret` signs every body; `resolve` is the resolver."""

    def __init__(self, secret: str = "", *, resolve: Resolve = resolve, seconds: float = ANSWER_SECONDS) -> None:
        self._secret = secret.encode()
        self._resolve = resolve
        self._seconds = seconds

    async def send(
        self,
        method: str,
        url: str,
        *,
        json: object,
        key: str,
        headers: Mapping[str, str] | None = None,
        allow_private: bool = False,
        ca_file: str = "",
        most_bytes: int = MAX_ANSWER_BYTES,
    ) -> HttpAnswer:
        """Send one request, once. Raises ActionFailed before anything was sent, OutcomeUnknown when the answer was lost."""
        target = _parsed(url)
        address = await self._address(target, allow_private)
        body = b"" if json is None else jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":")).encode()
        request = httpx.Request(
            method,
            target.copy_with(host=str(address)),
            content=body,
            headers=self._headers(target, body, key, headers or {}, json is not None),
            # The certificate is checked for the name, while the connection goes to the address that was checked.
            extensions={
                "sni_hostname": target.host,
                "timeout": httpx.Timeout(self._seconds, connect=CONNECT_SECONDS).as_dict(),
            },
        )
        return await self._send(request, target.host, _trusted(ca_file), most_bytes)

    async def check(self, url: str, *, allow_private: bool = False) -> str:
        """As far as the address: "" if it may be called, or why its name has none now. Raises ActionFailed if it never is."""
        try:
            await self._address(_parsed(url), allow_private)
        except NoAddress as error:
            return str(error)
        return ""

    def _headers(self, target: httpx.URL, body: bytes, key: str, more: Mapping[str, str], has_body: bool) -> dict[str, str]:
        sent = {"User-Agent": "tocsin"} | ({"Content-Type": "application/json"} if has_body else {})
        sent |= {**more, "Host": target.netloc.decode("ascii").rpartition("@")[2]}
        if key:
            sent["Idempotency-Key"] = key
        if self._secret:
            sent[SIGNATURE] = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        return sent

    async def _address(self, target: httpx.URL, allow_private: bool) -> Address:
        port = target.port or (443 if target.scheme == "https" else 80)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                texts = await self._resolve(target.host, port)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise NoAddress(f"{target.host} could not be resolved: {one_line(str(error), 120)}; nothing was sent.") from error
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in texts]
        # All of them must be fit: a name with one public and one private address is how rebinding starts.
        for address in addresses:
            if why := forbidden(address, allow_private):
                raise ActionFailed(f"{target.host} is at {address}, {why}; nothing was sent.")
        if not addresses:
            raise NoAddress(f"{target.host} has no address; nothing was sent.")
        return addresses[0]

    async def _send(self, request: httpx.Request, host: str, verify: ssl.SSLContext | bool, most_bytes: int) -> HttpAnswer:
        # trust_env off: a proxy from the environment would resolve the name anew.
        transport = httpx.AsyncHTTPTransport(verify=verify, trust_env=False, retries=0)
        try:
            async with asyncio.timeout(self._seconds + CONNECT_SECONDS), transport:
                response = await transport.handle_async_request(request)
                return await _answer(response, most_bytes)
        except _NOTHING_SENT as error:
            raise ActionFailed(f"{host} cannot be reached ({_error_text(error)}); nothing was sent.") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise OutcomeUnknown(f"the answer of {host} was lost ({_error_text(error)}).") from error


def _error_text(error: Exception) -> str:
    return one_line(str(error), 120) or type(error).__name__


def _parsed(url: str) -> httpx.URL:
    """The one parser of addresses. What parsers are known to read in two ways is refused."""
    if why := ambiguous(url):
        raise ActionFailed(f"the address {why}; nothing was sent.")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise ActionFailed(f"the address cannot be read ({one_line(str(error), 80)}); nothing was sent.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise ActionFailed("the address must be http or https, with a host and without a user; nothing was sent.")
    return parsed


def _trusted(ca_file: str) -> ssl.SSLContext | bool:
    """What the server's certificate is checked against. Raises ActionFailed if the file cannot be read."""
    if not ca_file:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ActionFailed(f"the certificates in ca_file cannot be read ({_error_text(error)}); nothing was sent.") from error


async def _answer(response: httpx.Response, most_bytes: int) -> HttpAnswer:
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= most_bytes:
                break
    finally:
        await response.aclose()
    text = bytes(body[:most_bytes]).decode("utf-8", "replace")
    return HttpAnswer(status=response.status_code, text=text, json=_json(text))


def _json(text: str) -> object:
    try:
        return jsonlib.loads(text)
    except (ValueError, RecursionError):
        return None
