//! The money invariants as property tests over random runs of operations.

#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::panic)]

use super::exact::product;
use super::{Imbalance, Ledger, LedgerAccount, LedgerError};
use crate::domain::money::{from_estimate, parse};
use crate::domain::{AgentId, Decimal, Fill, InstrumentId, OrderId, Stamp};
use proptest::prelude::*;

const AGENTS: u32 = 4;
const INSTRUMENTS: usize = 3;

fn dec(text: &str) -> Decimal {
    parse(text).unwrap()
}

fn fill(instrument: InstrumentId, quantity: Decimal, price: Decimal, fee: Decimal) -> Fill {
    let (order, at) = (OrderId(1), Stamp(0));
    Fill { order, number: 1, instrument, at, quantity, price, mark: price, fee, fee_in: None }
}

/// One operation as it might be journalled.
#[derive(Clone, Debug)]
enum LedgerOp {
    Deposit(Decimal),
    Move {
        from: LedgerAccount,
        to: LedgerAccount,
        amount: Decimal,
    },
    Trade {
        instrument: InstrumentId,
        deltas: Vec<(AgentId, Decimal)>,
        price: Decimal,
        fee: Decimal,
    },
    /// Everybody's position goes to zero.
    Flatten {
        instrument: InstrumentId,
        price: Decimal,
    },
    Funding {
        instrument: InstrumentId,
        rate: Decimal,
    },
    Borrow {
        instrument: InstrumentId,
        fraction: Decimal,
    },
    /// Some pay one for a service.
    Service {
        payers: Vec<(AgentId, Decimal)>,
        to: AgentId,
        fee: Decimal,
    },
    /// Somebody pays a fee that comes without a trade, or is paid one.
    Fee {
        agent: AgentId,
        due: Decimal,
    },
    /// Marks move; no posting.
    Mark {
        instrument: InstrumentId,
        mark: Decimal,
    },
}

/// Who is `n`: the last is the treasury.
fn who(n: u32) -> AgentId {
    if n >= AGENTS { Ledger::TREASURY } else { AgentId(n) }
}

fn account(n: u32) -> LedgerAccount {
    if n >= AGENTS { LedgerAccount::Treasury } else { LedgerAccount::Agent(AgentId(n)) }
}

fn amount(scale: u32) -> impl Strategy<Value = Decimal> {
    (1_i64..1_000_000_000_000).prop_map(move |n| Decimal::new(n, scale))
}

/// Prices from 1e-8 to about 1e6 with up to twelve digits.
fn a_price() -> impl Strategy<Value = Decimal> {
    (-8.0_f64..6.0, 6_u32..=12).prop_filter_map("a positive price", |(e, scale)| {
        from_estimate(libm::pow(10.0, e), scale).filter(|p| !p.is_zero())
    })
}

/// A quantity as the desk's attribution makes it: from an estimate, with up to fourteen digits.
fn a_quantity() -> impl Strategy<Value = Decimal> {
    (-100.0_f64..100.0, 0_u32..=14).prop_map(|(x, scale)| from_estimate(x, scale).unwrap())
}

