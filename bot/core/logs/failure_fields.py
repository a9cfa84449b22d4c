"""What a structured log line says of a failure beside its message: its error, and where in the program that arose."""

import re
from collections.abc import Iterable, Iterator, Mapping

_ERRORS = ("error", "err", "exception", "exc", "exc_info", "cause", "reason", "detail", "details", "hint")
_STACKS = ("stack", "stack_trace", "stacktrace", "stackTrace", "traceback", "backtrace")
_PARTS = ("type", "kind", "class", "name", "message", "msg", "code", *_STACKS)
"""Fields of an error that is an object, as Elastic's and OpenTelemetry's conventions and most libraries have them."""
_NAMES = (
    *_ERRORS,
    *_STACKS,
    *(f"{error}.{part}" for error in ("error", "exception") for part in ("type", "message", *_STACKS)),
)
_PEERS = ("net.peer.name", "server.address", "destination.domain", "peer.hostname", "peer", "upstream", "remote_host")
"""Fields that name the host that was called, as OpenTelemetry's and Elastic's conventions and most libraries have them."""
_OF_SERVER = ("client.address", "http.route", "net.host.name")
"""Fields of who is called: its `server.address` is its own, or what the caller wrote into the header `Host`."""
_HOST_NAME = re.compile(r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z]{2,24}(?::\d{1,5})?", re.I)
MOST_FRAMES = 3
"""The innermost ones of the program's own code say where it failed."""
_PYTHON_FRAME = re.compile(r"File \"[^\"]+\", line \d+, in \S+")
_PYTHON_ERROR = re.compile(r"[\w.]+(?:Error|Exception|Exit|Warning)\b")
"""What stands behind a frame of Python, unless it is the line of its code."""
_FRAME = re.compile(r"at \S.*|\S+\.(?:go|rs|c|cc|cpp|ex|exs|erl|rb|php):\d+(?::in \S+)?(?: \+0x[0-9a-f]+)?.*")
_GO_FUNCTION = re.compile(r"(?>[\w./-]+\.)[\w.()*\[\]]+\([^()]*\)")
_NOISE = re.compile(
    r"Traceback \(most recent call last\):?|goroutine \d+.*|\[signal .*|\d+: .*|stack backtrace:|"
    r"\.\.\. \d+ (?:more|common frames).*|The above exception was the direct cause.*|During handling of the above exception.*"
)
_NOT_OWN = re.compile(
    r"site-packages|dist-packages|node_modules|node:internal|/lib/python|/go/pkg/mod/|/usr/(?:local/)?(?:lib|go)/|<frozen|"
    r"at (?:java|javax|jdk|sun|kotlin|scala|org\.springframework|org\.apache|io\.netty|reactor)\.|\bruntime\.|/rustc/|/vendor/"
)


def failure_of(fields: Mapping[str, object], message: str) -> str:
    """The error texts of a line, the innermost frames of its stack and the host that was called, in one line.

    "" where its message says all.
    """
    parts: list[str] = []
    for text in _texts(fields):
        if text not in message and not any(text in part for part in parts):
            parts.append(text)
    if host := _called_host(fields, message):
        parts.append(f"(to {host})")
    return "; ".join(parts)


def _called_host(fields: Mapping[str, object], message: str) -> str:
    """The host that was called, where a field alone names it; else ""."""
    named = (value for name in _PEERS if isinstance(value := fields.get(name), str) and _HOST_NAME.fullmatch(value))
    host = next(named, "")
    return "" if host in message or any(name in fields for name in _OF_SERVER) else host


def _texts(fields: Mapping[str, object]) -> Iterator[str]:
    for name in _NAMES:
        yield from _within(fields.get(name), _PARTS)


def _within(value: object, names: Iterable[str]) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield _in_short(value) if "\n" in value.strip() else value.strip()
    elif isinstance(value, Mapping):
        for name in names:
            yield from _within(value.get(name), ())


def _in_short(stack: str) -> str:
    """A stack trace as its errors and the innermost frames of the program's own code."""
    lines = _with_last_cause([line.strip() for line in stack.splitlines() if line.strip()])
    python = any(_PYTHON_FRAME.match(line) for line in lines)
    frames: list[str] = []
    errors: list[str] = []
    code_follows = False
    for line in lines:
        if _PYTHON_FRAME.match(line) or (not python and (_FRAME.fullmatch(line) or _GO_FUNCTION.fullmatch(line))):
            frames.append(line)
            code_follows = python
            continue
        if not _NOISE.fullmatch(line) and not (code_follows and not _PYTHON_ERROR.match(line)):
            errors.append(line)
        code_follows = False
    own = list(dict.fromkeys([frame for frame in frames if not _NOT_OWN.search(frame)] or frames))
    innermost = [*reversed(own[-MOST_FRAMES:])] if python else own[: 2 * MOST_FRAMES if _is_go(frames) else MOST_FRAMES]
    return " ".join([*errors[:3], *(f"({'; '.join(innermost)})" for _ in innermost[:1])])


def _with_last_cause(lines: list[str]) -> list[str]:
    """Of the causes that Java names one behind the other the last one, which is that of the rest."""
    causes = [n for n, line in enumerate(lines) if line.startswith("Caused by:")]
    return [*lines[:1], *lines[causes[-1] :]] if causes else lines


def _is_go(frames: Iterable[str]) -> bool:
    """Frames of Go have a line for the function and one for the file."""
    return any(_GO_FUNCTION.fullmatch(frame) for frame in frames)
