"""Domain values as JSON documents, and back.

One walk over the attrs classes gives three things: `dump` writes a value,
`load` reads it strictly and reports every fault with its place, `schema` says
in JSON Schema what `load` takes. Exact numbers are written as text (``"2/3"``),
shares as percents (``"85%"``), times in UTC.

Sets that others may extend (question types, access conditions, aggregations)
are open: a base class marked by `open_set`, each variant named by `variant`.
A variant's document carries its ``type``.
"""

import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar, cast

import attrs

from lms_core.domain.ids import LessonId, ObjectKey
from lms_core.domain.instants import utc
from lms_core.domain.percent import Percent
from lms_core.errors import Fault, InvalidDocument, InvalidValue

Json = dict[str, Any]
T = TypeVar("T")
C = TypeVar("C", bound=type)

_EXACT = re.compile(
    r"-?[0-9]{1,18}(?:(?:\.[0-9]{1,12})?(?:[eE][+-]?[0-9]{1,2})?|/[0-9]{1,18})"
)
# What was computed may be longer than what anybody writes: partial credit over
# many questions has a large denominator. Python reads at most 4300 digits.
_COMPUTED = re.compile(r"-?[0-9]{1,4000}(?:/[0-9]{1,4000})?")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,12})?) ?%")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


def open_set(base: C) -> C:
    """Mark *base* as the root of a set that others may extend."""
    root = cast("Any", base)
    root.__variants__ = {}
    root.__root__ = base
    return base


def variant(name: str) -> Callable[[C], C]:
    """Register a class under *name* in the open set it belongs to.

    Raises:
        TypeError: the class is in no open set, or the name is taken by another.
    """

    def register(cls: C) -> C:
        known = getattr(cls, "__variants__", None)
        if known is None:
            raise TypeError(f"{cls.__name__} belongs to no open set")
        taken = known.get(name)
        if taken is not None and (taken.__module__, taken.__qualname__) != (
            cls.__module__,
            cls.__qualname__,
        ):
            raise TypeError(f"{name!r} is taken by {taken.__name__}")
        known[name] = cls
        cast("Any", cls).__variant__ = name
        return cls

    return register


def variant_name(value: object) -> str:
    """Return the name under which the class of *value* is registered."""
    return str(cast("Any", type(value)).__variant__)


def exact(value: object, *, place: str = "") -> Fraction:
    """Read an exact number: a whole number, a `Decimal`, or text like ``"2/3"``.

    Raises:
        InvalidValue: it is a float, too long, or not a number.
    """
    if type(value) is int and abs(value) < 10**18:
        return Fraction(value)
    if type(value) is Decimal:
        value = str(value)  # 1e999999999 stays as short as it was written
    if type(value) is str and _EXACT.fullmatch(value):
        try:
            return Fraction(value)
        except ZeroDivisionError:
            pass
    raise InvalidValue(
        f"not an exact number: {_show(value)}; write 3, 0.85, 6.022e23 or '2/3'",
        place=place,
    )


def _read_fraction(value: object) -> Fraction:
    if type(value) is str and _COMPUTED.fullmatch(value):
        try:
            return Fraction(value)
        except ZeroDivisionError:
            pass
    return exact(value)


def _write_fraction(value: Fraction) -> int | str:
    whole = value.denominator == 1 and abs(value.numerator) < 2**53
    return value.numerator if whole else str(value)


def _read_percent(value: object) -> Percent:
    if type(value) is str and (found := _PERCENT.fullmatch(value)):
        share = Fraction(found[1]) / 100
    else:
        share = _read_fraction(value)
    if not 0 <= share <= 1:
        raise InvalidValue(f"must be 0% to 100%, not {_show(value)}")
    return Percent(share)


def _write_percent(value: Percent) -> str:
    millionths = value.of_one * 10**8
    if millionths.denominator > 1:
        return str(value.of_one)
    whole, rest = divmod(millionths.numerator, 10**6)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".") + "%"


def _read_instant(value: object) -> datetime:
    try:
        if type(value) is datetime:
            return utc(value)
        if type(value) is str and _INSTANT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidValue(
        f"not a time: {_show(value)}; write 2026-03-01T12:00:00Z or with an offset"
    )


