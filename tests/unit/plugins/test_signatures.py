"""The vendors' own proofs: what fits, and what does not."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from bot.plugins import SignedRequest, hmac_hex, plain_token, standard_webhook

NOW = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)
BODY = b'{"a": 1}'
STANDARD = standard_webhook("webhook-signature", id_header="webhook-id", timestamp_header="webhook-timestamp")


def request(headers: Mapping[str, str], body: bytes = BODY) -> SignedRequest:
    return SignedRequest(headers, body, NOW)


def standard_headers(key: bytes, sent_at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    seconds = str(int(sent_at.timestamp()))
    digest = hmac.new(key, b"msg-1." + seconds.encode() + b"." + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": "msg-1", "webhook-timestamp": seconds, "webhook-signature": signature}


@pytest.mark.parametrize(("algorithm", "prefix"), [("sha256", "sha256="), ("sha512", "")])
def test_an_hmac_over_the_very_bytes_fits_and_no_other(algorithm: str, prefix: str) -> None:
    signature = hmac_hex("x-signature", algorithm=algorithm, prefix=prefix)
    headers = {"x-signature": prefix + hmac.new(b"secret", BODY, algorithm).hexdigest()}

    assert signature.matches(request(headers), "secret")
    assert not signature.matches(request(headers, BODY + b" "), "secret")
    assert not signature.matches(request(headers), "another")
    assert not signature.matches(request({"x-signature": prefix}), "secret")


def test_one_of_several_signatures_has_to_fit() -> None:
    right = "v1=" + hmac.new(b"new", BODY, "sha256").hexdigest()

    assert hmac_hex("x-s", prefix="v1=").matches(request({"x-s": f"v1=00,{right}"}), "new")


def test_a_plain_token_has_to_be_the_secret() -> None:
    assert plain_token("x-gitlab-token").matches(request({"x-gitlab-token": "secret"}), "secret")
    assert not plain_token("x-gitlab-token").matches(request({"x-gitlab-token": "secre"}), "secret")
    assert not plain_token("x-gitlab-token").matches(request({}), "secret")


@pytest.mark.parametrize(("secret", "key"), [("plain", b"plain"), ("whsec_c2VjcmV0LWtleQ==", b"secret-key")])
def test_a_standard_webhook_is_signed_with_its_id_and_moment(secret: str, key: bytes) -> None:
    headers = standard_headers(key)

    assert STANDARD.matches(request(headers), secret)
    assert not STANDARD.matches(request({**headers, "webhook-id": "msg-2"}), secret)
    assert not STANDARD.matches(request(headers, b"{}"), secret)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_standard_webhook_that_was_recorded_is_refused_later(minutes: int) -> None:
    headers = standard_headers(b"plain", NOW + timedelta(minutes=minutes))

    assert not STANDARD.matches(request(headers), "plain")


def test_a_moment_that_is_no_number_is_refused() -> None:
    digest = hmac.new(b"plain", b"msg-1.soon." + BODY, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()

    assert not STANDARD.matches(
        request({"webhook-id": "msg-1", "webhook-timestamp": "soon", "webhook-signature": signature}), "plain"
    )
