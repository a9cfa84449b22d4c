"""Credentials that code is given, or asks for, under another name."""

from bot.core.diffs.effects.credentials import renamed_credentials
from bot.core.diffs.patches import read_patches
from bot.core.systems import FileChange


def renamed(*lines: str) -> list[tuple[str, str]]:
    (patch,) = read_patches([FileChange("deployment.yaml", 1, 1, patch="\n".join(["@@ -1 +1 @@", *lines]))])
    return [(effect.before, effect.after) for effect in renamed_credentials(patch)]


def test_an_environment_variable_of_a_key_under_another_name_is_told() -> None:
    assert renamed("-  - name: MAIL_API_KEY", "+  - name: MAIL_TOKEN") == [("MAIL_API_KEY", "MAIL_TOKEN")]


def test_a_secret_of_which_another_key_is_read_is_told() -> None:
    assert renamed("-    key: password", "+    key: db-password") == [("password", "db-password")]


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
