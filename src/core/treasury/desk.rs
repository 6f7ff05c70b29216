//! The desk: where the stances of all agents become one net position per asset, and where
//! that position is told apart again, agent by agent, to the last atom.
//!
//! ```text
//! aim_i[a] += η (x_i[a] − aim_i[a])                     aim = Σ aim_i, linear, so attribution is exact
//! tgt_i = k·s·aim_i      k and s from [`super::sizing`]; long-only instrument and Σtgt < 0: all tgt_i = 0
//! net follows Σtgt at the desk's pace ([`crate::fills::pace`]): to it if |Σtgt − held| > β·max(|Σtgt|, |held|),
//!     or to the edge of a zone around it, else it stays;  Σtgt = 0: flat
//! held_i = tgt_i + (held − Σtgt)·|tgt_i| / Σ|tgt|       on the held actually reached
//! ```
//!
//! # Invariants
//!
//! 1. Σ `held_i` = held in whole atoms (at most a millionth of a lot, or one unit), always; a lot is whole atoms, whatever
//!    it is.
//! 2. Only the net goes to the venue; what agents trade against each other is crossed inside.
//! 3. A decision at one close is carried out at the next bar of its asset, or replaced by the next.
//! 4. A bound part never grows and never turns over; what it may not take, others hold.
//! 5. Until the volatility of the aim is known, the target is flat.
//! 6. What no agent with funds may hold, the desk holds itself: one part an instrument whose book is the
//!    treasury's, attributed like any other, so that Σ books = account.

pub use super::desk_inputs::{DeskQuote, RiskControls};
use super::settings::DeskSettings;
use super::sizing::{SizeRules, Sizing};
use crate::agents::Population;
use crate::domain::money::power_of_ten;
use crate::domain::{AgentId, Decimal, Instrument, InstrumentId, InstrumentKind, Span, Universe};
use crate::fills::Tariff;
use crate::fills::pace::PositionPace;
use crate::ledger::Ledger;
use crate::ledger::exact::QUANTITY_SCALE;
use serde::{Deserialize, Serialize};

/// Most base units that equity is taken for: books hold ten times as many.
const UNITS_MAX: f64 = 1e13;
/// Most atoms that all parts of a position come to, either way: they are counted in 63 bits.
const ATOMS_MAX: f64 = 4e18;
/// Multiples of equity that the parts of a position never come to: below so many atoms nothing has to be bounded.
const PARTS_MAX: f64 = 100.0;
/// Decimal places that attribution has beyond the lot.
const FINER: u32 = 6;
/// How quantities of an instrument are counted: in a power of ten of which its lot is a whole number, whatever decimal that
/// is. Not in parts of the lot: quantities of other lots are counted too, of spot that is carried or of a venue that has
/// changed its rules, and the millionth of a lot of 3 is no part of one of 0.25.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Atoms {
    /// Decimal places of an atom.
    scale: u32,
}

impl Atoms {
    /// How quantities of an instrument are counted.
    pub fn of(instrument: &Instrument) -> Self {
        // An atom is at most a millionth of the lot, 10^(k−6) of a lot from 10^k on, but never more than one unit: a
        // Decimal has no negative scale.
        let lot = instrument.lot.normalize();
        let large = lot.mantissa().unsigned_abs().checked_ilog10().unwrap_or(0);
        let scale = lot.scale() + FINER - large.min(FINER);
        // Finer than the books nothing can be booked.
        Atoms { scale: scale.min(QUANTITY_SCALE) }.and_of(instrument)
    }

    /// The same, so fine that the lot of another instrument is a whole number too.
    fn and_of(self, other: &Instrument) -> Self {
        Atoms { scale: self.scale.max(other.lot.normalize().scale()) }
    }

    /// A count of atoms as a quantity.
    pub fn quantity(self, atoms: i64) -> Decimal {
        Decimal::new(atoms, self.scale)
    }

    /// A quantity as a count of atoms; `None` if it is not whole or does not fit.
    pub fn count(self, quantity: Decimal) -> Option<i64> {
        if quantity.is_zero() {
            return Some(0);
        }
        let q = quantity.normalize();
        let up = self.scale.checked_sub(q.scale())?;
        q.mantissa().checked_mul(10_i128.checked_pow(up)?).and_then(|n| i64::try_from(n).ok())
    }

