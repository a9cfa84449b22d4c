"""`tocsin policy`: what the team expects of its rules, and what a changed file would allow."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from bot.core.action import Tier
from bot.core.approvals.policies.rights import Difference, Right, difference
from bot.core.approvals.policies.situations import PolicyAnswer, Situation, answer
from bot.core.config import Config
from bot.core.errors import ConfigurationError
from bot.plugins import actions, discover_actions
from bot.policy_document import VERSION
from bot.settings import load_config
from bot.validation_texts import value_problem, yaml_problem
from bot.yaml_document import read_document

EXPECTATIONS = "policy_tests.yaml"
_SITUATIONS = TypeAdapter(list[Situation])


def tiers_of(config: Config) -> dict[str, Tier]:
    """The tier of each entry of the catalogue."""
    return actions.tiers_of(config, discover_actions(["bot.actions", *config.plugins]))


def configuration_of(path: Path, in_use: Path) -> Config:
    """What a file says: a tocsin.yaml with the policy.yaml beside it, or a policy file beside the tocsin.yaml in use."""
    is_policy = path.exists() and VERSION in read_document(path.read_text(encoding="utf-8"), str(path)).content
    return load_config(in_use, policy=path) if is_policy else load_config(path)


def read_situations(path: Path) -> list[Situation]:
    """The situations of one file. Raises ConfigurationError with the place of an error."""
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", key=str(path)) from error
    except yaml.YAMLError as error:
        problem, line = yaml_problem(error)
        raise ConfigurationError(problem, file=str(path), line=line) from error
    try:
        return _SITUATIONS.validate_python(loaded)
    except ValidationError as error:
        first = error.errors()[0]
        position = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(value_problem(first, Situation), key=f"{path}: {position}") from error


def checked(
    config: Config, situations: list[Situation], now: datetime | None = None
) -> Iterator[tuple[Situation, PolicyAnswer]]:
    """Each situation with the policy's answer. Raises ConfigurationError where one names what is not there."""
    tiers = tiers_of(config)
    for number, situation in enumerate(situations):
        try:
            yield situation, answer(config, situation, tiers, now or datetime.now(UTC))
        except (ValueError, KeyError) as error:
            raise ConfigurationError(str(error), key=f"situation {number + 1} ({situation.that})") from error


def checked_lines(config: Config, situations: list[Situation], now: datetime | None = None) -> tuple[list[str], int]:
    """A line for each situation, those that came out otherwise with what was expected, and a summary; and how many did."""
    lines, wrong = [], 0
    for situation, policy_answer in checked(config, situations, now):
        result = f"{'allowed' if policy_answer.allow else 'denied'} ({policy_answer.rule})"
        if policy_answer.fits(situation):
            lines.append(f"ok      {situation.that}: {result}")
            continue
        wrong += 1
        expected = f"{situation.expect}" + (f" ({situation.rule})" if situation.rule else "")
        lines.append(f"FAILED  {situation.that}: {result}, expected {expected}. {policy_answer.text}".rstrip())
    lines.append(f"{len(situations) - wrong} of {len(situations)} situations came out as expected.")
    return lines, wrong


def compared(old: Config, new: Config, now: datetime | None = None) -> Difference:
    """What the new file allows and the old did not, and the other way round."""
    return difference(old, new, tiers_of(old), tiers_of(new), now or datetime.now(UTC))


def compared_files(old: Path, new: Path | None, *, in_use: Path) -> Difference:
    """The same of two files; without `new`, of what is in use."""
    return compared(configuration_of(old, in_use), configuration_of(new or in_use, in_use))


def difference_lines(difference: Difference) -> list[str]:
    """The difference as lines; what is wider comes first, what a second person confirms in Slack comes last."""
    lines = [f"WIDER     {right.text}" for right in _without_repeats(difference.wider)]
    lines += [f"narrower  {right.text}" for right in _without_repeats(difference.narrower)]
    lines += [f"tier      {text}" for text in difference.tiers]
    lines += [f"CONFIRM   {text}" for text in difference.gains]
    return lines or ["Nobody may do more or less than before."]


def _without_repeats(rights: tuple[Right, ...]) -> list[Right]:
    """Without what holds in an incident exactly as it holds without one."""
    calm = {right._replace(severity="") for right in rights if right.severity == "NONE"}
    return [right for right in rights if right.severity == "NONE" or right._replace(severity="") not in calm]
