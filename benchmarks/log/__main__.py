"""All of the file log's benchmarks, one after the other: ``python -m benchmarks.log``.

What they print is left in ``benchmarks/results/``, too.
"""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from benchmarks.log import flushing, groups, long_log, throughput

RESULTS = Path(__file__).resolve().parents[1] / "results"

for benchmark in (throughput, long_log, groups, flushing):
    out = StringIO()
    with redirect_stdout(out):
        benchmark.main()
    print(out.getvalue())
    (RESULTS / f"log_{benchmark.__name__.rpartition('.')[2]}.txt").write_text(out.getvalue())
