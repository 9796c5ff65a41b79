# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, freethreading_compatible=True
"""The records of a batch, uncompressed, to bytes and back.

What is not plainly right is refused with ValueError, and nothing here words a
fault: `batch` has its Python do the whole of it again, which decides. Every
read is within the body, and every write within what was counted before.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_Append
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_SET_ITEM
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_CheckExact, PyUnicode_DecodeUTF8
from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, int64_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    /* A new tuple of a subclass of tuple, its items to be set. */
    static inline PyObject *records_new(PyObject *cls, Py_ssize_t size) {
        return ((PyTypeObject *)cls)->tp_alloc((PyTypeObject *)cls, size);
    }
    static inline int records_is_tuple_class(PyObject *cls) {
        return PyType_Check(cls) && PyType_IsSubtype((PyTypeObject *)cls, &PyTuple_Type);
    }
    """
    object records_new(object cls, Py_ssize_t size)
    bint records_is_tuple_class(object cls)

cdef enum:
    # Length, attributes, timestamp delta, offset delta, two lengths, and the number of headers.
    FIXED = 10 + 1 + 10 + 10 + 10 + 10 + 10
    FIELDS = 8


cdef inline char *put_varint(char *at, int64_t number) noexcept nogil:
    cdef uint64_t rest = (<uint64_t>number << 1) ^ <uint64_t>(number >> 63)
    while rest > 0x7F:
        at[0] = <char>((rest & 0x7F) | 0x80)
        at += 1
        rest >>= 7
    at[0] = <char>rest
    return at + 1


cdef inline int varint_size(int64_t number) noexcept nogil:
    cdef uint64_t rest = (<uint64_t>number << 1) ^ <uint64_t>(number >> 63)
    cdef int size = 1
    while rest > 0x7F:
        rest >>= 7
        size += 1
    return size


cdef inline Py_ssize_t length_of(object data) except -2:
    """The length of bytes; -1 for None."""
    if data is None:
        return -1
    if not PyBytes_CheckExact(data):
        raise ValueError
    return PyBytes_GET_SIZE(data)


cdef inline char *put_bytes(char *at, object data, Py_ssize_t length) noexcept:
    at = put_varint(at, length)
    if length > 0:
        memcpy(at, PyBytes_AS_STRING(data), length)
        at += length
    return at


cdef Py_ssize_t headers_size(tuple headers) except -1:
    """The bytes of the headers, their number included."""
    cdef Py_ssize_t size = varint_size(PyTuple_GET_SIZE(headers))
    cdef Py_ssize_t length
    cdef object header, name
    for header in headers:
        if not PyTuple_CheckExact(header) or PyTuple_GET_SIZE(header) != 2:
            raise ValueError
        name = <object>PyTuple_GET_ITEM(header, 0)
        if not PyUnicode_CheckExact(name):
            raise ValueError
        PyUnicode_AsUTF8AndSize(name, &length)
        size += varint_size(length) + length
        length = length_of(<object>PyTuple_GET_ITEM(header, 1))
        size += varint_size(length) + (length if length > 0 else 0)
    return size


cdef char *put_headers(char *at, tuple headers) except NULL:
    cdef Py_ssize_t length
    cdef const char *text
    cdef object header, value
    at = put_varint(at, PyTuple_GET_SIZE(headers))
    for header in headers:
        text = PyUnicode_AsUTF8AndSize(<object>PyTuple_GET_ITEM(header, 0), &length)
        at = put_varint(at, length)
        memcpy(at, text, length)
        at += length
        value = <object>PyTuple_GET_ITEM(header, 1)
        at = put_bytes(at, value, length_of(value))
    return at


def encode_records(list records, int64_t base_timestamp):
    """The records, numbered from 0, as they stand in a batch. See `batch.encode_records`."""
    cdef Py_ssize_t bound = 0, key_length, value_length, tail, length
    cdef object record, key, value, headers
    cdef int64_t elapsed, delta = 0
    cdef char *start
    cdef char *at
    for record in records:
        if not PyTuple_CheckExact(record) or PyTuple_GET_SIZE(record) != 4:
            raise ValueError
        headers = <object>PyTuple_GET_ITEM(record, 3)
        if not PyTuple_CheckExact(headers):
            raise ValueError
        key_length = length_of(<object>PyTuple_GET_ITEM(record, 1))
        value_length = length_of(<object>PyTuple_GET_ITEM(record, 2))
        bound += FIXED + (key_length if key_length > 0 else 0) + (value_length if value_length > 0 else 0)
        if PyTuple_GET_SIZE(headers):
            bound += headers_size(<tuple>headers)
    cdef bytes buffer = PyBytes_FromStringAndSize(NULL, bound)
    start = at = PyBytes_AS_STRING(buffer)
    for record in records:
        elapsed = <int64_t>(<object>PyTuple_GET_ITEM(record, 0))
        elapsed -= base_timestamp
        key = <object>PyTuple_GET_ITEM(record, 1)
        value = <object>PyTuple_GET_ITEM(record, 2)
        headers = <object>PyTuple_GET_ITEM(record, 3)
        key_length = length_of(key)
        value_length = length_of(value)
        tail = headers_size(<tuple>headers) if PyTuple_GET_SIZE(headers) else 1
        length = (
            1
            + varint_size(elapsed)
            + varint_size(delta)
            + varint_size(key_length)
            + (key_length if key_length > 0 else 0)
            + varint_size(value_length)
            + (value_length if value_length > 0 else 0)
            + tail
        )
        at = put_varint(at, length)
        at[0] = 0
        at = put_varint(at + 1, elapsed)
        at = put_varint(at, delta)
        at = put_bytes(at, key, key_length)
        at = put_bytes(at, value, value_length)
        if PyTuple_GET_SIZE(headers):
            at = put_headers(at, <tuple>headers)
        else:
            at[0] = 0
            at += 1
        delta += 1
    return PyBytes_FromStringAndSize(start, at - start)