fn op() -> impl Strategy<Value = LedgerOp> {
    let instrument = || (0..INSTRUMENTS as u16).prop_map(InstrumentId);
    let rate = || (-0.01_f64..0.01).prop_map(|r| from_estimate(r, 12).unwrap());
    let deltas = prop::collection::btree_map(0..=AGENTS, a_quantity(), 0..=5);
    let payers = prop::collection::btree_map(0..=AGENTS, a_quantity(), 0..=5);
    let agreed = (-10_i64..1_000_000_000).prop_map(|n| Decimal::new(n, 10));
    let fee = (-1_000_000_i64..10_000_000_000).prop_map(|n| Decimal::new(n, 10));
    prop_oneof![
        1 => amount(6).prop_map(LedgerOp::Deposit),
        3 => (0..=AGENTS, 0..=AGENTS, amount(8)).prop_map(|(f, t, amount)| LedgerOp::Move {
            from: account(f),
            to: account(t),
            amount
        }),
        6 => (instrument(), deltas, a_price(), fee).prop_map(|(instrument, deltas, price, fee)| {
            let deltas = deltas.into_iter().map(|(n, q)| (who(n), q)).collect();
            LedgerOp::Trade { instrument, deltas, price, fee }
        }),
        1 => (instrument(), a_price()).prop_map(|(instrument, price)| LedgerOp::Flatten { instrument, price }),
        2 => (instrument(), rate()).prop_map(|(instrument, rate)| LedgerOp::Funding { instrument, rate }),
        2 => (instrument(), rate()).prop_map(|(instrument, r)| LedgerOp::Borrow { instrument, fraction: r.abs() }),
        2 => (payers, 0..=AGENTS, agreed).prop_map(|(payers, to, fee)| LedgerOp::Service {
            payers: payers.into_iter().map(|(n, q)| (who(n), q)).collect(),
            to: who(to),
            fee
        }),
        2 => (0..=AGENTS, a_quantity()).prop_map(|(n, due)| LedgerOp::Fee { agent: who(n), due: due.round_dp(10) }),
        2 => (instrument(), a_price()).prop_map(|(instrument, mark)| LedgerOp::Mark { instrument, mark }),
    ]
}

/// The books and the marks beside them.
struct Run {
    ledger: Ledger,
    marks: Vec<Decimal>,
}

impl Run {
    fn new() -> Self {
        let mut ledger = Ledger::new(AGENTS as usize, INSTRUMENTS);
        ledger.deposit(dec("100000")).unwrap();
        Run { ledger, marks: vec![dec("100.25"), dec("0.00001234"), dec("43210.123456789")] }
    }

    fn of(ops: &[LedgerOp]) -> Self {
        let mut run = Run::new();
        for op in ops {
            let _ = run.apply(op);
        }
        run
    }

    fn holders(&self, instrument: InstrumentId) -> Vec<(AgentId, Decimal)> {
        (0..=AGENTS).map(|n| (who(n), -self.ledger.position(who(n), instrument))).collect()
    }

    fn apply(&mut self, op: &LedgerOp) -> Result<(), LedgerError> {
        let (books, marks) = (&mut self.ledger, &mut self.marks);
        match op {
            LedgerOp::Deposit(amount) => books.deposit(*amount),
            LedgerOp::Move { from, to, amount } => books.transfer(*from, *to, *amount, marks),
            LedgerOp::Trade { instrument, deltas, price, fee } => {
                let net: Decimal = deltas.iter().map(|d| d.1).sum();
                let filled = fill(*instrument, net, *price, *fee);
                let filled = (!net.is_zero()).then_some(&filled);
                books.trade(*instrument, marks[instrument.index()], deltas, filled).map(drop)
            }
            LedgerOp::Flatten { instrument, price } => {
                let deltas = self.holders(*instrument);
                let trade =
                    LedgerOp::Trade { instrument: *instrument, deltas, price: *price, fee: Decimal::ONE };
                self.apply(&trade)
            }
            LedgerOp::Funding { instrument, rate } => {
                books.funding(*instrument, marks[instrument.index()], *rate).map(drop)
            }
            LedgerOp::Borrow { instrument, fraction } => {
                books.borrow(*instrument, marks[instrument.index()], *fraction).map(drop)
            }
            LedgerOp::Service { payers, to, fee } => books.service(payers, *to, *fee).map(drop),
            LedgerOp::Fee { agent, due } => books.fee(*agent, *due),
            LedgerOp::Mark { instrument, mark } => {
                marks[instrument.index()] = *mark;
                Ok(())
            }
        }
    }

    fn cash(&self) -> Decimal {
        let outside = [LedgerAccount::Rounding, LedgerAccount::Venue, LedgerAccount::Fees];
        let charges = [LedgerAccount::Funding, LedgerAccount::Borrow, LedgerAccount::Capital];
        let inside = (0..=AGENTS).map(account);
        inside.chain(outside).chain(charges).map(|a| self.ledger.cash(a).unwrap()).sum()
    }
}

