"""Which rows somebody sees, as a condition."""

from collections.abc import Collection
from typing import Protocol

from sqlalchemy import ColumnElement, tuple_
from sqlmodel import col

from bot.core.actor import Visibility


class InChannel(Protocol):
    """A row that belongs to a channel, or to its members alone."""

    channel: str
    private: bool


def has_visibility(table: type[InChannel], visibilities: Collection[Visibility]) -> ColumnElement[bool]:
    """That a row of the table has one of these."""
    return tuple_(col(table.channel), col(table.private)).in_([(one.channel, one.is_private) for one in visibilities])
