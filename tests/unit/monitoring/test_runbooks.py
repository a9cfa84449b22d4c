"""The folder of runbooks."""

from pathlib import Path

import pytest

from bot.core.errors import QueryFailed
from bot.monitoring.runbooks import RunbookFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    books = tmp_path / "runbooks"
    (books / "db").mkdir(parents=True)
    (books / "HighErrorRate.md").write_text("# HighErrorRate\n\nRequests fail. Roll the newest deploy back.\n")
    (books / "db" / "pool.md").write_text("# Connection pool exhausted\n\nConnections wait. Restart the slow consumer.\n")
    (tmp_path / "secret.md").write_text("# Secret\n\npassword\n")
    return books


async def test_the_exact_name_comes_first_whatever_the_words_say(folder: Path) -> None:
    hits = await RunbookFolder(folder).search("high-error-rate\nconnections in the pool wait")

    assert (hits[0].id, hits[0].similarity) == ("HighErrorRate", 1.0) and hits[1].id == "db/pool"


async def test_words_find_a_runbook_with_its_title_and_passage(folder: Path) -> None:
    (hit, *_) = await RunbookFolder(folder).search("consumers wait for a connection")

    assert (hit.id, hit.title) == ("db/pool", "Connection pool exhausted") and "slow consumer" in hit.passage
    assert 0.2 < hit.similarity < 1


@pytest.mark.parametrize("id", ["../secret", "../secret.md", "/etc/passwd", "HighErrorRate.md", ""])
async def test_an_id_is_looked_up_and_never_a_path(folder: Path, id: str) -> None:
    assert await RunbookFolder(folder).read(id) is None


async def test_a_link_out_of_the_folder_is_not_on_the_shelf(folder: Path) -> None:
    (folder / "link.md").symlink_to(folder.parent / "secret.md")

    assert await RunbookFolder(folder).read("link") is None


async def test_new_and_changed_files_are_seen_without_a_restart(folder: Path) -> None:
    reader = RunbookFolder(folder)
    assert await reader.read("new") is None

    (folder / "new.md").write_text("# Disk full\n\nDelete old files.\n")

    assert (await reader.search("Disk full"))[0].id == "new"


async def test_a_missing_folder_could_not_be_looked_at(tmp_path: Path) -> None:
    with pytest.raises(QueryFailed, match="runbooks cannot be read"):
        await RunbookFolder(tmp_path / "nowhere").search("x")


async def test_a_private_key_in_a_runbook_is_not_read_out_line_by_line(folder: Path) -> None:
    key = "-----BEGIN RSA PRIVATE " + "KEY-----\nFAKEFAKEFAKE\nFAKEFAKE\n-----END RSA PRIVATE " + "KEY-----"
    (folder / "restore.md").write_text(f"# Restore\n\nPut back:\n{key}\nThen restart.\n")

    assert await RunbookFolder(folder).read("restore") == "# Restore\n\nPut back:\n[private key]\nThen restart.\n"


def checked_out(folder: Path, remote: str, *, packed: bool = False) -> None:
    """What git leaves in `.git`, as far as it is read."""
    git = folder / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "notes.md").write_text("# Not a runbook\n")
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "config").write_text(f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {remote}\n')
    if packed:
        (git / "packed-refs").write_text(f"# pack-refs with: peeled\n{'a1' * 20} refs/heads/main\n")
    else:
        (git / "refs" / "heads" / "main").write_text("a1" * 20 + "\n")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("remote", ["https://bot:secret@code.example/shop/books.git", "git@code.example:shop/books.git"])
async def test_a_hit_in_a_checkout_links_to_the_commit(folder: Path, remote: str, packed: bool) -> None:
    checked_out(folder.parent, remote, packed=packed)

    (hit, *_) = await RunbookFolder(folder).search("HighErrorRate")

    assert hit.link == f"https://code.example/shop/books/blob/{'a1' * 20}/runbooks/HighErrorRate.md"


async def test_what_git_keeps_for_itself_is_not_on_the_shelf(folder: Path) -> None:
    checked_out(folder, "https://code.example/shop/books")

    assert await RunbookFolder(folder).search("Not a runbook") == []


@pytest.mark.parametrize("remote", ["", "/srv/books", "file:///srv/books", "https://"])
async def test_a_remote_without_a_page_gives_no_link(folder: Path, remote: str) -> None:
    checked_out(folder, remote)

    assert (await RunbookFolder(folder).search("HighErrorRate"))[0].link == ""


async def test_the_title_of_the_front_matter_names_a_runbook_without_heading(folder: Path) -> None:
    (folder / "page-7.md").write_text("---\ntitle: 'Queue stuck'\n---\n\nRestart the worker.\n")

    (hit, *_) = await RunbookFolder(folder).search("QueueStuck")

    assert (hit.id, hit.similarity) == ("page-7", 1.0)


async def test_a_file_name_goes_before_the_title_of_a_page_copied_from_it(folder: Path) -> None:
    (folder / "a-copy.md").write_text("# DiskFull\n\nDelete old files.\n")
    (folder / "DiskFull.md").write_text("# TODO\n\nGrow the volume.\n")
    (folder / "z-copy.md").write_text("# DiskFull\n\nDelete old files.\n")

    assert (await RunbookFolder(folder).search("DiskFull"))[0].id == "DiskFull"
