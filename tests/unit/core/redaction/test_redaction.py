"""Redaction: secrets go, everything else stays."""

import json
import re
from pathlib import Path

import pytest

from bot.core.redaction.redaction import redact

VARIANTS = Path(__file__).parents[4] / "tests" / "attacks" / "variants"


def items(name: str) -> list[tuple[str, str, str]]:
    """(id, text, what must never be seen)."""
    rows = [json.loads(line) for line in (VARIANTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return [(r["id"], r.get("payload") or "".join(r["payload_parts"]), "".join(r.get("canary_parts", ()))) for r in rows]


def bare(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)


def test_secrets_of_many_forms_are_not_seen_any_more() -> None:
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


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("wachtwoord: FAKEnl01", "FAKEnl01"),
        ("パスワードは FAKEja02 です", "FAKEja02"),
        ("mot de passe : FAKEfr03", "FAKEfr03"),
        ("OPSGENIE_KEY=fa4efa4e-0000-4000-8000-fa4efa4efa4e", "fa4efa4e-0000-4000-8000-fa4efa4efa4e"),
        ('password: str = "FAKEpy04"', "FAKEpy04"),
        ("password:\n  value: FAKEnested05", "FAKEnested05"),
        ('{"value":"FAKEturned06","name":"password"}', "FAKEturned06"),
        ("DB_PASSWORD: !!str FAKEtag07", "FAKEtag07"),
        ('s:8:"password";s:10:"FAKEphp08x";', "FAKEphp08x"),
        ("tokens:\n  - FAKElist0009\n  - FAKElist0010", "FAKElist0010"),
        ("| password | FAKEcell11 |", "FAKEcell11"),
        ('name="password"\r\n\r\nFAKEform12', "FAKEform12"),
        ('HTTPBasicAuth("bob", "FAKEcall13")', "FAKEcall13"),
        ("requirepass FAKEconf14", "FAKEconf14"),
        ("admin:FAKEpair15!", "FAKEpair15!"),
        ("use FAKEsaid16! as the password", "FAKEsaid16!"),
        ("00FAKEfakeFAKEfakeFAKEfake api token", "00FAKEfakeFAKEfakeFAKEfake"),
        ("https://mattermost.example/hooks/fakefakefakefakefakefakefa", "fakefakefakefakefakefakefa"),
        ("https://hooks.example/alert/70413a06-38d6-4c85-92b8-5ebc900d42e2", "70413a06-38d6"),
        (
            "https://app.opsgenie.com/alert/detail/70413a06-38d6-4c85-92b8-5ebc900d42e2-1764000000123/details?apiKey=FAKEogn24fake9",
            "FAKEogn24fake9",
        ),
        ("echo 'FAKEpipe17' | sudo -S ls", "FAKEpipe17"),
        ("cqlsh -u u -p FAKEcql18", "FAKEcql18"),
        ("api_key=FAKEfakeFAKEfakeFAKE\nfakeFAKEfakeFAKEfake", "fakeFAKEfakeFAKEfake"),
        ("'ghp_' + 'FAKEfakeFAKEfakeFAKEfake'", "FAKEfakeFAKEfakeFAKEfake"),
        ("p a s s w o r d = FAKEapart19", "FAKEapart19"),
        ("password%253DFAKEtwice20", "FAKEtwice20"),
        ("VUVGVFUxZFBVa1E5UmtGTFJXSmhjMlUyTkE9PQ==", "VUVGVFUxZFBVa1E5UmtGTFJXSmhjMlUyTkE9PQ=="),
        (
            "powershell -enc cABhAHMAcwB3AG8AcgBkAD0ARgBBAEsARQBwAHMAMQAxAA==",
            "cABhAHMAcwB3AG8AcgBkAD0ARgBBAEsARQBwAHMAMQAxAA==",
        ),
        ("Phone: +44 1223 334714", "334714"),
    ],
)
def test_a_secret_is_told_by_its_name_its_place_and_its_making(text: str, secret: str) -> None:
    assert secret not in redact(text)


def test_all_data_of_a_kubernetes_secret_is_secret() -> None:
    text = "apiVersion: v1\nkind: Secret\ndata:\n  foo: RkFLRWZha2U=\n  bar: RkFLRWZha2Uy\ntype: Opaque\n"

    assert redact(text) == "apiVersion: v1\nkind: Secret\ndata:\n  foo: [secret]\n  bar: [secret]\ntype: Opaque\n"
    assert "LOG_LEVEL: debug" in redact("kind: ConfigMap\ndata:\n  LOG_LEVEL: debug\n")


