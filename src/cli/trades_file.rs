//! The list of trades as a file: JSON whole, or CSV with the round trips in a second file beside it.

use super::failure::Failure;
use super::run::write_whole;
use crate::recorder::trades::{RoundTrip, TradeFill, TradeList};
use std::path::{Path, PathBuf};

/// Columns of fills.
const FILLS: [&str; 18] = [
    "time",
    "order",
    "fill",
    "instrument",
    "side",
    "quantity",
    "price",
    "notional",
    "fee",
    "decided",
    "decision_price",
    "slippage",
    "agents",
    "intent",
    "reason",
    "messages",
    "trips",
    "currency",
];
/// Columns of round trips.
const TRIPS: [&str; 19] = [
    "trip",
    "instrument",
    "side",
    "opened",
    "closed",
    "most_quantity",
    "entry_price",
    "exit_price",
    "fills",
    "gross",
    "fees",
    "net",
    "risk",
    "r",
    "mae",
    "mfe",
    "mae_r",
    "mfe_r",
    "currency",
];

/// How a list of trades is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TradesFormat {
    Csv,
    Json,
}

/// The format that a file's name asks for.
fn format(path: &Path) -> Result<TradesFormat, Failure> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("csv") => Ok(TradesFormat::Csv),
        Some("json") => Ok(TradesFormat::Json),
        _ => Err(Failure::Usage(format!(
            "--trades {}: name a file that ends in .csv or .json",
            path.display()
        ))),
    }
}

/// All files that a list of trades is written into.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(match format(path)? {
        TradesFormat::Json => vec![path.to_owned()],
        TradesFormat::Csv => vec![path.to_owned(), path.with_extension("trips.csv")],
    })
}

/// Writes a list of trades.
pub fn write(path: &Path, list: &TradeList) -> Result<(), Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::Failed(format!("encoding {}: {e}", path.display()));
    if format(path)? == TradesFormat::Json {
        let text = serde_json::to_string_pretty(list).map_err(|e| failed(&e))?;
        return write_whole(path, &text);
    }
    let currency = &list.currency;
    let fills = sheet(&FILLS, list.fills.iter().map(|f| fill(f, currency))).map_err(|e| failed(&e))?;
    let trips = sheet(&TRIPS, list.trips.iter().map(|t| trip(t, currency))).map_err(|e| failed(&e))?;
    files(path)?.iter().zip([fills, trips]).try_for_each(|(path, text)| write_whole(path, text.trim_end()))
}

fn sheet(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(head)?;
    for row in rows {
        writer.write_record(&row)?;
    }
    let bytes = writer.into_inner().map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn fill(f: &TradeFill, currency: &str) -> Vec<String> {
    let list = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>().join("; ");
    vec![
        f.time.clone(),
        f.order.to_string(),
        f.fill.to_string(),
        f.instrument.clone(),
        f.side.to_owned(),
        f.quantity.clone(),
        f.price.clone(),
        f.notional.clone(),
        f.fee.clone(),
        f.decided.clone().unwrap_or_default(),
        f.decision_price.clone().unwrap_or_default(),
        f.slippage.clone().unwrap_or_default(),
        list(&mut f.agents.iter().map(|a| format!("{} {}", a.agent, a.quantity))),
        f.intent.clone().unwrap_or_default(),
        f.reason.clone(),
        list(&mut f.messages.iter().map(u64::to_string)),
        list(&mut f.trips.iter().map(usize::to_string)),
        currency.to_owned(),
    ]
}

fn trip(t: &RoundTrip, currency: &str) -> Vec<String> {
    let number = |x: Option<f64>| x.filter(|x| x.is_finite()).map(|x| x.to_string()).unwrap_or_default();
    vec![
        t.trip.to_string(),
        t.instrument.clone(),
        t.side.to_owned(),
        t.opened.clone(),
        t.closed.clone().unwrap_or_default(),
        t.most_quantity.clone(),
        number(Some(t.entry_price)),
        number(t.exit_price),
        t.fills.to_string(),
        t.gross.clone(),
        t.fees.clone(),
        t.net.clone(),
        number(t.risk),
        number(t.r),
        number(Some(t.mae)),
        number(Some(t.mfe)),
        number(t.mae_r),
        number(t.mfe_r),
        currency.to_owned(),
    ]
}
