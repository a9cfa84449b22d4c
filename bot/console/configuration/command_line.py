"""`tocsin config`, `policy`, `source`, `mcp`: what they take and print. Imported with `--help`: heavy imports come inside."""

from pathlib import Path
from typing import Annotated

import typer

from bot.console.terminal.printing import fail, print_lines

config_app = typer.Typer(no_args_is_help=True, help="The configuration file.")
source_app = typer.Typer(no_args_is_help=True, help="Senders of alerts.")
policy_app = typer.Typer(no_args_is_help=True, help="Who may approve what.")
mcp_app = typer.Typer(no_args_is_help=True, help="MCP servers.")


@config_app.command("check")
def config_check(file: Annotated[Path | None, typer.Argument(help="tocsin.yaml; else TOCSIN_CONFIG")] = None) -> None:
    """Check the whole file; an error names the line and the key."""
    import asyncio

    from bot.console.configuration.action_addresses import address_problems
    from bot.console.doctor import fingerprints
    from bot.core.config.systems import pin_notices
    from bot.core.text.link_prefixes import link_notices
    from bot.match_notices import match_notices
    from bot.plugins.scopes import scope_notices
    from bot.settings import deprecated_keys, load_config, load_secrets, require_audit_key, source_kinds
    from bot.variable_notices import unread_variables

    secrets = load_secrets()
    require_audit_key(secrets)
    path = file or secrets.config
    if not path.exists():
        fail(f"{path} does not exist; `tocsin init --prometheus URL` drafts one")
    config = load_config(path)
    problems = asyncio.run(address_problems(config))
    if refused := [f"{path}: actions.{problem.entry}.url: {problem.text}" for problem in problems if problem.forbidden]:
        fail("\n".join(refused))
    counts = ", ".join(f"{part}: {len(getattr(config, part))}" for part in ("sources", "services", "people", "actions"))
    print_lines(f"{path} is valid ({counts})")
    notices = [f"Deprecated: {notice}." for notice in deprecated_keys(path)]
    notices += [f"Too wide: {notice}." for notice in scope_notices(config.sources, source_kinds(config))]
    notices += [f"No effect: {notice}." for notice in (*match_notices(config), *config.rota_notices())]
    notices += [f"Not read: {notice}." for notice in unread_variables(config)]
    checks = (check for check in fingerprints(secrets, config) if check.state == "failed")
    notices += [f"{check.name} {check.result}; {check.advice}." for check in checks]
    notices += [f"Not pinned: {notice}." for notice in pin_notices(config.systems.mcp)]
    notices += [f"Not live: {notice}." for notice in link_notices(config.links.hosts)]
    notices += [f"Not checked: actions.{problem.entry}.url: {problem.text}." for problem in problems]
    print_lines("\n".join(notices), nl=bool(notices))
    if config.runbooks is not None and not config.runbooks.is_dir():
        print_lines(f"Not there: runbooks: {config.runbooks} is no folder here; no alert gets a runbook of it.")
    if not config.sources:
        print_lines("It has no sources yet: no alert can arrive. Name one, e.g. sources: {alertmanager: {kind: alertmanager}}")
    if not config.default_channel:
        print_lines("It has no default_channel yet: alerts of services without a channel are stored, and shown nowhere.")


@policy_app.command("test")
def policy_test(
    file: Annotated[Path | None, typer.Argument(help="Situations; else policy_tests.yaml beside tocsin.yaml")] = None,
) -> None:
    """Ask the rules about each situation of a file; exits 1 if one comes out otherwise than expected."""
    from bot.console.configuration.policy_checks import EXPECTATIONS, checked_lines, read_situations
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
    from bot.console.configuration.policy_checks import compared_files, difference_lines
    from bot.settings import load_secrets

    change = compared_files(old, new, in_use=load_secrets().config)
    print_lines("\n".join(difference_lines(change)))
    raise typer.Exit(1 if change.is_wider else 0)


@mcp_app.command("pin")
def mcp_pin(server: Annotated[str, typer.Argument(help="A server of systems.mcp in tocsin.yaml")]) -> None:
    """Print what a server says of its tools now, and the `pins` that hold it to that, for tocsin.yaml."""
    import asyncio

    from bot.console.configuration.mcp_pins import pins_yaml
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

    from bot.console.configuration.source_reading import try_body
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
    from bot.console.configuration.source_reading import print_failed
    from bot.console.terminal.console import TerminalConsole
    from bot.settings import load_secrets

    print_failed(load_secrets(), source=source, number=number, console=TerminalConsole())
