"""`python -m tests.evaluation SET --data DIR --out FILE`: one set, with the module of that name in this package."""

import argparse
import importlib
import io
import logging
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO

import structlog

import tests.evaluation
from bot.adapters import settings_of
from bot.settings import Secrets
from tests.evaluation.figures import DETAILS

NOT_SETS = frozenset(
    {
        "world",
        "figures",
        "model_comparison",
        "injected_delays",
        "progress",
        "weight_choices",
        "older_conditions",
        "recorded",
        "recorded_code",
        "leads",
    }
)
WITHOUT_DETAILS = frozenset({"alert_storm", "webhooks", "loghub2k", "answers", "calibration", "worked"})
"""Sets that rank no causes of incidents for `--details` to list."""
ANSWERS = Path(__file__).parents[1] / "answers"
_FIGURES = re.compile(r"\S.* \(n \d+\): ")
"""A line of figures: the set's or a part's name, and of how many incidents."""
Evaluate = Callable[[Path, Path], None]
"""`evaluate(data, out)` of a set's module."""


def main(arguments: list[str] | None = None) -> int:
    """Translate, investigate, write the answers, print the figures. 2 if there is no such set, folder or details."""
    options = _parse(arguments)
    if options.set not in sets():
        print(f"there is no set {options.set!r}; there are {', '.join(sets())}")
        return 2
    if options.details and options.set in WITHOUT_DETAILS:
        print(f"{options.set} ranks no causes: there are no details to write, leave out --details")
        return 2
    if not options.data.exists():
        print(f"{options.data} does not exist")
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    evaluate: Evaluate = importlib.import_module(f"tests.evaluation.{options.set}").evaluate
    DETAILS.set(options.details)
    with copied_lines() as lines:
        _evaluate(evaluate, options.data, options.out)
    if options.model:
        _ask_a_model(options, evaluate, lines)
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


def _ask_a_model(options: argparse.Namespace, evaluate: Evaluate, by_analyst: Sequence[str]) -> None:
    """The whole set answered by the agent alone, then by both merged, as the product shows it; all three side by side."""
    # Late: langchain takes seconds to import, and most evaluations ask no model.
    from tests.evaluation.model_comparison import ModelComparison, answering, answering_merged

    second = ModelComparison(settings_of(Secrets(), options.model))
    lines = {"analyst": by_analyst}
    for who, within in (("agent alone", answering), ("merged", answering_merged)):
        print(f"--- {options.set}: {who}, with {options.model} and the same tools")
        suffix = f".{options.model.replace('/', '-')}{'.merged' if who == 'merged' else ''}.json"
        if options.details:
            DETAILS.set(options.details.with_suffix(suffix))
        with within(second), copied_lines() as lines[who]:
            _evaluate(evaluate, options.data, options.out.with_suffix(suffix))
    print(f"--- {options.set}: side by side; merged is what the product shows", *side_by_side(lines), sep="\n")
    print(f"{options.model}: {second.in_words()}")


def side_by_side(lines: Mapping[str, Sequence[str]]) -> list[str]:
    """The lines of figures of each, and below them what the set's module names as published."""
    figures = [f"{who:>12}: {line}" for who, printed in lines.items() for line in printed if _FIGURES.match(line)]
    published = dict.fromkeys(line for printed in lines.values() for line in printed if line.startswith("published"))
    return [*figures, *published]


class _Copy(io.TextIOBase):
    """Standard output, of which the text is kept too."""

    def __init__(self, out: TextIO) -> None:
        self.out, self.text = out, ""

    def write(self, text: str) -> int:
        self.text += text
        return self.out.write(text)

    def flush(self) -> None:
        self.out.flush()


@contextmanager
def copied_lines() -> Iterator[list[str]]:
    """The lines that are printed within it, which are printed all the same; filled at its end."""
    lines: list[str] = []
    copy = _Copy(sys.stdout)
    with redirect_stdout(copy):
        yield lines
    lines += copy.text.splitlines()


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
        "--details",
        type=Path,
        help="where the causes, changes, confidence and seconds of each answer go, as JSON; "
        f"refused by what ranks no causes: {', '.join(sorted(WITHOUT_DETAILS))}",
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
