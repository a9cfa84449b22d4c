"""A question as it would be spelled with time: apostrophes, the short words of a chat, and what only asks for assent.

"whats up w/ cart" asks what "what is up with cart?" does, and "its the db, right" whether it is.
"""

import re
from collections.abc import Collection, Mapping

from bot.core.questions.parsing.forms import is_statement, names_question_word

_CHAT: Mapping[str, str] = {
    "u": "you", "ur": "your", "r": "are", "rn": "right now", "pls": "please", "plz": "please", "ppl": "people",
    "thru": "through", "smth": "something", "sth": "something", "cuz": "because", "cos": "because", "bc": "because",
    "wtf": "what", "wth": "what", "cant": "can't", "wont": "won't",
    "gonna": "going to",
}  # fmt: skip
_CHAT_WORD = re.compile(rf"(?<![\w.'’-])(?:{'|'.join(_CHAT)})(?![\w.'’-])", re.IGNORECASE)
_WITH = re.compile(r"(?<!\S)w/(o)?(?=\s|$)", re.IGNORECASE)
_NEGATED = re.compile(r"(?<![\w.-])(is|are|was|were|do|does|did|has|have|could|should|would)nt(?![\w.-])", re.IGNORECASE)
_SHORT_IS = re.compile(r"(?<![\w.-])(what|who|where|when|why|how|that|there|here)['’]?s(?![\w.-])", re.IGNORECASE)
_SHORT_ARE = re.compile(r"(?<![\w.-])(we|they|you)['’]re(?![\w.-])", re.IGNORECASE)
_EXPLETIVE = re.compile(r"\b(what|why|who|how|where)\s+(?:the|in\s+the)\s+(?:hell|heck|fuck|world)\b", re.IGNORECASE)
_ROLL_OUT = re.compile(r"\broll(ed|ing)?\s+(?:\w+\s+)?out\b", re.IGNORECASE)
_LAST_TIME = re.compile(r"\b(?:the\s+)?last\s+time(?=\W*$)", re.IGNORECASE)
_ERROR_BUDGET = re.compile(r"\berrors?[\s-]+(?=budgets?\b)", re.IGNORECASE)
"""A budget is no error: the question is not for what fails."""
_AT_ALL = re.compile(r"\s+at\s+all\b", re.IGNORECASE)
_ALTERNATIVE = re.compile(
    r"[\s,;-]+(?:or\s+(?:what|not|something|is\s+it\s+just\s+me)|yes\s+or\s+no)\s*[?!.]*\s*$", re.IGNORECASE
)
"""No choice: a thing is asked of, and these are its opposite."""
_ASSENT = re.compile(
    r"[\s,;:–—-]+(?:right|correct|yes|no|yeah|agreed|true|huh"
    r"|(?:is|was|are|were|do|does|did|has|have|ca|wo)n['’]t\s+(?:it|they|that|we|there)|(?:is|was|are|were|did|does|has|can|could)\s+it)"
    r"\s*[?!.]*\s*$",
    re.IGNORECASE,
)


_BARE_FAULT = re.compile(
    r"^\W*(?:so\s+)?(?:it\s+is\s+|it['’]?s\s+)?((?!(?:who|whose|what|is|was|it|the)\b)[\w.-]+['’]s\s+fault)\W*$", re.IGNORECASE
)
_OWNED = (
    r"(?:faults?|problems?|mistakes?|deploy\w*|releases?|changes?|config\w*|flags?|errors?|latency|memory|cpu|queues?|pods?)"
)
"""What a service has: behind `carts` it makes that `cart's`."""


def with_possessives(question: str, services: Collection[str]) -> str:
    """`inventorys fault` as `is it inventory's fault?`: a service's name with an s before what it has, and no plural."""
    for name in sorted(services, key=len, reverse=True):
        if name and f"{name}s" not in services:
            possessive = rf"(?<![\w-]){re.escape(name)}s(?=\s+{_OWNED}\b)"
            question = re.sub(possessive, f"{name}'s", question, flags=re.IGNORECASE)
    return _BARE_FAULT.sub(r"is it \1?", question)


def spelled_out(question: str) -> str:
    """The question with its words in full; a statement that ends in "right?" as a question of itself."""
    words = _EXPLETIVE.sub(r"\1", _WITH.sub(lambda match: "without" if match[1] else "with", question))
    words = _CHAT_WORD.sub(lambda match: _CHAT[match[0].lower()], _ERROR_BUDGET.sub("", words))
    words = _SHORT_ARE.sub(r"\1 are", words)
    words = _SHORT_IS.sub(r"\1 is", _NEGATED.sub(r"\1n't", words))
    words = _AT_ALL.sub("", _ROLL_OUT.sub(lambda match: f"deploy{match[1] or ''}", words))
    words = _ALTERNATIVE.sub("?", _LAST_TIME.sub("previously", words))
    statement = _ASSENT.sub("", words)
    if statement == words or not is_statement(statement):
        return words
    return f"{'whether ' if names_question_word(statement) else ''}{statement}?"
