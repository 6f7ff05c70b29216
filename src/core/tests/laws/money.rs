//! Laws 6 and 9: books to the last digit; halts, and the breaker.

use crate::common::{Run, Tape, actions, flat, run, shipped};
use hive_core::config;
use hive_core::engine::{Engine, Outputs};
use hive_core::execution::Venue;
use hive_core::treasury::Mode;
use hive_domain::{
    AgentId, Command, Decimal, Event, Instrument, InstrumentId, MarketEvent, Money, Span, VenueEvent,
};
use hive_ledger::{Ledger, LedgerAccount};

const DAYS: u32 = 250;

/// Σ agents + treasury + rounding = total, desk = books = venue, all of it exact.
pub fn balanced(engine: &Engine) {
    engine.balances().unwrap();
    let real = &engine.respond.real;
    let v = real.account.ledger.valuation(&real.account.marks).unwrap();
    let parts: Money = v.agents.iter().copied().sum::<Money>() + v.treasury + v.rounding;
    assert_eq!(parts, v.total);
    assert_eq!(real.account.ledger.total_equity(&real.account.marks).unwrap(), v.total);
    assert_eq!(real.account.equity(), v.total, "the account as shown");
    for i in 0..real.account.marks.len() {
        let id = InstrumentId(i as u16);
        let books = real.account.ledger.net_position(id);
        assert_eq!(real.execution.router.venue.paper().unwrap().position(id), books);
        let of = |a: u32| real.account.ledger.position(AgentId(a), id);
        let sum: Decimal = (0..real.account.ledger.agents() as u32).map(of).sum::<Decimal>();
        assert_eq!(sum + real.account.ledger.position(Ledger::TREASURY, id), books);
    }
    let accounts = [
        LedgerAccount::Treasury,
        LedgerAccount::Rounding,
        LedgerAccount::Venue,
        LedgerAccount::Fees,
        LedgerAccount::Funding,
        LedgerAccount::Borrow,
        LedgerAccount::Capital,
    ];
    let agents = (0..real.account.ledger.agents() as u32).map(|a| LedgerAccount::Agent(AgentId(a)));
    let cash: Money = agents.chain(accounts).map(|a| real.account.ledger.cash(a).unwrap()).sum();
    assert_eq!(cash, Money::ZERO, "every posting balances");
}

#[test]
fn law06_books_are_exact() {
    let tape = Tape::market(DAYS);
    let mut run = Run::start(&shipped(), &tape.universe);
    let mut out = Outputs::default();
    for event in &tape.events {
        run.step(event, &mut out);
        if matches!(event, Event::Barrier(_)) {
            balanced(&run.engine);
        }
    }
    let real = &run.engine.respond.real;
    assert!(real.account.halted.is_none() && run.alarms.is_empty());
    for account in [LedgerAccount::Fees, LedgerAccount::Funding, LedgerAccount::Rounding] {
        assert_ne!(real.account.ledger.cash(account).unwrap(), Money::ZERO, "{account:?} saw nothing");
    }
}

#[test]
fn law06_books_are_exact_on_margin_with_borrow_and_on_spot() {
    for kind in [hive_domain::InstrumentKind::Margin, hive_domain::InstrumentKind::Spot] {
        let mut tape = Tape::market(150);
        tape.universe.instruments.iter_mut().for_each(|i| i.kind = kind);
        tape.events.retain(|e| !matches!(e, Event::Market(MarketEvent::Funding { .. })));
        let mut run = Run::start(&shipped(), &tape.universe);
        let mut out = Outputs::default();
        for event in &tape.events {
            run.step(event, &mut out);
            if matches!(event, Event::Barrier(_)) {
                balanced(&run.engine);
            }
        }
        let real = &run.engine.respond.real;
        assert!(real.account.halted.is_none(), "{:?}", real.account.halted);
        let borrow = real.account.ledger.cash(LedgerAccount::Borrow).unwrap();
        assert_eq!(borrow > Money::ZERO, kind.can_short(), "who is short on margin pays: {borrow}");
        assert!(run.fills.len() > 50);
    }
}

#[test]
fn law06_every_float_of_the_state_is_a_number() {
    let run = run(&shipped(), &Tape::market(DAYS));
    // After a run this long everything is warm, and this feed has volumes: nothing may be NaN or infinite.
    for text in [format!("{:?}", run.engine.speak), format!("{:?}", run.engine.respond)] {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        assert!(!words.clone().any(|w| w == "NaN" || w == "inf"), "a float is no number");
        assert!(words.count() > 10_000);
    }
}

