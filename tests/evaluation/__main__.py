"""`python -m tests.evaluation SET --data DIR --out FILE`: one set, with the module of that name in this package."""

import argparse
import importlib
import logging
import pkgutil
import sys
from pathlib import Path

import structlog

import tests.evaluation

NOT_SETS = frozenset({"world", "figures", "laying", "progress"})


def main(arguments: list[str] | None = None) -> int:
    """Translate, investigate, write the answers, print the figures. 2 if there is no such set or no such folder."""
    options = _parse(arguments)
    if options.set not in sets():
        print(f"there is no set {options.set!r}; there are {', '.join(sets())}")
        return 2
    if not options.data.exists():
        print(f"{options.data} does not exist")
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    importlib.import_module(f"tests.evaluation.{options.set}").evaluate(options.data, options.out)
    return 0


def sets() -> list[str]:
    """The sets there are: each module of this package that is not shared by them."""
    names = [module.name for module in pkgutil.iter_modules(tests.evaluation.__path__)]
    return [name for name in names if not name.startswith("_") and name not in NOT_SETS]


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description=__doc__)
    parser.add_argument("set", help="the name of a module of this package")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the set, or of one system in it")
    parser.add_argument("--out", type=Path, required=True, help="where the answers go, as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
