"""Arguments of tools with what they mean: a tool annotates its arguments with these, or with descriptions of its own.

The description stands in the schema that a model reads. Names of services and signals are listed there too, in as many
tools as there is room for. An argument that takes a name may be left out.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated


class Names(StrEnum):
    """Which of the catalogue's names an argument takes."""

    SERVICES = "services"
    SIGNALS = "signals"


@dataclass(frozen=True)
class Described:
    """What an argument means, for the model; `names`: what it takes names of."""

    text: str
    names: Names | None = None


ServiceName = Annotated[str, Described("Catalogue service", Names.SERVICES)]
AnyService = Annotated[str, Described("Catalogue service; empty: all", Names.SERVICES)]
SignalName = Annotated[str, Described("Its signal, e.g. errors, latency", Names.SIGNALS)]
Minutes = Annotated[int, Described("Window, at most 1440")]