    /// An estimate as atoms.
    fn estimate(self, quantity: f64) -> f64 {
        quantity * power_of_ten(self.scale)
    }
}

/// What does not change during a run.
#[derive(Clone, Debug)]
pub struct DeskSpec {
    rules: SizeRules,
    /// By instrument: the slots of declared agents on its asset, in the order of agents, and last the
    /// desk's own part.
    by_instrument: Vec<Vec<u32>>,
    /// By part: the agent whose it is.
    agents: Vec<AgentId>,
    atoms: Vec<Atoms>,
}

impl DeskSpec {
    /// For a cast on a universe. Today each asset has one instrument, of the same number.
    pub fn new(
        settings: DeskSettings,
        cast: &Population,
        universe: &Universe,
        costs: &Tariff,
        clock: Span,
    ) -> Self {
        let declared = |asset: &Vec<u32>| {
            asset.iter().copied().filter(|s| (*s as usize) < cast.declared_slots).collect()
        };
        let mut by_instrument: Vec<Vec<u32>> = cast.by_asset.iter().map(declared).collect();
        let mut agents: Vec<AgentId> = cast.slots[..cast.declared_slots].iter().map(|s| s.agent).collect();
        for slots in &mut by_instrument {
            slots.push(agents.len() as u32);
            agents.push(Ledger::TREASURY);
        }
        DeskSpec {
            rules: SizeRules::new(settings, universe, costs, clock),
            by_instrument,
            agents,
            atoms: universe.desk().iter().map(|i| Self::counted(i, universe)).collect(),
        }
    }

    /// How quantities of an instrument are counted, those of spot that may be carried beside it among them.
    fn counted(instrument: &Instrument, universe: &Universe) -> Atoms {
        let is_beside = |i: &&Instrument| i.asset == instrument.asset && i.kind == InstrumentKind::Spot;
        universe.instruments.iter().filter(is_beside).fold(Atoms::of(instrument), Atoms::and_of)
    }

    /// How aims are sized.
    pub fn rules(&self) -> &SizeRules {
        &self.rules
    }

    /// How an instrument's quantities are counted.
    pub fn atoms(&self, instrument: InstrumentId) -> Atoms {
        self.atoms[instrument.index()]
    }

    /// Each part's index, instrument and owner; the desk's own parts belong to [`Ledger::TREASURY`].
    pub fn places(&self) -> impl Iterator<Item = (usize, InstrumentId, AgentId)> {
        let each = self.by_instrument.iter().enumerate();
        each.flat_map(move |(i, slots)| {
            let part = move |s: &u32| (*s as usize, InstrumentId(i as u16), self.agents[*s as usize]);
            slots.iter().map(part)
        })
    }

    /// The slots of declared agents on an instrument.
    pub fn slots(&self, instrument: InstrumentId) -> &[u32] {
        self.by_instrument[instrument.index()].split_last().map_or(&[], |(_, agents)| agents)
    }

    /// The index of the desk's own part of an instrument.
    pub fn residual_part(&self, instrument: InstrumentId) -> usize {
        // The own parts come after those of all agents, one an instrument.
        self.agents.len() - self.by_instrument.len() + instrument.index()
    }
}

/// A declared agent's part of an asset, or the desk's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentShare {
    /// Where it is going, as a fraction of equity at the risk of the aims.
    pub aim: f64,
    /// `tgt_i`: `k·s·aim_i`, a fraction of equity.
    pub target: f64,
    /// `held_i`, in atoms.
    pub held: i64,
    /// Whether the operator lets it only shrink.
    pub bound: bool,
}

impl AgentShare {
    /// Keeps a number of atoms between flat and what is held.
    fn shrunk(&self, atoms: f64) -> f64 {
        let held = self.held as f64;
        atoms.clamp(held.min(0.0), held.max(0.0))
    }

    /// How far it can go in the direction of `sign` and stay between flat and `held`, from `now`.
    fn room(held: i64, now: i64, sign: i64) -> i64 {
        if sign > 0 { held.max(0) - now } else { now - held.min(0) }
    }
}

