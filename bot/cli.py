"""`tocsin`: the command line. Everything heavy is imported inside the commands, so that `--help` is quick."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.console.configuration.command_line import config_app, mcp_app, policy_app, source_app
from bot.console.terminal.printing import fail, print_lines
from bot.console.trail.command_line import audit_app

if TYPE_CHECKING:
    from bot.settings import Secrets

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Incident response in Slack."
)
db_app = typer.Typer(no_args_is_help=True, help="The database.")
WithPrivate = Annotated[bool, typer.Option("--private", help="Private incidents too: their channel's members alone read them")]
app.add_typer(config_app, name="config")
app.add_typer(source_app, name="source")
app.add_typer(db_app, name="db")
app.add_typer(audit_app, name="audit")
app.add_typer(policy_app, name="policy")
app.add_typer(mcp_app, name="mcp")


def _print_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        print_lines(f"tocsin {version('tocsin')}")
        raise typer.Exit()


@app.callback()
def tocsin(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Incident response in Slack."""


def load_server() -> "Callable[[Secrets], None]":
    """`bot.serving.run`, without what libraries load and a server does without: 16 MB."""
    from bot.core.loading.deferred import deferred, without

    # It colours no tracebacks, and does not start anew when code changes. DBOS imports PostgreSQL's driver on SQLite too.
    with without("pygments", "rich", "watchfiles"), deferred("psycopg", "errors"):
        from bot.serving import run
    return run


@app.command()
def serve(
    config: Annotated[Path | None, typer.Option(help="tocsin.yaml; else TOCSIN_CONFIG, else ./tocsin.yaml")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on", min=1, max=65535)] = None,
) -> None:
    """Run the bot until SIGTERM; then drain for at most 20 seconds."""
    from bot.settings import load_secrets

    serve_until_stopped = load_server()

    chosen = {"config": config, "host": host, "port": port}
    serve_until_stopped(load_secrets().model_copy(update={key: value for key, value in chosen.items() if value is not None}))


@app.command()
def reload() -> None:
    """Have the running bot take a changed tocsin.yaml over without a restart; exits 2 and says why if it keeps the old one."""
    from bot.control_socket import ask_reload, control_path
    from bot.settings import load_config, load_secrets

    secrets = load_secrets()
    # Told here with file and line, also when no bot runs.
    load_config(secrets.config)
    result = ask_reload(control_path(secrets.data_dir, secrets.port))
    print_lines("\n".join(result.lines), err=not result.accepted)
    raise typer.Exit(0 if result.accepted else 2)


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Play as the commander, print the transcript; exit 0 if resolved")
    ] = False,
    deny: Annotated[bool, typer.Option("--deny", help="With --once: deny the proposal; exits 1")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the services and the fault")] = 1,
    port: Annotated[int, typer.Option(help="Port of the sandbox's page; 0 takes a free one", min=0, max=65535)] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="With --once: also write the result here")] = None,
) -> None:
    """A whole incident on this machine: a shop that breaks, a stand-in for Slack and the real bot. No key needed."""
    if not once and (deny or json_file):
        fail("--deny and --json belong to --once: without it people play")
    from bot.console.demo import play, present

    if once:
        raise typer.Exit(play(seed=seed, deny=deny, port=port, result=json_file))
    raise typer.Exit(present(seed=seed, port=port))


