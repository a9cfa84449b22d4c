"""Many texts redacted at once: whatever `redact` takes out of a text alone is taken out among others too."""

import base64

import pytest

from bot.core.redaction.redaction import redact, redact_all
from bot.core.redaction.screening import redact_each, redact_json

HARMLESS = [
    "checkout",
    "Pod shop/checkout-7d9f8b6c5-x2x4z has restarted 3.2 times / 10 minutes.",
    "10.0.0.12:9100",
    "http://prometheus.example.com/graph?g0.expr=errors%7Bn%3D%220%22%7D",
    "first line\nsecond line",
    "",
]
PASSWORD = "Fk9" + "xQ2mLw7Z"
SECRETS = [
    f"password={PASSWORD}",
    f"url postgres://app:{PASSWORD}@db:5432/shop",
    "AKIA" + "FAKEFAKEFAKE0001",
    "%70%61ssword%3D" + PASSWORD,
    "p\u0430ssword=" + PASSWORD,
    "pass\u200bword=" + PASSWORD,
    "pass\x01word=" + PASSWORD,
    base64.b64encode(f"password={PASSWORD}".encode()).decode(),
    "p a s s w o r d = F k 9 x Q 2 m L w 7 Z",
    f"user,password\nalice,{PASSWORD}\n",
    "alice@example.com wrote it",
    "card 4111 1111 1111 1111",
    f"--password {PASSWORD}",
    "ghp_" + "FAKEfake" * 5,
    f"pass\0word={PASSWORD}",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_among_harmless_texts_is_taken_out_as_if_it_stood_alone(secret: str) -> None:
    texts = [*HARMLESS, secret, *HARMLESS]

    redacted = redact_each(texts)

    assert redacted == [redact(text) for text in texts]
    assert redacted[len(HARMLESS)] != secret


def test_all_secrets_of_many_texts_are_taken_out_wherever_they_stand() -> None:
    texts = [text for secret in SECRETS for text in (secret, "checkout", secret + " ", "")]

    assert redact_each(texts) == [redact(text) for text in texts]


def test_two_texts_side_by_side_are_not_read_as_one() -> None:
    assert redact_each(["the password", "=" + PASSWORD, "is:", PASSWORD]) == ["the password", "=" + PASSWORD, "is:", PASSWORD]


def test_what_holds_nothing_comes_back_unchanged() -> None:
    assert redact_each(HARMLESS) == HARMLESS
    assert redact_each([]) == []


def test_a_text_that_comes_twice_is_redacted_twice() -> None:
    assert redact_each([SECRETS[0], "x", SECRETS[0]]) == ["password=[secret]", "x", "password=[secret]"]


def test_json_is_redacted_wherever_a_text_stands_in_it() -> None:
    value = {"rows": [{"name": "checkout", "why": SECRETS[0], "count": 3}], "last": (SECRETS[0], None, "checkout")}

    redacted = {
        "rows": [{"name": "checkout", "why": "password=[secret]", "count": 3}],
        "last": ["password=[secret]", None, "checkout"],
    }
    assert redact_json(value) == redacted == redact_all(value)


def test_harmless_json_is_the_same_object() -> None:
    value = {"rows": [{"name": "checkout", "count": 3}]}

    assert redact_json(value) is value
