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
    r"error|exception|fail|panic|fatal|traceback|crash|abort|cannot|could not|unable|undefined|not (defined|registered)|"
    r"timed? ?out|exceeded|exhausted",
    re.I,
)


def without_requests(text: str) -> str:
    """The text without paths, parameters and headers of requests; of an address its host stays."""
    if _ACCESS.search(text):
        text = _QUOTED.sub(" ", text)
    return _PART.sub(" ", _URL.sub(r"\1", text))


def says_failure(text: str) -> bool:
    """Whether a line tells that something failed."""
    return bool(_FAILURE.search(text))
