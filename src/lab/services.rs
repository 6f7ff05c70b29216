//! Division of labour under test: the same desk aim in every arm (λ = 1, no points), and beside it nobody,
//! a carry book in an account of its own, one account that knows all, or agents that serve each other.
//!
//! # What each rung isolates
//!
//! | rung | carry | shared cash | netted margin | rides the desk's flow | orders worked |
//! |---|---|---|---|---|---|
//! | `net-all` | | | | | |
//! | `+expression` | spot in place of a long perp only | ✓ | ✓ | ✓ | |
//! | `sum-silo` | in its own account | | | | |
//! | `net-account` | ✓ | ✓ | ✓ | | |
//! | `net-account+B` | ✓ | ✓ | ✓ | | ✓ |
//! | `hive+services` | ✓ by messages | ✓ | ✓ | ✓ | ✓ |
//!
//! A silo has a fixed part of the capital for spot and margin, since what the desk may need is not its to
//! lend: ⅔, fixed before the first run; ½ and ¾ are shown beside it. Makers' own books are in no arm: alone
//! they lose, so leaving them out favours `sum-silo`.

use super::account::Account;
use super::arms::{Arm, Kind};
use super::elsewhere::{Elsewhere, Rule};
use super::stream::Track;
use crate::agents::Cast;
use crate::domain::{Body, CarryQuote, Span, Stamp};
use crate::engine::speak::Said;
use crate::treasury::settings::ServiceSettings;
use std::collections::VecDeque;

/// Gross exposure, in equities, that full margin allows: 1/m.
pub const GROSS_MAX: f64 = 4.0;
/// The hive with all services.
pub const SERVED: &str = "hive+services";
/// Each service family in its own account.
pub const SILO: &str = "sum-silo";
/// One account that knows all, taking.
pub const ACCOUNT: &str = "net-account";
/// The same working its orders: the best centre.
pub const CENTRE: &str = "net-account+B";

/// All voices in one account, at steady risk.
pub const STEADY: &str = "net-all steady";
/// A desk without information …
pub const BLIND: &str = "random desk";
/// … whose orders are worked.
pub const BLIND_WORKED: &str = "random desk+B";

/// Systems without which there is no report of services.
pub const NEEDED: [&str; 5] = ["hive λ=1 bare", SILO, ACCOUNT, CENTRE, SERVED];

/// Which parts of the mechanism an arm has.
// Each is switched by itself.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// Carry at all.
    pub carry: bool,
    /// Orders are worked.
    pub liquidity: bool,
    /// The desk's flow is ridden.
    pub flow: bool,
    /// Margin is netted.
    pub netting: bool,
    /// More spot than the desk holds long.
    pub beyond: bool,
}

impl Parts {
    /// All of them.
    pub const ALL: Parts = Parts { carry: true, liquidity: true, flow: true, netting: true, beyond: true };
    /// None.
    pub const NONE: Parts =
        Parts { carry: false, liquidity: false, flow: false, netting: false, beyond: false };

    /// As settings.
    pub fn settings(self, base: &ServiceSettings) -> ServiceSettings {
        ServiceSettings {
            carry: self.carry,
            liquidity: self.liquidity,
            flow: self.flow,
            netting: self.netting,
            beyond: self.beyond,
            ..*base
        }
    }
}

/// What the best centre does: all, but it does not ride its own flow.
pub const CENTRE_PARTS: Parts = Parts { flow: false, ..Parts::ALL };

/// How messages between those who serve are made wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Said half a year ago.
    Shifted,
    /// Said of another asset.
    Permuted,
    /// The other way round.
    Inverted,
    /// Always rich, whatever was paid.
    Rich,
    /// Three days late, which should cost little.
    Late,
    /// Makers hear of a random side of each order.
    Side,
}

impl Wrong {
    /// All.
    pub const ALL: [Wrong; 6] =
        [Wrong::Shifted, Wrong::Permuted, Wrong::Inverted, Wrong::Rich, Wrong::Late, Wrong::Side];

    /// As reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Wrong::Shifted => "carry-shifted",
            Wrong::Permuted => "carry-permuted",
            Wrong::Inverted => "carry-inverted",
            Wrong::Rich => "carry-always-rich",
            Wrong::Late => "carry-3d-late",
            Wrong::Side => "maker-random-side",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Wrong::Shifted => "hive+services hearing what carry agents said half a year before",
            Wrong::Permuted => "the same hearing them of another asset",
            Wrong::Inverted => "the same hearing the opposite",
            Wrong::Rich => "the same told that carry always pays",
            Wrong::Late => "the same hearing them three days late: no control, a stress",
            Wrong::Side => "hive+services whose makers hear of a random side of each order",
        }
    }

    fn delay(self) -> Span {
        match self {
            Wrong::Shifted => Span(182 * Span::DAY.0),
            Wrong::Late => Span(3 * Span::DAY.0),
            _ => Span(0),
        }
    }
}

