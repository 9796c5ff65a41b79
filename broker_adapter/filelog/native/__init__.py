"""A batch's records to bytes and back in C (Cython), built where there is a C compiler.

It gives what the functions in `batch` give, and refuses with ValueError what is
not plainly right: then those do the whole of it again, and decide. The import
of `native.records` fails with ImportError where it was not built.
"""
