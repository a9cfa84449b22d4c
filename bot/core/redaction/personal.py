"""Numbers and addresses of persons: cards, bank accounts, e-mail, telephone. Check digits decide where there are any."""

import re
from collections.abc import Iterator

import re2

Redaction = tuple[int, int, str]

_CARD = re2.compile(r"\b[0-9](?:[ \-.]?[0-9]){12,18}\b")
_IBAN = re2.compile(r"\b[A-Z]{2}[0-9]{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,4})?\b")
_MAIL = re2.compile(r"\b[A-Za-z0-9._%+\-]+@(?:[A-Za-z0-9\-]+\.)+[A-Za-z]{2,24}\b")
_PHONE = re2.compile(
    r"\+[0-9]{1,3}[ \-.][0-9(][0-9 \-.()]{6,14}[0-9]\b|\+[1-9][0-9]{9,13}\b|\([0-9]{3}\) ?[0-9]{3}[ \-.][0-9]{4}\b|"
    r"\b[0-9]{3}-[0-9]{3}-[0-9]{4}\b|\+[0-9]{1,3} ?\([0-9]{1,4}\)[0-9 \-.]{5,14}[0-9]\b|"
    r"\b00[1-9][0-9]{1,2}[ \-][0-9][0-9 \-]{6,14}[0-9]\b"
)
_NUMBER = re2.compile(r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b")
HINT = (
    r"[0-9][ \-.]?(?:[0-9][ \-.]?){8,}[0-9]|@[A-Za-z0-9\-]+\.|\b[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}|"
    r"\([0-9]{3}\)|\+[0-9]|[0-9]{3}-[0-9]{2}-[0-9]{4}"
)
"""Every text in which one of them could stand."""
_GROUPS = ([4, 4, 4, 4], [4, 6, 5], [4, 6, 4], [4, 4, 4, 4, 3], [4, 4, 4, 1])
_GLUE = (".", "-", "_", "+", "~", *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_LOGIN = re.compile(r"://[^\s@/]*$|\b(?:ssh|scp|sftp|rsync|mosh|sshfs)\b[^\n]*\s$")
"""Before a name at a host that is no mailbox: who logs in there."""
_NO_MAIL = re.compile(
    r"(?i)^(?:git|hg|svn|root|ubuntu|ec2-user|core|nobody|www-data|postgres)@|"
    r"\.(?:service|socket|timer|mount|slice|target)$"
)
_ISSUERS = re.compile(
    r"^(?:4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}|"
    r"3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|35(?:2[89]|[3-8][0-9])[0-9]{12}|6(?:011|4[4-9][0-9]|5[0-9]{2}|2[0-9]{2})[0-9]{12,15})$"
)
"""First digits and lengths of the networks' numbers (ISO/IEC 7812)."""


def personal(text: str) -> Iterator[Redaction]:
    """Spans with what stands in their place."""
    for match in _MAIL.finditer(text):
        domain = match.group().rpartition("@")[2]
        login = _LOGIN.search(text[max(0, match.start() - 60) : match.start()])
        if not login and not _NO_MAIL.search(match.group()) and any(c.isalpha() for c in domain.rpartition(".")[0]):
            yield *match.span(), "e-mail"
    for match in _CARD.finditer(text):
        digits = "".join(c for c in match.group() if c.isdigit())
        if (
            _ISSUERS.match(digits)
            and _in_groups(match.group())
            and _apart(text, *match.span())
            and _luhn([int(c) for c in digits])
        ):
            yield *match.span(), "card"
    for match in _IBAN.finditer(text):
        if _mod_97(match.group().replace(" ", "")):
            yield *match.span(), "account"
    for match in _PHONE.finditer(text):
        if _apart(text, *match.span()):
            yield *match.span(), "phone"
    for match in _NUMBER.finditer(text):
        area, _, serial = match.group().split("-")
        if _apart(text, *match.span()) and area not in ("000", "666") and area < "900" and serial != "0000":
            yield *match.span(), "personal number"


def _in_groups(number: str) -> bool:
    """Whether digits stand together or in a card's groups: a measured value has its one point anywhere."""
    groups = [len(group) for group in re.split(r"[ \-.]", number)]
    return len(set(re.findall(r"[ \-.]", number))) <= 1 and (14 <= groups[0] <= 16 if len(groups) == 1 else groups in _GROUPS)


def _apart(text: str, start: int, end: int) -> bool:
    """Whether a number stands for itself and is no part of a name, a version or a longer number."""
    return text[start - 1 : start] not in _GLUE and not (text[end : end + 1] in _GLUE[:3] and text[end + 1 : end + 2].isalnum())


def _luhn(digits: list[int]) -> bool:
    doubled = [d if i % 2 == 0 else (d * 2 - 9 if d > 4 else d * 2) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _mod_97(iban: str) -> bool:
    turned = iban[4:] + iban[:4]
    return 15 <= len(iban) <= 34 and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1
