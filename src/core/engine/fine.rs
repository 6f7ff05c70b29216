//! Between two closes of the decision clock, where a run asks for it: what simulated lives have on order fills at finer bars and
//! quotes, and stops and targets of views at bars are judged at them.
//!
//! # Invariants
//!
//! 1. Nothing is entered, added or hedged between closes, and no indicator is looked at: what needs one waits for the close.
//! 2. A life that acts says so at once, with the price it judged; its agent's stance follows, and with it the alone and the
//!    open book, at the next finer price. The desk decides on its own clock: real follows at its next close.
//! 3. Alone and open are filled and judged by the same lines: of who hears nobody they stay equal to the last digit.

use super::lives::Following;
use super::outputs::{StepOutput, SwayedWords};
use super::respond::{HeardBy, OpenLife, Respond, RespondSpec};
use super::speak::{Speak, SpeakSpec};
use super::{Outputs, Utterance};
use crate::agents::at_bars::AtBars;
use crate::agents::life::Life;
use crate::agents::{AgentAsset, Population};
use crate::domain::{Action, InstrumentKind, MessageKind, Span, Stamp};
use crate::fills::Costs;
use crate::fills::books::SimulatedBook;
use crate::fills::fine::FinerPrice;

impl FinerPrice {
    /// Fills what a book has on order.
    pub(super) fn fill(&self, book: &mut SimulatedBook, costs: &Costs, kind: InstrumentKind) {
        book.bar(costs, kind, &self.bar, self.sigma, Span(0));
    }

    /// What a life does at this price, in order.
    pub(super) fn judge(
        &self,
        (cast, slot): (&Population, usize),
        (at, capital): (Stamp, f64),
        life: &mut Life,
        raw: &mut SimulatedBook,
    ) -> Vec<MessageKind> {
        let AgentAsset { agent, asset, .. } = cast.slots[slot];
        let agent = &cast.agents[agent.index()];
        let mut said = Vec::new();
        if life.open().is_some() && at >= agent.active_from {
            let (id, strategy, close, sigma) = (agent.id, &agent.strategy, self.bar.close, self.sigma);
            // No indicator has a value of now.
            let now = AtBars {
                agent: id,
                asset,
                strategy,
                capital,
                close,
                sigma,
                coins: 0,
                at,
                keys: &[],
                values: &[],
            };
            life.look_between(&now, raw, &mut |body| said.push(body));
        }
        said
    }
}

impl Speak {
    /// Alone lives at a price between closes, and the books as they are shown.
    pub(super) fn between(&mut self, spec: &SpeakSpec, at: Stamp, price: &FinerPrice, said: &mut StepOutput) {
        let i = price.instrument.index();
        let (cast, settings, kind, costs) = (&*spec.cast, &spec.settings, spec.kinds[i], &spec.costs[i]);
        let listing = &self.market.instruments[i];
        let following = Following::new(settings, kind, costs, listing).at(price.bar.close);
        for &slot in &cast.by_asset[i] {
            let slot = slot as usize;
            price.fill(&mut self.raw[slot], costs, kind);
            let mut patient = self.patient.get_mut(slot);
            if let Some(patient) = &mut patient {
                price.fill(&mut patient.book, costs, kind);
            }
            let (life, raw) = (&mut self.lives[slot], &mut self.raw[slot]);
            let words = price.judge((cast, slot), (at, spec.reference), life, raw);
            if words.is_empty() {
                continue;
            }
            for body in words {
                if let Some(action) = action(&body) {
                    self.announced[slot].say(action.after, action.price);
                }
                said.utterances.push(Utterance { voice: slot, body });
            }
            if let Some(patient) = patient {
                let p = self.announced[slot].at(price.bar.close, settings.listening.holds);
                let live = cast.agents[cast.slots[slot].agent.index()].slots.len();
                following.follow(patient, spec.weight * p, live, spec.weight);
            }
        }
    }
}

impl Respond {
    /// Open lives at a price between closes; what alone ones said at it is heard.
    pub(super) fn between(
        &mut self,
        spec: &RespondSpec,
        at: Stamp,
        speak: &Speak,
        said: &StepOutput,
        out: &mut Outputs,
    ) {
        let Some(price) = &said.finer else { return };
        let (cast, i) = (&*spec.cast, price.instrument.index());
        let (kind, costs, capital) = (spec.kinds[i], &spec.costs[i], cast.stake(spec.settings.capital));
        for utterance in &said.utterances {
            self.hear(spec, at, utterance, HeardBy::everybody(said), out);
        }
        for &slot in spec.real.desk.slots(price.instrument) {
            let slot = slot as usize;
            price.fill(&mut self.ears[slot].open.book, costs, kind);
            let mut acts = said.utterances.iter().any(|u| u.voice == slot);
            if let Some(mut open) = self.open_lives[slot].take() {
                price.fill(&mut open.raw, costs, kind);
                let OpenLife { life, raw, .. } = &mut *open;
                let words = price.judge((cast, slot), (at, capital), life, raw);
                // Nobody sways it between closes.
                let words: SwayedWords = words.into_iter().map(|body| (body, Vec::new())).collect();
                acts |= !words.is_empty();
                let speaker = (cast.slots[slot].agent, cast.slots[slot].asset);
                for action in words.iter().filter_map(|(body, _)| action(body)) {
                    open.announced.say(action.after, action.price);
                }
                let alone = said.utterances.iter().filter(|u| u.voice == slot).map(|u| &u.body);
                let said = self.say_open((at, speaker), &mut open.ways, alone, words, out);
                self.remember(spec, at, said);
                self.open_lives[slot] = Some(open);
            }
            if acts {
                self.decide_between(spec, (at, price.bar.close), speak, slot, out);
            }
        }
    }
}

fn action(body: &MessageKind) -> Option<&Action> {
    if let MessageKind::Action(action) = body { Some(action) } else { None }
}
