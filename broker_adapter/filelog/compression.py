"""Kafka's compression codecs: what stands in a batch's attributes, and the bytes they frame.

Owns no file. Pure functions: any thread, any process.

The four codecs are as Kafka frames them: gzip and zstd are their own formats;
lz4 is the frame format with independent blocks (KIP-57); snappy is either one
raw block (librdkafka) or xerial's stream of blocks (Java), and both are read.
"""

from collections.abc import Callable
from enum import IntEnum
from struct import Struct
from typing import Final

import cramjam

from broker_adapter.errors import CorruptBatch, InvalidConfig


class Codec(IntEnum):
    """Bits 0-2 of a batch's attributes."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4


_XERIAL_HEADER: Final = b"\x82SNAPPY\x00" + (1).to_bytes(4, "big") + (1).to_bytes(4, "big")
_XERIAL_MAGIC: Final = _XERIAL_HEADER[:8]
_XERIAL_BLOCK: Final = 32 * 1024
_LENGTH: Final = Struct(">i")


def codec_named(name: str) -> Codec:
    """The codec of Kafka's setting ``compression.type``. Raises `InvalidConfig`."""
    try:
        return Codec[name.upper()]
    except KeyError:
        names = ", ".join(codec.name.lower() for codec in Codec)
        raise InvalidConfig(f"compression {name!r} is not known; use one of: {names}") from None


def compress(codec: Codec, data: bytes) -> bytes:
    """`data` as the body of a batch with `codec`."""
    return _COMPRESS[codec](data)


def decompress(codec: int, data: bytes) -> bytes:
    """The records of a batch with `codec`. Raises `CorruptBatch` if they cannot be unpacked."""
    unpack = _DECOMPRESS.get(codec)
    if unpack is None:
        raise CorruptBatch(f"a batch names compression codec {codec}, which Kafka does not have")
    try:
        return unpack(data)
    except cramjam.DecompressionError as error:
        raise CorruptBatch(
            f"a batch's {Codec(codec).name.lower()} data cannot be unpacked: {error}"
        ) from error


def _same(data: bytes) -> bytes:
    return data


def _gzip(data: bytes) -> bytes:
    return bytes(cramjam.gzip.compress(data, level=6))


def _gunzip(data: bytes) -> bytes:
    return bytes(cramjam.gzip.decompress(data))


def _snappy(data: bytes) -> bytes:
    # Java's reader takes xerial's stream only, librdkafka's takes both.
    parts = [_XERIAL_HEADER]
    for start in range(0, len(data), _XERIAL_BLOCK):
        block = bytes(cramjam.snappy.compress_raw(data[start : start + _XERIAL_BLOCK]))
        parts += (_LENGTH.pack(len(block)), block)
    return b"".join(parts)


def _unsnappy(data: bytes) -> bytes:
    if not data.startswith(_XERIAL_MAGIC):
        return bytes(cramjam.snappy.decompress_raw(data))
    parts = []
    at = len(_XERIAL_HEADER)
    while at < len(data):
        start = at + _LENGTH.size
        if start > len(data):
            raise CorruptBatch("a batch's snappy stream ends within a block's length")
        (length,) = _LENGTH.unpack_from(data, at)
        at = start + length
        if length < 0 or at > len(data):
            raise CorruptBatch(f"a batch's snappy stream has a block of {length} bytes, more than there are")
        parts.append(bytes(cramjam.snappy.decompress_raw(data[start:at])))
    return b"".join(parts)


def _lz4(data: bytes) -> bytes:
    compressor = cramjam.lz4.Compressor(content_checksum=False, block_linked=False)
    compressor.compress(data)
    return bytes(compressor.finish())


def _unlz4(data: bytes) -> bytes:
    return bytes(cramjam.lz4.decompress(data))


def _zstd(data: bytes) -> bytes:
    return bytes(cramjam.zstd.compress(data, level=3))


def _unzstd(data: bytes) -> bytes:
    return bytes(cramjam.zstd.decompress(data))


_COMPRESS: Final[dict[Codec, Callable[[bytes], bytes]]] = {
    Codec.NONE: _same,
    Codec.GZIP: _gzip,
    Codec.SNAPPY: _snappy,
    Codec.LZ4: _lz4,
    Codec.ZSTD: _zstd,
}
_DECOMPRESS: Final[dict[int, Callable[[bytes], bytes]]] = {
    Codec.NONE: _same,
    Codec.GZIP: _gunzip,
    Codec.SNAPPY: _unsnappy,
    Codec.LZ4: _unlz4,
    Codec.ZSTD: _unzstd,
}
