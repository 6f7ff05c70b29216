//! Markets in anybody's numbers: prices in another unit, a row in another unit, currencies, contracts in coins.

use super::hand::{Desk, bars, count, long, money};
use rust_decimal::Decimal;
use serde_json::Value;

/// Rows of a panel with every price × 10ᵏ and every volume ÷ 10ᵏ, digit by digit.
fn told_in(text: &str, k: i32) -> String {
    let moved = |number: &str, by: i32| format!("{number}e{by}");
    let row = |line: &str| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        for cell in &mut cells[2..6] {
            *cell = moved(cell, k);
        }
        cells[6] = moved(&cells[6], -k);
        cells.join(",")
    };
    let mut lines = text.lines();
    let head = lines.next().unwrap().to_owned();
    std::iter::once(head).chain(lines.map(row)).collect::<Vec<_>>().join("\n") + "\n"
}

fn market() -> String {
    let names = ["AAAUSDT", "BBBUSDT", "CCCUSDT"];
    long(&(0..).zip(names).map(|(seed, name)| bars(Some(name), seed, 1_800, |_| true)).collect::<Vec<_>>())
}

fn near(a: &Value, b: &Value, what: &str) {
    let (a, b) = (money(a), money(b));
    let most = Decimal::new(1, 6) * a.abs().max(Decimal::ONE);
    assert!((a - b).abs() <= most, "{what}: {a} and {b}");
}

#[test]
fn prices_in_another_unit_are_the_same_market() {
    let desk = Desk::new();
    let text = market();
    let run = |k: i32| {
        desk.write(&format!("perp_{k}.csv"), &told_in(&text, k));
        let feed = format!("history:perp_{k}.csv");
        desk.summary(&["backtest", "--feed", &feed, "--seed", "1", "--scouts", "12"])
    };
    let one = run(0);
    assert!(count(&one["orders"]) > 100);
    for k in [-12, -8, -3, 2, 8, 12] {
        let other = run(k);
        assert_eq!(count(&other["orders"]), count(&one["orders"]), "{k}");
        for life in ["alone", "open", "real"] {
            near(&one["equity"][life], &other["equity"][life], life);
        }
        near(&one["traded_notional"], &other["traded_notional"], "traded");
        near(&one["fees"], &other["fees"], "fees");
        let counted = other["notes"].to_string().contains("is counted by 1e");
        assert_eq!(counted, !(-8..=6).contains(&k), "{k}: {}", other["notes"]);
    }
}

/// The market with one row a multiple of what it was.
fn spoilt(times: f64) -> String {
    let row = |line: &str| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        if line.starts_with("2023-02-20T03:00:00Z,BBB") {
            let wrong = (cells[5].parse::<f64>().unwrap() * times).to_string();
            (cells[3], cells[5]) = (wrong.clone(), wrong);
        }
        cells.join(",")
    };
    market().lines().map(row).collect::<Vec<_>>().join("\n") + "\n"
}

/// The market without what begins so.
fn without(hours: &[&str]) -> String {
    let is_out = |line: &str| hours.iter().any(|h| line.starts_with(&format!("2023-02-20T{h}:00:00Z,BBB")));
    market().lines().filter(|line| !is_out(line)).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn a_row_in_another_unit_is_named_and_changes_nothing() {
    // What no crash does is left out by whoever reads the file. Of what might be one the bar of four hours is held back by the
    // engine, until the next one says that it was none.
    let whole_bar = ["00", "01", "02", "03"];
    let read: (f64, &[&str], &[&str]) = (1e8, &whole_bar[3..], &["spoilt_perp.csv", "another unit"]);
    let held: (f64, &[&str], &[&str]) = (
        20.0,
        &whole_bar,
        &["bad tick? BBBUSDT at 2023-02-20T04:00:00Z", "was held back", "never traded on"],
    );
    for (times, hours, told) in [read, held] {
        let desk = Desk::new();
        desk.write("spoilt_perp.csv", &spoilt(times));
        desk.write("without_perp.csv", &without(hours));
        let run = |name: &str| {
            let feed = format!("history:{name}_perp.csv?jumps=keep");
            desk.summary(&["backtest", "--feed", &feed, "--seed", "1", "--scouts", "12"])
        };
        let (with, left_out) = (run("spoilt"), run("without"));
        assert_eq!(with["equity"], left_out["equity"], "{times}");
        assert_eq!(with["decision_hash"], left_out["decision_hash"], "{times}");
        let notes = with.to_string();
        for told in told {
            assert!(notes.contains(told), "{told:?} is not in {notes}");
        }
    }
}

#[test]
fn currencies_trade_where_nothing_else_is_listed_and_are_named_where_they_are_left_out() {
    let desk = Desk::new();
    let fx = |name, seed| bars(Some(name), seed, 1_500, |_| true);
    desk.write("fx.csv", &long(&[fx("GBPUSD", 1), fx("USDJPY", 2), fx("XAUUSD", 3)]));
    desk.write("mixed.csv", &long(&[fx("GBPUSD", 1), fx("AAAUSDT", 2), fx("BTCUSD_PERP", 3)]));
    let run = |file: &str| {
        desk.summary(&["backtest", "--feed", &format!("history:{file}"), "--seed", "1", "--scouts", "12"])
    };
    let currencies = run("fx.csv");
    assert!(count(&currencies["orders"]) > 50);
    assert!(currencies["notes"].to_string().contains("USDJPY is quoted in JPY"), "{}", currencies["notes"]);
    // Contracts count their volume in contracts where nobody says otherwise, and ask.
    let mixed = run("mixed.csv?volume=base")["notes"].to_string();
    for told in ["`any` leaves them out: GBP; an agent trades them that names them", "margined in its coin"] {
        assert!(mixed.contains(told), "{told:?} is not in {mixed}");
    }
}
