"""How far Tocsin goes by itself, and how well it did."""

from bot.commands.standing import standing_lines
from bot.core.action import SILENCES
from bot.core.approvals import in_force
from bot.core.approvals.autonomy import TrackRecord
from bot.core.config import Config
from bot.core.errors import NotFound
from bot.core.text.untrusted import counted
from bot.plugins import Reply, Request, command
from bot.store.approvals.track_record import track_records
from bot.workflows.command_context import CommandContext


@command("autonomy", usage="autonomy [service]", who="members")
async def autonomy(ctx: CommandContext, request: Request) -> Reply:
    """Show how far Tocsin goes with each action (observe, suggest, approve, standing) and what came of its runs.

    The share that was verified is shown with the lower end of its 95 % interval (Wilson): it informs and decides nothing.
    """
    service = request.text.strip()
    if service and service not in ctx.config.services:
        raise NotFound(f"{service[:60]} is no service of the catalogue.")
    services = [service] if service else sorted(ctx.config.services)
    records = {(record.service, record.action): record for record in await track_records(ctx.db, services)}
    lines = [
        _line(ctx.config, records.get((name, action), TrackRecord(name, action)))
        for name in services
        for action, entry in ctx.config.actions.items()
        # A silence changes no system and stands on no rung.
        if entry.kind not in SILENCES and (not entry.services or name in entry.services)
    ]
    lines += await standing_lines(ctx, services)
    return Reply("\n".join(lines) or "The catalogue has no actions yet: see `actions` in tocsin.yaml.", dialog=True)


def _line(config: Config, record: TrackRecord) -> str:
    rung = in_force.autonomy(config, record.service, record.action).value
    parts = [f"{record.service}, {record.action}: {rung}", _runs(record)]
    if record.suggested:
        parts.append(f"would have been proposed {counted(record.suggested, 'time')}, people did the same {record.followed}")
    return "; ".join(parts) + "."


def _runs(record: TrackRecord) -> str:
    if not record.tries:
        return "no runs yet"
    verified = f"{record.verified} verified, {record.failed} failed"
    return f"{counted(record.tries, 'run')}, {verified}, at least {record.at_least:.0%} verified"
