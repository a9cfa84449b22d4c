"""The runbook that fits is found by its words."""

from bot.core.questions.retrieval import Ranking, best_passage
from bot.core.text.stemming import stem, stems

SHELF = {
    "disk": "# NodeDiskFull\nThe filesystem of a node is filling up. Delete old logs or grow the volume.",
    "errors": "# HighErrorRate\nRequests fail with server errors. Check the newest deploy and the dependencies.",
    "certificate": "# CertificateExpiry\nThe certificate expires soon. Renew it.",
}


def test_other_forms_of_a_word_find_the_runbook() -> None:
    assert Ranking(SHELF).search("certificates are expiring")[0][0] == "certificate"


def test_a_text_that_shares_no_word_finds_nothing() -> None:
    assert Ranking(SHELF).search("zzz qqq") == []


def test_an_empty_shelf_answers_with_nothing() -> None:
    assert Ranking({}).search("anything") == []


def test_camel_case_is_taken_apart() -> None:
    assert stems("KubePodCrashLooping")[1:] == ["pod", "crash", "loop"]


def test_forms_of_one_word_share_a_stem() -> None:
    assert len({stem(word) for word in ("expire", "expires", "expired", "expiring")}) == 1


def test_template_parts_of_an_alert_do_not_count() -> None:
    assert Ranking(SHELF).search("{{ $labels.certificate }} fills the filesystem")[0][0] == "disk"


def test_the_passage_is_the_paragraph_that_shares_most() -> None:
    text = "# Title\n\nNothing here.\n\nRenew the certificate with the tool.\n\n```\ncertificate\n```"

    assert best_passage(text, "certificate expires") == "Renew the certificate with the tool."


def test_words_of_a_command_count_less_than_words_of_the_text() -> None:
    books = {"text": "# One\nThe quota is full.", "command": "# Two\nLook:\n```\nquota\n```"}

    assert [name for name, _ in Ranking(books).search("quota")] == ["text", "command"]


def test_the_first_sentence_says_what_is_wrong() -> None:
    books = {"disk": "# One\nThe disk fills up.", "network": "# Two\nThe network drops packets."}

    assert Ranking(books).search("Network drops. Disk fills.")[0][0] == "network"
    assert Ranking(books).search("Disk fills. Network drops.")[0][0] == "disk"
