"""Generated schemas and values by way of Java's Avro: it reads our bytes, we read its, to the same values."""

import json
import struct
from typing import Any

from serde.codec import compile_decoder, compile_encoder, parse_schema
from tests.serde.oracles import CASES, cases
from tests.support.java_avro import ask, copy_request


def same(found: Any, expected: Any) -> bool:
    """Equal; but a whole number promoted to float is exact in Python, and of 32 bits in Java."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[key], expected[key]) for key in found)
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, float) and isinstance(expected, float) and expected.is_integer():
        return found == expected or found == struct.unpack("f", struct.pack("f", expected))[0]
    return type(found) is type(expected) and bool(found == expected)


def test_java_reads_and_writes_the_same() -> None:
    assert len(cases()) >= CASES
    requests = []
    for writer, reader, written, _ in cases():
        body = compile_encoder(parse_schema(json.dumps(writer)))(written)
        requests.append(copy_request(json.dumps(writer), body, json.dumps(reader)))
    for (writer, reader, written, expected), request, answer in zip(
        cases(), requests, ask(requests, "Codec"), strict=True
    ):
        assert "body" in answer, (writer, reader, written, answer)
        # By way of Java a map's entries may be in another order: values are compared, not bytes.
        java = bytes.fromhex(str(answer["body"]))
        found = compile_decoder(parse_schema(json.dumps(reader)))(java, 0)
        assert same(found, expected), (writer, reader, written, found, expected)
        resolved = compile_decoder(parse_schema(json.dumps(writer)), parse_schema(json.dumps(reader)))
        assert resolved(bytes.fromhex(str(request["body"])), 0) == expected
