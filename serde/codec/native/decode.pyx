# cython: language_level=3, wraparound=False, auto_pickle=False, freethreading_compatible=True
"""Avro's binary encoding to values.

Each pair of a writer's and a reader's node is a `Reader`. It checks every
bound, and refuses what it does not read with any exception: `Decoder` then has
the pure codec do the whole of it again, which says what is wrong. So nothing
here makes a message.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Copy, PyDict_SetItem
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t
from libc.string cimport memcmp

from serde.codec.native.wire cimport (
    MAX_EMPTY_ITEMS,
    Cursor,
    deeper,
    refuse,
    take,
    take_count,
    take_length,
    take_long,
)

cdef extern from "Python.h":
    double PyFloat_Unpack4(const char *data, int little_endian) except? -1
    double PyFloat_Unpack8(const char *data, int little_endian) except? -1

cdef extern from *:
    """
    /* A new object of a class that has object's __new__: refused, as by it, where the class is abstract. */
    static inline PyObject *codec_new(PyObject *cls) {
        PyObject *made, *none = PyTuple_New(0);
        if (none == NULL) return NULL;
        made = ((PyTypeObject *)cls)->tp_new((PyTypeObject *)cls, none, NULL);
        Py_DECREF(none);
        return made;
    }
    """
    object codec_new(object cls)
    int PyObject_GenericSetAttr(object made, object name, object value) except -1

cdef enum:
    # A list is made for so many items at once; what a message says of more is believed when they are there.
    MAX_AHEAD = 1024


cdef class Reader:
    """Reads the values of one type. Itself it refuses all: two types that cannot be resolved."""

    cdef object read(self, Cursor *data):
        refuse()

    cdef int skip(self, Cursor *data) except -1:
        """Read, with every check, and give nothing."""
        self.read(data)
        return 0


cdef class Null(Reader):
    cdef object read(self, Cursor *data):
        return None


cdef class Boolean(Reader):
    cdef object read(self, Cursor *data):
        cdef const char *byte = take(data, 1)
        if byte[0] & 0xFE:
            refuse()
        return byte[0] == 1


cdef class Number(Reader):
    """A whole number: `number` gives it as C has it."""

    cdef int64_t number(self, Cursor *data) except? -1:
        return refuse()

    cdef object read(self, Cursor *data):
        return self.number(data)

    cdef int skip(self, Cursor *data) except -1:
        self.number(data)
        return 0


cdef class Int(Number):
    cdef int64_t number(self, Cursor *data) except? -1:
        cdef int64_t number = take_long(data)
        if number < -0x80000000 or number > 0x7FFFFFFF:
            return refuse()
        return number


cdef class Long(Number):
    cdef int64_t number(self, Cursor *data) except? -1:
        return take_long(data)


cdef class Float(Reader):
    cdef object read(self, Cursor *data):
        return PyFloat_Unpack4(take(data, 4), 1)


cdef class Double(Reader):
    cdef object read(self, Cursor *data):
        return PyFloat_Unpack8(take(data, 8), 1)


cdef class Span(Reader):
    """Bytes: `span` gives how many, and moves past them."""

    cdef Py_ssize_t span(self, Cursor *data) except -1:
        return refuse()

    cdef object read(self, Cursor *data):
        cdef Py_ssize_t size = self.span(data)
        return PyBytes_FromStringAndSize(<const char *>data.at - size, size)

    cdef int skip(self, Cursor *data) except -1:
        self.span(data)
        return 0


cdef class Bytes(Span):
    cdef Py_ssize_t span(self, Cursor *data) except -1:
        cdef Py_ssize_t size = take_length(data)
        data.at += size
        return size


cdef class Fixed(Span):
    cdef Py_ssize_t size

    def __init__(self, Py_ssize_t size):
        self.size = size

    cdef Py_ssize_t span(self, Cursor *data) except -1:
        take(data, self.size)
        return self.size


cdef inline object take_string(Cursor *data):
    cdef Py_ssize_t size = take_length(data)
    data.at += size
    return PyUnicode_DecodeUTF8(<const char *>data.at - size, size, NULL)


cdef class String(Span):
    cdef Py_ssize_t span(self, Cursor *data) except -1:
        cdef Py_ssize_t size = take_length(data)
        data.at += size
        return size

    cdef int skip(self, Cursor *data) except -1:
        take_string(data)  # which it must be, wanted or not
        return 0

    cdef object read(self, Cursor *data):
        return take_string(data)


cdef class Enum(Reader):
    """values: the reader's value for each symbol; None where it has none."""

    cdef tuple values

    def __init__(self, tuple values):
        self.values = values

    cdef object read(self, Cursor *data):
        cdef int64_t index = take_long(data)
        cdef object value
        if index < 0 or index >= PyTuple_GET_SIZE(self.values):
            refuse()
        value = <object>PyTuple_GET_ITEM(self.values, <Py_ssize_t>index)
        if value is None:
            refuse()
        return value