fn bytes(ledger: &Ledger) -> Vec<u8> {
    postcard::to_stdvec(ledger).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn money1_every_posting_balances_per_thing(ops in prop::collection::vec(op(), 1..30)) {
        let mut run = Run::new();
        for op in &ops {
            let before = run.ledger.clone();
            if run.apply(op).is_err() {
                prop_assert_eq!(&run.ledger, &before, "a refused operation changes nothing");
            }
            prop_assert_eq!(run.cash(), Decimal::ZERO);
            for i in (0..INSTRUMENTS as u16).map(InstrumentId) {
                let held: Decimal = (0..=AGENTS).map(|n| run.ledger.position(who(n), i)).sum();
                prop_assert_eq!(held + run.ledger.venue_position(i).unwrap(), Decimal::ZERO);
            }
        }
    }

    #[test]
    fn money2_inside_and_outside_agree_to_the_last_digit(ops in prop::collection::vec(op(), 1..30)) {
        let mut run = Run::new();
        for op in &ops {
            let _ = run.apply(op);
            prop_assert_eq!(run.ledger.check(&run.marks), Ok(()));
            let v = run.ledger.valuation(&run.marks).unwrap();
            prop_assert_eq!(v.agents.iter().sum::<Decimal>() + v.treasury + v.rounding, v.total);
            prop_assert_eq!(v.total, run.ledger.total_equity(&run.marks).unwrap());
            let each = (0..AGENTS).map(|n| run.ledger.equity(AgentId(n), &run.marks).unwrap());
            prop_assert_eq!(each.collect::<Vec<_>>(), v.agents);
        }
    }

    #[test]
    fn money3_replay_from_any_point_gives_the_same_bytes(
        ops in prop::collection::vec(op(), 1..30),
        cut in any::<prop::sample::Index>(),
    ) {
        let live = Run::of(&ops);
        let cut = cut.index(ops.len());
        let head = Run::of(&ops[..cut]);
        let ledger = postcard::from_bytes(&bytes(&head.ledger)).unwrap();
        let mut tail = Run { ledger, marks: head.marks };
        for op in &ops[cut..] {
            let _ = tail.apply(op);
        }
        prop_assert_eq!(bytes(&tail.ledger), bytes(&live.ledger));
        prop_assert_eq!(bytes(&Run::of(&ops).ledger), bytes(&live.ledger));
    }

    #[test]
    fn money4_positions_are_sums_and_closed_ones_have_no_cost(ops in prop::collection::vec(op(), 1..30)) {
        let mut run = Run::new();
        let mut sums = vec![[Decimal::ZERO; INSTRUMENTS]; AGENTS as usize + 1];
        for op in &ops {
            let deltas = match op {
                LedgerOp::Trade { instrument, deltas, .. } => Some((*instrument, deltas.clone())),
                LedgerOp::Flatten { instrument, .. } => Some((*instrument, run.holders(*instrument))),
                _ => None,
            };
            let done = run.apply(op).is_ok();
            if let Some((instrument, deltas)) = deltas.filter(|_| done) {
                for (agent, q) in deltas {
                    sums[agent.0.min(AGENTS) as usize][instrument.index()] += q;
                }
            }
            for n in 0..=AGENTS {
                let book = run.ledger.book(who(n)).unwrap();
                let mut explained = book.funded() + book.tally().realised - book.tally().slippage;
                explained -= book.tally().fees + book.tally().funding + book.tally().borrow;
                for h in book.holdings() {
                    prop_assert_eq!(h.quantity, sums[n as usize][h.instrument.index()]);
                    prop_assert!(!h.quantity.is_zero() || h.cost.is_zero());
                    explained -= h.cost;
                }
                prop_assert_eq!(explained, book.cash());
            }
        }
    }

    #[test]
    fn what_is_exposed_is_what_each_position_is_worth_rounded_once(ops in prop::collection::vec(op(), 1..30)) {
        let Run { ledger, marks } = Run::of(&ops);
        let worth = |i: usize| product(ledger.net_position(InstrumentId(i as u16)), marks[i]);
        let sums = (0..INSTRUMENTS).map(worth).collect::<Result<Vec<_>, _>>().map(|each| {
            (each.iter().map(Decimal::abs).sum::<Decimal>(), each.iter().sum::<Decimal>())
        });
        prop_assert_eq!(ledger.exposed(&marks), sums);
    }

    #[test]
    fn money5_opposite_books_sum_to_zero(
        q in a_quantity(), mark in a_price(), rate in -0.01_f64..0.01, split in 0.0_f64..1.0,
    ) {
        let i = InstrumentId(0);
        let mut books = Ledger::new(3, 1);
        books.deposit(dec("1000")).unwrap();
        let part = from_estimate(crate::domain::money::to_estimate(q) * split, 14).unwrap();
        let deltas = [(AgentId(0), q), (AgentId(1), -part), (AgentId(2), part - q)];
        books.trade(i, mark, &deltas, None).unwrap();
        let rate = from_estimate(rate, 12).unwrap();
        prop_assert_eq!(books.funding(i, mark, rate).unwrap(), Decimal::ZERO);
        prop_assert_eq!(books.borrow(i, mark, rate.abs()).unwrap(), Decimal::ZERO);
        let of = |f: fn(super::book::shown::Tally) -> Decimal| -> Vec<Decimal> {
            (0..3).map(|n| f(books.book(AgentId(n)).unwrap().tally())).collect()
        };
        let left = books.cash(LedgerAccount::Rounding).unwrap();
        // Three roundings of half a unit for the trade, three for funding; borrow has none to lose.
        prop_assert!(left.abs() <= Decimal::new(4, 10), "{}", left);
        prop_assert!(of(|t| t.funding).iter().sum::<Decimal>().abs() <= Decimal::new(1, 10));
        prop_assert_eq!(of(|t| t.borrow).iter().sum::<Decimal>(), Decimal::ZERO);
        prop_assert_eq!(books.check(&[mark]), Ok(()));
    }

    #[test]
    fn money7_moving_funds_conserves_and_none_falls_below_zero(
        ops in prop::collection::vec(op(), 1..20),
        moves in prop::collection::vec((0..=AGENTS, 0..=AGENTS, amount(7)), 1..20),
    ) {
        let mut run = Run::of(&ops);
        let total = run.ledger.total_equity(&run.marks).unwrap();
        for (from, to, amount) in moves {
            let before = run.ledger.equity(who(from), &run.marks).unwrap();
            let ok = run.ledger.transfer(account(from), account(to), amount, &run.marks).is_ok();
            let after = run.ledger.equity(who(from), &run.marks).unwrap();
            prop_assert!(!ok || after >= Decimal::ZERO);
            prop_assert_eq!(ok, before >= amount, "{} of {}", amount, before);
            prop_assert_eq!(run.ledger.total_equity(&run.marks).unwrap(), total);
        }
    }

    #[test]
    fn money8_a_service_is_paid_to_the_last_digit_and_by_all_in_proportion(
        ops in prop::collection::vec(op(), 1..20),
        payers in prop::collection::btree_map(0..=AGENTS, a_quantity(), 1..=5),
        to in 0..=AGENTS,
        fee in 0_i64..1_000_000_000_000,
    ) {
        let mut run = Run::of(&ops);
        let fee = Decimal::new(fee, 10);
        let payers: Vec<_> = payers.into_iter().map(|(n, q)| (who(n), q)).collect();
        let all: Decimal = payers.iter().map(|p| p.1.abs()).sum();
        let before = run.ledger.clone();
        let done = run.ledger.service(&payers, who(to), fee).is_ok();
        prop_assert_eq!(done, fee.is_zero() || !all.is_zero());
        prop_assert_eq!(run.ledger.check(&run.marks), Ok(()));
        prop_assert_eq!(run.ledger.total_equity(&run.marks), before.total_equity(&run.marks));
        let cash = |books: &Ledger, who| books.book(who).unwrap().cash();
        let mut given = Decimal::ZERO;
        for n in (0..=AGENTS).map(who) {
            let paid = cash(&before, n) - cash(&run.ledger, n);
            let part = payers.iter().find(|p| p.0 == n).map_or(Decimal::ZERO, |p| p.1.abs());
            let got = if n == who(to) && done { fee } else { Decimal::ZERO };
            let share = if done && !all.is_zero() { fee * (part / all) } else { Decimal::ZERO };
            prop_assert!((paid + got - share).abs() <= Decimal::new(2, 10), "{} {} {}", paid, got, share);
            given += paid + got;
        }
        prop_assert_eq!(given, if done { fee } else { Decimal::ZERO });
    }

    #[test]
    fn money9_a_fee_without_a_trade_goes_to_the_last_digit_from_one_to_who_charges_it(
        ops in prop::collection::vec(op(), 1..20), n in 0..=AGENTS, due in -1_000_000_000_000_i64..1_000_000_000_000,
    ) {
        let mut run = Run::of(&ops);
        let due = Decimal::new(due, 10);
        let before = run.ledger.clone();
        run.ledger.fee(who(n), due).unwrap();
        prop_assert_eq!(run.ledger.check(&run.marks), Ok(()));
        let cash = |books: &Ledger, who| books.cash(who).unwrap();
        for a in (0..=AGENTS).map(account).chain([LedgerAccount::Rounding, LedgerAccount::Venue]) {
            let paid = if a == account(n) { due } else { Decimal::ZERO };
            prop_assert_eq!(cash(&before, a) - cash(&run.ledger, a), paid);
        }
        prop_assert_eq!(cash(&run.ledger, LedgerAccount::Fees) - cash(&before, LedgerAccount::Fees), due);
    }

    #[test]
    fn shares_of_a_fill_sum_to_it_and_follow_size(
        quantities in prop::collection::vec(1_i64..1_000_000_000, 1..20),
        slip in -50_000_i64..50_000, fee in 0_i64..10_000_000,
    ) {
        let i = InstrumentId(0);
        let mut books = Ledger::new(quantities.len() + 1, 1);
        let deltas: Vec<_> = (0..).map(AgentId).zip(quantities.iter().map(|n| Decimal::new(*n, 8))).collect();
        let net: Decimal = deltas.iter().map(|d| d.1).sum();
        let mark = dec("100");
        let f = fill(i, net, mark + Decimal::new(slip, 5), Decimal::new(fee, 6));
        let report = books.trade(i, mark, &deltas, Some(&f)).unwrap();
        let mut sums = (Decimal::ZERO, Decimal::ZERO);
        for (agent, q) in &deltas {
            let tally = books.book(*agent).unwrap().tally();
            sums = (sums.0 + tally.slippage, sums.1 + tally.fees);
            let fair = report.fee * *q / net;
            prop_assert!((tally.fees - fair).abs() <= Decimal::new(2, 10));
        }
        prop_assert_eq!(sums, (report.slippage, report.fee));
        prop_assert_eq!(report.fee, f.fee);
    }
}

