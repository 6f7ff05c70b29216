#!/bin/sh
# What each change of a family does to that family alone on recorded files: off, as it is by default, and on.
#
#   HIVE_TEST_DATA=FOLDER assets/families/changes.sh        (HIVE_BIN: default target/release/hive; SEEDS: default 1 to 3)
#
# Writes changes.md beside itself, and the same between the markers of docs/experiments.md. FOLDER holds the files named
# below. Tapes are made in a temporary folder, and nothing else is written. Needs python3; three minutes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
hive=$(realpath "${HIVE_BIN:-$root/target/release/hive}")
data=$(realpath "${HIVE_TEST_DATA:?names the folder of recorded files}")
seeds=${SEEDS:-1 2 3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in $(env | sed -n 's/^\(HIVE_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
cd "$data"

tape() {
    name=$1
    shift
    "$hive" data import --quiet --out "$work/$name.tape" "$@" >"$work/import" 2>&1 || { cat "$work/import" >&2; exit 1; }
}
tape basis-1d basis_btc_eth_1d
tape sol-avax-1h xexchange_spot_perp_funding_1h
tape l2-binance l2_ws_recordings_binance

# pair NAME FAMILY PARAMETERS ARGUMENTS: the family's agents without and with these parameters (none: the same roster), on
# each seed; of words after a double dash the second run has them alone.
pair() {
    name=$1 family=$2 params=$3
    shift 3
    with=
    while [ "${1:-}" = --on ]; do
        with="$with $2"
        shift 2
    done
    echo "$name" >&2
    # Views in legs stand on equal parts of an agent's capital, at bars each on all of it: with one asset they are as large.
    case $name in *:hedge-*) assets=random:1 ;; *) assets= ;; esac
    python3 "$here/changes.py" roster "$here/recorded.toml" "$family" "" "$assets" >"$work/off.toml"
    python3 "$here/changes.py" roster "$here/recorded.toml" "$family" "$params" "$assets" >"$work/on.toml"
    for seed in $seeds; do
        for side in off on; do
            more=
            [ $side = off ] || more=$with
            # shellcheck disable=SC2086
            "$hive" backtest --quiet --by-family --json "$work/$name.$seed.$side.json" --seed "$seed" \
                --agents "$work/$side.toml" "$@" $more >/dev/null
        done
    done
    echo "$name|$family|$params$with" >>"$work/pairs"
}
perps='history:panel/perp_1h.csv.gz'
bars() {
    change=$1 family=$2 params=$3
    pair "$change-$family" "$family" "$params" --feed "$perps" --funding panel/funding.csv.gz
}
for family in directional trend momentum range volatility; do
    pair "basis-1d:hedge-$family" "$family" hedge=0.5 --feed "tape:$work/basis-1d.tape" --clock 1d
    pair "sol-avax-1h:hedge-$family" "$family" hedge=0.5 --feed "tape:$work/sol-avax-1h.tape" --clock 4h
done
bars perps:residual momentum residual=1
bars perps:basket relative_strength basket=1
bars perps:rest support_resistance rest=12
bars perps:frame support_resistance frame=4
for family in directional trend momentum relative_strength range support_resistance volatility random; do
    pair "perps:fine-$family" "$family" "" --on --fills --on fine --feed "$perps" --funding panel/funding.csv.gz
    pair "spot-5m:fine-$family" "$family" "" --on --fills --on fine \
        --feed 'history:panel/spot_5m_2022.csv.gz?kind=perp' --clock 4h
done
pair l2-binance:levels market_making levels=3 --feed "tape:$work/l2-binance.tape" --clock 1m
pair l2-binance:hedge market_making hedge=1 --feed "tape:$work/l2-binance.tape" --clock 1m
pair basis-1d:rest funding rest=30 --feed "tape:$work/basis-1d.tape" --clock 1d
pair sol-avax-1h:rest funding rest=30 --feed "tape:$work/sol-avax-1h.tape" --clock 1h

# shellcheck disable=SC2086
python3 "$here/changes.py" table "$work" "$here/changes.md" "$root/docs/experiments.md" $seeds
