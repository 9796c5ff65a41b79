# cython: language_level=3, wraparound=False, auto_pickle=False, freethreading_compatible=True
"""Values to Avro's binary encoding.

Each node of a schema is a `Writer`. It writes what it is sure of, and refuses
the rest with any exception: `Encoder` then has the pure codec do the whole of
it again, which says what is wrong, or knows better. So nothing here makes a
message, and a node need not know every form a value may have.
"""

from collections.abc import Mapping
from enum import Enum as PythonEnum

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Size
from cpython.float cimport PyFloat_AS_DOUBLE
from cpython.long cimport PyLong_AsDouble, PyLong_AsLongLong
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdint cimport int64_t
from libc.stdlib cimport free
from libc.string cimport memcpy

from serde.codec.native.wire cimport (
    MAX_DEPTH,
    STACK_SIZE,
    Buffer,
    codec_dict_next,
    put,
    put_long,
    refuse,
    reserve,
)

from serde.codec.binary import as_bytes, as_real, as_whole
from serde.codec.encode import TYPE_KEY, is_array
from serde.codec.fault import FAULTS
from serde.codec.objects import is_by_value
from serde.codec.schema import MISSING
from serde.codec.union import class_of

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    void *PyUnicode_DATA(object text)
    int PyFloat_Pack4(double number, char *to, int little_endian) except -1
    int PyFloat_Pack8(double number, char *to, int little_endian) except -1


cdef class Writer:
    """Writes the values of one type."""

    cdef int write(self, Buffer *out, object value) except -1:
        return refuse()


cdef class Null(Writer):
    cdef int write(self, Buffer *out, object value) except -1:
        return 0 if value is None else refuse()


cdef class Boolean(Writer):
    cdef int write(self, Buffer *out, object value) except -1:
        if value is True:
            return put(out, b"\x01", 1)
        if value is False:
            return put(out, b"\x00", 1)
        return refuse()


cdef class Int(Writer):
    cdef int write(self, Buffer *out, object value) except -1:
        cdef int64_t number = PyLong_AsLongLong(value if type(value) is int else as_whole(value, "int"))
        if number < -0x80000000 or number > 0x7FFFFFFF:
            return refuse()
        return put_long(out, number)


cdef class Long(Writer):
    cdef int write(self, Buffer *out, object value) except -1:
        return put_long(out, PyLong_AsLongLong(value if type(value) is int else as_whole(value, "long")))


cdef enum:
    MAX_CLASSES = 4096


cdef inline double real(object value, str expected) except? -1:
    if type(value) is float:
        return PyFloat_AS_DOUBLE(value)
    if type(value) is int:
        return PyLong_AsDouble(value)
    return as_real(value, expected)


cdef class Float(Writer):
    cdef int write(self, Buffer *out, object value) except -1:
        reserve(out, 4)
        PyFloat_Pack4(real(value, "float"), out.data + out.size, 1)
        out.size += 4
        return 0


cdef class Double(Writer):
    cdef int write(self, Buffer *out, object value) except -1:
        cdef double number = real(value, "double")
        reserve(out, 8)
        PyFloat_Pack8(number, out.data + out.size, 1)
        out.size += 8
        return 0


cdef class Bytes(Writer):
    cdef int write(self, Buffer *out, object value) except -1:
        cdef bytes raw = value if type(value) is bytes else as_bytes(value, "bytes")
        put_long(out, PyBytes_GET_SIZE(raw))
        return put(out, PyBytes_AS_STRING(raw), PyBytes_GET_SIZE(raw))


cdef class String(Writer):
    cdef int write(self, Buffer *out, object value) except -1:
        cdef bytes encoded
        if not isinstance(value, str):
            return refuse()
        if PyUnicode_IS_COMPACT_ASCII(value):
            put_long(out, PyUnicode_GET_LENGTH(value))
            return put(out, PyUnicode_DATA(value), PyUnicode_GET_LENGTH(value))
        # Not AsUTF8: it would keep the bytes for as long as the user keeps the string.
        encoded = value.encode()
        put_long(out, PyBytes_GET_SIZE(encoded))
        return put(out, PyBytes_AS_STRING(encoded), PyBytes_GET_SIZE(encoded))


