//! `hive lab --services` and the feed it needs, as a user runs them, on files written here.

use crate::beside::on_every_core;
use crate::cli::hand::program;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

/// Hours in the files: long enough for the desk's volatility and two months after it.
const HOURS: i64 = 24 * 110;

/// A walk that trends and turns, the same every time.
fn price(asset: usize, hour: i64) -> f64 {
    let t = hour as f64;
    let base = [20_000.0, 1_500.0, 80.0][asset];
    let noise = (((hour * 7_919 + asset as i64 * 104_729) % 1_009) as f64 / 1_009.0 - 0.5) * 0.01;
    base * (1.0 + 0.25 * (t / (190.0 + 40.0 * asset as f64)).sin() + 0.05 * (t / 31.0).sin() + noise)
}

/// Seconds since 1970 of an hour of 2024.
fn stamp(hour: i64) -> i64 {
    1_704_067_200 + hour * 3_600
}

fn files(dir: &Path) {
    let symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];
    let panel = |file: &str, scale: f64, assets: usize| {
        let mut text = String::from("timestamp,symbol,open,high,low,close,volume\n");
        for h in 0..HOURS {
            for (a, symbol) in symbols.iter().enumerate().take(assets) {
                let (open, close) = (scale * price(a, h), scale * price(a, h + 1));
                let (high, low) = (open.max(close) * 1.002, open.min(close) * 0.998);
                writeln!(text, "{},{symbol},{open:.4},{high:.4},{low:.4},{close:.4},100000", stamp(h))
                    .unwrap();
            }
        }
        std::fs::write(dir.join(file), text).unwrap();
    };
    panel("perp_1h.csv", 1.0, 3);
    panel("spot_1h.csv", 0.9998, 2);
    let mut rates = String::from("timestamp,symbol,rate\n");
    for h in (0..HOURS).step_by(8) {
        for symbol in &symbols[..2] {
            let rate = if (h / 240) % 3 == 2 { -0.0003 } else { 0.0004 };
            writeln!(rates, "{},{symbol},{rate}", stamp(h)).unwrap();
        }
    }
    std::fs::write(dir.join("funding.csv"), rates).unwrap();
}

fn hive(dir: &Path, args: &[&str]) -> Output {
    let _cores = on_every_core();
    Command::new(program())
        .current_dir(dir)
        .env("XDG_STATE_HOME", dir.join("state"))
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn the_lab_tells_what_services_are_worth_and_every_rung_of_it() {
    let dir = tempfile::tempdir().unwrap();
    files(dir.path());
    let feed = "history:spot_1h.csv,funding.csv,perp_1h.csv";
    let run = hive(
        dir.path(),
        &[
            "lab",
            "--feed",
            feed,
            "--bar",
            "4h",
            "--seeds",
            "2",
            "--scouts",
            "12",
            "--services",
            "--json",
            "r.json",
        ],
    );
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let r: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(dir.path().join("r.json")).unwrap()).unwrap();
    for rung in ["vs_sum_silo", "vs_net_account", "vs_best_centre"] {
        for part in ["mean", "lo", "hi"] {
            assert!(r["uplift"][rung]["sharpe"][part].as_f64().unwrap().is_finite(), "{rung}");
        }
    }
    for arm in ["net-all", "+expression", "sum-silo", "net-account", "net-account+B", "hive+services"] {
        let arm = &r["arms"][arm];
        assert_eq!(arm["running"], 1.0, "no books refused anything: {arm}");
        assert!(said.contains("hive+services") && arm["turnover"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(r["identity"]["holds"], true, "without services λ = 1 is net-all, with the servants there");
    let names: Vec<&str> =
        r["services"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["carry", "capital", "liquidity"]);
    assert!(r["services"].as_array().unwrap().iter().all(|s| s["saved"].is_f64() && s["to"].is_string()));
    assert!(r["service_controls"]["carry-inverted"]["vs_sum_silo"]["mean"].is_f64());
    // Funding pays here by construction, and who believes the opposite loses.
    assert!(r["arms"]["sum-silo"]["sharpe"].as_f64() > r["arms"]["net-all"]["sharpe"].as_f64());
    assert!(r["service_controls"]["carry-inverted"]["hive_minus_control"]["mean"].as_f64().unwrap() > 0.0);
}

#[test]
fn what_was_taken_out_is_refused_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    files(dir.path());
    let lab = ["lab", "--quiet", "--feed", "history:perp_1h.csv,spot_1h.csv,funding.csv", "--bar", "4h"];
    for (more, why) in [
        (&["--services", "--elsewhere", "x.tape"][..], "--elsewhere"),
        (&["--services", "--arms", "net-all steady"], "there is no such system"),
        (&["--services", "--arms", "+funding with"], "there is no such system"),
    ] {
        let run = hive(dir.path(), &[&lab[..], more].concat());
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(2), "{more:?}: {said}");
        assert!(said.contains(why), "{more:?}: {said}");
    }
    let shipped = hive(dir.path(), &["config", "print-default"]);
    let text = String::from_utf8_lossy(&shipped.stdout).into_owned();
    std::fs::write(dir.path().join("old.toml"), text.replace("[desk]", "[desk]\nsteady = true")).unwrap();
    let run = hive(dir.path(), &["config", "show", "--agents", "old.toml"]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(!run.status.success() && said.contains("\"steady\" in [desk] is a setting no more"), "{said}");
}

#[test]
fn files_that_are_no_perps_with_spot_are_named_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    files(dir.path());
    std::fs::copy(dir.path().join("spot_1h.csv"), dir.path().join("other.csv")).unwrap();
    for (feed, why) in [
        ("history:spot_1h.csv,other.csv", "named after perps"),
        ("history:perp_1h.csv,funding.csv", "it takes two"),
        ("history:perp_1h.csv,spot_1h.csv,funding.csv,other.csv", "is no feed"),
        ("history:perp_1h.csv,none.csv", "none.csv"),
    ] {
        let run = hive(dir.path(), &["backtest", "--feed", feed, "--quiet"]);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(2), "{feed}: {said}");
        assert!(said.contains(why), "{feed}: {said}");
    }
}
