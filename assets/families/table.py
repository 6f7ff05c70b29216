"""Puts the rows of table.sh together: table.json, table.md, and the part of the README between its markers."""

import json
import pathlib
import sys

BARS = [
    "directional", "trend", "momentum", "relative_strength", "range", "support_resistance", "volatility", "random",
]
KEYS = [
    "family", "feed", "from", "to", "level", "agents", "capital", "trades", "fees", "funding", "pnl", "pnl_touch",
    "established", "best_edge_bp", "missed", "real", "verdict",
]
FEEDS = {
    "synth": "embedded, faults on",
    "perp_1h": "8 perps, hourly",
    "l2-binance": "Binance, books of BTC and ETH",
    "btc-exchanges": "BTC on 3 exchanges, hourly",
    "triangles-1m": "7 triangles, 1 m",
    "btc-cme": "BTC spot and CME futures, daily",
    "basis-1d": "BTC, ETH spot and perp, daily",
    "sol-avax-1h": "4 assets on 5 exchanges, hourly",
    "btc-chains": "BTC, 2 snapshots of all options",
    "eth-pools": "ETH, Uniswap v3, 1 m",
}


def rows(runs):
    found = []
    for path in sorted(runs.glob("*.json")):
        wanted = path.with_suffix(".families").read_text().strip()
        names = BARS if wanted == "bars" else wanted.split(",")
        for row in json.loads(path.read_text())["rows"]:
            if wanted == "all" or row["family"] in names:
                for key in ("capital", "fees", "funding", "pnl", "pnl_touch"):
                    row[key] = round(row[key], 2) + 0.0
                if row["best_edge_bp"] is not None:
                    row["best_edge_bp"] = round(row["best_edge_bp"], 2)
                row["real"]["pnl"] = round(row["real"]["pnl"], 2) + 0.0
                found.append({key: row[key] for key in KEYS})
    order = {row["family"]: n for n, row in enumerate(found) if row["feed"] == "synth"}
    return sorted(found, key=lambda r: (order.get(r["family"], 99), r["feed"] != "synth", r["feed"], r["capital"]))


def signed(x):
    text = f"{abs(round(x)):,}"
    return ("−" if round(x) < 0 else "+") + text


def table(found):
    lines = [
        "| family | feed | from – to | fills | capital | trades | fees | funding | alone | real | fills of its own | what came of it alone |",
        "|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    before = ""
    for r in found:
        pnl = signed(r["pnl"])
        if r["pnl"] != r["pnl_touch"]:
            pnl += f" (by touch {signed(r['pnl_touch'])})"
        # Volatility trades bars, and straddles of its own where options are listed.
        own = "" if r["family"] in BARS and not r["real"]["fills"] else f"{r['real']['fills']:,}"
        lines.append(
            f"| {r['family'].replace('_', ' ') if r['family'] != before else ''} | {FEEDS.get(r['feed'], r['feed'])} "
            f"| {r['from']} – {r['to']} | {r['level']} | {r['capital']:,.0f} | {r['trades']:,} | {signed(-r['fees']) if r['fees'] else '0'} "
            f"| {signed(r['funding']) if r['funding'] else '0'} | {pnl} | {signed(r['real']['pnl'])} | {own} | {r['verdict'].replace('-', '−')} |"
        )
        before = r["family"]
    return "\n".join(lines) + "\n"


def main():
    runs, here, readme = map(pathlib.Path, sys.argv[1:])
    found = rows(runs)
    here.joinpath("table.json").write_text(json.dumps({"rows": found}, indent=1, ensure_ascii=False) + "\n")
    text = table(found)
    here.joinpath("table.md").write_text(text)
    whole = readme.read_text()
    begin, end = "<!-- families -->\n", "<!-- /families -->\n"
    head, rest = whole.split(begin)
    readme.write_text(head + begin + text + end + rest.split(end)[1])


main()
