# Bytes out and bytes in. Both codecs' halves are built on this; it is C, and checks every bound.

from cpython.object cimport PyObject
from libc.stdint cimport INT64_MAX, int64_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

cdef extern from *:
    """
    /* A dict's value, owned by the caller; NULL without an exception if it is not there. Safe where another
       thread changes the dict, which borrowing is not without the GIL. */
    static inline PyObject *codec_dict_get(PyObject *dict, PyObject *key) {
    #if PY_VERSION_HEX >= 0x030D0000
        PyObject *found;
        (void)PyDict_GetItemRef(dict, key, &found);
        return found;
    #else
        PyObject *found = PyDict_GetItemWithError(dict, key);
        Py_XINCREF(found);
        return found;
    #endif
    }

    /* The same, for keys asked for in the order they usually have: the one at `place` is looked at first, and
       `place` moves on if it is the key itself. If it is not, and the key is elsewhere, the dict has an order or
       keys of its own, and `place` is -1 from then on. Safe also after the dict has changed. */
    static inline PyObject *codec_dict_next(PyObject *dict, PyObject *key, Py_ssize_t *place) {
        PyObject *value;
    #ifndef Py_GIL_DISABLED
        PyObject *found;
        Py_ssize_t next = *place;
        if (next >= 0 && PyDict_Next(dict, &next, &found, &value) && found == key) {
            *place = next;
            Py_INCREF(value);
            return value;
        }
    #endif
        value = codec_dict_get(dict, key);
        if (value != NULL) *place = -1;
        return value;
    }
    """
    const Py_ssize_t PY_SSIZE_T_MAX
    PyObject *codec_dict_next(object dict, object key, Py_ssize_t *place) except? NULL


cdef enum:
    # Deeper than this the pure codec decides, which goes on to Python's own limit: about 300.
    MAX_DEPTH = 200
    # What a call has on the stack; most messages need no other memory.
    STACK_SIZE = 2048
    # As in readers.py.
    MAX_EMPTY_ITEMS = 1048576


cdef struct Buffer:
    char *data
    Py_ssize_t size
    Py_ssize_t room
    char *heap  # NULL while `data` is the caller's stack
    int depth


cdef struct Cursor:
    const unsigned char *at
    const unsigned char *end
    int64_t empty_items  # that arrays may still hold
    int depth


cdef inline int refuse() except -1:
    """What raised it goes unseen: the pure codec says what is wrong."""
    raise ValueError


cdef inline int reserve(Buffer *out, Py_ssize_t more) except -1:
    """Make room for `more` bytes."""
    if more <= out.room - out.size:
        return 0
    return grow(out, more)


cdef inline int grow(Buffer *out, Py_ssize_t more) except -1:
    cdef Py_ssize_t room
    cdef char *data
    if more > (PY_SSIZE_T_MAX >> 2) - out.size:
        raise MemoryError
    room = 2 * (out.size + more)
    data = <char *>realloc(out.heap, room)
    if data == NULL:
        raise MemoryError
    if out.heap == NULL:
        memcpy(data, out.data, out.size)
    out.heap = out.data = data
    out.room = room
    return 0


cdef inline int put(Buffer *out, const void *data, Py_ssize_t size) except -1:
    reserve(out, size)
    memcpy(out.data + out.size, data, size)
    out.size += size
    return 0


cdef inline int put_long(Buffer *out, int64_t number) except -1:
    """A zig-zag varint."""
    cdef uint64_t rest = (<uint64_t>number << 1) ^ <uint64_t>(number >> 63)
    cdef unsigned char *to
    reserve(out, 10)
    to = <unsigned char *>out.data + out.size
    while rest >= 0x80:
        to[0] = <unsigned char>(rest | 0x80)
        to += 1
        rest >>= 7
    to[0] = <unsigned char>rest
    out.size = <char *>to + 1 - out.data
    return 0


cdef extern from *:
    """
    /* 0; or -1, with nothing read, where the bytes end, or are no number of 64 bits in ten bytes. */
    static inline int codec_take_long(const unsigned char **at, const unsigned char *end, int64_t *number) {
        const unsigned char *p = *at;
        uint64_t value = 0;
        int shift = 0;
        if (p < end && *p < 0x80) {
            value = *p++;
        } else {
            for (;;) {
                unsigned char byte;
                if (p >= end || shift > 63) return -1;
                byte = *p++;
                if (shift == 63 && byte > 1) return -1;
                value |= (uint64_t)(byte & 0x7F) << shift;
                if (byte < 0x80) break;
                shift += 7;
            }
        }
        *number = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
        *at = p;
        return 0;
    }
    """
    int codec_take_long(const unsigned char **at, const unsigned char *end, int64_t *number) nogil


cdef inline int64_t take_long(Cursor *data) except? -1:
    cdef int64_t number
    if codec_take_long(&data.at, data.end, &number) < 0:
        refuse()
    return number


cdef inline Py_ssize_t take_length(Cursor *data) except -1:
    """A length that the rest of the message can hold."""
    cdef int64_t length = take_long(data)
    if length < 0 or length > data.end - data.at:
        return refuse()
    return <Py_ssize_t>length


cdef inline int64_t take_count(Cursor *data) except -1:
    """The number of items in the next block."""
    cdef int64_t count = take_long(data)
    if count >= 0:
        return count
    take_long(data)  # the block's length in bytes
    if count < -INT64_MAX:
        return refuse()
    return -count


cdef inline const char *take(Cursor *data, Py_ssize_t size) except NULL:
    """The next `size` bytes, 0 or more."""
    cdef const char *start = <const char *>data.at
    if size > data.end - data.at:
        refuse()
    data.at += size
    return start


cdef inline int deeper(Cursor *data) except -1:
    if data.depth >= MAX_DEPTH:
        return refuse()
    data.depth += 1
    return 0