#[test]
fn law06_real_is_what_the_account_was_paid() {
    // Equity = capital + Σ over fills of what the price did since, − fees − funding: from the fills and
    // settlements alone, against the books.
    let tape = Tape::market(DAYS);
    let mut config = shipped();
    flat(&mut config, 0.0007);
    let run = run(&config, &tape);
    let real = &run.engine.respond.real;
    let mut cash = config.capital;
    let mut held = vec![Decimal::ZERO; real.account.marks.len()];
    for f in &run.fills {
        cash -= f.quantity * f.price + f.fee;
        held[f.instrument.index()] += f.quantity;
    }
    let worth: Decimal = held.iter().zip(&real.account.marks).map(|(q, m)| q * m).sum();
    assert!(
        (cash + worth - real.account.equity()).abs() < Decimal::new(1, 6),
        "{} {}",
        cash + worth,
        real.account.equity()
    );
    assert!(run.fills.len() > 100);
}

/// A tape that ends in a crash of everything by half within three days.
fn crash(days: u32, at_day: i64) -> Tape {
    let mut tape = Tape::market(days);
    let from = tape.events[0].at();
    let before = from.after(Span(at_day * Span::DAY.0));
    tape.change_after(before, |_, at, bar| {
        let bars = at.since(before).0 / (4 * Span::HOUR.0);
        let left = |n: i64| 0.96_f64.powi(n.min(18) as i32);
        bar.open *= left(bars - 1);
        bar.close *= left(bars);
        bar.high = bar.open.max(bar.close);
        bar.low = bar.open.min(bar.close);
    });
    tape
}

#[test]
fn law09_the_breaker_closes_everything_and_stays_until_it_is_reset() {
    let tape = crash(200, 100);
    let mut config = shipped();
    // Long only, so that a crash is a crash, and at a risk that it hurts.
    config.roster.agents.iter_mut().for_each(|a| a.side = hive_domain::SideRule::Long);
    config.desk.target_vol = 0.8;
    config.managers = hive_core::hive::settings::Managers::default();
    let mut run = Run::start(&config, &tape.universe);
    let mut out = Outputs::default();
    let mut tripped: Option<usize> = None;
    let (mut fills_then, mut flat_at, mut fills_flat) = (0, None, 0);
    let gross = |r: &Run| r.engine.respond.real.account.exposure().0;
    let mut reset_at = None;
    for (i, event) in tape.events.iter().enumerate() {
        run.step(event, &mut out);
        let real = &run.engine.respond.real;
        if !matches!(event, Event::Barrier(_)) {
            continue;
        }
        match tripped {
            None if real.account.breaker.latched().is_some() => {
                tripped = Some(i);
                fills_then = run.fills.len();
                assert!(run.alarms.iter().any(|a| a.contains("breaker: drawdown")), "{:?}", run.alarms);
                assert!(gross(&run) > 0.0, "it had something to close");
            }
            Some(_) if reset_at.is_none() => {
                assert_eq!(real.account.mode(), Mode::Reducing);
                if flat_at.is_none() && gross(&run) == 0.0 {
                    flat_at = Some(i);
                    fills_flat = run.fills.len();
                }
                if let Some(at) = flat_at
                    && i > at + 2_000
                {
                    assert_eq!(run.fills.len(), fills_flat, "flat stays flat");
                    reset_at = Some(i);
                    let command = Event::Command(event.at(), Command::ResetBreaker);
                    run.step(&command, &mut out);
                    assert_eq!(run.engine.respond.interventions, 1);
                    assert_eq!(run.engine.respond.real.account.mode(), Mode::Running);
                }
            }
            _ => {}
        }
    }
    assert!(reset_at.is_some(), "tripped {tripped:?}, flat {flat_at:?} of {} events", tape.events.len());
    let closing = &run.fills[fills_then..fills_flat];
    let mut left: Vec<Decimal> = vec![Decimal::ZERO; tape.universe.instruments.len()];
    run.fills[..fills_then].iter().for_each(|f| left[f.instrument.index()] += f.quantity);
    for f in closing {
        let held = left[f.instrument.index()];
        assert!((held + f.quantity).abs() < held.abs(), "only shrinks: {f:?}");
        left[f.instrument.index()] += f.quantity;
    }
    assert!(left.iter().all(Decimal::is_zero) && !closing.is_empty());
    assert!(run.fills.len() > fills_flat, "after the reset it trades again");
    balanced(&run.engine);
}