cdef class Array(Reader):
    """size: the fewest bytes an item takes."""

    cdef Reader item
    cdef Py_ssize_t size

    def __init__(self, Reader item, Py_ssize_t size):
        self.item = item
        self.size = size

    cdef object read(self, Cursor *data):
        cdef list items
        cdef int64_t count, n, ahead
        cdef object value
        deeper(data)
        count = self.count(data)
        ahead = min(count, MAX_AHEAD)
        items = PyList_New(<Py_ssize_t>ahead)
        for n in range(ahead):
            value = self.item.read(data)
            Py_INCREF(value)  # which SET_ITEM takes over
            PyList_SET_ITEM(items, <Py_ssize_t>n, value)
        count -= ahead
        while True:
            for n in range(count):
                items.append(self.item.read(data))
            if ahead == 0:
                break
            count = ahead = self.count(data)
        data.depth -= 1
        return items

    cdef int skip(self, Cursor *data) except -1:
        cdef int64_t count, n
        deeper(data)
        while True:
            count = self.count(data)
            if count == 0:
                break
            for n in range(count):
                self.item.skip(data)
        data.depth -= 1
        return 0

    cdef inline int64_t count(self, Cursor *data) except -1:
        """The number of items in the next block, which the rest of the message can hold."""
        cdef int64_t count = take_count(data)
        if self.size:
            if count > (data.end - data.at) // self.size:
                return refuse()
        elif count > data.empty_items:
            return refuse()
        else:
            data.empty_items -= count
        return count


cdef class Map(Reader):
    cdef Reader value

    def __init__(self, Reader value):
        self.value = value

    cdef object read(self, Cursor *data):
        cdef dict entries = {}
        cdef int64_t count, n
        deeper(data)
        while True:
            count = self.count(data)
            if count == 0:
                break
            for n in range(count):
                key = take_string(data)
                PyDict_SetItem(entries, key, self.value.read(data))
        data.depth -= 1
        return entries

    cdef int skip(self, Cursor *data) except -1:
        cdef int64_t count, n
        deeper(data)
        while True:
            count = self.count(data)
            if count == 0:
                break
            for n in range(count):
                take_string(data)
                self.value.skip(data)
        data.depth -= 1
        return 0

    cdef inline int64_t count(self, Cursor *data) except -1:
        cdef int64_t count = take_count(data)
        if count > data.end - data.at:
            return refuse()
        return count


cdef class Union(Reader):
    cdef tuple branches

    def __init__(self, tuple branches):
        self.branches = branches

    cdef inline Reader branch(self, Cursor *data):
        cdef int64_t index = take_long(data)
        if index < 0 or index >= PyTuple_GET_SIZE(self.branches):
            refuse()
        return <Reader>PyTuple_GET_ITEM(self.branches, <Py_ssize_t>index)

    cdef object read(self, Cursor *data):
        return self.branch(data).read(data)

    cdef int skip(self, Cursor *data) except -1:
        return self.branch(data).skip(data)


cdef class Record(Reader):
    """names, readers: of each of the writer's fields; a name is None where the reader does not want it.
    given: a dict of all names, with the defaults that are the same for every record.
    fresh: (name, encoded, reader) of the defaults that are new in each record.
    """

    cdef tuple names
    cdef tuple readers
    cdef dict given
    cdef tuple fresh

    def __init__(self, tuple names, tuple readers, dict given, tuple fresh):
        assert len(names) == len(readers)
        self.names = names
        self.readers = readers
        self.given = given
        self.fresh = fresh

    cdef object read(self, Cursor *data):
        cdef Py_ssize_t n
        cdef object name
        # A copy with every key there: filling it never makes it grow.
        cdef dict record = PyDict_Copy(self.given)
        deeper(data)
        for n in range(PyTuple_GET_SIZE(self.readers)):
            name = <object>PyTuple_GET_ITEM(self.names, n)
            if name is None:
                (<Reader>PyTuple_GET_ITEM(self.readers, n)).skip(data)
            else:
                PyDict_SetItem(record, name, (<Reader>PyTuple_GET_ITEM(self.readers, n)).read(data))
        for name, encoded, reader in self.fresh:
            record[name] = read_all(reader, encoded)
        data.depth -= 1
        return record

    cdef int skip(self, Cursor *data) except -1:
        cdef Py_ssize_t n
        deeper(data)
        for n in range(PyTuple_GET_SIZE(self.readers)):
            (<Reader>PyTuple_GET_ITEM(self.readers, n)).skip(data)
        data.depth -= 1
        return 0


