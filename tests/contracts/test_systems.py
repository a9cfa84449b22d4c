"""GitHub, Argo CD, Helm's records in Kubernetes, MLflow and the team's own servers, as their published APIs answer.

None of them can be run here: the answers are built from their documentation, with the addresses, parameters and headers
that they ask for; anything else is refused as they refuse it.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.core.config.systems import SystemConfig, WebConfig
from bot.core.errors import PartialResult, QueryFailed
from bot.core.service import Catalogue, Service
from bot.monitoring.systems.argocd import ArgoCd
from bot.monitoring.systems.github import GitHub
from bot.monitoring.systems.helm import Helm
from bot.monitoring.systems.mlflow import MLflow
from bot.monitoring.systems.web import AllowedWeb
from tests.unit.tools.tool_fixture import call_tool, context

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HERE = SystemConfig(url="http://system.example.com")
TOKEN = "t0ken"
REFUSED = (
    "/api/of/", "/api/of/a/b", "/api/of/..", "/api/of/%2e%2e", "/api/of/a\\b", "/api/of/@evil.example.com/x",
    "/api/notes/../users", "/api/notes?x=1", "api/notes", "//evil.example.com",
)  # fmt: skip


def ago(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(minutes: float) -> int:
    return int((NOW - timedelta(minutes=minutes)).timestamp() * 1000)


def commit(sha: str, minutes: float, message: str) -> dict[str, object]:
    by = {"name": "Ann", "email": "ann@example.com", "date": ago(minutes)}
    link = f"https://github.com/shop/checkout/commit/{sha}"
    return {"sha": sha, "html_url": link, "commit": {"author": by, "committer": by, "message": message}}


WIDE = [{"filename": f"page{n}.css", "status": "modified", "additions": 1, "deletions": 1} for n in range(300)]
"""As many files as GitHub lists: more of them are on further pages, or nowhere."""


def _github(path: str, asked: httpx.Request) -> httpx.Response:
    if path == "/repos/shop/checkout":
        return httpx.Response(200, json={"full_name": "shop/checkout"})
    if path == "/repos/shop/checkout/commits/c2":
        file = {
            "filename": "pool.py",
            "status": "modified",
            "additions": 1,
            "deletions": 1,
            "patch": "@@ -1 +1 @@\n-a = 1\n+a = 2",
        }
        binary = {"filename": "logo.png", "status": "added", "additions": 0, "deletions": 0}
        return httpx.Response(200, json={**commit("c2", 5, "Second"), "files": [file, binary]})
    if path == "/repos/shop/checkout/commits":
        if asked.url.params.get("sha") not in (None, "v1.5.0"):
            return httpx.Response(404, json={"message": "Not Found"})
        return httpx.Response(200, json=[commit("c2", 5, "Second"), commit("c1", 60, "First\n\nbody")])
    if path == "/repos/shop/checkout/compare/v1.5.0...v2.0.0":
        body = {"total_commits": 1, "commits": [commit("wide", 5, "Format")], "files": WIDE, "html_url": "https://x"}
        return httpx.Response(200, json=body)
    if path == "/repos/shop/checkout/commits/wide":
        return httpx.Response(200, json={**commit("wide", 5, "Format"), "files": WIDE})
    if path == "/repos/shop/checkout/compare/v1.4.0...v1.5.0":
        files = [{"filename": "pool.py", "status": "modified", "additions": 3, "deletions": 9}]
        commits = [commit("c1", 60, "First\n\nbody"), commit("c2", 5, "Second")]
        return httpx.Response(200, json={"total_commits": 2, "commits": commits, "files": files, "html_url": "https://x"})
    if path == "/repos/shop/checkout/compare/v1.5.0...v1.4.0":
        back = {"status": "behind", "ahead_by": 0, "behind_by": 2, "total_commits": 0, "commits": [], "files": []}
        return httpx.Response(200, json=back)
    return httpx.Response(404, json={"message": "Not Found"})


def _argocd(path: str, asked: httpx.Request) -> httpx.Response:
    if path != "/api/v1/applications/checkout-prod":
        return httpx.Response(403, json={"error": "permission denied", "code": 7})
    by = {"username": "ann"}
    rows = [
        {"id": 7, "revision": "a" * 40, "deployedAt": ago(600), "initiatedBy": {"automated": True}},
        {"id": 8, "revision": "b" * 40, "deployedAt": ago(10), "initiatedBy": by},
    ]
    return httpx.Response(200, json={"metadata": {"name": "checkout-prod"}, "status": {"history": rows}})


def _kubernetes(path: str, asked: httpx.Request) -> httpx.Response:
    if "as=PartialObjectMetadataList" not in asked.headers["Accept"]:
        return httpx.Response(500, json={"message": "the content of secrets was asked for"})
    if path != "/api/v1/namespaces/prod/secrets" or asked.url.params["labelSelector"] != "owner=helm,name=checkout":
        return httpx.Response(403, json={"kind": "Status", "message": "secrets is forbidden"})
    items = [
        {"metadata": {"creationTimestamp": ago(m), "labels": {"name": "checkout", "owner": "helm", "status": s, "version": v}}}
        for v, m, s in (("10", 10, "deployed"), ("9", 900, "superseded"))
    ]
    return httpx.Response(200, json={"kind": "PartialObjectMetadataList", "items": items})


def _version(version: str, minutes: float) -> dict[str, object]:
    times = {"creation_timestamp": milliseconds(minutes), "last_updated_timestamp": milliseconds(minutes - 1)}
    return {"name": "fraud", "version": version, **times, "current_stage": "None", "status": "READY", "run_id": f"r{version}"}


def _mlflow(path: str, asked: httpx.Request) -> httpx.Response:
    if path == "/api/2.0/mlflow/registered-models/get" and asked.url.params["name"] == "fraud":
        return httpx.Response(
            200, json={"registered_model": {"name": "fraud", "aliases": [{"alias": "champion", "version": "4"}]}}
        )
    if path == "/api/2.0/mlflow/model-versions/search" and asked.url.params["filter"] == "name='fraud'":
        rows = [_version("5", 5), _version("4", 30), _version("3", 9000)]
        return httpx.Response(200, json={"model_versions": rows})
    return httpx.Response(404, json={"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Registered Model not found"})


def _web(path: str, asked: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"path": path, "asked": dict(asked.url.params)})


def client(answer: Callable[[str, httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.method != "GET" or request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return httpx.Response(401, json={"message": "Bad credentials"})
        return answer(request.url.path, request)

    return httpx.AsyncClient(transport=httpx.MockTransport(handle))


@pytest.fixture
async def github() -> AsyncIterator[GitHub]:
    async with client(_github) as asked:
        yield GitHub(HERE, asked, {"checkout": "shop/checkout", "cart": "shop/cart"}, token=TOKEN)


async def test_versions_are_compared_newest_commit_first_and_found_as_tags_too(github: GitHub) -> None:
    found = await github.compare("checkout", "1.4.0", "1.5.0")

    assert [(one.sha, one.title, one.author) for one in found.commits] == [("c2", "Second", "Ann"), ("c1", "First", "Ann")]
    assert (found.total, found.files[0].path, found.files[0].removed) == (2, "pool.py", 9)


async def test_a_way_back_tells_what_it_takes_back(github: GitHub) -> None:
    catalogue = Catalogue([Service(name="checkout")])
    evidence = await call_tool(
        "code_changes", context(code=github, catalogue=catalogue), service="checkout", base="1.5.0", head="1.4.0"
    )

    assert evidence.summary == "checkout 1.5.0 back to 1.4.0: 2 commits taken back, 1 file changed"
    assert "Second" in evidence.details[0] and evidence.details[2] == "pool.py modified +9 -3"


async def test_commits_of_the_last_hours_come_newest_first(github: GitHub) -> None:
    assert [one.sha for one in await github.commits("checkout", NOW - DAY)] == ["c2", "c1"]


async def test_commits_of_a_version_are_found_by_its_tag_too(github: GitHub) -> None:
    assert [one.sha for one in await github.commits("checkout", NOW - DAY, head="1.5.0")] == ["c2", "c1"]
    with pytest.raises(QueryFailed, match="has no version 9"):
        await github.commits("checkout", NOW - DAY, head="9")


async def test_the_patches_of_a_commit_come_as_they_are_and_a_binary_has_none(github: GitHub) -> None:
    diff = await github.diff("checkout", "c2")
    text, binary = diff.files

    assert diff.whole and (text.path, text.patch.splitlines()[1:], binary.patch) == ("pool.py", ["-a = 1", "+a = 2"], "")


async def test_as_many_files_as_github_lists_may_not_be_all_of_them(github: GitHub) -> None:
    comparison, diff = await github.compare("checkout", "1.5.0", "2.0.0"), await github.diff("checkout", "wide")

    assert (comparison.files_whole, diff.whole, len(diff.files)) == (False, False, 300)


async def test_a_version_that_the_repository_does_not_know_could_not_be_looked_at(github: GitHub) -> None:
    with pytest.raises(QueryFailed, match=r"has no versions 1\.4\.0 and 9\.9 of shop/checkout"):
        await github.compare("checkout", "1.4.0", "9.9")


async def test_a_version_cannot_leave_its_place_in_the_address(github: GitHub) -> None:
    with pytest.raises(QueryFailed, match="has no versions"):
        await github.compare("checkout", "../../../user", "x?y#z")


async def test_a_service_without_a_repository_is_told_with_the_key_that_sets_it(github: GitHub) -> None:
    with pytest.raises(QueryFailed, match=r"services\.web\.known_as\.github"):
        await github.commits("web", NOW - DAY)


async def test_argo_cd_s_history_is_deploys_with_what_was_before() -> None:
    async with client(_argocd) as asked:
        argocd = ArgoCd(HERE, asked, {"checkout": "checkout-prod"}, token=TOKEN)
        lately, all_of_it = await argocd.changes("checkout", NOW - timedelta(hours=1)), await argocd.changes("", NOW - DAY)

    assert [(c.id, c.kind, c.version, c.previous_version, c.author) for c in lately] == [
        ("argocd:checkout-prod:8", "deploy", "b" * 12, "a" * 12, "ann")
    ]
    assert [c.author for c in all_of_it] == ["ann", "automated"]


async def test_helm_s_history_is_read_from_labels_alone() -> None:
    async with client(_kubernetes) as asked:
        found = await Helm(HERE, asked, {"checkout": "prod/checkout"}, token=TOKEN).changes(
            "checkout", NOW - timedelta(hours=1)
        )

    assert [(c.id, c.version, c.previous_version) for c in found] == [("helm:checkout:10", "10", "9")]


async def test_a_helm_history_of_many_pages_is_read_whole() -> None:
    """Kubernetes lists by name: v10 and v100 come before v2, and the newest revision on the last page."""

    def record(revision: int) -> dict[str, object]:
        labels = {"name": "checkout", "owner": "helm", "status": "superseded", "version": str(revision)}
        return {"metadata": {"creationTimestamp": ago(1000 - revision), "labels": labels}}

    def answer(path: str, asked: httpx.Request) -> httpx.Response:
        rows, first = sorted(range(1, 251), key=str), int(asked.url.params.get("continue", "0"))
        more = {"continue": str(first + 100)} if first + 100 < len(rows) else {}
        items = [record(revision) for revision in rows[first : first + int(asked.url.params["limit"])]]
        return httpx.Response(200, json={"kind": "PartialObjectMetadataList", "metadata": more, "items": items})

    async with client(answer) as asked:
        found = await Helm(HERE, asked, {"checkout": "prod/checkout"}, token=TOKEN).changes("", NOW - timedelta(hours=12.6))

    assert [(c.version, c.previous_version) for c in found] == [(str(n), str(n - 1)) for n in range(250, 243, -1)]


async def test_one_history_that_cannot_be_read_hides_none_of_a_large_inventory() -> None:
    def answer(path: str, asked: httpx.Request) -> httpx.Response:
        if path.endswith("/s7"):
            return httpx.Response(404, json={"error": "no application s7"})
        rows = [{"id": 0, "deployedAt": ago(5), "revision": "f00"}]
        return httpx.Response(200, json={"status": {"history": rows}})

    async with client(answer) as asked:
        argo = ArgoCd(HERE, asked, {f"service-{n}": f"s{n}" for n in range(60)}, token=TOKEN)
        with pytest.raises(PartialResult, match=r"service-7: .*no application s7") as partly:
            await argo.changes("", NOW - DAY)

    assert {change.service for change in partly.value.answers} == {f"service-{n}" for n in range(60)} - {"service-7"}


async def test_the_model_version_that_serves_is_a_change() -> None:
    async with client(_mlflow) as asked:
        mlflow = MLflow(HERE, asked, {"fraud-check": "fraud"}, token=TOKEN)
        versions, changes = await mlflow.versions("fraud-check"), await mlflow.changes("", NOW - DAY)

    assert [(one.version, one.serves_as) for one in versions] == [("5", ""), ("4", "champion"), ("3", "")]
    # Version 3 may never have served: versions are registered that nobody lets serve.
    assert [(c.kind, c.version, c.previous_version, c.at) for c in changes] == [("model", "4", "", NOW - timedelta(minutes=30))]


async def test_the_model_version_whose_stage_another_took_served_before_it() -> None:
    stages = {"5": "None", "4": "Production", "3": "None", "2": "Archived", "1": "Archived"}
    minutes = {"5": 5, "4": 30, "3": 40, "2": 30, "1": 9000}

    def answer(path: str, asked: httpx.Request) -> httpx.Response:
        if path.endswith("/registered-models/get"):
            return httpx.Response(200, json={"registered_model": {"name": "fraud"}})
        rows = [{**_version(number, minutes[number]), "current_stage": stage} for number, stage in stages.items()]
        return httpx.Response(200, json={"model_versions": rows})

    async with client(answer) as asked:
        changes = await MLflow(HERE, asked, {"fraud-check": "fraud"}, token=TOKEN).changes("", NOW - DAY)

    assert [(c.version, c.previous_version) for c in changes] == [("4", "2")]


async def test_only_allowed_paths_of_the_team_s_servers_are_asked() -> None:
    allowed = {"status": WebConfig(url="http://status.example.com", allow=("/api/notes", "/api/of/*"))}
    async with client(_web) as asked:
        web = AllowedWeb(allowed, asked, tokens={"status": TOKEN})
        plain, one = await web.read("status", "/api/notes", {"a": "1"}), await web.read("status", "/api/of/checkout", {})
        assert (plain, one["path"]) == ({"path": "/api/notes", "asked": {"a": "1"}}, "/api/of/checkout")  # type: ignore[index]
        for path in REFUSED:
            with pytest.raises(QueryFailed, match="is not allowed on status"):
                await web.read("status", path, {})
        with pytest.raises(QueryFailed, match="there is no system 'else'; there is status"):
            await web.read("else", "/api/notes", {})


async def test_the_checks_say_what_is_well_and_what_to_do() -> None:
    async with (
        client(_github) as gh,
        client(_argocd) as ac,
        client(_kubernetes) as kc,
        client(_mlflow) as mc,
        client(_web) as wc,
    ):
        good = [
            await GitHub(HERE, gh, {"checkout": "shop/checkout"}, token=TOKEN).check(),
            await ArgoCd(HERE, ac, {"checkout": "checkout-prod"}, token=TOKEN).check(),
            await Helm(HERE, kc, {"checkout": "prod/checkout"}, token=TOKEN).check(),
            await MLflow(HERE, mc, {"fraud-check": "fraud"}, token=TOKEN).check(),
            await AllowedWeb({"s": WebConfig(url="http://x.example.com", allow=("/a",))}, wc, tokens={"s": TOKEN}).check("s"),
        ]
        bad = [
            await GitHub(HERE, gh, {"cart": "shop/cart"}, token=TOKEN).check(),
            await ArgoCd(HERE, ac, {"cart": "cart-prod"}, token=TOKEN).check(),
            await Helm(HERE, kc, {"cart": "prod/cart"}, token=TOKEN).check(),
            await MLflow(HERE, mc, {"fraud-check": "fraud"}, token="wrong").check(),
            await AllowedWeb({"s": WebConfig(url="http://x.example.com", allow=("/a",))}, wc).check("s"),
        ]

    assert [check.state for check in good] == ["ok"] * 5
    assert [check.state for check in bad] == ["failed"] * 5 and all(check.advice for check in bad)
    assert "Not Found" in bad[0].result and "permission denied" in bad[1].result and "Bad credentials" in bad[3].result


async def test_of_many_commits_the_newest_are_told() -> None:
    """GitHub lists a comparison from its oldest commit on, a hundred a page."""

    def answer(path: str, asked: httpx.Request) -> httpx.Response:
        first = 100 * (int(asked.url.params.get("page", "1")) - 1)
        rows = [commit(f"c{n}", 1000 - n, f"Commit {n}") for n in range(first, min(first + 100, 250))]
        return httpx.Response(200, json={"total_commits": 250, "commits": rows, "files": []})

    async with client(answer) as asked:
        found = await GitHub(HERE, asked, {"checkout": "shop/checkout"}, token=TOKEN).compare("checkout", "v1", "v2")

    assert found.total == 250 and [one.sha for one in found.commits] == [f"c{n}" for n in range(249, 149, -1)]


async def test_github_s_own_words_for_a_refusal_are_told() -> None:
    def limited(path: str, asked: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"message": "API rate limit exceeded"})

    async with client(limited) as asked:
        with pytest.raises(QueryFailed, match="HTTP 403: API rate limit exceeded"):
            await GitHub(HERE, asked, {"checkout": "shop/checkout"}, token=TOKEN).compare("checkout", "v1", "v2")


async def test_a_model_version_that_serves_is_found_however_many_are_newer() -> None:
    """Trained every night, promoted twice a year: the one that serves is on no page of the newest."""

    def answer(path: str, asked: httpx.Request) -> httpx.Response:
        if path.endswith("/registered-models/get"):
            staged = {**_version("3", 9000), "current_stage": "Staging"}
            model = {"name": "fraud", "aliases": [{"alias": "champion", "version": "7"}], "latest_versions": [staged]}
            return httpx.Response(200, json={"registered_model": model})
        if path.endswith("/model-versions/get") and asked.url.params["version"] == "7":
            return httpx.Response(200, json={"model_version": _version("7", 5000)})
        if path.endswith("/model-versions/search"):
            return httpx.Response(200, json={"model_versions": [_version(str(n), 100 - n) for n in range(99, 79, -1)]})
        return httpx.Response(404, json={"message": "not found"})

    async with client(answer) as asked:
        found = await MLflow(HERE, asked, {"fraud-check": "fraud"}, token=TOKEN).versions("fraud-check")

    assert [one.version for one in found if one.serves_as] == ["7"]
    assert [one.version for one in found[-2:]] == ["7", "3"] and found[0].version == "99"
