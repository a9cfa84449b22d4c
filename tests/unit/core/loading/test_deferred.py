"""Modules that are loaded when something of them is first used, and optional ones that are left out."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bot.core.loading.deferred import deferred, without


@pytest.fixture
def library(tmp_path: Path) -> Iterator[str]:
    """A package with a submodule, which nobody has imported."""
    name = "library_of_the_test"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("LIMIT = 7\n")
    (tmp_path / name / "errors.py").write_text(f"from {name} import LIMIT\nclass Refused(Exception):\n    limit = LIMIT\n")
    sys.path.insert(0, str(tmp_path))
    yield name
    sys.path.remove(str(tmp_path))
    for loaded in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[loaded]


def imported_deferred(library: str) -> tuple[ModuleType, ModuleType]:
    with deferred(library, "errors"):
        return importlib.import_module(library), importlib.import_module(f"{library}.errors")


def test_a_deferred_module_is_loaded_when_something_of_it_is_used(library: str) -> None:
    package, _ = imported_deferred(library)
    before = library in sys.modules

    assert not before and package.LIMIT == 7 and library in sys.modules


def test_an_error_of_a_deferred_submodule_is_the_one_that_others_raise(library: str) -> None:
    _, errors = imported_deferred(library)

    with pytest.raises(errors.Refused):
        raise importlib.import_module(f"{library}.errors").Refused


def test_a_module_that_is_used_within_the_block_is_there_at_once(library: str) -> None:
    with deferred(library, "errors"):
        limits = importlib.import_module(library).LIMIT, importlib.import_module(f"{library}.errors").Refused.limit

    assert limits == (7, 7)


def test_what_is_loaded_already_stays_what_it_is(library: str) -> None:
    package = importlib.import_module(library)

    with deferred(library, "errors"), without(library):
        assert sys.modules[library] is package
    assert sys.modules[library] is package


def test_a_module_that_is_left_out_can_be_imported_afterwards(library: str) -> None:
    with without(library), pytest.raises(ImportError):
        importlib.import_module(library)

    assert importlib.import_module(library).LIMIT == 7