@app.command()
def init(
    prometheus: Annotated[str, typer.Option(help="Address of Prometheus")],
    output: Annotated[Path, typer.Option(help="Where to write the draft; - prints it")] = Path("tocsin.yaml"),
) -> None:
    """Draft tocsin.yaml from the labels and rules of a Prometheus."""
    import asyncio

    from bot.console.configuration.config_draft import draft
    from bot.core.config.fields import reachable
    from bot.settings import load_secrets

    printed = str(output) == "-"
    if not printed and output.exists():
        fail(f"{output} exists; choose another --output")
    if not prometheus:
        fail("--prometheus is empty: give the address of Prometheus, such as http://prometheus:9090")
    try:
        reachable(prometheus)
    except ValueError as error:
        fail(f"--prometheus {prometheus}: {error}")
    drafted = asyncio.run(draft(prometheus, token=load_secrets().prometheus_token.get_secret_value()))
    if printed:
        print_lines(drafted.text)
    else:
        output.write_text(drafted.text, encoding="utf-8")
        # Not private as data is: the service may run as another user.
        output.chmod(0o644)
        print_lines(f"Wrote {output}: {drafted.summary}")
        print_lines("Fill in channels and people, then run: tocsin config check")


@app.command()
def doctor() -> None:
    """Check token, scopes, membership, model, Prometheus, database and pager; says what to do."""
    from bot.console.doctor import examine
    from bot.console.terminal.console import TerminalConsole
    from bot.settings import load_secrets

    raise typer.Exit(examine(load_secrets(), TerminalConsole()))


@app.command("test-alert")
def test_alert(
    source: Annotated[str, typer.Option(help="A source of tocsin.yaml")],
    url: Annotated[str, typer.Option(help="Where the bot listens; else TOCSIN_HOST and TOCSIN_PORT")] = "",
    severity: Annotated[str, typer.Option(help="The alert's severity label")] = "warning",
    service: Annotated[str, typer.Option(help="The alert's service label")] = "",
    resolve: Annotated[str, typer.Option(help="End the test alert that began at this moment")] = "",
) -> None:
    """Send one alert through the real endpoint."""
    from bot.console.sample_alert import send_test_alert
    from bot.settings import load_config, load_secrets, source_tokens

    secrets = load_secrets()
    config = load_config(secrets.config) if secrets.config.exists() else None
    if config and config.sources and source not in config.sources:
        fail(f"{secrets.config} has no source {source}; it has {', '.join(config.sources)}")
    token = source_tokens({source: None}).get(source, "")
    if not token:
        fail(f"no token: set TOCSIN_TOKEN_{source.upper().replace('-', '_')} as the server has it")
    if url and not url.startswith(("http://", "https://")):
        fail(f"{url} is no address: it begins with http:// or https://")
    if not url:
        # What listens on every address is reached on this machine; with :: on those of IPv6 alone.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(secrets.host, secrets.host)
        url = f"http://{f'[{host}]' if ':' in host else host}:{secrets.port}"
    result = send_test_alert(url.rstrip("/"), source, token, severity=severity, service=service, resolve=resolve, config=config)
    print_lines(result)


@app.command()
def manifest(
    url: Annotated[str, typer.Option(help="Public address, for HTTP mode; without it Socket Mode")] = "",
) -> None:
    """Print the Slack app's manifest with the least scopes; paste it at api.slack.com/apps."""
    from urllib.parse import urlsplit

    from bot.settings import alert_channels, load_config, load_secrets, source_kinds
    from bot.slack.manifest import manifest_yaml

    if url and not (url.startswith("https://") and urlsplit(url).hostname):
        fail(f"{url} is no public address: Slack sends to https://... only")
    # The first step of all: there may be no tocsin.yaml yet.
    config = load_config(load_secrets().config)
    reads_channels = bool(alert_channels(config, source_kinds(config)))
    print_lines(manifest_yaml(url.rstrip("/") or None, command=config.command, reads_channels=reads_channels))


@app.command()
def incidents(
    all_: Annotated[bool, typer.Option("--all", help="Resolved ones too")] = False, private: WithPrivate = False
) -> None:
    """List open incidents straight from the database; works with Slack down."""
    from bot.console.incident_listing import print_incidents
    from bot.console.terminal.console import TerminalConsole
    from bot.settings import load_secrets

    print_incidents(load_secrets(), everything=all_, private=private, console=TerminalConsole())


