# What runs over columns without Python: growing memory, and what it answers.

from libc.stdint cimport INT64_MAX
from libc.stdlib cimport realloc
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    /* Whether bytes are UTF-8 as Python takes it: no surrogates, nothing overlong, nothing beyond U+10FFFF. */
    static int codec_is_utf8(const unsigned char *p, Py_ssize_t size) {
        const unsigned char *end = p + size;
        while (p < end) {
            uint64_t eight;
            if (end - p >= 8 && (memcpy(&eight, p, 8), !(eight & 0x8080808080808080ULL))) {
                p += 8;
            } else if (*p < 0x80) {
                p++;
            } else if (*p < 0xC2) {
                return 0;
            } else if (*p < 0xE0) {
                if (end - p < 2 || (p[1] & 0xC0) != 0x80) return 0;
                p += 2;
            } else if (*p < 0xF0) {
                if (end - p < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80) return 0;
                if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F)) return 0;
                p += 3;
            } else if (*p < 0xF5) {
                if (end - p < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80)
                    return 0;
                if ((*p == 0xF0 && p[1] < 0x90) || (*p == 0xF4 && p[1] > 0x8F)) return 0;
                p += 4;
            } else {
                return 0;
            }
        }
        return 1;
    }
    """
    bint codec_is_utf8(const unsigned char *data, Py_ssize_t size) nogil


cdef enum:
    # Of what runs without Python: refused as `wire.refuse` does; no memory; a column has no room for more.
    OK = 0
    REFUSED = 1
    NO_MEMORY = 2
    FULL = 3

cdef enum:
    # As of `serde.codec.columns.layout.Kind`.
    NULL_COLUMN = 0
    BOOLEANS = 1
    INTS = 2
    LONGS = 3
    FLOATS = 4
    DOUBLES = 5
    SPANS = 6
    STRINGS = 7
    FIXEDS = 8
    ENUMS = 9
    LISTS = 10
    MAPS = 11
    STRUCTS = 12
    UNIONS = 13


cdef struct Bytes:
    char *data
    Py_ssize_t size
    Py_ssize_t room


cdef inline int reserve(Bytes *to, Py_ssize_t more) noexcept nogil:
    cdef Py_ssize_t room
    cdef char *data
    if more <= to.room - to.size:
        return OK
    if more > (INT64_MAX >> 3) - to.size:
        return NO_MEMORY
    room = max(64, 2 * (to.size + more))
    data = <char *>realloc(to.data, room)
    if data == NULL:
        return NO_MEMORY
    to.data = data
    to.room = room
    return OK


cdef inline int put(Bytes *to, const void *data, Py_ssize_t size) noexcept nogil:
    if reserve(to, size):
        return NO_MEMORY
    memcpy(to.data + to.size, data, size)
    to.size += size
    return OK


cdef inline int put_zeros(Bytes *to, Py_ssize_t size) noexcept nogil:
    if reserve(to, size):
        return NO_MEMORY
    memset(to.data + to.size, 0, size)
    to.size += size
    return OK
