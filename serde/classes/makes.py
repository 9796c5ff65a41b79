"""How an object of a class is made from a record.

Where `__init__` would only set attributes, the codec sets them itself, which
gives the same object in a fraction of the time. Where it may do more (a
validator, a converter, an `__init__` of the user's) it is called. A pydantic
model is validated, as its users expect.
"""

import dataclasses
import sys
from collections.abc import Callable
from typing import Any, Final

from serde.classes.hints import distance
from serde.classes.kinds import Member, is_attrs, is_model, is_typed_dict, members_of
from serde.codec.fault import Fault
from serde.codec.objects import Direct, Make

_BY_DATACLASSES: Final = "__create_fn__.<locals>."
"""Where the functions that dataclasses writes say they are from."""


def make_of(cls: type) -> Make:
    """How a record becomes an object of `cls`, one of the four kinds."""
    members = members_of(cls)
    if is_typed_dict(cls):
        return Make(cls, {member.name: member.attribute for member in members}, _typed_dict(members))
    if is_model(cls):
        keys = {member.name: member.key or member.attribute for member in members}
        return Make(cls, keys, _model(cls))
    direct = _direct_attrs(cls) if is_attrs(cls) else _direct_dataclass(cls)
    late = tuple(member.attribute for member in members if member.key is None)
    attributes = {member.name: member.attribute for member in members}
    return Make(cls, attributes, _called(cls, members), None if late else direct)


def _called(cls: Any, members: tuple[Member, ...]) -> Callable[[dict[str, Any]], Any]:
    """By `__init__`; what it does not take is set after it."""
    keys = [(member.attribute, member.key) for member in members if member.key is not None]
    late = [member.attribute for member in members if member.key is None]
    if not late and all(attribute == key for attribute, key in keys):
        return lambda record: cls(**record)

    def build(record: dict[str, Any]) -> Any:
        made = cls(**{key: record[attribute] for attribute, key in keys})
        for attribute in late:
            object.__setattr__(made, attribute, record[attribute])
        return made

    return build


def _model(cls: Any) -> Callable[[dict[str, Any]], Any]:
    validate = cls.__pydantic_validator__.validate_python
    refusal: type[Exception] = sys.modules["pydantic_core"].ValidationError

    def build(record: dict[str, Any]) -> Any:
        try:
            return validate(record)
        except refusal as error:
            found: Any = error
            first, *more = found.errors(include_url=False, include_context=False, include_input=False)
            others = f" (and {len(more)} more)" if more else ""
            fault = Fault(f"{cls.__name__} refuses it: {first['msg']}{others}")
            for step in reversed(first["loc"]):
                fault.under(f".{step}" if isinstance(step, str) else f"[{step}]")
            raise fault from error

    return build


def _typed_dict(members: tuple[Member, ...]) -> Callable[[dict[str, Any]], Any]:
    """A key that was absent was written as null; where the key may be None as well, null stands for that."""
    optional = [m.attribute for m in members if m.optional and distance(m.hint, None)]

    def build(record: dict[str, Any]) -> dict[str, Any]:
        for key in optional:
            if record[key] is None:
                del record[key]
        return record

    return build


def _direct_dataclass(cls: Any) -> Direct | None:
    """For a class whose `__init__` and `__setattr__` are those that dataclasses writes, or object's."""
    init, fields = vars(cls).get("__init__"), dataclasses.fields(cls)
    if not _is_written_by_dataclasses(init) or not _is_plain(cls, _is_written_by_dataclasses):
        return None
    code = init.__code__  # its parameters are more than the fields where there is an InitVar
    if code.co_argcount + code.co_kwonlyargcount != len(fields) + 1 or not all(f.init for f in fields):
        return None
    defaults = {
        field.name: (field.default, field.default_factory)
        for field in fields
        if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    }
    return _direct(
        cls,
        [field.name for field in fields],
        {name: value for name, (value, _) in defaults.items() if value is not dataclasses.MISSING},
        {name: make for name, (_, make) in defaults.items() if make is not dataclasses.MISSING},
        getattr(cls, "__post_init__", None),
    )


def _direct_attrs(cls: Any) -> Direct | None:
    """For a class whose `__init__` is attrs' and only sets: no validator, converter or cached hash."""
    init, attributes = vars(cls).get("__init__"), cls.__attrs_attrs__
    if not _is_written_by_attrs(init) or not _is_plain(cls, _is_written_by_attrs):
        return None
    if hasattr(cls, "__attrs_pre_init__") or "_attrs_cached_hash" in str(init.__code__.co_consts):
        return None
    if any(not found.init or found.validator or found.converter for found in attributes):
        return None
    nothing = sys.modules["attr"].NOTHING
    given = {found.name: found.default for found in attributes if found.default is not nothing}
    factories = {name: value for name, value in given.items() if hasattr(value, "takes_self")}
    if any(value.takes_self for value in factories.values()):
        return None
    return _direct(
        cls,
        [found.name for found in attributes],
        {name: value for name, value in given.items() if name not in factories},
        {name: value.factory for name, value in factories.items()},
        getattr(cls, "__attrs_post_init__", None),
    )


def _direct(
    cls: type,
    names: list[str],
    constants: dict[str, Any],
    factories: dict[str, Callable[[], Any]],
    after: Callable[[Any], object] | None,
) -> Direct | None:
    """names: of all attributes. Those that are in no record get their default, if they have one."""
    written = {member.attribute for member in members_of(cls)}
    left = [name for name in names if name not in written]
    if any(name not in constants and name not in factories for name in left):
        return None
    return Direct(
        [(name, constants[name]) for name in left if name in constants],
        [(name, factories[name]) for name in left if name in factories],
        after,
    )


def _is_plain(cls: Any, is_written: Callable[[object], bool]) -> bool:
    """Whether a new object comes of `object.__new__`, and is set as any."""
    return (
        type(cls).__call__ is type.__call__
        and cls.__new__ is object.__new__
        and not hasattr(cls, "__del__")  # which would be called for one that was never finished
        and (cls.__setattr__ is object.__setattr__ or is_written(cls.__setattr__))
    )


def _is_written_by_dataclasses(function: object) -> bool:
    return getattr(getattr(function, "__code__", None), "co_qualname", "").startswith(_BY_DATACLASSES)


def _is_written_by_attrs(function: object) -> bool:
    name = getattr(getattr(function, "__code__", None), "co_filename", "")
    return name.startswith("<attrs generated") or name == sys.modules["attr"]._make.__file__
