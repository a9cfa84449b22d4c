"""Which deploy a commit went out with: a repository may hold many services, and all later deploys hold its commits as well."""

import re
from functools import lru_cache

from bot.core.change import Change
from bot.core.facts.code import DiffFact
from bot.core.ranking.context import RankingContext
from bot.core.ranking.observations import ObservedCode

_FRONT_END = re.compile(r"(^|[/-])(web|website|www|ui|frontend|mobile|ios|android)([/-]|$)|\.(tsx|jsx|vue|svelte|swift)$", re.I)
_SHARED = re.compile(
    r"(^|/)(pkg|libs?|librar(y|ies)|packages|shared|common|commons|core|sdk|kit|internal|vendor|modules?|crates)/"
    r"(?!.*\.(tf|tfvars|hcl)$)",
    re.I,
)
"""Folders of what many services are built from, which infrastructure is no part of."""
_ENTRY = re.compile(
    r"^(main|__main__|app|server|cmd|index|program|Dockerfile|go\.mod|package\.json|pyproject\.toml|pom\.xml)\b", re.I
)
"""Files with which a component begins."""


def is_code_of(code: ObservedCode, change: Change) -> bool:
    return code.service == change.service and bool(change.version) and code.version == change.version


def _of_another(diff: DiffFact, service: str, context: RankingContext) -> bool:
    """Whether all files of a commit belong to others: one repository may hold many services.

    Those lie in folders named after other services, or are of a front end, which runs with whoever looks at it.
    """
    observations = context.observations
    changed = {change.service for change in observations.changes.values()}
    services = frozenset({service, *observations.services, *observations.depends_on, *observations.checked, *changed})
    owners = [_owner(path, services) for path in diff.paths]
    front = bool(_FRONT_END.search(service))
    return bool(owners) and all(
        owner not in ("", service) or (not owner and not front and _FRONT_END.search(path))
        for owner, path in zip(owners, diff.paths, strict=True)
    )


def went_out(diff: DiffFact, code: ObservedCode, change: Change, context: RankingContext) -> bool:
    """Whether a commit is this change's: the one that the deploy was made for, or one that nothing shows to be another's."""
    if diff.commit == head_of(code):
        return True
    return not (
        _of_another(diff, change.service, context)
        or _rolled_out_by_another(diff, change, context)
        or _of_another_component(diff, code, change.service)
    )


def _of_another_component(diff: DiffFact, code: ObservedCode, service: str) -> bool:
    """Whether all files of a commit lie in a folder beside the service's own that begins a component of its own.

    Only there is the folder no part of the service: beside `orders/` may lie `migrations/`, `models/` or `utils/`.
    """
    own = frozenset({service})
    homes = {
        tuple(path.split("/")[: number + 1])
        for other in code.diffs
        for path in other.paths
        for number, folder in enumerate(path.split("/")[:-1])
        if _owner(f"{folder}/", own)
    }
    others = {entry for path in diff.paths if (entry := _component_of(path))}
    beside = {folder for folder in others if any(len(folder) == len(home) and folder[:-1] == home[:-1] for home in homes)}
    inside = all(any(tuple(path.split("/")[: len(folder)]) == folder for folder in beside) for path in diff.paths)
    return bool(beside) and inside and not beside & homes and not any(_SHARED.search(path) for path in diff.paths)


def _component_of(path: str) -> tuple[str, ...]:
    """The folder that a file begins a component in; empty for any other file."""
    *folders, name = path.split("/")
    return tuple(folders) if folders and _ENTRY.match(name) else ()


def head_of(code: ObservedCode) -> str:
    """The commit that a version was made for."""
    return max(code.diffs, key=lambda diff: diff.at).commit if code.diffs else ""


def _rolled_out_by_another(diff: DiffFact, change: Change, context: RankingContext) -> bool:
    """Whether another deploy was made for this commit: in one repository all later ones hold it as well.

    A library is part of whatever holds it. What lies in this service's own folder went out with it, unless the deploy that
    was made for it came later: then that is what put it to work.
    """
    observations = context.observations
    made_for = [
        other
        for code in observations.code
        if head_of(code) == diff.commit
        for other in observations.changes.values()
        if is_code_of(code, other)
    ]
    if any(other.service == change.service for other in made_for):
        return True
    if not made_for or any(_SHARED.search(path) for path in diff.paths):
        return False
    return not in_own_folder(diff, change.service) or any(other.at > change.at for other in made_for)


def in_own_folder(diff: DiffFact, service: str) -> bool:
    return all(_owner(path, frozenset({service})) for path in diff.paths)


@lru_cache(maxsize=4_096)
def _owner(path: str, services: frozenset[str]) -> str:
    """The service that a folder on the path is named after; "" for shared code."""
    folders = [_bare(folder) for folder in path.split("/")[:-1]]
    return next((service for folder in folders for service in sorted(services) if folder and folder == _bare(service)), "")


def _bare(name: str) -> str:
    """`order` of `orderservice`, `order-svc` and `order_service`."""
    folded = name.casefold().replace("_", "-")
    for ending in ("-service", "service", "-svc", "svc", "-api", "-server"):
        if folded.endswith(ending) and len(folded) > len(ending) + 1:
            return folded.removesuffix(ending).rstrip("-")
    return folded
