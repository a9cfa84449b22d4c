"""Plain logs for every unit test, whatever the one before configured: the default's coloured tracebacks cost seconds each."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def plain_logs() -> None:
    processors = [structlog.processors.add_log_level, structlog.processors.format_exc_info]
    structlog.configure(processors=[*processors, structlog.processors.KeyValueRenderer(key_order=["event"])])
