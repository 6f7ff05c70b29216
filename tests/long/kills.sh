#!/usr/bin/env bash
# The kill switch thrown 10 000 times on a busy machine (six processes that take every core, every seat taken, a standard error
# that nobody reads), while a run with seven million events behind it is recovered and at full speed; then 1 000 processes
# killed with commands in flight, over every kind of feed and mode. Tells figures; a few hours. HIVE_THROWS and HIVE_DRILL ask
# for other numbers, HIVE_BIN names the program (default target/release/hive), HIVE_TEST_DATA recorded markets.
set -euo pipefail
cd "$(dirname "$0")/../.."
export HIVE_BIN=${HIVE_BIN:-target/release/hive} HIVE_THROWS=${HIVE_THROWS:-10000} HIVE_DRILL=${HIVE_DRILL:-1000}
for drill in kill_switch::drill::fault59_thrown_on_a_busy_machine_it_is_always_reached \
    kill::in_flight::fault01_killed_with_commands_in_flight_nothing_that_was_answered_is_lost; do
    cargo test --quiet --test hive-tests "$drill" -- --exact --nocapture
done
