"""`tocsin doctor` against the sandbox's Slack and servers on loopback: what it finds, and what it says to do."""

import re
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.console.doctor import checkup, examine
from bot.core.check import Check, ok
from bot.core.config.retention import Retention
from bot.llm.checkup import check_model
from bot.llm.settings import ModelSettings
from bot.settings import Secrets
from bot.slack.checkup import check_slack
from bot.slack.manifest import SCOPES
from bot.store.checkup import check_database, check_sizes
from bot.store.migrate import upgrade
from tests.contracts.prometheus_process import prometheus
from tests.contracts.slack_places import Sandbox, sandbox
from tests.real import free_port
from tests.real.scripted_model import Script, app
from tests.real.serving import running

CONFIG = """
sources: {prod: {kind: alertmanager}}
default_channel: C1
services: {checkout: {channel: C2}}
"""


def name_text(checks: list[Check], name: str) -> Check:
    return next(check for check in checks if check.name.startswith(name))


async def slack(place: Sandbox, channels: dict[str, str] | None = None, **changed: Any) -> list[Check]:
    asked = {"token": place.ws.bot_token, "app_token": place.ws.app_token, "signing_secret": "", **changed}
    return await check_slack(**asked, api_url=f"{place.ws.base_url}/api/", channels=channels or {})


async def test_a_good_set_up_has_nothing_to_repair() -> None:
    async with sandbox() as place:
        place.ws.scopes = set(SCOPES)
        channel = next(c.id for c in place.ws.channels.values() if not c.is_private and not c.is_im)
        checks = await slack(place, {channel: "default"})

    assert [check.state for check in checks] == ["ok"] * 4
    assert name_text(checks, "Slack events").result == "Socket Mode answers"


async def test_a_missing_scope_is_named_with_the_way_to_get_it() -> None:
    async with sandbox() as place:
        place.ws.scopes = set(SCOPES) - {"files:write"}
        check = name_text(await slack(place), "Slack scopes")

    assert check.state == "failed" and "files:write" in check.result and "tocsin manifest" in check.advice


async def test_a_wrong_token_ends_slack_s_part_with_one_failure() -> None:
    async with sandbox() as place:
        (check,) = await slack(place, token="xoxb-wrong")

    assert check.state == "failed" and "invalid_auth" in check.result


async def test_an_unknown_channel_fails_and_one_not_joined_yet_does_not() -> None:
    async with sandbox() as place:
        place.ws.scopes = set(SCOPES)
        public = next(c for c in place.ws.channels.values() if not c.is_private and not c.is_im)
        public.members = [m for m in public.members if m not in (await place.client.auth_test())["user_id"]]
        checks = await slack(place, {"CNOWHERE": "checkout", public.id: "default"})

    assert name_text(checks, "Slack channel CNOWHERE").state == "failed"
    assert "joins by itself" in name_text(checks, f"Slack channel {public.id}").advice


async def test_without_a_way_in_for_events_it_says_which_two_there_are() -> None:
    async with sandbox() as place:
        neither = name_text(await slack(place, app_token=""), "Slack events")
        wrong = name_text(await slack(place, app_token=place.ws.bot_token), "Slack events")
        http = name_text(await slack(place, app_token="", signing_secret="shh"), "Slack events")

    assert (neither.state, wrong.state, http.state) == ("failed", "failed", "ok")
    assert "connections:write" in neither.advice and "xapp-" in wrong.advice


async def test_a_slack_that_cannot_be_reached_is_told_as_such() -> None:
    (check,) = await check_slack("xoxb-1", "", "", f"http://127.0.0.1:{free_port()}/api/", {})

    assert check.state == "failed" and "not reached" in check.result


@pytest.mark.parametrize("status", [200, 403, 404, 502])
async def test_a_page_in_slack_s_place_is_told_as_such(status: int) -> None:
    async def page(_: Request) -> Response:
        return HTMLResponse("<h1>Proxy: sign in first</h1>", status_code=status)

    async with running(Starlette(routes=[Route("/{path:path}", page, methods=["GET", "POST"])])) as url:
        (check,) = await check_slack("xoxb-1", "", "", f"{url}/api/", {})

    assert (check.state, check.result) == ("failed", f"what answers is not Slack (HTTP {status}, without JSON)")
    assert "proxy" in check.advice


async def test_a_system_that_no_service_uses_was_not_asked_and_is_not_well(tmp_path: Path) -> None:
    addresses = {name: {"url": f"http://127.0.0.1:{free_port()}"} for name in ("github", "argocd", "kubernetes", "mlflow")}
    (tmp_path / "tocsin.yaml").write_text(yaml.safe_dump({"systems": addresses, "services": {"checkout": {}}}))

    states = {check.name: check.state for check in await checkup(secrets(tmp_path))}

    systems = ("GitHub", "Argo CD", "Helm", "MLflow", "Kubernetes")
    assert {name: states.get(name) for name in systems} == dict.fromkeys(systems, "not set up")


