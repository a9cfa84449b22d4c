"""The command line: quick, and errors are one line and exit code 2."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.console.demo_processes import PYTHON
from bot.engine.data_folder import DataFolder
from bot.store.approvals.switches import Switches
from bot.store.db.database import Database
from tests.real import free_port

HEAVY = ("langchain", "openai", "dbos", "sqlmodel", "slack_bolt", "matplotlib", "numpy", "httpx")

UNUSED = ("alembic", "fastapi", "langchain", "matplotlib", "numpy", "openai", "opentelemetry", "psycopg", "pygments", "rich")
"""What takes memory and has no use before somebody asks for it."""


def test_help_loads_nothing_heavy() -> None:
    code = f"""
import sys
from bot.cli import app
try:
    app(["--help"])
except SystemExit:
    pass
print("loaded:", [name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "Incident response in Slack" in done.stdout and done.stdout.strip().endswith("loaded: []")


def test_a_server_loads_nothing_that_it_may_never_use() -> None:
    code = f"""
import sys
from bot.cli import load_server
load_server()
print("loaded:", [name for name in {UNUSED!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "loaded: []"


def run(*arguments: str, **variables: str) -> tuple[int, str]:
    """Exit code and standard error of `tocsin ...` with these variables, as the entry point gives them."""
    command, environment = [sys.executable, "-m", "bot.cli", *arguments], {**os.environ, **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return done.returncode, done.stderr


def test_a_broken_configuration_exits_2_and_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text("default_channel: C0\nservices:\n  checkout: {singals: {}}\n")

    code, told = run("config", "check", str(file))

    assert code == 2 and f"{file}:3: services.checkout.singals: unknown key" in told and told.count("\n") == 1


def test_a_missing_configuration_says_how_to_get_one(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["config", "check", str(tmp_path / "no.yaml")])

    assert done.exit_code == 2 and "tocsin init" in done.output


def test_a_good_configuration_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text("sources: {am: {kind: alertmanager}}\nservices: {a: {}, b: {}}\n")

    done = CliRunner().invoke(app, ["config", "check", str(file)])

    assert done.exit_code == 0 and "(sources: 1, services: 2, people: 0, actions: 0)" in done.output


def test_a_configuration_without_a_place_for_alerts_is_valid_and_told(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text("services: {a: {}}\n")
    whole = tmp_path / "whole.yaml"
    whole.write_text("default_channel: C1\n")

    lacking, well = (CliRunner().invoke(app, ["config", "check", str(path)]) for path in (file, whole))

    assert (lacking.exit_code, well.exit_code) == (0, 0)
    assert "It has no default_channel yet" in lacking.output and "default_channel" not in well.output


def test_an_empty_configuration_and_a_missing_folder_of_runbooks_are_told(tmp_path: Path) -> None:
    empty, lacking, whole = tmp_path / "empty.yaml", tmp_path / "lacking.yaml", tmp_path / "whole.yaml"
    empty.write_text("")
    lacking.write_text("sources: {am: {kind: alertmanager}}\nrunbooks: ./nowhere\n")
    whole.write_text("sources: {am: {kind: alertmanager}}\nrunbooks: .\n")

    nothing, missing, well = (CliRunner().invoke(app, ["config", "check", str(file)]) for file in (empty, lacking, whole))

    assert nothing.exit_code == missing.exit_code == 0
    assert "It has no sources yet: no alert can arrive" in nothing.output
    assert f"Not there: runbooks: {tmp_path / 'nowhere'} is no folder here" in missing.output
    assert "Not there" not in well.output and "no sources" not in well.output


def test_what_is_valid_and_has_no_effect_is_told(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text("services: {cart: {match: {app: 'cart.*'}}}\nsources: {am: {kind: alertmanager}}\n")

    done = CliRunner().invoke(app, ["config", "check", str(file)], env={"TOCSIN_TOKEN_AMM": "x"})

    assert done.exit_code == 0 and "No effect: services.cart.match.app: 'cart.*' looks like a pattern" in done.output
    assert "Not read: TOCSIN_TOKEN_AMM is read by nothing: TOCSIN_TOKEN_AM is probably meant" in done.output


def test_a_start_says_in_a_line_each_what_is_hardly_meant_and_that_slack_is_not_reached(tmp_path: Path) -> None:
    (tmp_path / "tocsin.yaml").write_text("services: {cart: {match: {app: 'cart.*'}}}\n")
    slack = {"TOCSIN_SLACK_API_URL": f"http://127.0.0.1:{free_port()}/api/", "TOCSIN_SLACK_BOT_TOKEN": "xoxb-1"}
    command = [sys.executable, "-m", "bot.cli", "serve", "--config", str(tmp_path / "tocsin.yaml"), "--port", str(free_port())]
    environment = {**os.environ, **slack, "TOCSIN_DATA_DIR": str(tmp_path / "data"), "TOCSIN_TOKEN_CART": "x"}
    needed = {
        "looks like a pattern",
        "TOCSIN_TOKEN_CART is read by nothing",
        "no press, command or mention",
        "no connection to Slack",
    }

    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        records: list[dict[str, object]] = []
        while needed and (line := process.stderr.readline()):
            records.append(json.loads(line))
            needed = {words for words in needed if words not in line}
        process.terminate()

    assert not needed and not [record for record in records if "exception" in record]


def test_an_mcp_server_without_pins_is_told_with_the_command_that_prints_them(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text("systems: {mcp: {notes: {url: http://notes.example.com/mcp, tools: [summary]}}}\n")

    done = CliRunner().invoke(app, ["config", "check", str(file)])

    assert done.exit_code == 0 and "none of the tools of systems.mcp.notes is offered" in done.output
    assert "`tocsin mcp pin notes`" in done.output


def test_an_action_at_a_private_address_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.yaml"
    file.write_text("actions:\n  rollback:\n    kind: run_webhook\n    url: http://10.0.0.7/rollback\n")

    code, told = run("config", "check", str(file))

    assert code == 2 and f"{file}:4: actions.rollback.url: 10.0.0.7 is a private address" in told and "allow_private" in told


def test_a_bad_variable_is_named() -> None:
    code, told = run("incidents", TOCSIN_PORT="eighty")

    assert code == 2 and "TOCSIN_PORT" in told


def test_a_test_alert_without_its_token_names_the_variable() -> None:
    done = CliRunner().invoke(app, ["test-alert", "--source", "prod-eu"], env={"TOCSIN_TOKEN_PROD_EU": None})

    assert done.exit_code == 2 and "TOCSIN_TOKEN_PROD_EU" in done.output


def test_the_manifest_is_yaml_with_the_least_scopes() -> None:
    done = CliRunner().invoke(app, ["manifest"])

    assert done.exit_code == 0 and "chat:write" in done.output and "socket_mode_enabled: true" in done.output


def test_a_manifest_for_an_address_that_slack_cannot_reach_is_refused() -> None:
    done = CliRunner().invoke(app, ["manifest", "--url", "bot.local"])

    assert done.exit_code == 2 and "https://" in done.output


@pytest.mark.parametrize("command", [["incidents"], ["show", "INC-1"], ["audit", "verify"]])
def test_looking_where_there_is_no_database_says_so_and_makes_none(command: list[str], tmp_path: Path) -> None:
    code, told = run(*command, TOCSIN_DATA_DIR=str(tmp_path / "none"))

    assert code == 2 and "TOCSIN_DATA_DIR" in told and told.count("\n") == 1 and not (tmp_path / "none").exists()


@pytest.mark.parametrize("command", [["incidents"], ["audit", "verify"], ["backup", "copy"]])
def test_an_address_of_a_file_that_is_not_there_is_no_empty_database(command: list[str], tmp_path: Path) -> None:
    code, told = run(*command, TOCSIN_DATABASE_URL=f"sqlite:///{tmp_path / 'none.db'}")

    assert code == 2 and told.startswith(f"tocsin: no database in {tmp_path}: TOCSIN_DATABASE_URL") and told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["incidents"], ["audit", "verify"], ["source", "failed"]])
def test_a_database_that_cannot_be_opened_is_one_line(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "app.db").mkdir()

    code, told = run(*command, TOCSIN_DATA_DIR=str(tmp_path))

    assert (code, told) == (2, "tocsin: the database does not answer: unable to open database file\n")


def test_a_database_without_tables_says_how_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "app.db").touch()

    code, told = run("incidents", TOCSIN_DATA_DIR=str(tmp_path))

    assert code == 2 and "no such table: incidents" in told and told.endswith("`tocsin db upgrade` brings it there\n")


@pytest.mark.parametrize("command", [["serve", "--port", "18999"], ["incidents"], ["backup", "copy"], ["db", "upgrade"]])
def test_a_password_that_breaks_the_address_is_told_to_and_never_repeated(command: list[str], tmp_path: Path) -> None:
    address = f"postgresql://tocsin:hunter/2@127.0.0.1:{free_port()}/tocsin"

    code, told = run(*command, TOCSIN_DATABASE_URL=address, TOCSIN_AUDIT_KEY="key", TOCSIN_DATA_DIR=str(tmp_path))

    assert code == 2 and told.startswith("tocsin: TOCSIN_DATABASE_URL: cannot be read as ") and "%40" in told
    assert told.count("\n") == 1 and "hun" not in told


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "tocsin.yaml").write_text("default_channel: C0\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = ["serve", "--config", str(tmp_path / "tocsin.yaml"), "--port", port]
        code, told = run(*command, TOCSIN_DATA_DIR=str(tmp_path))

    assert code == 2 and f"TOCSIN_PORT: cannot listen on 127.0.0.1:{port}" in told and told.count("\n") == 1


def test_a_start_with_a_damaged_journal_names_it_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "durable.db").write_text("not a database at all, but long enough to be read as one" * 20)
    variables = {"TOCSIN_DATA_DIR": str(tmp_path), "TOCSIN_SLACK_BOT_TOKEN": "xoxb-1", "TOCSIN_PORT": str(free_port())}

    code, told = run("serve", **variables)

    assert code != 0 and "Traceback" not in told
    assert "durable.db cannot be used (file is not a database): restore it and app.db from one backup" in told


def test_a_journal_that_cannot_be_opened_is_no_reason_to_restore_one(tmp_path: Path) -> None:
    (tmp_path / "durable.db").mkdir()
    variables = {"TOCSIN_DATA_DIR": str(tmp_path), "TOCSIN_SLACK_BOT_TOKEN": "xoxb-1", "TOCSIN_PORT": str(free_port())}

    code, told = run("serve", **variables)

    assert code != 0 and "Traceback" not in told and "restore" not in told
    assert "durable.db cannot be used (unable to open database file): make room and let it be written" in told


def test_a_start_on_a_full_disk_says_so_without_a_traceback(tmp_path: Path) -> None:
    assert run("db", "upgrade", TOCSIN_DATA_DIR=str(tmp_path))[0] == 0
    variables = {"TOCSIN_DATA_DIR": str(tmp_path), "TOCSIN_SLACK_BOT_TOKEN": "xoxb-1", "TOCSIN_PORT": str(free_port())}

    # No file may grow beyond this: the key of the audit fits, a page of the database does not.
    full = ["prlimit", "--fsize=1024", sys.executable, "-m", "bot.cli", "serve"]
    done = subprocess.run(full, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60)

    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "the database does not answer: " in done.stderr


@pytest.mark.parametrize("command", [["serve", "--port", "18999"], ["db", "upgrade"]])
def test_nothing_is_upgraded_under_a_process_that_runs(command: list[str], tmp_path: Path) -> None:
    with DataFolder(tmp_path).locked():
        code, told = run(*command, TOCSIN_DATA_DIR=str(tmp_path), TOCSIN_SLACK_BOT_TOKEN="xoxb-1")

    assert code == 2 and told.startswith(f"tocsin: TOCSIN_DATA_DIR: another tocsin runs on this data folder ({tmp_path})")
    assert told.count("\n") == 1 and not (tmp_path / "app.db").exists()


@pytest.mark.parametrize("command", [["serve", "--port", "18999"], ["db", "upgrade"]])
@pytest.mark.parametrize(
    ("below", "reason"), [("", "is a file, and must be a folder"), ("/data", "cannot be made (Not a directory)")]
)
def test_a_data_folder_that_cannot_be_is_named_with_its_variable(
    command: list[str], below: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")

    code, told = run(*command, TOCSIN_DATA_DIR=f"{tmp_path / 'file'}{below}")

    assert code == 2 and told.startswith(f"tocsin: TOCSIN_DATA_DIR: {tmp_path / 'file'}{below} {reason}")
    assert told.count("\n") == 1


@pytest.mark.parametrize("command", [["incidents"], ["audit", "verify"], ["serve", "--port", "18999"], ["db", "upgrade"]])
def test_a_damaged_database_is_one_line(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "app.db").write_text("not a database at all, but long enough to be read as one" * 20)

    code, told = run(*command, TOCSIN_DATA_DIR=str(tmp_path))

    assert (code, told) == (2, "tocsin: the database cannot be read: file is not a database\n")


@pytest.mark.parametrize(
    ("variable", "value"), [("TOCSIN_PORT", "99999"), ("TOCSIN_LOG_LEVEL", "loud"), ("TOCSIN_MODEL_EXTRA_BODY", "{a")]
)
def test_a_value_outside_its_range_names_its_variable(variable: str, value: str) -> None:
    code, told = run("incidents", **{variable: value})

    assert code == 2 and f"{variable}: " in told and told.count("\n") == 1


def test_a_test_alert_to_a_source_that_is_not_configured_names_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "tocsin.yaml").write_text("sources: {shop: {kind: alertmanager}}\n")

    code, told = run("test-alert", "--source", "stop", TOCSIN_CONFIG=str(tmp_path / "tocsin.yaml"))

    assert code == 2 and told.endswith("has no source stop; it has shop\n")


@pytest.mark.parametrize(("host", "address"), [("::1", "[::1]"), ("::", "[::1]"), ("0.0.0.0", "127.0.0.1")])
def test_a_test_alert_goes_where_the_bot_listens(host: str, address: str) -> None:
    port = str(free_port())

    code, told = run("test-alert", "--source", "am", TOCSIN_TOKEN_AM="t", TOCSIN_HOST=host, TOCSIN_PORT=port)

    assert code == 2 and told.startswith(f"tocsin: http://{address}:{port} was not reached") and told.count("\n") == 1


def test_the_version_is_told() -> None:
    done = CliRunner().invoke(app, ["--version"])

    assert done.exit_code == 0 and done.output.startswith("tocsin 0.")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["demo", "--deny"], "tocsin: --deny and --json belong to --once"),
        (["manifest", "--url", "https://"], "tocsin: https:// is no public address"),
        (["test-alert", "--source", "am", "--url", "foo"], "tocsin: foo is no address: it begins with http:// or https://"),
        (["test-alert", "--source", "am", "--url", "http://am:port"], "tocsin: http://am:port is no address: Invalid port"),
        (["test-alert", "--source", "am", "--resolve", "yesterday"], "tocsin: --resolve takes the moment"),
        (["show", "foo"], "tocsin: FOO is no incident or alert group: write INC-3 or AL-3"),
        (["init", "--prometheus", "http://127.0.0.1:1", "--output", "/dev/null"], "tocsin: /dev/null exists"),
        (
            ["init", "--prometheus", "prom:9090", "--output", "-"],
            "tocsin: --prometheus prom:9090: not an address: it begins with",
        ),
        (["init", "--prometheus", "", "--output", "-"], "tocsin: --prometheus is empty"),
        (
            ["init", "--prometheus", "http://127.0.0.1:1", "--output", "-"],
            "tocsin: Prometheus at 127.0.0.1:1 cannot be reached",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(command: list[str], told: str) -> None:
    code, said = run(*command, TOCSIN_TOKEN_AM="t")

    assert code == 2 and said.startswith(told) and said.count("\n") == 1


def test_the_manifest_has_the_slash_command_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "tocsin.yaml").write_text("command: /oncall\n")

    done = CliRunner().invoke(app, ["manifest"], env={"TOCSIN_CONFIG": str(tmp_path / "tocsin.yaml")})

    assert "command: /oncall" in done.output


def test_a_database_that_does_not_answer_says_why() -> None:
    code, told = run("incidents", TOCSIN_DATABASE_URL=f"postgresql://u:secret@127.0.0.1:{free_port()}/x")

    assert code == 2 and "the database does not answer: " in told and "refused" in told and "secret" not in told


def test_a_demo_on_a_taken_port_is_told_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, told = run("demo", "--port", str(taken.getsockname()[1]))

    assert code == 2 and "cannot be had" in told and "Traceback" not in told


def test_the_demo_is_ours_wherever_it_is_started(tmp_path: Path) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").write_text("raise SystemExit('somebody else is here')")

    done = subprocess.run([*PYTHON, "bot.sandbox", "--help"], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_an_audit_that_was_written_with_another_key_is_told_to_be_perhaps_that(tmp_path: Path) -> None:
    variables = {"TOCSIN_DATA_DIR": str(tmp_path), "TOCSIN_AUDIT_KEY": "another"}
    assert run("db", "upgrade", **variables)[0] == 0
    asyncio.run(_paused(tmp_path / "app.db", audit_key=b"the key"))

    code, told = run("audit", "verify", **variables)

    assert code != 0 and "breaks at row 1: " in told and "put back audit.key or TOCSIN_AUDIT_KEY" in told


@pytest.mark.parametrize("command", [["serve"], ["config", "check"], ["audit", "verify"]])
def test_postgresql_without_a_key_for_the_audit_is_refused_and_says_how_to_make_one(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "tocsin.yaml").write_text("default_channel: C0\n")
    address = "postgresql://u:secret@127.0.0.1/x"

    code, told = run(*command, TOCSIN_CONFIG=str(tmp_path / "tocsin.yaml"), TOCSIN_DATABASE_URL=address)

    assert code == 2 and told.startswith("tocsin: TOCSIN_AUDIT_KEY: ") and "openssl rand -hex 32" in told


def test_what_the_command_line_writes_is_for_its_own_user_alone(tmp_path: Path) -> None:
    for command in (["db", "upgrade"], ["audit", "export", str(tmp_path / "rows")], ["backup", str(tmp_path / "copy")]):
        assert run(*command, TOCSIN_DATA_DIR=str(tmp_path / "data"))[0] == 0
    assert run("restore", str(tmp_path / "copy"), TOCSIN_DATA_DIR=str(tmp_path / "restored"))[0] == 0

    written = [path for path in tmp_path.rglob("*") if not path.is_symlink()]
    assert len(written) > 6 and [path for path in written if path.stat().st_mode & 0o077] == []


async def _paused(path: Path, *, audit_key: bytes) -> None:
    db = Database(f"sqlite+aiosqlite:///{path}", audit_key=audit_key)
    await Switches(db).pause("alice", "game day")
    await db.close()
