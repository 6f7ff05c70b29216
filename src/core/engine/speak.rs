//! The first half of the step: the market and the alone lives. It listens to nothing: what it says
//! depends on the events, the cast and the costs, never on funds, mutes, pauses or managers, so one
//! `speak` can be shared by many `respond`s.
//!
//! All agents of the decision clock judge their conditions at the barrier, when every close of the
//! stamp is in, and not as each close arrives: a cross-sectional family would otherwise depend on the
//! order of arrival. What is said at a barrier is heard in the second half of the same step (law 4).

use super::lives::{Following, Margins};
use super::outputs::BeforeLook;
pub use super::outputs::StepOutput;
use super::structures::{StructureSpec, Structures};
use super::{Settings, Utterance};
use crate::agents::at_bars::AtBars;
use crate::agents::life::Life;
use crate::agents::{Agent, AgentAsset, Population};
use crate::domain::{
    Announced, AssetId, Event, FamilyId, Indicator, InstrumentId, InstrumentKind, MarketEvent, MessageKind,
    Stamp, Universe, Verb, random,
};
use crate::fills::Costs;
use crate::fills::books::{Patient, SimulatedBook};
use crate::fills::fine::{FillPrices, FinerPrice};
use crate::fills::liquidation::Stake;
use crate::hive::curve::{Base, EquityCurve};
use crate::hive::points::{self, bounded};
use crate::market::{InstrumentState, Market};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Mean correlation between two assets of one agent when its ex-ante risk is estimated: daily returns
/// of large coins have been correlated by about this much.
const CORRELATION: f64 = 0.5;
/// Room for the indicators of a slot: those that a family asks for are at most one or two of a kind.
const KEYS_MAX: usize = 16;
/// What a record has kept is written anew below this.
const KEPT_MIN: f64 = 1e-100;
/// A basket up to this size is ranked faster by counting than by sorting it.
const COUNTED_MAX: usize = 16;
/// Lives beyond which their conditions do not stay in the processor's nearest memory from one close to the next.
const AT_HAND: usize = 1_024;
/// Lives whose conditions are fetched together: as many misses as a processor has under way, twice over.
const FETCHED_AT_ONCE: usize = 32;
/// No handle: the value is the agent's own, not the bank's.
const OWN: u16 = u16::MAX;

/// What does not change during a run.
#[derive(Clone, Debug)]
pub struct SpeakSpec {
    pub(super) cast: Arc<Population>,
    pub(super) settings: Settings,
    /// By instrument, today also by asset.
    pub(super) kinds: Vec<InstrumentKind>,
    /// What each costs to trade.
    pub(super) costs: Vec<Costs>,
    /// Where in the banks the slots' indicators are, slot by slot.
    handles: Vec<u16>,
    /// By slot: where its handles begin; they end where the next slot's begin.
    first_handle: Vec<u32>,
    /// By slot: the key of its coins, from names, so that numbering does not matter.
    coins: Vec<u64>,
    structures: StructureSpec,
    /// What a bar leaves of a record.
    kept: f64,
    /// The reference weight 1/N.
    pub(super) weight: f64,
    /// Capital that the reference weight stands for, in currency.
    pub reference: f64,
}

/// The state of the first half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Speak {
    /// What is known of the market, by instrument.
    pub market: Market,
    /// By slot: the lives that speak.
    pub lives: Vec<Life>,
    /// By slot: their raw books, which trade the intents at once, at the reference weight. Apart from the
    /// lives because every bar touches all of them, and few of the lives act.
    pub raw: Vec<SimulatedBook>,
    /// By slot: the position as announced.
    pub announced: Vec<Announced>,
    /// By declared slot: the alone life as shown, at the desk's pace like open.
    pub patient: Vec<Patient>,
    /// By declared agent: what its alone lives stand on.
    pub stakes: Vec<Stake>,
    /// Σ of the patient alone lives.
    pub curve: EquityCurve,
    /// The structured agents.
    pub structures: Structures,
    /// By slot: equity of the raw book at the last barrier.
    marked: Vec<f64>,
    /// By slot: what the results of its intent come to in its agent's record so far, over what that has kept (`kept`).
    effects: Vec<f64>,
    /// By agent: what its record has kept of the first of its results that `effects` have.
    kept: Vec<f64>,
    /// By agent: ex-ante volatility of a bar as of the last barrier, as a fraction of own capital.
    risk: Vec<f64>,
}

