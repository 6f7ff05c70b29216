"""Reads a file with one of the programs, and prints seconds and the peak of resident memory."""

import resource
import sys
import time

who, path = sys.argv[1], sys.argv[2]
start, before = time.perf_counter(), 0.0
if who == "pandas-csv":
    import pandas

    start, before = time.perf_counter(), time.process_time()
    table = pandas.read_csv(path, parse_dates=["timestamp"])
elif who == "polars-csv":
    import polars

    start, before = time.perf_counter(), time.process_time()
    table = polars.read_csv(path, try_parse_dates=True)
elif who == "polars-parquet":
    import polars

    start, before = time.perf_counter(), time.process_time()
    table = polars.read_parquet(path)
elif who == "pyarrow-parquet":
    import pyarrow.parquet

    start, before = time.perf_counter(), time.process_time()
    table = pyarrow.parquet.read_table(path)
else:
    sys.exit(f"{who}: write pandas-csv, polars-csv, polars-parquet or pyarrow-parquet")
seconds = time.perf_counter() - start
used = time.process_time() - before
print(f"{seconds:.3f} s, {used:.3f} s of the processor, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB, {len(table)} rows")
