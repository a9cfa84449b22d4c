"""Which rows somebody sees, as a condition."""

from collections.abc import Collection
from typing import Protocol

from sqlalchemy import ColumnElement, and_, tuple_
from sqlmodel import col

from bot.core.actor import Visibility


class InChannel(Protocol):
    """A row that belongs to a channel, or to its members alone."""

    channel: str
    private: bool


def has_visibility(table: type[InChannel], visibilities: Collection[Visibility]) -> ColumnElement[bool]:
    """That a row of the table has one of these."""
    return tuple_(col(table.channel), col(table.private)).in_([(one.channel, one.is_private) for one in visibilities])


def has_same_readers(table: type[InChannel], row: InChannel) -> ColumnElement[bool]:
    """That whoever reads a row reads those of the table too: of the same channel, and what is private only beside the like."""
    return and_(col(table.channel) == row.channel, col(table.private).in_((False, row.private)))
