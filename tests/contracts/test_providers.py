"""The real agent over each provider's protocol: its stand-in refuses what the provider refuses, and refuses none of ours."""

import asyncio
import gc
import inspect
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.core.config.budget import CONTEXT_TOKENS
from bot.core.evidence import Findings
from bot.engine.durable import DurableEngine
from bot.llm.calling import PASSING_TRIES
from bot.llm.checkup import check_model
from bot.llm.providers.capabilities import ModelApi
from bot.llm.request_size import most_bytes
from bot.ports import Run
from tests.contracts.agent_fixture import ANSWER, CHANGES, HEALTH, AgentFixture, database
from tests.real import wait_until
from tests.real.providers.bedrock import Bedrock
from tests.real.providers.claude import Claude
from tests.real.providers.deepseek import DeepSeek
from tests.real.providers.gemini import RETRY_SECONDS, Gemini
from tests.real.providers.ollama import Ollama
from tests.real.providers.openai_chat import AzureOpenAI, OpenAIChat, OpenReasoning
from tests.real.providers.openai_responses import OpenAIResponses
from tests.real.providers.server import Json, ModelServer
from tests.real.serving import running
from tests.unit.builders import NOW


@dataclass(frozen=True)
class Served:
    """One provider as a team would set it up."""

    server: Callable[[list[Json], str], ModelServer]
    prefix: str
    model: str
    path: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.prefix}{self.model}"


