"""`tocsin audit ...`: what the command line takes and prints. Imported with `--help`: everything heavy comes inside."""

from pathlib import Path
from typing import Annotated

import typer

from bot.console.terminal.printing import print_lines

audit_app = typer.Typer(no_args_is_help=True, help="The audit trail.")


@audit_app.command("verify")
def verify(
    head: Annotated[str, typer.Option(help="A head that was put outside, or a file whose last line is one")] = "",
) -> None:
    """Walk the audit's chain and name the first bad row; with a head, also whether the end was cut off."""
    from bot.console.trail.auditing import check
    from bot.settings import load_secrets

    print_lines(check(load_secrets(), head))


@audit_app.command("rekey")
def rekey(
    address: Annotated[str, typer.Option(help="TOCSIN_DATABASE_URL of then, if it is another now")] = "",
) -> None:
    """Chain a trail on PostgreSQL that had no key of its own anew with TOCSIN_AUDIT_KEY; once, while no process runs."""
    from bot.console.trail.auditing import rekey as chain_anew
    from bot.settings import load_secrets

    print_lines(chain_anew(load_secrets(), address))


@audit_app.command("export")
def export(file: Annotated[Path, typer.Argument(help="JSON lines; the last one signs the others")]) -> None:
    """Write the whole audit, signed, for checking elsewhere."""
    from bot.console.trail.auditing import export as write
    from bot.settings import load_secrets

    print_lines(f"Wrote {file}. Its public key: {write(load_secrets(), file)}")


@audit_app.command("verify-export")
def verify_export(
    file: Annotated[Path, typer.Argument(help="What `tocsin audit export` wrote")],
    public_key: Annotated[str, typer.Option(help="As the export printed it; else TOCSIN_AUDIT_KEY checks every row")] = "",
) -> None:
    """Check an export; needs no database."""
    from bot.console.trail.auditing import BadTrail
    from bot.console.trail.auditing import verify_export as verify_file
    from bot.settings import load_secrets

    key = b"" if public_key else load_secrets().audit_key.get_secret_value().encode()
    if not key and not public_key:
        raise BadTrail("give --public-key, or set TOCSIN_AUDIT_KEY")
    print_lines(verify_file(file, key, public_key))