impl SpeakSpec {
    /// Makes it for a cast on a universe.
    fn new(cast: Arc<Population>, universe: &Universe, settings: Settings, market: &Market) -> Self {
        let handle = |asset: AssetId, key: Indicator| {
            // No bank has a rank, which is among instruments.
            let bank = market.instruments[asset.index()].bank.as_ref();
            bank.and_then(|b| b.handle(key)).map_or(OWN, |p| p as u16)
        };
        let all = cast.slots.iter().flat_map(|s| s.keys.iter().map(|k| handle(s.asset, *k)));
        let handles: Vec<u16> = all.collect();
        let mut first_handle = vec![0];
        first_handle.extend(cast.slots.iter().scan(0, |sum, s| {
            *sum += s.keys.len() as u32;
            Some(*sum)
        }));
        let coin = |s: &AgentAsset| {
            let agent = &cast.agents[s.agent.index()].name;
            random::key(cast.seed, &[random::name(agent), random::name(universe.name(s.asset))])
        };
        let coins = cast.slots.iter().map(coin).collect();
        let kinds = universe.desk().iter().map(|i| i.kind).collect();
        let costs = universe.desk().iter().map(|i| *settings.costs.of(i)).collect();
        let weight = cast.equal_weight();
        let reference = cast.stake(settings.capital);
        let kept = points::kept(settings.clock.decide, settings.listening.points_span_days);
        let structures = StructureSpec::new(&cast, universe, (reference, kept), &settings.costs);
        SpeakSpec {
            cast,
            settings,
            kinds,
            costs,
            handles,
            first_handle,
            coins,
            structures,
            kept,
            weight,
            reference,
        }
    }

    /// A market whose banks compute what this cast asks of the desk's instruments, and that keeps what structures look
    /// at beside them.
    fn market(cast: &Population, settings: &Settings) -> Market {
        let keys = |slots: &Vec<u32>| {
            let all = slots.iter().flat_map(|s| cast.slots[*s as usize].keys.iter().copied());
            Some(all.filter(|k| !matches!(k, Indicator::Rank(_))).collect())
        };
        let others = cast.listed.instruments.iter().skip(cast.by_asset.len()).map(|_| None);
        Market::new(settings.clock, cast.by_asset.iter().map(keys).chain(others).collect())
    }

    fn handles(&self, slot: usize) -> &[u16] {
        &self.handles[self.first_handle[slot] as usize..self.first_handle[slot + 1] as usize]
    }

    /// Whether the desk trades it.
    fn is_desk(&self, instrument: InstrumentId) -> bool {
        instrument.index() < self.kinds.len()
    }
}

impl Speak {
    /// A cast on a universe, of which nothing was heard yet; and what does not change of it.
    pub fn start(cast: Arc<Population>, universe: &Universe, settings: Settings) -> (SpeakSpec, Self) {
        let market = SpeakSpec::market(&cast, &settings);
        let spec = SpeakSpec::new(cast, universe, settings, &market);
        let (cast, settings) = (&*spec.cast, &spec.settings);
        let speak = Speak {
            market,
            structures: Structures::new(cast),
            lives: vec![Life::default(); cast.slots.len()],
            raw: vec![SimulatedBook::default(); cast.slots.len()],
            announced: vec![Announced::default(); cast.slots.len()],
            patient: vec![Patient::default(); cast.declared_slots],
            stakes: vec![Stake::default(); cast.declared],
            curve: EquityCurve::new(Base::Fixed, settings.capital),
            marked: vec![0.0; cast.slots.len()],
            effects: vec![0.0; cast.slots.len()],
            kept: vec![1.0; cast.agents.len()],
            risk: vec![0.0; cast.agents.len()],
        };
        (spec, speak)
    }

