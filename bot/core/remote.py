"""A tool that another server offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RemoteTool:
    """Its name, and what the server says of it: untrusted text."""

    name: str
    description: str
    schema: Mapping[str, Any]
    """JSON Schema of its arguments."""
