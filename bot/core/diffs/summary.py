"""One commit's diff as facts: the names that it removes and adds, what it does, and whether it can change behaviour at all."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bot.core.diffs.effects.effects import effects_of, is_reporting, quoted_texts
from bot.core.diffs.effects.settings import CONFIGURATION, is_manifest
from bot.core.diffs.identifiers import counted_names, is_distinctive, word_stems
from bot.core.diffs.moved_code import is_moved
from bot.core.diffs.patches import Patch, all_lines, is_import, read_patches
from bot.core.diffs.rewording import without_rewordings
from bot.core.facts.code import DiffFact
from bot.core.systems import Commit, FileChange
from bot.core.text.untrusted import one_line

_LIMITS = {"paths": 40, "effects": 24, "removed": 60, "added": 60, "touched": 60, "literals": 30}
"""The most of each part of a fact that is kept."""
_SHORTEST_LITERAL = 5
_INERT_PATH = re.compile(
    r"^(docs?|documentation)/|(^|/)(docs?|documentation)/(?!.*\.(java|kt|kts|scala|groovy|go|py|rb|php|cs|fs|vb|rs|ts|tsx|js|jsx|ex|exs|erl|c|cc|cpp|h|sql)$)|"
    r"(^|/)(tests?|testdata|__tests__|spec|fixtures|examples?|\.github|\.circleci|\.gitlab|\.vscode)/|"
    r"(^|/)(staging|stage|dev|development|sandbox|preview)/|(^|/)go\.sum$|"
    r"(_test|\.test|\.spec|_spec)\.\w+$|(^|/)test_[^/]+$|\.(md|rst|adoc|css|scss|sass|less|svg|png|jpe?g|gif|ico|woff2?|snap)$|"
    r"(^|/)(CODEOWNERS|LICENSE\w*|README\w*|CHANGELOG\w*|\.golangci\.ya?ml|\.eslintrc[\w.]*|\.editorconfig|\.gitignore|\.prettierrc\w*)$",
    re.I,
)
_LABEL = re.compile(r"(?:pool|thread|client|app(?:lication)?|worker)[-_.]?(?:name|id|prefix)\W{1,4}([\w.-]+)", re.I)
"""What a pool, a thread or a client is called: its lines hold that name, whatever they say."""
_SENTENCE = re.compile(r"^\s*(?:\w+\s*[:=]\s*)?[\"'`][A-Z][^\"'`{}$%]*\s[^\"'`{}$%]*[\"'`]\s*[,;)]*\s*$")
"""A line that holds a sentence alone."""
_STYLE = re.compile(
    r"#[0-9a-f]{3,8}\b|\b(colou?rs?|className|padding|margin|border|font|accent|surface|shadow|theme|style)\b", re.I
)


def summarize_diff(commit: Commit, files: Sequence[FileChange], *, whole: bool = True) -> DiffFact:
    """What the diff of one commit touches. A file without a patch counts by its path alone.

    `whole`: whether `files` are all of them. What is left out of the fact for its size makes it partial too: neither a name
    nor an effect that nobody reads may clear a change.
    """
    patches = read_patches(files)
    telling = [patch for patch in patches if not _INERT_PATH.search(patch.path)]
    # Names in a manifest are packages, which count as such.
    code = [without_rewordings(patch) for patch in telling if not is_manifest(patch.path)]
    removed, added = (counted_names(lines) for lines in all_lines(code))
    labels = {name for patch in code for line in patch.added for name in _LABEL.findall(line)}
    effects = effects_of(telling)
    # A call that is now made elsewhere belongs to code that moved; another value or name does not.
    moved = is_moved(*all_lines(code)) and all(effect.kind == "call" for effect in effects)
    # A line of configuration has another meaning with another value, whatever else it repeats.
    moved = moved and not any(CONFIGURATION.search(patch.path) for patch in code)
    whole = whole and all(patch.whole for patch in telling)
    inert = bool(files) and whole and not effects and (_nothing_runs(telling) or moved)
    fact = DiffFact(
        commit=commit.sha,
        at=commit.at,
        title=one_line(commit.title, 200),
        paths=tuple(one_line(file.path, 160) for file in files),
        inert=inert,
        partial=not whole,
        moved=moved,
        effects=effects,
        removed=_names(removed - added),
        added=_names(Counter({name: added[name] for name in added - removed if name not in labels})),
        literals=tuple(text for text in _literals(code) if text not in labels),
        touched=_names(removed & added),
        around=_around(code)[: _LIMITS["touched"]],
    )
    return _bounded(fact)


def _bounded(fact: DiffFact) -> DiffFact:
    """The fact within its limits; partial if something is left out, unless nothing of it runs."""
    parts: Mapping[str, Sequence[object]] = {name: getattr(fact, name) for name in _LIMITS}
    cut = {name: part[: _LIMITS[name]] for name, part in parts.items() if len(part) > _LIMITS[name]}
    return fact.model_copy(update={**cut, "partial": fact.partial or not fact.inert}) if cut else fact


def _names(names: Counter[str]) -> tuple[str, ...]:
    return tuple(one_line(name, 80) for name in names if word_stems(name) or is_distinctive(name))


def _around(patches: Iterable[Patch]) -> tuple[str, ...]:
    """Names of functions and fields beside the changed lines; what is cut of these clears nothing."""
    return tuple(
        name for name in _names(counted_names(line for patch in patches for line in patch.around)) if is_distinctive(name)
    )


def _literals(patches: Sequence[Patch]) -> tuple[str, ...]:
    """Quoted texts that are new, those of lines that only report something aside."""
    before = set(quoted_texts(line for patch in patches for line in patch.removed))
    added = quoted_texts(line for patch in patches for line in patch.added if not is_reporting(line))
    new = dict.fromkeys(one_line(text, 80) for text in added if text not in before and len(text) >= _SHORTEST_LITERAL)
    return tuple(new)


def _nothing_runs(patches: Iterable[Patch]) -> bool:
    """Whether all changed lines are styles, imports, reports or sentences that people read."""
    lines = (line for patch in patches for line in (*patch.removed, *patch.added))
    return all(is_import(line) or is_reporting(line) or _STYLE.search(line) or _SENTENCE.match(line) for line in lines)
