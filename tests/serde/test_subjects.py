"""The subject-name strategies."""

import pytest

from serde import record_name_strategy, topic_name_strategy, topic_record_name_strategy


@pytest.mark.parametrize(
    ("strategy", "value_subject", "key_subject"),
    [
        (topic_name_strategy, "orders-value", "orders-key"),
        (record_name_strategy, "shop.Order", "shop.Order"),
        (topic_record_name_strategy, "orders-shop.Order", "orders-shop.Order"),
    ],
)
def test_strategies(strategy: object, value_subject: str, key_subject: str) -> None:
    assert callable(strategy)
    assert strategy("orders", False, "shop.Order") == value_subject
    assert strategy("orders", True, "shop.Order") == key_subject


def test_a_topic_needs_no_record_name_and_the_others_do() -> None:
    assert topic_name_strategy("orders", False, None) == "orders-value"
    for strategy in (record_name_strategy, topic_record_name_strategy):
        with pytest.raises(ValueError, match="needs a schema that has a name"):
            strategy("orders", False, None)