/// The state of the desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeskState {
    /// Shares of the net, by declared slot, and then one an instrument that is no agent's.
    pub parts: Vec<AgentShare>,
    /// By instrument: the net position, in atoms.
    held: Vec<i64>,
    /// By instrument: atoms in one equity, as of the last decision; 0 before the first.
    equity_atoms: Vec<f64>,
    /// Σ aims and their scale.
    pub sizing: Sizing,
}

/// What the net should become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetChange {
    /// Instrument to be traded.
    pub instrument: InstrumentId,
    /// Signed base units to trade; zero means: let the position be.
    pub quantity: Decimal,
}

impl DeskState {
    /// Nothing is held.
    pub fn new(spec: &DeskSpec) -> Self {
        let n = spec.by_instrument.len();
        DeskState {
            parts: vec![AgentShare::default(); spec.agents.len()],
            held: vec![0; n],
            equity_atoms: vec![0.0; n],
            sizing: Sizing::new(&spec.rules),
        }
    }

    /// One step of a slot's aim toward its stance.
    pub fn aim(&mut self, slot: usize, x: f64, pace: PositionPace) {
        let part = &mut self.parts[slot];
        part.aim = pace.step(part.aim, x);
    }

    /// Lets a slot's part only shrink, or grow again. True if what was decided last would have it grow:
    /// then that decision must not be carried out.
    pub fn bind(&mut self, slot: usize, instrument: InstrumentId, bound: bool) -> bool {
        let part = &mut self.parts[slot];
        part.bound = bound;
        let target = part.target * self.equity_atoms[instrument.index()];
        bound && libm::fabs(target - part.shrunk(target)) >= 1.0
    }

    /// The net position, in atoms.
    pub fn held(&self, instrument: InstrumentId) -> i64 {
        self.held[instrument.index()]
    }

    /// Decides on every instrument that has a price now (in the order of instruments).
    pub fn decide(
        &mut self,
        spec: &DeskSpec,
        quotes: &[DeskQuote],
        steer: &RiskControls,
        wanted: &mut Vec<TargetChange>,
    ) {
        self.sizing.learn(quotes);
        for (aim, slots) in self.sizing.aims.iter_mut().zip(&spec.by_instrument) {
            *aim = slots.iter().map(|s| self.parts[*s as usize].aim).sum();
        }
        let scale = self.sizing.scale(&spec.rules, steer);
        for quote in quotes {
            let quantity = self.target(spec, quote, scale, steer);
            wanted.push(TargetChange { instrument: quote.instrument, quantity });
        }
    }

    fn target(&mut self, spec: &DeskSpec, quote: &DeskQuote, scale: f64, steer: &RiskControls) -> Decimal {
        let i = quote.instrument.index();
        let slots = &spec.by_instrument[i];
        let long_only = !spec.rules.kinds[i].can_short();
        let scale = if long_only && self.sizing.aims[i] < 0.0 { 0.0 } else { scale };
        // Of what has become worth next to nothing no more is held than can be counted.
        let units = (steer.equity / quote.close).min(UNITS_MAX);
        self.equity_atoms[i] = spec.atoms[i].estimate(units);
        if self.equity_atoms[i] > ATOMS_MAX / PARTS_MAX {
            let parts: f64 = slots.iter().map(|s| libm::fabs(scale * self.parts[*s as usize].aim)).sum();
            self.equity_atoms[i] = self.equity_atoms[i].min(ATOMS_MAX / parts.max(1.0));
        }
        let mut net = 0.0;
        for slot in slots {
            let part = &mut self.parts[*slot as usize];
            part.target = scale * part.aim;
            if part.bound {
                let atoms = part.shrunk(part.target * self.equity_atoms[i]);
                part.target = if self.equity_atoms[i] > 0.0 { atoms / self.equity_atoms[i] } else { 0.0 };
            }
            net += part.target;
        }
        let (width, least) = self.sizing.follow(&spec.rules, quote, steer, net);
        let (target, held) = (libm::rint(net * self.equity_atoms[i]), self.held[i] as f64);
        let change = libm::rint(width.scaled(self.equity_atoms[i]).goal(target, held)) - held;
        let too_small = target != 0.0 && libm::fabs(change) < least * self.equity_atoms[i];
        spec.atoms[i].quantity(if too_small { 0 } else { change as i64 })
    }