cdef Writer _STRING = String()


cdef class Fixed(Writer):
    cdef Py_ssize_t size

    def __init__(self, Py_ssize_t size):
        self.size = size

    cdef int write(self, Buffer *out, object value) except -1:
        cdef bytes raw = value if type(value) is bytes else as_bytes(value, "bytes")
        if PyBytes_GET_SIZE(raw) != self.size:
            return refuse()
        return put(out, PyBytes_AS_STRING(raw), self.size)


cdef class Enum(Writer):
    """symbols: what to write for each.
    by_value: for the classes of enums that were met, whether their members' values are the symbols.
    """

    cdef dict symbols
    cdef dict by_value

    def __init__(self, dict symbols):
        self.symbols = symbols
        self.by_value = {}

    cdef int write(self, Buffer *out, object value) except -1:
        cdef object symbol = value
        # A member may be a str, too, and its name be the symbol.
        if type(value) is not str and (isinstance(value, PythonEnum) or not isinstance(value, str)):
            symbol = self.symbol(value)
        cdef object tag = self.symbols.get(symbol)
        if tag is None:
            return refuse()
        return put(out, PyBytes_AS_STRING(tag), PyBytes_GET_SIZE(tag))

    cdef object symbol(self, object member):
        cdef object by_value = self.by_value.get(type(member))
        if by_value is None:
            if not isinstance(member, PythonEnum):
                refuse()
            by_value = is_by_value(type(member))
            remember(self.by_value, type(member), by_value)
        return member._value_ if by_value else member._name_


cdef inline int remember(dict table, object cls, object known) except -1:
    """What was found out of a class; a program has few, one that makes them at run time may have any number."""
    if PyDict_Size(table) >= MAX_CLASSES:
        table.clear()
    table[cls] = known
    return 0


cdef class Array(Writer):
    cdef Writer item

    def __init__(self, Writer item):
        self.item = item

    cdef int write(self, Buffer *out, object value) except -1:
        cdef Py_ssize_t count, done = 0
        cdef list items
        if out.depth >= MAX_DEPTH or (type(value) is not list and not is_array(value)):
            return refuse()
        out.depth += 1
        count = len(value)
        if count:
            put_long(out, count)
            if type(value) is list:
                items = value
                # An item may be code that changes the list: each index is checked, and the length at the end.
                for done in range(count):
                    self.item.write(out, items[done])
                done = count
                if len(items) != count:
                    return refuse()
            else:
                for item in value:
                    self.item.write(out, item)
                    done += 1
            if done != count:
                return refuse()
        out.depth -= 1
        return put(out, b"\x00", 1)


cdef class Map(Writer):
    cdef Writer value

    def __init__(self, Writer value):
        self.value = value

    cdef int write(self, Buffer *out, object value) except -1:
        cdef Py_ssize_t count, done = 0
        if out.depth >= MAX_DEPTH:
            return refuse()
        out.depth += 1
        if type(value) is dict:
            count = PyDict_Size(value)
            if count:
                put_long(out, count)
                for key, item in (<dict>value).items():
                    _STRING.write(out, key)
                    self.value.write(out, item)
                    done += 1
        elif isinstance(value, Mapping):
            count = len(value)
            if count:
                put_long(out, count)
                for key, item in value.items():
                    _STRING.write(out, key)
                    self.value.write(out, item)
                    done += 1
        else:
            return refuse()
        if done != count:
            return refuse()
        out.depth -= 1
        return put(out, b"\x00", 1)


