//! Laws 6, 9 and 10: books to the last digit, halts and the breaker, and limits with names.

use crate::common::{Run, Tape, actions, deaf, flat, hash, run, shipped};
use hive::agents::alone::{UNIT_MAX, unit};
use hive::config::{self, Override};
use hive::domain::{AgentId, Command, Decimal, Event, InstrumentId, MarketEvent, Money, Reason, Span, Verb};
use hive::engine::{Engine, Outputs};
use hive::execution::Venue;
use hive::ledger::{Account, Ledger};
use hive::market::history::{HistoryFeed, HistorySettings, Window};
use hive::market::synth::World;
use hive::market::{Feed, FeedError, FeedInfo, FeedReport};
use hive::runtime::drive::{self, ALARMS_MAX, Speed};
use hive::runtime::files::open_data;
use hive::treasury::Mode;

const DAYS: u32 = 250;

/// Σ agents + treasury + rounding = total, desk = books = venue, all of it exact.
fn balanced(engine: &Engine) {
    engine.balances().unwrap();
    let real = &engine.respond.real;
    let v = real.ledger.valuation(&real.marks).unwrap();
    let parts: Money = v.agents.iter().copied().sum::<Money>() + v.treasury + v.rounding;
    assert_eq!(parts, v.total);
    assert_eq!(real.ledger.total_equity(&real.marks).unwrap(), v.total);
    assert_eq!(real.equity(), v.total, "the account as shown");
    for i in 0..real.marks.len() {
        let id = InstrumentId(i as u16);
        let books = real.ledger.net_position(id);
        assert_eq!(real.venue.position(id), books);
        let of = |a: u32| real.ledger.position(AgentId(a), id);
        let sum: Decimal = (0..real.ledger.agents() as u32).map(of).sum::<Decimal>();
        assert_eq!(sum + real.ledger.position(Ledger::TREASURY, id), books);
    }
    let accounts = [
        Account::Treasury,
        Account::Rounding,
        Account::Venue,
        Account::Fees,
        Account::Funding,
        Account::Borrow,
        Account::Capital,
    ];
    let agents = (0..real.ledger.agents() as u32).map(|a| Account::Agent(AgentId(a)));
    let cash: Money = agents.chain(accounts).map(|a| real.ledger.cash(a).unwrap()).sum();
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
    assert!(real.halted.is_none() && run.alarms.is_empty());
    for account in [Account::Fees, Account::Funding, Account::Rounding] {
        assert_ne!(real.ledger.cash(account).unwrap(), Money::ZERO, "{account:?} saw nothing");
    }
}

#[test]
fn law06_books_are_exact_on_margin_with_borrow_and_on_spot() {
    for kind in [hive::domain::InstrumentKind::Margin, hive::domain::InstrumentKind::Spot] {
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
        assert!(real.halted.is_none(), "{:?}", real.halted);
        let borrow = real.ledger.cash(Account::Borrow).unwrap();
        assert_eq!(borrow > Money::ZERO, kind.can_short(), "who is short on margin pays: {borrow}");
        assert!(run.fills.len() > 50);
    }
}