@app.command()
def show(ref: Annotated[str, typer.Argument(help="INC-n or AL-n")], private: WithPrivate = False) -> None:
    """Show one incident or alert group with timeline, causes and draft; works with Slack down."""
    from bot.console.incident_listing import print_incident
    from bot.console.terminal.console import TerminalConsole
    from bot.settings import load_secrets

    print_incident(load_secrets(), ref, TerminalConsole(), private=private)


@app.command()
def replay(
    case: Annotated[str, typer.Argument(help="INC-n of a resolved incident whose cause was confirmed")] = "",
    all_: Annotated[bool, typer.Option("--all", help="Every frozen case")] = False,
    model: Annotated[str, typer.Option(help="Also use this model; without it the built-in analyst alone")] = "",
    prompt: Annotated[Path | None, typer.Option(help="Give the model this prompt instead of the built-in one")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write every answer here")] = None,
) -> None:
    """Investigate closed incidents again from their recordings: right, near, wrong or abstained, with n and cost."""
    if bool(case) == all_:
        fail("name one case (INC-3) or give --all")
    if prompt is not None and not (model and prompt.is_file()):
        fail("--prompt takes a file and needs --model")
    from bot.console.replaying import ReplayOptions
    from bot.console.replaying import replay as replay_cases
    from bot.console.terminal.console import TerminalConsole
    from bot.settings import load_secrets

    replay_cases(load_secrets(), ReplayOptions(case, model, prompt), TerminalConsole(), result=json_file)


@app.command()
def backup(folder: Annotated[Path, typer.Argument(help="A new folder")]) -> None:
    """Copy tables and journal as they stand at one moment into a folder; the bot may run meanwhile."""
    from bot.console.backups.backup import back_up
    from bot.settings import load_secrets

    copies = back_up(load_secrets(), folder)
    print_lines(f"Wrote {' and '.join(map(str, copies))}.")
    print_lines("The audit's key is not in it: keep audit.key (or TOCSIN_AUDIT_KEY) elsewhere, a restored trail needs it.")


@app.command()
def restore(folder: Annotated[Path, typer.Argument(help="What `tocsin backup` wrote")]) -> None:
    """Fill an empty data folder, or the empty database of TOCSIN_DATABASE_URL, from a backup; the bot must not run."""
    from bot.console.backups.backup import restore as restore_backup
    from bot.settings import load_secrets

    restored = restore_backup(load_secrets(), folder)
    print_lines(f"Restored {' and '.join(restored)}.")
    print_lines("Put the audit's key back (audit.key or TOCSIN_AUDIT_KEY), then run: tocsin audit verify")
    print_lines("Before you start it: what was approved or ran after the backup is not known to it (docs/running.md).")


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this version's schema (done by itself in SQLite mode)."""
    from contextlib import nullcontext

    from bot.engine.data_folder import DataFolder
    from bot.settings import load_secrets, prepare_data_dir
    from bot.store.db.database import readable
    from bot.store.migrate import current, upgrade

    secrets = load_secrets()
    prepare_data_dir(secrets.data_dir)
    url = secrets.database_url or f"sqlite:///{secrets.data_dir / 'app.db'}"
    with readable():
        # A running process goes on with the schema that it began with; another machine's can only be told (docs/upgrade.md).
        with nullcontext() if secrets.postgres else DataFolder(secrets.data_dir).locked():
            upgrade(url)
        print_lines(f"The database is at {current(url)}")


def main() -> None:
    """Entry point: expected errors are one line and exit code 2, never a traceback."""
    from bot.core.errors import TocsinError

    # Databases, exports, backups, pictures: whatever a command writes is for its own user alone.
    os.umask(0o077)
    try:
        app()
    except TocsinError as error:
        print_lines(f"tocsin: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        # A folder that cannot be written, a full disk: the system's message names it.
        sys.stderr.write(f"tocsin: {error.strerror or error}{f': {error.filename}' if error.filename else ''}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
