"""What must be reached, measured on the bot as its own process: latency beside a storm, acknowledgements, noise."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.e2e.goals import figure
from tests.real import PATIENCE, free_port, kube_prometheus
from tests.real.bot import Bot
from tests.real.processes import until
from tests.real.slack import COMMANDER, ON_CALL, Json, Slack, key_of
from tests.real.stack import Model

pytestmark = pytest.mark.timeout(1800)

TRIES, STORM = 200, 200
EVERY = 0.1
TOKEN = "token-of-tests"
SOURCES = {"door": {"kind": "generic"}, "kube": {"kind": "alertmanager"}}
TOKENS = {"TOCSIN_TOKEN_DOOR": TOKEN, "TOCSIN_TOKEN_KUBE": TOKEN}


def configured(folder: Path, **more: Any) -> Path:
    """tocsin.yaml with the given keys beside the usual people and sources."""
    folder.mkdir(parents=True, exist_ok=True)
    people = {name: {"slack": user} for name, user in {"alice": "U1", "bob": "U2", "carol": "U3"}.items()}
    path = folder / "tocsin.yaml"
    path.write_text(yaml.safe_dump({"sources": SOURCES, "people": people, "default_channel": "C0", **more}))
    return path


def alert(name: str, service: str, severity: str = "critical") -> Json:
    return {"name": name, "service": service, "severity": severity, "summary": f"{service} fails"}


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    slack = Slack(tmp_path, "--no-world").start()
    yield slack
    slack.stop()


# ---------------------------------------------------------------- beside a storm, with a model that hangs


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory, figures: list[str]) -> Iterator[dict[str, Any]]:
    """200 tries, each in a channel of its own, while 200 alerts of 200 services strike another and no model call ever ends."""
    folder = tmp_path_factory.mktemp("storm")
    slack = Slack(folder, "--no-world").start()
    names = [f"svc-{n:03}" for n in range(TRIES)]
    channels = [{"id": f"CN{n:03}", "name": name} for n, name in enumerate(names)]
    slack.post("channels", channels)
    on_call = {"rotation": ["alice"]}
    services = {c["name"]: {"channel": c["id"], "on_call": on_call, "match": {"service": c["name"]}} for c in channels}
    config = configured(folder, services=services)
    try:
        with Model(folder, [{"hang": True}]) as model:
            bot = Bot(folder, slack, config, model_url=model.url, environment=TOKENS)
            ready = bot.start()
            try:
                yield _storm(slack, bot, model, names, figures) | {"ready": ready}
            finally:
                bot.stop()
    finally:
        slack.stop()


def _storm(slack: Slack, bot: Bot, model: Model, names: list[str], figures: list[str]) -> dict[str, Any]:
    ending = threading.Event()
    striking = threading.Thread(target=_strike, args=(bot.url, ending), daemon=True)
    striking.start()
    sent = {name: _timed_post(bot, alert("HighErrorRate", name)) for name in names}
    acks = [_acked(slack.command(ON_CALL, "C0", "list")) for _ in range(10)]
    ending.set()
    striking.join()
    until(lambda: len(_cards(slack)) >= TRIES, 5 * PATIENCE, "all cards")
    until(lambda: bool(slack.of("storm:")), PATIENCE, "the storm card")
    cards = _cards(slack)
    seconds = [cards[name] - at for name, at in sent.items()]
    # On a busy machine triage may not have come so far yet.
    hanging = until(model.requests, 5 * PATIENCE, "a call that hangs")
    acks += [_acked(slack.press(COMMANDER, _card(slack, name), "ack")) for name in names[:20]]
    p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
    figures.append(
        f"webhook -> card, {TRIES} channels beside a storm of {STORM}, model hanging: p50 {p50 * 1000:.0f} ms, "
        f"p99 {p99 * 1000:.0f} ms, longest {max(seconds) * 1000:.0f} ms"
    )
    figures.append("  " + figure("p99 of it", p99, 1.0))
    figures.append(figure(f"Slack acknowledgement while the model hangs, longest of {len(acks)}", max(acks) / 1000, 1.0))
    return {"seconds": seconds, "acks": acks, "storm": slack.messages(channel="C0"), "hanging": hanging}


def _acked(said: Json) -> float:
    """How many milliseconds the bot took to acknowledge."""
    assert said["acked"], said
    return float(said["acked_ms"])


def _strike(url: str, ending: threading.Event) -> None:
    with httpx.Client(trust_env=False, timeout=PATIENCE, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for n in range(STORM):
            client.post(f"{url}/alerts/door", json=alert(f"Storm{n}", f"storm-{n}"))
            if ending.wait(EVERY):
                return


def _timed_post(bot: Bot, body: Json) -> float:
    began = time.time()
    assert bot.post("/alerts/door", body, TOKEN).status_code == 202
    time.sleep(max(0.0, EVERY - (time.time() - began)))
    return began


def _cards(slack: Slack) -> dict[str, float]:
    """Service -> the moment at which Slack took its card, without the storm's."""
    names = {c["id"]: c["name"] for c in slack.get("channels")["channels"]}
    return {names[m["channel"]]: m["posted_at"] for m in slack.of("card:") if m["channel"] != "C0"}


def _card(slack: Slack, name: str) -> Json:
    return slack.of("card:", channel=name)[0]


@pytest.mark.alone
def test_every_alert_gets_its_card_beside_a_storm_with_a_hanging_model(storm: dict[str, Any]) -> None:
    assert len(storm["seconds"]) == TRIES


