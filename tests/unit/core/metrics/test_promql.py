"""Foreign text stays one quoted literal, whatever it holds."""

import pytest

from bot.core.metrics.logql import line_query
from bot.core.metrics.promql import Matcher, is_plain_name, literal_pattern, quote, selector, tokenize
from tests.attacks.judging import shape

HOSTILE = [
    'x"} or up{job="',
    'x"}[30d:1s]) or vector(1) #',
    'x"}\n or count({__name__=~".+"}) #',
    "x\\",
    'job",env=~".*',
    'app"} |= "password" | line_format "{{.}}" #',
    'x"} or {tenant=~".+',
    "checkout\r\nX-Scope-OrgID: other-tenant",
    "\u202e\ud800\x00",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_does_not_change_the_shape_of_a_query(text: str) -> None:
    harmless = selector("up", [Matcher("job", "checkout")])

    assert shape(selector("up", [Matcher("job", text)])) == shape(harmless)


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_hostile_text_does_not_change_the_shape_of_a_search_for_log_lines(text: str) -> None:
    query = line_query("service", text, text).replace("|~", "=~")  # the line filter, which PromQL's tokens do not know

    assert shape(query) == shape('{service="checkout"} =~ "timeout"')


def test_a_literal_pattern_matches_only_its_text() -> None:
    assert literal_pattern("a.b(c)*") == r"a\.b\(c\)\*"


def test_a_pattern_of_foreign_text_is_escaped_for_the_pattern_and_then_for_the_string() -> None:
    assert line_query("app", "shop", "a.b") == r'{app="shop"} |~ "(?i)a\\.b"'


@pytest.mark.parametrize("label", ['job"', "a-b", "", "1a", "job=~"])
def test_a_label_that_needs_quoting_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="label name"):
        selector("up", [Matcher(label, "x")])


@pytest.mark.parametrize("name", ["web-1; curl x", "$(id)", "--kubeconfig=other", "../../etc/passwd", "a b", "", 'x"'])
def test_a_service_cannot_be_called_like_a_command_or_a_path(name: str) -> None:
    assert not is_plain_name(name)


def test_usual_service_names_are_plain() -> None:
    assert all(map(is_plain_name, ["checkout", "shop/cart-v2", "payments.eu", "a_b:8080"]))


@pytest.mark.parametrize("text", ['sum(rate(x{a="b))', "sum(x))", "sum(x]", "x ; y", "x" * 9000])
def test_what_is_no_promql_by_its_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        tokenize(text)


def test_quotes_and_backslashes_are_escaped_as_go_reads_them() -> None:
    assert quote('a"b\\c\n\u2028') == '"a\\"b\\\\c\\n\\u2028"'