CALLED = [{"call": [["read_word", {}]]}, {"call": [["give_word", {"word": "tocsin"}]]}]


@pytest.mark.parametrize(
    ("turns", "state", "result"),
    [
        (CALLED, "ok", "answers, calls tools and reads their results"),
        ([CALLED[0], {"text": "the word is tocsin"}], "ok", "calls tools"),
        ([CALLED[0], {"text": "which word?"}], "failed", "did not understand its result (which word?)"),
        ([{"text": "ok"}], "failed", "answers (ok), but called no tool"),
        ([{"status": 401}], "failed", "answered 401: scripted"),
        ([CALLED[0], {"status": 429}], "failed", "answered 429: scripted"),
        ([{"garbage": True}], "failed", "no chat completion"),
    ],
)
async def test_the_model_is_asked_with_a_tool_in_two_turns(turns: list[dict[str, Any]], state: str, result: str) -> None:
    async with running(app(Script(list(turns)))) as url:
        check = await check_model(ModelSettings("scripted", f"{url}/v1", SecretStr("k")), "scripted")

    assert (check.state, check.name) == (state, "Model scripted") and result in check.result


async def test_no_model_is_no_failure() -> None:
    check = await check_model(ModelSettings(""), "")

    assert check.state == "not set up" and "analyst" in check.advice


async def test_a_provider_whose_package_is_missing_is_named_with_the_command_to_run() -> None:
    check = await check_model(ModelSettings("mistralai:mistral-large"), "mistralai:mistral-large")

    assert check.state == "failed" and "langchain-mistralai" in check.result


