"""Discovery of plugins: the only module that imports by name."""

import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType
from typing import TypeVar

from bot.core.errors import ConfigurationError
from bot.plugins.actions import Action

P = TypeVar("P")


def discover(packages: Iterable[str], kind: type[P]) -> dict[str, P]:
    """Import every module of these packages, and of those within, and return its plugins of one kind by name.

    A plugin that fails to import or a second one of the same name raises
    ConfigurationError and stops the start.
    """
    plugins: dict[str, P] = {}
    for package in packages:
        for module in _modules(package):
            for plugin in _plugins_of(module, kind):
                name = plugin.name  # type: ignore[attr-defined]
                if name in plugins and plugins[name] is not plugin:
                    raise ConfigurationError(f"two plugins are named {name!r} (the second in {module.__name__})", key="plugins")
                plugins[name] = plugin
    return plugins


def _modules(package: str) -> Iterable[ModuleType]:
    try:
        root = importlib.import_module(package)
        yield root
        for entry in pkgutil.iter_modules(getattr(root, "__path__", ())):
            if entry.ispkg:
                yield from _modules(f"{package}.{entry.name}")
            elif not entry.name.startswith("_"):
                yield importlib.import_module(f"{package}.{entry.name}")
    except ImportError as error:
        raise ConfigurationError(f"plugin module {package} does not import: {error}", key="plugins") from error


def _plugins_of(module: ModuleType, kind: type[P]) -> Iterable[P]:
    for value in vars(module).values():
        if isinstance(value, kind) and not isinstance(value, type):
            yield value
        elif (
            kind is type
            and isinstance(value, type)
            and issubclass(value, Action)
            and value.name
            and value.__module__ == module.__name__
        ):
            yield value  # type: ignore[misc]


def discover_actions(packages: Iterable[str]) -> dict[str, type[Action]]:
    """The action classes of these packages by name."""
    return discover(packages, type)
