//! From files to a run: `hive data` lists, checks and imports them, and the tape is run as any feed is.
//! Recorded files are looked at where they are: in the folder that `HIVE_TEST_DATA` names.

use crate::cli::hand::program;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder to work in.
struct Desk(tempfile::TempDir);

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs the program in a folder, with a home of its own and nobody's variables.
pub fn ran_in(folder: &Path, home: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(program());
    for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("HIVE_")) {
        command.env_remove(name);
    }
    let command = command.env("XDG_STATE_HOME", home).args(args).current_dir(folder).stdin(Stdio::null());
    let done = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: done.status.code(), out: text(done.stdout), err: text(done.stderr) }
}

impl Ran {
    fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    fn json(self) -> Value {
        let said = self.well();
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.out))
    }
}

impl Desk {
    fn new() -> Self {
        Desk(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        ran_in(self.0.path(), &self.0.path().join("home"), args)
    }

    fn summary(&self, args: &[&str]) -> Value {
        self.run(args).well();
        serde_json::from_slice(&std::fs::read(self.0.path().join("s.json")).unwrap()).unwrap()
    }
}

/// Hours of spot and perp bars that wander, with funding.
fn market(desk: &Desk) {
    let (mut spot, mut perp) = (String::from("date,open,high,low,close,volume\n"), String::new());
    let mut funding = String::from("funding_time,funding_rate\n");
    perp.push_str(&spot);
    for hour in 0..24 * 40_i64 {
        let wave = |h: i64| 100.0 + 8.0 * (h as f64 / 60.0).sin() + (h % 7) as f64 * 0.2;
        let (open, close) = (wave(hour), wave(hour + 1));
        let stamp = 1_609_459_200 + hour * 3_600;
        for (text, basis) in [(&mut spot, 0.0), (&mut perp, 0.1)] {
            let (high, low) = (open.max(close) + basis + 0.5, open.min(close) + basis - 0.5);
            writeln!(text, "{stamp},{:.2},{high:.2},{low:.2},{:.2},50000", open + basis, close + basis)
                .unwrap();
        }
        if hour % 8 == 0 && hour > 0 {
            writeln!(funding, "{stamp},0.0001").unwrap();
        }
    }
    desk.write("in/binance_spot_ABCUSDT_1h.csv", &spot);
    desk.write("in/binance_perp_ABCUSDT_1h.csv", &perp);
    desk.write("in/binance_funding_ABCUSDT.csv", &funding);
}

const IMPORT: [&str; 5] = ["data", "import", "in", "--out", "abc.tape"];
const RUN: [&str; 10] = [
    "backtest",
    "--feed",
    "tape:abc.tape",
    "--clock",
    "4h",
    "--scouts",
    "8",
    "--quiet",
    "--summary",
    "s.json",
];

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    args.iter().chain(more).copied().collect()
}

#[test]
fn files_are_imported_and_the_tape_is_run() {
    let desk = Desk::new();
    market(&desk);
    let said = desk.run(&IMPORT).well();
    for word in ["abc.tape", "2 instruments (1 assets)", "3 files", "--feed tape:abc.tape"] {
        assert!(said.out.contains(word), "{word} is not in {}", said.out);
    }
    assert!(said.err.is_empty(), "no progress bar without a terminal: {}", said.err);
    let s = desk.summary(&RUN);
    assert_eq!((s["mode"].as_str(), s["feed"].as_str()), (Some("HISTORY"), Some("abc")));
    // 40 days of four hours, and one asset on the desk.
    assert_eq!(s["bars"].as_u64(), Some(240));
    let again = desk.summary(&RUN);
    assert_eq!(s["decision_hash"], again["decision_hash"], "the same tape, the same run");
    let cut = desk.summary(&with(&RUN, &["--from", "2021-01-11", "--to", "2021-01-20"]));
    assert_eq!(cut["bars"].as_u64(), Some(60));
}

