"""Text that wants to be a query, a command, a path, a template or a header: it stays one literal, or nothing is asked."""

from collections.abc import Iterator

from bot.core.metrics.logql import line_query
from bot.core.metrics.promql import Matcher, selector
from tests.attacks.judging import Seen, shape
from tests.attacks.kinds import Kind
from tests.attacks.twins import queries_ran, twin


def quoted_whole(seen: Seen) -> Iterator[str]:
    """A query built with the text has the shape of one built with a plain word."""
    text = seen.item.text
    for built, plain in (
        (selector("up", [Matcher("job", text)]), selector("up", [Matcher("job", "checkout")])),
        (line_query("service", text, ""), line_query("service", "checkout", "")),
    ):
        if shape(built) != shape(plain):
            yield f"NO_QUERY_INJECT: {built[:80]}"


KIND = Kind("query", (quoted_whole,), twin("query", queries_ran))
