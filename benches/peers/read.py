"""Reads a file with one of the programs, and prints seconds and the peak of resident memory."""

import resource
import sys
import time

who, path = sys.argv[1], sys.argv[2]
start = time.perf_counter()
if who == "pandas-csv":
    import pandas

    start = time.perf_counter()
    table = pandas.read_csv(path, parse_dates=["timestamp"])
elif who == "polars-csv":
    import polars

    start = time.perf_counter()
    table = polars.read_csv(path, try_parse_dates=True)
elif who == "polars-parquet":
    import polars

    start = time.perf_counter()
    table = polars.read_parquet(path)
elif who == "pyarrow-parquet":
    import pyarrow.parquet

    start = time.perf_counter()
    table = pyarrow.parquet.read_table(path)
else:
    sys.exit(f"{who}: write pandas-csv, polars-csv, polars-parquet or pyarrow-parquet")
seconds = time.perf_counter() - start
print(f"{seconds:.3f} s, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB, {len(table)} rows")
