#!/usr/bin/env bash
# Random damages of journal, mark and store, and power cuts, 10 000 of each: nothing acknowledged is lost in silence,
# nothing panics, a refusal changes nothing. The ordinary tests do some hundreds; this takes half an hour, so that .ci/run
# leaves it out. HIVE_DAMAGES and HIVE_POWER_CUTS ask for other numbers.
set -euo pipefail
cd "$(dirname "$0")/../.."
export HIVE_DAMAGES=${HIVE_DAMAGES:-10000} HIVE_POWER_CUTS=${HIVE_POWER_CUTS:-10000}
for law in no_damage_is_silent_and_a_refusal_changes_nothing no_power_cut_loses_what_was_acknowledged_and_none_is_doubt; do
    # Each wants a process to itself, and is told here that it has one, so that its figures are seen.
    TEST_APART=doubt::law::$law cargo test --quiet --test hive-tests "doubt::law::$law" -- --exact --nocapture 2>&1 |
        grep -vE '^(bit|chance) '
done
