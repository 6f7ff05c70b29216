"""Runs a program, and prints its seconds and the peak of its resident memory."""

import resource
import subprocess
import sys
import time

start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - start
print(f"{seconds:.3f} s, {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MB")
