"""Which model is asked, where and how. Apart from the agent, whose import takes seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.llm.providers.capabilities import ModelApi, Provider, may_name_tool, parse_model_name

NO_KEY = SecretStr("")


@dataclass(frozen=True)
class ModelSettings:
    """Which model, where. `structured` is "tool" (every server) or "schema" (json_schema)."""

    name: str
    """`provider:model`, or a model's name alone for a server that speaks OpenAI's protocol."""
    base_url: str = ""
    """Of the server of `name`, where it is not the provider's own."""
    api_key: SecretStr = field(default_factory=lambda: SecretStr(""))
    fallback: str = ""
    skeptic: str = ""
    """A second model that tries to refute the answer; "" for none."""
    structured: str = "tool"
    masked: bool = False
    """Names leave as stand-ins only."""
    prompt: Path | None = None
    """Instead of the built-in `prompts/triage.md`; knows the same variables."""
    api: ModelApi = ModelApi.AUTO
    effort: str = ""
    """How long the model reasons, in its provider's words; "" leaves it to the provider."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """More fields of each request's body, for the provider of `name`."""
    tool_choice: str = ""
    """"auto", "required" or "named" against what the table of providers says; "" follows it."""
    urls: Mapping[Provider, str] = field(default_factory=dict)
    """Of other providers' servers: a fallback's or skeptic's."""
    keys: Mapping[Provider, SecretStr] = field(default_factory=dict)

    @property
    def provider(self) -> Provider:
        return parse_model_name(self.name).provider

    def setting_of(self, name: str) -> str:
        """The setting that names this model: what is wrong with it has to be changed there."""
        others = {self.skeptic: "TOCSIN_SKEPTIC_MODEL", self.fallback: "TOCSIN_FALLBACK_MODEL"}
        return "TOCSIN_MODEL" if name == self.name else others.get(name, "TOCSIN_MODEL")

    def url_of(self, provider: Provider) -> str:
        """The address of this provider's server; "" is the provider's own."""
        return self.base_url if provider is self.provider else self.urls.get(provider, "")

    def key_of(self, provider: Provider) -> SecretStr:
        """The key for this provider; empty where its client reads the environment."""
        return (
            self.api_key if provider is self.provider and self.api_key.get_secret_value() else self.keys.get(provider, NO_KEY)
        )

    def takes_named_tool(self, name: str) -> bool:
        """Whether the model of this name can be told which tool to call; many servers refuse that or pass over it."""
        return self.tool_choice == "named" or may_name_tool(parse_model_name(name), self.url_of(Provider.OPENAI))
