# What the classes of gathering.py are in C. Its types are checked by mypy, so what is said here is true.
cimport cython


@cython.final
cdef class Batch:
    cdef public object name, durability, base_offset, append_time, error, latch
    cdef public list records, timestamps, callbacks
    cdef public Py_ssize_t size
    cdef public bint is_done, is_settled


@cython.final
cdef class FileDelivery:
    cdef Batch _batch
    cdef Py_ssize_t _index


@cython.final
cdef class Gatherer:
    cdef public object partition
    cdef public Py_ssize_t largest_sure
    cdef public bint needs_keys
    cdef object _sender, _lock, _callbacks, _producer_id, _sequence
    cdef object _due
    cdef Batch _batch
    cdef Py_ssize_t _limit
    cdef bint _writes_at_once, _is_closed

    @cython.locals(batch=Batch, delivery=FileDelivery, records=list)
    cpdef add(self, record, Py_ssize_t size, on_delivery)

    cpdef Batch _next(self, Batch batch)


cdef class Sender:
    cdef public object linger, batch_size, codec, durability, callbacks, _partitioner
    cdef public dict _topics

    @cython.locals(gatherers=list, gatherer=Gatherer, size=Py_ssize_t)
    cpdef send(
        self, topic, value=*, key=*, headers=*, partition=*, timestamp=*, on_delivery=*
    )
