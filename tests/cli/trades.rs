//! The list of trades and the page of a report: what they say is what the report says.

use super::hand::{Desk, count, money};
use rust_decimal::Decimal;
use serde_json::Value;

fn sum<'a>(rows: impl Iterator<Item = &'a Value>, of: &str) -> Decimal {
    rows.map(|row| money(&row[of])).sum()
}

/// The list of a run and its summary.
fn listed(desk: &Desk, args: &[&str]) -> (Value, Value) {
    let all: Vec<&str> =
        ["backtest"].iter().chain(args).chain(&["--trades", "trades.json"]).copied().collect();
    let summary = desk.summary(&all);
    (serde_json::from_str(&std::fs::read_to_string(desk.path("trades.json")).unwrap()).unwrap(), summary)
}

/// Sums of the list are those of the report, to the last digit.
fn ties(list: &Value, summary: &Value) {
    let (fills, trips) = (list["fills"].as_array().unwrap(), list["trips"].as_array().unwrap());
    let sums = &list["sums"];
    let fees = sum(fills.iter(), "fee");
    assert_eq!((fees, fees), (money(&sums["fees"]), money(&summary["fees"]) - money(&sums["other_fees"])));
    assert_eq!(sum(trips.iter(), "fees"), fees);
    assert_eq!(money(&sums["left"]), Decimal::ZERO);
    let gross = sum(trips.iter(), "gross");
    assert_eq!(gross, money(&sums["closed"]) + money(&sums["open"]));
    let gain = gross - money(&summary["fees"]) - money(&sums["funding"]) - money(&sums["borrow"]);
    assert_eq!(gain, money(&summary["equity"]["real"]) - money(&summary["capital"]));
    assert_eq!(sum(fills.iter(), "notional").round_dp(2), money(&summary["traded_notional"]).round_dp(2));
    for fill in fills {
        let shares: Decimal = fill["agents"].as_array().unwrap().iter().map(|a| money(&a["quantity"])).sum();
        assert_eq!(shares.abs(), money(&fill["quantity"]), "{fill}");
        assert_eq!(shares > Decimal::ZERO, fill["side"] == "buy", "{fill}");
        assert!(
            !fill["reason"].as_str().unwrap().is_empty() && !fill["trips"].as_array().unwrap().is_empty()
        );
    }
    for trip in trips {
        let (mae, mfe) = (trip["mae"].as_f64().unwrap(), trip["mfe"].as_f64().unwrap());
        let gross: f64 = trip["gross"].as_str().unwrap().parse().unwrap();
        assert!(mae <= 0.0 && mfe >= 0.0 && mae <= gross + 1e-6 && gross <= mfe + 1e-6, "{trip}");
        let (Some(r), Some(risk)) = (trip["r"].as_f64(), trip["risk"].as_f64()) else { continue };
        let net: f64 = trip["net"].as_str().unwrap().parse().unwrap();
        assert!((r * risk - net).abs() < 1e-6 * net.abs().max(1.0), "{trip}");
    }
}

#[test]
fn a_list_of_trades_comes_to_the_gain_and_the_fees_of_the_report() {
    let desk = Desk::new();
    let (list, summary) = listed(&desk, &["--days", "150", "--scouts", "12", "--seed", "1"]);
    ties(&list, &summary);
    let fills = list["fills"].as_array().unwrap();
    assert!(fills.len() > 500 && count(&summary["orders"]) >= fills.len() as u64);
    let told = fills
        .iter()
        .filter(|f| f["intent"].is_string() && !f["messages"].as_array().unwrap().is_empty())
        .count();
    assert!(told * 10 > fills.len() * 9, "{told} of {} say why", fills.len());
    let with_r = list["trips"].as_array().unwrap().iter().filter(|t| t["r"].is_f64()).count();
    assert!(with_r > 50, "{with_r} round trips have an R");
    // Listing changes nothing.
    let plain = desk.summary(&["backtest", "--days", "150", "--scouts", "12", "--seed", "1"]);
    assert_eq!(plain["state_hash"], summary["state_hash"]);
}

#[test]
fn packages_pools_and_contracts_are_listed_too() {
    let desk = Desk::new();
    let feed = ["--feed", "synth?detail=6d", "--days", "30", "--scouts", "12", "--seed", "3"];
    let (list, summary) = listed(&desk, &feed);
    let fills = list["fills"].as_array().unwrap();
    assert!(fills.iter().any(|f| f["instrument"].as_str().unwrap().contains(" at ")), "nothing but the desk");
    let sums = &list["sums"];
    assert_eq!(sum(fills.iter(), "fee") + money(&sums["other_fees"]), money(&summary["fees"]));
    // Each booking of a fill to several is rounded once.
    assert!(money(&sums["left"]).abs() < Decimal::new(1, 2), "{sums}");
}

#[test]
fn a_list_is_csv_as_well_and_what_cannot_be_written_is_refused_before_the_run() {
    let desk = Desk::new();
    let short = ["backtest", "--days", "60", "--scouts", "12", "--quiet"];
    let run = |more: &[&str]| desk.run(&short.iter().chain(more).copied().collect::<Vec<_>>());
    run(&["--trades", "t.csv", "--html", "t.html"]).well();
    let fills = std::fs::read_to_string(desk.path("t.csv")).unwrap();
    assert!(
        fills.starts_with("time,order,fill,instrument,side,quantity,price,notional,fee,"),
        "{}",
        &fills[..80]
    );
    let trips = std::fs::read_to_string(desk.path("t.trips.csv")).unwrap();
    assert!(trips.starts_with("trip,instrument,side,opened,closed,"), "{}", &trips[..60]);
    let page = std::fs::read_to_string(desk.path("t.html")).unwrap();
    for part in [
        "<!doctype html>",
        "Equity",
        "Drawdown",
        "by month",
        "By asset",
        "By family",
        "<polyline",
        "class=\"buy\"",
        "</html>",
    ] {
        assert!(page.contains(part), "{part} is not in the page");
    }
    for loaded in ["<script", "http://", "https://", "src=", "@import"] {
        assert!(!page.contains(loaded), "{loaded} is in the page");
    }
    run(&["--trades", "t.parquet"]).refused(&["t.parquet", ".csv or .json"]);
    run(&["--trades", "no/where/t.csv"]).refused(&["--trades", "no/where"]);
    run(&["--html", "t.html", "--state", "kept"]).refused(&["--state"]);
}
