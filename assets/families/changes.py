"""The rosters and the table of changes.sh."""

import json
import pathlib
import re
import sys

FEEDS = {
    "basis-1d": "BTC, ETH spot and perp, daily",
    "sol-avax-1h": "4 assets on 5 exchanges, hourly, 4 h",
    "perps": "8 perps, hourly, 4 h",
    "spot-5m": "5 coins of 2022, 5 m, 4 h",
    "l2-binance": "Binance, books of BTC and ETH",
}
BEGIN, END = "<!-- changes -->\n", "<!-- /changes -->\n"


def roster(path, family, wanted, assets):
    """A roster of one family's agents alone, each with these parameters, and on these assets where some are named."""
    head, *agents = re.split(r"(?m)^(?=\[\[agent\]\])", pathlib.Path(path).read_text())
    own = [a for a in agents if f'family = "{family}"' in a]
    parts = [p.replace("=", " = ") for p in wanted.split(",") if p]
    for i, agent in enumerate(own):
        agent = re.sub(r"(?m)^#.*\n", "", agent)
        if assets:
            agent = re.sub(r"(?m)^assets = .*$", f'assets = "{assets}"', agent)
        has = re.search(r"params = \{ (.*) \}", agent)
        both = ", ".join(parts + ([has.group(1)] if has else []))
        agent = re.sub(r"(?m)^params = .*\n", "", agent).rstrip("\n") + "\n"
        own[i] = agent + (f"params = {{ {both} }}\n" if both else "") + "\n"
    # Scouts are drawn of the same agents, and are no part of what is looked at.
    print(re.sub(r"(?m)^scouts = .*$", "scouts = 0", head) + "".join(own))


def number(x):
    return f"{x:,.0f}".replace("-", "−")


def table(work, out, page, seeds):
    work = pathlib.Path(work)
    lines = [
        "| family | change | on | trades, off → on | fees | alone | better on |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for pair in (work / "pairs").read_text().splitlines():
        name, family, change = pair.split("|")
        sums, better, same = {}, 0, 0
        for side in ("off", "on"):
            rows = [json.loads((work / f"{name}.{seed}.{side}.json").read_text())["rows"] for seed in seeds]
            own = [next(r for r in of if r["family"] == family) for of in rows]
            sums[side] = own
        for off, on in zip(sums["off"], sums["on"]):
            better += on["pnl"] > off["pnl"]
            same += on["pnl"] == off["pnl"]
        total = lambda side, key: sum(r[key] for r in sums[side])
        to = lambda key, sign=1: " → ".join(number(sign * total(side, key) + 0.0) for side in ("off", "on"))
        said = " ".join(f"`{c.replace('=', ' = ')}`" for c in [change.strip()])
        verdict = "same" if same == len(seeds) else f"{better} of {len(seeds)}"
        lines.append(
            f"| {family.replace('_', ' ')} | {said} | {FEEDS[name.split(':')[0]]} | {to('trades')} | {to('fees', -1)} "
            f"| {to('pnl')} | {verdict} |"
        )
    text = "\n".join(lines) + "\n"
    pathlib.Path(out).write_text(text)
    page = pathlib.Path(page)
    before, rest = page.read_text().split(BEGIN)
    page.write_text(before + BEGIN + text + END + rest.split(END)[1])


if sys.argv[1] == "roster":
    roster(*sys.argv[2:6])
else:
    table(*sys.argv[2:5], sys.argv[5:])
