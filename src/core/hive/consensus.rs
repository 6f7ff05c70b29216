//! The consensus: what all voices together mean on each asset.
//!
//! ```text
//! p_j[a] = q_j[a]·close[a]                 q_j the quantity that j announced, per unit of its capital
//! P_k[a] = Σ p_j[a] over the unmuted members j of family k
//! C[a]   = (1/M) Σ_k v_k P_k[a]            M = unmuted voices, also those that are flat
//! ```
//!
//! What is summed is q·P0, P0 the price at which the asset was first spoken of, so that a bar costs one
//! multiplication an asset (by close/P0) however many speak.
//!
//! # Structures and legs
//!
//! Near-neutral intents are to be pooled per structure, the set of legs, and not per leg. Let structure s
//! have the leg ratios `r_s[a]` and its voices sizes `q_j`, so that `p_j[a] = q_j·r_s[a]`. Pooling structures
//! first and unfolding them after gives
//!
//! ```text
//! Σ_s r_s[a] · (1/M) Σ_{j holds s} v_j q_j  =  (1/M) Σ_j v_j q_j r_s(j)[a]  =  (1/M) Σ_j v_j p_j[a]  =  C[a]
//! ```
//!
//! for any weights v: pooling is linear, and unfolding is too, so the order does not matter and C is the
//! same number. What is not linear comes after it, in the mind, leg by leg: a side that is clipped,
//! `no_flip`, `max_follow`. So a structure is heard by its net delta on its asset, which its messages say
//! ([`Action::delta`](crate::domain::Action::delta)): all of it for a scalper, 0 for one that is neutral or hedged as
//! it goes.
//!
//! # Invariants
//!
//! 1. A change of intent costs O(1); a bar costs O(1) an asset; reading C costs O(families).
//! 2. Sums are whole numbers of 2⁻⁴⁰, so they do not depend on order and leave nothing behind when an
//!    intent closes.
//! 3. It holds what was said, not what anybody meant or holds since: only `hear` changes it, and prices.

use crate::agents::Population;
use crate::domain::{AgentId, Announced, AssetId, Holds, MessageId};
use serde::{Deserialize, Serialize};

/// 2⁴⁰: the thousandth part of a millionth of capital is still a thousand of its parts.
const ONE: f64 = (1_u64 << 40) as f64;
/// Most that one intent may be, in capital at P0: of each of 11 000 agents it still fits an i128, and no asset
/// falls to a 10¹⁵th of its first price.
const WORTH_MAX: f64 = 1e18;
/// A whole number of parts as what it is worth. Nearly all fit 64 bits, whose conversion is an instruction.
fn real(parts: i128) -> f64 {
    let whole = if let Ok(n) = i64::try_from(parts) { n as f64 } else { beyond_64_bits(parts) };
    whole / ONE
}

/// Kept apart: beside the fast conversion the compiler would merge both into the slow one.
#[cold]
#[inline(never)]
fn beyond_64_bits(parts: i128) -> f64 {
    parts as f64
}

/// Silenced by the operator.
const MUTED: u8 = 1;
/// Silenced by a manager.
const HUSHED: u8 = 2;

/// What every voice last said, and the sums.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Consensus {
    /// By asset, then family, as the population lists them.
    sums: Vec<Vec<i128>>,
    /// By asset: P0, zero before anybody spoke of it, and close/P0 now.
    base: Vec<(f64, f64)>,
    /// By voice ([`Population::voice`]): the position as announced.
    announced: Vec<Announced>,
    /// By voice: its worth at P0, as it is in the sums.
    heard: Vec<i128>,
    /// By voice: the message that said so.
    said: Vec<MessageId>,
    /// By agent: who silences it, [`MUTED`] and [`HUSHED`] together; 0 is heard.
    silenced: Vec<u8>,
    voices: u32,
}

impl Consensus {
    /// Nobody has spoken yet, and nobody is silenced but who is a control group.
    pub fn new(cast: &Population) -> Self {
        Consensus {
            sums: vec![vec![0; cast.families.len()]; cast.by_asset.len()],
            base: vec![(0.0, 1.0); cast.by_asset.len()],
            announced: vec![Announced::default(); cast.voices()],
            heard: vec![0; cast.voices()],
            said: vec![MessageId(0); cast.voices()],
            silenced: cast.agents.iter().map(|a| if a.heard { 0 } else { MUTED }).collect(),
            voices: cast.agents.iter().filter(|a| a.heard).count() as u32,
        }
    }

    /// A voice has said that it now holds `delta` of its asset, a signed fraction of its capital, at `price`.
    pub fn hear(
        &mut self,
        cast: &Population,
        voice: usize,
        (delta, price): (f64, f64),
        holds: Holds,
        message: MessageId,
    ) {
        let (agent, asset) = cast.voice(voice);
        let base = &mut self.base[asset.index()].0;
        if *base == 0.0 && delta != 0.0 && price.is_finite() && price > 0.0 {
            *base = price;
        }
        self.announced[voice].say(delta, price);
        let value = self.announced[voice].at(*base, holds);
        let p = libm::rint(value.clamp(-WORTH_MAX, WORTH_MAX) * ONE) as i128;
        let change = p - self.heard[voice];
        self.heard[voice] = p;
        self.said[voice] = message;
        if self.is_heard(agent) {
            let family = cast.agents[agent.index()].family_index;
            self.sums[asset.index()][family] += change;
        }
    }