def write_instant(at: datetime) -> str:
    """Return *at* as it stands in documents: UTC, microseconds where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _text(parse: Callable[[str], object]) -> Callable[[object], object]:
    def read(value: object) -> object:
        if type(value) is not str:
            raise InvalidValue(f"must be text, not {_kind(value)}")
        return parse(value)

    return read


_LEAVES: dict[Any, tuple[Callable[[Any], object], Callable[[Any], object], Json]] = {
    # class: read, write, schema
    Fraction: (
        _read_fraction,
        _write_fraction,
        {"type": ["integer", "number", "string"]},
    ),
    Percent: (_read_percent, _write_percent, {"type": ["string", "number", "integer"]}),
    datetime: (_read_instant, write_instant, {"type": "string", "format": "date-time"}),
    LessonId: (_text(LessonId.parse), str, {"type": "string"}),
    ObjectKey: (_text(ObjectKey), str, {"type": "string"}),
}


def _show(value: object) -> str:
    """Return *value* for a message: short, and nothing that cannot be written."""
    if type(value) is int and abs(value) >= 10**60:
        return "a whole number with more than 60 digits"
    if isinstance(value, dict | list | tuple):
        return _kind(value)
    return f"{value!r:.60}"


def shown_name(name: object) -> str:
    """Return a name from a document for use in a place, short and well-formed."""
    return str(name)[:80].encode(errors="backslashreplace").decode()


_KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a whole number",
    str: "text",
    dict: "an object",
    list: "a list",
    tuple: "a list",
}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), f"a {type(value).__name__}")


@cache
def _fields(cls: type) -> tuple[tuple[str, Any, bool], ...]:
    """Return name, type and whether it is required, of every stored field."""
    hints = typing.get_type_hints(cls)
    return tuple(
        (field.name, hints[field.name], field.default is attrs.NOTHING)
        for field in attrs.fields(cls)
        if field.init and not field.metadata.get("derived")
    )


def dump(value: object, *, compact: bool = False) -> Any:
    """Return *value* as JSON-like data; *compact* leaves out defaults."""
    if value is None or type(value) in {bool, int, str}:
        return value
    leaf = _LEAVES.get(type(value))
    if leaf is not None:
        return leaf[1](value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list | frozenset):
        items = sorted(value) if isinstance(value, frozenset) else value
        return [dump(item, compact=compact) for item in items]
    if isinstance(value, Mapping):
        return {str(name): dump(item, compact=compact) for name, item in value.items()}
    if attrs.has(type(value)):
        return _dump_object(value, compact=compact)
    raise TypeError(f"no document for {type(value).__name__}")


def _dump_object(value: Any, *, compact: bool) -> Json:
    document: Json = {}
    if hasattr(value, "__variants__"):
        # A subclass without a name of its own would be read back as its parent.
        if "__variant__" not in vars(type(value)):
            raise TypeError(f"{type(value).__name__} is not registered as a variant")
        document["type"] = type(value).__variant__
    for field in attrs.fields(type(value)):
        if not field.init or field.metadata.get("derived"):
            continue
        item = getattr(value, field.name)
        if compact and field.default is not attrs.NOTHING:
            default = field.default
            if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
                default = cast("Any", default).factory()
            if item == default:
                continue
        document[field.name] = dump(item, compact=compact)
    return document


def load(cls: type[T], data: object, *, place: str = "") -> T:
    """Read *data* as a *cls*.

    Raises:
        InvalidDocument: with every fault there is, each with its place.
    """
    if _is_too_deep(data):
        raise InvalidDocument(Fault(place, f"is nested deeper than {_DEEPEST} levels"))
    faults: list[Fault] = []
    value = _load(cls, data, place, faults)
    if faults:
        raise InvalidDocument(*faults[:_MOST_FAULTS])
    return cast("T", value)


_BROKEN = object()
_MOST_FAULTS = 50
_DEEPEST = 64


def _is_too_deep(data: object) -> bool:
    """Look level by level, so that no depth can exhaust the stack here.

    What stands in several places, as aliases in YAML do, is looked at once.
    """
    level = [data]
    for _ in range(_DEEPEST):
        below = {
            id(child): child
            for each in level
            if isinstance(each, dict | list | tuple)
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list | tuple)
        }
        level = list(below.values())
        if not level:
            return False
    return True


def _load(hint: Any, data: Any, place: str, faults: list[Fault]) -> Any:  # noqa: C901 - one branch for each kind of type
    if len(faults) >= _MOST_FAULTS:
        return _BROKEN
    hint = getattr(hint, "__supertype__", hint)
    origin = typing.get_origin(hint)
    if origin in {types.UnionType, typing.Union}:
        members = typing.get_args(hint)
        if data is None and type(None) in members:
            return None
        rest = [member for member in members if member is not type(None)]
        if len(rest) == 1:
            return _load(rest[0], data, place, faults)
        raise TypeError(f"{hint} needs an open set")
    if origin is tuple:
        return _load_tuple(hint, data, place, faults)
    if origin is frozenset:
        items = _load_list(typing.get_args(hint)[0], data, place, faults)
        return items if items is _BROKEN else frozenset(items)
    if origin is not None and issubclass(origin, Mapping):
        return _load_mapping(typing.get_args(hint)[1], data, place, faults)
    try:
        if hint in _LEAVES:
            return _LEAVES[hint][0](data)
        if hint in {str, int, bool}:
            return _load_plain(hint, data)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _load_enum(hint, data)
    except InvalidValue as fault:
        faults.append(Fault(place, fault.message, fault.code))
        return _BROKEN
    if attrs.has(hint):
        return _load_object(hint, data, place, faults)
    raise TypeError(f"no document for {hint}")


def _load_plain(hint: type, data: object) -> object:
    if type(data) is not hint:
        wanted = {str: "text", int: "a whole number", bool: "true or false"}[hint]
        raise InvalidValue(f"must be {wanted}, not {_kind(data)}")
    if type(data) is int and abs(data) >= 2**53:
        raise InvalidValue("must lie between -2^53 and 2^53")
    if type(data) is str:
        try:
            data.encode()
        except UnicodeEncodeError:
            raise InvalidValue("must be well-formed Unicode") from None
        if "\0" in data:
            raise InvalidValue("must not hold NUL")
    return data


def _load_enum(hint: type[Enum], data: object) -> Enum:
    for member in hint:
        if member.value == data and type(data) is str:
            return member
    known = ", ".join(str(member.value) for member in hint)
    raise InvalidValue(f"must be one of {known}, not {_show(data)}")


def _load_list(item: Any, data: Any, place: str, faults: list[Fault]) -> Any:
    if type(data) not in {list, tuple}:
        faults.append(Fault(place, f"must be a list, not {_kind(data)}"))
        return _BROKEN
    return [
        _load(item, entry, f"{place}[{index}]", faults)
        for index, entry in enumerate(data)
    ]


def _load_tuple(hint: Any, data: Any, place: str, faults: list[Fault]) -> Any:
    args = typing.get_args(hint)
    if args[-1] is Ellipsis:
        items = _load_list(args[0], data, place, faults)
        return items if items is _BROKEN else tuple(items)
    if type(data) not in {list, tuple} or len(data) != len(args):
        faults.append(Fault(place, f"must be a list of {len(args)}"))
        return _BROKEN
    return tuple(
        _load(arg, entry, f"{place}[{index}]", faults)
        for index, (arg, entry) in enumerate(zip(args, data, strict=True))
    )


def _load_mapping(item: Any, data: Any, place: str, faults: list[Fault]) -> Any:
    if type(data) is not dict:
        faults.append(Fault(place, f"must be an object, not {_kind(data)}"))
        return _BROKEN
    loaded = {}
    for name, entry in data.items():
        below = _below(place, shown_name(name))
        try:
            text = cast("str", _load_plain(str, name))
        except InvalidValue as fault:
            faults.append(Fault(below, f"its name {fault.message}"))
        else:
            loaded[text] = _load(item, entry, below, faults)
    return loaded


def _load_object(  # noqa: C901 - one step for each kind of fault
    cls: Any, data: Any, place: str, faults: list[Fault]
) -> Any:
    if type(data) is not dict:
        faults.append(Fault(place, f"must be an object, not {_kind(data)}"))
        return _BROKEN
    variants = getattr(cls, "__variants__", None)
    if variants is not None:
        name = data.get("type")
        found = variants.get(name) if type(name) is str else None
        if found is None or not issubclass(found, cls):
            known = ", ".join(sorted(variants))
            message = f"must be one of {known}, not {_show(name)}"
            faults.append(Fault(_below(place, "type"), message, "unknown-type"))
            return _BROKEN
        cls = found
    before = len(faults)
    allowed = {name for name, _, _ in _fields(cls)}
    if variants is not None:
        allowed.add("type")
    for name in [each for each in data if each not in allowed][:_MOST_FAULTS]:
        message = f"is not a field of {_title(cls)}"
        faults.append(Fault(_below(place, shown_name(name)), message, "unknown-field"))
    values = {}
    for name, hint, required in _fields(cls):
        if name in data:
            values[name] = _load(hint, data[name], _below(place, name), faults)
        elif required:
            faults.append(Fault(_below(place, name), "is missing", "missing-field"))
    if len(faults) > before:
        return _BROKEN
    try:
        return cls(**values)
    except InvalidDocument as fault:
        faults.extend(
            attrs.evolve(each, place=_below(place, each.place)) for each in fault.faults
        )
    except InvalidValue as fault:
        where = _below(place, fault.place) if fault.place else place
        faults.append(Fault(where, fault.message, fault.code))
    return _BROKEN


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place and name else place or name


def _title(cls: type) -> str:
    return str(getattr(cls, "__variant__", None) or cls.__name__)


def schema(cls: type) -> Json:
    """Return the JSON Schema (2020-12) of what `load` takes for *cls*.

    It states shapes; what a value's own rules add is found by `load`.
    """
    definitions: Json = {}
    root = _schema(cls, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _schema(hint: Any, definitions: Json) -> Json:
    hint = getattr(hint, "__supertype__", hint)
    origin = typing.get_origin(hint)
    if origin in {types.UnionType, typing.Union}:
        return {"anyOf": [_schema(arg, definitions) for arg in typing.get_args(hint)]}
    if hint is type(None):
        return {"type": "null"}
    if origin is tuple and typing.get_args(hint)[-1] is not Ellipsis:
        items = [_schema(arg, definitions) for arg in typing.get_args(hint)]
        return {"type": "array", "prefixItems": items, "items": False}
    if origin in {tuple, frozenset}:
        return {
            "type": "array",
            "items": _schema(typing.get_args(hint)[0], definitions),
        }
    if origin is not None and issubclass(origin, Mapping):
        value = _schema(typing.get_args(hint)[1], definitions)
        return {"type": "object", "additionalProperties": value}
    if hint in _LEAVES:
        return dict(_LEAVES[hint][2])
    if hint in {str, int, bool}:
        return {"type": {str: "string", int: "integer", bool: "boolean"}[hint]}
    if issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    return _schema_object(hint, definitions)


def _schema_object(cls: Any, definitions: Json) -> Json:
    name = cls.__name__
    if name not in definitions:
        definitions[name] = {}
        variants = getattr(cls, "__variants__", None)
        if variants is not None and cls is cls.__root__:
            definitions[name] = {
                "oneOf": [_schema(found, definitions) for _, found in _sorted(variants)]
            }
        else:
            properties: Json = {}
            if hasattr(cls, "__variant__"):
                properties["type"] = {"const": cls.__variant__}
            required = list(properties)
            for field, hint, needed in _fields(cls):
                properties[field] = _schema(hint, definitions)
                required += [field] * needed
            definitions[name] = {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": False,
            }
    return {"$ref": f"#/$defs/{name}"}


def _sorted(variants: Mapping[str, type]) -> Iterator[tuple[str, type]]:
    yield from sorted(variants.items())