SERVED: dict[str, Served] = {
    "openai responses": Served(OpenAIResponses, "", "gpt-5.5", "/v1", {"api": ModelApi.RESPONSES, "effort": "high"}),
    "openai chat": Served(OpenAIChat, "", "gpt-4.1", "/v1"),
    "openai chat without reasoning": Served(OpenAIChat, "", "gpt-5.5", "/v1", {"effort": "none"}),
    "compatible, reasons in the open": Served(OpenReasoning, "", "kimi-k2", "/v1"),
    "claude 5.5": Served(Claude, "anthropic:", "claude-opus-5-5", "", {"effort": "low"}),
    "claude 5": Served(Claude, "anthropic:", "claude-sonnet-5"),
    "claude 4.6": Served(Claude, "anthropic:", "claude-sonnet-4-6"),
    "claude 4.6, thinking": Served(Claude, "anthropic:", "claude-sonnet-4-6", "", {"effort": "high"}),
    "gemini 3": Served(Gemini, "google:", "gemini-3.6-flash", "", {"effort": "high"}),
    "bedrock": Served(Bedrock, "bedrock:", "us.anthropic.claude-opus-5"),
    "deepseek": Served(DeepSeek, "deepseek:", "deepseek-v4-pro", "", {"effort": "high"}),
    "deepseek, not thinking": Served(DeepSeek, "deepseek:", "deepseek-v4-pro", "", {"effort": "none"}),
    "ollama": Served(Ollama, "ollama:", "qwen3:8b"),
}
TURNS: list[Json] = [
    {"call": [HEALTH, CHANGES]},
    {"call": [["recent_changes", {"service": "", "hours": 3}]], "text": "One “more” look."},
]
Place = Callable[..., Any]


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    """`await place(served, turn, ...)`: an agent whose model is served by this provider's stand-in."""
    # AWS has no key that its client takes over plain HTTP, so the stand-in is signed for like the real one.
    for name, value in {"ACCESS_KEY_ID": "AKIAEXAMPLE", "SECRET_ACCESS_KEY": "k", "DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    async with AsyncExitStack() as stack:
        db = await database(tmp_path / "app.db")
        stack.push_async_callback(db.close)

        async def build(served: Served, *turns: Json, budget: Mapping[str, Any] | None = None, **settings: Any) -> AgentFixture:
            server = served.server(list(turns), served.model)
            url = await stack.enter_async_context(running(server.app()))
            key = {} if served.prefix == "bedrock:" else {"api_key": SecretStr("k")}
            here = AgentFixture(
                db, server, url + served.path, budget or {}, name=served.name, **key, **served.settings, **settings
            )  # type: ignore[arg-type]
            stack.push_async_callback(close_models, here)
            return here

        yield build
    gc.collect()


async def close_models(here: AgentFixture) -> None:
    """End the connections: each provider's library has its client elsewhere, and none of langchain's classes closes it."""
    for model in here.agent.chats.values():
        for client in (getattr(model, name, None) for name in ("root_async_client", "_async_client", "client")):
            for end in (getattr(client, "aio", client), getattr(client, "_client", None)):
                close = getattr(end, "aclose", None) or getattr(end, "close", None)
                if close is not None and inspect.isawaitable(done := close()):
                    await done


def served_by(here: AgentFixture) -> ModelServer:
    assert isinstance(here.script, ModelServer)
    return here.script


SEALING = ("openai responses", "compatible, reasons in the open", "claude 5.5", "gemini 3", "bedrock", "deepseek", "ollama")
"""Each protocol once, in the form that wants most back."""

# Of Google's SDK, about its own use of aiohttp, and the connections that it leaves open after an error.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def every_protocol(test: Any) -> Any:
    return pytest.mark.parametrize("served", [SERVED[name] for name in SEALING], ids=SEALING)(test)


def every_provider(test: Any) -> Any:
    return pytest.mark.parametrize("served", SERVED.values(), ids=list(SERVED))(test)


@every_provider
async def test_two_turns_with_tools_and_an_answer(place: Place, served: Served) -> None:
    here = await place(served, *TURNS, ANSWER)

    findings = await here.investigate()

    assert (findings.stop_reason, findings.steps, served_by(here).refusals) == ("answered", 3, [])
    assert [hypothesis.cause for hypothesis in findings.hypotheses] == ["deploy 1.4 of checkout broke it"]
    assert here.looked == ["service_health", "recent_changes", "recent_changes"] and findings.tokens == 3300


@every_provider
async def test_an_interrupted_run_goes_on_from_the_journal(place: Place, served: Served, tmp_path: Path) -> None:
    here = await place(served, *TURNS, {**ANSWER, "hold": True})

    findings = await crashed_and_resumed(here, tmp_path)

    assert (findings.stop_reason, served_by(here).refusals) == ("answered", []) and findings.hypotheses
    # The last turn alone was asked again, with all that the provider sealed in the turns before.
    assert len(here.asked) == 4 and without_marks(here.asked[3]) == without_marks(here.asked[2])


@every_protocol
async def test_a_secret_that_the_model_writes_goes_neither_into_the_journal_nor_back(place: Place, served: Served) -> None:
    secret = "password=hunter2hunter2"
    here = await place(served, {"call": [["recent_changes", {"service": secret}], HEALTH], "text": secret}, *TURNS[1:], ANSWER)

    findings = await here.investigate()

    assert (findings.stop_reason, served_by(here).refusals) == ("answered", [])
    thought = "is the model's own invention"
    assert not any("hunter2" in text for text in texts_of(here.asked[-1]) if thought not in text)


@every_protocol
async def test_of_a_hundred_calls_in_one_turn_those_beyond_the_cap_are_forgotten(place: Place, served: Served) -> None:
    many = [["recent_changes", {"service": "", "hours": hours}] for hours in range(1, 101)]
    here = await place(served, {"call": many}, ANSWER)

    findings = await here.investigate()

    assert (findings.stop_reason, findings.steps, served_by(here).refusals) == ("answered", 2, [])


@every_protocol
async def test_hints_and_pseudonyms_change_what_stood_before(place: Place, served: Served) -> None:
    # The hint stands at the end of the second and of the third request: what was thought after the second came after it.
    here = await place(served, {**TURNS[0], "hold": True}, *TURNS[1:], ANSWER, masked=True)
    running_agent = asyncio.create_task(here.investigate())
    await wait_until(lambda: len(here.asked) == 1 or running_agent.done())
    await here.triages.hint("AL-1", 1, "look at “payments” too", "ann", key="k")
    served_by(here).released.set()

    findings = await running_agent

    assert (findings.stop_reason, served_by(here).refusals) == ("answered", [])
    assert "payments" not in json.dumps(here.asked[0], ensure_ascii=False)


@every_protocol
async def test_a_fallback_of_another_provider_reads_what_the_first_one_wrote(place: Place, served: Served) -> None:
    here = await place(served, TURNS[0], {"status": 500})
    other = SERVED["openai chat" if "claude" in served.name else "claude 5.5"]
    server = other.server([TURNS[0], *TURNS[1:], ANSWER], other.model)
    async with running(server.app()) as url:
        provider = here.agent.settings.provider
        settings = {**vars(here.agent.settings), "fallback": other.name}
        other_provider = type(here.agent.settings)(other.name).provider
        assert provider is not other_provider or served.name == other.name
        here.agent.settings = type(here.agent.settings)(
            **{**settings, "urls": {other_provider: url + other.path}, "keys": {other_provider: SecretStr("k")}}
        )
        findings = await here.investigate()

    assert findings.stop_reason == "answered" and server.refusals == [] and findings.model == other.model


@every_protocol
async def test_no_request_is_longer_than_its_bound_in_bytes_as_sent(place: Place, served: Served) -> None:
    turns = [{"call": [["escapes", {"part": 10 * turn + part}] for part in range(4)]} for turn in range(4)]
    here = await place(served, *turns, ANSWER, budget={"context_tokens": CONTEXT_TOKENS})
    for part in range(40, 60):
        await here.tool_runner.call(await here.case(), "escapes", {"part": part}, f"analyst:{part}")

    findings = await here.investigate()

    bound = most_bytes(CONTEXT_TOKENS)
    assert (findings.stop_reason, served_by(here).refusals) == ("answered", [])
    assert 0.5 * bound < max(served_by(here).sizes) <= bound


@every_protocol
async def test_text_instead_of_a_call_is_asked_about_once(place: Place, served: Served) -> None:
    here = await place(served, TURNS[0], {"text": "It was the deploy, I think."}, ANSWER)

    findings = await here.investigate()

    assert (findings.stop_reason, findings.steps, served_by(here).refusals) == ("answered", 3, [])


@every_provider
async def test_the_last_turn_is_the_answer_and_holds_the_same_tools(place: Place, served: Served) -> None:
    here = await place(served, TURNS[0], ANSWER, budget={"per_run_steps": 2})

    findings = await here.investigate()

    assert (findings.stop_reason, findings.steps, served_by(here).refusals) == ("answered", 2, [])
    first, last = (request.get("tools") or request["toolConfig"]["tools"] for request in here.asked)
    assert first == last and len(json.dumps(first)) > 10_000


@every_protocol
async def test_a_model_that_calls_another_tool_on_its_last_turn_is_left_no_other(place: Place, served: Served) -> None:
    here = await place(served, TURNS[0], {"call": [CHANGES]}, budget={"per_run_steps": 2})

    await here.investigate()

    assert (len(here.asked), served_by(here).refusals) == (3, [])
    assert "service_health" not in json.dumps(here.asked[2].get("tools") or here.asked[2]["toolConfig"]["tools"])
    assert here.looked == ["service_health", "recent_changes"]


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (Served(OpenAIChat, "", "gpt-5.5", "/v1"), "use /v1/responses or set reasoning_effort to 'none'"),
        (Served(OpenAIChat, "", "gpt-5.5", "/v1", {"effort": "low"}), "use /v1/responses"),
        (Served(Claude, "anthropic:", "claude-sonnet-5", "", {"tool_choice": "required"}), "Thinking may not be enabled"),
        (
            Served(Claude, "anthropic:", "claude-sonnet-5", "", {"extra": {"reasoning_tokens": 9}}),
            "Extra inputs are not permitted",
        ),
        (Served(Claude, "anthropic:", "claude-opus-5-5", "", {"effort": "none"}), '"thinking.type.disabled" is not supported'),
        (
            Served(DeepSeek, "deepseek:", "deepseek-v4-pro", "", {"tool_choice": "required"}),
            "does not support this tool_choice",
        ),
        (Served(Ollama, "ollama:", "qwen3:8b", "", {"extra": {"num_ctx": 2048}}), "num_ctx is too small"),
    ],
    ids=lambda value: value.name if isinstance(value, Served) else "",
)
async def test_what_a_provider_refuses_ends_the_run_with_its_own_words_in_the_log(
    place: Place, served: Served, words: str
) -> None:
    here = await place(served, *TURNS, ANSWER)

    with capture_logs() as lines:
        findings = await here.investigate()

    logged = " ".join(str(line.get("answer", "")) for line in lines)
    assert findings.stop_reason == "the model's server answered 400"
    assert words in served_by(here).refusals[0] and words.split("'")[0].split('"')[0] in logged