@pytest.mark.parametrize(
    ("table", "left"),
    [
        ("user,password\nbob,FAKEcsv1\namy,FAKEcsv2", "user,password\nbob,[secret]\namy,[secret]"),
        ("user | password\n-----+---------\nbob | FAKEpsql3", "user | password\n-----+---------\nbob | [secret]"),
        (
            "INSERT INTO u (name, password) VALUES ('bob', 'FAKEsql4')",
            "INSERT INTO u (name, password) VALUES ('bob', '[secret]')",
        ),
        ("NAME,secret\ncheckout,db-creds", "NAME,secret\ncheckout,db-creds"),
    ],
)
def test_a_column_that_is_named_like_a_secret_holds_some(table: str, left: str) -> None:
    assert redact(table) == left


@pytest.mark.parametrize(
    "text",
    [
        "value 45.37600000000001 above 40, 4.536949422774391",
        "block blk_-4980916519894289629 and offset 4980916519894289629",
        "tests pass=120 fail=2",
        "nextToken: CiAKHAoMMTIzNDU2Nzg5, pageToken=CAoQAA",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf not found",
        'password = os.environ["DB_PASSWORD"]',
        "token = get_token(user)",
        "PASSWORD=${PASSWORD:?missing}",
        "usage: app --user USER --password PASSWORD --host HOST",
        "the password is case-sensitive and hashed with PBKDF2-HMAC-SHA256",
        "idempotency_key=7d9f1c2e-33b1-4d7a-9c0e-0a1b2c3d4e5f",
        "https://app.eu.opsgenie.com/alert/detail/70413a06-38d6-4c85-92b8-5ebc900d42e2-1764000000123/details",
        "ExternalSecret db-creds: SecretSyncedError",
        "https://bob@git.internal.example/shop.git, ssh deploy@bastion.internal.example",
        "gtk+3.0 (3.24.43-3) and 1:17~++20230701095046",
        '{"event":"login","reason":"bad password","user":"bob"}',
        "PASS src/checkout.test.js, --- PASS: TestTokenRefresh2Times",
        "token: недействителен, clave: valor no encontrado",
        "code is async-signal-safe, net: cpsw_new: Execute callback",
    ],
)
def test_counts_ids_and_program_text_beside_telling_words_stay(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "half",
    ["&#55296;", "&#xD800;", "&#xdfff;", "\\ud800", "\ud800", "%ed%a0%80", "&#0;", "&#99999;", "&#xFFFF;", "%", "\\u", "&#;"],
)
def test_half_a_character_in_whatever_spelling_ends_nothing(half: str) -> None:
    told = redact(f"a {half} b, password=hunter2hunter2, {half} c")

    assert "hunter2hunter2" not in told and told.encode() and told.startswith("a ") and told.endswith(" c")


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


@pytest.mark.parametrize("password", ["fakehunt2", "FAKEHUNT2", "fakeHunt"])
def test_a_password_that_somebody_says_is_hidden_and_a_plain_word_there_is_not(password: str) -> None:
    assert redact(f"the password is {password} as of today") == "the password is [secret] as of today"
    assert redact("the password is rejected as of today") == "the password is rejected as of today"


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN " + "A " * 50_000,
        "-----BEGIN RSA PRIVATE KEY-----" * 5_000,
        "http://" + "a." * 50_000 + "@",
        "password=" * 11_000,
        'password="' * 10_000,
        "password reset for user-1, no token= here " * 2500,
        "a@b." * 25_000,
        "%41" * 33_000,
        "1234 " * 20_000,
        "password,x\n" * 9_000,
        "kind: Secret\ndata:\n  a: bbbbbbbb\n" * 3_000,
        "a b c d e f g h " * 6_000,
        "tokens:\n  - x1\n" * 6_000,
    ],
)
def test_a_hundred_kilobytes_that_are_built_to_be_slow_end(text: str) -> None:
    # Work that grows with the square of the size takes minutes here and meets the suite's time limit.
    assert len(redact(text)) <= len(text)


def test_a_key_that_is_said_twice_is_hidden_twice() -> None:
    key = "Fk9xTq2LmW7zRb4Yc8Vn3Hp6Js1Dg5Ea0Uo/+ZiX"

    assert redact(f"aws_secret_access_key={key} {key} was refused").count(key) == 0
    assert redact(f"{key},{key},{key}").count(key) == 0