    /// An event comes that nobody has heard yet: the stamp before it is judged, if it is over. Part of [`Speak::step`]; apart
    /// for whoever has to decide on the same market.
    pub fn begin(&mut self, spec: &SpeakSpec, event: &Event, said: &mut StepOutput) {
        said.utterances.clear();
        said.structured.clear();
        said.judged.clear();
        said.before.clear();
        said.before_legs.clear();
        said.seen.clear();
        said.finer = None;
        said.begun = true;
        if let Event::Market(event) = event
            && self.structures.is_over(event.at())
            && self.heeds(spec, event)
        {
            self.structures.begin(&spec.structures, &self.market, event.at(), said);
        }
    }

    /// Takes an event and says what follows from it.
    pub fn step(&mut self, spec: &SpeakSpec, event: &Event, said: &mut StepOutput) {
        if !std::mem::take(&mut said.begun) {
            self.begin(spec, event, said);
            said.begun = false;
        }
        said.accepted = match *event {
            Event::Market(ref event) => self.hear(spec, event, said),
            Event::Barrier(at) => {
                let accepted = self.market.barrier(at);
                if accepted {
                    self.barrier(spec, at, said);
                }
                accepted
            }
            Event::Venue(_) | Event::Command(..) | Event::Tick(_) => true,
        };
        // The market's time: news of an account may bear any stamp.
        if said.accepted && !matches!(event, Event::Venue(_)) {
            said.now = said.now.max(event.at());
        }
    }

    /// Whether an event of the market counts.
    fn heeds(&self, spec: &SpeakSpec, event: &MarketEvent) -> bool {
        let is_desk = event.instrument().is_some_and(|i| spec.is_desk(i));
        let is_followed = is_desk
            && match event {
                MarketEvent::Bar { .. } | MarketEvent::Funding { .. } | MarketEvent::Health { .. } => true,
                MarketEvent::Inside { .. } | MarketEvent::Quote { .. } => {
                    spec.settings.fills == FillPrices::Fine
                }
                _ => false,
            };
        // Without structured agents nobody looks at anything else, and nothing of it is kept.
        (is_followed || !self.structures.twins.is_empty()) && self.market.accepts(event)
    }

    /// Takes what the market said; false if it does not count.
    fn hear(&mut self, spec: &SpeakSpec, event: &MarketEvent, said: &mut StepOutput) -> bool {
        if !self.heeds(spec, event) {
            self.market.refuse(event);
            return false;
        }
        let is_desk = event.instrument().is_some_and(|i| spec.is_desk(i));
        let finer = |settings: &Settings| {
            FinerPrice::told(settings.fills, &self.market, event, settings.clock.decide)
        };
        said.finer = is_desk.then(|| finer(&spec.settings)).flatten();
        self.market.put(event);
        if let Some(price) = said.finer {
            self.between(spec, event.at(), &price, said);
        }
        match *event {
            MarketEvent::Bar { instrument, .. } if is_desk => self.fill(spec, instrument),
            MarketEvent::Funding { instrument, rate, mark, .. } if is_desk => {
                self.fund(spec, instrument, rate, mark);
            }
            _ => {}
        }
        self.structures.hear(&spec.structures, &self.market, event, &mut said.structured);
        true
    }

    /// Orders of the last barrier fill at this bar.
    fn fill(&mut self, spec: &SpeakSpec, instrument: InstrumentId) {
        let i = instrument.index();
        let listing = &self.market.instruments[i];
        let (costs, kind, span) = (&spec.costs[i], spec.kinds[i], spec.settings.clock.decide);
        let fills = spec.settings.fills;
        for &slot in &spec.cast.by_asset[i] {
            let slot = slot as usize;
            fills.close(&mut self.raw[slot], costs, kind, (listing, span));
            if let Some(patient) = self.patient.get_mut(slot) {
                fills.close(&mut patient.book, costs, kind, (listing, span));
            }
        }
    }

