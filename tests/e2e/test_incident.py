"""A whole incident on real servers: a shop that breaks, Prometheus, Alertmanager, the bot, and people in Slack's stand-in.

It is played twice: on SQLite over Socket Mode without a model, and on PostgreSQL over HTTP mode with a scripted one.
Each test looks at what was recorded while it was played.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.goals import figure
from tests.real import PATIENCE
from tests.real.monitoring import error_ratio
from tests.real.processes import until
from tests.real.slack import COMMANDER, DEVELOPER, Json, key_of
from tests.real.stack import Stack

pytestmark = pytest.mark.timeout(1800)

CALLS = {"call": [["service_health", {"service": "checkout"}], ["recent_changes", {"service": "checkout"}]]}
ANSWER = {
    "answer": {
        "hypotheses": [
            {
                "cause": "deploy 1.5.0 of checkout broke it",
                "service": "checkout",
                "kind": "change",
                "change_id": "pipeline:checkout-1.5.0",
                "confidence": "likely",
                "score": 0.9,
                "claims": [
                    {"text": "the errors of checkout left their normal range", "evidence": ["E:service_health"]},
                    {"text": "checkout 1.5.0 was deployed before it", "evidence": ["E:recent_changes"]},
                ],
            }
        ]
    }
}
SETUPS = {
    "sqlite, socket, analyst": ("sqlite", "socket", None),
    "postgresql, http, agent": ("postgresql", "http", [CALLS, ANSWER]),
}


FINE = 0.1
"""Seconds between the samples of the recomputation; the draft takes one a second."""
LASTS = 30.0
"""So long the fault goes on at least: where it ended sooner, a second more or less was 5 % of it."""


@dataclass
class Played:
    """What was seen and when: seconds since the fault was switched on, and messages as they stood."""

    fault_at: float
    seconds: dict[str, float] = field(default_factory=dict)
    seen: dict[str, Json] = field(default_factory=dict)
    incident: Json = field(default_factory=dict)
    proposal: Json = field(default_factory=dict)
    executed: list[Json] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)
    markdown: str = ""
    impact: dict[str, tuple[float, float]] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    def keep(self, name: str, message: Json) -> Json:
        self.seconds[name] = round(time.time() - self.fault_at, 1)
        self.seen[name] = message
        return message


@pytest.fixture(scope="module", params=SETUPS, ids=[name.replace(", ", "-") for name in SETUPS])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, figures: list[str]) -> Iterator[Played]:
    """The whole incident, once."""
    database, mode, turns = SETUPS[request.param]
    server = request.getfixturevalue("postgres_server") if database == "postgresql" else None
    url = server.create_database() if server else ""
    with Stack(tmp_path_factory.mktemp("incident"), database_url=url, mode=mode, turns=turns) as stack:
        played = _play(stack)
        yield played
    if server:
        server.drop_database(url)
    figures.append(f"incident ({request.param}): ready after {stack.ready_after:.1f} s; after the fault: {played.seconds}")
    figures.append("  " + figure("facts after the card", played.seconds["facts"] - played.seconds["card"], 5.0))
    figures += [f"  impact, {n}: {a:.4g} said, {b:.4g} recomputed" for n, (a, b) in played.impact.items()]


def _play(stack: Stack) -> Played:
    slack, monitoring = stack.slack, stack.monitoring
    monitoring.deploy("checkout", "1.5.0")
    until(lambda: monitoring.value('count(http_requests_total{version="1.5.0"})'), PATIENCE, "the new version's requests")
    monitoring.deploy("payments", "2.1.0")
    until(lambda: monitoring.value('count(http_requests_total{version="2.1.0"})'), PATIENCE, "the innocent version's requests")
    played = Played(time.time())
    monitoring.fault("checkout", 0.4)

    played.keep("card", slack.wait("card:", "FIRING"))
    played.keep("facts", slack.wait("triage:", "normal range"))
    played.keep("causes", slack.wait("triage:", "*TRIAGED*"))
    proposal = played.keep("proposal", slack.wait("proposal:", "APPROVAL NEEDED"))
    until(lambda: time.time() - played.fault_at > LASTS, PATIENCE, "a fault that lasts")
    _decide(slack, proposal, played)
    played.keep("outcome", slack.wait("proposal:", "*SUCCEEDED*", seconds=2 * PATIENCE))
    played.keep("cleared", slack.wait("card:", "*MONITORING*"))
    slack.command(COMMANDER, "C1", "resolve INC-1")
    slack.submit(COMMANDER, cause="deploy 1.5.0 cannot read discounts")
    played.keep("resolved", slack.wait("card:", "*RESOLVED*"))
    played.keep("postmortem", slack.wait("postmortem:", "DRAFT"))
    _collect(stack, played)
    return played


def _decide(slack: Any, proposal: Json, played: Played) -> None:
    slack.press(DEVELOPER, proposal, "approve")
    played.keep("refusal", slack.private(DEVELOPER, "You can't"))
    slack.press(COMMANDER, proposal, "approve")
    slack.submit(COMMANDER, reason="fits the evidence")


def _collect(stack: Stack, played: Played) -> None:
    played.incident = stack.bot.get("incidents/INC-1")
    played.proposal = stack.bot.proposal("AP-1")
    played.executed = stack.monitoring.shop()["executed"]
    played.messages = stack.slack.messages()
    played.markdown = stack.bot.get("incidents/INC-1/postmortem")
    played.impact = _impact(stack, played.incident)
    played.ids = _known_ids(stack, played.incident)


def _impact(stack: Stack, incident: Json) -> dict[str, tuple[float, float]]:
    """What the draft says against what Prometheus says when asked in another way: finer, and by counting."""
    said = next(e["evidence"] for e in incident["evidence"] if e["tool"] == "impact")
    start, end = (datetime.fromisoformat(said["window"][key]).timestamp() for key in ("start", "end"))
    ratio = stack.monitoring.range(error_ratio("checkout"), start, end, FINE)
    counted = 'http_requests_total{service="checkout",code="500"}'
    failed = stack.monitoring.value(f"sum(max_over_time({counted}[10m]) - min_over_time({counted}[10m]))", end)
    facts = said["facts"]
    return {
        "seconds above the threshold": (facts["bad_seconds"], FINE * sum(value > 0.02 for _, value in ratio)),
        "failed requests": (facts["failed"], failed),
        "peak": (facts["peak"], max(value for _, value in ratio)),
    }


def _known_ids(stack: Stack, incident: Json) -> set[str]:
    """Every id that the API resolves for this incident."""
    group = incident["group"]["ref"]
    found = {incident["incident"]["ref"], stack.bot.get(f"groups/{group}")["group"]["ref"]}
    found |= {entry["id"] for entry in incident["timeline"]}
    found |= {stack.bot.get(f"evidence/{group}/{entry['id']}")["id"] for entry in incident["evidence"]}
    return found | {stack.bot.proposal(one["proposal"]["ref"])["ref"] for one in incident["proposals"]}


# ---------------------------------------------------------------- 1 and 2: one card


def test_two_alerts_of_one_cause_make_one_card_in_the_service_channel(played: Played) -> None:
    cards = [m for m in played.messages if key_of(m).startswith("card:")]

    assert [(card["channel"], card["ts"]) for card in cards] == [("C1", played.seen["card"]["ts"])]
    assert played.incident["group"]["alerts"] == 2


def test_only_the_card_stands_in_the_channel_and_all_else_in_its_thread(played: Played) -> None:
    elsewhere = [key_of(m) for m in played.messages if m.get("thread_ts", m["ts"]) != played.seen["card"]["ts"]]

    assert elsewhere == []


# ---------------------------------------------------------------- 3: facts and causes


def test_the_facts_hold_the_onset_within_a_minute_of_the_truth_and_the_true_deploy(played: Played) -> None:
    facts = played.incident["triages"][0]["facts"]
    onset = datetime.fromisoformat(facts["onset"]).timestamp()

    assert abs(onset - played.fault_at) < 60
    assert "pipeline:checkout-1.5.0" in {change["id"] for change in facts["changes"]}
    assert facts["runbook"]["title"] == "HighErrorRate"


def test_the_facts_show_a_graph_with_alternative_text(played: Played) -> None:
    pictures = [block for block in played.seen["causes"]["blocks"] if block["type"] == "image"]

    assert len(pictures) == 1 and "checkout" in pictures[0]["alt_text"]


def test_the_first_cause_is_the_true_deploy_and_the_newer_one_is_not_blamed(played: Played) -> None:
    hypotheses = played.incident["triages"][0]["findings"]["hypotheses"]

    assert hypotheses[0]["change_id"] == "pipeline:checkout-1.5.0"
    assert not [h for h in hypotheses if h["change_id"] == "pipeline:payments-2.1.0" and h["confidence"] == "likely"]


def test_each_claim_stands_on_evidence_with_a_query(played: Played) -> None:
    evidence = {e["id"]: e["evidence"] for e in played.incident["evidence"]}
    hypotheses = played.incident["triages"][0]["findings"]["hypotheses"]
    cited = {id for h in hypotheses for claim in h["claims"] for id in claim["evidence"]}

    assert cited and all(evidence[id]["query"] and evidence[id]["ok"] for id in cited)


# ---------------------------------------------------------------- 4: people decide


def test_the_wrong_person_is_refused_privately_with_the_reason(played: Played) -> None:
    refusal = played.seen["refusal"]

    assert "You can't approve this." in refusal["words"]
    assert not [d for d in played.proposal["decisions"] if d["person"] == "carol"]


def test_the_approved_action_ran_once_and_the_signal_recovered(played: Played) -> None:
    proposal = played.proposal

    assert len(played.executed) == 1
    assert played.executed[0]["body"] == {"service": "checkout", "change": "pipeline:checkout-1.5.0"}
    assert proposal["state"] == "succeeded" and "recovered" in proposal["verification"]


# ---------------------------------------------------------------- 5: the end


def test_the_postmortem_names_cause_action_and_who_approved(played: Played) -> None:
    text = played.markdown

    assert re.search(r"Confirmed by \w+ at .*: deploy 1.5.0 cannot read discounts", text)
    assert re.search(r"Roll back checkout: approved by bob .*; succeeded", text)


def test_every_sentence_of_the_postmortem_resolves_to_an_id_that_the_api_knows(played: Played) -> None:
    sentences = [line for line in played.markdown.splitlines() if line.startswith("- ") and not line.startswith("- _")]
    sources = [re.search(r"\[([^\]]+)\]$", line) for line in sentences]

    assert sentences and all(sources)
    named = {id for found in sources if found for id in found[1].split(", ")}
    assert named <= played.ids


def test_the_impact_is_within_five_percent_of_a_recomputation(played: Played) -> None:
    for name, (said, recomputed) in played.impact.items():
        assert said == pytest.approx(recomputed, rel=0.05), name
