"""A broken configuration names its line; an empty one is valid."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot.adapters import settings_of
from bot.core.config import Config
from bot.core.errors import ConfigurationError
from bot.settings import Secrets, catalogue_of, deprecated_keys, load_config, parse_config, require_slack_tokens, source_tokens


def test_an_empty_file_is_a_valid_configuration() -> None:
    assert parse_config("").incident_from == "SEV2"


UNDO = """actions:
  rollback: {kind: silence_alert, inverse: forward}
  forward:
    kind: silence_alert
    inverse: rollback
"""


def test_the_old_name_of_undo_is_still_read_and_each_line_of_it_is_named(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(UNDO)
    new.write_text(UNDO.replace("inverse", "undo"))

    assert load_config(old) == load_config(new)
    assert [notice.partition(":")[2] for notice in deprecated_keys(old)] == [
        "2: actions.rollback.inverse is called undo now; the old name still works",
        "5: actions.forward.inverse is called undo now; the old name still works",
    ]
    assert list(deprecated_keys(new)) == []


def test_an_entry_with_both_names_of_undo_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"actions\.a\.inverse: unknown key"):
        parse_config("actions:\n  a: {kind: silence_alert, undo: a, inverse: a}\n")


HOOK = "{kind: run_webhook, url: 'https://ci.example.com'"
FREEZE = "starts: 2026-12-23T00:00:00Z, ends: 2027-01-02T00:00:00Z, reason: holidays"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("services:\n  checkout:\n    owners: [nobody]\n", "3: services.checkout.owners.0"),
        ("services:\n  checkout: {singals: {}}\n", "2: services.checkout.singals: unknown key"),
        ("people:\n  alice: {}\n  alice: {}\n", "3: alice: appears twice"),
        ("budget:\n  per_run_usd: much\n", "2: budget.per_run_usd"),
        ("close_after: soon\n", "1: close_after: not a duration"),
        ("- a list\n", "1: the file must be a mapping"),
        (
            "sources:\n  am:\n    kind: alertmanagr\n",
            "3: sources.am.kind: 'alertmanagr' is no kind of sources (did you mean alertmanager?)",
        ),
        (
            "sources:\n  gh:\n    kind: github\n    options: {service: {a: b}}\n",
            "4: sources.gh.options.service: github has no such option (did you mean services?); it has environment,",
        ),
        ("sources:\n  s:\n    kind: slack_channel\n", "2: sources.s: slack_channel needs options.channel"),
        ("sources:\n  a: {kind: generic, replica_of: b}\n", "2: sources.a.replica_of: 'b' is not among sources"),
        (
            "sources:\n  a: {kind: generic, replica_of: b}\n  b: {kind: generic, replica_of: a}\n",
            "2: sources.a.replica_of: 'b' is a replica itself",
        ),
        (
            "sources:\n  a:\n    kind: generic\n    fingerprint: [{labels: [a]}, {match: {a: x}, labels: [a]}]\n",
            "4: sources.a.fingerprint.1: matches nothing: a rule before it takes all that it fits",
        ),
        (
            "sources:\n  a: {kind: slack_channel, options: {channel: C1}, fingerprint: [{labels: [pod]}]}\n",
            "2: sources.a: slack_channel takes no alerts that it could be about",
        ),
        (
            "actions:\n  a: {kind: run_webhok}\n",
            "2: actions.a.kind: 'run_webhok' is no kind of actions (did you mean run_webhook?)",
        ),
        ("a: [1\n", "1: the bracket that opens here is never closed"),
        ("actions:\n  rollback: {kind: run_webhook, undo: nothing}\n", "2: actions.rollback.undo"),
        ("actions:\n  rollback: {kind: run_webhook}\n", "2: actions.rollback.url: run_webhook needs it"),
        ("a: &a [*a]\n", "an alias refers to itself"),
        ("services:\n  a: {depends_on: [a]}\n", "2: services.a.depends_on.0: a service does not depend on itself"),
        ("prometheus: {url: 'prom:9090'}\n", "1: prometheus.url: not an address: it begins with http:// or https://"),
        ("budget: {per_day_usd: -1}\n", "1: budget.per_day_usd: must be at least 0, and is -1"),
        ("freezes:\n- {starts: 2026-01-05 09:00:00, ends: 2026-01-06, reason: x}\n", "2: freezes.0.starts: names no time zone"),
        (
            "freezes:\n- {starts: 2026-01-05T09:00Z, ends: 2026-01-05T08:00Z, reason: x}\n",
            "2: freezes.0: ends before it starts",
        ),
        ("prometheus: http://x\n", "1: prometheus: must be a mapping of keys to values"),
        ("services: {s: {signals: {errors: {promql: ' '}}}}\n", "1: services.s.signals.errors.promql: must not be empty"),
        (
            "services:\n  s: {objectives: {o: {good: 'sum(rate(g[5m]))', total: 'sum(rate(all[{window}]))', objective: 99}}}\n",
            "2: services.s.objectives.o.good: has no {window}",
        ),
        (
            "services:\n  s: {objectives: {o: {good: 'ok{window}', total: 'sum(rate(all[5m]))', objective: 99}}}\n",
            "2: services.s.objectives.o.total: has no {window}",
        ),
        ("[" * 5000, "is nested too deeply"),
        ("people:\n  a: {slack: '@alice'}\n", "2: people.a.slack: not an id of Slack"),
        ("people:\n  a: {slack: U1}\n  b: {slack: U1}\n", "3: people.b.slack: is a's already"),
        ("people:\n  a: {email: A@x.org}\n  b: {email: ' a@X.org'}\n", "3: people.b.email: is a's already"),
        ("people:\n  a: {slack: U1, same_as: c}\n", "2: people.a.same_as: 'c' is not another entry among people"),
        ("actions:\n  r: {kind: run_webhook, url: 'http://j', tier: 0}\n", "2: actions.r.tier: 0 is no tier of an action"),
        (
            "actions:\n  delete_it: {kind: run_webhook, url: 'http://j', tier: 1}\n",
            "2: actions.delete_it.tier: 1 is too low for what is called delete: 3 at least",
        ),
        ("default_channel: '#incidents'\n", "1: default_channel: not an id of Slack"),
        ("command: incident\n", "1: command: not a slash command"),
        ("sources:\n  a/b: {kind: generic}\n", "2: sources.a/b: a source's name is part of its address"),
        ("sources:\n  api: {kind: generic}\n", "2: sources.api: TOCSIN_TOKEN_API is the token of Tocsin's own API already"),
        (
            "sources:\n  a-b: {kind: generic}\n  a_b: {kind: generic}\n",
            "3: sources.a_b: TOCSIN_TOKEN_A_B is the token of source a-b already",
        ),
        ("sources:\n  a: {kind: alertmanager, takes: [changes]}\n", "2: sources.a.takes.0: alertmanager takes alerts only"),
        ("sources:\n  a: {kind: generic, services: [cart]}\n", "2: sources.a.services.0: 'cart' is not among services"),
        (
            f"services: {{cart: {{}}}}\nfreezes:\n  - {{{FREEZE}, services: [carts]}}\n",
            "3: freezes.0.services.0: 'carts' is not among services (did you mean cart?)",
        ),
        (
            "actions:\n  a: {kind: model_alias, options: {gates: {metric: auc, at_least: 0.9}}}\n",
            "2: actions.a.options.gates: unknown key (did you mean gate?)",
        ),
        (
            "actions:\n  a: {kind: model_alias, options: {gate: {metric: auc, atleast: 0.9}}}\n",
            "2: actions.a.options.gate.atleast: unknown key (did you mean at_least?)",
        ),
        (
            "actions:\n  a: {kind: model_alias, options: {gate: {metric: auc}}}\n",
            "2: actions.a.options.gate: lets every version through: give at_least or at_most",
        ),
        (
            f"actions:\n  a: {HOOK.replace('run_webhook', 'feature_flag')}, options: {{flags: new-checkout}}}}\n",
            "2: actions.a.options.flags: must be a",
        ),
        (f"actions:\n  a: {HOOK}, options: {{targets: pods}}}}\n", "2: actions.a.options.targets: must be a"),
        (
            "actions:\n  a: {kind: kubernetes_scale, options: {maximum: 3}}\n",
            "2: actions.a.options.maximum: unknown key",
        ),
        (f"actions:\n  a: {HOOK}, helps: [deploys]}}\n", "2: actions.a.helps.0: must be 'change',"),
        (f"actions:\n  a: {HOOK}, change_kinds: [deploys]}}\n", "2: actions.a.change_kinds.0: must be 'deploy',"),
        (
            f"services: {{s: {{}}}}\nactions:\n  a: {HOOK}, verify: {{signal: errs}}}}\n",
            "3: actions.a.verify.signal: no service has a signal 'errs'",
        ),
        (
            f"services: {{s: {{}}}}\nactions:\n  a: {HOOK}, services: [s], verify: {{signal: errs}}}}\n",
            "3: actions.a.verify.signal: s has no signal 'errs'",
        ),
        ("plugins: [nowhere]\n", "1: plugins: plugin module nowhere does not import"),
    ],
)
def test_a_broken_configuration_names_line_and_key(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_config(text)

    assert told in str(caught.value)


def test_a_workflow_may_be_named_by_its_id_and_its_branch_look_like_a_number() -> None:
    config = parse_config("actions:\n  a: {kind: github_workflow, options: {workflow: 12345678, ref: 1.0}}\n")

    assert config.actions["a"].options == {"workflow": 12345678, "ref": 1.0}


@pytest.mark.parametrize("word", ["off", "'off'", "after", "immediate"])
def test_solo_is_written_as_the_bare_word(word: str) -> None:
    assert parse_config(f"solo: {word}\n").solo == word.strip("'")


def test_services_without_a_channel_speak_in_the_default_one() -> None:
    config = parse_config("default_channel: C0\nservices:\n  checkout: {}\n  payments: {channel: C1}\n")

    catalogue = catalogue_of(config)

    assert [s.channel for s in catalogue.services.values()] == ["C0", "C1"]


def test_a_source_without_a_token_takes_nothing() -> None:
    found = source_tokens({"prod-eu": None, "other": None}, {"TOCSIN_TOKEN_PROD_EU": "secret"})

    assert found == {"prod-eu": "secret"}


def test_a_named_file_has_to_be_there_and_be_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml: does not exist"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "image.yaml").write_bytes(b"\x89PNG\xff")
    with pytest.raises(ConfigurationError, match="not text in UTF-8 from here on: save the file as UTF-8"):
        load_config(tmp_path / "image.yaml")


def test_names_leave_for_the_model_as_they_are_unless_they_are_to_be_masked() -> None:
    plain, masked = Secrets(), Secrets(model_names="masked")

    assert [settings_of(secrets, "m").masked for secrets in (plain, masked)] == [False, True]
    with pytest.raises(ValidationError, match="model_names"):
        Secrets(model_names="maskd")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "severity"),
    [("critical", "SEV2"), ("P1", "SEV2"), ("High", "SEV2"), ("SEV-1", "SEV1"), ("average", "SEV3"), ("low", "SEV4"),
     ("notice", "NONE"), ("info", "NONE"), ("spicy", "SEV3"), ("", "SEV3"), ("Sev0", "SEV1"), ("P0", "SEV1"),
     ("urgent", "SEV1"), ("Blocker", "SEV1"), ("SEV 1", "SEV1"), ("Severity 2", "SEV2"), ("S3", "SEV3"), ("P-1", "SEV2"),
     ("Not classified", "SEV4")],
)  # fmt: skip
def test_the_usual_scales_of_severities_are_known_and_any_other_word_is_sev3(word: str, severity: str) -> None:
    assert Config().severity_of(word).value == severity
    assert Config().knows_severity(word) is (word != "spicy")


def test_the_file_goes_before_the_usual_scales() -> None:
    config = Config(severities={"high": "SEV4", "sev-2": "SEV3", "sev0": "SEV2"})

    assert [config.severity_of(word).value for word in ("sev-2", "SEV 0")] == ["SEV3", "SEV2"]
    assert config.severity_of("HIGH").value == "SEV4"
    assert config.severity_of("critical").value == "SEV2"


@pytest.mark.parametrize(
    ("bot", "app", "problem"),
    [
        ("", "", "TOCSIN_SLACK_BOT_TOKEN: is empty, and Tocsin works in Slack. `tocsin manifest` prints the app"),
        ("xapp-1-a", "xoxb-1-a", "TOCSIN_SLACK_BOT_TOKEN: this one holds the app-level token .* exchange the two"),
        ("xoxp-1-a", "", "TOCSIN_SLACK_BOT_TOKEN: this is a user's token; the bot token belongs here, which begins with xoxb-"),
        ("xoxb-1-a", "xoxb-1-a", "TOCSIN_SLACK_APP_TOKEN: this is the bot token; the app-level token belongs here"),
    ],
)
def test_a_token_of_slack_that_is_missing_or_of_another_kind_is_named(bot: str, app: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as refused:
        require_slack_tokens(Secrets(slack_bot_token=SecretStr(bot), slack_app_token=SecretStr(app)))

    assert "-1-a" not in str(refused.value)


def test_tokens_of_their_kind_and_those_of_a_stand_in_are_taken() -> None:
    require_slack_tokens(Secrets(slack_bot_token=SecretStr("xoxb-1"), slack_app_token=SecretStr("xapp-1")))
    require_slack_tokens(Secrets(slack_bot_token=SecretStr("anything")))
