"""All the registry's benchmarks, one after another, in some four minutes: ``python -m benchmarks.registry``.

Each is a module beside this one and can be run alone. Results are kept in benchmarks/results/.
"""

import subprocess
import sys

for module, *options in (
    ("by_id", "--seconds=1"),
    ("registering",),
    ("starting",),
    ("transitive",),
    ("peer",),
):
    print(f"\n== {module}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.registry.{module}", *options], check=True)
