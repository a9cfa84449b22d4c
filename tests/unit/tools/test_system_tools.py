"""Code, models, the team's own servers, and changes that other systems tell."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.core.change import MAX_LISTED, Change
from bot.core.errors import QueryFailed
from bot.core.systems import Commit, CommitFiles, Comparison, FileChange, ModelVersion
from tests.unit.builders import NOW, change
from tests.unit.tools.tool_fixture import Changes, call_tool, context

COMMITS = (Commit("abc", NOW - timedelta(minutes=20), "Shrink the pool", "Ann"),)


@dataclass(frozen=True)
class Code:
    """Knows one comparison and one commit, with the patch of the one file that it changed."""

    async def compare(self, service: str, base: str, head: str) -> Comparison:
        return Comparison(base, head, 1, COMMITS, (FileChange("pool.py", 1, 9),))

    async def commits(self, service: str, since: datetime, *, head: str = "") -> list[Commit]:
        return [commit for commit in COMMITS if commit.at >= since]

    async def diff(self, service: str, sha: str) -> CommitFiles:
        patch = "@@ -1,9 +1 @@\n-POOL_SIZE = 20\n+POOL_SIZE = 2\n unchanged"
        return CommitFiles((FileChange("pool.py", 1, 9, patch=patch),))


@dataclass(frozen=True)
class Models:
    rows: tuple[ModelVersion, ...]

    async def versions(self, service: str) -> list[ModelVersion]:
        return list(self.rows)


@dataclass(frozen=True)
class Web:
    answer: Any

    async def read(self, system: str, path: str, query: Mapping[str, str]) -> Any:
        return self.answer

    def inventory(self) -> Mapping[str, str]:
        return {"status": "/notes: what people noted"}

    def address(self, system: str, path: str, query: Mapping[str, str]) -> str:
        return f"http://{system}{path}"


@dataclass(frozen=True)
class Told:
    """A system of record; None: it cannot be reached."""

    name: str
    rows: tuple[Change, ...] | None

    async def changes(self, service: str, since: datetime) -> list[Change]:
        if self.rows is None:
            raise QueryFailed("it did not answer")
        return [row for row in self.rows if service in ("", row.service)]


@dataclass(frozen=True)
class Hangs:
    """A system of record that never answers."""

    name: str = "Argo CD"

    async def changes(self, service: str, since: datetime) -> list[Change]:
        await asyncio.Event().wait()
        return []


async def test_the_newest_deploy_is_compared_with_the_version_before_it() -> None:
    deploy = change("d", version="1.5.0", previous_version="1.4.0")

    evidence = await call_tool("code_changes", context(code=Code(), changes=Changes([deploy])), service="checkout")

    assert evidence.summary == "checkout 1.4.0 to 1.5.0: 1 commit, 1 file changed"
    assert "Shrink the pool by Ann" in evidence.details[0] and evidence.details[1] == "pool.py modified +1 -9"


async def test_what_each_commit_does_stands_with_its_quoted_diff() -> None:
    evidence = await call_tool("code_changes", context(code=Code()), service="checkout", base="1.4.0", head="1.5.0")

    assert evidence.details[-5:] == (
        "diff of abc: changes POOL_SIZE from 20 to 2",
        "| pool.py",
        "| @@ -1,9 +1 @@",
        "| -POOL_SIZE = 20",
        "| +POOL_SIZE = 2",
    )
    effect = (evidence.facts.diffs or ())[0].effects[0]
    assert (effect.kind, effect.name, effect.before, effect.after) == ("pool", "POOL_SIZE", "20", "2")
    assert evidence.user_controllable


async def test_commits_that_the_host_counts_but_does_not_list_are_noted_as_unread() -> None:
    class Long(Code):
        async def compare(self, service: str, base: str, head: str) -> Comparison:
            return Comparison(base, head, 251, COMMITS, (FileChange("pool.py", 1, 9),))

    evidence = await call_tool("code_changes", context(code=Long()), service="checkout", base="1.4.0", head="1.5.0")

    assert len(evidence.unseen) == 1 and "250 more commits" in evidence.unseen[0]


async def test_files_that_the_host_does_not_list_leave_the_diff_unread() -> None:
    class Wide(Code):
        async def compare(self, service: str, base: str, head: str) -> Comparison:
            return Comparison(base, head, 1, COMMITS, (FileChange("pool.py", 1, 9),), files_whole=False)

        async def diff(self, service: str, sha: str) -> CommitFiles:
            return CommitFiles((FileChange("README.md", 1, 1, patch="+a word"),), whole=False)

    result = await call_tool("code_changes", context(code=Wide()), service="checkout", base="1.4.0", head="1.5.0")

    (diff,) = result.facts.diffs or ()
    assert diff.partial and not diff.inert
    assert "at least 1 file changed" in result.summary and "files of checkout beyond 1" in result.unseen[0]


async def test_without_a_known_deploy_the_commits_of_the_last_hours_are_listed() -> None:
    evidence = await call_tool("code_changes", context(code=Code()), service="checkout", hours=2)

    assert "1 commit on the default branch in the last 2 h" in evidence.summary and "Shrink the pool" in evidence.summary


async def test_the_version_that_serves_is_told_with_since_when() -> None:
    rows = (
        ModelVersion("fraud", "5", NOW, NOW, status="READY"),
        ModelVersion("fraud", "4", NOW - timedelta(hours=1), NOW, aliases=("Champion",)),
    )

    evidence = await call_tool("model_versions", context(models=Models(rows)), service="checkout")

    assert "fraud version 4 serves as Champion, since" in evidence.summary and "newest is version 5" in evidence.summary


async def test_a_stage_serves_where_no_alias_does() -> None:
    version = ModelVersion("fraud", "4", NOW - timedelta(hours=9), NOW - timedelta(hours=1), stage="Production")

    assert (version.serves_as, version.since) == ("Production", NOW - timedelta(hours=1))


async def test_a_team_s_server_answers_as_named_values_of_foreign_origin() -> None:
    web = Web({"notes": [{"at": "02:50", "text": "pool\nshrunk"}]})

    evidence = await call_tool("read_web", context(web=web), system="status", path="/notes")

    assert evidence.details == ("notes[0].at: 02:50", "notes[0].text: pool shrunk") and evidence.user_controllable


@pytest.mark.parametrize("query", ["x", "[1]", json.dumps({"a": {"b": 1}}), json.dumps({str(n): n for n in range(9)})])
async def test_a_query_is_a_flat_object(query: str) -> None:
    with pytest.raises(QueryFailed, match="query must be a JSON object"):
        await call_tool("read_web", context(web=Web({})), system="status", path="/notes", query=query)


async def test_changes_of_other_systems_stand_beside_those_that_were_reported() -> None:
    told = (change("sync", minutes_before=6), change("model", minutes_before=5).model_copy(update={"kind": "model"}))
    ctx = context(changes=Changes([change("pipeline", minutes_before=5)]), histories=(Told("Argo CD", told),))

    evidence = await call_tool("recent_changes", replace(ctx, metrics=None), service="checkout")

    # The sync is the pipeline's deploy once more; the model is a change of its own.
    assert sorted(row.id for row in evidence.facts.changes or ()) == ["test:model", "test:pipeline"]


async def test_a_system_that_cannot_be_reached_is_told_and_the_others_stand() -> None:
    histories = (Told("Argo CD", None), Told("Helm", (change("release"),)))

    evidence = await call_tool("recent_changes", replace(context(histories=histories), metrics=None), service="checkout")

    assert [row.id for row in evidence.facts.changes or ()] == ["test:release"]
    assert "; could not check Argo CD (it did not answer)" in evidence.summary
    assert evidence.ok and evidence.unseen == ("Could not check (changes from Argo CD): it did not answer",)


async def test_a_system_that_hangs_takes_nothing_with_it_that_was_reported() -> None:
    ctx = context(changes=Changes([change("pipeline")]), histories=(Hangs(),))

    evidence = await call_tool("recent_changes", replace(ctx, metrics=None, seconds=0.1), service="checkout")

    assert [row.id for row in evidence.facts.changes or ()] == ["test:pipeline"]
    assert evidence.unseen == ("Could not check (changes from Argo CD): Argo CD did not answer within 0.08 s",)


async def test_a_list_that_is_full_says_that_older_changes_are_not_in_it() -> None:
    rows = [change(f"d{number}", minutes_before=number) for number in range(MAX_LISTED)]
    full, short = (context(changes=Changes(some)) for some in (rows, rows[:-1]))

    evidence = await call_tool("recent_changes", replace(full, metrics=None), service="checkout", hours=72)
    whole = await call_tool("recent_changes", replace(short, metrics=None), service="checkout", hours=72)

    assert "; could not check what was reported before (only the newest 200 are listed, back to " in evidence.summary
    assert len(evidence.unseen) == 1 and whole.unseen == ()
