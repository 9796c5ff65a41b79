"""Avro IDL, the language of ``.avdl`` files: a protocol, or a schema with its types, to JSON schemas.

``parse_idl`` reads one file; `registry.languages.avro.idl.imports` what it imports. The schemas are then
parsed and compared like any others; `IdlSchema.at` tells where in the file what is found there stands.
"""

from registry.languages.avro.idl.model import IdlFile, IdlSchema, Import
from registry.languages.avro.idl.parser import parse_idl

__all__ = ["IdlFile", "IdlSchema", "Import", "parse_idl"]