@pytest.mark.parametrize("streamed", [True, False])
async def test_what_is_written_to_the_cache_has_its_own_price(place: Place, streamed: bool) -> None:
    free = {f"usd_per_million_{kind}": 0 for kind in ("in", "out", "cached")}
    here = await place(SERVED["claude 5.5"], *TURNS, ANSWER, budget={**free, "usd_per_million_cache_write": 100})
    for model in here.agent.chats.values():
        model.disable_streaming = not streamed

    findings = await here.investigate()

    assert findings.tokens == 3300 and findings.usd == pytest.approx(3 * 300 * 100 / 1e6)


async def test_a_class_of_langchain_that_we_do_not_know_neither_tries_again_nor_waits_for_longer(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure = AzureOpenAI([TURNS[0], {"status": 503}], "gpt-4.1")
    async with running(azure.app()) as url:
        for name, value in {
            "AZURE_OPENAI_ENDPOINT": url,
            "AZURE_OPENAI_API_KEY": "k",
            "OPENAI_API_VERSION": "2024-10-21",
        }.items():
            monkeypatch.setenv(name, value)
        here = await place(Served(AzureOpenAI, "azure_openai:", "gpt-4.1"), budget={"per_call_seconds": 12.5})

        findings = await here.investigate()

    assert findings.stop_reason == "the model's server answered 503"
    # The second turn's, and those of the request for the answer alone.
    assert len(azure.requests) == 1 + 2 * PASSING_TRIES
    assert [model.request_timeout for model in here.agent.chats.values()] == [13]


@pytest.mark.parametrize(
    ("budget", "extra", "num_ctx"),
    [({}, {}, 32_000), ({"context_tokens": 90_000}, {}, 90_000), ({}, {"num_ctx": 65_536}, 65_536)],
)
async def test_ollama_makes_room_for_as_many_tokens_as_the_settings_say(
    place: Place, budget: Json, extra: Json, num_ctx: int
) -> None:
    here = await place(SERVED["ollama"], *TURNS, ANSWER, budget=budget, extra=extra)

    await here.investigate()

    assert {request["options"]["num_ctx"] for request in here.asked} == {num_ctx}


async def test_gemini_is_left_alone_for_as_long_as_the_body_of_its_refusal_says(place: Place) -> None:
    here = await place(SERVED["gemini 3"], {"status": 429})

    findings = await here.investigate()

    assert findings.stop_reason == "the model's server answered 429" and set(here.waits) == {RETRY_SECONDS}


PASSING = {
    "openai responses": ("server_error", "The server had an error while processing your request. Sorry about that!"),
    "openai chat": ("server_error", "The server had an error while processing your request."),
    "claude 5": ("overloaded_error", "Overloaded"),
    "bedrock": ("throttlingException", "Too many tokens, please wait before trying again."),
    "gemini 3": ("503", "The model is overloaded. Please try again later."),
    "ollama": ("", "an error was encountered while running the model: CUDA error"),
}
"""What each reports in the middle of an answer when it has too much to do."""


@pytest.mark.parametrize("name", PASSING)
async def test_an_answer_that_breaks_off_with_an_error_of_the_server_is_requested_again_after_growing_pauses(
    place: Place, name: str
) -> None:
    here = await place(SERVED[name], TURNS[0], {**ANSWER, "breaks": PASSING[name], "times": 3})

    findings = await here.investigate()

    assert (findings.stop_reason, findings.note, served_by(here).refusals) == ("answered", "", []) and findings.hypotheses
    assert len(here.asked) == 5 and here.waits == sorted(here.waits) and 0.5 <= here.waits[0] <= 1 < 2 <= here.waits[2] <= 4


@pytest.mark.parametrize("name", PASSING)
async def test_a_server_that_stays_overloaded_is_asked_for_the_answer_alone_before_the_analyst_ranks(
    place: Place, name: str
) -> None:
    broken = {**ANSWER, "breaks": PASSING[name]}
    here = await place(SERVED[name], TURNS[0], broken)
    lasting = await place(SERVED[name], TURNS[0], {**broken, "times": PASSING_TRIES})

    failed, answered = await here.investigate(), await lasting.investigate()

    why = "the model's server broke off with an error" if name == "ollama" else "the model's server answered"
    assert why in failed.stop_reason and not failed.hypotheses
    assert len(here.asked) == 1 + 2 * PASSING_TRIES and here.looked[:2] == ["service_health", "recent_changes"]
    assert answered.stop_reason == "answered" and f"One request failed ({why}" in answered.note
    # Between the last try and the request for the answer it was left alone as well.
    assert len(lasting.waits) == PASSING_TRIES and lasting.waits[-1] >= 8


TOO_LONG = {
    "openai responses": ("context_length_exceeded", "Your input is more than this model takes in."),
    "openai chat": ("context_length_exceeded", "Please reduce the length of the messages."),
    "claude 5": ("invalid_request_error", "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"),
    "bedrock": ("validationException", "The model returned the following errors: Input is too long for requested model."),
}
"""What each reports where the conversation does not fit, once the answer has begun."""


@pytest.mark.parametrize("name", TOO_LONG)
async def test_an_answer_that_breaks_off_as_too_long_is_followed_by_a_shorter_request(place: Place, name: str) -> None:
    here = await place(SERVED[name], {"call": [["flood", {}]]}, {**ANSWER, "breaks": TOO_LONG[name], "times": 1})

    findings = await here.investigate()

    assert findings.stop_reason == "answered" and "too long for the model" in findings.note and here.waits == []
    assert served_by(here).sizes[2] < served_by(here).sizes[1] / 2


@pytest.mark.parametrize("name", ["openai responses", "openai chat"])
async def test_an_account_without_credit_is_asked_once_and_its_owner_is_told_where_to_look(place: Place, name: str) -> None:
    words = "You exceeded your current quota, please check your plan and billing details."
    here = await place(SERVED[name], TURNS[0], {"status": 429, "error": words, "code": "insufficient_quota"})

    findings = await here.investigate()

    assert len(here.asked) == 2 and here.waits == []
    assert "answered 429: the account's quota is used up, check its plan and billing" in findings.stop_reason


@pytest.mark.parametrize(
    ("served", "thinking"),
    [
        (Served(Gemini, "google:", "gemini-3.6-flash"), {"thinking_level": "minimal"}),
        (Served(Gemini, "google:", "gemini-3.1-pro-preview"), {"thinking_level": "low"}),
        (Served(Gemini, "google:", "gemini-2.5-flash"), {"thinking_budget": 0}),
        (Served(Gemini, "google:", "gemini-2.5-pro"), {"thinking_budget": 128}),
        (Served(Bedrock, "bedrock:", "us.anthropic.claude-opus-5"), {"type": "disabled"}),
    ],
    ids=lambda value: value.name if isinstance(value, Served) else "",
)
async def test_a_model_is_told_not_to_reason_or_as_little_as_it_can(place: Place, served: Served, thinking: Json) -> None:
    here = await place(served, *TURNS, ANSWER, effort="none")

    findings = await here.investigate()

    assert (findings.stop_reason, served_by(here).refusals) == ("answered", [])
    asked = here.asked[-1]
    sent = (asked.get("generationConfig") or {}).get("thinkingConfig") or asked["additionalModelRequestFields"]["thinking"]
    assert {name: value.lower() if isinstance(value, str) else value for name, value in sent.items()} == thinking


WORD = [{"call": [["read_word", {}]]}, {"call": [["give_word", {"word": "tocsin"}]]}]


@every_provider
async def test_the_doctor_asks_with_a_tool_in_two_turns(place: Place, served: Served) -> None:
    here = await place(served, *WORD)

    check = await check_model(here.agent.settings, served.name)

    assert (check.state, served_by(here).refusals) == ("ok", [])
    assert len(here.asked) == 2 and check.name == f"Model {served.name}"


async def test_the_doctor_shows_the_provider_s_own_words(place: Place) -> None:
    here = await place(Served(OpenAIChat, "", "gpt-5.5", "/v1"), *WORD)

    check = await check_model(here.agent.settings, "gpt-5.5")

    assert check.state == "failed" and "use /v1/responses or set reasoning_effort to 'none'" in check.result


async def crashed_and_resumed(here: AgentFixture, folder: Path) -> Findings:
    """The run is cut off while the third turn is awaited, and goes on in a new engine."""
    case = await here.case()

    async def investigate(run: Run) -> Any:
        return (await here.agent.investigate(run, case)).model_dump(mode="json")

    def engine() -> DurableEngine:
        engine = DurableEngine(folder, clock=lambda: NOW)
        engine.register("look", investigate)
        return engine

    first = engine()
    await first.launch()
    await first.start("look", "look:1")
    await wait_until(lambda: len(here.asked) == 3)
    await first.stop(within=0.1)
    served_by(here).turns[-1] = ANSWER

    second = engine()
    await second.launch()
    findings = await second.result("look:1")
    await second.stop(within=1)
    return Findings.model_validate(findings)


def without_marks(body: Json) -> Json:
    return {key: value for key, value in body.items() if key != "metadata"}


def texts_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return [value] if isinstance(value, str) else []
