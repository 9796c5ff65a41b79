# cython: language_level=3, wraparound=False, cdivision=True, auto_pickle=False, freethreading_compatible=True
"""Messages to columns in Arrow's layout, without a Python object for a value.

A pair of schemas is a tree of `Part`s, each around a C struct that says what to
read and where to put it; the columns of a batch are a tree of structs as well.
What runs over them holds no lock: no Python, and so no GIL. As the readers of
`decode` do it refuses what it is not sure of, without a word; the batch then
goes back to where it was before that message, and the pure codec has it.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from libc.stdint cimport INT32_MAX, INT64_MAX, int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memcpy, memset

from serde.codec.native.laid cimport (
    BOOLEANS,
    DOUBLES,
    ENUMS,
    FIXEDS,
    FLOATS,
    FULL,
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
    put_zeros,
)
from serde.codec.native.wire cimport MAX_DEPTH, MAX_EMPTY_ITEMS, Cursor, codec_take_long

from serde.codec.binary import as_message
from serde.codec.columns.buffers import Buffers
from serde.codec.columns.layout import Kind
from serde.codec.columns.pure import message_key, null_child, too_large
from serde.codec.decimals import MAX_BYTES
from serde.codec.fault import Fault

cdef extern from *:
    """
    /* Sixteen bytes of a UUID of 36 characters; 0 if they are none. */
    static int codec_parse_uuid(const unsigned char *text, unsigned char *to) {
        int n;
        for (n = 0; n < 16; n++) {
            int half, value = 0;
            if ((n == 4 || n == 6 || n == 8 || n == 10) && *text++ != '-') return 0;
            for (half = 0; half < 2; half++) {
                unsigned char c = *text++;
                if (c >= '0' && c <= '9') value = value << 4 | (c - '0');
                else if ((c |= 0x20) >= 'a' && c <= 'f') value = value << 4 | (c - 'a' + 10);
                else return 0;
            }
            to[n] = (unsigned char)value;
        }
        return 1;
    }

    /* A big-endian number in two's complement to `width` bytes, 16 or 32, little-endian; 0 if its magnitude is
       not below `bound`, 32 bytes as four little-endian words. */
    static int codec_number(const unsigned char *from, Py_ssize_t size, const uint64_t *bound, int width,
                            unsigned char *to) {
        unsigned char sign = size && (from[0] & 0x80) ? 0xFF : 0, all[32];
        uint64_t word[4];
        int n, carry;
        while (size > 32 && *from == sign) { from++; size--; }
        if (size > 32) return 0;
        memset(all, sign, 32);
        for (n = 0; n < size; n++) all[n] = from[size - 1 - n];
        /* What was cut off were signs only if the sign is still there. */
        if (size == 32 && ((all[31] & 0x80) != (sign & 0x80))) return 0;
        memcpy(word, all, 32);
        if (sign) {
            for (n = 0, carry = 1; n < 4; n++) {
                word[n] = ~word[n] + carry;
                carry = carry && !word[n];
            }
        }
        for (n = 3; n >= 0; n--) {
            if (word[n] < bound[n]) break;
            if (word[n] > bound[n] || n == 0) return 0;
        }
        memcpy(to, all, width);
        return 1;
    }

    static int codec_times(int64_t number, int64_t by, int64_t *to) {
        return __builtin_mul_overflow(number, by, to);
    }

    static int codec_ones(unsigned char byte) { return __builtin_popcount(byte); }
    """
    bint codec_parse_uuid(const unsigned char *text, unsigned char *to) nogil
    bint codec_number(
        const unsigned char *data, Py_ssize_t size, const uint64_t *bound, int width, unsigned char *to
    ) nogil
    bint codec_times(int64_t number, int64_t by, int64_t *to) nogil
    int codec_ones(unsigned char byte) nogil

assert (NULL_COLUMN, STRUCTS, UNIONS) == (Kind.NULL, Kind.STRUCT, Kind.UNION)

cdef enum Does:
    PURE  # what only the pure codec does, or refuses
    NULLS
    BOOLEAN
    INT
    LONG
    FLOAT
    DOUBLE
    SPAN
    TEXT
    REST
    FIXED
    SCALED
    UUID_TEXT
    DECIMAL
    BIG_DECIMAL
    DURATION
    ENUM
    ARRAY
    MAP
    UNION
    BRANCH
    RECORD
    CONSTANT
    FORWARD

cdef Py_ssize_t LONGEST = MAX_BYTES


cdef struct Column:
    int kind
    bint nullable
    int width
    int null  # the branch of a union for what is null without having one
    int count
    Py_ssize_t length
    Py_ssize_t most
    Bytes valid
    Bytes data
    Bytes offsets
    Column **children


cdef struct Op:
    int does
    int count
    Op **parts
    int32_t *places  # of a record: the child for each part, -1 to skip it; of an enum: the reader's symbol
    Py_ssize_t size  # of a fixed, an array's items at the least, a constant's bytes; a branch's number
    const char *data
    int64_t times
    int64_t by
    int64_t below
    uint64_t bound[4]


cdef inline int put_bit(Bytes *to, Py_ssize_t at, bint bit) noexcept nogil:
    cdef char none = 0
    if at & 7 == 0 and put(to, &none, 1):
        return NO_MEMORY
    if bit:
        to.data[at >> 3] |= <char>(1 << (at & 7))
    return OK


cdef inline int put_offset(Column *to, Py_ssize_t offset) noexcept nogil:
    cdef int32_t number = <int32_t>offset
    if offset > to.most:
        return FULL
    return put(&to.offsets, &number, 4)


cdef inline int begin(Column *to) noexcept nogil:
    """A value follows that is not null."""
    return put_bit(&to.valid, to.length, True) if to.nullable else OK


cdef int put_null(Column *to) noexcept nogil:
    cdef int status = OK
    if to.kind == NULL_COLUMN:
        to.length += 1
        return OK
    if to.kind == UNIONS:
        status = begin_branch(to, to.null)
        return status or put_null(to.children[to.null])
    if not to.nullable:
        return REFUSED
    status = put_bit(&to.valid, to.length, False)
    return status or put_blank(to)


cdef int put_empty(Column *to) noexcept nogil:
    """What stands for a value within one that is null."""
    cdef int status
    if to.nullable or to.kind == NULL_COLUMN:
        return put_null(to)
    if to.kind == UNIONS:
        status = begin_branch(to, 0)
        return status or put_empty(to.children[0])
    return put_blank(to)


cdef int put_blank(Column *to) noexcept nogil:
    """The bytes of a value that does not count."""
    cdef int status = OK
    cdef int n
    if to.kind == BOOLEANS:
        status = put_bit(&to.data, to.length, False)
    elif to.kind == INTS or to.kind == FLOATS or to.kind == ENUMS:
        status = put_zeros(&to.data, 4)
    elif to.kind == LONGS or to.kind == DOUBLES:
        status = put_zeros(&to.data, 8)
    elif to.kind == FIXEDS:
        status = put_zeros(&to.data, to.width)
    elif to.kind == SPANS or to.kind == STRINGS:
        status = put_offset(to, to.data.size)
    elif to.kind == LISTS or to.kind == MAPS:
        status = put_offset(to, to.children[0].length)
    else:
        for n in range(to.count):
            status = put_empty(to.children[n])
            if status:
                break
    to.length += 1
    return status


cdef inline int begin_branch(Column *to, int number) noexcept nogil:
    cdef int8_t kind = <int8_t>number
    cdef int status = put(&to.data, &kind, 1)
    to.length += 1
    return status or put_offset(to, to.children[number].length)


cdef inline int put_span(Column *to, const unsigned char *data, Py_ssize_t size) noexcept nogil:
    cdef int status
    if to.kind == FIXEDS and size != to.width:
        return REFUSED
    status = begin(to) or put(&to.data, data, size)
    if status == OK and to.kind != FIXEDS:
        status = put_offset(to, to.data.size)
    to.length += 1
    return status


cdef inline int put_number(Column *to, int64_t number) noexcept nogil:
    cdef int32_t small
    cdef double real
    cdef float single
    cdef int status = begin(to)
    if status:
        return status
    to.length += 1
    if to.kind == LONGS:
        return put(&to.data, &number, 8)
    if to.kind == INTS:
        small = <int32_t>number
        return put(&to.data, &small, 4) if small == number else REFUSED
    real = <double>number
    if to.kind == DOUBLES:
        return put(&to.data, &real, 8)
    if to.kind == FLOATS:
        single = <float>real
        return put(&to.data, &single, 4)
    return REFUSED


cdef inline int take_span(Op *op, Cursor *data, const unsigned char **at, Py_ssize_t *size) noexcept nogil:
    """The bytes of a span, a text, a fixed or the rest of the message."""
    cdef int64_t length
    if op.does == FIXED:
        length = op.size
    elif op.does == REST:
        length = data.end - data.at
    elif op.does != SPAN and op.does != TEXT:
        return REFUSED
    elif codec_take_long(&data.at, data.end, &length) < 0:
        return REFUSED
    if length < 0 or length > data.end - data.at:
        return REFUSED
    at[0] = data.at
    size[0] = <Py_ssize_t>length
    data.at += length
    if op.does == TEXT and not codec_is_utf8(at[0], size[0]):
        return REFUSED
    return OK


cdef inline int take_number(Op *op, Cursor *data, int64_t *number) noexcept nogil:
    if codec_take_long(&data.at, data.end, number) < 0:
        return REFUSED
    if op.does == INT and (number[0] < -0x80000000 or number[0] > 0x7FFFFFFF):
        return REFUSED
    return OK if op.does == INT or op.does == LONG else REFUSED


cdef inline int take_symbol(Op *op, Cursor *data, int64_t *number) noexcept nogil:
    if codec_take_long(&data.at, data.end, number) < 0 or number[0] < 0 or number[0] >= op.count:
        return REFUSED
    return OK if op.places[number[0]] >= 0 else REFUSED


cdef inline int take_items(Op *op, Cursor *data, int64_t *count) noexcept nogil:
    """The number of items in the next block, which the rest of the message can hold."""
    cdef int64_t size
    if codec_take_long(&data.at, data.end, count) < 0:
        return REFUSED
    if count[0] < 0:
        if codec_take_long(&data.at, data.end, &size) < 0 or count[0] < -INT64_MAX:
            return REFUSED
        count[0] = -count[0]
    if op.size:
        return OK if count[0] <= (data.end - data.at) // op.size else REFUSED
    if count[0] > data.empty_items:
        return REFUSED
    data.empty_items -= count[0]
    return OK


cdef int skip(Op *op, Cursor *data) noexcept nogil:
    """Read, with every check, and put nothing anywhere."""
    cdef const unsigned char *at
    cdef Py_ssize_t size
    cdef int64_t number
    cdef int n, status = OK
    if op.does == NULLS:
        return OK
    elif op.does == BOOLEAN:
        if data.at >= data.end or data.at[0] & 0xFE:
            return REFUSED
        data.at += 1
        return OK
    elif op.does == INT or op.does == LONG:
        return take_number(op, data, &number)
    elif op.does == FLOAT or op.does == DOUBLE:
        size = 4 if op.does == FLOAT else 8
        if data.end - data.at < size:
            return REFUSED
        data.at += size
        return OK
    elif op.does == SPAN or op.does == TEXT or op.does == FIXED or op.does == REST:
        return take_span(op, data, &at, &size)
    elif op.does == ENUM:
        return take_symbol(op, data, &number)
    elif op.does == BRANCH or op.does == FORWARD:
        return skip(op.parts[0], data)
    elif op.does == PURE or data.depth >= MAX_DEPTH:
        return REFUSED
    data.depth += 1
    if op.does == RECORD:
        for n in range(op.count):
            status = skip(op.parts[n], data)
            if status:
                return status
    elif op.does == ARRAY or op.does == MAP:
        while True:
            status = take_items(op, data, &number)
            if status or number == 0:
                break
            while number > 0 and status == OK:
                if op.does == MAP:
                    status = skip(op.parts[0], data)
                status = status or skip(op.parts[op.count - 1], data)
                number -= 1
            if status:
                return status
    elif op.does == UNION:
        if codec_take_long(&data.at, data.end, &number) < 0 or number < 0 or number >= op.count:
            return REFUSED
        status = skip(op.parts[number], data)
    else:
        return REFUSED
    data.depth -= 1
    return status


cdef int run(Op *op, Cursor *data, Column *to) noexcept nogil:
    """Read one value into a column."""
    cdef const unsigned char *at
    cdef Py_ssize_t size
    cdef int64_t number
    cdef int32_t small
    cdef double real
    cdef float single
    cdef int status
    if op.does == LONG or op.does == INT:
        status = take_number(op, data, &number)
        return status or put_number(to, number)
    elif op.does == TEXT or op.does == SPAN or op.does == FIXED or op.does == REST:
        status = take_span(op, data, &at, &size)
        return status or put_span(to, at, size)
    elif op.does == UNION:
        if data.at < data.end and data.at[0] < 0x80 and not data.at[0] & 1:
            number = data.at[0] >> 1
            data.at += 1
        elif codec_take_long(&data.at, data.end, &number) < 0:
            return REFUSED
        if number < 0 or number >= op.count:
            return REFUSED
        return run(op.parts[number], data, to)
    elif op.does == NULLS:
        return put_null(to)
    elif op.does == DOUBLE:
        if data.end - data.at < 8:
            return REFUSED
        memcpy(&real, data.at, 8)
        data.at += 8
        status = begin(to)
        to.length += 1
        return status or put(&to.data, &real, 8)
    elif op.does == FLOAT:
        if data.end - data.at < 4:
            return REFUSED
        memcpy(&single, data.at, 4)
        data.at += 4
        status = begin(to)
        to.length += 1
        if to.kind == DOUBLES:
            real = single
            return status or put(&to.data, &real, 8)
        return status or put(&to.data, &single, 4)
    elif op.does == BOOLEAN:
        if data.at >= data.end or data.at[0] & 0xFE:
            return REFUSED
        status = begin(to) or put_bit(&to.data, to.length, data.at[0] == 1)
        data.at += 1
        to.length += 1
        return status
    elif op.does == RECORD:
        return run_record(op, data, to)
    elif op.does == ARRAY:
        return run_array(op, data, to)
    elif op.does == MAP:
        return run_map(op, data, to)
    elif op.does == ENUM:
        status = take_symbol(op, data, &number)
        if status == OK:
            status = begin(to)
        to.length += 1
        if status == OK:
            small = op.places[number]
            status = put(&to.data, &small, 4)
        return status
    elif op.does == BRANCH:
        status = begin_branch(to, <int>op.size)
        return status or run(op.parts[0], data, to.children[op.size])
    elif op.does == FORWARD:
        return run(op.parts[0], data, to)
    return run_logical(op, data, to)


cdef int run_record(Op *op, Cursor *data, Column *to) noexcept nogil:
    cdef int n, status = begin(to)
    if status or data.depth >= MAX_DEPTH:
        return status or REFUSED
    data.depth += 1
    for n in range(op.count):
        if op.places[n] < 0:
            status = skip(op.parts[n], data)
        else:
            status = run(op.parts[n], data, to.children[op.places[n]])
        if status:
            return status
    data.depth -= 1
    to.length += 1
    return OK


cdef int run_array(Op *op, Cursor *data, Column *to) noexcept nogil:
    cdef int64_t count
    cdef Column *child = to.children[0]
    cdef int status = begin(to)
    if status or data.depth >= MAX_DEPTH:
        return status or REFUSED
    data.depth += 1
    while True:
        status = take_items(op, data, &count)
        if status:
            return status
        if count == 0:
            break
        while count > 0:
            status = run(op.parts[0], data, child)
            if status:
                return status
            count -= 1
    data.depth -= 1
    to.length += 1
    return put_offset(to, child.length)


cdef int run_map(Op *op, Cursor *data, Column *to) noexcept nogil:
    cdef int64_t count
    cdef int status = begin(to)
    if status or data.depth >= MAX_DEPTH:
        return status or REFUSED
    data.depth += 1
    while True:
        status = take_items(op, data, &count)
        if status:
            return status
        if count == 0:
            break
        while count > 0:
            status = run(op.parts[0], data, to.children[0]) or run(op.parts[1], data, to.children[1])
            if status:
                return status
            count -= 1
    data.depth -= 1
    to.length += 1
    return put_offset(to, to.children[0].length)


cdef int run_logical(Op *op, Cursor *data, Column *to) noexcept nogil:
    cdef const unsigned char *at
    cdef Py_ssize_t size
    cdef Cursor inner
    cdef int64_t number, quotient
    cdef int status
    cdef unsigned char made[32]
    if op.does == SCALED:
        status = take_number(op.parts[0], data, &number)
        if status or (op.below and (number < 0 or number >= op.below)):
            return REFUSED
        if codec_times(number, op.times, &number):
            return REFUSED
        quotient = number // op.by
        if number % op.by < 0:
            quotient -= 1
        return put_number(to, quotient)
    elif op.does == CONSTANT:
        inner.at = <const unsigned char *>op.data
        inner.end = inner.at + op.size
        inner.empty_items = data.empty_items
        inner.depth = data.depth
        status = run(op.parts[0], &inner, to)
        return status or (OK if inner.at == inner.end else REFUSED)
    elif op.does == PURE:
        return REFUSED
    status = take_span(op.parts[0], data, &at, &size)
    if status:
        return status
    if op.does == UUID_TEXT:
        if size != 36 or not codec_parse_uuid(at, made):
            return REFUSED
        return put_span(to, made, 16)
    elif op.does == DECIMAL:
        if size > LONGEST or not codec_number(at, size, op.bound, to.width, made):
            return REFUSED
        return put_span(to, made, to.width)
    elif op.does == BIG_DECIMAL:
        inner.at = at
        inner.end = at + size
        if codec_take_long(&inner.at, inner.end, &number) < 0 or number < 0:
            return REFUSED
        if number > inner.end - inner.at or number > LONGEST:
            return REFUSED
        inner.at += number
        if codec_take_long(&inner.at, inner.end, &number) < 0 or inner.at != inner.end:
            return REFUSED
        if number < -0x80000000 or number > 0x7FFFFFFF:
            return REFUSED
        return put_span(to, at, size)
    elif op.does == DURATION and size == 12:
        return put_interval(to, at)
    return REFUSED


cdef inline int put_interval(Column *to, const unsigned char *at) noexcept nogil:
    cdef uint32_t parts[3]
    cdef unsigned char made[16]
    cdef int64_t nanos
    memcpy(parts, at, 12)
    if parts[0] > INT32_MAX or parts[1] > INT32_MAX:
        return REFUSED
    nanos = <int64_t>parts[2] * 1_000_000
    memcpy(made, parts, 8)
    memcpy(made + 8, &nanos, 8)
    return put_span(to, made, 16)


cdef void cut_bits(Bytes *bits, Py_ssize_t length) noexcept nogil:
    cdef Py_ssize_t size = (length + 7) >> 3
    if size < bits.size:
        bits.size = size
    if length & 7 and size <= bits.size:
        bits.data[size - 1] &= <char>((1 << (length & 7)) - 1)


cdef void cut(Column *column, Py_ssize_t length) noexcept nogil:
    """Back to so many values, whatever is half there beyond them."""
    cdef Py_ssize_t n, had = column.length
    cdef int32_t *offsets = <int32_t *>column.offsets.data
    cdef int each
    column.length = length
    if column.nullable:
        cut_bits(&column.valid, length)
    if column.kind == BOOLEANS:
        cut_bits(&column.data, length)
    elif column.kind == INTS or column.kind == FLOATS or column.kind == ENUMS:
        column.data.size = 4 * length
    elif column.kind == LONGS or column.kind == DOUBLES:
        column.data.size = 8 * length
    elif column.kind == FIXEDS:
        column.data.size = column.width * length
    elif column.kind == SPANS or column.kind == STRINGS:
        column.offsets.size = 4 * (length + 1)
        column.data.size = offsets[length]
    elif column.kind == LISTS or column.kind == MAPS:
        column.offsets.size = 4 * (length + 1)
        for each in range(column.count):
            cut(column.children[each], offsets[length])
    elif column.kind == STRUCTS:
        for each in range(column.count):
            cut(column.children[each], length)
    elif column.kind == UNIONS:
        # Each value says where its branch stood before it.
        for n in range(length, min(had, column.offsets.size // 4)):
            each = column.data.data[n]
            if offsets[n] <= column.children[each].length:
                cut(column.children[each], offsets[n])
        column.data.size = length
        column.offsets.size = 4 * length


cdef void discard(Column *column) noexcept nogil:
    cdef int n
    if column == NULL:
        return
    if column.children != NULL:
        for n in range(column.count):
            discard(column.children[n])
    free(column.children)
    free(column.valid.data)
    free(column.data.data)
    free(column.offsets.data)
    free(column)


cdef class Part:
    """What reads one pair of types. Itself it has the pure codec decide.

    does: by name. parts: what it is made of. size, data, places, scaling, bound: see `Op`.
    """

    cdef Op op
    cdef tuple parts
    cdef bytes data

    def __init__(self, str does="PURE", tuple parts=(), Py_ssize_t size=0, bytes data=b"", places=(),
                 scaling=None, bytes bound=b""):
        cdef Py_ssize_t n
        cdef Part part
        self.parts = parts
        self.data = data
        self.op.does = _DOES[does]
        self.op.size = size
        self.op.data = data
        self.op.count = max(len(parts), len(places))
        self.op.parts = <Op **>calloc(max(len(parts), 1), sizeof(Op *))
        self.op.places = <int32_t *>calloc(max(self.op.count, 1), sizeof(int32_t))
        if self.op.parts == NULL or self.op.places == NULL:
            raise MemoryError
        for n in range(len(parts)):
            part = parts[n]
            self.op.parts[n] = &part.op
        for n in range(len(places)):
            self.op.places[n] = places[n]
        if scaling is not None:
            self.op.times, self.op.by, self.op.below = scaling.times, scaling.by, scaling.below
        if len(bound) == 32:
            memcpy(self.op.bound, PyBytes_AS_STRING(bound), 32)

    def __dealloc__(self):
        free(self.op.parts)
        free(self.op.places)

    def settle(self, Part target):
        """Stand for another part, made later."""
        assert self.op.does == FORWARD
        self.parts = (target,)
        self.op.parts[0] = &target.op
        self.op.count = 1


cdef dict _DOES = {
    "PURE": PURE, "NULLS": NULLS, "BOOLEAN": BOOLEAN, "INT": INT, "LONG": LONG, "FLOAT": FLOAT,
    "DOUBLE": DOUBLE, "SPAN": SPAN, "TEXT": TEXT, "REST": REST, "FIXED": FIXED, "SCALED": SCALED,
    "UUID_TEXT": UUID_TEXT, "DECIMAL": DECIMAL, "BIG_DECIMAL": BIG_DECIMAL, "DURATION": DURATION,
    "ENUM": ENUM, "ARRAY": ARRAY, "MAP": MAP, "UNION": UNION, "BRANCH": BRANCH, "RECORD": RECORD,
    "CONSTANT": CONSTANT, "FORWARD": FORWARD,
}


cdef class Program:
    """A pair of schemas.

    root: reads a message's record, or its value.
    find_pure: gives the pure codec's function for the same pair.
    strict: whether bytes that are left after the value are refused.
    """

    cdef Part root
    cdef object find_pure
    cdef bint strict

    def __init__(self, Part root, find_pure, bint strict):
        self.root = root
        self.find_pure = find_pure
        self.strict = strict


cdef class Block:
    """Memory of a column, as a buffer."""

    cdef char *data
    cdef Py_ssize_t size

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.data, self.size, 1, flags)

    def __dealloc__(self):
        free(self.data)


cdef Block block_of(Bytes *owned):
    """The bytes, which are then no longer the column's."""
    cdef Block block = Block()
    cdef char *data = <char *>realloc(owned.data, max(owned.size, 1))
    if data == NULL:
        raise MemoryError
    block.data = data
    block.size = owned.size
    owned.data = NULL
    owned.size = owned.room = 0
    return block


