"""Plain logs for every unit test, whatever the one before configured: the default's coloured tracebacks cost seconds each."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    structlog.reset_defaults()
    processors = [structlog.processors.add_log_level, structlog.processors.format_exc_info]
    structlog.configure(processors=[*processors, structlog.processors.KeyValueRenderer(key_order=["event"])])
    yield
    # A command that was called as a function leaves its own behind, for whatever test comes next.
    structlog.reset_defaults()
