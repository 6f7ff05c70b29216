//! An account that a gap ruins: the report says so last, and the program ends with exit code 1.

use super::hand::{Desk, agents, count, money, ran, sums_up};
use rust_decimal::Decimal;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Bars of four hours of four symbols that fall, and open eight times higher at the last but ten.
fn market() -> String {
    let mut text = "timestamp,symbol,open,high,low,close,volume\n".to_owned();
    let mut last = [100.0_f64; 4];
    let bars = 480;
    for n in 0..bars {
        let (day, hour) = (n / 6, n % 6 * 4);
        let (month, day) = if day < 31 {
            (1, day + 1)
        } else if day < 59 {
            (2, day - 30)
        } else {
            (3, day - 58)
        };
        for (i, price) in last.iter_mut().enumerate() {
            let open = if n == bars - 10 { *price * 8.0 } else { *price };
            let close = open * (0.997 + 0.006 * (f64::from(n * 7 + i as i32 * 3) * 1.7).sin());
            let (high, low) = (open.max(close) * 1.001, open.min(close) * 0.999);
            *price = close;
            let name = ["AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT"][i];
            writeln!(text, "2023-{month:02}-{day:02}T{hour:02}:00:00Z,{name},{open:.6},{high:.6},{low:.6},{close:.6},900000")
                .unwrap();
        }
    }
    text
}

fn is_told(desk: &Desk, feed: &str) {
    let file = desk.path("out.json").to_string_lossy().into_owned();
    let said = desk.run(&["backtest", "--feed", feed, "--seed", "1", "--summary", &file]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let report = &said.out[said.out.find("\nstate ").unwrap() + 1..];
    let after: Vec<&str> = report.lines().skip(1).collect();
    assert!(after[0].starts_with("RUINED the account was ruined at "), "{after:?}");
    assert!(
        said.err.contains("the account was ruined at") && said.err.contains("is owed beyond it"),
        "{}",
        said.err
    );
    assert!(said.err.contains("it trades no more"), "{}", said.err);
    for life in ["alone ruined: ", "open ruined: "] {
        assert!(said.out.contains(life), "{life} is not in {}", said.out);
    }
    let s: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    sums_up(&s);
    assert_eq!(s["ruined"], s["halted"]);
    let stake = money(&s["capital"]) / Decimal::from(agents(&s).len());
    let mut lost = 0;
    for a in agents(&s) {
        for (pnl, life) in [("alone_pnl", "alone"), ("open_pnl", "open")] {
            let ruins = count(&a["ruins"][life]);
            lost += ruins;
            assert!(money(&a[pnl]) > -stake * Decimal::from(ruins + 1), "{a}");
        }
    }
    assert!(lost > 20, "{lost}");
}

#[test]
fn an_account_that_a_gap_ruins_ends_with_exit_code_1_and_says_why() {
    let desk = Desk::new();
    let file = desk.write("market/perp_4h.csv", &market());
    is_told(&desk, &format!("history:{file}"));
    // Kept quiet, the exit code and the sentence are all.
    let said =
        ran(desk.command(&["backtest", "--feed", &format!("history:{file}"), "--quiet"]).output().unwrap());
    assert_eq!(said.code, Some(1));
    assert!(said.out.is_empty() && said.err.contains("the account was ruined"), "{said:?}");
}

#[test]
fn a_run_that_is_not_ruined_says_nothing_of_it() {
    let desk = Desk::new();
    let s = desk.summary(&["--days", "60", "--scouts", "24"]);
    assert!(s["ruined"].is_null() && s["halted"].is_null());
    assert!(!desk.run(&["--days", "60", "--scouts", "24"]).well().out.contains("RUINED"));
}

#[test]
fn four_recorded_perps_that_open_eight_times_higher_ruin_the_account() {
    let Some(folder) = std::env::var_os("HIVE_TEST_DATA").map(PathBuf::from) else {
        return eprintln!("skipped: HIVE_TEST_DATA names no folder of recorded markets");
    };
    let path = folder.join("field_inputs/ruin");
    if !path.is_dir() {
        return eprintln!("skipped: no {}", path.display());
    }
    is_told(&Desk::new(), &format!("history:{}", path.display()));
}
