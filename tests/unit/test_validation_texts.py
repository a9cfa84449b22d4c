"""What is wrong with tocsin.yaml is said in its writer's words: where, what stands there, and what may."""

import re

import pytest

from bot.core.errors import ConfigurationError
from bot.settings import load_secrets, parse_config

PYDANTIC = re.compile(r"Input should|extra_forbidden|valid tuple|unable to parse|not allowed here|<block|stream")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("servces: {}\n", "1: servces: unknown key (did you mean services?)"),
        ("services:\n  a:\n    singals: {}\n", "3: services.a.singals: unknown key (did you mean signals?)"),
        ("approvers: {admin: [a]}\n", "1: approvers.admin: unknown key (did you mean admins?)"),
        ("services: {a: {xyz: 1}}\n", "1: services.a.xyz: unknown key"),
        ("services:\n  a:\n    owners: alice\n", "3: services.a.owners: must be a list, and is 'alice': write [one, two]"),
        ("budget: {per_run_usd: much}\n", "1: budget.per_run_usd: must be a number, and is 'much'"),
        ("services: {a: {match: {app: yes}}}\n", "1: services.a.match.app: must be a text, and is true (yes, no, on and off"),
        ("triage_from: SEV9\n", "1: triage_from: must be 'SEV1', 'SEV2', 'SEV3', 'SEV4' or 'NONE', and is 'SEV9'"),
        ("thresholds: [{match: {a: b}, count: 1}]\n", "1: thresholds.0.count: must be at least 2, and is 1"),
        ("pager: {pagerduty: maybe}\n", "1: pager.pagerduty: must be true or false, and is 'maybe'"),
        ("services: {a: {depends_on: [carts]}, cart: {}}\n", "'carts' is not among services (did you mean cart?)"),
        ("sources: {am: {kind: alertmanagr}}\n", "'alertmanagr' is no kind of sources (did you mean alertmanager?)"),
        ("a: 1\nb: c: d\n", "2: a colon stands where none can: put a text with `: ` in quotes"),
        ("services:\n\ta: {}\n", "2: a tab stands here where spaces belong"),
        ("command:\t/x\n", "1: a tab stands here where spaces belong"),
        ("services:\n  a: {}\n b: {}\n", "3: this line is indented otherwise than those above"),
        ("x: 'abc\n\n\n", "1: a quotation mark that opens here is never closed"),
        ("services: {a: {channel: C1}\n", "1: the bracket that opens here is never closed: } or a comma is missing"),
        ("a: @b\n", "1: a text that begins with @ must be put in quotes"),
        ("a: *b\n", "1: a text that begins with * or & must be put in quotes"),
        ("a: 1\nb: 2026-13-05\n", "2: what stands here looks like a date or a number and is none (month must be in 1..12)"),
        ("services:\n  404: {}\n", "2: a key is a text, and YAML reads this one otherwise: write it in quotes, '404'"),
        ("severities:\n  off: NONE\n", "2: a key is a text, and YAML reads this one otherwise: write it in quotes, 'off'"),
        ("services:\n  cart:\n", "2: services.cart: is empty: write {} where nothing belongs here"),
        ("services:\n  cart:\n    owners:\n", "3: services.cart.owners: is empty: write [] where nothing belongs here"),
        (
            "default_channel: #incidents\n",
            "1: default_channel: is empty: what follows a # is a comment, unless it is in quotes",
        ),
        ("prometheus: http://p\n", "1: prometheus: must be a mapping of keys to values, and is 'http://p'"),
        ("prometheus: {url: 'http://p:9090x'}\n", "1: prometheus.url: what stands behind the host's colon is no port"),
        ("prometheus: {url: 'http://p:99999'}\n", "1: prometheus.url: what stands behind the host's colon is no port"),
        ("prometheus: {url: 'http://p :9090'}\n", "1: prometheus.url: an address holds no space"),
        ("prometheus: {url: {{ .Values.url }}}\n", "1: a text that begins with { must be put in quotes"),
        ("a: 1\n---\nb: 1\n", "2: a second document begins here with ---: the file must be one"),
        ("a: 1\nb: \0\n", "2: a character stands here that no text holds (#x0000): is this the right file?"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_with_what_may_stand_there(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_config(text)

    assert said in str(refused.value) and not PYDANTIC.search(str(refused.value))


def test_a_bad_variable_is_said_in_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_PORT", "eighty")

    with pytest.raises(ConfigurationError, match="TOCSIN_PORT: must be a whole number, and is 'eighty'"):
        load_secrets()
