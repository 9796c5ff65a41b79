"""The five bytes, as the wire format's vectors have them."""

import pytest

from serde import DeserializationError, FramingError
from serde.framing import MAX_ID, frame_of, prefix, read_frame


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, "0000000000"), (3, "0000000003"), (1 << 24, "0001000000"), (MAX_ID, "00ffffffff")],
)
def test_the_prefix_is_a_zero_and_the_id(number: int, encoded: str) -> None:
    assert prefix(number).hex() == encoded
    assert read_frame(frame_of(bytes.fromhex(encoded))) == number
    assert read_frame(frame_of(bytes.fromhex(encoded) + b"body")) == number


@pytest.mark.parametrize("number", [-1, MAX_ID + 1])
def test_an_id_of_more_than_four_bytes_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"not {number}"):
        prefix(number)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty message: it has no schema id in front"),
        (b"\x00", "the message is 1 bytes long, too short for the 5 of a schema id"),
        (b"\x00\x00\x00\x01", "the message is 4 bytes long"),
        (b"\x01\x00\x00\x00\x01", "the message is 5 bytes long, too short for the 17 of a schema GUID"),
        (b"\x02\x00\x00\x00\x01", "starts with the byte 0x02, not 0x00"),
        (b'{"a": 1}', "starts with the byte 0x7b, not 0x00"),
        (b"{", "starts with the byte 0x7b, not 0x00"),
    ],
)
def test_what_has_no_prefix_is_refused_and_kept(data: bytes, message: str) -> None:
    with pytest.raises(FramingError) as caught:
        frame_of(data, "orders")
    assert message in str(caught.value)
    assert str(caught.value).startswith("topic 'orders': ")
    assert isinstance(caught.value, DeserializationError)
    assert (caught.value.data, caught.value.topic) == (data, "orders")