    fn fund(&mut self, spec: &SpeakSpec, instrument: InstrumentId, rate: f64, mark: f64) {
        let costs = &spec.costs[instrument.index()];
        for &slot in &spec.cast.by_asset[instrument.index()] {
            self.raw[slot as usize].funding(costs, mark, rate);
            if let Some(patient) = self.patient.get_mut(slot as usize) {
                patient.book.funding(costs, mark, rate);
            }
        }
    }

    fn barrier(&mut self, spec: &SpeakSpec, at: Stamp, said: &mut StepOutput) {
        said.results.clear();
        let Speak { market, stakes, structures, marked, effects, kept, risk, .. } = self;
        let (cast, market) = (&*spec.cast, &*market);
        let bar = BarClose::new(spec, market, at);
        let margins = Margins::new(cast, &spec.settings, &spec.kinds, market, at);
        let mut records = Records { marked, effects, kept, risk, reference: spec.reference };
        let mut lives = SlotLives {
            lives: &mut self.lives,
            raw: &mut self.raw,
            announced: &mut self.announced,
            patient: &mut self.patient,
            values: &mut Vec::with_capacity(KEYS_MAX),
        };
        let (mut ranks, mut tally, mut pnl) = (Vec::new(), AgentTally::default(), 0.0);
        let mut silent = Vec::new();
        let mut fetched = if lives.lives.len() > AT_HAND { 0 } else { usize::MAX };
        for (number, agent) in cast.agents.iter().enumerate() {
            if agent.family == FamilyId::RelativeStrength {
                bar.rank(agent, &mut ranks);
            }
            if agent.slots.end > fetched {
                let until = (agent.slots.end + FETCHED_AT_ONCE).min(lives.lives.len());
                lives.lives[fetched..until].iter().for_each(Life::fetch);
                fetched = until;
            }
            let first = said.utterances.len();
            tally.clear();
            // Agent by agent, all that a close does to it: what it has is at hand then, and large swarms have much.
            for slot in agent.slots.clone() {
                let on = &bar.closes[cast.slots[slot].asset.index()];
                if on.is_gone || (on.is_fresh && at >= agent.active_from) {
                    let rank = ranks.get(slot - agent.slots.start).copied().unwrap_or(f64::NAN);
                    bar.judge(agent, slot, (rank, on), &mut lives, said);
                }
                tally.add(slot, &lives.raw[slot], on, &records);
            }
            ranks.clear();
            let result = records.result(agent, spec.kept, &tally);
            // Who trades in legs too may have a result all the same.
            if result.is_nan() && !agent.slots.is_empty() && !agent.structures.is_empty() {
                silent.push(number);
            }
            said.results.push(result);
            records.tell_effects(agent, &mut said.utterances[first..]);
            if let Some(stake) = stakes.get_mut(number) {
                pnl = margins.look_at(agent, stake, lives.patient, pnl);
            }
        }
        let closes = bar.closes.iter().enumerate();
        // Each asset of the desk has one instrument there, of the same number.
        let gone: Vec<InstrumentId> =
            closes.filter(|(_, c)| c.is_gone).map(|(i, _)| InstrumentId(i as u16)).collect();
        structures.barrier(&spec.structures, market, (at, &gone), said);
        for number in silent.into_iter().filter(|n| said.results[*n].is_finite()) {
            records.forget(&cast.agents[number], spec.kept);
        }
        self.curve.push(at, spec.settings.capital + pnl + structures.total());
    }

    /// Worth of a patient book at the last price of its asset.
    pub(super) fn equity_of(&self, patient: &Patient, asset: AssetId) -> f64 {
        // Most lives hold nothing: they need no price.
        if patient.book.quantity == 0.0 { patient.book.cash } else { patient.book.equity(self.close(asset)) }
    }

    /// Last close of an asset on the desk; NaN before its first bar.
    pub fn close(&self, asset: AssetId) -> f64 {
        self.market.instruments[asset.index()].last().close
    }

