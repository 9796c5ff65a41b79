"""What is in C (Cython), built where there is a C compiler.

``records``: a batch's records to bytes and back. It gives what the functions
in `batch` give, and refuses with ValueError what is not plainly right: then
those do the whole of it again, and decide. ``gathering``: `gathering` itself,
compiled; ``gathering.pxd`` says what its classes are in C.
"""

import importlib
import os
from typing import Any


def built(name: str) -> Any:
    """That module; None where it was not built, and with ``FIVEBYTE_CODEC=pure`` in the environment."""
    if os.environ.get("FIVEBYTE_CODEC") == "pure":
        return None
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ImportError:
        return None
