//! Laws of the history feed, on rough generated panels.

use super::*;
use crate::domain::{Event, InstrumentId, MarketEvent, Span, Stamp};
use crate::market::feed::sought;
use crate::market::source::{SourceBytes, SourceFile};
use crate::market::tape::TapeFeed;
use crate::market::{Feed, FeedError};
use proptest::prelude::*;

const H: i64 = Span::HOUR.0;

fn settings(clock: Span) -> HistorySettings {
    HistorySettings { name: "panel".into(), clock, choices: kept(), ..HistorySettings::default() }
}

fn open(set: &HistorySettings, text: &str) -> Result<TapeFeed, FeedError> {
    let source = SourceBytes::new("p.csv", text.as_bytes());
    super::open(set, vec![Box::new(source)], None, Box::new(Vec::new()))
}

fn all(feed: &mut dyn Feed) -> Vec<Event> {
    std::iter::from_fn(|| feed.next().unwrap()).collect()
}

/// Events with instruments by symbol, since a shorter run may number fewer.
fn named(feed: &mut TapeFeed) -> Vec<(String, Event)> {
    let symbols: Vec<_> = feed.universe().instruments.iter().map(|i| i.symbol.clone()).collect();
    let name = |e: Event| match e {
        Event::Market(MarketEvent::Bar { instrument, at, bar }) => (
            symbols[instrument.index()].clone(),
            Event::Market(MarketEvent::Bar { instrument: InstrumentId(0), at, bar }),
        ),
        Event::Market(MarketEvent::Funding { instrument, at, rate, mark }) => (
            symbols[instrument.index()].clone(),
            Event::Market(MarketEvent::Funding { instrument: InstrumentId(0), at, rate, mark }),
        ),
        other => (String::new(), other),
    };
    all(feed).into_iter().map(name).collect()
}

/// Hours in a rough panel.
const HOURS: i64 = 24 * 50;

/// A panel of one whole hourly asset (so that every window has bars of an hour), and of four with gaps,
/// late starts, duplicates, bad rows and rows out of order.
fn rough_panel() -> impl Strategy<Value = String> {
    // No price is fifty times another: such a row would be left out until the next one comes.
    let row = (0..HOURS, 0_usize..4, 20_u32..400, 0_u32..40);
    prop::collection::vec(row, 60..300).prop_map(|rough| {
        let mut rows: Vec<(i64, usize, u32, u32)> = (0..HOURS).map(|h| (h, 4, 100, 9)).collect();
        rows.extend(rough);
        rows.sort_by_key(|r| r.0);
        let mut text = String::from("timestamp,symbol,open,high,low,close,volume\n");
        for (i, (h, s, p, odd)) in rows.into_iter().enumerate() {
            let symbol = ["AUSDT", "BUSDT", "CUSDT", "EURUSDT", "DUSDT"][s];
            let h = if odd == 0 { (h - 30).max(0) } else { h };
            let low = if odd == 1 { -1.0 } else { f64::from(p) / 7.0 };
            let row = format!("{},{symbol},{p},{p},{low},{p},{i}\n", h * 3_600);
            text.push_str(&row);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_window_sees_a_prefix_and_nothing_of_what_comes_after(text in rough_panel(), cut in 24..HOURS, clock in prop::sample::select(vec![1, 4, 24])) {
        let clock = Span(clock * H);
        let to = Stamp(cut * H);
        let mut set = settings(clock);
        let mut whole = open(&set, &text).unwrap();
        set.window.to = Some(to);
        let mut part = open(&set, &text).unwrap();
        // The rows after the cut replaced by others: nothing but the hash may differ.
        let before = |l: &&str| {
            let seconds = l.split(',').next().and_then(|t| t.parse::<i64>().ok());
            seconds.is_none_or(|s| s < to.floor(clock).0 / 1_000_000_000)
        };
        let mut other: Vec<&str> = text.lines().filter(before).collect();
        other.push("5184000,ZUSDT,5,5,5,5,1e9\n");
        let other = other.join("\n");
        let mut changed = open(&set, &other).unwrap();
        prop_assert_eq!(part.universe(), changed.universe());
        let (whole, part) = (named(&mut whole), named(&mut part));
        prop_assert_eq!(&part, &named(&mut changed));
        prop_assert_eq!(part.last().map(|(_, e)| e.at()), Some(to.floor(clock)));
        prop_assert!(part.len() <= whole.len());
        prop_assert_eq!(&part, &whole[..part.len()]);
    }

    #[test]
    fn a_sought_panel_gives_what_a_read_one_gives(text in rough_panel(), inside: bool, parts in [0.0..1.0, 0.0..1.0], clock in prop::sample::select(vec![1, 4, 24])) {
        // Settlements each eight hours, one of a symbol that has no bars; and a second file, so that rows of two are merged.
        let mut paid = String::from("timestamp,symbol,rate\n");
        for n in 0..HOURS / 8 {
            for symbol in ["AUSDT", "XUSDT", "DUSDT"] {
                paid += &[&(n * 8 * 3_600).to_string(), ",", symbol, ",0.0001\n"].concat();
            }
        }
        let rows = |h: i64| format!("{},7,7,7,7,1\n", h * 3_600 + i64::from(h == 30) * 86_400);
        let more = format!("timestamp,open,high,low,close,volume\n{}", (0..HOURS / 2).map(rows).collect::<String>());
        let mut set = settings(Span(clock * H));
        set.kind = Some(crate::domain::InstrumentKind::Perp);
        sought::gives_what_read_gives(
            || {
                let bytes = |name: &str, text: &str| SourceBytes::new(name, text.as_bytes());
                let files: Vec<Box<dyn SourceFile>> = vec![Box::new(bytes("p.csv", &text)), Box::new(bytes("QUSDT.csv", &more))];
                let feed = super::open(&set, files, Some(Box::new(bytes("f.csv", &paid))), Box::new(Vec::new())).unwrap();
                if inside { feed.with_inside() } else { feed }
            },
            &parts,
        );
    }

    #[test]
    fn every_bucket_has_its_bars_in_order_and_then_its_barrier(text in rough_panel()) {
        let mut feed = open(&settings(Span(4 * H)), &text).unwrap();
        let (mut due, mut last) = (feed.info().from.after(Span(4 * H)), None);
        let info = feed.info().clone();
        let events = all(&mut feed);
        for e in &events {
            match *e {
                Event::Market(MarketEvent::Bar { instrument, at, bar }) => {
                    prop_assert!(bar.is_valid() && at == due && last < Some(instrument));
                    last = Some(instrument);
                }
                Event::Barrier(at) => {
                    prop_assert_eq!(at, due);
                    (due, last) = (due.after(Span(4 * H)), None);
                }
                _ => prop_assert!(false),
            }
        }
        prop_assert_eq!(events.iter().filter(|e| matches!(e, Event::Barrier(_))).count() as u64, info.bars);
        prop_assert_eq!(events.last().map(Event::at), Some(info.to));
        prop_assert!(matches!(events[0], Event::Market(_)));
    }
}