#[test]
fn a_round_trip_tells_where_the_money_went() {
    let i = InstrumentId(0);
    let mut books = Ledger::new(3, 1);
    books.deposit(dec("10000")).unwrap();
    for n in 0..3 {
        books
            .transfer(LedgerAccount::Treasury, LedgerAccount::Agent(AgentId(n)), dec("1000"), &[dec("100")])
            .unwrap();
    }
    // Two buy 6 and 3, one sells 3: 3 cross inside, 6 go to the venue, at 0.1 over the mark.
    let deltas = [(AgentId(0), dec("6")), (AgentId(1), dec("3")), (AgentId(2), dec("-3"))];
    let f = fill(i, dec("6"), dec("100.1"), dec("0.3"));
    let report = books.trade(i, dec("100"), &deltas, Some(&f)).unwrap();
    assert_eq!((report.crossed, report.traded), (dec("300"), dec("600.6")));
    assert_eq!((report.slippage, report.fee, report.rounding), (dec("0.6"), dec("0.3"), Decimal::ZERO));
    let tally = |books: &Ledger, n| books.book(AgentId(n)).unwrap().tally();
    assert_eq!((tally(&books, 0).slippage, tally(&books, 0).fees), (dec("0.4"), dec("0.2")));
    assert_eq!((tally(&books, 2).slippage, tally(&books, 2).fees), (Decimal::ZERO, Decimal::ZERO));
    // The first closes two thirds at 110, then turns over to 1 short at 120.
    let books_at = |books: &mut Ledger, n, q: &str, mark: &str| {
        let f = fill(i, dec(q), dec(mark), Decimal::ZERO);
        books.trade(i, dec(mark), &[(AgentId(n), dec(q))], Some(&f)).unwrap();
    };
    books_at(&mut books, 0, "-4", "110");
    assert_eq!(tally(&books, 0).realised, dec("40"));
    assert_eq!(books.book(AgentId(0)).unwrap().holding(i).unwrap().cost, dec("200"));
    books_at(&mut books, 0, "-3", "120");
    let held = books.book(AgentId(0)).unwrap().holding(i).unwrap();
    assert_eq!((held.quantity, held.cost, held.realised), (dec("-1"), dec("-120"), dec("80")));
    let marks = [dec("115")];
    assert_eq!(books.pnl(AgentId(0), &marks).unwrap(), dec("80") + dec("5") - dec("0.6"));
    assert_eq!(books.check(&marks), Ok(()));
    assert_eq!(books.turnover(i).unwrap().crossed, dec("300"));
    assert_eq!(books.net_position(i), dec("-1"));
}