@pytest.mark.alone
def test_slack_is_acknowledged_while_the_model_hangs(storm: dict[str, Any], figures: list[str]) -> None:
    figures.append(figure("server ready", storm["ready"], 4.0))

    assert len(storm["acks"]) == 30 and storm["hanging"]


@pytest.mark.alone
def test_a_storm_stays_on_one_storm_card_beside_its_first_cards(storm: dict[str, Any]) -> None:
    in_channel = [m for m in storm["storm"] if m.get("thread_ts", m["ts"]) == m["ts"]]

    assert len([m for m in in_channel if key_of(m).startswith("storm:")]) == 1
    assert len(in_channel) <= 7


# ---------------------------------------------------------------- a Prometheus that is dead, or never answers


@pytest.mark.parametrize("how", ["dead", "silent"])
def test_without_prometheus_each_check_says_that_it_could_not_look(
    slack: Slack, tmp_path: Path, how: str, figures: list[str]
) -> None:
    with _no_prometheus(how) as url:
        services = {"checkout": {"match": {"service": "checkout"}, "depends_on": ["payments"], "signals": _SIGNALS}}
        services["payments"] = {"match": {"service": "payments"}, "signals": _SIGNALS}
        bot = Bot(tmp_path, slack, configured(tmp_path, services=services, prometheus={"url": url}), environment=TOKENS)
        bot.start()
        try:
            began = time.time()
            bot.post("/alerts/door", alert("HighErrorRate", "checkout"), TOKEN)
            facts = until(lambda: _facts(bot), PATIENCE, "the facts")
            took = time.time() - began
            slack.wait("triage:", "*TRIAGED*")
            dossier = bot.get("groups/AL-1")
        finally:
            bot.stop()
    figures.append(figure(f"facts with a {how} Prometheus", took, 5.0))
    checks = [e["evidence"] for e in dossier["evidence"] if e["tool"] in ("service_health", "metric_breakdown")]

    assert checks and all(not check["ok"] and check["summary"].startswith("Could not check") for check in checks)
    assert facts["onset"] is None and facts["not_checked"]
    assert all(h["confidence"] != "likely" for h in dossier["triages"][0]["findings"]["hypotheses"])


_SIGNALS = {"errors": {"promql": "vector(1)", "unit": "ratio", "bad_above": 0.02}}


def _facts(bot: Bot) -> Json:
    found = bot.get("groups/AL-1", missing={})
    return dict(found["triages"][0]["facts"]) if found and found["triages"] else {}


@contextmanager
def _no_prometheus(how: str) -> Iterator[str]:
    """An address where nobody listens (dead), or where somebody listens and never answers (silent)."""
    with socket.socket() as listener:
        if how == "silent":
            listener.bind(("127.0.0.1", 0))
            listener.listen(128)
        yield f"http://127.0.0.1:{listener.getsockname()[1] if how == 'silent' else free_port()}"


# ---------------------------------------------------------------- noise


def test_one_fault_without_people_is_one_channel_message_and_three_in_the_thread(tmp_path: Path, figures: list[str]) -> None:
    slack = Slack(tmp_path, "--seed", "1").start()
    config = tmp_path / "shop" / "tocsin.yaml"
    bot = Bot(tmp_path, slack, config, environment=slack.addresses["environment"])
    try:
        bot.start()
        secrets = slack.addresses["environment"]
        endpoints = {"alerts_to": f"{bot.url}/alerts/shop", "alerts_token": secrets["TOCSIN_TOKEN_SHOP"]}
        endpoints |= {"changes_to": f"{bot.url}/changes/pipeline", "changes_token": secrets["TOCSIN_TOKEN_PIPELINE"]}
        slack.world("start", endpoints)
        slack.wait("triage:", "*TRIAGED*")
        slack.wait("proposal:")
        watched = time.time()
        until(lambda: time.time() - watched > 25, PATIENCE, "half a minute of repeats")
        messages = [m for m in slack.messages() if key_of(m)]
    finally:
        bot.stop()
        slack.stop()
    top = [m for m in messages if m.get("thread_ts", m["ts"]) == m["ts"]]
    edits = sum(m["edits"] for m in messages)
    figures.append(
        f"one fault, nobody acts: {len(top)} in the channel, {len(messages) - len(top)} in the thread, {edits} edits"
    )

    assert (len(top), edits <= 60) == (1, True)
    assert len(messages) - len(top) <= 3
    assert {user for m in messages for user in m["pings"]} <= {ON_CALL}


def test_a_stock_kube_prometheus_connected_for_the_first_time_is_one_backlog_summary_and_no_incident(
    slack: Slack, tmp_path: Path, figures: list[str]
) -> None:
    bot = Bot(tmp_path, slack, configured(tmp_path), environment=TOKENS)
    bot.start()
    try:
        for body in kube_prometheus.webhooks(datetime.now(UTC)):
            assert bot.post("/alerts/kube", body, TOKEN).status_code == 202
        known = len(kube_prometheus.STANDING + kube_prometheus.FRESH)
        until(lambda: len(bot.get("alerts")) == known, PATIENCE, "all alerts sorted")
        slack.wait("digest:")
        slack.wait("card:")
        messages = [m for m in slack.messages() if key_of(m)]
        incidents = bot.get("incidents")
    finally:
        bot.stop()
    summaries = [m for m in messages if key_of(m).startswith("digest:")]
    figures.append(
        f"first connect of kube-prometheus ({known} alerts): {len(messages)} messages, {len(summaries)} backlog summary"
    )

    assert incidents == []
    assert len(summaries) == 1
    assert [m["pings"] for m in messages if m["pings"]] == []
