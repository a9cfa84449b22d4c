"""How messages and names are built or read: formats, encodings, tags of fields, templates, switches of a library."""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.core.diffs.effects.settings import effect_fact
from bot.core.diffs.identifiers import counted_names
from bot.core.diffs.patches import Patch, all_lines, both_sides, first_matches
from bot.core.facts.code import EffectFact

_FORMAT = re.compile(
    r"serializ|encod|codec|charset|marshal|avro|protobuf|json|xml|msgpack|thrift|^utf|latin|ascii|gzip|zstd|snappy|lz4|base64|"
    r"strftime|strptime|date_?format|layout",
    re.I,
)
_SWITCH = re.compile(
    r"\b(?:enable|disable|configure|with|without)\((?:\w+\.)*(?:Serialization|Deserialization|Mapper|Json\w*|StreamRead|StreamWrite)"
    r"Feature\.\w+[^)]{0,40}\)?|"
    r"\bstrictObject\b|\.strict\(\)|additionalProperties[^,}]{0,20}|extra\s*=\s*[\"']?(?:\w+\.)?forbid|DisallowUnknownFields|"
    r"deny_unknown_fields"
)
"""How a library writes and reads messages, switched on or off, and what refuses a message for what it holds besides."""
_SWITCHED = re.compile(
    r"(?<=Feature\.)\w+|strictObject|strict(?=\(\))|additionalProperties|forbid|DisallowUnknownFields|deny_unknown_fields"
)
_FIELD_TAG = re.compile(r"(\S+)\s+`[^`]*\b(?:json|xml|bson|avro|yaml|protobuf|msgpack):\"([\w.-]+)([^\"]*)\"")
"""The type of a field, the name under which it is written, and how: `int64`, `eta_ms`, `,string`."""
_ANNOTATION = re.compile(
    r"^\s*(@Json(?:Format|Value|Serialize|Deserialize|Naming|TypeInfo|RawValue)\b(?:\([^)]{0,120}\))?|#\[serde\([^)]{0,120}\)\]|"
    r"\[JsonConverter\([^\]]{0,120}\])\s*$"
)
"""How what stands below is written and read, on a line of its own."""
_TEMPLATE = re.compile(r"(?<![\w\"'`)\]}])[fF]?(?P<quote>[\"'`])((?:[^\"'`\s{}]|\{[^}]{0,60}\}){1,120})(?P=quote)")
_HOLDS_VALUE = re.compile(r"\$\{|%[sdv0]|\{\w")
"""A text without blanks that holds something of its own: a name, a key or a path is built of it."""
_FIRST_WORD = re.compile(r"[A-Za-z]\w*")
_PLACEHOLDER = re.compile(r"\{[^}]*\}")
"""What stands in a template for a value: its name says nothing of the text."""
_RAW = re.compile(r"\b(?:express|bodyParser)\.raw\b")
"""The bytes of a message as they came: a signature is over these."""
_STILL_RAW = re.compile(r"raw[-_]?body|\.raw\b|\.text\(\)|buffer\(|arrayBuffer", re.I)
_SIGNED = re.compile(r"sign|hmac|digest|webhook|hook", re.I)
_INTERFACE = re.compile(r"\.(proto|avsc|avdl|thrift|fbs|xsd|graphqls?)$", re.I)


def formats(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """What the patches do to how texts and messages look: each file by itself, and what one loses and another says again."""
    for patch in patches:
        yield from _of_one_file(patch)
    yield from _rebuilt_names(patches)
    yield from _switched_formats(patches)
    removed, added = all_lines(patches)
    texts = (text for patch in patches for text in (patch.path, *patch.removed, *patch.added, *patch.around))
    signed = any(map(_SIGNED.search, texts))
    if signed and not any(map(_STILL_RAW.search, added)) and (text := next(first_matches(_RAW, removed), "")):
        yield effect_fact("format", text, "")


def _of_one_file(patch: Patch) -> Iterator[EffectFact]:
    """A format, an encoding or who writes it in place of another; messages and names that are put together otherwise."""
    written, rewritten = both_sides(patch, _templates)
    if rewritten and (replaced := [text for blank, text in written.items() if blank not in rewritten]):
        yield effect_fact("format", replaced[0], patch.path)
    if _INTERFACE.search(patch.path) and patch.removed:
        yield effect_fact("format", patch.path.rpartition("/")[2], patch.path)
    fields, changed = both_sides(patch, _written_fields)
    yield from (effect_fact("format", name, patch.path) for name in fields if changed.get(name, fields[name]) != fields[name])
    annotated, annotates = both_sides(patch, lambda lines: {line.strip() for line in lines if _ANNOTATION.match(line)})
    if other := sorted(annotates - annotated) or sorted(annotated - annotates):
        yield effect_fact("format", other[0][:60], patch.path)
    formats, others = both_sides(patch, lambda lines: [name for name in counted_names(lines) if _FORMAT.search(name)])
    if formats and (new := [name for name in others if name not in formats]):
        yield effect_fact("format", new[0], patch.path)


def _switched_formats(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """How messages are written and read, switched on or off; what one file loses and another says again is neither."""
    before, after = map(_switches, all_lines(patches))
    for name in sorted({name for text in before ^ after for name in _SWITCHED.findall(text)[-1:]}):
        yield effect_fact("format", name, "")


def _switches(lines: Iterable[str]) -> set[str]:
    return {match.group() for line in lines for match in _SWITCH.finditer(line)}


def _rebuilt_names(patches: Sequence[Patch]) -> Iterator[EffectFact]:
    """A name that one file no longer builds and another builds otherwise: `fv:{}:{}` and, elsewhere, `fv|{}|{}`."""
    built = {blank for patch in patches for blank in _templates(patch.added)}
    firsts = {word.group() for word in map(_FIRST_WORD.match, built) if word}
    for patch in (patch for patch in patches if not _templates(patch.added)):
        for blank, text in _templates(patch.removed).items():
            first = _FIRST_WORD.match(blank)
            if blank not in built and first and first.group() in firsts:
                yield effect_fact("cache_key", text, patch.path)


def _written_fields(lines: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Fields by the names under which they are written, each with its type and how it is written."""
    fields = (field for line in lines for field in _FIELD_TAG.findall(line))
    return {name: (kind.lstrip("*"), options.replace(",omitempty", "")) for kind, name, options in fields if name != "-"}


def _templates(lines: Iterable[str]) -> dict[str, str]:
    """Texts that names are built with, by what they are without the names of their values."""
    texts = (text for line in lines for _, text in _TEMPLATE.findall(line) if _HOLDS_VALUE.search(text))
    return {_PLACEHOLDER.sub("{}", text): text for text in texts}
