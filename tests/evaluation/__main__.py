"""`python -m tests.evaluation SET --data DIR --out FILE`: one set, with the module of that name in this package."""

import argparse
import importlib
import logging
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

import tests.evaluation
from bot.adapters import settings_of
from bot.settings import Secrets
from tests.evaluation.figures import DETAILS

NOT_SETS = frozenset({"world", "figures", "second", "laying", "progress", "weight_choices", "older_conditions"})
ANSWERS = Path(__file__).parents[1] / "answers"
Evaluate = Callable[[Path, Path], None]
"""`evaluate(data, out)` of a set's module."""


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
    evaluate: Evaluate = importlib.import_module(f"tests.evaluation.{options.set}").evaluate
    DETAILS.set(options.details)
    _evaluate(evaluate, options.data, options.out)
    if options.model:
        _ask_a_model(options, evaluate)
    return 0


def _evaluate(evaluate: Evaluate, data: Path, out: Path) -> None:
    """One set, and under its figures how often an older condition is blamed."""
    # Late: of the sets that investigate nothing none needs it.
    from tests.evaluation.older_conditions import Tally
    from tests.evaluation.world import ON_ANSWER

    tally = Tally()
    token = ON_ANSWER.set(tally.note)
    evaluate(data, out)
    ON_ANSWER.reset(token)
    if text := tally.in_words():
        print(text)


def _ask_a_model(options: argparse.Namespace, evaluate: Evaluate) -> None:
    """The whole set once more, answered by the agent: its figures stand under the analyst's."""
    # Late: langchain takes seconds to import, and most evaluations ask no model.
    from tests.evaluation.second import Second, answering

    second = Second(settings_of(Secrets(), options.model))
    print(f"--- {options.set} asked of {options.model}, with the same tools")
    if options.details:
        DETAILS.set(options.details.with_suffix(f".{options.model.replace('/', '-')}.json"))
    with answering(second):
        _evaluate(evaluate, options.data, options.out.with_suffix(f".{options.model.replace('/', '-')}.json"))
    print(second.in_words())


def sets() -> list[str]:
    """The sets there are: each module of this package that is not shared by them."""
    names = [module.name for module in pkgutil.iter_modules(tests.evaluation.__path__)]
    return [name for name in names if not name.startswith("_") and name not in NOT_SETS]


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description=__doc__)
    parser.add_argument("set", help="the name of a module of this package")
    parser.add_argument("--data", type=Path, help="the folder of the set, or of one system in it")
    parser.add_argument("--out", type=Path, help="where the answers go, as JSON")
    parser.add_argument(
        "--details", type=Path, help="where the causes, changes, confidence and seconds of each answer go, as JSON"
    )
    parser.add_argument("--model", default="", help="ask this model too (its settings: docs/models.md); it costs money")
    options = parser.parse_args(arguments)
    if options.set == "answers":
        # The corpora are part of the tests: nothing has to be fetched for them.
        options.data, options.out = options.data or ANSWERS, options.out or Path("answers.json")
    elif options.data is None or options.out is None:
        parser.error("--data and --out are needed")
    return options


if __name__ == "__main__":
    sys.exit(main())
