//! Behaviours of the history feed on small files, laws on generated ones, and the real panels if they
//! are there.

use super::*;
use crate::domain::{Bar, Decimal, Event, InstrumentId, InstrumentKind, MarketEvent, Span, Stamp};
use crate::market::source::{SourceBytes, SourceFile};
use crate::market::tape::TapeFeed;
use crate::market::{Feed, FeedError};

const H: i64 = Span::HOUR.0;

fn hours(n: i64) -> Span {
    Span(n * H)
}

fn settings(clock: Span) -> HistorySettings {
    HistorySettings { name: "panel".into(), clock, choices: kept(), ..HistorySettings::default() }
}

fn files(files: &[(&str, &str)]) -> Vec<Box<dyn SourceFile>> {
    files.iter().map(|(n, t)| Box::new(SourceBytes::new(n, t.as_bytes())) as Box<dyn SourceFile>).collect()
}

fn opened(
    settings: &HistorySettings,
    sources: Vec<Box<dyn SourceFile>>,
    funding: Option<SourceBytes>,
) -> Result<TapeFeed, FeedError> {
    super::open(settings, sources, funding.map(|f| Box::new(f) as Box<dyn SourceFile>), Box::new(Vec::new()))
}

fn open(text: &str, clock: Span) -> TapeFeed {
    opened(&settings(clock), files(&[("panel.csv", text)]), None).unwrap()
}

fn refused(result: Result<TapeFeed, FeedError>) -> String {
    result.err().unwrap().to_string()
}

fn all(feed: &mut dyn Feed) -> Vec<Event> {
    std::iter::from_fn(|| feed.next().unwrap()).collect()
}

fn bars(events: &[Event]) -> Vec<(u16, Stamp, Bar)> {
    let bar = |e: &Event| match *e {
        Event::Market(MarketEvent::Bar { instrument, at, bar }) => Some((instrument.0, at, bar)),
        _ => None,
    };
    events.iter().filter_map(bar).collect()
}

fn at(text: &str) -> Stamp {
    Stamp::parse(text).unwrap()
}

/// Hourly rows of `symbol` from hour `from` on, with closes that count up and a volume of `volume`.
fn hourly(symbol: &str, from: i64, n: i64, volume: f64) -> Vec<(i64, String)> {
    let row =
        |h: i64| (h, format!("{},{symbol},10,{},9,{},{volume}\n", Stamp(h * H), 20 + h % 7, 10 + h % 5));
    (from..from + n).map(row).collect()
}

fn panel(mut rows: Vec<(i64, String)>) -> String {
    rows.sort_by_key(|(h, _)| *h);
    let rows: String = rows.into_iter().map(|(_, r)| r).collect();
    format!("timestamp,symbol,open,high,low,close,volume\n{rows}")
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    let text = "volume,Close,low,high,open,ticker,date\n5,2,1,3,1.5,ETHUSDT,2021-01-01 00:00:00\n5,2,1,3,1.5,ETHUSDT,2021-01-01 01:00:00\n";
    let mut feed = open(text, hours(1));
    let bar = Bar { open: 1.5, high: 3.0, low: 1.0, close: 2.0, volume: 5.0 };
    assert_eq!(bars(&all(&mut feed))[0], (0, at("2021-01-01T01:00:00Z"), bar));
    assert_eq!(feed.universe().assets[0].name, "ETH");
    assert_eq!(feed.universe().instruments[0].kind, InstrumentKind::Margin);
}

#[test]
fn closes_alone_make_bars_of_one_price_without_volume() {
    let mut feed = open(
        "timestamp,symbol,close\n1990-01-02T00:00:00Z,AAPL,0.264\n1990-01-03T00:00:00Z,AAPL,0.266\n",
        Span::DAY,
    );
    let bar = bars(&all(&mut feed))[0].2;
    assert_eq!(
        (bar.open, bar.high, bar.low, bar.close, bar.volume),
        (0.264, 0.264, 0.264, 0.264, f64::INFINITY)
    );
    assert!(!feed.info().has_volume);
    assert!(feed.info().notes.iter().any(|n| n.contains("no volume")));
}

#[test]
fn a_missing_column_is_named_with_the_header() {
    let text = refused(opened(&settings(hours(1)), files(&[("x.csv", "timestamp,open,high,close\n")]), None));
    assert!(text.contains("x.csv") && text.contains("`low`") && text.contains("open, high, close"), "{text}");
}

