//! Agents that serve each other: the embedded market's perps, with spot of each made beside them and bars of a
//! quarter of an hour inside the bars of both.

use super::{SCOUTS, Tape, shipped};
use hive_core::agents::declaration::{Declaration, DrawnNumber, Selector};
use hive_core::agents::personality::Traits;
use hive_core::config::Config;
use hive_domain::{
    Bar, Event, FamilyId, Goal, Instrument, InstrumentId, InstrumentKind, MarketEvent, SideRule, Span, Stamp,
    random,
};
use std::collections::BTreeMap;

const HOUR: Span = Span::HOUR;

/// The shipped roster with somebody who carries and somebody who works orders, and more to carry for.
pub fn config(serving: bool) -> Config {
    let mut config = shipped();
    config.roster.scouts = SCOUTS;
    for (family, name) in [(FamilyId::Funding, "Carry"), (FamilyId::MarketMaking, "Maker")] {
        config.roster.agents.push(Declaration {
            name: name.to_owned(),
            family,
            assets: vec![Selector::Any],
            side: SideRule::Both,
            goal: Goal::Automated,
            personality: "stoic".to_owned(),
            traits: Traits::default(),
            params: BTreeMap::new(),
            funded: false,
            reacts: Vec::new(),
        });
    }
    (config.services.carry, config.services.liquidity) = (serving, serving);
    config
}

/// The same where an agent has these numbers.
pub fn with(mut config: Config, name: &str, params: &[(&str, f64)]) -> Config {
    let of = config.roster.agents.iter_mut().find(|a| a.name == name).unwrap();
    for (param, to) in params {
        of.params.insert((*param).to_owned(), DrawnNumber { from: *to, to: *to });
    }
    config
}

/// The same with another like this agent beside it, who has these numbers.
pub fn another(mut config: Config, like: &str, name: &str, params: &[(&str, f64)]) -> Config {
    let of = config.roster.agents.iter().find(|a| a.name == like).unwrap().clone();
    config.roster.agents.push(Declaration { name: name.to_owned(), ..of });
    with(config, name, params)
}

/// A bar told in quarters of an hour that together are that bar: to its low, its high, its middle, its close.
fn quarters(bar: &Bar) -> Vec<Bar> {
    let Bar { open, high, low, close, volume } = *bar;
    let stops = [open, low, high, f64::midpoint(open, close), close];
    let at = |i: usize| {
        let (leg, part) = (i / 4, (i % 4) as f64 / 4.0);
        stops[leg] + part * (stops[(leg + 1).min(4)] - stops[leg])
    };
    let part = |i: usize| {
        let (open, close) = (at(i), at(i + 1));
        Bar { open, high: open.max(close), low: open.min(close), close, volume: volume / 16.0 }
    };
    (0..16).map(part).collect()
}

/// The tape with spot; of `missing` in a thousand spot bars nothing is heard.
pub fn paired(days: u32, missing: u64) -> Tape {
    let plain = Tape::market(days);
    let mut universe = plain.universe.clone();
    let n = universe.instruments.len();
    for i in 0..n {
        let perp = universe.instruments[i].clone();
        universe.instruments.push(Instrument {
            id: InstrumentId((n + i) as u16),
            kind: InstrumentKind::Spot,
            symbol: format!("{}-SPOT", perp.symbol),
            ..perp
        });
    }
    let mut events = Vec::new();
    let mut bucket: Vec<Event> = Vec::new();
    for event in &plain.events {
        let Event::Barrier(_) = event else {
            bucket.push(*event);
            continue;
        };
        let mut inside = Vec::new();
        for e in &bucket {
            let Event::Market(MarketEvent::Bar { instrument, at, bar }) = *e else { continue };
            let key = random::key(7, &[u64::from(instrument.0), at.0 as u64]);
            let basis = 1.0 + 2e-4 * random::normal(key);
            let spot = Bar {
                open: bar.open * basis,
                high: bar.high * basis,
                low: bar.low * basis,
                close: bar.close * basis,
                volume: bar.volume,
            };
            if random::mix(key, 3) % 1_000 >= missing {
                let instrument = InstrumentId(instrument.0 + n as u16);
                events.push(Event::Market(MarketEvent::Bar { instrument, at, bar: spot }));
                for (q, bar) in quarters(&spot).into_iter().enumerate() {
                    inside.push((Stamp(at.0 - (15 - q as i64) * HOUR.0 / 4), instrument, bar));
                }
            }
            for (q, bar) in quarters(&bar).into_iter().enumerate() {
                inside.push((Stamp(at.0 - (15 - q as i64) * HOUR.0 / 4), instrument, bar));
            }
        }
        inside.sort_by_key(|(at, i, _)| (*at, *i));
        let told = inside
            .into_iter()
            .map(|(at, instrument, bar)| Event::Market(MarketEvent::Inside { instrument, at, bar }));
        events.extend(told);
        events.append(&mut bucket);
        events.push(*event);
    }
    Tape { universe, events }
}