cdef struct Item:
    const unsigned char *data
    Py_ssize_t size
    Op *op  # NULL: a row of nulls
    bint left_out
    bint strict


cdef Py_ssize_t advance(
    Item *items, Py_ssize_t at, Py_ssize_t count, Column *root, bint wrapped, int *status
) noexcept nogil:
    """Read messages from `at` on; the number of the first that is not taken, or `count`."""
    cdef Cursor data
    cdef Column *to
    cdef Py_ssize_t before
    cdef int n
    status[0] = OK
    while at < count:
        before = root.length
        if items[at].left_out:
            pass
        elif items[at].op == NULL:
            for n in range(root.count):
                status[0] = status[0] or put_null(root.children[n])
            root.length += 1
        else:
            data.at = items[at].data
            data.end = data.at + items[at].size
            data.empty_items = MAX_EMPTY_ITEMS
            data.depth = 0
            to = root.children[0] if wrapped else root
            status[0] = run(items[at].op, &data, to)
            root.length += wrapped
            if status[0] == OK and items[at].strict and data.at != data.end:
                status[0] = REFUSED
        if status[0]:
            cut(root, before)
            return at
        at += 1
    return at


cdef class Builder:
    """Gathers the rows of one batch; see `serde.codec.columns`."""

    cdef Column *root
    cdef bint wrapped
    cdef dict rare  # the cells of rows that only the pure codec took, by their place among all
    cdef bint busy

    def __init__(self, column, *, bint wrapped, Py_ssize_t most=INT32_MAX):
        self.rare = {}
        self.wrapped = wrapped
        self.root = make_column(column, most)

    def __dealloc__(self):
        discard(self.root)

    def read(self, values, keys, dict programs, find, fail, *, bint nulls):
        """See `serde.codec.columns.Builder`."""
        cdef list held = list(values)
        cdef list used = []
        cdef Py_ssize_t at = 0, count = PyList_GET_SIZE(held)
        cdef Item *items = <Item *>calloc(max(count, 1), sizeof(Item))
        cdef int status = OK
        if items == NULL:
            raise MemoryError
        try:
            self.gather(items, held, used, keys, programs, find, nulls)
            while at < count:
                with nogil:
                    at = advance(items, at, count, self.root, self.wrapped, &status)
                if at == count:
                    break
                if status == NO_MEMORY:
                    raise MemoryError
                if status == FULL:
                    raise too_large()
                self.leave(at, held[at], items[at].data - <const unsigned char *>PyBytes_AS_STRING(held[at]),
                           used[at], fail)
                at += 1
        finally:
            free(items)

    cdef int leave(self, Py_ssize_t index, bytes data, Py_ssize_t start, Program program, fail) except -1:
        """Have the pure codec read a message, or say what is wrong with it."""
        try:
            cell = program.find_pure()(data, start)
        except Fault as fault:
            fail(index, data, fault)
            return 0
        self.rare[self.root.length + len(self.rare)] = (cell,) if self.wrapped else cell
        return 0

    cdef int gather(self, Item *items, list held, list used, keys, dict programs, find, bint nulls) except -1:
        """Find each message's program and body."""
        cdef dict known = dict(programs)
        cdef Py_ssize_t n, size = 0, start
        cdef const char *last = NULL
        cdef const char *data
        cdef Program program = None
        cdef bytes value
        for n in range(PyList_GET_SIZE(held)):
            item = <object>PyList_GET_ITEM(held, n)
            if item is None and nulls:
                used.append(None)
                continue
            if type(item) is bytes and keys is None and last != NULL:
                value = item
                data = PyBytes_AS_STRING(value)
                if PyBytes_GET_SIZE(value) >= size and memcmp(data, last, size) == 0:
                    used.append(program)
                    items[n].data = <const unsigned char *>data + size
                    items[n].size = PyBytes_GET_SIZE(value) - size
                    items[n].op = &program.root.op
                    items[n].strict = program.strict
                    continue
            key, start = message_key(item, keys[n] if keys is not None else None)
            found = known.get(key)
            if found is None:
                found = find(n, item)
                if found is None:
                    items[n].left_out = True
                    used.append(None)
                    continue
                known[key] = found
            program = found
            value = item
            used.append(program)
            data = PyBytes_AS_STRING(value)
            if start > PyBytes_GET_SIZE(value):
                raise ValueError(start)
            items[n].data = <const unsigned char *>data + start
            items[n].size = PyBytes_GET_SIZE(value) - start
            items[n].op = &program.root.op
            items[n].strict = program.strict
            last, size = data, start
        return 0

    def finish(self):
        """The columns, and the rows that were left to the pure codec, by their place among all."""
        return export(self.root), self.rare


