"""Fixtures of the contract tests."""

from tests.real.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]
