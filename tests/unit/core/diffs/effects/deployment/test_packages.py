"""Versions in what a package manager writes."""

import pytest

from bot.core.diffs.effects.deployment.packages import locked_packages, manifest_packages
from bot.core.diffs.patches import read_patches
from bot.core.systems import FileChange

POETRY = """@@ -1 +1 @@
 name = "tlslib"
-version = "1.26.18"
+version = "2.2.2"
 description = "sockets"
"""
NPM = """@@ -1 +1 @@
     "node_modules/router": {
-      "version": "4.18.2",
+      "version": "5.0.1",
"""


def packages(path: str, patch: str) -> list[tuple[str, str, str]]:
    (read,) = read_patches([FileChange(path, 1, 1, patch=patch)])
    return [(effect.name, effect.before, effect.after) for effect in locked_packages(read)]


def test_the_name_that_stands_beside_a_version_belongs_to_it() -> None:
    assert packages("svc/poetry.lock", POETRY) == [("tlslib", "1.26.18", "2.2.2")]
    assert packages("web/package-lock.json", NPM) == [("router", "4.18.2", "5.0.1")]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("gradle/libs.versions.toml", 'broker = "{}"'),
        ("gradle/libs.versions.toml", 'broker = {{ module = "org.example:broker", version = "{}" }}'),
        ("Cargo.toml", 'broker = {{ version = "{}", features = ["tls"] }}'),
        ("Directory.Packages.props", '    <PackageVersion Include="broker" Version="{}" />'),
        ("api/Api.csproj", '    <PackageReference Include="broker" Version="{}" />'),
    ],
)
def test_a_manifest_and_a_catalogue_hold_versions_in_forms_of_their_own(path: str, line: str) -> None:
    lines = f"@@ -1 +1 @@\n-{line.format('2.8.2')}\n+{line.format('3.9.1')}"
    (patch,) = read_patches([FileChange(path, 1, 1, patch=lines)])

    (effect,) = manifest_packages(patch)
    assert (effect.kind, effect.name, effect.before, effect.after) == ("dependency", "broker", "2.8.2", "3.9.1")


def test_versions_whose_names_are_not_shown_are_left_out() -> None:
    assert not packages("svc/poetry.lock", POETRY.replace(' name = "tlslib"\n', ""))


def test_other_files_hold_no_locked_packages() -> None:
    assert not packages("svc/chart.yaml", POETRY)
