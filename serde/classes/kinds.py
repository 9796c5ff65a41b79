"""Dataclasses, pydantic models, attrs classes and TypedDicts: which fields each has.

pydantic and attrs are looked up only for a class that is one of theirs.
"""

import dataclasses
import inspect
import sys
import typing
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Final, get_args, get_origin

from serde.classes.marks import AvroField, Digits, LocalDatetime
from serde.codec.schema import MISSING
from serde.errors import InvalidClass

METADATA_KEY: Final = "avro"
_CLASSES: Final = 4096
_DATES: Final[Mapping[str, Any]] = {
    "AwareDatetime": datetime,
    "NaiveDatetime": LocalDatetime,
    "PastDatetime": datetime,
    "FutureDatetime": datetime,
    "PastDate": date,
    "FutureDate": date,
}
"""pydantic's names for dates that it checks; the values are Python's."""

_EMPTY: Final[tuple[type, ...]] = (list, dict, tuple)


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a class.

    attribute: its name in Python. hint: its type, without the marks around it. marks: those.
    default: a value, MISSING if there is none, or if it is made anew for each object.
    key: what the class's __init__ calls it; None if it does not take it.
    optional: a TypedDict's key that may be absent.
    """

    attribute: str
    hint: Any
    marks: tuple[object, ...]
    default: Any = MISSING
    key: str | None = None
    optional: bool = False

    @property
    def field(self) -> AvroField:
        """What is said of the record's field."""
        return next((mark for mark in self.marks if isinstance(mark, AvroField)), _PLAIN)

    @property
    def name(self) -> str:
        """Its name in Avro."""
        return self.field.name or self.attribute


_PLAIN: Final = AvroField()


def is_typed_dict(cls: object) -> bool:
    # Also those of typing_extensions, which typing.is_typeddict does not know in every version.
    return isinstance(cls, type) and issubclass(cls, dict) and hasattr(cls, "__required_keys__")


