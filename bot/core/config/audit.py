"""Where the audit's head is put outside of the database, so that a cut or rewritten trail shows."""

from pathlib import Path

from bot.core.config.fields import ConfigSection, SlackId


class AuditConfig(ConfigSection):
    """Every five minutes, if there is a new one, to each place that is named here; the log has it in any case."""

    channel: SlackId = ""
    file: Path | None = None
    """Grows by a line; best on another machine or a medium that is only added to."""
    syslog: bool = False
