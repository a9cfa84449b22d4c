"""Amazon SNS over HTTPS: the envelope of a message, and its signature by a certificate that only Amazon's own hosts hand out.

Anybody with an account can have SNS sign messages of a topic: the topic must be one that the configuration names.
"""

import re
from collections.abc import Mapping
from datetime import UTC, timedelta
from urllib.parse import urlsplit

from bot.core.errors import UnreadableBody
from bot.core.payloads.values import moment_of
from bot.plugins import Fetch, SignedRequest
from bot.sources._parsing import parse

_HOST = re.compile(r"sns\.[a-z0-9-]{3,32}\.amazonaws\.com(?:\.cn)?")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
OLDEST = timedelta(hours=2)
"""SNS retries for an hour; what was signed longer ago was recorded and is sent again."""


def is_sns(url: object) -> bool:
    """Whether an address is one of Amazon SNS itself: https, its own host, no port, no user."""
    if not isinstance(url, str) or len(url) > 2048:
        return False
    try:
        parts = urlsplit(url)
        plain = parts.port is None and parts.username is None and "\\" not in url
    except ValueError:
        return False
    return parts.scheme == "https" and plain and bool(_HOST.fullmatch(parts.netloc))


async def signed_by_sns(request: SignedRequest, options: Mapping[str, object], fetch: Fetch) -> bool:
    """Whether SNS signed this message lately, for a topic of option `topics`. Raises QueryFailed without the certificate."""
    try:
        message = parse(request.body)
    except UnreadableBody:
        return False
    if not isinstance(message, dict) or message.get("TopicArn") not in topics_of(options) or not _is_fresh(request, message):
        return False
    url = message.get("SigningCertURL")
    if not is_sns(url) or not urlsplit(str(url)).path.endswith(".pem") or _region(str(url)) not in str(message["TopicArn"]):
        return False
    from bot.sources._certificates import CERTIFICATES, is_signed_by

    key = await CERTIFICATES.key(str(url), request.received_at.astimezone(UTC), fetch)
    signature, version = str(message.get("Signature")), str(message.get("SignatureVersion"))
    return key is not None and is_signed_by(key, signature, _signed_text(message), version)


def _region(url: str) -> str:
    """The region between colons, as it stands in a topic's ARN: each region signs with certificates of its own host."""
    return f":{urlsplit(url).netloc.split('.')[1]}:"


def _is_fresh(request: SignedRequest, message: Mapping[str, object]) -> bool:
    sent_at = moment_of(str(message.get("Timestamp")))
    return sent_at is not None and abs(request.received_at - sent_at) <= OLDEST


def topics_of(options: Mapping[str, object]) -> tuple[str, ...]:
    """The topics that a source listens to, by ARN."""
    topics = options.get("topics", options.get("topic", ()))
    return (topics,) if isinstance(topics, str) else tuple(str(topic) for topic in topics) if isinstance(topics, list) else ()


def _signed_text(message: Mapping[str, object]) -> str:
    """Name and value of each signed field, a line each, in the order of their names; a subject only where there is one."""
    names = _SIGNED.get(str(message.get("Type")), ())
    return "".join(f"{name}\n{message[name]}\n" for name in names if isinstance(message.get(name), str))
