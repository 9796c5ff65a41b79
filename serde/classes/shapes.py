"""What the codec is told of a class whose instances are given to it in place of records."""

from functools import lru_cache
from typing import Final

from serde.classes.kinds import is_object_class, named_members
from serde.classes.marks import names_of
from serde.codec.objects import Shape

_CLASSES: Final = 4096


@lru_cache(_CLASSES)
def shape_of(cls: type) -> Shape | None:
    """The shape of a dataclass, a pydantic model or an attrs class; None for any other."""
    if not is_object_class(cls):
        return None
    return Shape(names_of(cls), {member.name: member.attribute for member in named_members(cls)})