    /// Tells the position apart after a bar of the instrument: `filled` atoms were added to the net.
    /// Gives each agent's change, in the order of agents; their sum is `filled`.
    pub fn attribute(
        &mut self,
        spec: &DeskSpec,
        instrument: InstrumentId,
        filled: i64,
        changes: &mut Vec<(AgentId, i64)>,
    ) {
        let i = instrument.index();
        let slots = &spec.by_instrument[i];
        let (before, held) = (self.held[i], self.held[i] + filled);
        self.held[i] = held;
        let (mut net, mut gross) = (0.0, 0.0);
        let mut last = None;
        for (at, slot) in slots.iter().enumerate() {
            let t = self.parts[*slot as usize].target * self.equity_atoms[i];
            net += t;
            gross += libm::fabs(t);
            if t != 0.0 {
                last = Some(at);
            }
        }
        // Without targets what is still held shrinks alike for all; then everybody who holds counts.
        let last = last.or_else(|| slots.iter().rposition(|s| self.parts[*s as usize].held != 0));
        // What a carrier's leg left over, with nobody there, is the desk's until the next decision.
        let last = last.or_else(|| (held != 0).then(|| slots.len() - 1));
        let Some(last) = last else { return };
        if slots.iter().any(|s| self.parts[*s as usize].bound) {
            return self.attribute_bound(spec, i, before, (net, gross), last, changes);
        }
        let gap = held as f64 - net;
        // The remainder is carried from agent to agent, so that rounding never adds up to an atom.
        let (mut carried, mut given) = (0.0, 0_i64);
        for (at, slot) in slots.iter().enumerate() {
            let part = &mut self.parts[*slot as usize];
            let t = part.target * self.equity_atoms[i];
            let ideal = match gross > 0.0 {
                true => t + gap * libm::fabs(t) / gross,
                false if before == 0 => 0.0,
                false => part.held as f64 * (held as f64 / before as f64),
            };
            carried += ideal;
            let new = match at {
                _ if at == last => held - given,
                _ if ideal == 0.0 => 0,
                _ => libm::rint(carried) as i64 - given,
            };
            given += new;
            if new != part.held {
                changes.push((spec.agents[*slot as usize], new - part.held));
                part.held = new;
            }
        }
    }

    /// As above, where some parts may only shrink: what they may not take goes to those who aim at
    /// something, and where nobody else does, to whoever can take it and still not grow.
    fn attribute_bound(
        &mut self,
        spec: &DeskSpec,
        i: usize,
        before: i64,
        (net, gross): (f64, f64),
        last: usize,
        changes: &mut Vec<(AgentId, i64)>,
    ) {
        let slots = &spec.by_instrument[i];
        let held = self.held[i];
        let ideal = |part: &AgentShare| {
            let t = part.target * self.equity_atoms[i];
            let free = match gross > 0.0 {
                true => t + (held as f64 - net) * libm::fabs(t) / gross,
                false if before == 0 => 0.0,
                false => part.held as f64 * (held as f64 / before as f64),
            };
            if part.bound { part.shrunk(free) } else { free }
        };
        let parts = || slots.iter().map(|s| &self.parts[*s as usize]);
        let mut new: Vec<i64> = parts().map(|p| libm::rint(ideal(p)) as i64).collect();
        let mut rest = held - new.iter().sum::<i64>();
        let takers: f64 =
            parts().filter(|p| !p.bound).map(|p| libm::fabs(p.target * self.equity_atoms[i])).sum();
        if takers > 0.0 {
            let (mut due, mut given, all) = (0.0, 0, rest);
            for (n, part) in new.iter_mut().zip(parts()).filter(|(_, p)| !p.bound) {
                due += all as f64 * libm::fabs(part.target * self.equity_atoms[i]) / takers;
                let more = libm::rint(due) as i64 - given;
                (*n, given, rest) = (*n + more, given + more, rest - more);
            }
        }
        for (n, part) in new.iter_mut().zip(parts()) {
            let sign = rest.signum();
            let more = sign * rest.abs().min(AgentShare::room(part.held, *n, sign).max(0));
            (*n, rest) = (*n + more, rest - more);
        }
        // Nobody has room only where the venue filled what was not asked of it; it still has to be held.
        new[last] += rest;
        for (n, slot) in new.into_iter().zip(slots) {
            let part = &mut self.parts[*slot as usize];
            if n != part.held {
                changes.push((spec.agents[*slot as usize], n - part.held));
                part.held = n;
            }
        }
    }

