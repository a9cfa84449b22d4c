"""Imports that wait: modules that are loaded when something of them is first used, or left out where they are optional."""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any


class DeferredModule(ModuleType):
    """Stands for a module. Once something of it is used, it holds all that the module holds."""

    def __getattr__(self, name: str) -> Any:  # Any: as a module's attributes are
        _forget(self.__name__.partition(".")[0])
        module = importlib.import_module(self.__name__)
        vars(self).update({key: value for key, value in vars(module).items() if not key.startswith("__")})
        return getattr(module, name)


def _forget(package: str) -> None:
    """Have the next import of the package load it."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, DeferredModule) and name.partition(".")[0] == package:
            del sys.modules[name]


@contextlib.contextmanager
def deferred(package: str, *submodules: str) -> Iterator[None]:
    """Whoever imports the package within the block has it loaded when it is first used, as these submodules of it.

    For what a library imports at its top and does not use in every setting. Nothing happens if it is loaded already.
    """
    if package not in sys.modules:
        sys.modules[package] = stand_in = DeferredModule(package)
        # `from package import submodule` looks for it.
        vars(stand_in)["__path__"] = []
        for submodule in submodules:
            name = f"{package}.{submodule}"
            sys.modules[name] = vars(stand_in)[submodule] = DeferredModule(name)
    try:
        yield
    finally:
        _forget(package)


@contextlib.contextmanager
def without(*modules: str) -> Iterator[None]:
    """Imports within the block that could do without these modules, do. One that is loaded already stays."""
    absent = [name for name in modules if name not in sys.modules]
    # None is how Python marks what cannot be imported.
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)
