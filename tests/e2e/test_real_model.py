"""A real, small model over the real protocol: its answers are nonsense, and the analyst's answer survives them.

It costs a processor for about a minute. `make model` installs it; without it this is skipped, and fails where CI=true.
"""

import re
from pathlib import Path

import pytest

from tests.real.llama_server import ANSWER_TOKENS, CONTEXT_TOKENS, LlamaServer
from tests.real.slack import COMMANDER
from tests.real.stack import Stack

pytestmark = pytest.mark.timeout(600)

RUN_SECONDS = 60
"""Of the model; what it costs is shown whether it answers in that time or not."""
BUDGET = {
    "per_run_seconds": RUN_SECONDS,
    "per_run_steps": 3,
    "context_tokens": CONTEXT_TOKENS,
    "usd_per_million_in": 1000,
    "usd_per_million_out": 1000,
    "per_run_usd": 1000,
    "per_day_usd": 10_000,
}
"""At a price at which each token can be seen."""


def test_the_analyst_s_answer_survives_a_real_model_s_nonsense(tmp_path: Path, figures: list[str]) -> None:
    with LlamaServer(tmp_path) as model, Stack(tmp_path, model=model, budget=BUDGET) as stack:
        stack.monitoring.deploy("checkout", "1.5.0", errors=0.4)
        first = stack.slack.wait("triage:", "1.5.0")
        triage = stack.slack.wait("triage:", "turn", "AI model", "next:", seconds=3 * RUN_SECONDS)
        stack.slack.press(COMMANDER, triage, "full")
        details = stack.slack.private(COMMANDER, "tokens, $")["words"]
        proposal = stack.slack.wait("proposal:", "APPROVAL NEEDED")
        thread = {"channel": triage["channel"], "thread": triage["thread_ts"], "text": "which service is at fault?"}
        stack.slack.act(COMMANDER, mention=thread)
        answer = stack.slack.wait("answer:", "tokens, $", seconds=3 * RUN_SECONDS)
        log = stack.bot.process.log.read_text(encoding="utf-8")

    words = triage["words"]
    assert first["ts"] == triage["ts"] and "1.5.0" in words and "checkout" in proposal["words"] and answer
    assert "Traceback" not in log
    cost = re.search(r"[^\"]*tokens, \$[\d.]+", details)
    assert cost is not None
    figures.append(f"real model, {ANSWER_TOKENS} tokens an answer at most: {cost[0]}")
