"""The journal's form: JSON. DBOS' own default is pickle, which runs what whoever writes the database wrote."""

import json
from typing import Any

from dbos import Serializer

from bot.engine.endings import WorkflowFailed

_ERROR = "error:"
"""Begins a recorded error; no JSON text begins like this."""


class JsonSerializer(Serializer):
    """JSON both ways. An error is kept as type and text, and comes back as WorkflowFailed."""

    def serialize(self, data: Any) -> str:
        if isinstance(data, WorkflowFailed):
            return _ERROR + json.dumps(str(data))
        if isinstance(data, BaseException):
            return _ERROR + json.dumps(f"{type(data).__name__}: {data}")
        return json.dumps(data)

    def deserialize(self, serialized_data: str) -> Any:
        if serialized_data.startswith(_ERROR):
            return WorkflowFailed(json.loads(serialized_data.removeprefix(_ERROR)))
        return json.loads(serialized_data)

    def name(self) -> str:
        """Stands in each row; never change it."""
        return "tocsin_json"
