"""Makes bars of an hour of fifty symbols, sorted by moment, as CSV and as Parquet."""

import sys

import numpy as np
import pandas as pd

SYMBOLS = 50


def bars(hours: int) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    steps = draw.normal(0.0, 0.004, (hours, SYMBOLS))
    close = np.round(100.0 * np.exp(np.cumsum(steps, axis=0)), 4)
    open_ = np.vstack([np.full((1, SYMBOLS), 100.0), close[:-1]])
    high = np.round(np.maximum(open_, close) * 1.002, 4)
    low = np.round(np.minimum(open_, close) * 0.998, 4)
    volume = np.round(draw.uniform(100.0, 5_000.0, (hours, SYMBOLS)), 3)
    times = pd.date_range("2019-01-01", periods=hours, freq="h", tz="UTC")
    return pd.DataFrame(
        {
            "timestamp": np.repeat(times.strftime("%Y-%m-%dT%H:%M:%SZ"), SYMBOLS),
            "symbol": np.tile([f"C{n:02}AUSDT" for n in range(SYMBOLS)], hours),
            "open": open_.ravel(),
            "high": high.ravel(),
            "low": low.ravel(),
            "close": close.ravel(),
            "volume": volume.ravel(),
        }
    )


folder, rows = sys.argv[1], int(sys.argv[2])
table = bars(rows // SYMBOLS)
table.to_csv(f"{folder}/panel_1h.csv", index=False)
table["timestamp"] = pd.to_datetime(table["timestamp"])
table.to_parquet(f"{folder}/panel_1h.parquet", index=False)
