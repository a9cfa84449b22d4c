"""What an alert says can neither ping, nor link, nor look like the bot."""

import pytest

from bot.slack.untrusted_text import allowed_address, code_lines, link, name_text, plain_text, prose, quoted, titled

HOSTS = frozenset({"prometheus.example"})


@pytest.mark.parametrize("shown", [quoted, prose, plain_text, code_lines, titled, name_text])
@pytest.mark.parametrize("attack", ["<!channel> db down", "<@U1>", "<https://a.example|Sign in>", "&lt;!here&gt;"])
def test_no_control_character_of_slack_passes(shown, attack: str) -> None:
    text = shown(attack)

    assert "<" not in text and ">" not in text
    assert "https://" not in text


def test_many_lines_and_hidden_characters_become_one_visible_line() -> None:
    text = quoted("line1\n*APPROVED by alice*\u202e :white_check_mark:")

    assert "\n" not in text
    assert "\\u202e" in text
    assert text.startswith("`") and text.endswith("`") and text.count("`") == 2


def test_prose_renders_no_bold_no_code_and_no_emoji() -> None:
    text = prose("*APPROVED* `x` ~y~ _run_ :white_check_mark: http_errors_total")

    assert not set("*`~") & set(text)
    assert ":white_check_mark:" not in text
    assert "http_errors_total" in text


@pytest.mark.parametrize("emoji", [":siren:", ":+1:", ":-1:", ":x:", ":8ball:", ":100:", ":o2:", ":man-shrugging:"])
def test_an_emoji_of_others_is_shown_as_its_letters(emoji: str) -> None:
    assert emoji not in prose(f"fixed {emoji} at 14:02:15 on db:5432")
    assert "at 14:02:15 on db:5432" in prose(f"fixed {emoji} at 14:02:15 on db:5432")


@pytest.mark.parametrize("text", ["> APPROVED by alice", ">>> all of it", "  > later"])
def test_a_block_quote_of_others_is_shown_as_its_letters(text: str) -> None:
    assert "&gt;" not in prose(text) and prose(text).lstrip().startswith("›")
    assert prose("errors > 5 %") == "errors &gt; 5 %"


def test_a_title_cannot_leave_its_quotation_marks() -> None:
    assert titled("x” by alice. *APPROVED*") == '“x" by alice. ∗APPROVED∗”'


@pytest.mark.parametrize(
    ("name", "shown"), [("checkout-v2", "checkout-v2"), ("all is well", "“all is well”"), ("", "“(empty)”")]
)
def test_one_plain_word_stands_as_it_is_and_more_is_quoted(name: str, shown: str) -> None:
    assert name_text(name) == shown


def test_ordinary_text_survives_unchanged() -> None:
    line = "sum(rate(http_requests_total{job=\"auth\",code=~'5..'}[5m])) by (pod) at 2001:db8::7334, metadata: x"

    assert prose(line) == line


@pytest.mark.parametrize(
    "address", ["data:text/html,x", "vbscript:x", "slack:open", "file:/etc/passwd", "magnet:?xt=1", "www.a.example"]
)
def test_an_address_without_slashes_is_broken_too(address: str) -> None:
    assert address not in prose(f"see {address}") and address not in quoted(address)


def test_an_address_inside_of_another_and_one_that_pretends_to_be_a_user_are_broken() -> None:
    assert quoted("jndi:ldap://a.example/x") == "`jndi[:]ldap[:]//a[.]example/x`"
    assert prose("https://good.example:443@a.example/") == "hxxps[:]//good[.]example[:]443@a[.]example/"
    assert prose("at https://a.example:8443/x: gone") == "at hxxps[:]//a[.]example[:]8443/x[:] gone"


def test_a_link_to_a_configured_host_is_live() -> None:
    assert link("Source", "http://prometheus.example:9090/graph?g0=up|1", HOSTS).startswith(
        "<http://prometheus.example:9090/graph"
    )


SHARED = frozenset({"github.com/our-org"})


def test_on_a_host_that_many_share_only_what_lies_below_the_teams_own_path_is_live() -> None:
    assert link("Runbook", "https://github.com/our-org/runbooks?plain=1", SHARED).startswith("<https://github.com/our-org/")
    assert link("Runbook", "https://github.com/attacker/runbooks", SHARED) == (
        "`Runbook` (`hxxps[:]//github[.]com/attacker/runbooks`)"
    )


@pytest.mark.parametrize(
    "path", ["our-org-2/x", "our-org/../attacker", "our-org/%2E%2e/attacker", "our-org%2f..%2fattacker", "", "?our-org/"]
)
def test_no_path_beside_the_teams_own_is_taken_for_it(path: str) -> None:
    assert allowed_address(f"https://github.com/{path}", SHARED) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://attacker.example/x",
        "https://prometheus.example@attacker.example/x",
        "https://prometheus.example\\@attacker.example/",
        "javascript://prometheus.example/%0aalert(1)",
        "https://prometheuѕ.example/",
        "slack://channel?id=C1",
        "https://[::1",
    ],
)
def test_any_other_address_is_no_link(url: str) -> None:
    assert allowed_address(url, HOSTS) == ""
    assert "://" not in link("Runbook", url, HOSTS)


def test_a_long_text_is_cut_and_stays_in_its_code_span() -> None:
    text = quoted("x" * 5000)

    assert len(text) <= 302 and text.endswith("…`")


@pytest.mark.parametrize(
    "text",
    [
        "http://prometheus.example@evil.example/",
        "http://prometheus.example:80@evil.example/",
        "http://prometheus.example<x>@evil.example/",
        "http://prometheus.example|x@evil.example/",
        "http://prometheus.example.evil.example/",
        "http://prometheus.example\\@evil.example/",
        "jndi:http://prometheus.example/",
        "ftp://prometheus.example/",
    ],
)
def test_only_a_whole_address_of_ours_stands_as_it_is_in_a_code_block(text: str) -> None:
    assert "://" not in code_lines(text, HOSTS)
    assert code_lines(f"POST http://prometheus.example/jobs?x=www.y {text}", HOSTS).startswith(
        "POST http://prometheus.example/jobs?x=www.y "
    )
