//! What requests, streams and answers of Deribit share: lengths of bars, volatilities, refusals.

use crate::domain::{Decimal, Span};
use crate::venues::codec::VenueError;
use crate::venues::reading::WireText;
use serde::Deserialize;

/// How the venue calls lengths of bars: minutes, or a day.
const INTERVALS: [(&str, Span); 12] = [
    ("1", Span::MINUTE),
    ("3", Span(3 * Span::MINUTE.0)),
    ("5", Span(5 * Span::MINUTE.0)),
    ("10", Span(10 * Span::MINUTE.0)),
    ("15", Span(15 * Span::MINUTE.0)),
    ("30", Span(30 * Span::MINUTE.0)),
    ("60", Span::HOUR),
    ("120", Span(2 * Span::HOUR.0)),
    ("180", Span(3 * Span::HOUR.0)),
    ("360", Span(6 * Span::HOUR.0)),
    ("720", Span(12 * Span::HOUR.0)),
    ("1D", Span::DAY),
];

/// Length of the bars of a name; zero where it is none that has one.
pub fn span_of(interval: &str) -> Span {
    INTERVALS.iter().find(|(name, _)| *name == interval).map_or(Span(0), |(_, span)| *span)
}

/// How the venue calls bars of a length.
pub fn interval_name(interval: Span) -> Result<&'static str, VenueError> {
    let found = INTERVALS.iter().find(|(_, span)| *span == interval);
    found.map(|(name, _)| *name).ok_or_else(|| VenueError::Unsupported {
        venue: "deribit",
        what: format!("bars of {interval}"),
        way_out: "ask for 1m, 3m, 5m, 10m, 15m, 30m, 1h, 2h, 3h, 6h, 12h or 1d".to_owned(),
    })
}

/// A volatility in per cent as a fraction, exactly.
pub fn of_percent(value: Decimal) -> Decimal {
    let mut fraction = value;
    match fraction.set_scale(value.scale() + 2) {
        Ok(()) => fraction,
        // It has 27 digits after the point already, of which the last two are no volatility.
        Err(_) => value * Decimal::new(1, 2),
    }
}

/// Why a request was refused.
#[derive(Deserialize)]
pub struct RpcError<'a> {
    pub code: i64,
    #[serde(borrow, default)]
    pub message: WireText<'a>,
}