#[test]
fn rows_that_cannot_be_believed_are_named_by_line_and_left_out() {
    let text = "timestamp,symbol,open,high,low,close,volume\n\
        2021-01-01T00:00:00Z,AUSDT,1,2,1,1.5,1\n\
        2021-01-01T01:00:00Z,AUSDT,1,nan,1,1.5,1\n\
        2021-01-01T02:00:00Z,AUSDT,1,2,-1,1.5,1\n\
        2021-01-01T03:00:00Z,AUSDT,1,1,2,1.5,1\n\
        2021-01-01T04:00:00Z,AUSDT,1,2,1,many,1\n\
        soon,AUSDT,1,2,1,1.5,1\n\
        2021-01-01T05:00:00Z,AUSDT,1,2\n\
        2021-01-01T06:00:00Z,AUSDT,1,2,1,3,1\n\
        2021-01-01T07:00:00Z,AUSDT,1,2,1,1.5,inf\n\
        2021-01-01T08:00:00Z,AUSDT,1,2,1,1.5,1\n\
        2021-01-01T09:00:00Z,AUSDT,1,2,1,1.5,1\n";
    let mut feed = open(text, hours(1));
    let report = feed.report();
    assert_eq!((report.rows, report.bad_rows, report.first_bad.len()), (3, 8, 5));
    for (named, (line, why)) in report.first_bad.iter().zip([
        (3, "not positive"),
        (4, "not positive"),
        (5, "below low"),
        (6, "`many`"),
        (7, "`soon` is no stamp"),
    ]) {
        assert!(named.starts_with(&format!("panel.csv, line {line}: ")) && named.contains(why), "{named}");
    }
    let events = all(&mut feed);
    assert_eq!(bars(&events).len(), 3);
    // Silence is seen: ten barriers for three bars.
    assert_eq!(events.iter().filter(|e| matches!(e, Event::Barrier(_))).count(), 10);
    assert_eq!(feed.info().bars, 10);
}

#[test]
fn the_first_of_duplicates_is_kept_wherever_the_other_stands() {
    let mut rows = hourly("AUSDT", 0, 12, 1.0);
    rows.insert(3, (0, format!("{},AUSDT,7,7,7,7,1\n", Stamp(2 * H))));
    rows.push((0, format!("{},AUSDT,7,7,7,7,1\n", Stamp(H))));
    let text = rows.into_iter().map(|(_, r)| r).collect::<String>();
    let mut feed = open(&format!("timestamp,symbol,open,high,low,close,volume\n{text}"), hours(4));
    let report = feed.report();
    assert_eq!((report.rows, report.duplicates, report.unsorted, report.bad_rows), (12, 2, 0, 0));
    assert!(bars(&all(&mut feed)).iter().all(|(_, _, b)| b.close != 7.0));
}

#[test]
fn a_panel_is_the_same_sorted_by_symbol_with_the_newest_first_and_in_parts() {
    let of = |symbol: &str, from: i64, n: i64| hourly(symbol, from, n, 1.0);
    let whole = || [of("AUSDT", 0, 60), of("BUSDT", 0, 60), of("CUSDT", 30, 30)].concat();
    let head = "timestamp,symbol,open,high,low,close,volume\n";
    let text = |rows: Vec<(i64, String)>| rows.into_iter().fold(head.to_owned(), |all, (_, r)| all + &r);
    let mut right = opened(&settings(hours(4)), files(&[("p.csv", &panel(whole()))]), None).unwrap();
    let events = all(&mut right);
    let mut newest = whole();
    newest.sort_by_key(|(h, _)| -h);
    let (early, late): (Vec<_>, Vec<_>) = whole().into_iter().partition(|(h, _)| *h < 35);
    let [a, b, c] = [text(of("AUSDT", 0, 60)), text(of("BUSDT", 0, 60)), text(of("CUSDT", 30, 30))];
    let sets: [Vec<(&str, String)>; 4] = [
        vec![("p.csv", text(whole()))],
        vec![("p.csv", text(newest))],
        // Later rows in the file that is read first, and some of them in both.
        vec![("a.csv", panel(late)), ("b.csv", panel([early, of("AUSDT", 33, 6)].concat()))],
        vec![("a.csv", c), ("b.csv", b), ("c.csv", a)],
    ];
    for set in sets {
        let named: Vec<(&str, &str)> = set.iter().map(|(n, t)| (*n, t.as_str())).collect();
        let mut feed = opened(&settings(hours(4)), files(&named), None).unwrap();
        assert_eq!(feed.universe(), right.universe());
        assert_eq!(feed.info().data_hash, right.info().data_hash);
        assert!(all(&mut feed) == events, "{} files", named.len());
    }
}