    /// PnL of a declared slot's alone life so far.
    pub fn alone(&self, cast: &Population, slot: usize) -> f64 {
        self.equity_of(&self.patient[slot], cast.slots[slot].asset)
    }
}

/// What the slots have, by slot.
struct SlotLives<'a> {
    lives: &'a mut [Life],
    raw: &'a mut [SimulatedBook],
    announced: &'a mut [Announced],
    patient: &'a mut [Patient],
    /// Indicators of the slot that is looked at.
    values: &'a mut Vec<f64>,
}

/// The close of a bar as lives see it.
struct BarClose<'a> {
    spec: &'a SpeakSpec,
    at: Stamp,
    /// By asset, since every agent on it sees the same.
    closes: Vec<AssetClose<'a>>,
}

/// The close of one asset.
struct AssetClose<'a> {
    is_fresh: bool,
    /// It has stopped trading by this close.
    is_gone: bool,
    close: f64,
    sigma: f64,
    /// Volatility as it was known before the bar; zero where it was not.
    sigma_before: f64,
    /// Values of its indicators, by handle.
    values: &'a [f64],
    costs: &'a Costs,
    kind: InstrumentKind,
    /// How lives that follow trade it.
    following: Following<'a>,
}

impl<'a> AssetClose<'a> {
    fn new(spec: &'a SpeakSpec, i: usize, listing: &'a InstrumentState, at: Stamp) -> Self {
        let (kind, costs) = (spec.kinds[i], &spec.costs[i]);
        AssetClose {
            is_fresh: listing.is_fresh(at),
            is_gone: listing.delisted_at == Some(at),
            close: listing.last().close,
            sigma: listing.sigma,
            sigma_before: if listing.sigma_before.is_finite() { listing.sigma_before } else { 0.0 },
            values: listing.values(),
            costs,
            kind,
            following: Following::new(&spec.settings, kind, costs, listing),
        }
    }
}

impl<'a> BarClose<'a> {
    fn new(spec: &'a SpeakSpec, market: &'a Market, at: Stamp) -> Self {
        let desk = market.desk().iter().enumerate();
        BarClose { spec, at, closes: desk.map(|(i, l)| AssetClose::new(spec, i, l, at)).collect() }
    }

