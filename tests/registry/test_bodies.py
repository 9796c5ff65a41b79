"""Bodies are loaded as marshmallow loads them, although it is only asked where there is a fault."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from registry.errors import RegistryError
from registry.http import bodies

_numbers = st.integers(-(2**32), 2**32)
_texts = st.lists(st.text(max_size=3), max_size=2)
_anything = st.recursive(
    st.none() | st.booleans() | _numbers | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def _one(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object of some of these members, some of which are wrong or null, and perhaps an unknown one."""
    optional = {name: value | st.none() | _anything for name, value in members.items()}
    return st.fixed_dictionaries({}, optional={**optional, "unknown": _anything})


_reference = _one(name=st.text(max_size=3), subject=st.text(max_size=3), version=_numbers)
_metadata = _one(
    tags=st.dictionaries(st.text(max_size=3), _texts, max_size=2),
    properties=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    sensitive=_texts,
)
_rule = _one(name=st.text(max_size=3), kind=st.sampled_from(["CONDITION", "condition"]), tags=_texts)
_rules = st.lists(_rule, max_size=2)
_rule_set = _one(domainRules=_rules, migrationRules=_rules, enableAt=st.text(max_size=3))
_entity = _one(entityPath=st.text(max_size=3), entityType=st.sampled_from(["sr_record", "SR_FIELD"]))
_tags = st.lists(_one(schemaEntity=_entity, tags=_texts), max_size=2)
_contract = {"metadata": _metadata, "ruleSet": _rule_set}
BODIES = {
    "schema": _one(
        schema=st.text(max_size=3),
        schemaType=st.sampled_from(["AVRO", "avro"]),
        references=st.lists(_reference, max_size=2),
        version=_numbers,
        id=_numbers,
        schemaTagsToAdd=_tags,
        propagateSchemaTags=st.booleans(),
        **_contract,
    ),
    "retag": _one(newVersion=_numbers, tagsToRemove=_tags, rulesToRemove=_texts, **_contract),
    "config": _one(
        compatibility=st.sampled_from(["FULL", "none", "fool"]),
        compatibilityLevel=st.just("BACKWARD"),
        normalize=st.booleans(),
        compatibilityPolicy=st.sampled_from(["STRICT", "strict"]),
        defaultMetadata=_metadata,
        overrideRuleSet=_rule_set,
    ),
    "mode": _one(mode=st.sampled_from(["READONLY", "x"])),
}
LOADERS: dict[str, Any] = {
    "schema": bodies.SCHEMA,
    "retag": bodies.RETAG,
    "config": bodies.CONFIG,
    "mode": bodies.MODE,
}


@pytest.mark.parametrize("kind", BODIES)
@given(data=st.data())
def test_a_body_is_loaded_as_marshmallow_does(kind: str, data: st.DataObject) -> None:
    loader = LOADERS[kind]
    body: Any = data.draw(BODIES[kind] | _anything)
    by_marshmallow = outcome(lambda: loader.make(Schema.load(loader, body)))
    assert outcome(lambda: loader.load(body)) == by_marshmallow


def outcome(call: Callable[[], Any]) -> Any:
    """What it answers, or what is wrong."""
    try:
        return call()
    except ValidationError as fault:
        return fault.messages
    except RegistryError as fault:
        return type(fault), str(fault)