cdef class Instance(Reader):
    """An object whose attributes are set, without its `__init__`; see `serde.codec.objects.Direct`.

    names, readers: as of `Record`. constants: (name, value) of what is the same in every object.
    fresh: as of `Record`. factories: (name, function). after: called with the object at last, or None.
    """

    cdef object cls
    cdef tuple names
    cdef tuple readers
    cdef tuple constants
    cdef tuple fresh
    cdef tuple factories
    cdef object after

    def __init__(self, cls, tuple names, tuple readers, tuple constants, tuple fresh, tuple factories, after):
        assert len(names) == len(readers)
        self.cls = cls
        self.names = names
        self.readers = readers
        self.constants = constants
        self.fresh = fresh
        self.factories = factories
        self.after = after

    cdef object read(self, Cursor *data):
        cdef Py_ssize_t n
        cdef object name
        cdef object made = codec_new(self.cls)
        deeper(data)
        for n in range(PyTuple_GET_SIZE(self.readers)):
            name = <object>PyTuple_GET_ITEM(self.names, n)
            if name is None:
                (<Reader>PyTuple_GET_ITEM(self.readers, n)).skip(data)
            else:
                PyObject_GenericSetAttr(made, name, (<Reader>PyTuple_GET_ITEM(self.readers, n)).read(data))
        for name, value in self.constants:
            PyObject_GenericSetAttr(made, name, value)
        for name, encoded, reader in self.fresh:
            PyObject_GenericSetAttr(made, name, read_all(reader, encoded))
        for name, factory in self.factories:
            PyObject_GenericSetAttr(made, name, factory())
        if self.after is not None:
            self.after(made)
        data.depth -= 1
        return made


cdef class Converted(Reader):
    """What another reader gives, through a function."""

    def __init__(self, Reader inner, convert):
        self.inner = inner
        self.convert = convert

    cdef object read(self, Cursor *data):
        return self.convert(self.inner.read(data))


cdef class Forward(Reader):
    """Stands for a reader that is made later, by a record that holds itself."""

    cdef object find
    cdef Reader target

    def __init__(self, find):
        self.find = find

    def settle(self):
        self.target = self.find()
        self.find = None

    cdef object read(self, Cursor *data):
        return self.target.read(data)

    cdef int skip(self, Cursor *data) except -1:
        return self.target.skip(data)


cpdef object read_all(Reader reader, bytes encoded, Py_ssize_t start=0, bint whole=True):
    """The value of all of `encoded` from `start` on. Raises an exception, any, if it is none.

    whole: False: what comes after the value is ignored.
    """
    cdef Cursor data
    cdef object value
    if start < 0 or start > PyBytes_GET_SIZE(encoded):
        refuse()
    data.at = <const unsigned char *>PyBytes_AS_STRING(encoded) + start
    data.end = <const unsigned char *>PyBytes_AS_STRING(encoded) + PyBytes_GET_SIZE(encoded)
    data.empty_items = MAX_EMPTY_ITEMS
    data.depth = 0
    value = reader.read(&data)
    if whole and data.at != data.end:
        refuse()
    return value


cdef class Decoder:
    """root: reads the value.
    find_pure: gives the pure codec's decoder of the same schemas.
    left: told of each message that only the pure codec took.
    whole: as of `read_all`.
    """

    cdef Reader root
    cdef object find_pure
    cdef object left
    cdef bint whole

    def __init__(self, Reader root, find_pure, left, bint whole):
        self.root = root
        self.find_pure = find_pure
        self.left = left
        self.whole = whole

    def decode(self, bytes data not None, Py_ssize_t start):
        try:
            return read_all(self.root, data, start, self.whole)
        except Exception:
            pass
        value = self.find_pure()(data, start)
        self.left(data)
        return value

    def read_run(self, bytes frame not None, list messages not None, list found not None):
        """See `serde.codec.read_run`."""
        cdef Py_ssize_t n = len(found), size = PyBytes_GET_SIZE(frame)
        cdef bytes data
        while n < len(messages):
            message = messages[n]
            if type(message) is not bytes:
                return
            data = message
            if PyBytes_GET_SIZE(data) < size:
                return
            if memcmp(PyBytes_AS_STRING(data), PyBytes_AS_STRING(frame), size) != 0:
                return
            try:
                value = read_all(self.root, data, size, self.whole)
            except Exception:
                return
            found.append(value)
            n += 1
