#!/usr/bin/env bash
# A hundred thousand markets that are flat, mad, short or lonely, with rows times powers of ten: none of them ends the program,
# and the books balance but where an amount leaves their range, which halts. MARKETS says how many; four minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
HIVE_MARKETS=${MARKETS:-100000} cargo test -p hive-core --test hive-core-tests \
    nothing_that_is_finite_ends_the_program -- --nocapture