def is_model(cls: object) -> bool:
    """Whether a class is a pydantic model."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(cls, type) and issubclass(cls, pydantic.BaseModel)


def is_strict(model: Any) -> bool:
    """Whether a pydantic model wants instances, and takes no dict for one."""
    return bool(model.model_config.get("strict"))


def is_attrs(cls: object) -> bool:
    return isinstance(cls, type) and hasattr(cls, "__attrs_attrs__")


def is_object_class(cls: object) -> bool:
    """Whether the instances of a class have the fields of a record as attributes."""
    return isinstance(cls, type) and (dataclasses.is_dataclass(cls) or is_attrs(cls) or is_model(cls))


def is_record_class(cls: object) -> bool:
    """Whether a record can be derived from a class."""
    return is_object_class(cls) or is_typed_dict(cls)


@lru_cache(_CLASSES)
def members_of(cls: type) -> tuple[Member, ...]:
    """The fields of a class that are in its schema, in their order.

    Raises InvalidClass: a hint that does not lead to a type, or a class that Avro cannot express.
    """
    found = [member for member in _all_members(cls, _hints(cls)) if not member.field.skip]
    names = [member.name for member in found]
    for member in found:
        if names.count(member.name) > 1:
            raise InvalidClass(f"two fields are called {member.name!r} in Avro", _at(cls, member))
        if is_typed_dict(cls) and member.name != member.attribute:
            raise InvalidClass("the key of a TypedDict is the name in Avro too", _at(cls, member))
    return tuple(found)


def named_members(cls: type) -> tuple[Member, ...]:
    """The fields of a class as far as their names go: the types of its hints need not be there."""
    try:
        return members_of(cls)
    except InvalidClass as error:
        if error.__cause__ is None:
            raise
    found = _all_members(cls, defaultdict(lambda: Any))
    return tuple(member for member in found if not member.field.skip)


def split(hint: Any) -> tuple[Any, tuple[object, ...]]:
    """A hint without the `Annotated` around it, and what that holds."""
    marks: tuple[object, ...] = ()
    while True:
        if type(hint).__name__ == "TypeAliasType":  # of Python 3.12
            hint = hint.__value__
        elif get_origin(hint) is Annotated:
            hint, *inner = get_args(hint)
            marks = (*inner, *marks)
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif isinstance(hint, type) and hint.__module__ == "pydantic.types" and hint.__name__ in _DATES:
            hint = _DATES[hint.__name__]
        else:
            return hint, marks


def _at(cls: type, member: Member) -> str:
    return f"{cls.__name__}.{member.attribute}"


def _hints(cls: type) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError) as error:
        raise InvalidClass(f"a type hint leads nowhere: {error}", cls.__name__) from error
    given: dict[type, dict[Any, Any]] = {}
    _note_arguments(cls, {}, given)
    if not any(given.values()):
        return hints
    # What a type variable is depends on the class that its hint stands in; a TypedDict has its bases' hints.
    owners = list(reversed(given)) if is_typed_dict(cls) else [each for each in cls.__mro__ if each in given]
    named = {owner: inspect.get_annotations(owner) for owner in owners}
    found = {name: next((owner for owner in owners if name in named[owner]), cls) for name in hints}
    return {name: _replaced(hint, given[found[name]]) for name, hint in hints.items()}


def _note_arguments(cls: type, arguments: dict[Any, Any], given: dict[type, dict[Any, Any]]) -> None:
    """What a class and its bases are given for their type variables: ``class Amounts(Box[int])``."""
    given[cls] = arguments
    for base in vars(cls).get("__orig_bases__", cls.__bases__):
        origin = get_origin(base) or base
        if isinstance(origin, type) and origin not in given and origin is not typing.Generic:
            variables = getattr(origin, "__parameters__", ())
            replaced = [_replaced(hint, arguments) for hint in get_args(base)]
            _note_arguments(origin, dict(zip(variables, replaced, strict=False)), given)


def _replaced(hint: Any, given: Mapping[Any, Any]) -> Any:
    """A hint with types in place of type variables."""
    if isinstance(hint, typing.TypeVar):
        return given.get(hint, hint)
    variables = getattr(hint, "__parameters__", ())
    if not variables or isinstance(hint, type):
        return hint
    return hint[tuple(given.get(variable, variable) for variable in variables)]


def _all_members(cls: type, hints: Mapping[str, Any]) -> list[Member]:
    if is_typed_dict(cls):
        return [_typed_dict_member(cls, name, hint) for name, hint in hints.items()]
    if is_model(cls):
        return _model_members(cls)
    if is_attrs(cls):
        return [_attrs_member(attribute, hints) for attribute in cls.__attrs_attrs__]  # type: ignore[attr-defined]
    if dataclasses.is_dataclass(cls):
        return [_dataclass_member(field, hints) for field in dataclasses.fields(cls)]
    raise InvalidClass("not a dataclass, pydantic model, attrs class or TypedDict", cls.__name__)


def _typed_dict_member(cls: type, name: str, hint: Any) -> Member:
    optional = name in cls.__optional_keys__  # type: ignore[attr-defined]
    while getattr(get_origin(hint), "_name", "") in {"Required", "NotRequired", "ReadOnly"}:
        optional = {"Required": False, "NotRequired": True}.get(get_origin(hint)._name, optional)
        hint = get_args(hint)[0]
    bare, marks = split(hint)
    return Member(name, bare, marks, None if optional else MISSING, name, optional)


def _dataclass_member(field: "dataclasses.Field[Any]", hints: Mapping[str, Any]) -> Member:
    default = _default(
        *(field.default, dataclasses.MISSING),
        None if field.default_factory is dataclasses.MISSING else field.default_factory,
    )
    bare, marks = split(hints[field.name])
    marks = (*_from_metadata(field.metadata), *marks)
    return Member(field.name, bare, marks, default, field.name if field.init else None)


def _attrs_member(attribute: Any, hints: Mapping[str, Any]) -> Member:
    attr = sys.modules["attr"]
    name = attribute.name
    hint = hints.get(name, attribute.type)
    factory = getattr(attribute.default, "factory", None)
    takes_self = getattr(attribute.default, "takes_self", False)
    default = _default(
        *(attribute.default, attr.NOTHING),
        None if factory is None else (lambda: MISSING) if takes_self else factory,
    )
    bare, marks = split(Any if hint is None else hint)
    marks = (*_from_metadata(attribute.metadata), *marks)
    return Member(name, bare, marks, default, attribute.alias if attribute.init else None)


def _model_members(cls: Any) -> list[Member]:
    if cls.model_config.get("extra") == "allow":
        raise InvalidClass("extra='allow' lets in fields that no schema names", cls.__name__)
    if getattr(cls, "__pydantic_root_model__", False):
        raise InvalidClass("a RootModel is no record: use the type it holds", cls.__name__)
    by_name = cls.model_config.get("populate_by_name") or cls.model_config.get("validate_by_name")
    return [
        _model_member(cls.__name__, name, info, by_name)
        for name, info in cls.__pydantic_fields__.items()
        if not info.exclude
    ]


def _model_member(cls_name: str, name: str, info: Any, by_name: bool | None) -> Member:
    bare, marks = split(info.annotation)
    marks = (*marks, *info.metadata)
    digits = {
        key: getattr(mark, key)
        for mark in info.metadata
        for key in ("max_digits", "decimal_places")
        if getattr(mark, key, None) is not None
    }
    if len(digits) == 2:
        marks = (*marks, Digits(digits["max_digits"], digits["decimal_places"]))
    if info.description and not any(isinstance(mark, AvroField) for mark in marks):
        marks = (*marks, AvroField(doc=info.description))
    key: Any = info.validation_alias if info.validation_alias is not None and not by_name else name
    key = next((choice for choice in getattr(key, "choices", ()) if isinstance(choice, str)), key)
    if not isinstance(key, str):
        raise InvalidClass("an AliasPath is no key that a record could be given by", f"{cls_name}.{name}")
    undefined = sys.modules["pydantic_core"].PydanticUndefined
    return Member(name, bare, marks, _default(info.default, undefined, info.default_factory), key)


def _default(value: Any, nothing: object, factory: Callable[..., Any] | None) -> Any:
    """A default that is the same for every object: a value, or empty."""
    if factory is not None:
        # Others may give something else each time: a schema would have another default at each start.
        return factory() if factory in _EMPTY else MISSING
    return MISSING if value is nothing else value


def _from_metadata(metadata: Mapping[Any, Any]) -> tuple[object, ...]:
    given = metadata.get(METADATA_KEY, ())
    return tuple(given) if isinstance(given, list | tuple) else (given,)
