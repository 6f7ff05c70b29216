#!/bin/sh
# Reads the same files with hive and with its peers: `benches/peers/run.sh target/release/hive`.
set -eu
hive=$(realpath "${1:?which hive}")
here=$(realpath "$(dirname "$0")")
work=${PEERS:-$(mktemp -d)}
cd "$work"
if [ ! -x venv/bin/python ]; then
    python3 -m venv venv
    venv/bin/pip install --quiet -r "$here/requirements.txt"
fi
for rows in 1700000 6800000; do
    mkdir -p "$rows"
    [ -e "$rows/panel_1h.parquet" ] || venv/bin/python "$here/make.py" "$rows" "$rows"
    echo "$rows rows"
    for who in pandas-csv polars-csv polars-parquet pyarrow-parquet; do
        for _ in 1 2 3; do
            venv/bin/python "$here/read.py" "$who" "$rows/panel_1h.${who#*-}"
        done | sort | head -1 | sed "s/^/  $who: /"
    done
    for kind in csv parquet; do
        for _ in 1 2 3; do
            venv/bin/python "$here/timed.py" "$hive" data import "$rows/panel_1h.$kind" --out x.tape --force --quiet
        done | sort | head -1 | sed "s/^/  hive $kind: /"
    done
done
echo "in $work"
