//! Files on disk, and recorded panels where they are: in the folder that `HIVE_TEST_DATA` names. Without them those
//! tests say so and check nothing.

use super::files::{FileError, open_data, open_file};
use crate::domain::{Event, InstrumentKind, MarketEvent, Span, Stamp};
use crate::market::history::{HistoryFeed, HistorySettings, Window};
use crate::market::synth::{SynthFeed, SynthSettings};
use crate::market::{Feed, FeedError};
use facts::{absolute, closes, correlation, kurtosis, lagged, mean, moment, pairs, returns, variance_ratio};
use std::io::Write;
use std::path::{Path, PathBuf};

// What the embedded market is measured by, recorded ones are.
#[path = "../market/synth/facts.rs"]
mod facts;

const FOUR_HOURS: Span = Span(4 * Span::HOUR.0);

fn settings(name: &str, clock: Span) -> HistorySettings {
    HistorySettings { name: name.into(), clock, kind: None, window: Window::default() }
}

fn open(path: &Path, clock: Span) -> Result<HistoryFeed, FeedError> {
    let data = open_data(path).unwrap();
    HistoryFeed::open(&settings(&data.name, clock), data.sources, None)
}

fn events(feed: &mut dyn Feed) -> Vec<Event> {
    std::iter::from_fn(|| feed.next().unwrap()).collect()
}

fn panel(file: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("HIVE_TEST_DATA").map(PathBuf::from) else {
        eprintln!("skipped: HIVE_TEST_DATA names no folder of recorded markets");
        return None;
    };
    let path = folder.join("panel").join(file);
    if path.is_file() {
        return Some(path);
    }
    // Said on stderr, since a skipped check must be seen.
    eprintln!("skipped: no {}; set HIVE_TEST_DATA to the folder with panel/", path.display());
    None
}

#[test]
fn packed_or_plain_and_in_a_folder_the_data_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "timestamp,open,high,low,close,volume\n0,1,2,1,2,5\n3600,2,3,1,1,5\n";
    let plain = folder.path().join("BTC_USDT-1h.csv");
    std::fs::write(&plain, rows).unwrap();
    // The ending lies: what is inside decides.
    let packed_folder = tempfile::tempdir().unwrap();
    let packed = packed_folder.path().join("BTC_USDT-1h.csv");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(rows.as_bytes()).unwrap();
    std::fs::write(&packed, gzip.finish().unwrap()).unwrap();
    std::fs::write(packed_folder.path().join("README.md"), "not data").unwrap();
    let mut all: Vec<_> = [plain.as_path(), packed.as_path(), packed_folder.path()]
        .into_iter()
        .map(|path| open(path, Span::HOUR).unwrap())
        .collect();
    assert_eq!(all[0].universe().instruments[0].symbol, "BTCUSDT");
    assert_eq!(all[0].info().data_hash, blake3::hash(rows.as_bytes()).to_hex().to_string());
    assert!(all.iter().all(|f| f.info().data_hash == all[0].info().data_hash));
    let first = events(&mut all[0]);
    assert_eq!(first.len(), 4);
    assert!(all[1..].iter_mut().all(|f| events(f) == first));
}

#[test]
fn what_cannot_be_opened_is_named_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let missing = open_data(&folder.path().join("none.csv")).err().unwrap().to_string();
    assert!(missing.contains("none.csv") && missing.contains("give the path"), "{missing}");
    assert!(matches!(open_data(folder.path()), Err(FileError::EmptyFolder { .. })));
    let zip = folder.path().join("x.csv");
    std::fs::write(&zip, b"PK\x03\x04rest").unwrap();
    assert!(open_file(&zip).err().unwrap().to_string().contains("unpack it"));
    let broken = folder.path().join("broken.csv.gz");
    std::fs::write(&broken, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]).unwrap();
    let text = open(&broken, Span::HOUR).err().unwrap().to_string();
    assert!(text.contains("broken.csv.gz"), "{text}");
}

#[test]
fn real_perps_are_whole() {
    let Some(path) = panel("perp_1h.csv.gz") else {
        return;
    };
    let mut feed = open(&path, Span::HOUR).unwrap();
    let (info, report) = (feed.info().clone(), feed.report());
    assert_eq!((feed.universe().assets.len(), info.bars, info.bar), (8, 30_648, Span::HOUR));
    assert_eq!(
        (report.bad_rows, report.duplicates, report.unsorted, report.gaps),
        (0, 0, 0, 0),
        "{report:?}"
    );
    assert!(feed.universe().instruments.iter().all(|i| i.kind == InstrumentKind::Perp));
    assert!(info.notes.iter().any(|n| n.contains("no funding")));
    let all = events(&mut feed);
    assert_eq!(all.len() as u64, report.rows + info.bars);
}

