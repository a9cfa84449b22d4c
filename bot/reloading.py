"""Reload: a running bot takes a changed tocsin.yaml over whole, or keeps the old one and says why. Either is audited."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from bot.core.config import Config
from bot.core.config.differences import ConfigChange, changes_between
from bot.core.errors import ConfigurationError
from bot.match_notices import match_notices
from bot.plugins import discover_actions
from bot.plugins.actions import tiers_of
from bot.plugins.scopes import scope_notices
from bot.settings import load_config, policy_path, source_kinds, source_tokens, without_token
from bot.store import audit
from bot.store.approvals.policies.policies import Policies, PolicyReviewResult
from bot.store.db.database import Database, DatabaseUnavailable
from bot.workflows.policy_review import PolicyReview

log = structlog.get_logger(__name__)
K = TypeVar("K")
V = TypeVar("V")
STARTED, RELOADED = "started", "configuration reloaded"
_MAX_CHANGES = 40
"""Changes that are named one by one."""


@dataclass(frozen=True)
class ReloadResult:
    """What became of one request: `accepted`, and lines for whoever made it."""

    accepted: bool
    lines: tuple[str, ...]


class LiveMapping(Mapping[K, V]):
    """A part of the configuration as it is at each look-up, for those who are handed a mapping once."""

    def __init__(self, read: Callable[[], Mapping[K, V]]) -> None:
        self._read = read

    def __getitem__(self, key: K) -> V:
        return self._read()[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def review_of(db: Database, config: Config, changed: Callable[[], None]) -> PolicyReview:
    """What asks for a second person where a policy gets wider; the kinds of actions say the tiers."""
    kinds = discover_actions(["bot.actions", *config.plugins])
    policies = Policies(db, lambda: config.default_channel)
    return PolicyReview(policies, config, lambda fresh: tiers_of(fresh, kinds), changed)


class Reloader:
    """Reads the file again and compares it with `config`, the one object that the whole process reads.

    Everything that changed is taken over, or nothing: half a configuration would be one that nobody wrote. `applied` is
    called after the content of `config` was replaced, for what was derived from it.
    """

    def __init__(self, path: Path, config: Config, db: Database, applied: Callable[[], None], review: PolicyReview) -> None:
        self._path, self._config, self._db, self._applied, self._review = path, config, db, applied, review
        self._hash = _hash_of(path)
        self._lock = asyncio.Lock()

    async def reload(self, who: str) -> ReloadResult:
        """Take the file over, or say why not. Never raises for what stands in the file or for a database that is away."""
        async with self._lock:
            try:
                return await self._reload(who)
            except DatabaseUnavailable as error:
                return self._refused(f"the database does not answer, so it could not be audited ({error})")

    async def note_start(self) -> None:
        """The start is a row, with the configuration that it ran with before and the one that it runs with now.

        So is its policy; one that gives more than what counted waits for a second person.
        """
        before = await audit.last_after(self._db, (STARTED, RELOADED))
        changed = f"{self._path.name} was changed while nothing ran" if before not in ("", self._hash) else ""
        await self._audit("tocsin", STARTED, self._hash, changed, before=before)
        await self._review.start()

    async def _reload(self, who: str) -> ReloadResult:
        try:
            fresh, fresh_hash = await asyncio.to_thread(self._read)
        except (ConfigurationError, OSError) as error:
            return await self._refuse(who, str(error), "")
        changes = changes_between(self._config, fresh)
        if stubborn := [change.key for change in changes if change.needs_restart]:
            return await self._refuse(who, f"{', '.join(stubborn[:_MAX_CHANGES])}: taken over by a restart only", fresh_hash)
        if not changes:
            log.info("configuration unchanged", who=who, in_use=self._hash)
            again = await self._ask_again(who) if self._config.confirmed is not None else []
            return ReloadResult(True, (f"{self._path} says what is in use already ({self._hash})", *again))
        considered = await self._review.consider(fresh, who)
        await self._audit(who, RELOADED, fresh_hash, _text(changes))
        before, self._hash = self._hash, fresh_hash
        _replace(self._config, fresh)
        self._review.hold_back(considered.held_back_to)
        self._applied()
        log.info(
            "configuration reloaded", who=who, before=before, after=fresh_hash, changes=[change.text for change in changes]
        )
        lines = *_lines(changes), *_waiting(considered), *_notices(fresh)
        return ReloadResult(True, (f"Reloaded {self._path} ({before} -> {fresh_hash})", *lines))

    async def _ask_again(self, who: str) -> list[str]:
        """The file in use is held back: whoever rejected what it gives, or did not answer, is asked once more."""
        considered = await self._review.consider(self._config, who)
        self._review.hold_back(considered.held_back_to)
        self._applied()
        return _waiting(considered)

    def _read(self) -> tuple[Config, str]:
        if not self._path.exists():
            raise ConfigurationError("is gone; without it everything would be forgotten", file=str(self._path))
        return load_config(self._path), _hash_of(self._path)

    async def _refuse(self, who: str, why: str, fresh_hash: str) -> ReloadResult:
        await self._audit(who, "configuration refused", fresh_hash, why)
        return self._refused(why)

    def _refused(self, why: str) -> ReloadResult:
        log.warning("configuration not reloaded", why=why, in_use=self._hash)
        return ReloadResult(False, (f"Not reloaded: {why}", f"The configuration in use stays ({self._hash})."))

    async def _audit(self, who: str, what: str, fresh_hash: str, reason: str, *, before: str | None = None) -> None:
        async with self._db.write() as session:
            await audit.append(
                self._db,
                session,
                who=who,
                what=what,
                subject=self._path.name,
                before=self._hash if before is None else before,
                after=fresh_hash,
                reason=reason,
            )


def _hash_of(path: Path) -> str:
    """16 hex digits over the file's bytes and those of the policy beside it; of an empty one where there is none."""
    policy = policy_path(path)
    content = path.read_bytes() if path.exists() else b""
    return hashlib.sha256(content + (b"\0" + policy.read_bytes() if policy.exists() else b"")).hexdigest()[:16]


def _replace(config: Config, fresh: Config) -> None:
    """Put the content of one configuration into the other. Sections are frozen and replaced whole: whoever reads one goes on
    with a consistent one. This is the only place that changes a configuration, between two steps of the event loop."""
    vars(config).update(vars(fresh))


def _lines(changes: tuple[ConfigChange, ...]) -> list[str]:
    more = len(changes) - _MAX_CHANGES
    return [change.text for change in changes[:_MAX_CHANGES]] + ([f"and {more} more"] if more > 0 else [])


def _waiting(considered: PolicyReviewResult) -> list[str]:
    """What does not count yet, and why."""
    if considered.held_back_to is None:
        return []
    first = f"These rights wait for a second person, who confirms {considered.ref} in Slack; until then the old ones hold:"
    return [first, *(f"  {gain}" for gain in considered.gains)]


def _text(changes: tuple[ConfigChange, ...]) -> str:
    return "; ".join(_lines(changes))


def _notices(config: Config) -> list[str]:
    """Variables are read from the environment, which a running process got once."""
    kinds = source_kinds(config)
    variables = without_token(config, kinds, source_tokens(config.sources))
    lacking = [f"A source takes nothing until the server is started with {variable} set" for variable in variables]
    return [*lacking, *scope_notices(config.sources, kinds), *match_notices(config), *config.rota_notices()]
