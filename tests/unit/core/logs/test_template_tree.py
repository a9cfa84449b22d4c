"""Messages grouped by the tree: which template each joins, and when it starts one of its own."""

import random
from collections import Counter

from bot.core.logs.template_tree import MAX_BRANCHES, Template, TemplateTree


def added(*messages: str, tree: TemplateTree | None = None) -> list[Template]:
    tree = tree or TemplateTree()
    return [tree.add(message.split()) for message in messages]


def text(template: Template) -> str:
    return " ".join(template.words)


def word(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))


def test_words_that_differ_become_masks() -> None:
    first, second = added("cart lost its peer", "cart found its peer")

    assert first is second and text(first) == "cart <*> its peer"


def test_a_message_joins_where_half_of_its_words_agree_and_not_where_fewer_do() -> None:
    first, half, fewer = added("a b c d", "a b x y", "a m n o")

    assert half is first and fewer is not first


def test_messages_of_different_length_or_first_word_never_meet() -> None:
    assert len({template.number for template in added("a b c", "a b c d", "x b c")}) == 3


def test_a_mask_agrees_with_nothing_not_even_with_a_mask() -> None:
    first, other = added("a b <*> <*>", "a m <*> <*>")

    assert other is not first


def test_first_words_with_digits_share_a_leaf() -> None:
    first, second = added("code-500 from cart", "code-503 from cart")

    assert first is second and text(first) == "<*> from cart"


def test_beyond_so_many_first_words_the_rest_shares_a_leaf() -> None:
    tree = TemplateTree()
    added(*(f"{word(number)} is up" for number in range(MAX_BRANCHES - 1)), tree=tree)

    first, second = added("late is up", "later is up", tree=tree)

    assert first is second and text(first) == "<*> is up"


def test_of_templates_that_agree_alike_the_one_with_more_masks_wins() -> None:
    _, general, _, between = added("a b c d", "a x y z", "a x q z", "a b y z")

    assert between is general and text(general) == "a <*> <*> z"


def test_of_templates_that_are_alike_in_all_the_oldest_wins() -> None:
    oldest, _, between = added("a b c d", "a x y z", "a b y q")

    assert between is oldest


VERBS = ("opened", "closed", "lost")
NAMES = ("cart", "checkout", "ledger")
FORMS = (
    "connection to {name} {verb}",
    "{verb} connection to {name}",
    "{name} {verb} a connection after {name} did",
    "code-500 from {name} after {verb} call",
    "code-503 from {name} after {verb} call",
    "{verb} {verb} {name} {name}",
    "retry of {name} for {name} was {verb} by peer",
    "{name}",
    "<*> {name} is down",
    "",
)
RECORDED = [
    ("closed closed <*> <*>", 100),
    ("connection to <*> <*>", 315),
    ("lost connection to <*>", 102),
    ("retry of <*> for <*> was <*> by peer", 291),
    ("closed connection to <*>", 116),
    ("<*> from <*> after <*> call", 622),
    ("", 274),
    ("checkout <*> a connection after checkout did", 117),
    ("ledger <*> a connection after ledger did", 93),
    ("cart <*> a connection after cart did", 88),
    ("lost lost <*> <*>", 88),
    ("opened connection to <*>", 83),
    ("<*> <*> is down", 298),
    ("ledger", 102),
    ("opened opened <*> <*>", 100),
    ("checkout", 105),
    ("cart", 106),
]
"""Template and count as drain3 0.9.11 mined them (depth 4, similarity 0.5), in the order of the first messages."""


def test_three_thousand_drawn_messages_are_grouped_as_the_published_implementation_grouped_them() -> None:
    draw = random.Random(7)
    messages = [draw.choice(FORMS).format(name=draw.choice(NAMES), verb=draw.choice(VERBS)) for _ in range(3000)]

    templates = added(*messages)

    counts = Counter(template.number for template in templates)
    mined = {template.number: text(template) for template in templates}
    assert [(mined[number], counts[number]) for number in sorted(mined)] == RECORDED