#[test]
fn what_an_import_made_is_told_as_json() {
    let desk = Desk::new();
    market(&desk);
    let told = desk.run(&with(&IMPORT, &["--json", "--to", "2021-01-10"])).json();
    assert_eq!(told["assets"], serde_json::json!(["ABC"]));
    assert_eq!(told["instruments"][0]["kind"], "margin");
    assert_eq!(told["instruments"][1]["venue"], "binance");
    // Ten days of 24 bars twice, and their settlements.
    assert_eq!(told["events"].as_u64(), Some(480 + 29));
    assert_eq!(told["files"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_tape_that_is_there_is_not_written_over() {
    let desk = Desk::new();
    market(&desk);
    desk.run(&IMPORT).well();
    let refused = desk.run(&IMPORT);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("--force"), "{refused:?}");
    desk.run(&with(&IMPORT, &["--force"])).well();
}

#[test]
fn a_damaged_tape_is_refused_by_name() {
    let desk = Desk::new();
    market(&desk);
    desk.run(&IMPORT).well();
    let path = desk.0.path().join("abc.tape");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let refused = desk.run(&RUN);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("abc.tape") && refused.err.contains("near byte"), "{refused:?}");
    for (args, word) in
        [(vec!["--assets", "ABC"], "hive data import"), (vec!["--days", "9"], "--from and --to")]
    {
        let refused = desk.run(&with(&RUN, &args));
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(word), "{refused:?}");
    }
}

