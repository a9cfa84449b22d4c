"""Arguments that come from a recorded change or from a person, as jobs of the team's own take them."""

import re

from pydantic import Field, field_validator

from bot.core.metrics.promql import is_plain_name
from bot.core.text.untrusted import one_line
from bot.plugins import Action

_NAME = re.compile(r"[a-z_]+", re.ASCII)
_VALUE = re.compile(r"[A-Za-z0-9][\w.:/@+=, -]{0,199}", re.ASCII)
"""A letter of another alphabet looks the same and names something else."""


class JobArguments(Action):
    """The values that a job is started with: those of a change, and what the entry's `options.parameters` declares."""

    service: str
    change_id: str = ""
    version_: str = Field(default="", alias="version")
    previous_version: str = ""
    parameters: dict[str, str] = Field(default_factory=dict)
    """Further values that the entry's `options.parameters` declares, e.g. {"replicas": "4"}."""

    @field_validator("service")
    @classmethod
    def _service(cls, value: str) -> str:
        if not is_plain_name(value):
            raise ValueError("not a service name")
        return value

    @field_validator("change_id", "version_", "previous_version")
    @classmethod
    def _plain(cls, value: str) -> str:
        if value and not _VALUE.fullmatch(value):
            raise ValueError("holds characters that no version or change id needs")
        return value

    @field_validator("parameters")
    @classmethod
    def _parameters(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(text):
                raise ValueError(f"{one_line(name, 40)} is not a plain name and value")
        return value

    @property
    def values(self) -> dict[str, str]:
        """All of them by name; the service and a change's own win over parameters of the same name."""
        own = {"change_id": self.change_id, "version": self.version_, "previous_version": self.previous_version}
        return {**self.parameters, "service": self.service, **own}