    /// One slot at a close: outcome, conditions, actions, and the patient life's next order.
    #[inline]
    fn judge(
        &self,
        agent: &Agent,
        slot: usize,
        (rank, on): (f64, &AssetClose<'_>),
        own: &mut SlotLives<'_>,
        said: &mut StepOutput,
    ) {
        let BarClose { spec, at, .. } = *self;
        let AgentAsset { asset, ref keys, .. } = spec.cast.slots[slot];
        // A rank in its basket is none of its asset's own.
        let value = |handle: &u16| on.values.get(usize::from(*handle)).copied().unwrap_or(rank);
        own.values.clear();
        own.values.extend(spec.handles(slot).iter().map(value));
        let now = AtBars {
            agent: agent.id,
            asset,
            strategy: &agent.strategy,
            capital: spec.reference,
            close: on.close,
            sigma: on.sigma,
            coins: spec.coins[slot],
            at,
            keys,
            values: own.values,
        };
        let (life, raw) = (&mut own.lives[slot], &mut own.raw[slot]);
        let announced = &mut own.announced[slot];
        let StepOutput { utterances, before, seen, .. } = said;
        if !agent.reacts.is_empty() {
            before.push(BeforeLook::new(slot, on.is_gone, &now, (life, raw, announced), seen));
        }
        let mut say = |body| {
            if let MessageKind::Action(action) = &body {
                announced.say(action.after, action.price);
            }
            utterances.push(Utterance { voice: slot, body });
        };
        let patient = own.patient.get_mut(slot);
        if on.is_gone {
            life.delist(&now, raw, &mut say);
            raw.delist(on.costs, on.kind, on.close);
            if let Some(outcome) = life.outcome(&now, raw) {
                say(MessageKind::Outcome(outcome));
            }
            if let Some(patient) = patient {
                patient.aim = 0.0;
                patient.book.delist(on.costs, on.kind, on.close);
            }
            return;
        }
        life.look(&now, raw, &mut say);
        if !on.kind.can_short() {
            // The intent is a voice all the same; the book can only sell what it has.
            raw.order = raw.order.max(-raw.quantity);
            raw.resting = raw.resting.max(0.0);
        }
        if let Some(patient) = patient {
            let p = announced.at(on.close, spec.settings.listening.holds);
            on.following.follow(patient, spec.weight * p, agent.slots.len(), spec.weight);
            on.following.rest(patient, life.resting(), agent.slots.len(), spec.weight);
        }
    }

    /// Where each asset of a basket stands: 0 the weakest … 1 the strongest; NaN for all if fewer than
    /// three can be ranked. Ties share their place.
    fn rank(&self, agent: &Agent, ranks: &mut Vec<f64>) {
        let spec = self.spec;
        let score = |slot: usize| {
            let AgentAsset { asset, ref keys, .. } = spec.cast.slots[slot];
            let on = &self.closes[asset.index()];
            let index = keys.iter().position(|k| matches!(k, Indicator::Score(_)));
            let handle = index.map(|p| spec.handles(slot)[p]);
            let value = handle.and_then(|h| on.values.get(usize::from(h))).copied();
            value.filter(|_| on.is_fresh).unwrap_or(f64::NAN)
        };
        ranks.clear();
        ranks.extend(agent.slots.clone().map(score));
        rank_in_place(ranks);
    }
}

/// What the raw books of an agent came to in a bar.
#[derive(Default)]
struct AgentTally {
    pnl: f64,
    /// Risk of a bar, as a fraction of own capital: its sum over the assets, and that of its squares.
    sum: f64,
    squares: f64,
    /// The slots whose books came to anything, and their equity now.
    moved: Vec<(usize, f64)>,
}

impl AgentTally {
    fn clear(&mut self) {
        (self.pnl, self.sum, self.squares) = (0.0, 0.0, 0.0);
        self.moved.clear();
    }

    #[inline]
    fn add(&mut self, slot: usize, raw: &SimulatedBook, on: &AssetClose<'_>, records: &Records<'_>) {
        let marked = records.marked[slot];
        if raw.quantity == 0.0 && raw.cash == marked {
            return;
        }
        let equity = raw.equity(on.close);
        self.pnl += equity - marked;
        self.moved.push((slot, equity));
        let risk = raw.quantity * on.close / records.reference * on.sigma_before;
        self.sum += risk;
        self.squares += risk * risk;
    }
}

/// What is kept of the results of intents.
struct Records<'a> {
    marked: &'a mut [f64],
    effects: &'a mut [f64],
    kept: &'a mut [f64],
    risk: &'a mut [f64],
    reference: f64,
}

impl Records<'_> {
    /// An agent's result of the bar, in units of its ex-ante volatility. A record that takes it keeps so much of those
    /// before.
    fn result(&mut self, agent: &Agent, keeps: f64, tally: &AgentTally) -> f64 {
        let &AgentTally { pnl, sum, squares, ref moved } = tally;
        let risk = libm::sqrt(CORRELATION * sum * sum + (1.0 - CORRELATION) * squares);
        // A position closed at this bar's open still had its risk overnight.
        let before = std::mem::replace(&mut self.risk[agent.id.index()], risk);
        let risk = risk.max(before);
        let result = if risk > 0.0 { pnl / self.reference / risk } else { f64::NAN };
        if result.is_finite() {
            self.forget(agent, keeps);
        }
        if !moved.is_empty() {
            self.mark(agent, result, risk, moved);
        }
        result
    }

    /// A record has taken a result of an agent, and keeps less of those before.
    fn forget(&mut self, agent: &Agent, keeps: f64) {
        let kept = &mut self.kept[agent.id.index()];
        *kept *= keeps;
        // Long before it is no number any more.
        if *kept < KEPT_MIN {
            let all = std::mem::replace(kept, 1.0);
            agent.slots.clone().for_each(|slot| self.effects[slot] *= all);
        }
    }

    /// Marks an agent's raw books, each of which has its part of the result, as far as a record takes it.
    fn mark(&mut self, agent: &Agent, result: f64, risk: f64, moved: &[(usize, f64)]) {
        // Where there is no result the record takes none.
        let counted = if result.is_finite() { 1.0 / (self.reference * risk) } else { 0.0 };
        let counted = if result == 0.0 { counted } else { counted * (bounded(result) / result) };
        let counted = if result.is_finite() { counted / self.kept[agent.id.index()] } else { 0.0 };
        for &(slot, equity) in moved {
            let gain = equity - std::mem::replace(&mut self.marked[slot], equity);
            self.effects[slot] += counted * gain;
        }
    }

    /// An outcome says what its intent's results came to; the next intent has none yet.
    fn tell_effects(&mut self, agent: &Agent, said: &mut [Utterance]) {
        let kept = self.kept[agent.id.index()];
        for Utterance { voice, body } in said {
            match body {
                MessageKind::Outcome(outcome) => outcome.points = kept * self.effects[*voice],
                MessageKind::Action(action) if action.verb == Verb::Open => self.effects[*voice] = 0.0,
                _ => {}
            }
        }
    }
}