#[test]
fn list_and_check_say_what_there_is_and_what_is_wrong() {
    let desk = Desk::new();
    market(&desk);
    let listed = desk.run(&["data", "list", "in"]).well();
    for word in
        ["ohlcv", "funding", "ABCUSDT perp@binance", "2021-01-01 00:00", "960", "3 files, 3 of them known"]
    {
        assert!(listed.out.contains(word), "{word} is not in {}", listed.out);
    }
    assert!(desk.run(&["data", "check", "in"]).well().out.contains("0 cannot be used"));
    let rows = "date,close\n2021-01-01 00:00:00,10\n2021-01-01 01:00:00,0\n2021-01-01 02:00:00,10\n2021-01-01 03:00:00,10\n";
    desk.write("in/XYZUSDT_1h.csv", rows);
    let checked = desk.run(&["data", "check", "in/XYZUSDT_1h.csv", "--json"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    let told: Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!(told[0]["findings"]["bad"]["count"].as_u64(), Some(1));
    assert_eq!(told[0]["findings"]["gaps"]["count"].as_u64(), Some(1));
    desk.write("in/other.csv", "what,is,this\n1,2,3\n");
    assert!(desk.run(&["data", "list", "in"]).well().out.contains("5 files, 4 of them known"));
    let named = desk.run(&["data", "import", "in/other.csv", "--out", "x.tape"]);
    assert_eq!(named.code, Some(2), "{named:?}");
    assert!(named.err.contains("--format") && named.err.contains("binance-ws"), "{named:?}");
    assert!(!desk.0.path().join("x.tape").exists() && !desk.0.path().join("x.tape.part").exists());
    let wrong = desk.run(&["data", "list", "in", "--format", "ohlc"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

/// A real data set imported: the number of events, and what was told. None where it is not there.
fn real(paths: &[&str], more: &[&str]) -> Option<Value> {
    let Some(folder) = std::env::var_os("HIVE_TEST_DATA").map(PathBuf::from) else {
        eprintln!("skipped: HIVE_TEST_DATA names no folder of recorded markets");
        return None;
    };
    let folder = folder.canonicalize().unwrap_or(folder);
    let full: Vec<String> = paths.iter().map(|p| folder.join(p).to_string_lossy().into_owned()).collect();
    if let Some(missing) = full.iter().find(|p| !Path::new(p).exists()) {
        eprintln!("skipped: no {missing}; set HIVE_TEST_DATA to the folder with it");
        return None;
    }
    let desk = Desk::new();
    let mut args = vec!["data", "import", "--out", "real.tape", "--json"];
    args.extend(more);
    args.extend(full.iter().map(String::as_str));
    Some(desk.run(&args).json())
}

fn events(told: &Value) -> u64 {
    told["events"].as_u64().unwrap()
}

fn bad(told: &Value) -> u64 {
    told["report"]["bad_rows"].as_u64().unwrap()
}

fn quotes(told: &Value) -> Vec<&str> {
    told["instruments"].as_array().unwrap().iter().filter_map(|i| i["quote"].as_str()).collect()
}

#[test]
fn real_triangles_have_their_crosses() {
    let Some(told) = real(&["triangles_5m_2021_09"], &[]) else { return };
    assert_eq!((events(&told), bad(&told)), (137_159, 0));
    assert_eq!(quotes(&told), vec!["BTC"; 7]);
}

#[test]
fn real_exchanges_of_one_asset_stand_side_by_side() {
    let Some(told) = real(&["arb_btc_exchanges_1h"], &[]) else { return };
    let venues: Vec<&str> =
        told["instruments"].as_array().unwrap().iter().filter_map(|i| i["venue"].as_str()).collect();
    assert_eq!(venues.len(), 3, "{venues:?}");
    for venue in ["bitstamp", "coinbase", "kraken"] {
        assert!(venues.contains(&venue), "{venues:?}");
    }
    assert!(events(&told) > 90_000 && bad(&told) < 100, "{} and {}", events(&told), bad(&told));
}

#[test]
fn real_spot_perp_and_funding_are_joined() {
    let Some(told) = real(&["basis_btc_eth_1d"], &[]) else { return };
    // Four files of 911 days, and all settlements: those of the first day at the price at which it began.
    assert_eq!((events(&told), bad(&told)), (9_110, 0));
    let Some(told) = real(&["xexchange_spot_perp_funding_1h"], &["--assets", "AVAX"]) else { return };
    assert!(events(&told) > 200_000 && bad(&told) < 10, "{} and {}", events(&told), bad(&told));
}

#[test]
fn real_futures_have_their_months() {
    let Some(told) = real(&["lean_dated_futures/future_cme_hour_es_trade.zip"], &[]) else { return };
    let all = told["instruments"].as_array().unwrap();
    assert!(all.len() >= 5 && all.iter().all(|i| i["kind"] == "future" && i["venue"] == "cme"), "{all:?}");
}

#[test]
fn real_recordings_keep_their_books() {
    let path = "l2_ws_recordings_binance/spot_btcusdt_20240808.gz";
    let Some(told) = real(&[path, "l2_ws_recordings_hyperliquid"], &[]) else { return };
    assert_eq!(bad(&told), 0, "no update is missing: {}", told["report"]);
    assert!(events(&told) > 100_000);
}

#[test]
fn real_options_have_volatilities() {
    let Some(told) = real(&["options_deribit_chains", "options_dvol"], &[]) else { return };
    assert_eq!(bad(&told), 0, "{}", told["report"]);
    assert!(told["instruments"].as_array().unwrap().len() > 1_000 && events(&told) > 3_000);
}

#[test]
fn real_pools_have_states_prices_and_gas() {
    let Some(told) = real(&["amm_demeter"], &[]) else { return };
    assert_eq!(bad(&told), 0, "{}", told["report"]);
    let symbols: Vec<&str> =
        told["instruments"].as_array().unwrap().iter().filter_map(|i| i["symbol"].as_str()).collect();
    assert_eq!(symbols, ["ETHUSD", "OSQTHETH", "ETH/USDC@500", "OSQTH/ETH@3000"]);
}

/// The seventeen families on a tape of these files: rows of the table by family. None where a file is not
/// there.
fn families(paths: &[&str], import: &[&str], clock: &str, capital: u32) -> Option<Vec<Value>> {
    let desk = Desk::new();
    let Some(folder) = std::env::var_os("HIVE_TEST_DATA").map(PathBuf::from) else {
        eprintln!("skipped: HIVE_TEST_DATA names no folder of recorded markets");
        return None;
    };
    let folder = folder.canonicalize().unwrap_or(folder);
    let full: Vec<String> = paths.iter().map(|p| folder.join(p).to_string_lossy().into_owned()).collect();
    if let Some(missing) = full.iter().find(|p| !Path::new(p).exists()) {
        eprintln!("skipped: no {missing}; set HIVE_TEST_DATA to the folder with it");
        return None;
    }
    let mut args = vec!["data", "import", "--quiet", "--out", "real.tape"];
    args.extend(import);
    args.extend(full.iter().map(String::as_str));
    desk.run(&args).well();
    Some(by_family(&desk, "real.tape", clock, capital))
}

/// The recorded house with this much for each of its 42 agents.
fn by_family(desk: &Desk, tape: &str, clock: &str, capital: u32) -> Vec<Value> {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/families/recorded.toml");
    let house = std::fs::read_to_string(house).unwrap();
    desk.write(
        "house.toml",
        &house.replace("[hive]\n", &format!("[hive]\ncapital = \"{}\"\n", 42 * capital)),
    );
    let feed = format!("tape:{tape}");
    let run = [
        "backtest",
        "--agents",
        "house.toml",
        "--feed",
        &feed,
        "--clock",
        clock,
        "--quiet",
        "--json",
        "f.json",
    ];
    desk.run(&run).well();
    let json: Value = serde_json::from_slice(&std::fs::read(desk.0.path().join("f.json")).unwrap()).unwrap();
    json["rows"].as_array().unwrap().clone()
}

fn row<'a>(rows: &'a [Value], family: &str) -> &'a Value {
    rows.iter().find(|r| r["family"] == family).unwrap_or_else(|| panic!("{family}: {rows:?}"))
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key} of {row}"))
}

#[test]
fn real_bitcoin_futures_are_carried_to_their_ends() {
    let paths = ["panel/spot_1h.csv.gz", "multiasset_yahoo_fred_1d/BTC_F.csv.gz"];
    let import = ["--assets", "BTC", "--closes", "cme", "--from", "2017-12-18"];
    let Some(rows) = families(&paths, &import, "1h", 100_000) else { return };
    let carry = row(&rows, "cash_and_carry");
    // 66 contracts, two agents; the basis of some was below the hurdle.
    assert!((60.0..400.0).contains(&number(carry, "trades")), "{carry}");
    assert_eq!((carry["level"].as_str(), carry["to"].as_str()), (Some("B"), Some("2023-06-30")));
    assert!(number(carry, "fees") > 0.0 && number(carry, "pnl").is_finite(), "{carry}");
}

#[test]
fn real_snapshots_of_options_are_weighed() {
    let paths = [
        "ohlcv_perp_1h/BTCUSDT_1h.csv.gz",
        "options_deribit_chains/btc_chain_2020-05-21.csv.gz",
        "options_deribit_chains/btc_chain_2020-09-12.csv.gz",
    ];
    let import = ["--from", "2020-01-01", "--to", "2020-12-31"];
    let Some(rows) = families(&paths, &import, "1h", 100_000) else { return };
    let options = row(&rows, "options");
    // Found, quoted, weighed against a forecast: an edge is known, and either it paid or it did not.
    assert_eq!((number(options, "agents"), options["level"].as_str()), (2.0, Some("B")), "{options}");
    assert!(number(options, "trades") > 0.0 || options["best_edge_bp"].is_number(), "{options}");
}

#[test]
fn real_pools_are_provided_to() {
    let Some(rows) = families(&["amm_demeter"], &[], "1m", 2_381) else { return };
    let defi = row(&rows, "defi");
    assert_eq!((number(defi, "agents"), defi["level"].as_str()), (2.0, Some("B")), "{defi}");
    assert!(number(defi, "trades") > 0.0 || defi["best_edge_bp"].is_number(), "{defi}");
}

#[test]
fn real_books_say_what_a_scalp_and_a_maker_would_need() {
    let Some(rows) = families(&["l2_ws_recordings_binance"], &[], "1m", 2_381) else { return };
    for family in ["scalp", "market_making"] {
        let row = row(&rows, family);
        assert_eq!((row["level"].as_str(), number(row, "trades")), (Some("L2"), 0.0), "{row}");
        // At base tiers fees are more than a few seconds of such a market move.
        assert!(number(row, "best_edge_bp") < 0.0, "{row}");
        assert!(row["verdict"].as_str().unwrap().starts_with("never opened, best edge -"), "{row}");
    }
}

/// A calm perp by the hour, and a snapshot of two options quoted at `percent` of volatility.
fn snapshot(desk: &Desk, percent: f64) {
    let mut perp = String::from("date,open,high,low,close,volume\n");
    let wave = |h: i64| 10_000.0 + 40.0 * (h as f64 / 9.0).sin() + 15.0 * ((h * 7 % 13) as f64 - 6.0) / 6.0;
    for hour in 0..24 * 60_i64 {
        let (open, close) = (wave(hour), wave(hour + 1));
        let (high, low) = (open.max(close) + 1.0, open.min(close) - 1.0);
        writeln!(perp, "{},{open:.1},{high:.1},{low:.1},{close:.1},5000", 1_609_459_200 + hour * 3_600)
            .unwrap();
    }
    desk.write("in/binance_perp_BTCUSDT_1h.csv", &perp);
    // The 40th day, 23:22; five days to expiry at eight. Each option about 0.4 σ√T of a coin.
    let at = (1_609_459_200 + 39 * 86_400 + 23 * 3_600 + 22 * 60) * 1_000_i64;
    let years = (5.0 * 24.0 + 8.6) / 8_766.0;
    let price = 0.398_9 * percent / 100.0 * f64::sqrt(years);
    let mut chain = String::from(
        "instrument_name,timestamp,underlying_price,index_price,mark_price,mark_iv,best_bid_price,best_bid_amount,best_ask_price,best_ask_amount\n",
    );
    for (n, side) in ["C", "P"].into_iter().enumerate() {
        let (bid, ask) = (price * 0.99, price * 1.01);
        writeln!(
            chain,
            "BTC-15FEB21-10000-{side},{},10000,10000,{price:.6},{percent},{bid:.6},90,{ask:.6},90",
            at + 30_000 * n as i64
        )
        .unwrap();
    }
    desk.write("in/btc_chain.csv", &chain);
    desk.run(&["data", "import", "in", "--out", "chain.tape", "--quiet", "--force"]).well();
}

#[test]
fn a_straddle_is_sold_on_a_snapshot_and_exercised() {
    let desk = Desk::new();
    snapshot(&desk, 120.0);
    let rows = by_family(&desk, "chain.tape", "1h", 100_000);
    let options = row(&rows, "options");
    // Whose window of expiries reaches five days opened and was exercised; what was expensive was earned.
    let trades = number(options, "trades");
    assert!((1.0..=2.0).contains(&trades), "{options}");
    assert!(number(options, "pnl") > 0.0 && number(options, "fees") > 0.0, "{options}");
    assert_eq!(
        (options["level"].as_str(), options["verdict"].as_str()),
        (Some("L1"), Some("too few to tell")),
        "{options}"
    );
    // The same with money: sold and exercised as well, in an account of its own.
    let real = &options["real"];
    assert!(number(real, "fills") > 0.0 && number(real, "pnl") > 0.0, "{options}");
    // At the volatility that the perp has, nobody opens.
    snapshot(&desk, 20.0);
    let rows = by_family(&desk, "chain.tape", "1h", 100_000);
    assert_eq!(number(row(&rows, "options"), "trades"), 0.0, "{}", row(&rows, "options"));
}

#[test]
fn the_table_of_families_in_the_readme_is_the_one_that_was_made() {
    let read =
        |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let (readme, table) = (read("README.md"), read("assets/families/table.md"));
    let (_, rest) = readme.split_once("<!-- families -->\n").expect("a begin of the table");
    let (part, _) = rest.split_once("<!-- /families -->\n").expect("an end of it");
    assert_eq!(part, table, "run assets/families/table.sh");
    let json: Value = serde_json::from_str(&read("assets/families/table.json")).unwrap();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len() + 2, table.lines().count(), "a line for each row");
    for family in hive::domain::FamilyId::ALL {
        let of: Vec<&Value> = rows.iter().filter(|r| r["family"] == family.text()).collect();
        assert!(of.iter().any(|r| r["feed"] == "synth"), "{family} has no run on the embedded market");
        // Nobody recorded a MOVE contract.
        let recorded = of.iter().any(|r| r["feed"] != "synth");
        assert_eq!(recorded, *family != hive::domain::FamilyId::Move, "{family} on recorded files");
    }
    let is_structured = |name: &str| {
        let mut all = hive::domain::FamilyId::ALL.iter();
        all.any(|f| f.text() == name && f.is_structured())
    };
    for row in rows {
        // Who traded alone has fills of its own with money, wherever that was.
        if is_structured(row["family"].as_str().unwrap()) && number(row, "trades") > 0.0 {
            assert!(number(&row["real"], "fills") > 0.0, "{row}");
        }
        assert!(["B", "L1", "L2"].contains(&row["level"].as_str().unwrap()), "{row}");
        for key in ["trades", "fees", "funding", "pnl", "pnl_touch"] {
            assert!(number(row, key).is_finite(), "{row}");
        }
        let (losing, verdict) = (number(row, "pnl") < 0.0, row["verdict"].as_str().unwrap());
        let expected = match number(row, "trades") {
            n if n >= 30.0 => Some("loses after costs"),
            n if n > 0.0 => Some("too few to tell"),
            _ => None,
        };
        if let Some(expected) = expected.filter(|_| losing && row["established"] == true) {
            assert_eq!(verdict, expected, "{row}");
        }
        assert!(number(&row["real"], "pnl").is_finite(), "{row}");
        assert!(!row["feed"].as_str().unwrap().contains('/'), "no path: {row}");
    }
}

/// A list with a file of three messages: one that is understood, one that is passed over, and what is given.
fn messages(third: &str) -> Desk {
    let desk = Desk::new();
    desk.write("SOURCES.tsv", "path\tsource\tlicence\tside_of_api\nx/binance.tsv\t\tMIT\tpublic\nx/binance-own.tsv\t\tMIT\tprivate\nx/okx.tsv\t\tMIT\tpublic\n");
    let event =
        r#"{"stream":"a@aggTrade","data":{"e":"aggTrade","s":"A","a":1,"p":"1.10","q":"2","T":1,"m":true}}"#;
    desk.write(
        "x/binance.tsv",
        &format!("a\t{event}\nb\t{{\"e\":\"24hrTicker\",\"c\":\"1\"}}\nc\t{third}\n"),
    );
    desk
}

#[test]
fn recorded_messages_are_read_or_refused_by_name() {
    let desk = messages("{\"result\":null,\"id\":1}");
    let said = desk.run(&["data", "check", "--messages", ".", "--json"]).json();
    for (key, value) in [("files", 1), ("messages", 3), ("parsed", 3), ("understood", 2), ("refused", 0)] {
        assert_eq!(said[key], value, "{key}: {said}");
    }
    assert_eq!(said["passed_over"]["24hrTicker"], 1);
    let text = desk.run(&["data", "check", "--messages", "."]).well().out;
    assert!(text.contains("1 files, 3 messages: 3 read, 2 of them understood whole, 0 refused"), "{text}");

    let desk = messages("{\"stream\":\"a@aggTrade\",\"data\":{\"s\":\"A\",\"a\":1,\"p\":\"1e40\"}}");
    let ran = desk.run(&["data", "check", "--messages", ".", "--json"]);
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &said["unlisted_refusals"][0]["message"]), (Some(1), &Value::from(3)), "{ran:?}");
    assert!(ran.err.contains("x/binance.tsv 3: aggTrade: \"1e40\" has more digits"), "{ran:?}");

    let ran = Desk::new().run(&["data", "check", "--messages", "."]);
    assert!(ran.code == Some(2) && ran.err.contains("no SOURCES.tsv or MESSAGES.tsv"), "{ran:?}");
    let Some(data) = std::env::var_os("HIVE_TEST_DATA") else {
        return eprintln!("skipped: HIVE_TEST_DATA names no folder with recordings");
    };
    let folder = data.to_string_lossy().into_owned();
    let said = desk.run(&["data", "check", "--messages", &folder, "--json"]).json();
    assert_eq!(said["unlisted_refusals"], Value::Array(Vec::new()), "{said}");
    assert!(
        said["messages"].as_u64() > Some(2_000) && said["venues"].as_object().unwrap().len() == 3,
        "{said}"
    );
    assert!(said["refused_share_of_files"].as_f64() <= Some(0.05), "{said}");
}