    /// Whether anybody's part of an instrument is short.
    pub fn parts_short(&self, spec: &DeskSpec, instrument: InstrumentId) -> bool {
        spec.by_instrument[instrument.index()].iter().any(|s| self.parts[*s as usize].held < 0)
    }

    /// The asset is gone: nothing is aimed at any more. What is held is closed by the venue's last fill.
    pub fn forget(&mut self, spec: &DeskSpec, instrument: InstrumentId) {
        for slot in &spec.by_instrument[instrument.index()] {
            let part = &mut self.parts[*slot as usize];
            (part.aim, part.target) = (0.0, 0.0);
        }
        self.sizing.aims[instrument.index()] = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::step::{count, multiple};
    use crate::domain::{AssetId, ContractTerms};
    use crate::fills::Costs;
    use crate::fills::pace::Width;
    use proptest::prelude::*;

    const AT_ONCE: PositionPace = PositionPace { patience: 1.0, width: Width::Band(0.4), shorts: true };

    fn quote(close: f64, change: f64) -> DeskQuote {
        DeskQuote { instrument: InstrumentId(0), close, change, sigma: 0.01, volume: 1e6 }
    }

    fn spec(agents: u32, kind: InstrumentKind) -> DeskSpec {
        let lot = Atoms { scale: 9 };
        DeskSpec {
            rules: SizeRules {
                settings: DeskSettings { band: 0.4, ..DeskSettings::default() },
                kinds: vec![kind],
                costs: vec![Costs::default()],
                bars_per_year: 2_191.5,
            },
            by_instrument: vec![(0..=agents).collect()],
            agents: (0..agents).map(AgentId).chain([Ledger::TREASURY]).collect(),
            atoms: vec![lot],
        }
    }

    fn lot() -> impl Strategy<Value = Decimal> {
        let named =
            ["0.5", "0.25", "3", "0.00007", "0.05", "125", "17", "0.001", "1", "1000", "0.0000000025"];
        prop_oneof![
            prop::sample::select(named.map(|l| l.parse::<Decimal>().unwrap()).to_vec()),
            (1_i64..100_000, 0_u32..10).prop_map(|(m, s)| Decimal::new(m, s)),
        ]
    }

    fn listed(id: u16, kind: InstrumentKind, lot: Decimal) -> Instrument {
        Instrument {
            id: InstrumentId(id),
            asset: AssetId(0),
            symbol: id.to_string(),
            kind,
            venue: String::new(),
            quote: None,
            terms: ContractTerms::Plain,
            tick: Decimal::ONE.into(),
            lot,
            min_notional: Decimal::ZERO,
            contract: Decimal::ONE,
        }
    }

    #[test]
    fn lots_that_are_powers_of_ten_have_a_millionth_or_one_unit() {
        let atom = |lot: &str| Atoms::of(&listed(0, InstrumentKind::Perp, lot.parse().unwrap())).quantity(1);
        for (lot, places) in
            [("0.001", 9), ("0.00000001", 14), ("1", 6), ("10", 5), ("1000000", 0), ("100000000", 0)]
        {
            assert_eq!(atom(lot), Decimal::new(1, places), "{lot}");
        }
        assert_eq!(atom("0.000000001"), Decimal::new(1, QUANTITY_SCALE), "no finer than the books");
    }

    fn steer() -> RiskControls {
        RiskControls { equity: 100_000.0, width: 1.0, risk_scale: 1.0, gross_scale: 1.0, flatten: false }
    }

    /// A desk whose aim has had its bars, the aims given.
    fn warm(spec: &DeskSpec, aims: &[f64]) -> (DeskState, Vec<TargetChange>) {
        let mut desk = DeskState::new(spec);
        let mut wanted = vec![];
        for bar in 0..200 {
            for (slot, x) in aims.iter().enumerate() {
                desk.aim(slot, *x, AT_ONCE);
            }
            wanted.clear();
            let change = if bar % 2 == 0 { 0.01 } else { -0.01 };
            desk.decide(spec, &[quote(100.0, change)], &steer(), &mut wanted);
        }
        (desk, wanted)
    }

    #[test]
    fn risk_is_scaled_to_the_target_by_what_the_aim_earned_and_lost() {
        let (desk, wanted) = warm(&spec(2, InstrumentKind::Perp), &[0.3, -0.1]);
        // The aim of 0.2 moved 1 % a bar: 0.2 % a bar is 9.36 % per year.
        let k = 0.15 / (0.002 * libm::sqrt(2_191.5));
        assert!((desk.sizing.risk_multiple - k).abs() < 1e-6);
        assert_eq!(desk.sizing.gross_scale, 1.0);
        let net = 0.2 * k * 1_000.0;
        assert!((crate::domain::money::to_estimate(wanted[0].quantity) - net).abs() < 1e-6);
    }

    #[test]
    fn before_its_volatility_is_known_the_target_is_flat() {
        let spec = spec(1, InstrumentKind::Perp);
        let mut desk = DeskState::new(&spec);
        desk.aim(0, 0.5, AT_ONCE);
        let mut wanted = vec![];
        desk.decide(&spec, &[quote(100.0, 0.01)], &steer(), &mut wanted);
        assert_eq!((desk.sizing.risk_multiple, wanted[0].quantity), (0.0, Decimal::ZERO));
    }

    #[test]
    fn the_gross_cap_binds_and_spot_stays_long() {
        let (desk, _) = warm(&spec(1, InstrumentKind::Spot), &[0.2]);
        assert!(
            (desk.sizing.risk_multiple * desk.sizing.gross_scale * 0.2 - 0.32).abs() < 0.01,
            "under the cap of 1"
        );
        let (_, wanted) = warm(&spec(2, InstrumentKind::Spot), &[0.1, -0.3]);
        assert_eq!(wanted[0].quantity, Decimal::ZERO);
    }

    #[test]
    fn inside_the_band_the_net_stays_and_the_parts_still_follow() {
        let spec = spec(2, InstrumentKind::Perp);
        let (mut desk, wanted) = warm(&spec, &[0.2, 0.1]);
        let filled = spec.atoms[0].count(wanted[0].quantity).unwrap();
        let mut changes = vec![];
        desk.attribute(&spec, InstrumentId(0), filled, &mut changes);
        assert_eq!(changes.iter().map(|c| c.1).sum::<i64>(), filled);
        for (slot, x) in [0.1, 0.2].into_iter().enumerate() {
            desk.aim(slot, x, AT_ONCE);
        }
        let mut wanted = vec![];
        desk.decide(&spec, &[quote(100.0, 0.01)], &steer(), &mut wanted);
        assert_eq!(wanted[0].quantity, Decimal::ZERO);
        changes.clear();
        desk.attribute(&spec, InstrumentId(0), 0, &mut changes);
        assert_eq!(changes.len(), 2);
        assert_eq!(changes[0].1, -changes[1].1, "crossed inside");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn parts_always_sum_to_the_net(steps in prop::collection::vec((prop::collection::vec(-3.0_f64..3.0, 7), -2_000_000_000_i64..2_000_000_000), 1..12)) {
            let spec = spec(7, InstrumentKind::Perp);
            let mut desk = DeskState::new(&spec);
            desk.equity_atoms[0] = 1e9;
            for (targets, filled) in steps {
                for (part, t) in desk.parts.iter_mut().zip(&targets) {
                    part.target = if t.abs() < 0.5 { 0.0 } else { *t };
                }
                let nobody = desk.parts.iter().all(|p| p.target == 0.0 && p.held == 0);
                if nobody { continue; }
                let mut changes = vec![];
                desk.attribute(&spec, InstrumentId(0), filled, &mut changes);
                prop_assert_eq!(changes.iter().map(|c| c.1).sum::<i64>(), filled);
                prop_assert_eq!(desk.parts.iter().map(|p| p.held).sum::<i64>(), desk.held[0]);
            }
        }

        #[test]
        fn bound_parts_never_grow_and_the_sum_still_holds(
            steps in prop::collection::vec((prop::collection::vec((-3.0_f64..3.0, any::<bool>()), 5), 0.0_f64..1.0, 0.0_f64..0.9), 1..12),
        ) {
            let spec = spec(5, InstrumentKind::Perp);
            let mut desk = DeskState::new(&spec);
            for (aims, filled, band) in steps {
                for (part, (aim, bound)) in desk.parts.iter_mut().zip(&aims) {
                    part.aim = if aim.abs() < 0.5 { 0.0 } else { *aim };
                    part.bound = *bound;
                }
                let quote = quote(1.0, 0.01);
                let wanted = desk.target(&spec, &quote, 1.0, &RiskControls { equity: 1e3, width: band, ..steer() });
                // The venue fills any part of what was asked.
                let filled = spec.atoms[0].count(wanted).unwrap() as f64 * filled;
                let before: Vec<i64> = desk.parts.iter().map(|p| p.held).collect();
                let mut changes = vec![];
                desk.attribute(&spec, InstrumentId(0), filled as i64, &mut changes);
                prop_assert_eq!(desk.parts.iter().map(|p| p.held).sum::<i64>(), desk.held[0]);
                prop_assert_eq!(changes.iter().map(|c| c.1).sum::<i64>(), filled as i64);
                for (part, before) in desk.parts.iter().zip(before).filter(|(p, _)| p.bound) {
                    // The net is decided in whole atoms: one of them may be left over.
                    prop_assert!(part.held.abs() <= before.abs() + 1 && part.held.signum() * before.signum() >= 0, "{} {}", part.held, before);
                }
            }
        }

        #[test]
        fn who_aims_at_nothing_holds_nothing(targets in prop::collection::vec(-3.0_f64..3.0, 2..7), filled in -5_000_000_000_i64..5_000_000_000) {
            let spec = spec(targets.len() as u32, InstrumentKind::Perp);
            let mut desk = DeskState::new(&spec);
            desk.equity_atoms[0] = 1e9;
            for (part, t) in desk.parts.iter_mut().zip(&targets).skip(1) {
                part.target = *t;
            }
            let mut changes = vec![];
            desk.attribute(&spec, InstrumentId(0), filled, &mut changes);
            prop_assert_eq!(desk.parts[0].held, 0);
        }

        #[test]
        fn lots_of_any_size_are_whole_atoms_and_come_back(lot in lot(), other in lot(), lots in -1_000_000_000_i64..1_000_000_000, cut in 0.0_f64..1.0) {
            let (perp, spot) = (listed(0, InstrumentKind::Perp, lot), listed(1, InstrumentKind::Spot, other));
            let a = Atoms::of(&perp);
            let one = a.count(lot).unwrap();
            let atom = a.quantity(1);
            prop_assert!(one >= 1_000_000 || atom == Decimal::ONE || atom == Decimal::new(1, QUANTITY_SCALE), "{}", atom);
            prop_assert!(atom <= Decimal::ONE);
            // As many lots as are in the range of a count; the venue fills whole ones.
            let lots = lots % (i64::MAX / one).min(1_000_000_000);
            let quantity = multiple(i128::from(lots), lot).unwrap();
            let atoms = a.count(quantity).unwrap();
            prop_assert_eq!((atoms, a.quantity(atoms)), (lots * one, quantity));
            if let Some(finer) = multiple(1, atom).and_then(|a| a.checked_div(Decimal::from(4))).filter(|q| q.scale() < 28) {
                prop_assert_eq!(a.count(quantity + finer), None, "no whole number of atoms");
            }
            // Told apart and together again.
            let part = libm::rint(atoms as f64 * cut) as i64;
            prop_assert_eq!(a.quantity(part) + a.quantity(atoms - part), quantity);
            // Beside spot of any other lot both are counted.
            let universe = Universe { instruments: vec![perp.clone(), spot], ..Universe::default() };
            let both = DeskSpec::counted(&perp, &universe);
            let atom = both.quantity(1);
            prop_assert!([lot, other, lot + other].iter().all(|q| count(*q, atom).is_some()), "{} {}", lot, other);
            prop_assert!(both.count(lot + other).is_none_or(|n| both.quantity(n) == lot + other));
        }

        #[test]
        fn atoms_and_quantities_agree(atoms in any::<i32>(), places in 0_u32..6) {
            let a = Atoms { scale: places + FINER };
            prop_assert_eq!(a.count(a.quantity(i64::from(atoms))), Some(i64::from(atoms)));
        }
    }
}
