"""Plain JSON: the only form in which arguments and results cross the journal."""

import json
from typing import Any


def plain(value: Any) -> Any:
    """`value` as it will be read back from the journal: tuples are lists, keys are text.

    Done the first time too, so that a story sees the same thing live and on
    replay. Raises TypeError, naming the type, for what is not JSON.
    """
    return json.loads(json.dumps(value))