cdef struct Cursor:
    const unsigned char *at
    const unsigned char *end


cdef inline int64_t take_varint(Cursor *cursor) except? -1:
    cdef uint64_t result = 0, byte
    cdef int shift = 0
    while True:
        if cursor.at >= cursor.end or shift > 63:
            raise ValueError
        byte = cursor.at[0]
        cursor.at += 1
        if shift == 63 and byte > 1:
            raise ValueError
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return <int64_t>(result >> 1) ^ -<int64_t>(result & 1)
        shift += 7


cdef inline object take_bytes(Cursor *cursor):
    cdef int64_t length = take_varint(cursor)
    if length < 0:
        if length != -1:
            raise ValueError
        return None
    if length > cursor.end - cursor.at:
        raise ValueError
    cdef bytes data = PyBytes_FromStringAndSize(<const char *>cursor.at, length)
    cursor.at += length
    return data


cdef tuple take_headers(Cursor *cursor):
    cdef int64_t count = take_varint(cursor)
    cdef int64_t length
    cdef list headers = []
    if count < 0 or count > cursor.end - cursor.at:
        raise ValueError
    while count > 0:
        length = take_varint(cursor)
        if length < 0 or length > cursor.end - cursor.at:
            raise ValueError
        name = PyUnicode_DecodeUTF8(<const char *>cursor.at, length, NULL)
        cursor.at += length
        headers.append((name, take_bytes(cursor)))
        count -= 1
    return tuple(headers)


cdef inline void set_item(object record, Py_ssize_t place, object item) noexcept:
    Py_INCREF(item)
    PyTuple_SET_ITEM(record, place, item)


def decode_records(
    bytes body not None,
    object record,
    str topic not None,
    object partition,
    int64_t base_offset,
    int64_t base_timestamp,
    object append_time,
    object timestamp_type,
    Py_ssize_t count,
):
    """The `count` records of a body, as objects of `record`. See `batch.decode_records`."""
    cdef Cursor cursor
    cdef const unsigned char *record_end
    cdef int64_t length, elapsed, delta
    cdef object key, value, made, offset, timestamp
    cdef tuple headers, no_headers = ()
    cdef list records = []
    if not records_is_tuple_class(record):
        raise ValueError
    cursor.at = <const unsigned char *>PyBytes_AS_STRING(body)
    cursor.end = cursor.at + PyBytes_GET_SIZE(body)
    while cursor.at < cursor.end:
        length = take_varint(&cursor)
        if length < 1 or length > cursor.end - cursor.at:
            raise ValueError
        record_end = cursor.at + length
        cursor.at += 1  # the record's attributes, which mean nothing
        elapsed = take_varint(&cursor)
        delta = take_varint(&cursor)
        key = take_bytes(&cursor)
        value = take_bytes(&cursor)
        if cursor.at < cursor.end and cursor.at[0] == 0:
            headers = no_headers
            cursor.at += 1
        else:
            headers = take_headers(&cursor)
        if cursor.at != record_end:
            raise ValueError
        if delta < INT32_MIN or delta > INT32_MAX:
            raise ValueError
        offset = base_offset + delta
        if append_time is None:
            # Such a sum is not within 64 bits.
            if (elapsed > 0 and base_timestamp > INT64_MAX - elapsed) or (
                elapsed < 0 and base_timestamp < INT64_MIN - elapsed
            ):
                raise ValueError
            timestamp = base_timestamp + elapsed
        else:
            timestamp = append_time
        made = records_new(record, FIELDS)
        set_item(made, 0, topic)
        set_item(made, 1, partition)
        set_item(made, 2, offset)
        set_item(made, 3, timestamp)
        set_item(made, 4, timestamp_type)
        set_item(made, 5, key)
        set_item(made, 6, value)
        set_item(made, 7, headers)
        PyList_Append(records, made)
    if len(records) != count:
        raise ValueError
    return records
