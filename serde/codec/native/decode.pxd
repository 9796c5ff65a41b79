# What the readers of logical types build on.

from libc.stdint cimport int64_t

from serde.codec.native.wire cimport Cursor


cdef class Reader:
    cdef object read(self, Cursor *data)
    cdef int skip(self, Cursor *data) except -1


cdef class Number(Reader):
    cdef int64_t number(self, Cursor *data) except? -1


cdef class Span(Reader):
    cdef Py_ssize_t span(self, Cursor *data) except -1


cdef class Converted(Reader):
    cdef Reader inner
    cdef object convert
