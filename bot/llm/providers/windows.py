"""How much a model takes in at once, its answer included."""

from langchain_core.language_models import BaseChatModel

from bot.core.config.budget import CONTEXT_TOKENS, Budget
from bot.llm.providers.capabilities import Provider, is_openai_address, parse_model_name, setting_of
from bot.llm.settings import ModelSettings


def configured_window(name: str, budget: Budget) -> int | None:
    """The tokens that the settings say of the model of this name; None where they leave it to what is known of it."""
    return setting_of(budget.context_windows, name) or budget.context_tokens


def window_of(model: BaseChatModel, name: str, settings: ModelSettings, budget: Budget) -> int:
    """The tokens of this model's window: what its server was told to make room for, the settings, its package, or 32,000."""
    if room := getattr(model, "num_ctx", None):
        return int(room)
    return configured_window(name, budget) or _published(model, name, settings) or CONTEXT_TOKENS


def _published(model: BaseChatModel, name: str, settings: ModelSettings) -> int:
    """What langchain's package knows of the provider's models; 0 of others.

    A server of another address may call any model by a name of OpenAI's.
    """
    if parse_model_name(name).provider is Provider.OPENAI and not is_openai_address(settings.url_of(Provider.OPENAI)):
        return 0
    return int((model.profile or {}).get("max_input_tokens") or 0)