#[test]
fn real_perps_join_their_funding() {
    let (Some(bars), Some(funding)) = (panel("perp_1h.csv.gz"), panel("funding.csv.gz")) else {
        return;
    };
    let data = open_data(&bars).unwrap();
    let funding = open_file(&funding).unwrap();
    let mut feed =
        HistoryFeed::open(&settings(&data.name, FOUR_HOURS), data.sources, Some(&funding)).unwrap();
    assert_eq!(feed.report().bad_rows, 0, "{:?}", feed.report());
    let mut paid = vec![0; 8];
    for e in events(&mut feed) {
        if let Event::Market(MarketEvent::Funding { instrument, .. }) = e {
            paid[instrument.index()] += 1;
        }
    }
    let btc = feed.universe().asset("BTC").unwrap().id.index();
    assert!((3_700..=3_900).contains(&paid[btc]), "{paid:?}");
}

#[test]
fn real_spot_has_its_dead_coins_and_its_hole() {
    let Some(path) = panel("spot_1h.csv.gz") else {
        return;
    };
    let data = open_data(&path).unwrap();
    let mut set = settings(&data.name, FOUR_HOURS);
    set.window.from = Stamp::parse("2022-03-01");
    set.window.to = Stamp::parse("2022-07-01");
    let mut feed = HistoryFeed::open(&set, data.sources, None).unwrap();
    assert_eq!(feed.report().bad_rows, 0, "{:?}", feed.report());
    let luna = feed.universe().asset("LUNA").unwrap().id;
    assert!(feed.universe().asset("USDC").unwrap().money_like);
    assert!(feed.universe().instruments.iter().all(|i| i.kind == InstrumentKind::Margin));
    let (mut last, mut hole) = (None::<Stamp>, Span(0));
    for e in events(&mut feed) {
        if let Event::Market(MarketEvent::Bar { instrument, at, .. }) = e
            && instrument.index() == luna.index()
        {
            hole = hole.max(last.map_or(Span(0), |t| at.since(t)));
            last = Some(at);
        }
    }
    assert!(
        (15.0..20.0).contains(&hole.in_units_of(Span::DAY)),
        "LUNA is silent from 05-13 to 05-31: {hole}"
    );
    let ranks = &feed.universe().by_volume;
    assert_eq!(feed.universe().name(ranks[9].assets[0]), "BTC");
}

#[test]
fn the_whole_of_real_spot_has_52_symbols() {
    let Some(path) = panel("spot_1d.csv.gz") else {
        return;
    };
    let feed = open(&path, Span::DAY).unwrap();
    assert_eq!(feed.universe().assets.len(), 52);
    assert_eq!(feed.report().bad_rows, 0, "{:?}", feed.report());
    // One ranking per asset that is not money-like and traded for 30 days; each known later than the last.
    let ranks = &feed.universe().by_volume;
    assert!(ranks.len() > 40 && ranks.windows(2).all(|w| w[0].known_at <= w[1].known_at));
    assert!(ranks.iter().flat_map(|r| &r.assets).all(|a| !feed.universe().assets[a.index()].money_like));
}

#[test]
fn the_embedded_market_is_like_the_real_one() {
    let Some(path) = panel("perp_1h.csv.gz") else {
        return;
    };
    let data = open_data(&path).unwrap();
    let mut set = settings(&data.name, FOUR_HOURS);
    // All eight trade from here on.
    set.window.from = Stamp::parse("2020-10-23");
    let real = events(&mut HistoryFeed::open(&set, data.sources, None).unwrap());
    let of = |events: &[Event]| {
        closes(events).iter().filter(|c| !c.is_empty()).map(|c| returns(c)).collect::<Vec<_>>()
    };
    let real = of(&real);
    assert_eq!(real.len(), 8);
    let made: Vec<Vec<f64>> = (1..=4)
        .flat_map(|seed| {
            of(&events(&mut SynthFeed::new(SynthSettings { seed, ..SynthSettings::default() }).unwrap()))
        })
        .collect();
    let median = |all: &[Vec<f64>], f: &dyn Fn(&[f64]) -> f64| {
        let mut x: Vec<f64> = all.iter().map(|r| f(r)).collect();
        x.sort_by(f64::total_cmp);
        x[x.len() / 2]
    };
    let ratio_of = |what: &str, f: &dyn Fn(&[f64]) -> f64, low: f64, high: f64| {
        let (a, b) = (median(&made, f), median(&real, f));
        assert!((low..high).contains(&(a / b)), "{what}: made {a}, real {b}");
    };
    ratio_of("volatility", &|r| moment(r, 2).sqrt(), 0.6, 1.4);
    ratio_of("kurtosis", &kurtosis, 0.5, 1.6);
    ratio_of("|r| at lag 1", &|r| lagged(&absolute(r), 1), 0.6, 1.5);
    ratio_of("|r| at lag 10", &|r| lagged(&absolute(r), 10), 0.5, 1.5);
    ratio_of("variance ratio of a day", &|r| variance_ratio(r, 6), 0.85, 1.15);
    ratio_of("variance ratio of five days", &|r| variance_ratio(r, 30), 0.75, 1.25);
    ratio_of("variance ratio of twenty days", &|r| variance_ratio(r, 120), 0.6, 1.3);
    let made_pairs = mean(&made.chunks(10).map(|run| pairs(run, correlation)).collect::<Vec<_>>());
    assert!((made_pairs - pairs(&real, correlation)).abs() < 0.12, "pairs {made_pairs}");
}
