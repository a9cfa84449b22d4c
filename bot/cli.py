"""`tocsin`: the command line. Everything heavy is imported inside the commands, so that `--help` is quick."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.console.terminal.printing import print_lines
from bot.console.trail.command_line import audit_app

if TYPE_CHECKING:
    from bot.settings import Secrets

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Incident response in Slack."
)
config_app = typer.Typer(no_args_is_help=True, help="The configuration file.")
db_app = typer.Typer(no_args_is_help=True, help="The database.")
source_app = typer.Typer(no_args_is_help=True, help="Senders of alerts.")
policy_app = typer.Typer(no_args_is_help=True, help="Who may approve what.")
mcp_app = typer.Typer(no_args_is_help=True, help="MCP servers.")
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
        _fail("--deny and --json belong to --once: without it people play")
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
    from bot.console.config_draft import draft
    from bot.settings import load_secrets

    printed = str(output) == "-"
    if not printed and output.exists():
        _fail(f"{output} exists; choose another --output")
    text = draft(prometheus, token=load_secrets().prometheus_token.get_secret_value())
    if printed:
        print_lines(text)
    else:
        output.write_text(text, encoding="utf-8")
        # Not private as data is: the service may run as another user.
        output.chmod(0o644)
        print_lines(f"Wrote {output}. Fill in channels and people, then run: tocsin config check")


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
        _fail(f"{secrets.config} has no source {source}; it has {', '.join(config.sources)}")
    token = source_tokens({source: None}).get(source, "")
    if not token:
        _fail(f"no token: set TOCSIN_TOKEN_{source.upper().replace('-', '_')} as the server has it")
    if url and not url.startswith(("http://", "https://")):
        _fail(f"{url} is no address: it begins with http:// or https://")
    if not url:
        # What listens on every address is reached on this machine.
        url = f"http://{'127.0.0.1' if secrets.host in ('0.0.0.0', '::') else secrets.host}:{secrets.port}"
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
        _fail(f"{url} is no public address: Slack sends to https://... only")
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
        _fail("name one case (INC-3) or give --all")
    if prompt is not None and not (model and prompt.is_file()):
        _fail("--prompt takes a file and needs --model")
    from bot.console.replaying import Wish
    from bot.console.replaying import replay as replay_cases
    from bot.console.terminal.console import TerminalConsole
    from bot.settings import load_secrets

    replay_cases(load_secrets(), Wish(case, model, prompt), TerminalConsole(), result=json_file)


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


@config_app.command("check")
def config_check(file: Annotated[Path | None, typer.Argument(help="tocsin.yaml; else TOCSIN_CONFIG")] = None) -> None:
    """Check the whole file; an error names the line and the key."""
    import asyncio

    from bot.console.action_addresses import address_problems
    from bot.console.doctor import fingerprints
    from bot.core.config.systems import pin_notices
    from bot.core.text.link_prefixes import link_notices
    from bot.plugins.scopes import scope_notices
    from bot.settings import deprecated_keys, load_config, load_secrets, require_audit_key, source_kinds

    secrets = load_secrets()
    require_audit_key(secrets)
    path = file or secrets.config
    if not path.exists():
        _fail(f"{path} does not exist; `tocsin init --prometheus URL` drafts one")
    config = load_config(path)
    problems = asyncio.run(address_problems(config))
    if refused := [f"{path}: actions.{problem.entry}.url: {problem.text}" for problem in problems if problem.forbidden]:
        _fail("\n".join(refused))
    counts = ", ".join(f"{part}: {len(getattr(config, part))}" for part in ("sources", "services", "people", "actions"))
    print_lines(f"{path} is valid ({counts})")
    notices = [f"Deprecated: {notice}." for notice in deprecated_keys(path)]
    notices += [f"Too wide: {notice}." for notice in scope_notices(config.sources, source_kinds(config))]
    checks = (check for check in fingerprints(secrets, config) if check.state == "failed")
    notices += [f"{check.name} {check.result}; {check.advice}." for check in checks]
    notices += [f"Not pinned: {notice}." for notice in pin_notices(config.systems.mcp)]
    notices += [f"Not live: {notice}." for notice in link_notices(config.links.hosts)]
    notices += [f"Not checked: actions.{problem.entry}.url: {problem.text}." for problem in problems]
    print_lines("\n".join(notices), nl=bool(notices))
    if not config.default_channel:
        print_lines("It has no default_channel yet: alerts of services without a channel are stored, and shown nowhere.")


@policy_app.command("test")
def policy_test(
    file: Annotated[Path | None, typer.Argument(help="Situations; else policy_tests.yaml beside tocsin.yaml")] = None,
) -> None:
    """Ask the rules about each situation of a file; exits 1 if one comes out otherwise than expected."""
    from bot.console.policy_checks import EXPECTATIONS, checked_lines, read_situations
    from bot.settings import load_config, load_secrets

    path = load_secrets().config
    lines, wrong = checked_lines(load_config(path), read_situations(file or path.with_name(EXPECTATIONS)))
    print_lines("\n".join(lines))
    raise typer.Exit(1 if wrong else 0)


@policy_app.command("diff")
def policy_diff(
    old: Annotated[Path, typer.Argument(help="A tocsin.yaml or policy.yaml, e.g. of the main branch")],
    new: Annotated[Path | None, typer.Argument(help="Another; else what is in use")] = None,
) -> None:
    """What somebody may do under one file and not under the other; exits 1 if the new one allows more."""
    from bot.console.policy_checks import compared_files, difference_lines
    from bot.settings import load_secrets

    change = compared_files(old, new, in_use=load_secrets().config)
    print_lines("\n".join(difference_lines(change)))
    raise typer.Exit(1 if change.is_wider else 0)


@mcp_app.command("pin")
def mcp_pin(server: Annotated[str, typer.Argument(help="A server of systems.mcp in tocsin.yaml")]) -> None:
    """Print what a server says of its tools now, and the `pins` that hold it to that, for tocsin.yaml."""
    import asyncio

    from bot.console.mcp_pins import pins_yaml
    from bot.settings import load_config, load_secrets, mcp_tokens

    servers = load_config(load_secrets().config).systems.mcp
    print_lines(asyncio.run(pins_yaml(server, servers, mcp_tokens(servers))), nl=False)


@source_app.command("try")
def source_try(
    file: Annotated[Path, typer.Argument(help="A body as its sender posts it")],
    source: Annotated[str, typer.Option(help="A source of tocsin.yaml, with its `fields`")] = "",
    kind: Annotated[str, typer.Option(help="Without --source: the kind of source")] = "generic",
    changes: Annotated[bool, typer.Option("--changes", help="Read it as generic's changes, not as its alerts")] = False,
) -> None:
    """Show how a body would be read, each field with its path and why; exits 1 if it cannot be."""
    from datetime import UTC, datetime

    from bot.console.source_reading import try_body
    from bot.console.terminal.console import TerminalConsole
    from bot.settings import load_config, load_secrets

    config = load_config(load_secrets().config)
    if not try_body(config, file, source=source, kind=kind, now=datetime.now(UTC), console=TerminalConsole(), changes=changes):
        raise typer.Exit(1)


@source_app.command("failed")
def source_failed(
    number: Annotated[int | None, typer.Argument(help="Print the whole body of this number")] = None,
    source: Annotated[str, typer.Option(help="Of this source alone")] = "",
) -> None:
    """List the newest bodies that could not be read, and why; works while the bot runs."""
    from bot.console.source_reading import print_failed
    from bot.console.terminal.console import TerminalConsole
    from bot.settings import load_secrets

    print_failed(load_secrets(), source=source, number=number, console=TerminalConsole())


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this version's schema (done by itself in SQLite mode)."""
    from bot.settings import load_secrets
    from bot.store.db.database import readable
    from bot.store.migrate import current, upgrade

    secrets = load_secrets()
    secrets.data_dir.mkdir(parents=True, exist_ok=True)
    url = secrets.database_url or f"sqlite:///{secrets.data_dir / 'app.db'}"
    with readable():
        upgrade(url)
        print_lines(f"The database is at {current(url)}")


def _fail(text: str) -> None:
    print_lines(f"tocsin: {text}", err=True)
    raise typer.Exit(2)


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