#[test]
fn a_bar_that_was_not_over_is_replaced_by_what_it_became_within_a_file_and_over_files() {
    let head = "timestamp,symbol,open,high,low,close,volume\n";
    let early = "2021-01-01T02:00:00Z,AUSDT,10,11,10,11,1\n";
    let rows: String = hourly("AUSDT", 0, 2, 1.0).into_iter().map(|(_, r)| r).collect();
    let over = "2021-01-01T02:00:00Z,AUSDT,10,20,9,12,5\n".to_owned();
    let base = |rows: &str| format!("{head}{}", rows.replace("1970-01-01", "2021-01-01"));
    let right = base(&format!("{rows}{over}"));
    let right = all(&mut open(&right, hours(1)));
    let within = base(&format!("{rows}{early}{over}"));
    let one = all(&mut open(&within, hours(1)));
    let (first, second) = (base(&format!("{rows}{early}")), base(&over));
    let second =
        second + "2021-01-01T03:00:00Z,AUSDT,12,12,12,12,1\n2021-01-01T04:00:00Z,AUSDT,12,12,12,12,1\n";
    let list = [("a.csv", first.as_str()), ("b.csv", second.as_str())];
    let two = all(&mut opened(&settings(hours(1)), files(&list), None).unwrap());
    assert_eq!(one, right);
    assert_eq!(two[..right.len()], right);
}

#[test]
fn hours_become_bars_of_the_clock_and_a_part_uses_what_is_there() {
    let text = "timestamp,symbol,open,high,low,close,volume\n\
        1609459200,AUSDT,10,12,9,11,1\n1609462800,AUSDT,11,15,10,14,2\n1609466400,AUSDT,14,14,8,9,3\n\
        1609470000,AUSDT,9,10,9,10,4\n1609473600,AUSDT,10,11,10,11,5\n1609477200,AUSDT,11,13,11,12,6\n";
    let events = all(&mut open(text, hours(4)));
    let first = Bar { open: 10.0, high: 15.0, low: 8.0, close: 10.0, volume: 10.0 };
    let part = Bar { open: 10.0, high: 13.0, low: 10.0, close: 12.0, volume: 11.0 };
    let (t1, t2) = (at("2021-01-01T04:00:00Z"), at("2021-01-01T08:00:00Z"));
    let bar = |at, bar| Event::Market(MarketEvent::Bar { instrument: InstrumentId(0), at, bar });
    assert_eq!(events, [bar(t1, first), Event::Barrier(t1), bar(t2, part), Event::Barrier(t2)]);
}

#[test]
fn a_bar_off_the_grid_is_sent_where_it_closes() {
    let text = "timestamp,symbol,close\n2021-01-01T21:00:00Z,X,1\n2021-01-02T21:00:00Z,X,2\n2021-01-03T21:00:00Z,X,3\n";
    let events = all(&mut open(text, Span::DAY));
    let closes: Vec<_> = bars(&events).iter().map(|(_, t, b)| (t.to_string(), b.close)).collect();
    assert_eq!(closes[0], ("2021-01-03T00:00:00Z".into(), 1.0));
    assert_eq!(closes.len(), 3);
}

#[test]
fn bars_longer_than_the_clock_are_refused_with_the_clock_to_use() {
    let text = "timestamp,symbol,close\n2021-01-01,X,1\n2021-01-02,X,2\n2021-01-03,X,3\n";
    let text = refused(opened(&settings(hours(4)), files(&[("p.csv", text)]), None));
    assert!(text.contains("1d") && text.contains("4h") && text.contains("--clock 1d"), "{text}");
}

#[test]
fn a_folder_of_files_is_merged_on_one_clock() {
    let one = |n: i64, from: i64| {
        let rows: Vec<String> = (from..from + n).map(|h| format!("{},1,1,1,1,{h}\n", h * 3_600)).collect();
        format!("timestamp,open,high,low,close,volume\n{}", rows.concat())
    };
    let (btc, eth) = (one(8, 0), one(8, 4));
    let list = [("ETHUSDT-1h.csv", eth.as_str()), ("BTC_USDT-1h.csv", btc.as_str())];
    let events = all(&mut opened(&settings(hours(4)), files(&list), None).unwrap());
    let seen: Vec<_> = bars(&events).iter().map(|(i, t, b)| (*i, t.0 / H, b.volume)).collect();
    assert_eq!(seen, [(0, 4, 6.0), (0, 8, 22.0), (1, 8, 22.0), (1, 12, 38.0)]);
    let turned = [list[1], list[0]];
    let again = opened(&settings(hours(4)), files(&turned), None).unwrap();
    let first = opened(&settings(hours(4)), files(&list), None).unwrap();
    assert_eq!(again.info(), first.info());
}

