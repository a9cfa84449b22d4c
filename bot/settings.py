"""Loads TOCSIN_* variables and tocsin.yaml. Secrets and machine addresses come from variables alone.

The whole file is checked at once; an error names the file, the line and the key.
"""

import os
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from bot.core.config import Config, verbs
from bot.core.config.actions import ActionConfig
from bot.core.config.alerts import SourceConfig
from bot.core.config.people import with_main_entries
from bot.core.errors import ConfigurationError
from bot.core.references import Problem, configuration_problems
from bot.core.service import Catalogue, Service
from bot.core.text.near_names import meant
from bot.plugins import Action, Source, discover, discover_actions
from bot.policy_document import POLICY_FILE, PolicyDocument, read_policy
from bot.validation_texts import value_problem
from bot.yaml_document import Place, lines_of, read_document, validation_problem

DEFAULT_CONFIG = Path("tocsin.yaml")


class Secrets(BaseSettings):
    """TOCSIN_* variables; the representation masks every secret."""

    model_config = SettingsConfigDict(env_prefix="TOCSIN_", extra="ignore")

    config: Path = DEFAULT_CONFIG
    data_dir: Path = Path(".tocsin")
    database_url: str = Field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str = ""
    slack_bot_token: SecretStr = SecretStr("")
    slack_app_token: SecretStr = SecretStr("")
    slack_signing_secret: SecretStr = SecretStr("")
    slack_api_url: str = ""
    model: str = ""
    """`provider:model`, or the name of a model on a server that speaks OpenAI's protocol; empty: the built-in analyst ranks."""
    fallback_model: str = ""
    skeptic_model: str = ""
    """A second model that tries to refute the first one's answer; empty: none."""
    model_names: Literal["plain", "masked"] = "plain"
    """Whether names of services, pods, hosts and people are sent to the model as they are or as pseudonyms."""
    structured_output: Literal["tool", "schema"] = "tool"
    """How the result is requested: "tool" (every server) or "schema" (json_schema)."""
    model_url: str = ""
    """Of the server of the model, where it is not its provider's own."""
    model_api: Literal["auto", "responses", "chat"] = "auto"
    """Which of OpenAI's protocols; "auto": responses for its own reasoning models at its own address, else chat completions."""
    reasoning_effort: Annotated[str, Field(pattern=r"^[a-z]{0,12}$")] = ""
    """How long the model reasons, in its provider's words (none, low, medium, high, ...)."""
    model_extra_body: dict[str, Any] = Field(default_factory=dict)
    """More fields of each request to the model, as JSON."""
    model_tool_choice: Literal["", "auto", "required", "named"] = ""
    """Whether a call of a tool is demanded of the model; empty: where its provider allows it."""
    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    openai_base_url: str = Field(default="", validation_alias="OPENAI_BASE_URL")
    anthropic_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="ANTHROPIC_API_KEY")
    google_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="GOOGLE_API_KEY")
    deepseek_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="DEEPSEEK_API_KEY")
    ollama_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OLLAMA_API_KEY")
    bedrock_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="AWS_BEARER_TOKEN_BEDROCK")
    webhook_secret: SecretStr = SecretStr("")
    audit_key: SecretStr = SecretStr("")
    token_api: SecretStr = SecretStr("")
    prometheus_token: SecretStr = SecretStr("")
    loki_token: SecretStr = SecretStr("")
    traces_token: SecretStr = SecretStr("")
    github_token: SecretStr = SecretStr("")
    argocd_token: SecretStr = SecretStr("")
    kubernetes_token: SecretStr = SecretStr("")
    mlflow_token: SecretStr = SecretStr("")
    github_write_token: SecretStr = SecretStr("")
    argocd_write_token: SecretStr = SecretStr("")
    kubernetes_write_token: SecretStr = SecretStr("")
    mlflow_write_token: SecretStr = SecretStr("")
    jira_write_token: SecretStr = SecretStr("")
    pagerduty_key: SecretStr = SecretStr("")
    pager_secret: SecretStr = SecretStr("")
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(lambda word: str(word).upper())] = "INFO"

    @property
    def postgres(self) -> bool:
        return self.database_url.startswith(("postgres://", "postgresql"))


