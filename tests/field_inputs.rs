//! What people bring: files as exchanges, vendors and other programs write them, each read for what it is by both ways in, or refused
//! with the way out. Each case is made here, and looked at again in `field_inputs/` of the folder that `HIVE_TEST_DATA` names.

use crate::data::{Ran, ran_in};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A folder to work in, with the files of a case.
struct Desk(tempfile::TempDir, tempfile::TempDir);

/// Hours of the markets that are made.
const HOURS: i64 = 24 * 60;

impl Desk {
    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        ran_in(self.0.path(), self.1.path(), args)
    }

    /// The summary of a run of a feed.
    fn feed(&self, feed: &str, more: &[&str]) -> Value {
        let summary = self.1.path().join("s.json").to_string_lossy().into_owned();
        let mut args = vec!["backtest", "--feed", feed, "--scouts", "8", "--quiet", "--summary", &summary];
        if !more.contains(&"--clock") {
            args.extend(["--clock", "4h"]);
        }
        args.extend(more);
        let ran = self.run(&args);
        assert_eq!(ran.code, Some(0), "{feed}: {ran:?}");
        serde_json::from_slice(&std::fs::read(&summary).unwrap()).unwrap()
    }

    /// What is told of an import onto `x.tape`.
    fn import(&self, paths: &[&str], more: &[&str]) -> Value {
        let mut args = vec!["data", "import", "--out", "x.tape", "--force", "--json"];
        args.extend(paths);
        args.extend(more);
        let ran = self.run(&args);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    }

    /// What is told of a refusal.
    fn refused(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        ran.err
    }

    fn checked(&self, path: &str) -> (Option<i32>, Value) {
        let ran = self.run(&["data", "check", path, "--json"]);
        (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {ran:?}")))
    }
}

