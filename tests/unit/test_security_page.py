"""docs/security.md names, for what it promises, tests that exist."""

import re
from pathlib import Path

import pytest

from tests.attacks.__main__ import ALL
from tests.attacks.items import read_items
from tests.attacks.steps.items import KINDS as STEP_KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
VARIANTS = ROOT / "tests" / "attacks" / "variants"
PARTS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
COMMAND = re.compile(r"`python -m tests\.attacks ([a-z_ ]+) --data tests/attacks/variants`")


@pytest.mark.parametrize("part", PARTS)
def test_every_part_names_how_it_is_checked(part: str) -> None:
    assert re.search(r"`tests/unit/|`tests/contracts/|`python -m tests\.", PARTS[part])


def test_every_file_that_it_names_exists() -> None:
    paths = re.findall(r"`((?:bot|tests|core)/[\w./-]+)`", PAGE)

    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / path).exists() and not (ROOT / "bot" / path).exists()] == []


def test_every_kind_of_attack_that_it_names_has_items_of_the_project_s_own() -> None:
    kinds = {kind for command in COMMAND.findall(PAGE) for kind in command.split()}
    in_steps = {kind for kind in STEP_KINDS if (VARIANTS / f"{kind}.jsonl").exists()}

    assert len(kinds) > 15 and kinds <= {*ALL} & {*in_steps, *(item.category for item in read_items(VARIANTS))}
