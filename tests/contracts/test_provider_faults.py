"""Over each provider's own protocol: answers that break off, end for a reason of their own, or are none at all."""

import json
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.contracts.agent_fixture import ANSWER
from tests.contracts.test_providers import SERVED, TURNS, Place, Served, every_protocol, place, served_by
from tests.real.providers.openai_chat import OpenAIChat
from tests.real.providers.server import Json, Turn

__all__ = ["place"]

pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@every_protocol
@pytest.mark.parametrize("cut", ["nothing", "half", "page"])
async def test_a_connection_that_fails_ends_no_run_and_what_passes_costs_one_more_request(
    place: Place, served: Served, cut: str
) -> None:
    lasting = await place(served, TURNS[0], {**ANSWER, "cut": cut})
    passing = await place(served, TURNS[0], {**ANSWER, "cut": cut, "times": 1})

    failed, answered = await lasting.investigate(), await passing.investigate()

    why = {"nothing": ["was not reached"], "half": ["was cut off"], "page": ["could not be read", "client failed"]}[cut]
    assert any(words in failed.stop_reason for words in why), failed.stop_reason
    assert failed.tokens >= 1100 and not failed.hypotheses
    assert (answered.stop_reason, answered.note) == ("answered", "") and answered.hypotheses and len(passing.asked) == 3


@every_protocol
async def test_a_server_that_nobody_listens_at_is_asked_again_and_named_as_not_reached(place: Place, served: Served) -> None:
    here = await place(served, ANSWER, base_url=f"http://127.0.0.1:9/{served.model}{served.path}")

    findings = await here.investigate()

    assert findings.stop_reason == "the model's server was not reached" and len(here.waits) == 5


REFUSING = {
    "openai responses": "content_filter",
    "openai chat": "content_filter",
    "claude 5": "refusal",
    "gemini 3": "SAFETY",
    "bedrock": "guardrail_intervened",
    "deepseek": "content_filter",
}


@pytest.mark.parametrize("name", REFUSING)
async def test_an_answer_that_was_refused_is_not_requested_again_and_counts(place: Place, name: str) -> None:
    here = await place(SERVED[name], TURNS[0], {**ANSWER, "ends": REFUSING[name]})

    findings = await here.investigate()

    assert findings.stop_reason == "the model refused to answer" and not findings.hypotheses
    assert (len(here.asked), findings.tokens) == (2, 2200)


MALFORMED = {"gemini 3": "MALFORMED_FUNCTION_CALL", "bedrock": "malformed_tool_use", "deepseek": "insufficient_system_resource"}


@pytest.mark.parametrize("name", MALFORMED)
async def test_an_answer_that_the_provider_calls_malformed_is_requested_again(place: Place, name: str) -> None:
    here = await place(SERVED[name], TURNS[0], {**ANSWER, "ends": MALFORMED[name]})

    findings = await here.investigate()

    assert f"could not be read ({MALFORMED[name].lower()})" in findings.stop_reason
    assert not findings.hypotheses and len(here.asked) == 5


LIMITED = {
    "openai responses": "max_output_tokens",
    "openai chat": "length",
    "claude 5": "max_tokens",
    "gemini 3": "MAX_TOKENS",
    "bedrock": "max_tokens",
    "deepseek": "length",
    "ollama": "length",
}


@pytest.mark.parametrize(
    ("name", "structured"), [*((name, "tool") for name in LIMITED), ("openai responses", "schema"), ("openai chat", "schema")]
)
async def test_an_answer_that_reached_its_limit_is_no_answer(place: Place, name: str, structured: str) -> None:
    here = await place(SERVED[name], TURNS[0], {**ANSWER, "ends": LIMITED[name]}, structured=structured)

    findings = await here.investigate()

    assert findings.stop_reason == "the answer was longer than the model may write" and not findings.hypotheses
    assert findings.tokens == 1100 * len(here.asked) == 3300


@every_protocol
async def test_an_empty_answer_is_asked_about_and_not_sent_back(place: Place, served: Served) -> None:
    here = await place(served, TURNS[0], {"text": "", "once": True}, ANSWER)

    findings = await here.investigate()

    assert (findings.stop_reason, findings.steps, served_by(here).refusals) == ("answered", 3, [])


SCHEMA_TAKEN = [name for name in SERVED if "deepseek" not in name]
"""DeepSeek knows no schema of an answer."""


@pytest.mark.parametrize("name", SCHEMA_TAKEN)
async def test_the_answer_may_be_asked_for_by_its_schema(place: Place, name: str) -> None:
    here = await place(SERVED[name], *TURNS, {"text": json.dumps(ANSWER["answer"])}, structured="schema")

    findings = await here.investigate()

    assert (findings.stop_reason, findings.steps, served_by(here).refusals) == ("answered", 3, []) and findings.hypotheses


async def test_calls_of_a_server_that_does_not_number_them_are_made(place: Place) -> None:
    here = await place(Served(Unnumbered, "", "local", "/v1"), *TURNS, ANSWER)

    findings = await here.investigate()

    assert findings.stop_reason == "answered" and here.looked == ["service_health", "recent_changes", "recent_changes"]


class Unnumbered(OpenAIChat):
    """Sends each call whole, without its place among the others."""

    def deltas(self, turn: Turn) -> Iterator[Json]:
        yield {"role": "assistant", "content": turn.text, "tool_calls": self.message(turn).get("tool_calls", [])}


async def test_what_no_library_of_ours_is_known_to_raise_ends_no_run(place: Place) -> None:
    here = await place(SERVED["openai chat"], TURNS[0], ANSWER)
    model = here.agent.chats["gpt-4.1"]
    model.async_client = Failing()

    with capture_logs() as lines:
        findings = await here.investigate()

    assert findings.stop_reason == "the model's client failed (OddError)"
    assert any(line.get("error_id") for line in lines)


class OddError(Exception):
    """Of a library that langchain has a class for and we never met."""


class Failing:
    """A client whose every call fails."""

    async def create(self, **_fields: object) -> object:
        raise OddError("odd")
