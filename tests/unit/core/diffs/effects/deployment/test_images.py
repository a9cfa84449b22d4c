"""What a container's image is built on and what is installed in it."""

from bot.core.diffs.effects.effects import effects_of
from bot.core.diffs.patches import read_patches
from bot.core.facts.code import EffectFact
from bot.core.systems import FileChange


def read(path: str, *lines: str) -> tuple[EffectFact, ...]:
    patch = "\n".join(["@@ -1 +1 @@", *lines])
    return tuple(
        effect for effect in effects_of(read_patches([FileChange(path, 1, 1, patch=patch)])) if effect.kind == "dependency"
    )


def test_another_base_and_what_is_installed_no_longer_are_dependencies() -> None:
    effects = read(
        "letters/Dockerfile",
        "-FROM registry.example/java:21-jre-jammy AS run",
        "-RUN apt-get update && apt-get install -y --no-install-recommends fontconfig libheif1 && rm -rf /var/lib/apt/lists/*",
        "+FROM registry.example/java:21-jre-alpine AS run",
    )

    assert [(effect.name, effect.before, effect.after) for effect in effects] == [
        ("registry.example/java", "21-jre-jammy", "21-jre-alpine"),
        ("fontconfig", "installed", ""),
        ("libheif1", "installed", ""),
    ]


INSTALL = " RUN apt-get update && apt-get install -y \\"


def test_packages_on_lines_of_their_own_are_read_and_those_that_only_moved_are_none() -> None:
    gone = read("Dockerfile", INSTALL, "-    fontconfig \\", "-    fonts-noto \\", "+    fonts-noto \\", "+    curl \\")
    pinned = read(
        "Dockerfile", "-RUN apk add --no-cache curl git", "+RUN apk add --no-cache curl=$CURL_VERSION", "+COPY git /opt/git"
    )

    assert [effect.name for effect in gone] == ["fontconfig"]
    assert not pinned


def test_options_of_an_installer_and_other_lines_of_an_image_are_no_packages() -> None:
    told = read("Dockerfile", "-RUN apt-get -y --no-install-recommends install -t bookworm-backports jq:amd64", "+RUN true")
    other = read("Dockerfile", INSTALL, "-    npm run build", "-    exec java \\", "-COPY package.json yarn.lock ./")

    assert [effect.name for effect in told] == ["jq"]
    assert [effect.name for effect in other] == []


def test_of_a_line_that_was_not_read_to_its_end_nothing_is_called_gone() -> None:
    packages = " ".join(f"package-{number}" for number in range(30))

    assert not read("Dockerfile", f"-RUN apt-get install -y {packages}", f"+RUN apt-get install -y first {packages}")


def test_a_file_that_builds_no_image_installs_nothing() -> None:
    assert not read("scripts/setup.sh", "-apt-get install -y fontconfig")
