//! Negative controls: the shipped hive with messages that must not help. Each hears as many voices as the
//! hive does; what an agent knows of itself stays right.
//!
//! | control | what others hear |
//! |---|---|
//! | time-shifted | each sender at another time, shifted round by U(¼, ¾) of the run |
//! | sign-scrambled | each sender times a fixed ±1 |
//! | permuted | each asset's consensus is another asset's |
//! | inverted | the opposite |
//! | arrogance | the truth, but who does well listens most |
//! | placebo | scouts enter at random and leave after a time, without stops |
//! | placebo+stops | the same with stops and targets: a trend follower in disguise, not a placebo |

use super::reaction_controls::WordTape;
use crate::agents::Population;
use crate::domain::{AssetId, MessageKind, random};
use crate::engine::Utterance;
use crate::engine::respond::ControlOverrides;
use crate::engine::speak::{Speak, StepOutput};
use crate::fills::pace::unit;

/// A negative control: in which way the messages are made wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Control {
    TimeShifted,
    SignScrambled,
    Permuted,
    Inverted,
    Arrogance,
    Placebo,
    PlaceboStops,
}

impl Control {
    /// All of them, as they are shown.
    pub const ALL: [Control; 7] = [
        Control::TimeShifted,
        Control::SignScrambled,
        Control::Permuted,
        Control::Inverted,
        Control::Arrogance,
        Control::Placebo,
        Control::PlaceboStops,
    ];

    /// As reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Control::TimeShifted => "time-shifted",
            Control::SignScrambled => "sign-scrambled",
            Control::Permuted => "permuted",
            Control::Inverted => "inverted",
            Control::Arrogance => "arrogance",
            Control::Placebo => "placebo",
            Control::PlaceboStops => "placebo+stops",
        }
    }

    /// In a line.
    pub fn what(self) -> &'static str {
        match self {
            Control::TimeShifted => "each sender is heard at another time",
            Control::SignScrambled => "each sender is heard with a random sign",
            Control::Permuted => "each asset hears another asset's consensus",
            Control::Inverted => "everybody is heard the wrong way round",
            Control::Arrogance => "who does well listens most",
            Control::Placebo => "scouts enter at random, without stops",
            Control::PlaceboStops => "scouts enter at random, with stops: not a placebo",
        }
    }

    /// Whether it takes the truth out of all messages, so that a hive that lives on them must lose.
    pub fn silences(self) -> bool {
        matches!(self, Control::TimeShifted | Control::SignScrambled | Control::Permuted | Control::Inverted)
    }

    /// How the engine is misled.
    pub fn misled(self, cast: &Population) -> ControlOverrides {
        let asset_of = if self == Control::Permuted { derangement(cast) } else { Vec::new() };
        ControlOverrides { arrogant: self == Control::Arrogance, asset_of }
    }
}

/// Assets in a circle drawn by the seed, each hearing the next: no asset is its own neighbour unless it
/// is the only one.
fn derangement(cast: &Population) -> Vec<AssetId> {
    let key = |a: usize| random::key(cast.seed, &[random::name("permuted"), a as u64]);
    let mut circle: Vec<usize> = (0..cast.by_asset.len()).collect();
    circle.sort_by_key(|a| (key(*a), *a));
    let mut next = vec![AssetId(0); circle.len()];
    for (i, a) in circle.iter().enumerate() {
        next[*a] = AssetId(circle[(i + 1) % circle.len()] as u16);
    }
    next
}

/// Everything that was said in a run: by slot, the barriers at which the intent changed, and to what.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    changes: Vec<Vec<(u32, f64)>>,
    barriers: u32,
    /// The words themselves, where a control of reactions hears them at another time.
    words: Option<WordTape>,
}

impl Tape {
    /// An empty tape.
    pub fn new(cast: &Population) -> Self {
        Tape { changes: vec![Vec::new(); cast.slots.len()], barriers: 0, words: None }
    }

    /// The same, which keeps the words too.
    #[must_use]
    pub fn with_words(self) -> Self {
        Tape { words: Some(WordTape::default()), ..self }
    }

    /// The words; none if they are not kept.
    pub fn words(&self) -> Option<&WordTape> {
        self.words.as_ref()
    }

    /// A barrier has passed.
    pub fn push(&mut self, cast: &Population, said: &StepOutput) {
        self.words.iter_mut().for_each(|words| words.push(cast, &said.utterances));
        for u in &said.utterances {
            if let MessageKind::Action(a) = &u.body {
                self.changes[u.voice].push((self.barriers, a.after));
            }
        }
        self.barriers += 1;
    }

    /// The intent of a slot as of a barrier.
    pub fn at(&self, slot: usize, barrier: u32) -> f64 {
        let changes = &self.changes[slot];
        let known = changes.partition_point(|(t, _)| *t <= barrier);
        known.checked_sub(1).map_or(0.0, |i| changes[i].1)
    }
}

/// Rewrites what is heard, barrier by barrier.
pub struct MessageRewrite {
    control: Control,
    barrier: u32,
    coins: Vec<Coin>,
    /// By slot: the shift in barriers.
    shifts: Vec<u32>,
}