/// The arms of `--services`, in the order in which they are shown.
pub fn plan() -> Vec<Arm> {
    let arm = |name: &str, kind, what| Arm { name: name.to_owned(), kind, what };
    let all = Parts::ALL;
    let account = Parts { liquidity: false, ..CENTRE_PARTS };
    let mut arms = vec![
        arm(STEADY, Kind::Steady, "net-all sized by the volatility that is expected: desk.steady"),
        arm(
            "+expression",
            Kind::Served(Parts { liquidity: false, beyond: false, ..all }),
            "long aims held in spot where that pays, no book beside",
        ),
        arm("sum-silo ½", Kind::Silo(0.5), "the carry in an account of half the capital"),
        arm(
            SILO,
            Kind::Silo(2.0 / 3.0),
            "net-all, and the carry in an account of its own, of ⅔ of the capital",
        ),
        arm("sum-silo ¾", Kind::Silo(0.75), "the carry in an account of ¾ of the capital"),
        arm(
            "shared cash",
            Kind::Central(Parts { netting: false, ..account }),
            "one account, margin of both sides",
        ),
        arm(ACCOUNT, Kind::Central(account), "one netted account, same carry rules, taking"),
        arm(CENTRE, Kind::Central(CENTRE_PARTS), "the same working its orders: the best centre"),
        arm("hive −flow", Kind::Served(Parts { flow: false, ..all }), "services, the desk's flow not ridden"),
        arm("hive −margin", Kind::Served(Parts { netting: false, ..all }), "services, margin not netted"),
        arm(
            "hive −liquidity",
            Kind::Served(Parts { liquidity: false, ..all }),
            "services, orders not worked",
        ),
        arm(
            "hive −carry",
            Kind::Served(Parts { liquidity: true, ..Parts::NONE }),
            "orders worked, nothing else",
        ),
        arm(SERVED, Kind::Served(all), "agents that choose the instrument and work the orders for the desk"),
    ];
    arms.push(arm(BLIND, Kind::Blind(Parts::NONE), "a desk that knows nothing: coins for aims, taking"));
    let parts = Parts { liquidity: true, ..Parts::NONE };
    arms.push(arm(BLIND_WORKED, Kind::Blind(parts), "the same working its orders"));
    arms.extend(Wrong::ALL.map(|w| arm(w.name(), Kind::Misserved(w), w.what())));
    arms
}

/// Arms of further services: they did not survive, so they run only where they are named, or where their market
/// is brought along.
pub fn tried(elsewhere: &[Elsewhere]) -> Vec<Arm> {
    let arm = |name: &str, kind, what| Arm { name: name.to_owned(), kind, what };
    let mut arms = vec![
        arm("+funding with", Kind::Funded(1.0), "net-all and a voice that goes with what funding pays"),
        arm("+funding against", Kind::Funded(-1.0), "net-all and a voice that goes against it"),
    ];
    let has = |rule| elsewhere.iter().any(|e| e.rule == rule);
    if has(Rule::Future) {
        let what = "net-all that may hold a dated future in place of the perp";
        arms.push(arm("net-all+future", Kind::Elsewhere(Rule::Future, Parts::NONE), what));
        let what = "the best centre that may hold a dated future in place of what is left in the perp";
        arms.push(arm("centre+future", Kind::Elsewhere(Rule::Future, CENTRE_PARTS), what));
    }
    if has(Rule::Venues) {
        let what = "the best centre whose spot goes to the exchange where it is cheapest";
        arms.push(arm("centre+venues", Kind::Elsewhere(Rule::Venues, CENTRE_PARTS), what));
    }
    arms
}

/// What carry agents say, made wrong on the way.
pub struct Rewrite {
    wrong: Wrong,
    /// By structure: what it said and when, oldest first.
    late: Vec<VecDeque<(Stamp, CarryQuote)>>,
    /// By structure: of which it is heard.
    other: Vec<usize>,
}

impl Rewrite {
    /// For a cast.
    pub fn new(wrong: Wrong, cast: &Cast) -> Self {
        let n = cast.structures.len();
        let mut other: Vec<usize> = (0..n).collect();
        // The next asset of the same agent, round.
        for (i, s) in cast.structures.iter().enumerate() {
            let own: Vec<usize> = (0..n).filter(|j| cast.structures[*j].agent == s.agent).collect();
            let at = own.iter().position(|j| *j == i).unwrap_or(0);
            other[i] = own[(at + own.len() / 2) % own.len()];
        }
        Rewrite { wrong, late: vec![VecDeque::new(); n], other }
    }

    /// Rewrites what was said at `at`, in place.
    pub fn words(&mut self, at: Stamp, said: &mut Said) {
        let late = &mut self.late;
        let (wrong, other) = (self.wrong, &self.other);
        said.structured.retain_mut(|spoken| {
            let Body::Carry(quote) = &mut spoken.body else { return true };
            match wrong {
                Wrong::Inverted => quote.value = -quote.value,
                Wrong::Rich => quote.value = 0.05,
                Wrong::Side => {}
                Wrong::Permuted => spoken.structure = other[spoken.structure],
                Wrong::Shifted | Wrong::Late => {
                    let queue = &mut late[spoken.structure];
                    queue.push_back((at, *quote));
                    let due = |q: &VecDeque<(Stamp, CarryQuote)>| {
                        q.get(1).is_some_and(|next| at.since(next.0).0 >= wrong.delay().0)
                    };
                    while due(queue) {
                        queue.pop_front();
                    }
                    match queue.front().filter(|first| at.since(first.0).0 >= wrong.delay().0) {
                        Some((_, old)) => *quote = *old,
                        None => return false,
                    }
                }
            }
            true
        });
    }
}

/// The desk's account and the carry's, each about its own business.
pub struct Silos {
    /// All voices.
    pub desk: Box<Account>,
    /// The carry.
    pub carry: Box<Account>,
}

impl Silos {
    /// Both days' returns are on the same capital, so they add.
    pub fn finish(self) -> Track {
        let (mut all, carry) = (self.desk.finish(), self.carry.finish());
        all.daily.iter_mut().zip(&carry.daily).for_each(|(d, c)| *d += c);
        all.turnover += carry.turnover;
        all.cost += carry.cost;
        all.running = all.running.min(carry.running);
        all.decisions = format!("{}+{}", all.decisions, carry.decisions);
        all.served = carry.served;
        all
    }
}