/// Looks at a case: as it is made here, and as it is kept, where it is.
fn case(name: &str, make: impl Fn(&Desk), look: impl Fn(&Desk)) {
    let desk = Desk(tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    make(&desk);
    look(&desk);
    let Some(folder) = std::env::var_os("HIVE_TEST_DATA").map(PathBuf::from) else {
        eprintln!("skipped: HIVE_TEST_DATA names no folder with field_inputs/");
        return;
    };
    let kept = folder.join("field_inputs").join(name);
    if !kept.exists() {
        eprintln!("skipped: no {}; set HIVE_TEST_DATA to the folder with it", kept.display());
        return;
    }
    let desk = Desk(tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy(&kept, desk.0.path());
    look(&desk);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else if entry.file_name() != "README" {
            std::fs::write(&to, std::fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

fn notes(summary: &Value) -> String {
    summary["notes"].to_string()
}

fn same(one: &Value, other: &Value) {
    for key in ["decision_hash", "bars", "from", "to"] {
        assert_eq!(one[key], other[key], "{key}: {one} against {other}");
    }
    assert!(!one["decision_hash"].is_null());
}

/// Seconds since 1970 of an hour of 2024.
fn hour(h: i64) -> i64 {
    1_704_067_200 + h * 3_600
}

/// A date and a time of day of an hour of the first two months of 2024.
fn date(h: i64) -> (String, String) {
    let day = h / 24;
    let (month, of) = if day < 31 { (1, day + 1) } else { (2, day - 30) };
    (format!("2024-{month:02}-{of:02}"), format!("{:02}:00:00", h % 24))
}

fn iso(h: i64) -> String {
    let (day, clock) = date(h);
    format!("{day}T{clock}Z")
}

/// Open, high, low, close and volume of an hour, around a price.
fn bar(h: i64, price: f64) -> [f64; 5] {
    let wave = |h: i64| price * (1.0 + 0.08 * (h as f64 / 60.0).sin() + 0.002 * (h % 7) as f64);
    let (open, close) = (wave(h), wave(h + 1));
    let round = |x: f64| (x / price * 1e6).round() / 1e6 * price;
    [
        round(open),
        round(open.max(close) * 1.004),
        round(open.min(close) * 0.996),
        round(close),
        40.0 + (h % 9) as f64,
    ]
}

fn rows(header: &str, hours: i64, row: impl Fn(i64) -> String) -> String {
    let mut text = format!("{header}\n");
    for h in 0..hours {
        writeln!(text, "{}", row(h)).unwrap();
    }
    text
}

const BARS: &str = "timestamp,open,high,low,close,volume";

fn plain(stamp: &str, [o, h, l, c, v]: [f64; 5]) -> String {
    format!("{stamp},{o},{h},{l},{c},{v}")
}

/// Hourly bars.
fn hourly(price: f64) -> String {
    rows(BARS, HOURS, |h| plain(&iso(h), bar(h, price)))
}

#[test]
fn bars_with_rates_in_them_keep_their_bars() {
    let make = |desk: &Desk| {
        let text = rows(&format!("{BARS},funding_rate"), HOURS, |h| plain(&iso(h), bar(h, 42e3)) + ",0.0002");
        desk.write("BTCUSDT_perp_1h.csv", &text);
    };
    case("bars-with-funding-column", make, |desk| {
        let summary = desk.feed("history:BTCUSDT_perp_1h.csv", &[]);
        assert_eq!(summary["bars"].as_u64(), Some(360));
        assert!(notes(&summary).contains("the rates in them are left out"), "{summary}");
        let told = desk.import(&["."], &[]);
        assert_eq!(
            (told["events"].as_u64(), told["instruments"][0]["kind"].as_str()),
            (Some(1_440), Some("perp"))
        );
        same(&summary, &desk.feed("tape:x.tape", &[]));
    });
}

#[test]
fn contracts_are_counted_in_coins() {
    let make = |desk: &Desk| {
        let coins = |h: i64| bar(h, 42e3)[4] / 1e3;
        let head = "open_time,open,high,low,close,volume,close_time";
        let start = |h: i64, volume: f64| {
            let [o, hi, l, c, _] = bar(h, 42e3);
            format!("{},{o},{hi},{l},{c},{volume},{}", hour(h) * 1_000, hour(h + 1) * 1_000 - 1)
        };
        let contracts = |h: i64| coins(h) * bar(h, 42e3)[3] / 100.0;
        let given = rows(&format!("{head},base_asset_volume"), HOURS, |h| {
            format!("{},{}", start(h, contracts(h)), coins(h))
        });
        let linear = rows(&format!("{head},quote_volume"), HOURS, |h| {
            format!("{},{}", start(h, coins(h)), contracts(h) * 100.0)
        });
        desk.write("given/BTCUSD_PERP-1h-2024-01.csv", &given);
        desk.write("linear/BTCUSDT_PERP-1h-2024-01.csv", &linear);
    };
    case("coin-margined-contracts", make, |desk| {
        let given = desk.feed("history:given", &[]);
        same(&given, &desk.feed("history:linear", &[]));
        for word in ["volume counts contracts", "BTCUSD is paid in coins"] {
            assert!(notes(&given).contains(word), "{given}");
        }
        desk.import(&["given"], &[]);
        same(&given, &desk.feed("tape:x.tape", &[]));
    });
}

#[test]
fn a_date_and_a_time_of_day_make_a_stamp() {
    let make = |desk: &Desk| {
        let text = rows("date,time,open,high,low,close,volume", HOURS, |h| {
            let (day, clock) = date(h);
            plain(&format!("{day},{clock}"), bar(h, 42e3))
        });
        desk.write("BTCUSDT-1h.csv", &text);
        desk.write("right/BTCUSDT-1h.csv", &hourly(42e3));
    };
    case("date-and-time-columns", make, |desk| {
        let given = desk.feed("history:BTCUSDT-1h.csv", &[]);
        same(&given, &desk.feed("history:right/BTCUSDT-1h.csv", &[]));
        desk.import(&["BTCUSDT-1h.csv"], &[]);
        same(&given, &desk.feed("tape:x.tape", &[]));
    });
}

#[test]
fn a_date_needs_no_dashes() {
    let make = |desk: &Desk| {
        let text = rows("date,open,high,low,close,volume", 60, |d| {
            plain(&date(d * 24).0.replace('-', ""), bar(d, 42e3))
        });
        desk.write("BTCUSD_1d.csv", &text);
    };
    case("date-without-dashes", make, |desk| {
        let given = desk.feed("history:BTCUSD_1d.csv", &["--clock", "1d"]);
        assert_eq!(given["bars"].as_u64(), Some(60), "{given}");
        // The first and the last decision.
        let moment = |key: &str| given[key].as_str().unwrap()[..10].to_owned();
        assert_eq!((moment("from"), moment("to")), ("2024-01-02".to_owned(), "2024-03-01".to_owned()));
        desk.import(&["BTCUSD_1d.csv"], &[]);
        same(&given, &desk.feed("tape:x.tape", &["--clock", "1d"]));
    });
}

/// Rows of lists, as exchanges answer.
fn lists(hours: i64, every: i64, row: impl Fn(i64) -> [f64; 5]) -> String {
    let one = |h: i64| {
        let [a, b, c, d, e] = row(h);
        format!("[{}, {a}, {b}, {c}, {d}, {e}]", hour(h) * 1_000)
    };
    let all: Vec<String> = (0..hours).step_by(every as usize).map(one).collect();
    format!("[{}]", all.join(", "))
}

#[test]
fn a_folder_of_freqtrade_has_bars_and_settlements_and_a_mark() {
    let make = |desk: &Desk| {
        desk.write("BTC_USDT_USDT-1h-futures.json", &lists(HOURS, 1, |h| bar(h, 42e3)));
        desk.write("BTC_USDT_USDT-8h-funding_rate.json", &lists(HOURS, 8, |_| [0.0002, 0.0, 0.0, 0.0, 0.0]));
        desk.write("BTC_USDT_USDT-8h-mark.json", &lists(HOURS, 8, |h| bar(h, 42.1e3)));
    };
    case("freqtrade-futures-folder", make, |desk| {
        let given = desk.feed("history:.", &[]);
        assert_eq!(given["bars"].as_u64(), Some(360), "{given}");
        assert!(
            notes(&given).contains("mark.json is left out") && !notes(&given).contains("pay none"),
            "{given}"
        );
        let told = desk.import(&["."], &[]);
        assert_eq!(told["events"].as_u64(), Some(1_440 + 180), "{told}");
        same(&given, &desk.feed("tape:x.tape", &[]));
    });
}

#[test]
fn a_ticker_tells_one_settlement_many_times() {
    let make = |desk: &Desk| {
        desk.write(
            "perp_1h.csv",
            &rows("timestamp,symbol,open,high,low,close,volume", HOURS, |h| {
                plain(&format!("{},BTCUSDT", iso(h)), bar(h, 42e3))
            }),
        );
        let quarter = |n: i64| {
            let (now, next) = (hour(0) + n * 900, hour((n / 32 + 1) * 8));
            format!(
                "binance-futures,BTCUSDT,{now}000000,{now}081000,{next}000000,0.0002,,91000,42000,42000,42000"
            )
        };
        let head = "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price,mark_price";
        desk.write("derivative_ticker_BTCUSDT.csv", &rows(head, HOURS * 4, quarter));
        desk.write(
            "right_funding.csv",
            &rows("timestamp,symbol,rate", HOURS / 8 - 1, |n| format!("{},BTCUSDT,0.0002", iso((n + 1) * 8))),
        );
    };
    case("funding-ticker", make, |desk| {
        let given = desk.feed("history:perp_1h.csv", &["--funding", "derivative_ticker_BTCUSDT.csv"]);
        same(&given, &desk.feed("history:perp_1h.csv", &["--funding", "right_funding.csv"]));
        assert!(notes(&given).contains("tell the same settlement"), "{given}");
        let told = desk.import(&["perp_1h.csv", "derivative_ticker_BTCUSDT.csv"], &[]);
        assert_eq!(told["events"].as_u64(), Some(1_440 + 179), "{told}");
        same(&given, &desk.feed("tape:x.tape", &[]));
    });
}

#[test]
fn what_an_index_does_is_not_traded() {
    let make = |desk: &Desk| {
        desk.write("klines/BTCUSDT/BTCUSDT-1h-2024-01.csv", &hourly(42e3));
        desk.write(
            "indexPriceKlines/BTCUSDT/BTCUSDT-1h-2024-01.csv",
            &rows(BARS, HOURS, |h| {
                let [o, hi, l, c, _] = bar(h, 42.1e3);
                plain(&iso(h), [o, hi, l, c, 0.0])
            }),
        );
    };
    case("index-beside-trades", make, |desk| {
        let given = desk.feed("history:.", &[]);
        same(&given, &desk.feed("history:klines", &[]));
        assert!(notes(&given).contains("named after an index"), "{given}");
        let told = desk.import(&["."], &[]);
        assert!(told["files"].to_string().contains("named after an index"), "{told}");
        same(&given, &desk.feed("tape:x.tape", &[]));
        let (code, files) = desk.checked(".");
        assert_eq!((code, files[0]["verdict"].as_str()), (Some(0), Some("left_out")), "{files}");
    });
}

#[test]
fn one_price_in_another_unit_is_left_out_and_named() {
    let make = |desk: &Desk| {
        let text = rows("timestamp,symbol,open,high,low,close,volume", 288, |h| {
            let [o, hi, l, c, v] = bar(h, 5e4);
            let times = if h == 183 { 1e8 } else { 1.0 };
            plain(&format!("{},BTCUSDT", iso(h)), [o, hi * times, l, c * times, v])
        });
        desk.write("BTCUSDT_1h.csv", &text);
    };
    case("one-absurd-close", make, |desk| {
        let text = std::fs::read_to_string(desk.0.path().join("BTCUSDT_1h.csv")).unwrap();
        let without: Vec<&str> =
            text.lines().enumerate().filter(|(n, _)| *n != 184).map(|(_, l)| l).collect();
        desk.write("right/BTCUSDT_1h.csv", &without.join("\n"));
        let given = desk.feed("history:BTCUSDT_1h.csv", &[]);
        same(&given, &desk.feed("history:right/BTCUSDT_1h.csv", &[]));
        assert!(given.to_string().contains("line 185: a close of 5"), "{given}");
        let told = desk.import(&["BTCUSDT_1h.csv"], &[]);
        assert!(told["report"].to_string().contains("line 185: a close of 5"), "{told}");
        same(&given, &desk.feed("tape:x.tape", &[]));
    });
}

#[test]
fn amounts_that_are_no_dollars_are_said() {
    let make = |desk: &Desk| {
        desk.write("USDJPY_1h.csv", &hourly(148.0));
        desk.write("upbit_BTCKRW_1h.csv", &hourly(55e6));
    };
    case("quotes-that-are-no-dollars", make, |desk| {
        let told = desk.import(&["."], &[]);
        assert_eq!(told["assets"].to_string(), r#"["BTC","USD"]"#, "{told}");
        for summary in [desk.feed("history:.", &[]), desk.feed("tape:x.tape", &[])] {
            for word in ["BTCKRW is quoted in KRW", "USDJPY is quoted in JPY"] {
                assert!(notes(&summary).contains(word), "{summary}");
            }
        }
    });
}

#[test]
fn stamps_that_are_ends_are_read_as_opens() {
    let make = |desk: &Desk| {
        let head = "timestamp,symbol,open,high,low,close,volume";
        desk.write(
            "given_perp_1h.csv",
            &rows(head, HOURS, |h| plain(&format!("{},BTCUSDT", hour(h + 1) * 1_000 - 1), bar(h, 42e3))),
        );
        desk.write(
            "right_perp_1h.csv",
            &rows(head, HOURS, |h| plain(&format!("{},BTCUSDT", hour(h) * 1_000), bar(h, 42e3))),
        );
    };
    case("stamps-are-closes", make, |desk| {
        let given = desk.feed("history:given_perp_1h.csv", &[]);
        same(&given, &desk.feed("history:right_perp_1h.csv", &[]));
        assert!(notes(&given).contains("stamps are the ends of its bars"), "{given}");
        desk.import(&["given_perp_1h.csv"], &[]);
        same(&given, &desk.feed("tape:x.tape", &[]));
    });
}

#[test]
fn files_named_after_swaps_are_perps() {
    let make = |desk: &Desk| {
        for (coin, price) in [("BTC", 42e3), ("ETH", 2_300.0), ("SOL", 95.0)] {
            desk.write(&format!("okx/{coin}-USDT-SWAP.csv"), &hourly(price));
        }
    };
    case("swap-files-in-a-folder", make, |desk| {
        let given = desk.feed("history:okx", &[]);
        let told = desk.import(&["okx"], &[]);
        assert_eq!(told["assets"].to_string(), r#"["BTC","ETH","SOL"]"#, "{told}");
        assert!(told["instruments"].as_array().unwrap().iter().all(|i| i["kind"] == "perp"), "{told}");
        same(&given, &desk.feed("tape:x.tape", &[]));
        // One is known by its asset's name.
        assert_eq!(desk.feed("history:okx", &["--assets", "BTC"])["bars"].as_u64(), Some(360));
    });
}

#[test]
fn bars_of_two_lengths_are_refused_until_one_is_chosen() {
    let make = |desk: &Desk| {
        for (coin, price) in [("BTC", 42e3), ("ETH", 2_300.0)] {
            desk.write(&format!("given/{coin}USDT-1h.csv"), &hourly(price));
            desk.write(&format!("right/{coin}USDT-1h.csv"), &hourly(price));
            desk.write(
                &format!("given/{coin}USDT-1d.csv"),
                &rows(BARS, 60, |d| plain(&iso(d * 24), bar(d, price))),
            );
        }
    };
    case("two-bar-lengths", make, |desk| {
        let why = desk.refused(&["backtest", "--feed", "history:given", "--clock", "1d", "--quiet"]);
        assert!(
            why.contains("BTCUSDT-1d.csv has bars of 1d, and BTCUSDT-1h.csv of 1h") && why.contains("bar=1d"),
            "{why}"
        );
        let why = desk.refused(&["data", "import", "given", "--out", "x.tape"]);
        assert!(why.contains("has bars of 1d and of 1h") && why.contains("--bar 1d"), "{why}");
        let given = desk.feed("history:given?bar=1h", &[]);
        same(&given, &desk.feed("history:right", &[]));
        desk.import(&["given"], &["--bar", "1h"]);
        same(&given, &desk.feed("tape:x.tape", &[]));
        assert_eq!(desk.checked("given").0, Some(1));
    });
}

#[test]
fn what_is_not_read_is_named() {
    let make = |desk: &Desk| {
        desk.write("BTCUSDT-1h.csv", &rows(BARS, 240, |h| plain(&iso(h), bar(h, 42e3))));
        desk.write("ETHUSDT-1h.feather", "ARROW1\0\0 and nothing else");
        desk.write("SOLUSDT-1h.parquet", "PAR1 and nothing else");
    };
    case("unread-files-in-a-folder", make, |desk| {
        desk.write("old.xls", "\u{d0}");
        desk.write("data.h5", "x");
        desk.write("notes.md", "x");
        let given = desk.feed("history:.", &[]);
        let listed = desk.run(&["data", "list", "."]);
        let imported = desk.run(&["data", "import", ".", "--out", "x.tape"]);
        for name in ["ETHUSDT-1h.feather", "SOLUSDT-1h.parquet", "data.h5"] {
            assert!(
                notes(&given).contains(name) && listed.out.contains(name) && imported.err.contains(name),
                "{name}: {given} {listed:?} {imported:?}"
            );
        }
        let (code, files) = desk.checked(".");
        assert_eq!(code, Some(1), "{files}");
        let verdict = |name: &str| {
            let file = files.as_array().unwrap().iter().find(|f| f["name"].as_str().unwrap().ends_with(name));
            file.unwrap()["verdict"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            (verdict("BTCUSDT-1h.csv"), verdict("data.h5"), verdict("notes.md")),
            ("read".into(), "unknown".into(), "no_data".into())
        );
    });
}

#[test]
fn an_exchanges_own_settlements_are_joined() {
    let make = |desk: &Desk| {
        desk.write("BTCUSDT_perp_1h.csv", &hourly(42e3));
        desk.write(
            "BTCUSDT-fundingRate-2024-01.csv",
            &rows("calc_time,funding_interval_hours,last_funding_rate", HOURS / 8, |n| {
                format!("{},8,0.00020000", hour(n * 8) * 1_000 + n % 5)
            }),
        );
    };
    case("vision-funding", make, |desk| {
        let given = desk.feed("history:.", &[]);
        assert!(!notes(&given).contains("pay none"), "{given}");
        let told = desk.import(&["."], &[]);
        assert_eq!(told["events"].as_u64(), Some(1_440 + 180), "{told}");
        same(&given, &desk.feed("tape:x.tape", &[]));
    });
}

#[test]
fn a_volume_in_dollars_is_said_to_be_one() {
    let make = |desk: &Desk| {
        let dollars = |h: i64| {
            let [o, hi, l, c, v] = bar(h, 42e3);
            [o, hi, l, c, v * c]
        };
        desk.write(
            "given/BTC-USD.csv",
            &rows("date,open,high,low,close,volume", HOURS, |h| plain(&iso(h), dollars(h))),
        );
        desk.write(
            "right/BTC-USD.csv",
            &rows("date,open,high,low,close,volume", HOURS, |h| plain(&iso(h), bar(h, 42e3))),
        );
    };
    case("volume-in-dollars", make, |desk| {
        let given = desk.feed("history:given", &[]);
        assert!(notes(&given).contains("run it with volume=quote"), "{given}");
        let right = desk.feed("history:right", &[]);
        // To the rounding of the volumes in the file.
        let decided = desk.feed("history:given?volume=quote", &[]);
        assert_ne!(decided["decision_hash"], given["decision_hash"]);
        let equity = |s: &Value| s["equity"]["real"].as_str().unwrap().parse::<f64>().unwrap();
        let (one, other) = (equity(&decided), equity(&right));
        assert!((one / other - 1.0).abs() < 0.01, "{one} against {other}");
        let huge = rows("date,open,high,low,close,volume", 60, |d| {
            let [o, hi, l, c, _] = bar(d, 42e3);
            plain(&iso(d * 24), [o, hi, l, c, 3e10])
        });
        desk.write("huge/BTC-USD.csv", &huge);
        for args in [
            vec!["backtest", "--feed", "history:huge", "--clock", "1d", "--quiet"],
            vec!["data", "import", "huge", "--out", "y.tape"],
        ] {
            let why = desk.refused(&args);
            assert!(why.contains("dollars a day") && why.contains("volume=quote"), "{why}");
        }
        assert_eq!(desk.checked("huge").0, Some(1));
    });
}

#[test]
fn a_volume_has_many_names_and_none_is_said() {
    let make = |desk: &Desk| {
        let head = |volume: &str| format!("unix,symbol,open,high,low,close,{volume}");
        let row = |h: i64| plain(&format!("{},SOLUSDT", hour(h) * 1_000), bar(h, 95.0));
        desk.write("given/SOLUSDT_1h.csv", &rows(&head("VolumeSOL"), HOURS, row));
        desk.write("right/SOLUSDT_1h.csv", &rows(&head("volume"), HOURS, row));
    };
    case("volume-other-name", make, |desk| {
        let right = desk.feed("history:right", &[]);
        same(&desk.feed("history:given", &[]), &right);
        desk.import(&["given"], &[]);
        same(&desk.feed("tape:x.tape", &[]), &right);
        let text = std::fs::read_to_string(desk.0.path().join("right/SOLUSDT_1h.csv")).unwrap();
        for name in ["Volume_(SOL)", "vol", "base_volume", "tick_volume", "Volume SOL"] {
            desk.write("named/SOLUSDT_1h.csv", &text.replacen("volume", name, 1));
            same(&desk.feed("history:named", &[]), &right);
        }
        desk.write("none/SOLUSDT_1h.csv", &text.replacen("volume", "trades", 1));
        desk.import(&["none"], &[]);
        for feed in ["history:none", "tape:x.tape"] {
            assert!(notes(&desk.feed(feed, &[])).contains("this data has no volume"), "{feed}");
        }
    });
}

#[test]
fn symbols_one_after_the_other_are_put_in_order() {
    let desk = Desk(tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let of = |symbol: &'static str, price: f64, hours: i64| {
        rows("", hours, move |h| plain(&format!("{},{symbol}", iso(h)), bar(h, price)))
            .trim_start()
            .to_owned()
    };
    let head = "timestamp,symbol,open,high,low,close,volume\n";
    for hours in [HOURS, 48] {
        let text = format!("{head}{}{}", of("BTCUSDT", 42e3, HOURS), of("ETHUSDT", 2e3, hours));
        desk.write("two/all.csv", &text);
        let mut lines: Vec<&str> = text.lines().skip(1).collect();
        lines.sort_unstable();
        desk.write("right/all.csv", &format!("{head}{}\n", lines.join("\n")));
        let given = desk.feed("history:two", &[]);
        same(&given, &desk.feed("history:right", &[]));
        let told = desk.import(&["two"], &[]);
        assert_eq!(told["events"].as_i64(), Some(HOURS + hours), "{told}");
        let tape = desk.feed("tape:x.tape", &[]);
        same(&given, &tape);
        assert_eq!(given["data_hash"], tape["data_hash"]);
    }
    // Bars of two lengths in one file are told apart by nobody.
    let days = rows("", 60, |d| plain(&format!("{},ETHUSDT", iso(d * 24)), bar(d, 2e3)));
    desk.write("mixed/all.csv", &format!("{head}{}{}", of("BTCUSDT", 42e3, HOURS), days.trim_start()));
    for args in [
        vec!["backtest", "--feed", "history:mixed", "--clock", "1d", "--quiet"],
        vec!["data", "import", "mixed", "--out", "y.tape"],
    ] {
        let why = desk.refused(&args);
        assert!(why.contains("ETHUSDT: its bars are 1d long, and those of the others 1h"), "{why}");
    }
}

#[test]
fn settlements_with_the_newest_first_are_put_in_order() {
    let desk = Desk(tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    desk.write("d/BTCUSDT_perp_1h.csv", &hourly(42e3));
    let row = |n: i64| format!("BTCUSDT,0.000{},{}", 1 + n % 3, hour(HOURS - 8 - n * 8) * 1_000);
    desk.write("d/funding.csv", &rows("symbol,fundingRate,fundingRateTimestamp", HOURS / 8, row));
    let given = desk.feed("history:d", &[]);
    assert!(!notes(&given).contains("pay none"), "{given}");
    let told = desk.import(&["d"], &[]);
    assert_eq!(told["events"].as_i64(), Some(HOURS + HOURS / 8), "{told}");
    same(&given, &desk.feed("tape:x.tape", &[]));
    let text = std::fs::read_to_string(desk.0.path().join("d/funding.csv")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    desk.write("d/funding.csv", &(lines.join("\n") + "\n"));
    same(&given, &desk.feed("history:d", &[]));
}

#[test]
fn what_is_damaged_does_not_end_the_others_unless_it_is_what_perps_pay() {
    let desk = Desk(tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let packed = |text: &str| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    desk.write("d/BTCUSDT_perp_1h.csv", &hourly(42e3));
    // One that cannot be begun, and one that ends in the middle.
    let whole = packed(&hourly(2e3));
    std::fs::write(desk.0.path().join("d/ETHUSDT_perp_1h.csv.gz"), [&whole[..12], &[255; 40]].concat())
        .unwrap();
    std::fs::write(desk.0.path().join("d/SOLUSDT_perp_1h.csv.gz"), &whole[..whole.len() / 2]).unwrap();
    let given = desk.feed("history:d", &[]);
    desk.import(&["d"], &[]);
    let tape = desk.feed("tape:x.tape", &[]);
    same(&given, &tape);
    for told in [&given, &tape] {
        for name in ["ETHUSDT_perp_1h.csv.gz is not read", "SOLUSDT_perp_1h.csv.gz is not read"] {
            assert!(notes(told).contains(name), "{name}: {told}");
        }
    }
    // By itself it is refused.
    let ran =
        desk.run(&["backtest", "--feed", "history:d/SOLUSDT_perp_1h.csv.gz", "--clock", "4h", "--quiet"]);
    assert!(ran.code != Some(0) && ran.err.contains("SOLUSDT_perp_1h.csv.gz"), "{ran:?}");
    let rates = packed(&rows("timestamp,symbol,rate", 4_000, |n| {
        format!("{},BTCUSDT,0.000{}", iso(n * 8 % HOURS), n * 7_919 % 10_007)
    }));
    for (name, bytes) in [
        ("funding.csv.gz", &rates[..rates.len() / 2]),
        ("rates.csv.gz", &rates[..rates.len() / 2]),
        ("funding.csv.zst", b"\x28\xb5\x2f\xfd"),
    ] {
        let path = desk.0.path().join("d").join(name);
        std::fs::write(&path, bytes).unwrap();
        for args in [
            vec!["backtest", "--feed", "history:d", "--clock", "4h", "--quiet"],
            vec!["data", "import", "d", "--out", "y.tape"],
        ] {
            let ran = desk.run(&args);
            assert!(ran.code != Some(0) && ran.err.contains(name), "{name}: {ran:?}");
        }
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn what_a_tape_leaves_out_is_named_and_perps_that_pay_none_are_said() {
    let desk = Desk(tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    desk.write("d/BTC_USDT_USDT-1h-futures.json", &lists(HOURS, 1, |h| bar(h, 42e3)));
    desk.write("d/BTC_USDT_USDT-1h-mark.json", &lists(HOURS, 1, |h| bar(h, 42e3)));
    desk.import(&["d"], &[]);
    let told = notes(&desk.feed("tape:x.tape", &[]));
    for word in ["BTC_USDT_USDT-1h-mark.json is left out", "perps pay none here"] {
        assert!(told.contains(word), "{told}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_is_not_followed_is_named() {
    let desk = Desk(tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    desk.write("d/BTCUSDT-1h.csv", &hourly(42e3));
    desk.write("d/ETHUSDT-1h.csv", "");
    desk.write("e/SOLUSDT-1h.csv", &hourly(95.0));
    std::os::unix::fs::symlink("../e", desk.0.path().join("d/more")).unwrap();
    std::os::unix::fs::symlink("nowhere.csv", desk.0.path().join("d/gone.csv")).unwrap();
    let (code, told) = desk.checked("d");
    let told = told.to_string();
    assert_eq!(code, Some(1), "{told}");
    for word in ["d/more", "d/gone.csv", "a link to a folder or to nothing", "it is empty"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let told = notes(&desk.feed("history:d", &[]));
    assert!(told.contains("more is not read") && told.contains("gone.csv is not read"), "{told}");
}
