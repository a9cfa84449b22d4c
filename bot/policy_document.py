"""policy.yaml: what decides rights, in a file of its own beside tocsin.yaml. Either file may say a thing, never both."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bot.core.config.policy_file import PolicyFile
from bot.core.errors import ConfigurationError
from bot.yaml_document import Document, Loc, read_document, validation_problem

POLICY_FILE = "policy.yaml"
TIERS, VERSION = "tiers", "version"


@dataclass(frozen=True)
class PolicyDocument:
    """A policy.yaml that is valid by itself, and the tocsin.yaml that it was merged into."""

    document: Document
    tiers: dict[str, int]

    def merged_into(self, base: Document) -> dict[str, Any]:  # Any: YAML that the models check
        """The content of both. Raises ConfigurationError for what stands in both, and for a tier of no action."""
        for at in self._doubled(base):
            problem = f"stands in {self.document.name} too: say it in one of the two files"
            raise base.place_of(at, problem)
        actions = base.content.get("actions") or {}
        for name in self.tiers:
            if not isinstance(actions, dict) or name not in actions:
                raise self.document.place_of((TIERS, name), f"{name!r} is not among actions of {base.name}")
        raised = {name: entry | {"tier": self.tiers[name]} for name, entry in actions.items() if name in self.tiers}
        return {**base.content, **self._own_keys(), **({"actions": {**actions, **raised}} if raised else {})}

    def _own_keys(self) -> dict[str, Any]:  # Any: as in merged_into
        return {key: value for key, value in self.document.content.items() if key not in (TIERS, VERSION)}

    def _doubled(self, base: Document) -> Iterator[Loc]:
        yield from ((key,) for key in self._own_keys() if key in base.content)
        actions = base.content.get("actions")
        entries = actions if isinstance(actions, dict) else {}
        for name, entry in entries.items():
            if name in self.tiers and isinstance(entry, dict) and "tier" in entry:
                yield "actions", name, "tier"

    def within(self, base: Document) -> "MergedPlaces":
        """Where an error of the merged content is to be named."""
        return MergedPlaces(self, base)


@dataclass(frozen=True)
class MergedPlaces:
    """Names an error in the file that says what is wrong."""

    policy: PolicyDocument
    base: Document

    def __call__(self, at: Loc, problem: str) -> ConfigurationError:
        match at:
            case ("actions", str(name), "tier") if name in self.policy.tiers:
                return self.policy.document.place_of((TIERS, name), problem)
            case (str(key), *_) if key in self.policy.document.content:
                return self.policy.document.place_of(at, problem)
        return self.base.place_of(at, problem)


def read_policy(text: str, name: str = POLICY_FILE) -> PolicyDocument:
    """The policy in `text`. Raises ConfigurationError with file, line and key."""
    document = read_document(text, name)
    try:
        policy = PolicyFile.model_validate(document.content)
    except ValidationError as error:
        raise validation_problem(error, document.place_of, PolicyFile) from None
    return PolicyDocument(document, policy.tiers)
