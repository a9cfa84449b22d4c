"""What other bots post in a Slack channel is read as alerts: both states, one identity, never "over" by mistake."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.alert import Alert
from bot.core.config.alerts import SourceConfig
from bot.core.errors import UnreadableBody
from bot.plugins import SourceRequest
from bot.sources.slack._text import LONGEST_LINE
from bot.sources.slack.slack_channel import slack_channel, title_of

NOW = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)
Message = dict[str, Any]


def read(message: Message, **options: Any) -> Alert:
    config = SourceConfig(kind="slack_channel", options={"channel": "C7", **options})
    body = json.dumps({"channel": "C7", "message": {"ts": "1795561500.000100", "bot_id": "B7", **message}}).encode()
    return slack_channel.read(SourceRequest("legacy", body, {}, NOW, config, "slack")).alerts[0]


def alertmanager(state: str, colour: str) -> Message:
    ratio = 7.1 if state == "FIRING:1" else 0.2
    text = f"*Alert:* checkout error ratio is {ratio}%\n*Details:*\n • *service:* `checkout`\n • *severity:* `critical`"
    title = f"[{state}] HighErrorRate (checkout critical)"
    attachment = {"color": colour, "title": title, "title_link": "http://am.example/#/alerts", "text": text}
    return {"text": "", "attachments": [attachment]}


def grafana(state: str) -> Message:
    title, colour = f"[{state}:1] DatasourceLatency Shop", "#D63232" if state == "FIRING" else "#36a64f"
    text = "**Value**\n\nLabels:\n - host = web-1\n"
    return {"attachments": [{"color": colour, "title": title, "fallback": title, "text": text}]}


def datadog(word: str) -> Message:
    title = f"{word}: [P2] Disk is {'91' if word == 'Triggered' else '40'}% full on db-1"
    return {"text": "", "attachments": [{"color": "a30200" if word == "Triggered" else "2eb886", "title": title,
                                         "text": f"<https://app.datadoghq.com/monitors/1|{title}>"}]}  # fmt: skip


def blocks(emoji: str, state: str) -> Message:
    fields = [{"type": "mrkdwn", "text": text} for text in ("*Host:*\nweb-3", f"*Status:*\n{state}")]
    header = {"type": "header", "text": {"type": "plain_text", "text": f"{emoji} Queue is stuck"}}
    return {"text": "fallback", "blocks": [header, {"type": "section", "fields": fields}]}


def kuma(monitor: str, state: str, seen: str) -> Message:
    """Its title is the same for every monitor."""
    header = {"type": "header", "text": {"type": "plain_text", "text": "Uptime Kuma Alert"}}
    fields = [
        {"type": "mrkdwn", "text": f"*Message*\n[{monitor}] [{state}] {seen}"},
        {"type": "mrkdwn", "text": "*Time*\n23:04"},
    ]
    return {"attachments": [{"color": "#e01e5a", "blocks": [header, {"type": "section", "fields": fields}]}]}


UP_DOWN = [{"text": f":{emoji}: *Monitor is {word}:* shop.example"} for emoji, word in (("red_circle", "DOWN"), ("tada", "UP"))]
PAIRS = [
    (alertmanager("FIRING:1", "danger"), alertmanager("RESOLVED", "good"), "HighErrorRate (checkout critical)"),
    (grafana("FIRING"), grafana("RESOLVED"), "DatasourceLatency Shop"),
    (datadog("Triggered"), datadog("Recovered"), "Disk is 91% full on db-1"),
    (*UP_DOWN, "shop.example"),
    ({"text": "Triggered #12: checkout is slow"}, {"text": "Resolved #12: checkout is slow"}, "#12: checkout is slow"),
    (blocks(":fire:", "firing"), blocks(":white_check_mark:", "resolved"), "Queue is stuck"),
    ({"text": "payments is unhealthy"}, {"text": "payments is back to normal"}, "payments is unhealthy"),
    ({"text": "", "attachments": [{"color": "danger", "title": "Backlog of mails"}]},
     {"text": "", "attachments": [{"color": "good", "title": "Backlog of mails"}]}, "Backlog of mails"),
    ({"text": "** PROBLEM Service Alert: web1/HTTP is CRITICAL **"}, {"text": "** RECOVERY Service Alert: web1/HTTP is OK **"},
     "web1/HTTP is CRITICAL"),
    ({"text": "Problem: High CPU on db-1"}, {"text": "Resolved in 1h 5m 0s: High CPU on db-1"}, "High CPU on db-1"),
    ({"text": "[PROBLEM] CPU load on web-1 is CRITICAL!"}, {"text": "[RECOVERY] CPU load on web-1 is OK!"},
     "CPU load on web-1 is CRITICAL!"),
    ({"text": ":rotating_light: *New incident: shop*"}, {"text": ":relieved: *Incident resolved: shop*"}, "shop"),
    ({"text": "Your site shop went down"}, {"text": "Your site shop came back up"}, "Your site shop went down"),
    ({"text": "Monitor is DOWN: shop - Reason: timeout"}, {"text": "Monitor is UP: shop. It was down for 5 minutes."},
     "shop - Reason: timeout"),
    ({"text": "Nightly copy is failing"}, {"text": ":tada: Nightly copy has recovered"}, "Nightly copy is failing"),
    (kuma("shop", ":red_circle: Down", "timeout"), kuma("shop", ":white_check_mark: Up", "200 - OK"), "[shop] [ Down] timeout"),
]  # fmt: skip


@pytest.mark.parametrize(("fired", "cleared", "name"), PAIRS)
def test_both_states_of_one_alert_have_one_identity(fired: Message, cleared: Message, name: str) -> None:
    first, last = read(fired), read(cleared)

    assert (first.status, last.status) == ("firing", "resolved")
    assert first.fingerprint == last.fingerprint
    assert first.name == name
    assert (first.starts_at, last.ends_at) == (NOW, NOW)


def test_of_a_line_that_is_longer_than_people_read_the_beginning_counts_and_blanks_are_one() -> None:
    spaced = read({"text": "High errors" + " " * 38_000 + "on checkout"})
    long = read({"text": "High errors on checkout " + "x" * 38_000})

    assert spaced.name == "High errors" and long.name.startswith("High errors on checkout xxx")
    assert len(long.annotations["message"]) <= LONGEST_LINE
    assert read({"text": "High   errors  on checkout"}).name == "High errors on checkout"


def test_service_severity_link_and_text_are_read_from_the_message() -> None:
    alert = read(alertmanager("FIRING:1", "danger"))

    assert (alert.labels["service"], alert.severity) == ("checkout", "critical")
    assert alert.link == "http://am.example/#/alerts"
    assert alert.annotations["summary"] == "Alert: checkout error ratio is 7.1%\nDetails:"
    assert alert.annotations["message"].startswith("[FIRING:1] HighErrorRate (checkout critical)")


def test_without_a_link_of_its_own_the_message_itself_is_linked() -> None:
    assert read({"text": "Errors are high"}).link == "https://slack.com/archives/C7/p1795561500000100"


def test_alerts_of_one_title_about_two_hosts_are_two() -> None:
    one, two = (read({"text": f"Disk is full\n*Host:* {host}"}) for host in ("db-1", "db-2"))

    assert one.fingerprint != two.fingerprint


def test_a_title_that_stands_above_all_messages_of_a_bot_names_none_of_them() -> None:
    shop, blog = (read(kuma(monitor, ":red_circle: Down", "timeout")) for monitor in ("shop", "blog"))

    assert shop.fingerprint != blog.fingerprint


def test_a_figure_that_moves_is_the_same_alert() -> None:
    one, two = (read({"text": f"CPU of web-1 at {figure}"}) for figure in ("91%", "95.5%"))

    assert one.fingerprint == two.fingerprint != read({"text": "CPU of web-2 at 91%"}).fingerprint


@pytest.mark.parametrize(
    "text",
    ["Error rate is up", "Recovery service: disk is full", "Host down: ok", "Recovery point objective missed",
     "Not resolved: checkout", "Failed to resolve payments.example",
     "Closed connections too high", "Deploy finished", ":warning: is it over?", "checkout was healthy and is down"],
)  # fmt: skip
def test_words_that_only_sound_like_an_end_end_nothing(text: str) -> None:
    assert read({"text": text}).status == "firing"


def test_an_explicit_word_wins_over_a_green_bar() -> None:
    assert read({"attachments": [{"color": "good", "title": "[FIRING:1] Errors"}]}).status == "firing"


def test_the_channels_service_is_used_where_the_message_names_none() -> None:
    assert read({"text": "Errors"}, service="checkout").labels["service"] == "checkout"
    assert read({"text": "Errors\nservice: cart"}, service="checkout").labels["service"] == "cart"


def test_untrusted_text_is_cut_redacted_and_without_mentions() -> None:
    alert = read({"text": "<!channel> <@U1> Errors\npassword=FAKEhunter22 " + "x" * 20_000})

    assert alert.name == "Errors"
    assert "FAKE" not in str(alert.annotations) and all(len(text) <= 8192 for text in alert.annotations.values())


def test_a_preview_of_a_link_is_no_text_of_the_sender() -> None:
    preview = {"from_url": "https://wiki.example", "title": "Resolved: how to", "text": "All is well"}

    assert (alert := read({"text": "Errors", "attachments": [preview]})).status == "firing" and alert.name == "Errors"


@pytest.mark.parametrize("message", [{"text": ""}, {"text": ":tada:"}, {"blocks": [{"type": "divider"}]}, {"text": 5}])
def test_a_message_without_a_title_is_refused(message: Message) -> None:
    with pytest.raises(UnreadableBody):
        read(message)


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("[FIRING:2] [P1] Errors", "Errors"),
        ("[shop] Errors", "[shop] Errors"),
        (":fire: *Errors*", "*Errors*"),
        ('ALARM: "cpu"', '"cpu"'),
    ],
)
def test_a_title_keeps_what_names_the_alert(line: str, title: str) -> None:
    assert title_of(line) == title