#[test]
fn a_fee_in_an_asset_is_booked_at_the_price_told_with_it_or_not_at_all() {
    use crate::domain::{AssetFee, AssetId};
    let i = InstrumentId(0);
    let mut books = Ledger::new(1, 1);
    books.deposit(dec("1000")).unwrap();
    let told =
        |amount: &str, rate: &str| Some(AssetFee { asset: AssetId(4), amount: dec(amount), rate: dec(rate) });
    let bought = |fee: &str, fee_in| Fill { fee_in, ..fill(i, dec("0.25"), dec("400"), dec(fee)) };
    let mut book = |f: &Fill| {
        let before = books.clone();
        let report = books.trade(i, f.mark, &[(AgentId(0), f.quantity)], Some(f));
        assert!(report.is_ok() || books == before, "a refused fill changes nothing");
        report.map(|r| r.fee)
    };
    // Rounded once, half to even, as all products are.
    assert_eq!(book(&bought("0.075", told("0.00025", "300"))), Ok(dec("0.075")));
    assert_eq!(book(&bought("0.3333333333", told("0.00111111111111", "300"))), Ok(dec("0.3333333333")));
    assert_eq!(book(&bought("-0.075", told("-0.00025", "300"))), Ok(dec("-0.075")), "a rebate");
    for (fee, fee_in) in [
        ("0.0750000001", told("0.00025", "300")),
        ("0.00025", told("0.00025", "300")),
        ("0", told("0.00025", "300")),
        ("0", told("0.00025", "0")),
        ("0.075", told("-0.00025", "-300")),
    ] {
        let f = bought(fee, fee_in);
        let refused = book(&f).unwrap_err();
        assert_eq!(refused, LedgerError::FeeNotConverted { told: fee_in.unwrap(), fee: f.fee });
    }
    let why = book(&bought("0.00025", told("0.00025", "300"))).unwrap_err().to_string();
    assert!(
        why.contains("a fee of 0.00025 of asset 4 at 300 is not 0.00025 in the account's currency"),
        "{why}"
    );
    assert!(matches!(book(&bought("0", told("1e15", "1e15"))), Err(LedgerError::Overflow(_))));
    // Two fees and a rebate; and the account is what was paid in less the fees, the price being what it was.
    assert_eq!(books.cash(LedgerAccount::Fees), Some(dec("0.3333333333")));
    assert_eq!(books.total_equity(&[dec("400")]).unwrap(), dec("1000") - dec("0.3333333333"));
    assert_eq!(books.check(&[dec("400")]), Ok(()));
}