cdef class Record(Writer):
    """name: the record's full name.
    names, writers, defaults: of each field; a default is bytes, None where there is none.
    strict: whether every key must be a field.
    find_attributes: for a class the attribute that holds each field, None in place of one that it does not
    have; None for a class whose objects are no records, or have fields that this record has not.
    """

    cdef object name
    cdef tuple names
    cdef tuple writers
    cdef tuple defaults
    cdef frozenset known
    cdef bint strict
    cdef object find_attributes
    cdef dict attributes

    def __init__(self, str name, tuple names, tuple writers, tuple defaults, bint strict, find_attributes):
        assert len(names) == len(writers) == len(defaults)
        self.name = name
        self.names = names
        self.writers = writers
        self.defaults = defaults
        self.known = frozenset(names)
        self.strict = strict
        self.find_attributes = find_attributes
        self.attributes = {}

    cdef int write(self, Buffer *out, object value) except -1:
        cdef Py_ssize_t n, met = 0, place = 0
        cdef PyObject *found
        cdef object given
        if type(value) is not dict:
            return self.write_object(out, value)
        if out.depth >= MAX_DEPTH:
            return refuse()
        out.depth += 1
        for n in range(PyTuple_GET_SIZE(self.names)):
            found = codec_dict_next(value, <object>PyTuple_GET_ITEM(self.names, n), &place)
            if found == NULL:
                self.write_default(out, n)
                continue
            given = <object>found
            Py_DECREF(given)
            met += 1
            (<Writer>PyTuple_GET_ITEM(self.writers, n)).write(out, given)
        if met != PyDict_Size(value):
            # A key that is no field: only the type's name may be one.
            given = MISSING if TYPE_KEY in self.known else value.get(TYPE_KEY, MISSING)
            if given is not MISSING and given != self.name:
                return refuse()
            if self.strict and (given is MISSING or met + 1 != PyDict_Size(value)):
                return refuse()
        out.depth -= 1
        return 0

    cdef int write_object(self, Buffer *out, object value) except -1:
        cdef Py_ssize_t n
        cdef object attribute
        cdef object attributes = self.attributes.get(type(value))
        if attributes is None:
            attributes = self.find_attributes(type(value))
            if attributes is None:
                return self.write_mapping(out, value)
            remember(self.attributes, type(value), attributes)
        if out.depth >= MAX_DEPTH:
            return refuse()
        out.depth += 1
        for n in range(PyTuple_GET_SIZE(self.writers)):
            attribute = <object>PyTuple_GET_ITEM(attributes, n)
            if attribute is None:
                self.write_default(out, n)
            else:
                (<Writer>PyTuple_GET_ITEM(self.writers, n)).write(out, getattr(value, attribute))
        out.depth -= 1
        return 0

    cdef int write_mapping(self, Buffer *out, object value) except -1:
        cdef Py_ssize_t n
        if out.depth >= MAX_DEPTH or not isinstance(value, Mapping):
            return refuse()
        if TYPE_KEY not in self.known and value.get(TYPE_KEY, self.name) != self.name:
            return refuse()
        for key in value:
            if self.strict and key not in self.known and key != TYPE_KEY:
                return refuse()
        out.depth += 1
        for n in range(PyTuple_GET_SIZE(self.names)):
            given = value.get(self.names[n], MISSING)
            if given is MISSING:
                self.write_default(out, n)
            else:
                (<Writer>PyTuple_GET_ITEM(self.writers, n)).write(out, given)
        out.depth -= 1
        return 0

    cdef int write_default(self, Buffer *out, Py_ssize_t n) except -1:
        cdef object encoded = self.defaults[n]
        if encoded is None:
            return refuse()
        return put(out, PyBytes_AS_STRING(encoded), PyBytes_GET_SIZE(encoded))


