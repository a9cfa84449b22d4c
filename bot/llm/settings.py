"""Which model is asked, where and how. Apart from the agent, whose import takes seconds."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr


@dataclass(frozen=True)
class ModelSettings:
    """Which model, where. `structured` is "tool" (every server) or "schema" (json_schema)."""

    name: str
    base_url: str = ""
    api_key: SecretStr = field(default_factory=lambda: SecretStr(""))
    fallback: str = ""
    skeptic: str = ""
    """A second model that tries to refute the answer; "" for none."""
    structured: str = "tool"
    masked: bool = False
    """Names leave as stand-ins only."""
    prompt: Path | None = None
    """Instead of the built-in `prompts/triage.md`; knows the same variables."""