    /// An asset has closed at this price.
    pub fn price(&mut self, asset: AssetId, close: f64, holds: Holds) {
        let (first, now) = &mut self.base[asset.index()];
        if holds == Holds::Quantity && *first > 0.0 && close.is_finite() && close > 0.0 {
            *now = close / *first;
        }
    }

    /// The operator has the agent heard no more, or again; whether that is news. What it says meanwhile is
    /// remembered.
    pub fn mute(&mut self, cast: &Population, agent: AgentId, muted: bool) -> bool {
        let before = !self.is_heard(agent);
        let news = self.set(agent, MUTED, muted);
        self.sound(cast, agent, before);
        news
    }

    /// The same by a manager: each has a hand of its own, and one who is silenced by both stays so until
    /// both let go.
    pub fn silence(&mut self, cast: &Population, agent: AgentId, hushed: bool) {
        let before = !self.is_heard(agent);
        self.set(agent, HUSHED, hushed);
        self.sound(cast, agent, before);
    }

    /// Whether an agent's voice counts.
    pub fn is_heard(&self, agent: AgentId) -> bool {
        self.silenced.get(agent.index()) == Some(&0)
    }

    /// Whether that is news.
    fn set(&mut self, agent: AgentId, who: u8, on: bool) -> bool {
        let Some(now) = self.silenced.get_mut(agent.index()) else { return false };
        let before = *now;
        *now = if on { before | who } else { before & !who };
        *now != before
    }

    /// Takes a voice out of the sums, or puts it in.
    fn sound(&mut self, cast: &Population, agent: AgentId, was_silent: bool) {
        let silent = !self.is_heard(agent);
        let Some(agent) = cast.agents.get(agent.index()).filter(|_| silent != was_silent) else { return };
        let sign = if silent { -1 } else { 1 };
        self.voices = self.voices.wrapping_add_signed(sign);
        for voice in cast.voices_by(agent) {
            let (_, asset) = cast.voice(voice);
            self.sums[asset.index()][agent.family_index] += i128::from(sign) * self.heard[voice];
        }
    }

    /// C\[a\], a signed fraction of the hive's capital.
    pub fn of(&self, asset: AssetId, voice: &[f64]) -> f64 {
        if self.voices == 0 {
            return 0.0;
        }
        let sums = &self.sums[asset.index()];
        let weighted: f64 = sums.iter().zip(voice).filter(|(s, _)| **s != 0).map(|(s, v)| v * real(*s)).sum();
        weighted * self.base[asset.index()].1 / f64::from(self.voices)
    }

    /// What a voice is heard to hold, at the last price; 0 while it is not heard.
    #[inline]
    pub fn heard(&self, cast: &Population, voice: usize) -> f64 {
        // Most are flat most of the time.
        if self.heard[voice] == 0 {
            return 0.0;
        }
        let (agent, asset) = cast.voice(voice);
        let value = real(self.heard[voice]) * self.base[asset.index()].1;
        if self.is_heard(agent) { value } else { 0.0 }
    }

    /// The voices that are heard on one side of an asset, each with its agent and what it is heard to hold in the direction
    /// of `sign`, +1 or −1.
    pub fn on_side(
        &self,
        cast: &Population,
        asset: AssetId,
        sign: f64,
    ) -> impl Iterator<Item = (usize, AgentId, f64)> {
        // Prices are positive: what is kept of a voice says on which side it is, and most of them are on neither.
        let is_here = move |parts: i128| parts != 0 && (parts < 0) == (sign < 0.0);
        let here = cast.voices_on(asset).filter(move |voice| is_here(self.heard[*voice]));
        let heard = here.map(move |voice| (voice, cast.voice(voice).0, sign * self.heard(cast, voice)));
        heard.filter(|(_, _, heard)| *heard > 0.0)
    }

    /// The message in which it said so; 0 for none.
    pub fn said(&self, voice: usize) -> MessageId {
        self.said[voice]
    }

    /// Whether the operator has muted an agent.
    pub fn is_muted(&self, agent: AgentId) -> bool {
        self.silenced.get(agent.index()).is_some_and(|s| s & MUTED != 0)
    }

    /// M, the voices that are heard.
    pub fn voices(&self) -> u32 {
        self.voices
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::random;

    /// The identity of the module's text, on numbers: the unfolded pool of structures is the pool of legs.
    #[test]
    fn pooling_structures_and_unfolding_them_is_pooling_their_legs() {
        const ASSETS: usize = 4;
        let draw = |a: u64, b: u64| random::uniform(random::key(7, &[a, b])) - 0.5;
        let ratios: Vec<[f64; ASSETS]> = (0..5).map(|s| std::array::from_fn(|a| draw(s, a as u64))).collect();
        let voices: Vec<(usize, f64, f64)> =
            (0..60).map(|j| (j as usize % 5, draw(100, j), 0.6 + draw(200, j).abs())).collect();
        (0..ASSETS).for_each(|a| {
            let ratio = |s: usize| ratios[s][a];
            let legs: f64 = voices.iter().map(|(s, q, v)| v * (q * ratio(*s))).sum();
            let of = |s: usize| -> f64 { voices.iter().filter(|x| x.0 == s).map(|(_, q, v)| v * q).sum() };
            let structures: f64 = (0..5).map(|s| ratio(s) * of(s)).sum();
            assert!((legs - structures).abs() < 1e-12 && legs != 0.0);
        });
    }
}
