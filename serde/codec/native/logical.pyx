# cython: language_level=3, wraparound=False, cdivision=True, auto_pickle=False, freethreading_compatible=True
"""Logical types without a detour through Python, for the values that are met every day.

Each node knows the common form of its type and leaves any other to the
conversion of `serde.codec.logical`, which `Converted` calls.
"""

from decimal import Decimal
from uuid import UUID, SafeUUID

from cpython cimport datetime as dt
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject, PyTypeObject
from cpython.unicode cimport PyUnicode_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy

from serde.codec.native.calendar cimport FIRST_DAY, LAST_DAY, codec_date, codec_days
from serde.codec.native.decode cimport Converted as ReadConverted
from serde.codec.native.decode cimport Number, Span
from serde.codec.native.encode cimport Converted as WriteConverted
from serde.codec.native.wire cimport Buffer, Cursor, put, put_long, refuse

cdef extern from *:
    """
    /* Sixteen bytes, big-endian, and a Python int. */
    #if PY_VERSION_HEX >= 0x030D0000
    static PyObject *codec_int_from_16(const unsigned char *from) {
        return PyLong_FromUnsignedNativeBytes(from, 16, Py_ASNATIVEBYTES_BIG_ENDIAN);
    }
    static int codec_int_to_16(PyObject *number, unsigned char *to) {
        Py_ssize_t size = PyLong_AsNativeBytes(number, to, 16, Py_ASNATIVEBYTES_BIG_ENDIAN |
            Py_ASNATIVEBYTES_UNSIGNED_BUFFER | Py_ASNATIVEBYTES_REJECT_NEGATIVE);
        if (size > 16) PyErr_SetNone(PyExc_OverflowError);
        return size < 0 || size > 16 ? -1 : 0;
    }
    #else
    static PyObject *codec_int_from_16(const unsigned char *from) {
        return _PyLong_FromByteArray(from, 16, 0, 0);
    }
    static int codec_int_to_16(PyObject *number, unsigned char *to) {
        return _PyLong_AsByteArray((PyLongObject *)number, to, 16, 0, 0);
    }
    #endif
    """
    object codec_int_from_16(const unsigned char *data)
    int codec_int_to_16(object number, unsigned char *to) except -1

cdef extern from "Python.h":
    int PyObject_GenericSetAttr(object of, object name, object value) except -1
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL

dt.import_datetime()

cdef int64_t DAY = 86_400_000_000  # microseconds
cdef tuple NOTHING = ()
cdef object UNKNOWN = SafeUUID.unknown
# A UUID is made without its constructor, which takes a microsecond; only if it is what it was.
cdef bint _PLAIN_UUID = getattr(UUID, "__slots__", None) == ("int", "is_safe", "__weakref__")
cdef const char *HEX = "0123456789abcdef"


cdef inline int64_t floor_div(int64_t number, int64_t by) noexcept:
    cdef int64_t quotient = number // by
    return quotient - 1 if number % by < 0 else quotient


cdef class TimestampWriter(WriteConverted):
    """unit: in microseconds. local: without a zone, whatever zone the datetime has."""

    cdef int64_t unit
    cdef bint local

    def __init__(self, inner, python, encode, from_text, int64_t unit, bint local):
        super().__init__(inner, python, encode, from_text)
        self.unit = unit
        self.local = local

    cdef int write(self, Buffer *out, object value) except -1:
        cdef int64_t micros
        if not dt.PyDateTime_CheckExact(value) or not (self.local or dt.datetime_tzinfo(value) is dt.get_utc()):
            return WriteConverted.write(self, out, value)
        micros = dt.datetime_hour(value) * 60 + dt.datetime_minute(value)
        micros = micros * 60 + dt.datetime_second(value)
        micros = micros * 1_000_000 + dt.datetime_microsecond(value)
        micros += DAY * codec_days(dt.datetime_year(value), dt.datetime_month(value), dt.datetime_day(value))
        return put_long(out, floor_div(micros, self.unit))