#[test]
fn refuses_what_does_not_add_up() {
    let i = InstrumentId(0);
    let mut books = Ledger::new(2, 1);
    let one = dec("1");
    let f = fill(i, one, dec("100"), Decimal::ZERO);
    let mut refused = |deltas: &[(AgentId, Decimal)], fill: Option<&Fill>, instrument| {
        let before = books.clone();
        let error = books.trade(instrument, dec("100"), deltas, fill).unwrap_err();
        assert_eq!(books, before);
        error
    };
    let a = |n, q: &str| (AgentId(n), dec(q));
    assert!(matches!(refused(&[a(0, "1")], None, i), LedgerError::NotMatched { .. }));
    assert!(matches!(refused(&[a(0, "0.5")], Some(&f), i), LedgerError::NotMatched { .. }));
    assert!(matches!(refused(&[a(0, "0.5"), a(0, "0.5")], Some(&f), i), LedgerError::OutOfOrder(_)));
    assert!(matches!(refused(&[a(7, "1")], Some(&f), i), LedgerError::NoSuchAgent(_)));
    assert!(matches!(refused(&[a(0, "1")], Some(&f), InstrumentId(3)), LedgerError::NoSuchInstrument(_)));
    assert!(matches!(refused(&[a(0, "1e15"), a(1, "-1e15")], None, i), LedgerError::Overflow(_)));
    assert!(matches!(refused(&[a(0, "1e-15"), a(1, "-1e-15")], None, i), LedgerError::TooFine { .. }));
    assert!(matches!(refused(&[a(0, "1e11"), a(1, "-1e11")], None, i), LedgerError::Overflow(_)));
    let free = Fill { quantity: Decimal::ZERO, fee: one, ..f };
    assert!(matches!(refused(&[], Some(&free), i), LedgerError::NotPositive(_)));
    assert_eq!(books.deposit(dec("-1")), Err(LedgerError::NotPositive(dec("-1"))));
    let taken = books.transfer(LedgerAccount::Venue, LedgerAccount::Treasury, one, &[]);
    assert_eq!(taken, Err(LedgerError::NotMovable(LedgerAccount::Venue)));
}