#[test]
fn law09_a_mismatch_with_the_venue_halts_and_no_order_leaves_any_more() {
    let tape = Tape::market(150);
    let middle = tape.after(600);
    let mut run = Run::start(&shipped(), &tape.universe);
    run.play(&tape.events[..middle]);
    let real = &mut run.engine.respond.real;
    let held = tape
        .universe
        .instruments
        .iter()
        .find(|i| !real.execution.router.venue.paper().unwrap().position(i.id).is_zero())
        .unwrap();
    // The venue closes a position, and nobody here hears of it.
    let last = hive_domain::money::to_estimate(real.account.marks[held.id.index()]);
    let (venue, at) = (real.execution.router.venue.paper_mut().unwrap(), tape.events[middle - 1].at());
    venue.on_delisted(held, at, last, &config::shipped().unwrap().costs);
    assert!(std::iter::from_fn(|| venue.poll()).any(|e| matches!(e, VenueEvent::Fill(_))));
    let next = tape.after(601);
    run.play(&tape.events[middle..next]);
    let real = &run.engine.respond.real;
    let why = real.account.halted.clone().unwrap();
    assert!(why.contains(&held.symbol) && why.contains("the venue says 0"), "{why}");
    assert!(run.alarms.iter().any(|a| a.starts_with("halted: ")), "{:?}", run.alarms);
    assert_eq!(real.account.mode(), Mode::Halted);
    let (sent, fills) = (real.execution.orders_sent(), run.fills.len());
    run.play(&tape.events[next..]);
    let real = &run.engine.respond.real;
    assert_eq!((real.execution.orders_sent(), run.fills.len()), (sent, fills), "no order, no fill");
    assert_eq!(real.account.halted.as_deref(), Some(why.as_str()), "the first reason stays");
    assert!(
        tape.universe.instruments.iter().all(|i| real
            .execution
            .router
            .venue
            .paper()
            .unwrap()
            .working(i.id)
            .is_none())
    );
    assert!(real.account.running_share() < 0.9);
    // The other lives go on.
    assert!(actions(&run.messages).any(|(m, _)| m.at == tape.events[tape.events.len() - 1].at()));
    run.engine.step(&Event::Command(tape.events[0].at(), Command::ResetBreaker), &mut Outputs::default());
    assert_eq!(
        run.engine.respond.real.account.mode(),
        Mode::Halted,
        "a reset of the breaker is no way out of a halt"
    );
}

#[test]
fn law09_a_halt_for_a_difference_ends_by_looking_again_once_there_is_none() {
    let tape = Tape::market(150);
    let (middle, next) = (tape.after(600), tape.after(601));
    let mut run = Run::start(&shipped(), &tape.universe);
    run.play(&tape.events[..middle]);
    let recheck = |run: &mut Run| {
        run.engine.step(&Event::Command(tape.events[middle].at(), Command::Recheck), &mut Outputs::default());
        run.engine.respond.real.account.halted.clone()
    };
    assert_eq!(recheck(&mut run), None, "there is nothing to find");
    let real = &mut run.engine.respond.real;
    let venue = real.execution.router.venue.paper().unwrap();
    let is_idle = |i: &&Instrument| !venue.position(i.id).is_zero() && venue.working(i.id).is_none();
    let held = tape.universe.instruments.iter().find(is_idle).unwrap();
    let costs = config::shipped().unwrap().costs;
    let venue = real.execution.router.venue.paper_mut().unwrap();
    venue.on_delisted(held, tape.events[middle - 1].at(), 100.0, &costs);
    while venue.poll().is_some() {}
    run.play(&tape.events[middle..next]);
    let why = run.engine.respond.real.account.halted.clone().unwrap();
    assert_eq!(recheck(&mut run), Some(why), "it still differs, and the halt stays");
    // The venue finds its mistake: what it holds is what it holds where nothing went wrong.
    let mut right = Run::start(&shipped(), &tape.universe);
    right.play(&tape.events[..next]);
    run.engine.respond.real.execution.router.venue = right.engine.respond.real.execution.router.venue.clone();
    assert_eq!(recheck(&mut run), None);
    assert_eq!(run.engine.respond.real.account.mode(), Mode::Running);
    run.engine.respond.real.account.ledger = Ledger::new(0, 0);
    run.play(&tape.events[next..]);
    assert!(
        recheck(&mut run).is_some(),
        "what the books refused is no difference, and looking does not end it"
    );
}

#[test]
fn law09_a_posting_that_the_books_refuse_halts() {
    let tape = Tape::market(60);
    let mut run = Run::start(&shipped(), &tape.universe);
    let middle = tape.after(250);
    run.play(&tape.events[..middle]);
    assert!(run.engine.respond.real.account.halted.is_none() && !run.fills.is_empty());
    // Books that know nobody.
    run.engine.respond.real.account.ledger = Ledger::new(0, 0);
    run.play(&tape.events[middle..]);
    let real = &run.engine.respond.real;
    let why = real.account.halted.clone().unwrap();
    assert!(why.contains("booked") || why.contains("refused"), "{why}");
    assert!(run.engine.balances().is_err());
}

#[test]
fn law09_a_capital_out_of_range_halts_and_does_not_panic() {
    let tape = Tape::market(60);
    for capital in ["-5", "0", "0.0000000000001", "1000000000000000"] {
        let mut config = shipped();
        flat(&mut config, 0.0);
        config.capital = capital.parse().unwrap();
        let run = run(&config, &tape);
        let real = &run.engine.respond.real;
        if real.account.halted.is_none() {
            balanced(&run.engine);
        }
        let must = !capital.starts_with('1');
        assert!(real.account.halted.is_some() || !must, "{capital}");
        assert!(!must || run.fills.is_empty(), "{capital}: trades with nothing");
    }
}
