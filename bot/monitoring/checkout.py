"""Where the files of a git checkout can be read in a browser, read from its `.git` without running git."""

import configparser
import re
from configparser import ConfigParser
from pathlib import Path
from urllib.parse import quote, urlsplit

_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_SSH = re.compile(r"(?:ssh://)?(?:[\w.-]+@)?(?P<host>[\w-]+\.[\w.-]+)(?::\d+)?[:/](?P<path>\w[\w./-]*)")
_MAX_LEVELS = 8


def page_base(folder: Path) -> str:
    """The address of the files of `folder` at the checked-out commit, ending with a slash.

    Empty if the folder is in no checkout, or its remote `origin` has no address for a browser.
    """
    for root in [folder.resolve(), *folder.resolve().parents][:_MAX_LEVELS]:
        if (root / ".git").is_dir():
            repository, commit = _repository(root / ".git"), _commit(root / ".git")
            inside = folder.resolve().relative_to(root).as_posix()
            path = "" if inside == "." else quote(inside) + "/"
            blob = "-/blob" if "gitlab" in repository else "blob"
            return f"{repository}/{blob}/{commit}/{path}" if repository and commit else ""
    return ""


def _repository(git: Path) -> str:
    """`https://host/owner/name` of `origin`; names and passwords in the remote's address are left out."""
    parser = ConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string((git / "config").read_text("utf-8", "replace"))
        remote = parser.get('remote "origin"', "url", fallback="").strip()
    except (OSError, configparser.Error):
        return ""
    return _web_address(remote.removesuffix("/").removesuffix(".git"))


def _web_address(remote: str) -> str:
    if remote.startswith("https://"):
        try:
            parts = urlsplit(remote)
            host = parts.hostname or ""
        except ValueError:
            return ""
        return f"https://{host}{quote(parts.path)}" if host else ""
    match = _SSH.fullmatch(remote)
    return f"https://{match['host']}/{match['path'].lstrip('/')}" if match else ""


def _commit(git: Path) -> str:
    try:
        head = (git / "HEAD").read_text("utf-8", "replace").strip()
        name = head.removeprefix("ref: ")
        commit = head if name == head else _reference(git, name)
    except OSError:
        return ""
    return commit if _COMMIT.fullmatch(commit) else ""


def _reference(git: Path, name: str) -> str:
    """The commit of a branch, loose or packed."""
    loose = git / name
    if loose.resolve().is_relative_to(git.resolve()) and loose.is_file():
        return loose.read_text("utf-8", "replace").strip()
    packed = git / "packed-refs"
    lines = packed.read_text("utf-8", "replace").splitlines() if packed.is_file() else []
    return next((line.split(" ", 1)[0] for line in lines if line.endswith(f" {name}")), "")
