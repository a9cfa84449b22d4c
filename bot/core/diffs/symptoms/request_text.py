"""Log lines without what requests hold: whoever calls a service chooses its paths, parameters and headers."""

import re

_METHOD = r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)"
_ACCESS = re.compile(rf"{_METHOD}\s+\S+\s+HTTP/\d", re.I)
_QUOTED = re.compile(r"\"[^\"]*\"")
_URL = re.compile(r"(\b[a-z][a-z0-9+.-]{1,15}://[^/?#\s\"']*)[^\s\"']*", re.I)
_PART = re.compile(
    rf"{_METHOD}\s+\"?/\S*|[^\s\"'?]*\?[^\s\"'=]*=[^\s\"']*|"
    r"\b(?:(?:path|uri|url|referr?er|user.?agent)[\"']?\s*[=:]|(?:query|q|search)=)\s*(?:\"[^\"]*\"|'[^']*'|\S+)",
    re.I,
)
_FAILURE = re.compile(
    r"error|exception|fail|panic|fatal|traceback|crash|abort|cannot|could not|does not exist|unable|undefined|"
    r"not (defined|registered|set|authori[sz]ed)|"
    r"has no attribute|refused|rejected|\breject\b|denied|invalid|mismatch|"
    r"(?<!\bno )(?<!\bno further )(?<![\w.<*>\]])[\w.<*>\[\]]{1,60}[\"'`]? is required\b|"
    # The last two as MySQL and PostgreSQL log slow statements.
    r"timed? ?out|exceeded|exhausted|violates|slow query|\bquery_time: \S{1,20}\s{1,3}(?:lock_time|rows_)|"
    r"\bduration: \d{4,}(?:\.\d+)? ms\s+(?:statement|plan|parse|bind|execute)\b|"
    r"\bno (process|consumers?|workers?|subscribers?|server|healthy|such)\b",
    re.I,
)


_TIME_OUT_SET = re.compile(r"(?<!after )\b\w{0,40}time_?out(?:_?(?:ms|millis|secs?|seconds|s))?= ?\d[\w.]{0,20}", re.I)
_TYPED = re.compile(
    r"(\b(?:search(?:ed|ing)?|(?:search[ _-]?)?(?:phrase|term)s?|keywords?|(?:display|user|nick|file)[ _-]?name|"
    r"(?:gift|user)[ _-]?note|comment|feedback|review|user[ _-]?(?:agent|input|query|text)|prompt)\b(?:\s+for)?\s*[=:]).*",
    re.I,
)
"""What people typed, by the word before it, up to the end of its line: nobody knows where it ends."""


def without_requests(text: str) -> str:
    """The text without what people typed, and without paths, parameters and headers of requests; a host stays."""
    text = _TYPED.sub(r"\1", text)
    if _ACCESS.search(text):
        text = _QUOTED.sub(" ", text)
    return _PART.sub(" ", _URL.sub(r"\1", text))


def reports_failure(text: str) -> bool:
    """Whether a line tells that something failed; how long a time-out is set to, as programs say at their start, does not."""
    return bool(_FAILURE.search(_TIME_OUT_SET.sub(" ", text)))
