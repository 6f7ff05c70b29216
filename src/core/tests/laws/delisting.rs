//! An asset that stops trading: closed at its last price in all three lives, said so, and new if it comes
//! back.

use super::money::balanced;
use crate::common::{Run, Tape, actions, shipped};
use hive_core::engine::Outputs;
use hive_domain::{Decimal, Event, InstrumentId, MarketEvent, Reason, Span, SpokenBy, Verb};

/// The tape without an asset's bars on some days.
fn without(tape: &Tape, id: InstrumentId, days: std::ops::Range<i64>) -> Tape {
    let from = tape.events[0].at();
    let mut tape = tape.clone();
    tape.events.retain(|e| {
        let Event::Market(
            MarketEvent::Bar { instrument, at, .. } | MarketEvent::Funding { instrument, at, .. },
        ) = e
        else {
            return true;
        };
        *instrument != id || !days.contains(&(at.since(from).0 / Span::DAY.0))
    });
    tape
}

#[test]
fn an_asset_that_stops_trading_is_closed_in_all_three_lives_and_starts_anew() {
    let btc = InstrumentId(3);
    let tape = without(&Tape::market(250), btc, 120..150);
    let mut run = Run::start(&shipped(), &tape.universe);
    let mut out = Outputs::default();
    let slots: Vec<usize> = run.engine.cast().by_asset[btc.index()].iter().map(|s| *s as usize).collect();
    let declared = run.engine.cast().declared_slots;
    let (mut held, mut gone, mut back, mut again) = ((0, 0, Decimal::ZERO), None, false, 0);
    let mut last_close = 0.0;
    for event in &tape.events {
        let from = run.messages.len();
        let fills = run.fills.len();
        run.step(event, &mut out);
        let (speak, respond) = (&run.engine.speak, &run.engine.respond);
        let listing = &speak.market.instruments[btc.index()];
        match event {
            Event::Market(MarketEvent::Bar { instrument, bar, .. }) if *instrument == btc => {
                last_close = bar.close;
                if gone.is_some() && !back {
                    back = true;
                    assert!(listing.values().iter().all(|v| v.is_nan()), "nothing is remembered");
                    assert_eq!(listing.change, 0.0);
                }
            }
            Event::Barrier(at) if gone.is_none() && listing.delisted_at == Some(*at) => {
                gone = Some(*at);
                let closes: Vec<_> = actions(&run.messages[from..])
                    .filter(|(m, _)| m.asset.is_some_and(|a| a.index() == btc.index()))
                    .filter(|(m, _)| m.life != SpokenBy::Open)
                    .map(|(_, a)| a)
                    .collect();
                assert!(held.0 > 10 && held.1 > 3 && !held.2.is_zero(), "nobody held it: {held:?}");
                assert_eq!(closes.len(), held.0, "each open intent is closed, and said so");
                for a in &closes {
                    assert_eq!((a.verb, a.reason, a.after), (Verb::Close, Reason::Delisted, 0.0));
                    assert_eq!(a.price, last_close);
                }
                assert!(run.alarms.iter().any(|a| a.contains("BTCUSDT stopped trading")), "{:?}", run.alarms);
                let fill = run.fills[fills..].iter().find(|f| f.instrument == btc).unwrap();
                assert_eq!(fill.quantity, -held.2);
                assert_eq!(hive_domain::money::to_estimate(fill.price), last_close);
                assert!(respond.real.execution.router.venue.paper().unwrap().position(btc).is_zero());
                assert!(respond.real.account.ledger.net_position(btc).is_zero());
                for slot in slots.iter().copied() {
                    assert_eq!(speak.lives[slot].intent, 0.0);
                    assert_eq!((speak.raw[slot].quantity, speak.raw[slot].order), (0.0, 0.0));
                    if slot < declared {
                        for life in [&speak.patient[slot], &respond.ears[slot].open] {
                            assert_eq!((life.aim, life.book.quantity, life.book.order), (0.0, 0.0, 0.0));
                        }
                        assert_eq!(respond.real.execution.desk.parts[slot].held, 0);
                    }
                    let open = respond.open_lives.get(slot).and_then(Option::as_ref);
                    assert!(open.is_none_or(|o| o.life.intent == 0.0 && o.raw.quantity == 0.0));
                    assert_eq!(respond.consensus.heard(run.engine.cast(), slot), 0.0);
                }
                balanced(&run.engine);
            }
            Event::Barrier(_) => {
                let open = slots.iter().filter(|s| speak.lives[**s].intent != 0.0).count();
                let opens =
                    slots.iter().filter(|s| **s < declared && respond.ears[**s].open.book.quantity != 0.0);
                held =
                    (open, opens.count(), respond.real.execution.router.venue.paper().unwrap().position(btc));
                if gone.is_some() && back && held.0 > 0 && !held.2.is_zero() {
                    again += 1;
                }
            }
            _ => {}
        }
    }
    assert!(gone.is_some() && back);
    assert_eq!(run.engine.speak.market.delistings, 1);
    assert!(again > 50, "it is traded again after it came back");
    assert!(run.engine.respond.real.account.halted.is_none());
    balanced(&run.engine);
}
