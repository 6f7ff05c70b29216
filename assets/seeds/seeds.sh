#!/bin/sh
# Which seed the embedded market starts with where nobody names one: the median of a hundred.
#
#   assets/seeds/seeds.sh          (HIVE_BIN: default target/release/hive; JOBS at a time: default 2)
#
# Runs the default roster on the two years that `hive backtest` runs without arguments, once for each of the seeds 1 to
# 100, and writes seeds.tsv beside itself: a row for each, in the order of the real life's Sharpe ratio, and
# the rank of each. The seed is that of rank 50, the lower of the two in the middle, so that it is one of them. Nothing
# else was looked at. The last two days are told in bars like the others, without the detail that they have in that
# run (DETAIL=synth?detail=2d runs them with it, which takes four times as long). WORK names a folder where the
# summaries are kept: a seed that is there is not run again. Needs python3.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
hive=$(realpath "${HIVE_BIN:-$root/target/release/hive}")
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
cd "$work"
export hive detail="${DETAIL:-synth}"
# What a run is without a file beside it, whatever variables say.
for name in $(env | sed -n 's/^\(HIVE_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
seq 1 100 | xargs -P "${JOBS:-2}" -I N sh -c \
    '[ -s N.json ] || { "$hive" backtest --feed "$detail" --seed N --quiet --summary N.part --agents "'"$root"'/assets/rosters/default.toml" && mv N.part N.json; }'
python3 - "$here/seeds.tsv" <<'PY'
import json, sys
rows = []
for seed in range(1, 101):
    s = json.load(open(f"{seed}.json"))
    sharpe, fall = s["sharpe"], s["max_drawdown"]
    out = sum(a["stopped_out"] for a in s["agents"])
    rows.append((sharpe["real"], seed, sharpe["open"], sharpe["alone"], float(s["equity"]["real"]),
                 fall["real"], out, len(s["agents"]), s["decision_hash"]))
rows.sort()
with open(sys.argv[1], "w") as f:
    f.write("rank\tseed\tsharpe_real\tsharpe_open\tsharpe_alone\tequity_real\tdrawdown_real\tstopped_out\tagents\tdecisions\n")
    for rank, (real, seed, open_, alone, equity, fall, out, agents, decisions) in enumerate(rows, 1):
        f.write(f"{rank}\t{seed}\t{real:.3f}\t{open_:.3f}\t{alone:.3f}\t{equity:.0f}\t{fall:.3f}\t{out}\t{agents}\t{decisions}\n")
print("the median is seed", rows[49][1])
PY