#[test]
fn ticks_lots_and_money_like_come_from_the_rows() {
    let text = "timestamp,symbol,open,high,low,close,volume\n\
        2021-01-01T00:00:00Z,BTCUSDT,30000.5,30000.50,29999.125,30000.0,1\n\
        2021-01-01T00:00:00Z,SHIBUSDT,4.965e-05,4.965e-05,4.9e-05,4.9e-05,1\n\
        2021-01-01T00:00:00Z,PAXGUSDT,1800,1800,1800,1800,1\n\
        2021-01-01T01:00:00Z,PAXGUSDT,1800,1800,1800,1800,1\n";
    let feed = open(text, hours(1));
    let names: Vec<_> = feed.universe().assets.iter().map(|a| (a.name.as_str(), a.money_like)).collect();
    assert_eq!(names, [("BTC", false), ("PAXG", true), ("SHIB", false)]);
    let rules: Vec<_> = feed.universe().instruments.iter().map(|i| (i.tick, i.lot)).collect();
    assert_eq!(rules[0], (Decimal::new(1, 3).into(), Decimal::new(1, 5)));
    assert_eq!(rules[2], (Decimal::new(1, 8).into(), Decimal::from(10_000)));
}

#[test]
fn rankings_are_known_thirty_days_after_the_nth_start_and_see_nothing_later() {
    let day = 24;
    // B trades more than A from day 40 on only; C starts on day 20; GOLD never counts.
    let mut rows = hourly("AUSDT", 0, 60 * day, 10.0);
    rows.extend(hourly("BUSDT", 5 * day, 35 * day, 1.0));
    rows.extend(hourly("BUSDT", 40 * day, 20 * day, 1e9));
    rows.extend(hourly("CUSDT", 20 * day, 40 * day, 5.0));
    rows.extend(hourly("PAXGUSDT", 0, 60 * day, 1e6));
    let feed = open(&panel(rows), hours(4));
    let names: Vec<_> = feed.universe().assets.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["A", "B", "C", "PAXG"]);
    let got: Vec<_> = feed
        .universe()
        .by_volume
        .iter()
        .map(|r| (r.known_at.0 / Span::DAY.0, r.assets.iter().map(|a| a.0).collect::<Vec<_>>()))
        .collect();
    // On day 50 the thirty days hold ten of B's large days.
    assert_eq!(got, [(30, vec![0, 2, 1]), (35, vec![0, 2, 1]), (50, vec![1, 0, 2])]);
}

#[test]
fn a_short_feed_ranks_by_its_first_day_and_a_feed_without_volume_by_age() {
    let mut rows = hourly("AUSDT", 0, 72, 1.0);
    rows.extend(hourly("BUSDT", 0, 72, 2.0));
    rows.extend(hourly("CUSDT", 30, 42, 9.0));
    let feed = open(&panel(rows), hours(1));
    let ranks = &feed.universe().by_volume;
    assert_eq!(ranks.len(), 2);
    assert!(ranks.iter().all(|r| r.known_at.day() == 1 && r.assets.iter().map(|a| a.0).eq([1, 0])));
    let mut text = String::from("timestamp,symbol,close\n");
    for d in 0..40 {
        for s in ["Z", "Y", "A"] {
            if s != "A" || d >= 3 {
                let row = format!("{},{s},1\n", Stamp(d * Span::DAY.0));
                text.push_str(&row);
            }
        }
    }
    let feed = open(&text, Span::DAY);
    let ranks: Vec<Vec<_>> =
        feed.universe().by_volume.iter().map(|r| r.assets.iter().map(|a| a.0).collect()).collect();
    assert_eq!(ranks, [vec![1, 2, 0], vec![1, 2, 0], vec![1, 2, 0]]);
}