#[test]
fn borrow_is_billed_on_the_net_short_and_lent_by_our_own_longs() {
    let i = InstrumentId(0);
    let mut books = Ledger::new(3, 1);
    let deltas = [(AgentId(0), dec("3")), (AgentId(1), dec("1")), (AgentId(2), dec("-10"))];
    let f = fill(i, dec("-6"), dec("100"), Decimal::ZERO);
    books.trade(i, dec("100"), &deltas, Some(&f)).unwrap();
    assert_eq!(books.borrow(i, dec("100"), dec("0.01")).unwrap(), dec("6"));
    let paid = |n| books.book(AgentId(n)).unwrap().tally().borrow;
    assert_eq!((paid(0), paid(1), paid(2)), (dec("-3"), dec("-1"), dec("10")));
    assert_eq!(books.check(&[dec("101")]), Ok(()));
}

#[test]
fn a_damaged_book_is_found() {
    let (i, marks) = (InstrumentId(0), [dec("100")]);
    let mut sound = Ledger::new(2, 1);
    sound.deposit(dec("10")).unwrap();
    let f = fill(i, dec("1"), dec("100"), Decimal::ZERO);
    sound.trade(i, dec("100"), &[(AgentId(0), dec("1"))], Some(&f)).unwrap();
    assert_eq!(sound.check(&marks), Ok(()));
    let damaged = |hurt: fn(&mut Ledger)| {
        let mut books = sound.clone();
        hurt(&mut books);
        books.check(&marks).unwrap_err()
    };
    assert!(matches!(damaged(|b| b.rounding += 1), Imbalance::Cash { off: 1 }));
    assert!(matches!(damaged(|b| b.agents[0].cash += 1), Imbalance::Book(AgentId(0))));
    assert!(matches!(damaged(|b| b.agents[0].holdings[0].quantity += 1), Imbalance::Position { .. }));
}
