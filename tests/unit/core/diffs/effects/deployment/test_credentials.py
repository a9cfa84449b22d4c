"""Credentials that code is given, or asks for, under another name, that are handed on no longer, or renewed no longer."""

import pytest

from bot.core.diffs.effects.deployment.credentials import dropped_headers, lost_renewals, renamed_credentials
from bot.core.diffs.patches import read_patches
from bot.core.systems import FileChange


def renamed(*lines: str) -> list[tuple[str, str]]:
    (patch,) = read_patches([FileChange("deployment.yaml", 1, 1, patch="\n".join(["@@ -1 +1 @@", *lines]))])
    return [(effect.before, effect.after) for effect in renamed_credentials(patch)]


def test_an_environment_variable_of_a_key_under_another_name_is_told() -> None:
    assert renamed("-  - name: MAIL_API_KEY", "+  - name: MAIL_TOKEN") == [("MAIL_API_KEY", "MAIL_TOKEN")]


def test_a_secret_of_which_another_key_is_read_is_told() -> None:
    assert renamed("-    key: password", "+    key: db-password") == [("password", "db-password")]
    assert renamed("-  secretKeyRef: {key: smtp-password}", "+  secretKeyRef: {key: smtp-pass}") == [
        ("smtp-password", "smtp-pass")
    ]


def test_other_names_and_a_further_credential_are_not() -> None:
    assert not renamed("-  - name: MAIL_HOST", "+  - name: MAIL_SERVER")
    assert not renamed("+  - name: MAIL_TOKEN")


def test_a_type_or_a_variable_of_the_code_itself_is_no_name_that_it_is_given() -> None:
    patch = "\n".join(
        ["@@ -1 +1 @@", "-    TokenReply r = oauth.credentials(id, secret);", "+    return tokens.get(id, secret);"]
    )
    (read,) = read_patches([FileChange("Client.java", 1, 1, patch=patch)])

    assert not list(renamed_credentials(read))


def test_the_name_of_a_credential_anywhere_within_quotes_is_one_that_it_is_given() -> None:
    patch = '@@ -1 +1 @@\n-  t = vault.Read("secret/data/checkout-token")\n+  t = vault.Read("secret/data/shop-token")'
    (read,) = read_patches([FileChange("client.go", 1, 1, patch=patch)])

    assert [(one.before, one.after) for one in renamed_credentials(read)] == [("checkout-token", "shop-token")]


def dropped(*lines: str, elsewhere: str = "") -> list[str]:
    patches = read_patches(
        [
            FileChange("app.conf", 1, 1, patch="\n".join(["@@ -1 +1 @@", *lines])),
            FileChange("other.conf", 1, 1, patch=f"@@ -1 +1 @@\n{elsewhere}"),
        ]
    )
    return [effect.name for effect in dropped_headers(patches)]


def test_a_header_with_credentials_that_is_emptied_or_gone_is_told_and_one_that_is_set_otherwise_is_not() -> None:
    handed_on = "-  proxy_set_header Authorization $http_authorization;"

    assert dropped(handed_on) == dropped(handed_on, '+  proxy_set_header Authorization "";') == ["authorization"]
    assert not dropped(handed_on, "+  proxy_set_header Authorization $upstream_auth;")


def test_a_header_that_another_file_sets_now_is_handed_on_still_unless_it_is_emptied_here() -> None:
    handed_on, elsewhere = '-  req.Header.Set("Authorization", token)', '+  req.Header.Set("Authorization", "Bearer " + token)'

    assert dropped(handed_on) == ["authorization"]
    assert not dropped(handed_on, elsewhere=elsewhere)
    assert dropped(handed_on, '+  req.Header.Set("Authorization", "")', elsewhere=elsewhere) == ["authorization"]


@pytest.mark.parametrize(
    "line",
    ['raise Refused("no authorization given")', "authorization = policy.decide(user)", "const cookie = jar.read(request)"],
)
def test_a_variable_or_a_text_with_the_word_of_a_header_is_none(line: str) -> None:
    assert not dropped(f"-  {line}")


@pytest.mark.parametrize("line", ["headers['Authorization'] = token", "headers: { Authorization: token }", "x-api-key: $key"])
def test_a_header_is_set_in_many_ways(line: str) -> None:
    assert len(dropped(f"-  {line}")) == 1


def renewals(*lines: str) -> list[str]:
    return [
        effect.name
        for effect in lost_renewals(read_patches([FileChange("a.py", 1, 1, patch="\n".join(["@@ -1 +1 @@", *lines]))]))
    ]


def test_a_lease_that_is_no_longer_renewed_is_told_and_one_that_is_renewed_elsewhere_is_not() -> None:
    assert renewals("-  lease = vault.renew(lease)", '+  lease = vault.read("creds")') == ["renew"]
    assert not renewals("-  lease = vault.renew(lease)", "+  lease = leases.renew(vault)")
    assert not renewals("-  page.refresh()", "+  page.show()")