def test_the_database_is_reached_and_its_revision_known(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    before = check_database(url)
    upgrade(url)

    assert "upgraded by itself" in before.advice and check_database(url).advice == ""


def test_a_database_of_a_newer_version_is_told_before_the_start_refuses_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    upgrade(url)
    with closing(sqlite3.connect(tmp_path / "app.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()

    check = check_database(url)

    assert check.state == "failed" and "revision 9999, which this version does not know" in check.result


def test_a_database_that_is_down_or_old_says_what_to_do(postgres_url: str) -> None:
    down = check_database(f"postgresql://app:hunter2@127.0.0.1:{free_port()}/tocsin")
    old = check_database(postgres_url)

    assert down.state == "failed" and "does not answer" in down.result and "hunter2" not in down.result
    assert old.state == "failed" and "tocsin db upgrade" in old.advice


def secrets(folder: Path, **values: Any) -> Secrets:
    settings = {"config": folder / "tocsin.yaml", "data_dir": folder / "data", **values}
    return Secrets().model_copy(update=settings)


async def test_every_part_of_the_configuration_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOCSIN_TOKEN_PROD", raising=False)
    dead = f"http://127.0.0.1:{free_port()}"
    extra = f"prometheus: {{url: {dead}}}\nlogs: {{loki: {dead}}}\nalertmanager: {{url: {dead}}}\nrunbooks: ./no\n"
    (tmp_path / "tocsin.yaml").write_text(CONFIG + extra + "pager: {pagerduty: true}\n")

    checks = await checkup(secrets(tmp_path))

    assert "TOCSIN_TOKEN_PROD" in name_text(checks, "Sources").result
    failing = {check.name for check in checks if check.state == "failed"}
    assert failing == {"Sources", "Slack token", "Prometheus", "Loki", "Alertmanager", "Runbooks", "Pager"}
    assert all(check.advice for check in checks if check.state == "failed")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("answer", "state", "result"),
    [
        (JSONResponse({"cluster": {"status": "ready"}}), "ok", "answers"),
        (JSONResponse([]), "failed", "is another server"),
        (HTMLResponse("<html>login"), "failed", "something that is no JSON"),
        (PlainTextResponse("Unauthorized", 401), "failed", "answered HTTP 401: Unauthorized"),
    ],
)
async def test_what_answers_in_alertmanager_s_place_is_told(tmp_path: Path, answer: Response, state: str, result: str) -> None:
    async def status(_: Request) -> Response:
        return answer

    async with running(Starlette(routes=[Route("/api/v2/status", status)])) as url:
        address = url.replace("http://", "http://user:hunter2@")
        (tmp_path / "tocsin.yaml").write_text(f"{CONFIG}alertmanager: {{url: '{address}'}}\n")
        check = name_text(await checkup(secrets(tmp_path)), "Alertmanager")

    assert check.state == state and result in check.result and "hunter2" not in check.result


async def test_a_prometheus_that_scrapes_nothing_is_told(tmp_path: Path) -> None:
    async def nothing(_: Request) -> Response:
        return JSONResponse({"status": "success", "data": {"resultType": "vector", "result": []}})

    async with running(Starlette(routes=[Route("/api/v1/query", nothing, methods=["POST"])])) as url:
        (tmp_path / "tocsin.yaml").write_text(f"{CONFIG}prometheus: {{url: '{url}'}}\n")
        check = name_text(await checkup(secrets(tmp_path)), "Prometheus")

    assert check.state == "ok" and "it scrapes nothing" in check.advice


def test_the_table_says_how_many_failed_and_the_exit_code_too(tmp_path: Path) -> None:
    (tmp_path / "tocsin.yaml").write_text("services:\n  checkout: {singals: {}}\n")
    out = StringIO()

    code = examine(secrets(tmp_path), Console(file=out, width=600))

    assert code == 1 and "tocsin.yaml:2: services.checkout.singals: unknown key" in out.getvalue()
    assert re.search(r"2 of 4 checks failed\. 1 of 4 not set up\.", out.getvalue())
    assert "Prometheus" not in out.getvalue() and "Sources" not in out.getvalue()


def test_a_damaged_database_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "app.db").write_text("no database at all, but long enough to be read as one " * 20)

    check = check_database(f"sqlite:///{tmp_path / 'app.db'}")

    assert (check.state, check.result) == ("failed", "the database cannot be read: file is not a database")
    assert "backup" in check.advice


def test_a_database_that_cannot_be_opened_is_no_crash_and_says_what_the_file_needs(tmp_path: Path) -> None:
    (tmp_path / "data" / "app.db").mkdir(parents=True)
    output = StringIO()

    code = examine(secrets(tmp_path), Console(file=output, width=400))

    (line,) = (line for line in output.getvalue().splitlines() if line.startswith("│ Database"))
    assert code == 1 and "unable to open database file" in line and "able to write to file and folder" in line


def test_a_disk_without_room_is_a_failure_of_its_own(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    upgrade(url)

    (roomy,), (full,) = (check_sizes(url, None, Retention(), min_free=least) for least in (0, 1 << 60))

    assert roomy.state == "ok" and full.state == "failed"
    assert f"free on the disk of {tmp_path}" in full.result and "nothing is stored" in full.advice


def test_no_secret_is_printed(tmp_path: Path) -> None:
    (tmp_path / "tocsin.yaml").write_text(CONFIG)
    out, nowhere = StringIO(), f"http://127.0.0.1:{free_port()}/api/"
    token = SecretStr("xoxb-very-secret-token")

    examine(secrets(tmp_path, slack_bot_token=token, slack_api_url=nowhere), Console(file=out, width=600))

    assert "Slack was not reached" in out.getvalue() and "xoxb-very-secret" not in out.getvalue()


async def test_the_code_behind_the_model_is_looked_at_where_a_model_is_set(tmp_path: Path) -> None:
    (tmp_path / "tocsin.yaml").write_text(CONFIG)
    server = f"http://127.0.0.1:{free_port()}/v1"

    asked = await checkup(secrets(tmp_path, model="scripted", openai_base_url=server))
    unset = await checkup(secrets(tmp_path))

    assert name_text(asked, "Model code") == ok("Model code", "loads")
    assert not [check for check in unset if check.name == "Model code"]


QUERIES = """
services:
  checkout:
    signals:
      errors: {promql: 'sum(rate(http_errors_total[1m])'}
      up: {promql: 'max(up)'}
    objectives:
      answers: {good: 'sum(rate(up[{window}]))', total: 'count(rate(up[{window}])', objective: 99}
"""


@pytest.mark.parametrize("slip", [True, False])
async def test_a_slip_in_a_query_of_the_catalogue_is_found_by_day(slip: bool, tmp_path: Path) -> None:
    text = QUERIES if slip else QUERIES.replace("[1m])'", "[1m]))'").replace("[{window}])', obj", "[{window}]))', obj")
    config = CONFIG.replace("services: {checkout: {channel: C2}}", text)
    async with prometheus(tmp_path) as url:
        (tmp_path / "tocsin.yaml").write_text(f"{config}prometheus: {{url: {url}}}\n")
        check = name_text(await checkup(secrets(tmp_path)), "Queries")

    if slip:
        assert check.state == "failed" and "services.checkout.signals.errors: " in check.result
        assert "services.checkout.objectives.answers.total: " in check.result and "signals.up" not in check.result
    else:
        assert (check.state, check.result) == (
            "ok",
            "Prometheus understands 4 queries of signals and objectives; 1 find nothing now",
        )
        assert check.advice.endswith("services.checkout.signals.errors")
