# What the writers of logical types build on.

from serde.codec.native.wire cimport Buffer


cdef class Writer:
    cdef int write(self, Buffer *out, object value) except -1


cdef class Converted(Writer):
    cdef Writer inner
    cdef object python
    cdef object encode
    cdef object from_text
