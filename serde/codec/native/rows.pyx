# cython: language_level=3, wraparound=False, cdivision=True, auto_pickle=False, freethreading_compatible=True
"""Columns in Arrow's layout to messages, row by row, without a Python object for a value.

The columns are a tree of C structs that point into Arrow's buffers. What runs
over them holds no lock. A row that it is not sure of it refuses, without a
word; the pure codec then writes that row, or says what is wrong with it.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from serde.codec.native.laid cimport (
    BOOLEANS,
    DOUBLES,
    ENUMS,
    FIXEDS,
    FLOATS,
    INTS,
    LISTS,
    LONGS,
    MAPS,
    NO_MEMORY,
    NULL_COLUMN,
    OK,
    REFUSED,
    SPANS,
    STRINGS,
    STRUCTS,
    UNIONS,
    Bytes,
    codec_is_utf8,
    put,
    reserve,
)
from serde.codec.native.wire cimport codec_take_long

from serde.codec.columns.rows import Form
from serde.codec.decimals import MAX_BYTES

cdef extern from *:
    """
    static void codec_uuid_text(const unsigned char *raw, char *text) {
        int n;
        for (n = 0; n < 16; n++) {
            if (n == 4 || n == 6 || n == 8 || n == 10) *text++ = '-';
            *text++ = "0123456789abcdef"[raw[n] >> 4];
            *text++ = "0123456789abcdef"[raw[n] & 15];
        }
    }

    /* Whether the magnitude of a little-endian number of `width` bytes, in two's complement, is below `bound`. */
    static int codec_is_below(const unsigned char *from, int width, const uint64_t *bound) {
        unsigned char sign = (from[width - 1] & 0x80) ? 0xFF : 0, all[32];
        uint64_t word[4];
        int n, carry;
        memset(all, sign, 32);
        memcpy(all, from, width);
        memcpy(word, all, 32);
        if (sign) {
            for (n = 0, carry = 1; n < 4; n++) {
                word[n] = ~word[n] + carry;
                carry = carry && !word[n];
            }
        }
        for (n = 3; n >= 0; n--) {
            if (word[n] < bound[n]) return 1;
            if (word[n] > bound[n]) return 0;
        }
        return 0;
    }
    """
    void codec_uuid_text(const unsigned char *raw, char *text) nogil
    bint codec_is_below(const unsigned char *data, int width, const uint64_t *bound) nogil

cdef enum:
    # As of `serde.codec.columns.rows.Form`.
    PLAIN = 0
    CONSTANT = 1
    TIME = 2
    UUID_TEXT = 3
    DECIMAL = 4
    BIG_DECIMAL = 5
    DURATION = 6
    REST = 7

cdef Py_ssize_t LONGEST = MAX_BYTES

assert (PLAIN, REST) == (Form.PLAIN, Form.REST)


cdef struct Source:
    int kind
    int form
    int null  # the number of the branch of null; -1 where there is none
    int other
    int count  # of children, or of an enum's symbols
    int width
    Py_ssize_t size  # of a decimal on a fixed, 0 on bytes; of a constant
    Py_ssize_t start
    Py_ssize_t length
    int64_t below
    uint64_t bound[4]
    const uint8_t *valid
    const char *data
    const int32_t *offsets
    Py_ssize_t data_size
    Source **children


cdef inline int put_long(Bytes *out, int64_t number) noexcept nogil:
    cdef uint64_t rest = (<uint64_t>number << 1) ^ <uint64_t>(number >> 63)
    cdef uint8_t *to
    if reserve(out, 10):
        return NO_MEMORY
    to = <uint8_t *>out.data + out.size
    while rest >= 0x80:
        to[0] = <uint8_t>(rest | 0x80)
        to += 1
        rest >>= 7
    to[0] = <uint8_t>rest
    out.size = <char *>to + 1 - out.data
    return OK


cdef inline int put_span(Bytes *out, const char *data, Py_ssize_t size) noexcept nogil:
    cdef int status = put_long(out, size)
    return status or put(out, data, size)


cdef int write(Source *column, Py_ssize_t row, Bytes *out) noexcept nogil:
    """Write the value of a row, which is counted without `start`."""
    cdef Py_ssize_t at = row + column.start
    cdef int64_t number = 0
    cdef int32_t small
    cdef int n, status = OK
    cdef char byte
    if column.form == CONSTANT:
        return put(out, column.data, column.size)
    if column.kind == NULL_COLUMN:
        return OK
    if column.valid != NULL and not column.valid[at >> 3] >> (at & 7) & 1:
        return put_long(out, column.null) if column.null >= 0 else REFUSED
    if column.null >= 0 and put_long(out, column.other):
        return NO_MEMORY
    if column.kind == LONGS or column.kind == INTS:
        if column.kind == LONGS:
            memcpy(&number, column.data + 8 * at, 8)
        else:
            memcpy(&small, column.data + 4 * at, 4)
            number = small
        if column.form == TIME and (number < 0 or number >= column.below):
            return REFUSED
        return put_long(out, number)
    elif column.kind == SPANS or column.kind == STRINGS:
        return write_span(column, at, out)
    elif column.kind == DOUBLES:
        return put(out, column.data + 8 * at, 8)
    elif column.kind == FLOATS:
        return put(out, column.data + 4 * at, 4)
    elif column.kind == BOOLEANS:
        byte = column.data[at >> 3] >> (at & 7) & 1
        return put(out, &byte, 1)
    elif column.kind == ENUMS:
        memcpy(&small, column.data + 4 * at, 4)
        return put_long(out, small) if 0 <= small < column.count else REFUSED
    elif column.kind == STRUCTS:
        for n in range(column.count):
            status = write(column.children[n], row, out)
            if status:
                break
        return status
    elif column.kind == LISTS or column.kind == MAPS:
        return write_items(column, at, out)
    elif column.kind == UNIONS:
        n = column.data[at]
        if n < 0 or n >= column.count:
            return REFUSED
        if column.offsets[at] < 0 or column.offsets[at] >= column.children[n].length:
            return REFUSED
        status = put_long(out, n)
        return status or write(column.children[n], column.offsets[at], out)
    return write_fixed(column, at, out)


cdef int write_span(Source *column, Py_ssize_t at, Bytes *out) noexcept nogil:
    cdef Py_ssize_t begin = column.offsets[at], end = column.offsets[at + 1]
    if begin < 0 or end < begin or end > column.data_size:
        return REFUSED
    if column.kind == STRINGS and not codec_is_utf8(<const uint8_t *>column.data + begin, end - begin):
        return REFUSED
    if column.form == BIG_DECIMAL and not is_big_decimal(<const uint8_t *>column.data + begin, end - begin):
        return REFUSED
    if column.form == REST:
        return put(out, column.data + begin, end - begin)
    return put_span(out, column.data + begin, end - begin)


cdef bint is_big_decimal(const uint8_t *at, Py_ssize_t size) noexcept nogil:
    cdef const uint8_t *end = at + size
    cdef int64_t number
    if codec_take_long(&at, end, &number) < 0 or number < 0 or number > end - at or number > LONGEST:
        return False
    at += number
    if codec_take_long(&at, end, &number) < 0 or at != end:
        return False
    return -0x80000000 <= number <= 0x7FFFFFFF


cdef int write_items(Source *column, Py_ssize_t at, Bytes *out) noexcept nogil:
    cdef Py_ssize_t n, begin = column.offsets[at], end = column.offsets[at + 1]
    cdef int status
    cdef char none = 0
    if begin < 0 or end < begin or end > column.children[column.count - 1].length:
        return REFUSED
    if end > begin:
        status = put_long(out, end - begin)
        if status:
            return status
        for n in range(begin, end):
            if column.kind == MAPS:
                status = write(column.children[0], n, out)
                if status:
                    return status
            status = write(column.children[column.count - 1], n, out)
            if status:
                return status
    return put(out, &none, 1)


cdef int write_fixed(Source *column, Py_ssize_t at, Bytes *out) noexcept nogil:
    cdef const uint8_t *raw = <const uint8_t *>column.data + column.width * at
    cdef char text[36]
    cdef uint8_t big[32]
    cdef uint8_t sign
    cdef int n, size, status = OK
    if column.form == PLAIN:
        return put(out, raw, column.width)
    if column.form == UUID_TEXT:
        codec_uuid_text(raw, text)
        return put_span(out, text, 36)
    if column.form == DURATION:
        return write_duration(raw, out)
    if column.form != DECIMAL or not codec_is_below(raw, column.width, column.bound):
        return REFUSED
    # As few bytes as hold it with its sign.
    sign = 0xFF if raw[column.width - 1] & 0x80 else 0
    size = column.width
    while size > 1 and raw[size - 1] == sign and (raw[size - 2] ^ sign) < 0x80:
        size -= 1
    for n in range(size):
        big[n] = raw[size - 1 - n]
    if column.size == 0:
        return put_span(out, <char *>big, size)
    if size > column.size:
        return REFUSED
    for n in range(<int>column.size - size):
        status = status or put(out, &sign, 1)
    return status or put(out, big, size)


cdef int write_duration(const uint8_t *raw, Bytes *out) noexcept nogil:
    cdef int32_t parts[3]
    cdef int64_t nanos
    cdef uint32_t millis
    memcpy(parts, raw, 8)
    memcpy(&nanos, raw + 8, 8)
    if parts[0] < 0 or parts[1] < 0 or nanos < 0 or nanos % 1_000_000 or nanos // 1_000_000 >> 32:
        return REFUSED
    millis = <uint32_t>(nanos // 1_000_000)
    memcpy(&parts[2], &millis, 4)
    return put(out, parts, 12)


cdef class Rows:
    """Writes the rows of a batch; see `serde.codec.columns`.

    column, made: the layout, and what is there of it. prefix: goes in front of each message.
    write_pure: the pure codec's function, which gives the message of a row.
    """

    cdef Source *root
    cdef list views  # of the buffers: they stay while this does
    cdef bytes prefix
    cdef object write_pure
    cdef Py_ssize_t length

    def __init__(self, column, made, bytes prefix, write_pure):
        self.views = []
        self.prefix = prefix
        self.write_pure = write_pure
        self.length = made.length
        self.root = self.source(column, made)

    def __dealloc__(self):
        discard(self.root)

    def write(self):
        """All messages. What `write_pure` raises is raised."""
        cdef Bytes out
        cdef Py_ssize_t *ends = <Py_ssize_t *>calloc(self.length + 1, sizeof(Py_ssize_t))
        cdef Py_ssize_t row = 0, size = PyBytes_GET_SIZE(self.prefix)
        cdef const char *prefix = PyBytes_AS_STRING(self.prefix)
        cdef int status = OK
        cdef bytes message
        if ends == NULL:
            raise MemoryError
        out.data = NULL
        out.size = out.room = 0
        try:
            while True:
                with nogil:
                    while row < self.length:
                        status = put(&out, prefix, size) or write(self.root, row, &out)
                        if status:
                            break
                        row += 1
                        ends[row] = out.size
                if row == self.length:
                    break
                if status == NO_MEMORY:
                    raise MemoryError
                out.size = ends[row]
                message = self.write_pure(row)
                if put(&out, PyBytes_AS_STRING(message), PyBytes_GET_SIZE(message)):
                    raise MemoryError
                row += 1
                ends[row] = out.size
            return [
                PyBytes_FromStringAndSize(out.data + ends[row], ends[row + 1] - ends[row])
                for row in range(self.length)
            ]
        finally:
            free(ends)
            free(out.data)

    cdef Source *source(self, column, made) except NULL:
        cdef Source *of = <Source *>calloc(1, sizeof(Source))
        cdef Py_ssize_t n
        if of == NULL:
            raise MemoryError
        try:
            of.kind = column.kind
            of.form = column.form
            of.null, of.other = column.null, column.other
            of.width, of.size, of.below = column.width, column.size, column.below
            of.start, of.length = made.start, made.length
            memcpy(of.bound, PyBytes_AS_STRING(column.bound), 32)
            of.valid = <const uint8_t *>self.address(made.valid, (made.start + made.length + 7) // 8)
            if column.form == CONSTANT:
                of.data = self.address(column.constant, column.size)
                return of
            of.data_size = 0 if made.data is None else memoryview(made.data).nbytes
            of.data = self.address(made.data, column.data_size(made.start + made.length))
            of.offsets = <const int32_t *>self.address(made.offsets, column.offsets_size(made))
            of.count = len(column.children) or column.count
            if column.children:
                of.children = <Source **>calloc(len(column.children), sizeof(Source *))
                if of.children == NULL:
                    raise MemoryError
                for n in range(len(column.children)):
                    of.children[n] = self.source(column.children[n], made.children[n])
        except BaseException:
            discard(of)
            raise
        return of

    cdef const char *address(self, buffer, Py_ssize_t needed) except? NULL:
        """Where a buffer is; it stays there while this is. NULL where there is none."""
        cdef View view
        if buffer is None:
            return NULL
        view = View(buffer)
        if view.view.len < needed:
            raise ValueError(f"a buffer of {view.view.len} bytes where {needed} are needed")
        self.views.append(view)
        return <const char *>view.view.buf


cdef class View:
    """Holds a buffer."""

    cdef Py_buffer view

    def __init__(self, buffer):
        PyObject_GetBuffer(buffer, &self.view, PyBUF_SIMPLE)

    def __dealloc__(self):
        PyBuffer_Release(&self.view)


cdef void discard(Source *of) noexcept:
    cdef int n
    if of == NULL:
        return
    if of.children != NULL:
        for n in range(of.count):
            discard(of.children[n])
    free(of.children)
    free(of)
