//! The program as a person runs it, and markets written for it to trade.

use rust_decimal::Decimal;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program under test: the one Cargo built beside the tests, or the one that `HIVE_BIN` names.
pub fn program() -> PathBuf {
    let named = std::env::var_os("HIVE_BIN").filter(|b| !b.is_empty());
    named.map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_hive")),
        |b| Path::new(env!("CARGO_MANIFEST_DIR")).join(b),
    )
}

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Asserts that it ended well.
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Asserts that it was refused before it began, naming each of these.
    pub fn refused(self, names: &[&str]) -> Self {
        assert_eq!(self.code, Some(2), "{self:?}");
        for name in names {
            assert!(self.err.contains(name), "{name:?} is not named in {}", self.err);
        }
        assert!(self.out.is_empty(), "a refusal reports nothing: {}", self.out);
        self
    }
}

/// The market that tests run on where they name none: bars alone, which is over sooner than what a person gets.
pub const FEED: (&str, &str) = ("HIVE_FEED", "synth");

/// A folder to work in, without any variable of this program but [`FEED`].
pub struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("HIVE_")) {
            command.env_remove(name);
        }
        // What is counted over all runs is counted here.
        command.env("XDG_STATE_HOME", self.folder.path().join("home"));
        command.env(FEED.0, FEED.1);
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// The program as a person has it, who named no market.
    pub fn unnamed(&self, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.env_remove(FEED.0);
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    /// Runs quietly and reads the summary.
    pub fn summary(&self, args: &[&str]) -> Value {
        let file = self.path("out.json");
        let name = file.to_string_lossy().into_owned();
        let all: Vec<&str> = args.iter().copied().chain(["--quiet", "--summary", &name]).collect();
        let said = self.run(&all).well();
        assert!(said.out.is_empty() && said.err.is_empty(), "quiet is quiet: {said:?}");
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    }
}

pub fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A panel of real bars, or nothing and the reason on standard error.
pub fn panel(file: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("HIVE_TEST_DATA").map(PathBuf::from) else {
        eprintln!("skipped: HIVE_TEST_DATA names no folder of recorded markets");
        return None;
    };
    let path = folder.join("panel").join(file);
    if path.is_file() {
        return Some(path.to_string_lossy().into_owned());
    }
    // A skipped check must be seen.
    eprintln!("skipped: no {}; set HIVE_TEST_DATA to the folder with panel/", path.display());
    None
}

/// Hours of 2023 as ISO stamps.
fn stamp(hour: u32) -> String {
    const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let (mut day, mut month) = (hour / 24, 0);
    while day >= DAYS[month] {
        day -= DAYS[month];
        month += 1;
    }
    format!("2023-{:02}-{:02}T{:02}:00:00Z", month + 1, day + 1, hour % 24)
}

/// Bars of an hour of one symbol, over the hours of 2023 that `there` keeps. A wave on a slow drift:
/// enough to trade, and the same on every machine.
pub fn bars(symbol: Option<&str>, seed: u32, hours: u32, there: impl Fn(u32) -> bool) -> String {
    let mut text = String::new();
    let price = |hour: u32| {
        let x = f64::from(hour + 311 * seed);
        100.0
            + 0.004 * f64::from(hour)
            + 9.0 * (x / 97.0).sin()
            + 3.0 * (x / 23.0).sin()
            + (x * 12.9898).sin()
    };
    for hour in (0..hours).filter(|h| there(*h)) {
        let (open, close) = (price(hour), price(hour + 1));
        let (high, low) = (open.max(close) + 0.3, open.min(close) - 0.3);
        let symbol = symbol.map(|s| format!("{s},")).unwrap_or_default();
        writeln!(text, "{},{symbol}{open:.2},{high:.2},{low:.2},{close:.2},50000", stamp(hour)).unwrap();
    }
    text
}

/// A long panel of several symbols, by stamp.
pub fn long(parts: &[String]) -> String {
    let mut rows: Vec<&str> = parts.iter().flat_map(|p| p.lines()).collect();
    rows.sort_unstable();
    format!("timestamp,symbol,open,high,low,close,volume\n{}\n", rows.join("\n"))
}

/// Money of a summary: text, exact.
pub fn money(value: &Value) -> Decimal {
    value.as_str().unwrap_or_else(|| panic!("money is text, not {value}")).parse().unwrap()
}

pub fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("a count, not {value}"))
}

pub fn agents(summary: &Value) -> &Vec<Value> {
    summary["agents"].as_array().unwrap()
}

/// Everything the summary contract promises, with its type; and the account in its parts.
pub fn keeps_the_contract(s: &Value) {
    for key in [
        "hive",
        "mode",
        "feed",
        "data_hash",
        "roster_hash",
        "clock",
        "from",
        "to",
        "state_hash",
        "decision_hash",
    ] {
        assert!(s[key].as_str().is_some_and(|t| !t.is_empty()), "{key}: {}", s[key]);
    }
    for key in ["seed", "bars", "scouts"] {
        count(&s[key]);
    }
    for key in [
        "open_long",
        "open_short",
        "close_long",
        "close_short",
        "increase_long",
        "increase_short",
        "decrease_long",
        "decrease_short",
        "outcome",
        "stance",
        "goal",
        "adjustment",
    ] {
        count(&s["messages"][key]);
    }
    for key in ["low_risk", "big_money", "fast", "automated"] {
        let score = s["goals"][key]["score"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&score), "{key}: {score}");
    }
    for life in ["alone", "open", "real"] {
        money(&s["equity"][life]);
        assert!(s["sharpe"][life].is_f64() && s["max_drawdown"][life].is_f64(), "{life}");
    }
    for key in ["crossed_notional", "traded_notional"] {
        assert!(money(&s[key]) >= Decimal::ZERO, "{key}");
    }
    assert!(s["wall_s"].is_f64() && s["ledger_balanced"].is_boolean());
    assert!(!agents(s).is_empty());
    for a in agents(s) {
        for key in ["name", "family", "goal", "personality"] {
            assert!(a[key].as_str().is_some_and(|t| !t.is_empty()), "{key}: {a}");
        }
        for key in ["alone_pnl", "open_pnl", "real_pnl", "funds"] {
            money(&a[key]);
        }
        for key in ["trades", "messages_sent", "messages_acted_on"] {
            count(&a[key]);
        }
        assert!(a["points"].as_f64().is_some_and(|p| p > 0.0), "{a}");
    }
    sums_up(s);
}

/// Σ agents + treasury + rounding = account, to the last digit; and likewise what they won.
pub fn sums_up(s: &Value) {
    assert_eq!(s["ledger_balanced"], true);
    let funds: Decimal = agents(s).iter().map(|a| money(&a["funds"])).sum();
    assert_eq!(funds + money(&s["treasury"]) + money(&s["rounding"]), money(&s["equity"]["real"]));
    assert!(money(&s["rounding"]).abs() < Decimal::ONE, "rounding has piled up");
}
