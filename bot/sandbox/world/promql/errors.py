"""Errors of a query, in the two kinds that Prometheus' API distinguishes."""


class QueryError(Exception):
    """Base of both."""


class ParseError(QueryError):
    """The query cannot be read or has a wrong type: HTTP 400, `bad_data`. `position` counts from 0."""

    def __init__(self, message: str, position: int, text: str) -> None:
        line = text.count("\n", 0, position) + 1
        column = position - (text.rfind("\n", 0, position) + 1) + 1
        super().__init__(f"{line}:{column}: parse error: {message}")


class ExecutionError(QueryError):
    """The query can be read but not answered: HTTP 422, `execution`."""
