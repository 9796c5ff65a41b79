"""What pyproject.toml cannot say: what is native, built where there is a C compiler.

`optional`: where there is none, the same in Python does its work.
"""

from setuptools import Extension, setup

NATIVE = "serde/codec/native"

setup(
    ext_modules=[
        Extension(
            f"serde.codec.native.{name}",
            [f"{NATIVE}/{name}.pyx"],
            depends=[f"{NATIVE}/{part}.pxd" for part in ("calendar", "decode", "encode", "laid", "wire")],
            optional=True,
        )
        for name in ("columns", "decode", "encode", "logical", "rows")
    ]
    + [
        Extension(
            "broker_adapter.filelog.native.records",
            ["broker_adapter/filelog/native/records.pyx"],
            optional=True,
        ),
        Extension(
            "broker_adapter.filelog.native.gathering",
            ["broker_adapter/filelog/gathering.py"],
            depends=["broker_adapter/filelog/native/gathering.pxd"],
            optional=True,
        ),
    ]
)