cdef class Union(Writer):
    """names, writers: of each branch.
    by_class: for a Python class the indices of the branches that can take it, best first.
    fields: of each branch that is a record the names of its fields; None of another.
    hints: whether (name, value) names a branch.
    find_branch: for a class of the user's the index of its branch, None if it has none; it may raise.
    met: what was found for classes that `by_class` does not have.
    null, only: the index of null, and of the other branch if there is just one other; -1 for none.
    """

    cdef tuple names
    cdef tuple writers
    cdef dict by_class
    cdef tuple fields
    cdef bint hints
    cdef object find_branch
    cdef dict met
    cdef Py_ssize_t null
    cdef Py_ssize_t only

    def __init__(self, tuple names, tuple writers, dict by_class, tuple fields, bint hints, find_branch):
        self.names = names
        self.writers = writers
        self.by_class = by_class
        self.fields = fields
        self.hints = hints
        self.find_branch = find_branch
        self.met = {}
        self.null = names.index("null") if "null" in names else -1
        self.only = 1 - self.null if self.null >= 0 and len(names) == 2 else -1

    cdef int write(self, Buffer *out, object value) except -1:
        cdef tuple found
        if value is None and self.null >= 0:
            return put_long(out, self.null)
        if type(value) is tuple and self.hints:
            if len(value) == 2 and isinstance(value[0], str) and value[0] in self.names:
                return self.write_branch(out, self.names.index(value[0]), value[1])
        elif self.only >= 0:
            # What the other branch does not take the union does not.
            return self.write_branch(out, self.only, value)
        found = self.by_class.get(type(value))
        if found is None:
            found = self.met.get(type(value))
            if found is None:
                found = self.branches(value)
        if len(found) == 1:
            return self.write_branch(out, found[0], value)
        return self.write_first(out, found, value)

    cdef inline int write_branch(self, Buffer *out, Py_ssize_t index, object value) except -1:
        put_long(out, index)
        return (<Writer>PyTuple_GET_ITEM(self.writers, index)).write(out, value)

    cdef tuple branches(self, object value):
        cdef object branch = self.find_branch(type(value))
        cdef tuple found = self.by_class.get(class_of(value), ()) if branch is None else (branch,)
        remember(self.met, type(value), found)
        return found

    cdef int write_first(self, Buffer *out, tuple found, object value) except -1:
        """The first branch that takes the value; those whose fields are just its keys before the others."""
        cdef Py_ssize_t size = out.size
        cdef int depth = out.depth
        exact = [n for n in found if self.fields[n] is None or value.keys() == self.fields[n]]
        rest = [n for n in found if n not in exact]
        if len(rest) > 1:
            rest = [n for _, n in sorted([(-len(self.fields[n] & value.keys()), n) for n in rest])]
        for index in exact + rest:
            try:
                return self.write_branch(out, index, value)
            except FAULTS:
                out.size = size
                out.depth = depth
        return refuse()


cdef class Converted(Writer):
    """What another writer takes, and the Python type of a logical type.

    encode, from_text: as of `serde.codec.logical.Conversion`.
    """

    def __init__(self, Writer inner, python, encode, from_text):
        self.inner = inner
        self.python = python
        self.encode = encode
        self.from_text = from_text

    cdef int write(self, Buffer *out, object value) except -1:
        if isinstance(value, self.python):
            value = self.encode(value)
        elif self.from_text is not None and isinstance(value, str):
            value = self.from_text(value)
        return self.inner.write(out, value)


cdef class Forward(Writer):
    """Stands for a writer that is made later, by a record that holds itself."""

    cdef object find
    cdef Writer target

    def __init__(self, find):
        self.find = find

    def settle(self):
        self.target = self.find()
        self.find = None

    cdef int write(self, Buffer *out, object value) except -1:
        return self.target.write(out, value)


cdef class Encoder:
    """root: writes the value.
    prefix: goes in front.
    find_pure: gives the pure codec's encoder of the same schema.
    left: told of each value that only the pure codec took.
    """

    cdef Writer root
    cdef bytes prefix
    cdef object find_pure
    cdef object left

    def __init__(self, Writer root, bytes prefix, find_pure, left):
        self.root = root
        self.prefix = prefix
        self.find_pure = find_pure
        self.left = left

    def encode(self, value):
        try:
            return self.write(value)
        except Exception:
            pass
        return self.write_pure(value)

    cdef bytes write(self, object value):
        cdef char stack[STACK_SIZE]
        cdef Buffer out
        out.data = stack
        out.size = 0
        out.room = STACK_SIZE
        out.heap = NULL
        out.depth = 0
        try:
            put(&out, PyBytes_AS_STRING(self.prefix), PyBytes_GET_SIZE(self.prefix))
            self.root.write(&out, value)
            return PyBytes_FromStringAndSize(out.data, out.size)
        finally:
            free(out.heap)

    cdef bytes write_pure(self, object value):
        encoded = self.find_pure()(value)
        self.left(value)
        return encoded