#[test]
fn settlements_come_after_the_bars_of_their_bucket_with_the_price_of_their_moment() {
    let rows = panel([hourly("AUSDT", 0, 16, 1.0), hourly("BUSDT", 0, 16, 1.0)].concat());
    let funding = SourceBytes::new(
        "f.csv",
        "timestamp,symbol,rate\n0,BUSDT,0.0002\n0,AUSDT,0.0001\n28800,AUSDT,-0.0001\n\
        28800,AUSDT,-0.0001\n30600,XUSDT,0.1\n30600,AUSDT,12\n57600,AUSDT,0.0003\n"
            .as_bytes(),
    );
    let set = HistorySettings { kind: Some(InstrumentKind::Perp), ..settings(hours(8)) };
    let mut feed = opened(&set, files(&[("p.csv", &rows)]), Some(funding)).unwrap();
    assert!(feed.info().has_funding);
    assert_eq!((feed.report().bad_rows, feed.report().duplicates), (2, 1));
    let shape: Vec<_> = all(&mut feed)
        .iter()
        .map(|e| match *e {
            Event::Market(MarketEvent::Bar { instrument, .. }) => format!("bar {}", instrument.0),
            Event::Market(MarketEvent::Funding { instrument, at, rate, mark }) => {
                format!("pay {} {} {rate} {mark}", instrument.0, at.0 / H)
            }
            other => format!("{} barrier", other.at().0 / H),
        })
        .collect();
    assert_eq!(
        shape,
        [
            "bar 0",
            "bar 1",
            "pay 0 0 0.0001 10",
            "pay 1 0 0.0002 10",
            "8 barrier",
            "bar 0",
            "bar 1",
            "pay 0 8 -0.0001 10",
            "16 barrier"
        ]
    );
    let without = opened(&set, files(&[("p.csv", &rows)]), None).unwrap();
    assert!(without.info().notes.iter().any(|n| n.contains("no funding: perps pay none here")));
    assert_ne!(without.info().data_hash, feed.info().data_hash);
}

#[test]
fn the_hash_is_that_of_all_that_is_told_whatever_the_window_and_the_assets() {
    let rows = || [hourly("AUSDT", 0, 100, 1.0), hourly("BUSDT", 20, 60, 2.0)].concat();
    let mut set = settings(hours(4));
    let hash = |set: &HistorySettings, rows: Vec<(i64, String)>| {
        let feed = opened(set, files(&[("p.csv", &panel(rows))]), None).unwrap();
        feed.info().data_hash.clone()
    };
    let whole = hash(&set, rows());
    let mut other = rows();
    other[3].1 = other[3].1.replace(",1.0\n", ",1.5\n").replace(",1\n", ",1.5\n");
    assert_ne!(hash(&set, other), whole, "one volume is another");
    set.kind = Some(InstrumentKind::Perp);
    assert_ne!(hash(&set, rows()), whole, "what is a perp is another instrument");
    set.kind = None;
    set.choices.set("volume", "quote").unwrap();
    assert_ne!(hash(&set, rows()), whole, "the same bytes read otherwise");
    let mut set = settings(hours(4));
    (set.window.from, set.window.to) = (Some(Stamp(8 * H)), Some(Stamp(40 * H)));
    assert_eq!(hash(&set, rows()), whole);
    set.window.assets = Some(vec!["B".into()]);
    assert_eq!(hash(&set, rows()), whole);
}

#[test]
fn an_unknown_asset_is_named_beside_those_that_are_there() {
    let text = panel([hourly("AUSDT", 0, 9, 1.0), hourly("BUSDT", 0, 9, 1.0)].concat());
    let mut set = settings(hours(1));
    set.window.assets = Some(vec!["A".into(), "NOPE".into()]);
    let text_of = refused(opened(&set, files(&[("p.csv", &text)]), None));
    assert!(text_of.contains("`NOPE`") && text_of.contains("AUSDT"), "{text_of}");
    set.window.assets = Some(vec!["B".into()]);
    let mut feed = opened(&set, files(&[("p.csv", &text)]), None).unwrap();
    assert_eq!(feed.universe().assets.len(), 1);
    assert_eq!(bars(&all(&mut feed)).len(), 9);
}

#[test]
fn an_empty_window_says_so() {
    let text = panel(hourly("AUSDT", 0, 9, 1.0));
    let mut set = settings(hours(1));
    set.window.from = Some(Stamp(400 * H));
    let text = refused(opened(&set, files(&[("p.csv", &text)]), None));
    assert!(text.contains("no usable row from 1970-01-17"), "{text}");
}