impl MessageRewrite {
    /// For a run; `tape` is of all of it, and needed by the time shift alone.
    pub fn new(control: Control, cast: &Population, tape: Option<&Tape>) -> Self {
        let bars = tape.map_or(0, |t| t.barriers);
        let shift = |slot: &crate::agents::AgentAsset| {
            let sender = random::name(&cast.agents[slot.agent.index()].name);
            let u = random::uniform(random::key(cast.seed, &[random::name("time-shifted"), sender]));
            (f64::from(bars) * (0.25 + 0.5 * u)) as u32
        };
        MessageRewrite {
            control,
            barrier: 0,
            coins: vec![Coin::default(); cast.slots.len()],
            shifts: cast.slots.iter().map(shift).collect(),
        }
    }

    /// By slot, what is heard in place of what was said at a barrier.
    pub fn misheard(
        &mut self,
        cast: &Population,
        speak: &Speak,
        said: &[Utterance],
        tape: Option<&Tape>,
    ) -> Vec<(usize, f64)> {
        let barrier = self.barrier;
        self.barrier += 1;
        match self.control {
            Control::Permuted | Control::Arrogance => Vec::new(),
            Control::SignScrambled | Control::Inverted => {
                let wrong = |u: &Utterance| match &u.body {
                    MessageKind::Action(a) => Some((u.voice, self.sign(cast, u.voice) * a.after)),
                    _ => None,
                };
                said.iter().filter_map(wrong).collect()
            }
            Control::TimeShifted => {
                let Some(tape) = tape.filter(|t| t.barriers > 0) else { return Vec::new() };
                let then =
                    |(slot, shift): (usize, &u32)| (slot, tape.at(slot, (barrier + shift) % tape.barriers));
                self.shifts.iter().enumerate().map(then).collect()
            }
            Control::Placebo | Control::PlaceboStops => {
                let stops = self.control == Control::PlaceboStops;
                let slots = cast.declared_slots..cast.slots.len();
                slots.map(|slot| (slot, self.coins[slot].step(cast, speak, slot, barrier, stops))).collect()
            }
        }
    }

    fn sign(&self, cast: &Population, slot: usize) -> f64 {
        if self.control == Control::Inverted {
            return -1.0;
        }
        let sender = random::name(&cast.agents[cast.slots[slot].agent.index()].name);
        let heads = random::below(random::key(cast.seed, &[random::name("sign-scrambled"), sender]), 2) == 0;
        if heads { 1.0 } else { -1.0 }
    }
}

/// A scout that knows nothing: it enters by a coin, at unit risk, and leaves after a time.
#[derive(Clone, Copy, Debug, Default)]
struct Coin {
    size: f64,
    left: u32,
    entry: f64,
    sigma: f64,
    taken: bool,
}

/// The stop, near and far target of the random family, in volatilities of one bar.
const STOP: f64 = 6.0;
const NEAR: f64 = 5.0;
const FAR: f64 = 12.0;

impl Coin {
    fn step(&mut self, cast: &Population, speak: &Speak, slot: usize, barrier: u32, stops: bool) -> f64 {
        let place = &cast.slots[slot];
        let listing = &speak.market.instruments[place.asset.index()];
        if !listing.trading || !listing.sigma.is_finite() {
            *self = Coin::default();
            return 0.0;
        }
        let agent = random::name(&cast.agents[place.agent.index()].name);
        let key = random::key(cast.seed, &[random::name("placebo"), agent, u64::from(place.asset.0)]);
        // Ten to sixty bars, as the random family's own.
        let every = 10 + random::below(key, 51) as u32;
        if self.size != 0.0 {
            self.left = self.left.saturating_sub(1);
            if stops {
                self.judge(listing.last().close);
            }
            if self.left == 0 {
                *self = Coin::default();
            }
            return self.size;
        }
        let coin = random::mix(key, u64::from(barrier));
        if random::below(coin, u64::from(every)) == 0 {
            let side = if random::uniform(coin) < 0.5 { 1.0 } else { -1.0 };
            *self = Coin {
                size: side * unit(listing.sigma),
                left: 2 * every,
                entry: listing.last().close,
                sigma: listing.sigma,
                taken: false,
            };
        }
        self.size
    }

    fn judge(&mut self, close: f64) {
        let gain = libm::copysign(1.0, self.size) * (close / self.entry - 1.0) / self.sigma;
        if !(-STOP..=FAR).contains(&gain) {
            self.left = 0;
        } else if gain > NEAR && !self.taken {
            self.taken = true;
            self.size *= 0.5;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_remembers_what_stood_at_each_barrier() {
        let tape = Tape { changes: vec![vec![(2, 1.0), (5, -0.5), (5, 0.0)]], barriers: 8, words: None };
        let read: Vec<f64> = (0..8).map(|t| tape.at(0, t)).collect();
        assert_eq!(read, [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_coin_with_stops_leaves_where_one_without_stays() {
        let open = Coin { size: 2.0, left: 9, entry: 100.0, sigma: 0.01, taken: false };
        let judged = |close: f64| {
            let mut coin = open;
            coin.judge(close);
            (coin.left, coin.size)
        };
        assert_eq!(judged(100.0), (9, 2.0));
        assert_eq!(judged(93.0), (0, 2.0));
        assert_eq!(judged(106.0), (9, 1.0));
        assert_eq!(judged(113.0), (0, 2.0));
    }
}
