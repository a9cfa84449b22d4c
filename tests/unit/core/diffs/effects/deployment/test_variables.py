"""Variables of the environment under another name."""

from bot.core.diffs.effects.deployment.variables import renamed_environment
from bot.core.diffs.patches import read_patches
from bot.core.systems import FileChange


def environment(*files: tuple[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    changes = [FileChange(path, 1, 1, patch="\n".join(["@@ -1 +1 @@", *lines])) for path, lines in files]
    effects = renamed_environment(read_patches(changes))
    return [(effect.name, effect.after) for effect in effects if effect.kind == "variable"]


def test_a_variable_that_a_manifest_calls_otherwise_is_not_there_for_code_that_asks_for_the_old_name() -> None:
    manifest = ("-            - name: SAML_SP_ENTITY_ID", "+            - name: BROKER_SAML_ENTITY_ID")

    assert environment(("k8s/deployment.yaml", manifest)) == [("SAML_SP_ENTITY_ID", "BROKER_SAML_ENTITY_ID")]


def test_a_variable_that_the_code_asks_for_under_its_new_name_or_that_is_another_one_is_not_renamed() -> None:
    manifest = ("-            - name: SAML_SP_ENTITY_ID", "+            - name: BROKER_SAML_ENTITY_ID")
    code = ("broker/settings.py", ("+    entity = os.environ['BROKER_SAML_ENTITY_ID']",))

    assert not environment(("k8s/deployment.yaml", manifest), code)
    assert not environment(("k8s/deployment.yaml", (manifest[0], "+            - name: LOG_FORMAT")))
    assert not environment(("k8s/a.yaml", ("-  - name: KAFKA_CONSUMER_GROUP_ID", "+  - name: KAFKA_CONSUMER_MAX_POLL")))


def test_variables_that_took_each_others_place_are_renamed_and_those_that_say_something_else_are_not() -> None:
    both = (
        "-  - name: BANK_GATEWAY_URL",
        "-  - name: BANK_GATEWAY_TIMEOUT",
        "+  - name: BANKGW_URL",
        "+  - name: BANKGW_TIMEOUT",
    )

    assert environment(("k8s/a.yaml", both)) == [("BANK_GATEWAY_URL", "BANKGW_URL"), ("BANK_GATEWAY_TIMEOUT", "BANKGW_TIMEOUT")]
    assert not environment(("k8s/a.yaml", ("-  - name: MAIL_API_KEY", "+  - name: MAIL_TOKEN")))


def test_code_that_asks_for_a_variable_under_another_name_finds_none_where_no_manifest_gives_it() -> None:
    code = ("src/config.ts", ("-  host: process.env.SMTP_RELAY_HOST,", "+  host: process.env.MAIL_RELAY_HOST,"))
    manifest = ("k8s/notifier.yaml", ("-  - name: SMTP_RELAY_HOST", "+  - name: MAIL_RELAY_HOST"))

    assert environment(code) == [("SMTP_RELAY_HOST", "MAIL_RELAY_HOST")]
    assert not environment(code, manifest)