/// Replaces scores by ranks 0 … 1 among those that are finite; NaN stays NaN.
pub fn rank_in_place(scores: &mut [f64]) {
    let mut short = [f64::NAN; COUNTED_MAX];
    let mut long = Vec::new();
    let finite: &mut [f64] = if scores.len() > COUNTED_MAX {
        long.resize(scores.len(), f64::NAN);
        &mut long
    } else {
        &mut short[..scores.len()]
    };
    let mut n = 0;
    for score in scores.iter().filter(|s| s.is_finite()) {
        finite[n] = *score;
        n += 1;
    }
    if n < 3 {
        scores.fill(f64::NAN);
        return;
    }
    let finite = &mut finite[..n];
    let is_sorted = n > COUNTED_MAX;
    if is_sorted {
        finite.sort_unstable_by(f64::total_cmp);
    }
    for score in scores.iter_mut().filter(|s| s.is_finite()) {
        // Equal as numbers, so that a zero and its negative share their place too. Counting takes no branch.
        let (below, through) = if is_sorted {
            (finite.partition_point(|x| x < score), finite.partition_point(|x| x <= score))
        } else {
            finite.iter().fold((0, 0), |(below, through), x| {
                (below + usize::from(x < score), through + usize::from(x <= score))
            })
        };
        *score = (below + through - 1) as f64 / 2.0 / (n - 1) as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNTED_MAX, rank_in_place};

    #[test]
    fn ranks_run_from_weakest_to_strongest_and_ties_share() {
        let mut r = [3.0, f64::NAN, 1.0, 2.0, 2.0];
        rank_in_place(&mut r);
        assert_eq!((r[0], r[2], r[3], r[4]), (1.0, 0.0, 0.5, 0.5));
        assert!(r[1].is_nan());
    }

    #[test]
    fn a_large_basket_is_ranked_as_a_small_one() {
        let place = |i: usize| (i * 37 % 40) as f64;
        let mut large: Vec<f64> = (0..40).map(place).collect();
        rank_in_place(&mut large);
        assert!(large.iter().enumerate().all(|(i, rank)| *rank == place(i) / 39.0), "{large:?}");
        for len in [COUNTED_MAX - 1, COUNTED_MAX, COUNTED_MAX + 1] {
            let mut small: Vec<f64> = (0..len).map(|i| (i * 7 % len) as f64).collect();
            rank_in_place(&mut small);
            let place = |i: usize| (i * 7 % len) as f64 / (len - 1) as f64;
            assert!(small.iter().enumerate().all(|(i, rank)| *rank == place(i)), "{small:?}");
        }
    }

    #[test]
    fn fewer_than_three_are_no_ranking() {
        let mut r = [3.0, 1.0, f64::NAN];
        rank_in_place(&mut r);
        assert!(r.iter().all(|x| x.is_nan()));
    }
}
