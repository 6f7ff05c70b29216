#!/bin/sh
# Every family of agents on the embedded market and on recorded files, in one table.
#
#   HIVE_TEST_DATA=FOLDER assets/families/table.sh          (HIVE_BIN: default target/release/hive)
#
# Writes table.json and table.md beside itself, and the table between the markers of README.md. FOLDER holds
# the files named below. Tapes are made in a temporary folder, and nothing else is written. Needs python3.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
hive=$(realpath "${HIVE_BIN:-$root/target/release/hive}")
data=$(realpath "${HIVE_TEST_DATA:?names the folder of recorded files}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/runs"
# 100,000 an agent, where contracts are too large for less.
large=4200000
capital=100000
cd "$data"
unset HIVE_TEST_DATA HIVE_BIN

# run NAME FAMILIES ARGUMENTS: a back-test, of which the rows of these families (or all) are kept.
run() {
    name=$1 families=$2
    shift 2
    echo "$name" >&2
    HIVE_CAPITAL=$capital "$hive" backtest --quiet --by-family --json "$work/runs/$name.json" "$@" >"$work/$name.out"
    echo "$families" >"$work/runs/$name.families"
}
# tape NAME FILES AND OPTIONS: an import.
tape() {
    name=$1
    shift
    "$hive" data import --quiet --out "$work/$name.tape" "$@" >"$work/$name.import" 2>&1 ||
        { cat "$work/$name.import" >&2; exit 1; }
}
recorded() {
    name=$1 families=$2 clock=$3
    run "$name${4:-}" "$families" --agents "$here/recorded.toml" --feed "tape:$work/$name.tape" --clock "$clock"
}

run 0-embedded all --agents "$root/assets/rosters/full-house.toml" --feed 'synth?detail=30d' --days 60 --faults

run 1-perps bars --agents "$here/recorded.toml" --feed history:panel/perp_1h.csv.gz --funding panel/funding.csv.gz

tape l2-binance l2_ws_recordings_binance
recorded l2-binance scalp,market_making 1m

tape btc-exchanges arb_btc_exchanges_1h
recorded btc-exchanges arbitrage 1h

tape triangles-1m triangles_1m_2021
recorded triangles-1m triangular_arbitrage 1m

# The front contract of CME by its settlements, and spot at the hours of those.
tape btc-cme panel/spot_1h.csv.gz multiasset_yahoo_fred_1d/BTC_F.csv.gz --assets BTC --closes cme --from 2017-12-18
capital=$large
recorded btc-cme cash_and_carry 1h
capital=100000

tape basis-1d basis_btc_eth_1d
recorded basis-1d funding 1d

tape sol-avax-1h xexchange_spot_perp_funding_1h
recorded sol-avax-1h funding 1h
# The same with more money than the hours' volume takes.
capital=$large
recorded sol-avax-1h funding 1h -large
capital=100000

# Two snapshots of every option of BTC, with the perp's hours to hedge and to settle by.
tape btc-chains ohlcv_perp_1h/BTCUSDT_1h.csv.gz options_deribit_chains/btc_chain_2020-05-21.csv.gz \
    options_deribit_chains/btc_chain_2020-09-12.csv.gz --from 2020-01-01 --to 2020-12-31
capital=$large
recorded btc-chains options 1h
capital=100000

tape eth-pools amm_demeter
recorded eth-pools defi 1m

python3 "$here/table.py" "$work/runs" "$here" "$root/README.md"
