"""Whether each word of a question was read: a yes or no stands only where nothing in the question is left unread.

"Is only checkout affected?", "did the rollback fail?", "are errors down to half?": one unread word turns the meaning. What is
known of the subject is told then, and no yes or no.
"""

import re
from collections.abc import Collection

from bot.core.questions.parsing.changes_meant import without_what_is_meant
from bot.core.questions.parsing.forms import without_opening
from bot.core.questions.parsing.subjects import without_subjects
from bot.core.questions.parsing.topics import canonical, without_services
from bot.core.text.stemming import stem

_WORDS_READ = """
    a actually an the this that these those it its they them there here we us our my your i me you he she who someone somebody
    anyone anybody something anything any some and so or if whether then why hey hi hello ok please tocsin is are was were be
    been being am do does did doing has have had having can could may might will would isn't aren't wasn't weren't don't doesn't
    didn't hasn't haven't can't couldn't isnt arent wasnt in on of at to for from with by about into due because as between
    now currently current right still yet again already moment today ever recently lately service services shop site app
    application system systems production prod user users customer customers people request requests rate ratio signal
    signals level levels version versions incident outage cause caused causes causing culprit reason root problem problems
    issue issues blame fault responsible bottleneck break breaks broke broken else other others happen happened happening go
    goes went going gone get got look looks seem seems show showing made make roll rolled rolling back acknowledged approved
    denied declared tried restarted mitigated resolved think believe usual usually normal normally higher lower more fewer
    high low rise rose risen fell up down thing things throw throws throwing know known found identified confirmed author
    see sees seeing seen"""
_READ = frozenset(_WORDS_READ.split())
"""Words without a meaning of their own here, or whose meaning is read elsewhere: in `forms.py`, `subjects.py`, `topics.py`."""
_TURNING_WORDS = """
    only just but apart aside both all every everything each most half none no not nothing nobody never without besides
    except than before after until since fully completely totally entirely partly fine call called"""
_TURNS = frozenset(_TURNING_WORDS.split())
"""Words that turn or bound what a question says, also where the answer holds them."""
_COMPARED = re.compile(r"\bthan\s+(?:it\s+)?(?:usual|normal|usually|normally|before)\b", re.IGNORECASE)
_ACTION = re.compile(r"\bAP-\d+\b", re.IGNORECASE)
_REFERENCE = re.compile(r"\b(?:AL|INC)-\d+\b|<@[A-Z0-9|]+>", re.IGNORECASE)
_WORD = re.compile(r"[a-z0-9%][\w%'.-]*")
_IDIOMS = re.compile(r"\bto do with\b", re.IGNORECASE)
"""Words that are read one by one, and mean another thing together."""
_NARROWER = re.compile(
    r"\b(?:postgres\w*|mysql|mariadb|mongo\w*|redis|cassandra|throttl\w*|oom\w*|time[- ]?outs?)\b", re.IGNORECASE
)
"""One thing of those that its subject stands for: more CPU is no throttling, a full memory kills nothing by itself, and
what is slow may answer in time."""


def unread_words(question: str, services: Collection[str], answer: str = "") -> list[str]:
    """The words of a question that nothing read. `answer`: what is told; a thing that it names was read."""
    narrower = (name.lower() for name in _NARROWER.findall(question))
    unread = [
        *_IDIOMS.findall(question),
        *_ACTION.findall(question),
        *(name for name in narrower if stem(name) not in answer.lower()),
    ]
    rest = without_what_is_meant(_COMPARED.sub(" ", _REFERENCE.sub(" ", without_opening(question))), services)
    rest = without_subjects(without_services(rest.replace("’", "'"), services) if services else rest.replace("’", "'").lower())
    named = canonical(f"{answer} {answer.lower()}")  # "DiskFull" is two words, and "diskfull" one
    return [*unread, *(word for word in words_with_meaning(rest) if _is_unread(word, named))]


def words_with_meaning(text: str) -> list[str]:
    """The words of a text that say something by themselves here, in lower case."""
    words = (word.strip(".'-") for word in _WORD.findall(text.lower()))
    return [word for word in words if word not in _READ]


def is_turned(question: str) -> bool:
    """Whether it holds a word that turns or bounds what it says."""
    return bool(_TURNS & set(_WORD.findall(question.lower())))


def _is_unread(word: str, named: Collection[str]) -> bool:
    """Whether the answer does not show that a word was read. A number is a bound, also where the answer holds the same."""
    return word in _TURNS or word.isdigit() or not canonical(word) <= set(named)
