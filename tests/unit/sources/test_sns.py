"""SNS messages: only Amazon's own hosts are asked for a certificate, and only a named topic's signed, fresh message counts."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from bot.core.config.alerts import SourceConfig
from bot.core.errors import QueryFailed, UnreadableBody
from bot.plugins import SignedRequest, SourceRequest
from bot.sources._sns import is_sns, signed_by_sns
from bot.sources.cloudwatch import cloudwatch

NOW = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OPTIONS = {"topics": [TOPIC]}


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(KEY.public_key()).serial_number(1)
    dated = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    return dated.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Amazon:
    """Stands where the certificate lies; remembers what it was asked for."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.requests.append(url)
        return certificate()


def message(number: int, *, sent_at: datetime = NOW, version: str = "2", **changes: Any) -> dict[str, Any]:
    """A signed message; each number has a certificate of its own, so that no test finds another's."""
    body = {"Type": "Notification", "MessageId": "m", "TopicArn": TOPIC, "Message": "{}", "Timestamp": sent_at.isoformat(),
            "SignatureVersion": version, "SigningCertURL": f"https://sns.eu-west-1.amazonaws.com/SNS-{number}.pem"}  # fmt: skip
    text = "".join(f"{name}\n{body[name]}\n" for name in ("Message", "MessageId", "Timestamp", "TopicArn", "Type"))
    algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()
    body["Signature"] = base64.b64encode(KEY.sign(text.encode(), padding.PKCS1v15(), algorithm)).decode()
    return {**body, **changes}


async def accepted(body: dict[str, Any], amazon: Amazon, options: Any = OPTIONS) -> bool:
    return await signed_by_sns(SignedRequest({}, json.dumps(body).encode(), NOW), options, amazon.fetch)


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_signed_message_of_a_named_topic_is_taken_and_its_certificate_is_read_once(version: str) -> None:
    amazon = Amazon()
    body = message(100 + int(version), version=version)

    assert await accepted(body, amazon) and await accepted(body, amazon)
    assert amazon.requests == [body["SigningCertURL"]]


@pytest.mark.parametrize(
    "changes",
    [{"Message": '{"AlarmName": "forged"}'}, {"Signature": "AAAA"}, {"Signature": "not base64"}, {"SignatureVersion": "3"}],
)
async def test_a_message_that_was_changed_is_refused(changes: dict[str, str]) -> None:
    assert not await accepted(message(1, **changes), Amazon())


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/c.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/c.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/c.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/c.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/c.pem",
        "https://s3.eu-west-1.amazonaws.com/bucket/c.pem",
        "https://evil.example\\@sns.eu-west-1.amazonaws.com/c.pem",
        "https://sns.us-east-1.amazonaws.com/c.pem",
        "https://169.254.169.254/c.pem",
        "file:///etc/passwd.pem",
        "https://sns.eu-west-1.amazonaws.com/c.html",
        None,
    ],
)
async def test_no_other_address_is_asked_for_a_certificate(url: str | None) -> None:
    amazon = Amazon()

    assert not await accepted(message(2, SigningCertURL=url), amazon)
    assert amazon.requests == []


async def test_the_topic_must_be_named_and_the_message_fresh() -> None:
    amazon = Amazon()

    assert not await accepted(message(3), amazon, {})
    assert not await accepted(message(3), amazon, {"topics": ["arn:aws:sns:eu-west-1:1:other"]})
    assert not await accepted(message(3, sent_at=NOW - timedelta(days=1)), amazon)
    assert amazon.requests == []


async def test_without_the_certificate_nobody_knows_and_the_sender_tries_again() -> None:
    async def away(url: str) -> bytes:
        raise QueryFailed("the host cannot be reached")

    with pytest.raises(QueryFailed):
        await signed_by_sns(SignedRequest({}, json.dumps(message(4)).encode(), NOW), OPTIONS, away)


def confirmation(**changes: str) -> SourceRequest:
    body = {"Type": "SubscriptionConfirmation", "TopicArn": TOPIC, "Token": "t",
            "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t", **changes}  # fmt: skip
    return SourceRequest("aws", json.dumps(body).encode(), {}, NOW, SourceConfig(kind="cloudwatch", options=OPTIONS))


def test_a_subscription_to_a_named_topic_is_confirmed_at_amazons_own_address() -> None:
    assert cloudwatch.read(confirmation()).confirm_url.startswith("https://sns.eu-west-1.amazonaws.com/?Action=")


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"SubscribeURL": "http://192.0.2.9/"}, "SubscribeURL"), ({"TopicArn": "arn:aws:sns:eu-west-1:9:other"}, "TopicArn")],
)
def test_no_other_subscription_is_confirmed(changes: dict[str, str], field: str) -> None:
    with pytest.raises(UnreadableBody) as caught:
        cloudwatch.read(confirmation(**changes))

    assert caught.value.field == field


def test_hosts_of_the_chinese_partition_are_amazons_too() -> None:
    assert is_sns("https://sns.cn-north-1.amazonaws.com.cn/c.pem")