cdef class TimestampReader(ReadConverted):
    """unit: in microseconds. local: without a zone."""

    cdef int64_t unit
    cdef bint local

    def __init__(self, Number inner, convert, int64_t unit, bint local):
        super().__init__(inner, convert)
        self.unit = unit
        self.local = local

    cdef object read(self, Cursor *data):
        cdef int64_t number = (<Number>self.inner).number(data)
        cdef int64_t a_day = DAY // self.unit
        cdef int64_t days = floor_div(number, a_day)
        cdef int64_t micros
        cdef int year, month, day, seconds
        if days < FIRST_DAY or days > LAST_DAY:
            refuse()
        micros = (number - days * a_day) * self.unit
        codec_date(days, &year, &month, &day)
        seconds = <int>(micros // 1_000_000)
        return dt.datetime_new(
            year, month, day, seconds // 3600, seconds // 60 % 60, seconds % 60, <int>(micros % 1_000_000),
            None if self.local else dt.get_utc(),
        )


cdef class DateWriter(WriteConverted):
    cdef int write(self, Buffer *out, object value) except -1:
        if not dt.PyDate_CheckExact(value):
            return WriteConverted.write(self, out, value)
        return put_long(out, codec_days(dt.date_year(value), dt.date_month(value), dt.date_day(value)))


cdef class DateReader(ReadConverted):
    def __init__(self, Number inner, convert):
        super().__init__(inner, convert)

    cdef object read(self, Cursor *data):
        cdef int64_t days = (<Number>self.inner).number(data)
        cdef int year, month, day
        if days < FIRST_DAY or days > LAST_DAY:
            refuse()
        codec_date(days, &year, &month, &day)
        return dt.date_new(year, month, day)


cdef class TimeWriter(WriteConverted):
    """unit: in microseconds."""

    cdef int64_t unit

    def __init__(self, inner, python, encode, from_text, int64_t unit):
        super().__init__(inner, python, encode, from_text)
        self.unit = unit

    cdef int write(self, Buffer *out, object value) except -1:
        cdef int64_t micros
        if not dt.PyTime_CheckExact(value):
            return WriteConverted.write(self, out, value)
        micros = (dt.time_hour(value) * 60 + dt.time_minute(value)) * 60 + dt.time_second(value)
        micros = micros * 1_000_000 + dt.time_microsecond(value)
        return put_long(out, micros // self.unit)


cdef class TimeReader(ReadConverted):
    """unit: in microseconds."""

    cdef int64_t unit

    def __init__(self, Number inner, convert, int64_t unit):
        super().__init__(inner, convert)
        self.unit = unit

    cdef object read(self, Cursor *data):
        cdef int64_t number = (<Number>self.inner).number(data)
        cdef int64_t micros
        cdef int seconds
        if number < 0 or number >= DAY // self.unit:
            refuse()
        micros = number * self.unit
        seconds = <int>(micros // 1_000_000)
        return dt.time_new(
            seconds // 3600, seconds // 60 % 60, seconds % 60, <int>(micros % 1_000_000), None
        )


cdef class UuidWriter(WriteConverted):
    """A UUID as 36 characters, or as 16 bytes."""

    cdef bint text

    def __init__(self, inner, python, encode, from_text, bint text):
        super().__init__(inner, python, encode, from_text)
        self.text = text

    cdef int write(self, Buffer *out, object value) except -1:
        cdef uint8_t raw[16]
        cdef char text[36]
        cdef int n, at = 0
        if type(value) is not UUID:
            return WriteConverted.write(self, out, value)
        codec_int_to_16(value.int, raw)
        if not self.text:
            return put(out, raw, 16)
        for n in range(16):
            if n == 4 or n == 6 or n == 8 or n == 10:
                text[at] = c"-"
                at += 1
            text[at] = HEX[raw[n] >> 4]
            text[at + 1] = HEX[raw[n] & 15]
            at += 2
        put_long(out, 36)
        return put(out, text, 36)


cdef inline int digit(unsigned char character) noexcept:
    """The value of a hexadecimal digit; 16 of what is none."""
    if c"0" <= character <= c"9":
        return character - c"0"
    character |= 0x20
    return character - c"a" + 10 if c"a" <= character <= c"f" else 16


cdef inline bint parse_uuid(const unsigned char *text, uint8_t *raw) noexcept:
    """Whether 36 characters are a UUID as it is usually written."""
    cdef int n, high, low
    for n in range(16):
        if n == 4 or n == 6 or n == 8 or n == 10:
            if text[0] != c"-":
                return False
            text += 1
        high, low = digit(text[0]), digit(text[1])
        if (high | low) & 16:
            return False
        raw[n] = <uint8_t>(high << 4 | low)
        text += 2
    return True


cdef object make_uuid(const uint8_t *raw):
    cdef object made = (<PyTypeObject *>UUID).tp_new(UUID, <PyObject *>NOTHING, NULL)
    PyObject_GenericSetAttr(made, "int", codec_int_from_16(raw))
    PyObject_GenericSetAttr(made, "is_safe", UNKNOWN)
    return made


cdef class UuidReader(ReadConverted):
    """A UUID from a string, or from 16 bytes.

    convert: a string, or bytes, to a UUID.
    """

    cdef bint text

    def __init__(self, Span inner, convert, bint text):
        super().__init__(inner, convert)
        self.text = text

    cdef object read(self, Cursor *data):
        cdef Py_ssize_t size = (<Span>self.inner).span(data)
        cdef const uint8_t *start = data.at - size
        cdef uint8_t raw[16]
        if _PLAIN_UUID:
            if not self.text:
                return make_uuid(start)
            if size == 36 and parse_uuid(start, raw):
                return make_uuid(raw)
        if self.text:
            return self.convert(start[:size].decode())
        return self.convert(<bytes>start[:size])


cdef class DecimalWriter(WriteConverted):
    """precision, scale: the schema's. size: of a fixed; 0 for bytes."""

    cdef int precision
    cdef int scale
    cdef int size

    def __init__(self, inner, python, encode, from_text, int precision, int scale, int size):
        super().__init__(inner, python, encode, from_text)
        self.precision = precision
        self.scale = scale
        self.size = size

    cdef int write(self, Buffer *out, object value) except -1:
        cdef int64_t number
        if type(value) is not Decimal or not self.unscaled(str(value), &number):
            return WriteConverted.write(self, out, value)
        return self.put_number(out, number)

    cdef bint unscaled(self, str text, int64_t *number) except -1:
        """Whether `text` is a plain number of at most 18 digits at the schema's scale, that fits it."""
        cdef Py_ssize_t size, n = 0
        cdef const char *digits = PyUnicode_AsUTF8AndSize(text, &size)
        cdef int64_t found = 0, limit = 1
        cdef int count = 0, after = 0
        cdef bint negative = size > 0 and digits[0] == c"-", point = False
        for n in range(negative, size):
            if digits[n] == c"." and not point:
                point = True
            elif c"0" <= digits[n] <= c"9" and count < 18:
                found = found * 10 + digits[n] - c"0"
                count += 1
                after += point
            else:
                return False
        if after > self.scale or count + self.scale - after > 18:
            return False
        for n in range(self.scale - after):
            found *= 10
        for n in range(min(self.precision, 18)):
            limit *= 10
        number[0] = -found if negative else found
        return found < limit

    cdef int put_number(self, Buffer *out, int64_t number) except -1:
        """Two's complement, big-endian; bytes are as few as can hold it."""
        cdef uint8_t raw[8]
        cdef int n, size = 1
        cdef char sign = <char>0xFF if number < 0 else 0
        while size < 8 and (number >> (8 * size - 1)) != (-1 if number < 0 else 0):
            size += 1
        for n in range(size):
            raw[n] = <uint8_t>(number >> (8 * (size - 1 - n)))
        if not self.size:
            put_long(out, size)
        elif size > self.size:
            return refuse()
        for n in range(self.size - size):
            put(out, &sign, 1)
        return put(out, raw, size)


cdef class DecimalReader(ReadConverted):
    """scale: the schema's."""

    cdef int scale

    def __init__(self, Span inner, convert, int scale):
        super().__init__(inner, convert)
        self.scale = scale

    cdef object read(self, Cursor *data):
        cdef Py_ssize_t n, size = (<Span>self.inner).span(data)
        cdef const uint8_t *start = data.at - size
        cdef uint64_t number
        cdef char text[40]
        if size > 8:
            return self.convert(<bytes>start[:size])
        number = <uint64_t>-1 if size and start[0] & 0x80 else 0
        for n in range(size):
            number = number << 8 | start[n]
        n = snprintf(text, sizeof(text), "%lldE-%d", <long long>number, self.scale)
        return Decimal(PyUnicode_FromStringAndSize(text, n))
