"""Asks the database whether it answers and has this code's schema; changes nothing."""

from sqlalchemy.engine import make_url

from bot.core.check import Check, failed, ok
from bot.core.errors import ConfigurationError
from bot.core.text.untrusted import one_line
from bot.store.db.database import DatabaseAway, DatabaseUnreadable
from bot.store.migrate import current, head, sync_url


def check_database(url: str) -> Check:
    """Reachable, and at which revision. `url` as `bot.store.migrate` takes it."""
    try:
        parsed = make_url(sync_url(url))
        kind = parsed.get_backend_name()
        revision = current(url)
    except ConfigurationError as error:
        return failed(
            "Database", str(error), "TOCSIN_DATABASE_URL is postgresql://user:password@host/name, or empty for SQLite"
        )
    except DatabaseUnreadable as error:
        return failed("Database", str(error), "put a backup in its place, or name another with TOCSIN_DATA_DIR")
    except DatabaseAway as error:
        # The driver's text names host and user; the address with its password is not in it.
        reason = one_line(str(error), 200)
        return failed("Database", f"not reached: {reason}", "check TOCSIN_DATABASE_URL and that the server runs")
    if revision == head():
        return ok("Database", f"{kind}, revision {revision}")
    if kind == "sqlite":
        return ok("Database", f"{kind}, revision {revision or 'none yet'}", "upgraded by itself at the next start")
    return failed("Database", f"{kind}, revision {revision or 'none'}, wanted {head()}", "run `tocsin db upgrade` once")
