"""What a question demands beside its subject and no measurement decides: a bound, a moment, a trend, a number, a permission.

"Is the error rate above 90 %?" is no question whether errors rose: what was measured is told, and no yes or no.
"""

import re
from collections.abc import Mapping

from bot.core.questions.yes_no.verdicts import FOR_PEOPLE

_EVENT = (
    r"(?:the\s+|that\s+|this\s+|its?\s+|our\s+|any\s+)?(?:[\w.-]+\s+){0,2}?(?:deploy\w*|release\w*|rollouts?|rollbacks?|changes?"
    r"|config\w*|flags?|migrations?|restarts?|errors?|alerts?|incident|outage|failures?|problem|it\s+(?:began|started))"
)
_CLOCK = (
    r"(?:about\s+|around\s+|~\s*)?(?:\d{1,2}:\d\d|\d{1,2}\s*[ap]\.?m\b|noon|midnight|yesterday|last\s+(?:night|week)|monday)"
)
_BOUND = (
    r"\b(?:above|below|over|under|exceed\w*|beyond|past|more than|less than|greater than|higher than|lower than|fewer than"
    r"|at least|at most|up to|reach\w*)\s+[~$]?\s*\d|[<>]=?\s*\d"
)
_MOMENT = rf"\b(?:before|after|since|until|till|by|at|from|during|earlier than|later than)\s+(?:{_CLOCK}|{_EVENT})"
_TREND = (
    r"\b(?:getting|becoming|going)\s+(?:\w+\s+)?(?:worse|better|up|down|higher|lower|slower|faster)\b|\b(?:decreas|improv|worsen|subsid)"
    r"ing\b|\b(?:increasing|growing|climbing|rising|falling|dropping|shrinking|draining|escalating|spreading|recovering)\b"
)
_NUMBER = (
    r"\b(?:only|just|all|both|every|each|half|most)\b(?:\s+of)?(?:\s+(?:the|our|its|one|two|a|single))*\s+(?:[\w.-]+\s+)?"
    r"(?:versions?|pods?|replicas?|instances?|hosts?|nodes?|regions?|zones?|users?|customers?|tenants?|requests?|endpoints?"
    r"|v?\d+(?:\.\d+)+)\b"
)
_VERBS_OF_WORK = (
    r"deploy|ship|release|merge|approve|deny|roll|revert|restart|scale|close|resolve|ignore|sleep|wait|mute|silence|page|call"
    r"|wake|push|promote|drain|fail\s*over|go\s+(?:home|to\s+bed|back)|declare|escalate"
)
_PERMISSION = (
    r"\b(?:is|was|would|will)\s+(?:it|this|that)\s+(?:be\s+)?(?:\w+\s+)?"
    r"(?:safe|ok|okay|fine|wise|allowed|possible|an?\s+good\s+idea|time)\s+(?:to|for|if|that)\b"
    r"|\b(?:should|must)\s+(?:[\w.-]+\s+){1,4}?be\s+\w+(?:ed|en|pt)\b"
    r"|\bsafe\s+to\b|\b(?:(?:should|shall|must|may|need)\s+(?:i|we|you|someone|somebody)|do\s+(?:i|we|you)\s+(?:need|have)\s+to)\b"
    rf"\s+(?!see|know|understand|have)\w+|^\W*is\s+(?:it|this|that)\s+(?:risky|dangerous|urgent)\b|\b(?:can|could)\s+(?:i|we|you|someone|somebody)\s+(?:just\s+|now\s+|safely\s+)?(?:{_VERBS_OF_WORK})\b"
)
OF_TREND = "No trend was read; measured:"
OF_MOMENT = "Not compared with that moment; recorded:"
_OPENINGS: Mapping[str, str] = {
    _PERMISSION: FOR_PEOPLE,
    _TREND: OF_TREND,
    _BOUND: "Not compared with that number; measured:",
    _MOMENT: OF_MOMENT,
    _NUMBER: "Not counted; measured:",
}
_PATTERNS = [(re.compile(pattern, re.IGNORECASE), opening) for pattern, opening in _OPENINGS.items()]


def undecided(question: str) -> str:
    """What an answer opens with where its subject alone does not decide it; "" where it does."""
    return next((opening for pattern, opening in _PATTERNS if pattern.search(question)), "")


_RULED_OUT = r"(?:ruled\s+out|excluded|eliminated|innocent|off\s+the\s+hook|not\s+(?:the|a|our|to)\s*(?:\w+\s+)?"
_RULED_OUT += r"(?:problem|cause|culprit|issue|reason|fault|blame))"
_EXCLUSIONS = (
    re.compile(r"\b(?:rule[ds]?|ruling)\s+(?P<what>(?!out\b)[^?]{2,60}?)\s+out\b", re.IGNORECASE),
    re.compile(r"\b(?:rule[ds]?\s+out|exclude[ds]?|eliminate[ds]?)\s+(?P<what>[^?]{2,60})", re.IGNORECASE),
    re.compile(
        rf"\b(?:is|are|was|were|has|have|so)\s+(?P<what>[^?]{{2,60}}?)\s+(?:been\s+|is\s+|really\s+|already\s+)?{_RULED_OUT}",
        re.IGNORECASE,
    ),
    re.compile(
        r"^\W*(?:so\s+|and\s+|but\s+|ok\s+)*(?:it|this|that)(?:(?:['’]?s|\s+is|\s+was)\s+(?:\w+ly\s+)?not|\s+can(?:no|['’])t\s+be|\s+isn['’]t)\s+(?P<what>[^?]{2,60})",
        re.IGNORECASE,
    ),
)


def excluded(question: str) -> str:
    """What a question wants cleared: `the database` of "can we rule out the database?"; else ""."""
    matches = (pattern.search(question) for pattern in _EXCLUSIONS)
    return next((match["what"].strip() for match in matches if match), "")