#[test]
fn law06_every_float_of_the_state_is_a_number() {
    let mut run = run(&shipped(), &Tape::market(DAYS));
    run.engine.speak.market.listings.iter_mut().for_each(|l| {
        // Warming up a second time is what an infinite volume would be: the only NaN and ∞ there may be.
        assert!(l.bank.values().iter().all(|v| v.is_finite()));
    });
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
    let mut held = vec![Decimal::ZERO; real.marks.len()];
    for f in &run.fills {
        cash -= f.quantity * f.price + f.fee;
        held[f.instrument.index()] += f.quantity;
    }
    let worth: Decimal = held.iter().zip(&real.marks).map(|(q, m)| q * m).sum();
    assert!((cash + worth - real.equity()).abs() < Decimal::new(1, 6), "{} {}", cash + worth, real.equity());
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
    config.roster.agents.iter_mut().for_each(|a| a.side = hive::domain::SideRule::Long);
    config.desk.target_vol = 0.8;
    config.managers = hive::hive::settings::Managers::default();
    let mut run = Run::start(&config, &tape.universe);
    let mut out = Outputs::default();
    let mut tripped: Option<usize> = None;
    let (mut fills_then, mut flat_at, mut fills_flat) = (0, None, 0);
    let gross = |r: &Run| r.engine.respond.real.exposure().0;
    let mut reset_at = None;
    for (i, event) in tape.events.iter().enumerate() {
        run.step(event, &mut out);
        let real = &run.engine.respond.real;
        if !matches!(event, Event::Barrier(_)) {
            continue;
        }
        match tripped {
            None if real.breaker.latched().is_some() => {
                tripped = Some(i);
                fills_then = run.fills.len();
                assert!(run.alarms.iter().any(|a| a.contains("breaker: drawdown")), "{:?}", run.alarms);
                assert!(gross(&run) > 0.0, "it had something to close");
            }
            Some(_) if reset_at.is_none() => {
                assert_eq!(real.mode(), Mode::Reducing);
                assert_ne!(hash(&real.venue), "", "the venue still answers");
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
                    assert_eq!(run.engine.respond.real.mode(), Mode::Running);
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
    let held = tape.universe.instruments.iter().find(|i| !real.venue.position(i.id).is_zero()).unwrap();
    // The venue closes a position, and nobody here hears of it.
    let last = hive::domain::money::to_estimate(real.marks[held.id.index()]);
    real.venue
        .on_delisted(held, tape.events[middle - 1].at(), last, &config::shipped().unwrap().costs)
        .unwrap();
    let next = tape.after(601);
    run.play(&tape.events[middle..next]);
    let real = &run.engine.respond.real;
    let why = real.halted.clone().unwrap();
    assert!(why.contains(&held.symbol) && why.contains("the venue says 0"), "{why}");
    assert!(run.alarms.iter().any(|a| a.starts_with("halted: ")), "{:?}", run.alarms);
    assert_eq!(real.mode(), Mode::Halted);
    let (sent, fills) = (real.orders_sent(), run.fills.len());
    run.play(&tape.events[next..]);
    let real = &run.engine.respond.real;
    assert_eq!((real.orders_sent(), run.fills.len()), (sent, fills), "no order, no fill");
    assert_eq!(real.halted.as_deref(), Some(why.as_str()), "the first reason stays");
    assert!(tape.universe.instruments.iter().all(|i| real.venue.working(i.id).is_none()));
    assert!(real.running_share() < 0.9);
    // The other lives go on.
    assert!(actions(&run.messages).any(|(m, _)| m.at == tape.events[tape.events.len() - 1].at()));
    run.engine.step(&Event::Command(tape.events[0].at(), Command::ResetBreaker), &mut Outputs::default());
    assert_eq!(
        run.engine.respond.real.mode(),
        Mode::Halted,
        "a reset of the breaker is no way out of a halt"
    );
}

#[test]
fn law09_a_posting_that_the_books_refuse_halts() {
    let tape = Tape::market(60);
    let mut run = Run::start(&shipped(), &tape.universe);
    let middle = tape.after(250);
    run.play(&tape.events[..middle]);
    assert!(run.engine.respond.real.halted.is_none() && !run.fills.is_empty());
    // Books that know nobody.
    run.engine.respond.real.ledger = Ledger::new(0, 0);
    run.play(&tape.events[middle..]);
    let real = &run.engine.respond.real;
    let why = real.halted.clone().unwrap();
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
        if real.halted.is_none() {
            balanced(&run.engine);
        }
        let must = !capital.starts_with('1');
        assert!(real.halted.is_some() || !must, "{capital}");
        assert!(!must || run.fills.is_empty(), "{capital}: trades with nothing");
    }
}

/// Plays a tape through [`drive::run`].
struct Replay<'a> {
    info: FeedInfo,
    tape: &'a Tape,
    at: usize,
}

impl Feed for Replay<'_> {
    fn info(&self) -> &FeedInfo {
        &self.info
    }
    fn universe(&self) -> &hive::domain::Universe {
        &self.tape.universe
    }
    fn next(&mut self) -> Result<Option<Event>, FeedError> {
        self.at += 1;
        Ok(self.tape.events.get(self.at - 1).copied())
    }
    fn report(&self) -> FeedReport {
        FeedReport::default()
    }
}

