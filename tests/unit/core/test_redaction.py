"""Redaction: secrets go, everything else stays."""

import json
import re
from pathlib import Path

import pytest

from bot.core.redaction import redact

VARIANTS = Path(__file__).parents[2] / "attacks" / "variants"


def items(name: str) -> list[tuple[str, str, str]]:
    """(id, text, what must never be seen)."""
    rows = [json.loads(line) for line in (VARIANTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return [(r["id"], r.get("payload") or "".join(r["payload_parts"]), "".join(r.get("canary_parts", ()))) for r in rows]


def bare(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)


def test_secrets_of_two_hundred_forms_are_not_seen_any_more() -> None:
    seen = [
        id
        for id, text, canary in items("secrets")
        if canary in redact(text) or (bare(canary) and bare(canary) in bare(redact(text)))
    ]

    assert seen == []


def test_what_only_looks_like_a_secret_comes_back_unchanged() -> None:
    changed = [(id, redact(text)) for id, text, _ in items("controls") if redact(text) != text]

    assert changed == []


def test_a_private_key_without_its_head_is_one_still() -> None:
    tail = "FAKEFAKEFAKE\nFAKEFAKEFAKEFAKE\n-----END RSA PRIVATE KEY----- then go on"

    assert redact(f"Restore the key:\n{tail}") == "Restore the key:\n[private key] then go on"
    assert redact(repr(f"cause={tail}")) == "'cause=[private key] then go on'"
    assert redact("no such key here -----END OF FILE-----") == "no such key here -----END OF FILE-----"


def test_redacting_twice_changes_nothing_more() -> None:
    once = {id: redact(text) for id, text, _ in items("secrets")}

    assert {id: redact(text) for id, text in once.items()} == once


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("connect postgres://app:FAKEpw99@db:5432/x failed", "connect postgres://app:[secret]@db:5432/x failed"),
        ("db_password=FAKEhunter22 retry", "db_password=[secret] retry"),
        ("401 for Authorization: Bearer FAKEFAKEFAKE1234 on /pay", "401 for Authorization: Bearer [secret] on /pay"),
        ("key AKIA" + "FAKE" * 4 + " leaked", "key [aws key] leaked"),
        ("refund for fake@customer.example, +1 555 010 0199", "refund for [e-mail], [phone]"),
    ],
)
def test_the_surroundings_of_a_secret_stay(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN " + "A " * 50_000,
        "http://" + "a." * 50_000 + "@",
        "password=" * 11_000,
        'password="' * 10_000,
        "password reset for user-1, no token= here " * 2500,
        "a@b." * 25_000,
        "%41" * 33_000,
        "1234 " * 20_000,
    ],
)
def test_a_hundred_kilobytes_that_are_built_to_be_slow_end(text: str) -> None:
    # Work that grows with the square of the size takes minutes here and meets the suite's time limit.
    assert len(redact(text)) <= len(text)
