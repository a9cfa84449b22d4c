"""How the incidents of RootCauseBench are read, and what counts as right."""

import json
from pathlib import Path

from tests.evaluation.__main__ import main
from tests.evaluation.figures import Answer
from tests.evaluation.rootcausebench import grade, judged_as, patches_of

GUILTY, DECOY = "a" * 40, "b" * 40
LABEL = {
    "root_cause_commit": GUILTY,
    "decoy_deploy_commits": [DECOY],
    "first_failing_service": "cart",
    "blast_radius": ["front"],
    "remediation": "rollback",
}


def test_seven_characters_of_the_guilty_commit_are_right_and_an_innocent_deploy_is_a_decoy() -> None:
    verdicts = [judged_as(change, LABEL) for change in (GUILTY[:7], DECOY, "c" * 40, "", "aaa")]

    assert verdicts == ["right", "decoy", "wrong", "wrong", "wrong"]


def test_where_no_commit_is_guilty_naming_none_is_right() -> None:
    label = {**LABEL, "root_cause_commit": "none"}

    assert [judged_as(change, label) for change in ("", DECOY, GUILTY)] == ["right", "decoy", "wrong"]


def test_a_wrong_commit_earns_at_most_half_by_place_and_a_decoy_nothing() -> None:
    answer = Answer(["cart", "front"], changes=["c" * 40])

    assert grade("wrong", answer, LABEL, ["rollback"]) == 0.5
    assert grade("decoy", answer, LABEL, ["rollback"]) == 0.0


def test_hunks_under_a_path_or_a_function_become_patches_with_counts() -> None:
    diff = "@@ a/one.go @@\n-old\n+new\n same\n@@ func Two() {\n+more"

    one, two = patches_of(diff, ["a/one.go", "b/two.go"])

    assert one.patch.splitlines()[0] == "@@ -1,2 +1,2 @@"
    assert (one.added, one.removed, "@@ -1,0 +1,1 @@ func Two() {" in one.patch) == (2, 1, True)
    assert two.patch == ""


def test_a_deleted_file_keeps_its_name_and_headers_of_git_are_no_lines() -> None:
    diff = (
        "diff --git a/limits.conf b/limits.conf\ndeleted file mode 100644\nindex 9c11c5f..0000000\n--- a/limits.conf\n"
        "+++ /dev/null\n@@ -1,1 +0,0 @@\n-LimitNOFILE=102400\ndiff --git a/tasks.yml b/tasks.yml\nindex b975d78..6892\n"
        "--- a/tasks.yml\n+++ b/tasks.yml\n@@ -1 +1 @@\n-a\n+b"
    )

    deleted, changed = patches_of(diff, ["limits.conf", "tasks.yml"])

    assert (deleted.path, deleted.patch) == ("limits.conf", "@@ -1,1 +1,0 @@\n-LimitNOFILE=102400")
    assert (changed.path, changed.added, changed.removed) == ("tasks.yml", 1, 1)


def test_an_incident_is_answered_without_labels_and_its_details_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "set" / "an-incident"
    folder.mkdir(parents=True)
    moments = [f"2026-06-01T10:{minute:02}:00Z" for minute in range(60)]
    rows = [f"{at},cart,http_5xx_ratio,{0.5 if place > 50 else 0.001 + place % 3 / 1e4}" for place, at in enumerate(moments)]
    (folder / "metrics.csv").write_text("\n".join(["timestamp,service,metric,value", *rows]))
    line = {"timestamp": moments[52], "service": "cart", "severity_text": "ERROR", "msg": "no table baskets"}
    (folder / "logs.ndjson").write_text(json.dumps(line))
    alert = {"service": "cart", "metric": "http_5xx_ratio", "fired_at": moments[54], "monitor": "errors"}
    (folder / "alert.json").write_text(json.dumps(alert))

    arguments = ["rootcausebench", "--data", str(tmp_path / "set"), "--out", str(tmp_path / "out.json")]
    assert main([*arguments, "--details", str(tmp_path / "details.json")]) == 0

    details = json.loads((tmp_path / "details.json").read_text())["an-incident"]
    assert list(details) == ["ranked", "change", "changes", "confidence", "seconds"]
    assert (details["ranked"], details["change"], details["confidence"]) == (["cart"], "", "possible")