#[test]
fn law10_alarms_are_kept_to_their_limit_and_the_rest_is_counted() {
    let tape = Tape::market(60);
    let mut config = deaf();
    config.roster.scouts = 0;
    let mut engine = crate::common::engine(&config, &tape.universe);
    let info = hive::market::synth::SynthFeed::new(hive::market::synth::SynthSettings::default())
        .unwrap()
        .info()
        .clone();
    let mut feed = Replay { info, tape: &tape, at: 0 };
    // Books that know nothing: an alarm at every barrier.
    engine.respond.real.ledger = Ledger::new(0, 0);
    let told = drive::run(&mut engine, &mut feed, Speed::Max, |_, _, _| ()).unwrap();
    assert_eq!(told.alarms.len(), ALARMS_MAX);
    assert!(told.more_alarms >= told.barriers - ALARMS_MAX as u64, "{} more", told.more_alarms);
}

#[test]
fn law10_of_bad_rows_the_first_are_named_and_the_rest_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("BTC_USDT-1h.csv");
    let mut rows = String::from("timestamp,open,high,low,close,volume\n");
    for hour in 0..200 {
        let close = if hour % 4 == 3 { "nonsense" } else { "10" };
        rows.push_str(&format!("{},10,10,10,{close},5\n", hour * 3_600));
    }
    std::fs::write(&path, rows).unwrap();
    let data = open_data(&path).unwrap();
    let settings =
        HistorySettings { name: data.name, clock: Span::HOUR, kind: None, window: Window::default() };
    let mut feed = HistoryFeed::open(&settings, data.sources, None).unwrap();
    while feed.next().unwrap().is_some() {}
    let report = feed.report();
    assert_eq!((report.bad_rows, report.first_bad.len()), (50, FeedReport::NAMED));
}

#[test]
fn law10_limits_of_the_configuration_hold() {
    let shipped = config::print_default();
    let agent = "[[agent]]\nname = \"A\"\nfamily = \"trend\"\nassets = \"BTC\"\ngoal = \"fast\"\npersonality = \"stoic\"\n";
    let mut many = shipped.to_owned();
    for i in 0..config::AGENTS_MAX {
        many.push_str(&agent.replace("\"A\"", &format!("\"A{i}\"")));
    }
    let refused = config::parse("a.toml", &many).unwrap_err().to_string();
    assert!(refused.contains(&format!("at most {}", config::AGENTS_MAX)), "{refused}");
    let long = format!("{shipped}{}", "#".repeat(config::TEXT_BYTES_MAX));
    let refused = config::parse("a.toml", &long).unwrap_err().to_string();
    assert!(refused.contains(&config::TEXT_BYTES_MAX.to_string()), "{refused}");
    let scouts = |n: u32| {
        let flag = Override::flag("--scouts", "hive.scouts", &n.to_string());
        config::load("a.toml", shipped, [], &[flag]).map(|(c, _)| c.roster.scouts)
    };
    assert_eq!(scouts(config::SCOUTS_MAX as u32).unwrap(), config::SCOUTS_MAX as u32);
    assert!(scouts(config::SCOUTS_MAX as u32 + 1).is_err());
    let counted = |n: u16| config::parse("a.toml", &shipped.replace("random:4", &format!("random:{n}")));
    assert!(counted(config::ASSETS_COUNTED_MAX).is_ok());
    assert!(counted(config::ASSETS_COUNTED_MAX + 1).is_err());
}