def prepare_data_dir(folder: Path) -> None:
    """Make the data folder where it is missing. Raises ConfigurationError where it cannot be made or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ConfigurationError(f"{folder} is a file, and must be a folder", key="TOCSIN_DATA_DIR") from None
    except OSError as error:
        problem = f"{folder} cannot be made ({error.strerror}): name a folder that the user of this process may write to"
        raise ConfigurationError(problem, key="TOCSIN_DATA_DIR") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        problem = f"{folder} may not be written to: give it to the user of this process, or name another folder"
        raise ConfigurationError(problem, key="TOCSIN_DATA_DIR")


def require_audit_key(secrets: Secrets) -> None:
    """Raise ConfigurationError where the audit would have no key: on PostgreSQL there is no folder to keep one in."""
    if secrets.postgres and not secrets.audit_key.get_secret_value().strip():
        problem = "PostgreSQL needs it: it keys the audit's chain and must not lie in the database"
        advice = "make one with `openssl rand -hex 32`, keep it outside, and give the same to every process"
        raise ConfigurationError(f"{problem}; {advice}", key="TOCSIN_AUDIT_KEY")


_APP = "`tocsin manifest` prints the app to paste at api.slack.com/apps"
_TOKENS = {
    "xoxb-": "the bot token",
    "xapp-": "the app-level token",
    "xoxp-": "a user's token",
    "xoxe": "a configuration token",
}
"""What Slack's own tokens begin with."""


def require_slack_tokens(secrets: Secrets) -> None:
    """Raise ConfigurationError where the bot token is missing, or a token of another kind stands in one's place."""
    bot, app = secrets.slack_bot_token.get_secret_value(), secrets.slack_app_token.get_secret_value()
    if not bot:
        advice = f"{_APP}: install it and set the bot token that it gives (xoxb-...). `tocsin demo` needs none"
        raise ConfigurationError(f"is empty, and Tocsin works in Slack. {advice}", key="TOCSIN_SLACK_BOT_TOKEN")
    if bot.startswith("xapp-") and app.startswith("xoxb-"):
        problem = "this one holds the app-level token (xapp-...) and TOCSIN_SLACK_APP_TOKEN the bot token: exchange the two"
        raise ConfigurationError(problem, key="TOCSIN_SLACK_BOT_TOKEN")
    for name, token, prefix in (("TOCSIN_SLACK_BOT_TOKEN", bot, "xoxb-"), ("TOCSIN_SLACK_APP_TOKEN", app, "xapp-")):
        other = next((what for start, what in _TOKENS.items() if start != prefix and token.startswith(start)), "")
        if other:
            problem = (
                f"this is {other}; {_TOKENS[prefix]} belongs here, which begins with {prefix}. Copy it from api.slack.com/apps"
            )
            raise ConfigurationError(problem, key=name)


def unheard_notice(secrets: Secrets) -> str:
    """What to know where Slack has no way to reach the bot; "" where it has one."""
    if secrets.slack_app_token.get_secret_value() or secrets.slack_signing_secret.get_secret_value():
        return ""
    return (
        "no press, command or mention reaches Tocsin, it only posts: set TOCSIN_SLACK_APP_TOKEN (an app-level token with "
        "connections:write, for Socket Mode), or TOCSIN_SLACK_SIGNING_SECRET (for HTTP mode)"
    )


def load_secrets() -> Secrets:
    """Read the environment; a bad value names its variable."""
    try:
        return Secrets()
    except ValidationError as error:
        first = error.errors()[0]
        name = "TOCSIN_" + str(first["loc"][0]).upper()
        raise ConfigurationError(f"{value_problem(first, Secrets)} (check the variable)", key=name) from None
    except SettingsError:
        # It names the field within its text alone; there is one variable that holds JSON.
        problem = """must be a JSON object such as {"temperature": 0} (check the variable)"""
        raise ConfigurationError(problem, key="TOCSIN_MODEL_EXTRA_BODY") from None


