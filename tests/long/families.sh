#!/usr/bin/env bash
# What every family does in the first 20 days that the default run has quotes, contracts and pools: on its own seed and on
# the seeds 1 to 10, which were named before anybody looked. On the default seed, and on nine of the ten others, every family
# must close a trade. HIVE_BIN names the program (default target/release/hive), SEEDS other seeds. needs python3; two minutes.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
hive=$(realpath "${HIVE_BIN:-$root/target/release/hive}")
for name in $(env | sed -n 's/^\(HIVE_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
roster=$root/assets/rosters/default.toml
own=$(sed -n 's/^seed = \([0-9]*\).*/\1/p' "$roster")
seeds="$own ${SEEDS:-1 2 3 4 5 6 7 8 9 10}"
# The two years of the default run end with two days in detail; 18 more follow. Who decides at bars has traded before.
for seed in $seeds; do
    run() { "$hive" backtest --quiet --by-family --agents "$roster" --seed "$seed" "$@" >/dev/null; }
    run --feed 'synth?detail=20d' --days 748 --json "$seed.json"
    run --feed 'synth?detail=1d' --days 728 --json "$seed.before.json"
done
# shellcheck disable=SC2086
python3 - $seeds <<'PY'
import json, sys
seeds = sys.argv[1:]
read = lambda path: {r["family"]: r for r in json.load(open(path))["rows"]}
after, before = ({s: read(s + end) for s in seeds} for end in (".json", ".before.json"))
families = list(after[seeds[0]])
def gone(seed, family, key):
    # Who trades in legs alone has no trades of the years in bars. Of who trades at bars too, what it did in legs in the one
    # day of detail of the shorter run counts as before: never too much.
    earlier = before[seed].get(family, {"level": ""})
    return after[seed][family][key] - (earlier[key] if after[seed][family]["level"] == "B" else 0)
print("closed trades within 20 days, by seed; fees and PnL alone over all of them, in USDT")
print(f"{'family':<21}" + "".join(f"{s:>6}" for s in seeds) + f"{'fees':>10}{'PnL':>10}")
bad = []
for family in families:
    trades = [gone(s, family, "trades") for s in seeds]
    fees, pnl = (sum(gone(s, family, key) for s in seeds) for key in ("fees", "pnl"))
    print(f"{family:<21}" + "".join(f"{t:>6}" for t in trades) + f"{-fees:>10,.0f}{pnl:>+10,.0f}")
    missed = sum(t == 0 for t in trades[1:])
    if trades[0] == 0 or missed > 1:
        bad.append(f"{family}: closes nothing on {'the default seed' if trades[0] == 0 else f'{missed} of the others'}")
sys.exit("\n".join(bad) or 0)
PY