#[test]
fn law10_a_unit_has_a_largest_size() {
    assert_eq!(unit(1e-9), UNIT_MAX);
    assert!((unit(0.02) - 0.5).abs() < 1e-12);
    // A market that hardly moves.
    let mut tape = Tape::synth(World::RandomWalk, 4, 150);
    tape.change_after(hive::domain::Stamp(i64::MIN), |_, _, bar| {
        for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
            *price = 100.0 + (*price / 1_000.0).sin() * 1e-3;
        }
        (bar.high, bar.low) = (bar.open.max(bar.close), bar.open.min(bar.close));
    });
    let config = shipped();
    let run = run(&config, &tape);
    let opens: Vec<f64> =
        actions(&run.messages).filter(|(_, a)| a.verb == Verb::Open).map(|(_, a)| a.after.abs()).collect();
    assert!(opens.len() > 100);
    // Largest trait × largest preset × the largest unit.
    assert!(opens.iter().all(|x| *x <= 3.0 * 3.0 * UNIT_MAX));
    assert!(opens.iter().any(|x| *x >= UNIT_MAX), "the limit was met");
    let (gross, _) = run.engine.respond.real.exposure();
    assert!(gross <= config.risk.gross_fuse, "{gross}");
    balanced(&run.engine);
}

#[test]
fn law10_gross_exposure_stays_under_its_caps_all_along() {
    let tape = Tape::market(DAYS);
    let mut config = shipped();
    config.desk.target_vol = 1.0;
    config.managers = hive::hive::settings::Managers::default();
    let mut run = Run::start(&config, &tape.universe);
    let mut out = Outputs::default();
    let mut most = 0.0_f64;
    for event in &tape.events {
        run.step(event, &mut out);
        most = most.max(run.engine.respond.real.exposure().0);
    }
    assert!(most > 3.0, "the caps were asked for: {most}");
    // Between decision and mark prices move, so a little above the fuse is possible, twice of it is not.
    assert!(most < 1.25 * config.risk.gross_fuse, "{most}");
}

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
        let listing = &speak.market.listings[btc.index()];
        match event {
            Event::Market(MarketEvent::Bar { instrument, bar, .. }) if *instrument == btc => {
                last_close = bar.close;
                if gone.is_some() && !back {
                    back = true;
                    assert!(listing.bank.values().iter().all(|v| v.is_nan()), "nothing is remembered");
                    assert_eq!(listing.change, 0.0);
                }
            }
            Event::Barrier(at) if gone.is_none() && listing.delisted_at == Some(*at) => {
                gone = Some(*at);
                let closes: Vec<_> = actions(&run.messages[from..])
                    .filter(|(m, _)| m.asset.is_some_and(|a| a.index() == btc.index()))
                    .map(|(_, a)| *a)
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
                assert_eq!(hive::domain::money::to_estimate(fill.price), last_close);
                assert!(respond.real.venue.position(btc).is_zero());
                assert!(respond.real.ledger.net_position(btc).is_zero());
                for slot in slots.iter().copied() {
                    assert_eq!(speak.lives[slot].intent, 0.0);
                    assert_eq!((speak.lives[slot].raw.quantity, speak.lives[slot].raw.order), (0.0, 0.0));
                    if slot < declared {
                        for life in [&speak.patient[slot], &respond.ears[slot].sim] {
                            assert_eq!((life.aim, life.book.quantity, life.book.order), (0.0, 0.0, 0.0));
                        }
                        assert_eq!(respond.real.desk.parts[slot].held, 0);
                    }
                    assert_eq!(respond.consensus.heard(run.engine.cast(), slot), 0.0);
                }
                balanced(&run.engine);
            }
            Event::Barrier(_) => {
                let open = slots.iter().filter(|s| speak.lives[**s].intent != 0.0).count();
                let sims =
                    slots.iter().filter(|s| **s < declared && respond.ears[**s].sim.book.quantity != 0.0);
                held = (open, sims.count(), respond.real.venue.position(btc));
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
    assert!(run.engine.respond.real.halted.is_none());
    balanced(&run.engine);
}