def source_tokens(sources: Mapping[str, object], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The token of each configured source: `prod-eu` is read from TOCSIN_TOKEN_PROD_EU. Sources without one take nothing."""
    return _tokens("TOCSIN_TOKEN_", sources, environment)


def web_tokens(systems: Mapping[str, object], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The bearer token of each server of the team's own: `status-page` is read from TOCSIN_WEB_TOKEN_STATUS_PAGE."""
    return _tokens("TOCSIN_WEB_TOKEN_", systems, environment)


def mcp_tokens(systems: Mapping[str, object], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The bearer token of each MCP server: `grafana` is read from TOCSIN_MCP_TOKEN_GRAFANA."""
    return _tokens("TOCSIN_MCP_TOKEN_", systems, environment)


def postgres_passwords(systems: Mapping[str, object], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The password of each PostgreSQL server: `orders` is read from TOCSIN_POSTGRES_PASSWORD_ORDERS."""
    return _tokens("TOCSIN_POSTGRES_PASSWORD_", systems, environment)


def _tokens(prefix: str, names: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, str]:
    values = {name: environment.get(variable_of(prefix, name), "") for name in names}
    return {name: token for name, token in values.items() if token}


def variable_of(prefix: str, name: str) -> str:
    """The variable that holds the secret of an entry: `prod-eu` has TOCSIN_TOKEN_PROD_EU."""
    return prefix + name.upper().replace("-", "_")


OLD_KEYS = {"inverse": "undo"}
"""Keys of entries in `actions` that have another name now."""


def deprecated_keys(path: Path) -> Iterator[str]:
    """Each old name in a configuration that was loaded, with its line and the name to write instead."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for at, line in lines_of(text, str(path)).items():
        if at[:1] == ("actions",) and len(at) == 3 and at[2] in OLD_KEYS:
            yield f"{path}:{line}: {'.'.join(map(str, at))} is called {OLD_KEYS[str(at[2])]} now; the old name still works"


def load_config(path: Path, *, policy: Path | None = None) -> Config:
    """tocsin.yaml with the policy.yaml beside it (or `policy`). Raises ConfigurationError with file, line and key.

    Where nobody named a file and there is none, the configuration is empty; a file that was named has to be there.
    """
    if not path.exists() and path != DEFAULT_CONFIG:
        raise ConfigurationError("does not exist; `tocsin init --prometheus URL` drafts one", file=str(path))
    if policy is not None and not policy.exists():
        raise ConfigurationError("does not exist", file=str(policy))
    beside = policy or policy_path(path)
    document = read_policy(_text_of(beside), str(beside)) if beside.exists() else None
    return parse_config(_text_of(path) if path.exists() else "", str(path), base=path.parent, policy=document)


def policy_path(path: Path) -> Path:
    """Where the policy of this tocsin.yaml lies, if it has a file of its own."""
    return path.with_name(POLICY_FILE)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            "is not text in UTF-8 from here on: save the file as UTF-8", file=str(path), line=line
        ) from None
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", file=str(path)) from None


def parse_config(
    text: str, name: str = "tocsin.yaml", *, base: Path | None = None, policy: PolicyDocument | None = None
) -> Config:
    """The configuration in `text` with this policy; relative folders in it are relative to `base`."""
    document = read_document(text, name)
    content = policy.merged_into(document) if policy else document.content
    place: Place = policy.within(document) if policy else document.place_of
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise validation_problem(error, place, Config) from None
    if base is not None and config.runbooks is not None and not config.runbooks.is_absolute():
        config = config.model_copy(update={"runbooks": base / config.runbooks})
    for problem, at in chain(configuration_problems(config), _unknown_kinds(config)):
        raise place(at, problem)
    return with_main_entries(config)


def _unknown_kinds(config: Config) -> Iterator[Problem]:
    """A kind that no plugin has would take nothing and do nothing, in silence; a plugin that does not load stops the start."""
    try:
        sources = discover(["bot.sources", *config.plugins], Source) if config.sources or config.plugins else {}
        actions = discover_actions(["bot.actions", *config.plugins]) if config.actions or config.plugins else {}
    except ConfigurationError as error:
        yield Problem(error.problem, ("plugins",))
        return
    for key, source in config.sources.items():
        if source.kind not in sources:
            there = ", ".join(sorted(sources))
            yield Problem(
                f"{source.kind!r} is no kind of sources{meant(source.kind, sources)}; there are {there}",
                ("sources", key, "kind"),
            )
            continue
        yield from _option_problems(key, source, sources[source.kind])
    for key, entry in config.actions.items():
        if entry.kind not in actions:
            there = ", ".join(sorted(actions))
            near = meant(entry.kind, actions)
            yield Problem(f"{entry.kind!r} is no kind of actions{near}; there are {there}", ("actions", key, "kind"))
            continue
        yield from _action_option_problems(key, entry, actions[entry.kind])
        for needed in actions[entry.kind].needs:
            if not getattr(entry, needed):
                yield Problem(f"{entry.kind} needs it", ("actions", key, needed))
    for name, action in actions.items():
        if (least_tier := verbs.least_tier_of(name)) > action.least_tier:
            least = f"what is called {verbs.verb_of(name)} is {least_tier.label} at least"
            yield Problem(f"action {name} says that it is {action.least_tier.label}; {least}", ("plugins",))


def _action_option_problems(key: str, entry: ActionConfig, kind: type[Action]) -> Iterator[Problem]:
    if kind.options_type is None:
        return
    try:
        kind.options_type.model_validate(entry.options)
    except ValidationError as error:
        for one in error.errors():
            yield Problem(value_problem(one, kind.options_type), ("actions", key, "options", *one["loc"]))


def _option_problems(key: str, source: SourceConfig, kind: Source) -> Iterator[Problem]:
    for needed in kind.needs:
        if not source.options.get(needed):
            yield Problem(f"{kind.name} needs options.{needed}", ("sources", key))
    if (source.fingerprint or source.replica_of) and "alerts" not in kind.takes:
        yield Problem(f"{kind.name} takes no alerts that it could be about", ("sources", key))
    for index, word in enumerate(source.takes):
        if word not in kind.takes:
            yield Problem(f"{kind.name} takes {' and '.join(sorted(kind.takes))} only", ("sources", key, "takes", index))
    for name in source.options:
        if kind.options is not None and name not in kind.options:
            there = ", ".join(sorted(kind.options)) or "none"
            near = meant(name, kind.options)
            yield Problem(f"{kind.name} has no such option{near}; it has {there}", ("sources", key, "options", name))


def source_kinds(config: Config) -> dict[str, Source]:
    """The kinds of sources that there are, those of the team's own plugins among them."""
    return discover(["bot.sources", *config.plugins], Source)


def without_token(config: Config, kinds: Mapping[str, Source], tokens: Mapping[str, str]) -> list[str]:
    """The variables that have to be set before each source takes anything."""
    lacking = (
        name for name, source in config.sources.items() if name not in tokens and _needs_token(source, kinds[source.kind])
    )
    return [variable_of("TOCSIN_TOKEN_", name) for name in lacking]


def _needs_token(source: SourceConfig, kind: Source) -> bool:
    """A sender that proves itself in another way needs options that say whose proof counts."""
    return kind.needs_token and not (kind.proof and source.options)


def alert_channels(config: Config, kinds: Mapping[str, Source]) -> dict[str, str]:
    """Slack channels that are read for alerts of other bots: source -> channel."""
    reading = {name: source for name, source in config.sources.items() if "slack" in kinds[source.kind].takes}
    return {name: str(source.options["channel"]) for name, source in reading.items()}


def catalogue_of(config: Config) -> Catalogue:
    """The services of the configuration as the catalogue that the bot works with."""
    return Catalogue(
        Service(
            name=name,
            owners=service.owners,
            channel=service.channel or config.default_channel,
            depends_on=service.depends_on,
            match=service.match,
            deployment=service.deployment,
            signals=service.signals,
            objectives=service.objectives,
            known_as={system: name for system, name in service.known_as.model_dump().items() if name},
        )
        for name, service in config.services.items()
    )
