"""The architecture page shows the packages as they are."""

import re
from pathlib import Path

from tests.package_map import PAGE, ROOT, ROOTS, page_with_map, sentences

MOST_MODULES = 16
PLUGIN_PACKAGES = {"bot/commands", "tools", "bot/slack/views", "bot/store/migrations/versions"}


def layers(page: Path) -> str:
    """The drawing of the layers on a page."""
    return re.findall(r"```\n(root .*?)```", page.read_text(encoding="utf-8"), re.DOTALL)[0]


def test_the_readme_draws_the_same_layers() -> None:
    assert layers(ROOT / "README.md") == layers(PAGE)


def test_the_drawing_names_every_part_of_the_bot() -> None:
    parts = [path.stem for path in (ROOT / "bot").iterdir() if path.stem[0] not in "_."]

    assert [part for part in parts if not re.search(rf"\bbot/{part}\b", layers(PAGE))] == []


def test_each_package_says_in_a_sentence_what_lives_there() -> None:
    assert [folder for folder, sentence in sentences().items() if not sentence.endswith(".")] == []


def test_the_map_of_packages_is_made_from_their_own_sentences() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page_with_map(page) == page, "run `make docs`"
    assert "| `bot/core/ranking` | " in page


def test_no_package_holds_more_modules_than_a_reader_keeps_in_mind() -> None:
    folders = (init.parent for root in ROOTS for init in (ROOT / root).rglob("__init__.py"))
    modules = {str(f.relative_to(ROOT)): len([m for m in f.glob("*.py") if m.name != "__init__.py"]) for f in folders}
    measured = {name: n for name, n in modules.items() if name not in PLUGIN_PACKAGES and not name.startswith("bot/sandbox")}

    assert {name: n for name, n in measured.items() if n > MOST_MODULES} == {}