def frames_of(list messages, keys):
    """See `serde.codec.columns.frames_of`."""
    cdef dict found = {}
    cdef Py_ssize_t n, size = 0
    cdef const char *last = NULL
    cdef bytes value
    for n in range(PyList_GET_SIZE(messages)):
        item = <object>PyList_GET_ITEM(messages, n)
        if item is None:
            continue
        if type(item) is not bytes:
            item = messages[n] = as_message(item)
        value = item
        if last != NULL and PyBytes_GET_SIZE(value) >= size and memcmp(PyBytes_AS_STRING(value), last, size) == 0:
            continue
        key, start = message_key(value, keys[n] if keys is not None else None)
        found.setdefault(key, n)
        if keys is None and start <= PyBytes_GET_SIZE(value):
            last, size = PyBytes_AS_STRING(value), start
    return found


cdef Column *make_column(column, Py_ssize_t most) except NULL:
    cdef Column *made = <Column *>calloc(1, sizeof(Column))
    cdef int32_t none = 0
    cdef int n, at = 0
    if made == NULL:
        raise MemoryError
    try:
        made.kind = column.kind
        made.nullable = column.nullable and made.kind != NULL_COLUMN
        made.width = column.width
        made.most = most
        children = column.children
        made.null = null_child(column) if made.kind == UNIONS else 0
        made.count = len(children) + (made.kind == MAPS)
        made.children = <Column **>calloc(max(made.count, 1), sizeof(Column *))
        if made.children == NULL:
            raise MemoryError
        if made.kind == MAPS:
            made.children[0] = make_column(_KEYS, most)
            at = 1
        for n in range(len(children)):
            made.children[at + n] = make_column(children[n], most)
        if made.kind in (SPANS, STRINGS, LISTS, MAPS) and put(&made.offsets, &none, 4):
            raise MemoryError
    except BaseException:
        discard(made)
        raise
    return made


class _Keys:
    """The layout of a map's keys."""

    kind = Kind.STRING
    nullable = False
    width = 0
    children = ()


cdef object _KEYS = _Keys


cdef object export(Column *column):
    cdef Py_ssize_t n, nulls = 0
    cdef int each
    if column.kind == NULL_COLUMN:
        return Buffers(column.length, column.length)
    valid = None
    if column.nullable:
        nulls = column.length
        for n in range(column.valid.size):
            nulls -= codec_ones(<unsigned char>column.valid.data[n])
        valid = block_of(&column.valid)
    has_offsets = column.kind in (SPANS, STRINGS, LISTS, MAPS, UNIONS)
    has_data = column.kind not in (LISTS, MAPS, STRUCTS)
    children = [export(column.children[each]) for each in range(column.count)]
    return Buffers(
        column.length,
        nulls,
        0,
        valid,
        block_of(&column.data) if has_data else None,
        block_of(&column.offsets) if has_offsets else None,
        children,
    )
