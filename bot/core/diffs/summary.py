"""One commit's diff as facts: the names that it removes and adds, what it does, and whether it can change behaviour at all."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bot.core.diffs.effects import effects_of, is_manifest, is_reporting, quoted_texts
from bot.core.diffs.names import counted_names, is_telling, words
from bot.core.diffs.patches import Patch, is_import, read_patches
from bot.core.facts.code import DiffFact
from bot.core.systems import Commit, FileChange
from bot.core.text.untrusted import one_line

MAX_NAMES, MAX_PATHS, MAX_LITERALS = 60, 20, 30
_SHORTEST_LITERAL = 5
_INERT_PATH = re.compile(
    r"(^|/)(docs?|documentation|tests?|testdata|__tests__|spec|fixtures|examples?|\.github|\.circleci|\.gitlab|\.vscode)/|"
    r"(_test|\.test|\.spec|_spec)\.\w+$|(^|/)test_[^/]+$|\.(md|rst|adoc|css|scss|sass|less|svg|png|jpe?g|gif|ico|woff2?|snap)$|"
    r"(^|/)(CODEOWNERS|LICENSE\w*|README\w*|CHANGELOG\w*|\.golangci\.ya?ml|\.eslintrc[\w.]*|\.editorconfig|\.gitignore|\.prettierrc\w*)$",
    re.I,
)
_STYLE = re.compile(
    r"#[0-9a-f]{3,8}\b|\b(colou?rs?|className|padding|margin|border|font|accent|surface|shadow|theme|style)\b", re.I
)
_MOVED_SHARE = 0.8
_FEWEST_MOVED = 6


def summarize_diff(commit: Commit, files: Sequence[FileChange]) -> DiffFact:
    """What the diff of one commit touches. A file without a patch counts by its path alone."""
    patches = read_patches(files)
    telling = [patch for patch in patches if not _INERT_PATH.search(patch.path)]
    # Names in a manifest are packages, which count as such.
    code = [patch for patch in telling if not is_manifest(patch.path)]
    removed = counted_names(line for patch in code for line in patch.removed)
    added = counted_names(line for patch in code for line in patch.added)
    effects = effects_of(telling)
    # A call that is now made elsewhere belongs to code that moved; another value or name does not.
    moved = _is_moved(removed, added) and all(effect.kind == "call" for effect in effects)
    whole = all(patch.whole for patch in telling)
    return DiffFact(
        commit=commit.sha,
        at=commit.at,
        title=one_line(commit.title, 200),
        paths=tuple(one_line(file.path, 160) for file in files[:MAX_PATHS]),
        inert=bool(files) and whole and not effects and (_nothing_runs(telling) or moved),
        partial=not whole,
        moved=moved,
        effects=effects,
        removed=_names(removed - added),
        added=_names(added - removed),
        literals=_literals(code),
        touched=_names(removed & added),
    )


def _names(names: Counter[str]) -> tuple[str, ...]:
    telling = [one_line(name, 80) for name in names if words(name) or is_telling(name)]
    return tuple(telling[:MAX_NAMES])


def _literals(patches: Sequence[Patch]) -> tuple[str, ...]:
    """Quoted texts that are new, those of lines that only report something aside."""
    before = set(quoted_texts(line for patch in patches for line in patch.removed))
    added = quoted_texts(line for patch in patches for line in patch.added if not is_reporting(line))
    new = dict.fromkeys(one_line(text, 80) for text in added if text not in before and len(text) >= _SHORTEST_LITERAL)
    return tuple(new)[:MAX_LITERALS]


def _is_moved(removed: Counter[str], added: Counter[str]) -> bool:
    """Whether what is removed stands among what is added again, numbers included: code that was put elsewhere."""
    total = sum(removed.values())
    return total >= _FEWEST_MOVED and sum((removed & added).values()) >= _MOVED_SHARE * total and not _numbers(removed, added)


def _numbers(removed: Counter[str], added: Counter[str]) -> bool:
    return any(name[0].isdigit() for name in removed - added)


def _nothing_runs(patches: Iterable[Patch]) -> bool:
    """Whether all changed lines are styles, imports or reports."""
    lines = (line for patch in patches for line in (*patch.removed, *patch.added))
    return all(is_import(line) or is_reporting(line) or _STYLE.search(line) for line in lines)
