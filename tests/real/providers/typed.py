"""Checks a request against the types that a provider's own SDK publishes: unknown fields and wrong forms are named."""

import typing
from collections.abc import Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

import typing_extensions

_REQUIRED = (typing.Required, typing.NotRequired, typing_extensions.Required, typing_extensions.NotRequired, typing.Annotated)


def problems(value: Any, kind: Any, place: str = "") -> list[str]:
    """What does not fit, each with its place. Never more than the type says: what it leaves open passes."""
    return list(_problems(value, kind, place))


def _problems(value: Any, kind: Any, place: str) -> Iterator[str]:
    origin = get_origin(kind)
    if kind in (Any, object):
        return
    if origin in _REQUIRED or isinstance(kind, typing_extensions.TypeAliasType):
        yield from _problems(value, get_args(kind)[0] if origin else kind.__value__, place)
    elif origin in (typing.Union, UnionType):
        yield from _of_union(value, get_args(kind), place)
    elif origin is Literal:
        if value not in get_args(kind):
            yield f"{place}: invalid value {value!r}"
    elif typing_extensions.is_typeddict(kind):
        yield from _of_fields(value, kind, place)
    elif origin is not None:
        yield from _of_container(value, origin, get_args(kind), place)
    elif isinstance(kind, type) and not _is(value, kind):
        yield f"{place}: expected {kind.__name__}, got {type(value).__name__}"


def _is(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return (
        isinstance(value, bool) is (kind is bool) and isinstance(value, kind)
        if kind in (int, bool)
        else isinstance(value, kind)
    )


def _of_union(value: Any, kinds: tuple[Any, ...], place: str) -> Iterator[str]:
    if value is None and NoneType in kinds:
        return
    attempts = [problems(value, kind, place) for kind in kinds if kind is not NoneType]
    if not any(not attempt for attempt in attempts):
        # The kind that fits best says what is wrong: the one whose `type` is right, or that has least to object to.
        yield from min(attempts, key=lambda attempt: (any(".type:" in one for one in attempt), len(attempt)))


def _of_fields(value: Any, kind: Any, place: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{place}: expected an object, got {type(value).__name__}"
        return
    fields = typing_extensions.get_type_hints(kind, include_extras=True)
    for name in value:
        if name not in fields:
            yield f"{place}.{name}: Extra inputs are not permitted"
    for name in kind.__required_keys__:
        if name not in value:
            yield f"{place}.{name}: Field required"
    for name, item in value.items():
        if name in fields:
            yield from _problems(item, fields[name], f"{place}.{name}")


def _of_container(value: Any, origin: Any, kinds: tuple[Any, ...], place: str) -> Iterator[str]:
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            yield f"{place}: expected an object"
        for name, item in dict(value).items() if isinstance(value, Mapping) else ():
            yield from _problems(item, kinds[1], f"{place}.{name}")
    elif isinstance(origin, type) and issubclass(origin, Iterable):
        if not isinstance(value, list):
            yield f"{place}: expected an array"
        for index, item in enumerate(value) if isinstance(value, list) else ():
            yield from _problems(item, kinds[0], f"{place}[{index}]")
