"""Unit tests lie where the code lies that they test."""

from pathlib import Path

UNIT = Path(__file__).parent
ROOT = UNIT.parents[1]
PLACES = ("bot", "", "tests")
"""Where the package of a folder may stand: the product, the tools beside it, what the tests themselves are made of."""


def folders() -> list[Path]:
    """The folders of unit tests, relative to tests/unit."""
    return sorted(path.relative_to(UNIT) for path in UNIT.rglob("*") if path.is_dir() and path.name != "__pycache__")


def test_every_folder_of_unit_tests_mirrors_a_package() -> None:
    without = [str(one) for one in folders() if not any((ROOT / place / one / "__init__.py").exists() for place in PLACES)]

    assert len(folders()) > 30 and without == []


def test_every_folder_of_unit_tests_is_a_package_with_tests_below() -> None:
    whole = [one for one in folders() if (UNIT / one / "__init__.py").exists() and any((UNIT / one).rglob("test_*.py"))]

    assert whole == folders()
