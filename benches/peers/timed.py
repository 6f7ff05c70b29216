"""Runs a program, and prints its seconds and the peak of its resident memory."""

import resource
import subprocess
import sys
import time

start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{seconds:.3f} s, {used.ru_utime + used.ru_stime:.3f} s of the processor, {used.ru_maxrss // 1024} MB")
