//! What an open life hears while it decides, at bars and in legs: which of its reactions act at a moment of it, and what it says
//! because of them.

use super::open_life::ReactionState;
use crate::agents::Population;
use crate::agents::company::{Company, HoldsBack, LifeMoment, Sway, SwayField, until};
use crate::agents::life::Life;
use crate::agents::reactions::AgentReaction;
use crate::domain::{
    Action, Cause, Hearing, MessageId, MessageKind, ReactionEffect, Reason, Speaker, Stamp, Swayed, Verb,
};
use crate::engine::outputs::SwayedWords;
use crate::hive::heard::{CauseChain, HeardCauses, ReactionListener, RecentWords, sign};
use crate::hive::relations::Audible;

/// The action that is said, if it is one.
pub(super) fn action(said: &MessageKind) -> Option<&Action> {
    if let MessageKind::Action(action) = said { Some(action) } else { None }
}

/// The moments that a look has for a life, by what it was before it and what it said alone; none where it closes by itself,
/// which nothing sways.
pub(super) fn moments<'a>(
    before: &Life,
    alone: impl Iterator<Item = &'a MessageKind>,
) -> Option<[Option<LifeMoment>; 2]> {
    let mut moments = [before.open().map(|open| LifeMoment::Holding(open.heading())), None];
    for word in alone {
        match word {
            MessageKind::Rest(order) => {
                moments[1] = Some(LifeMoment::Entering(libm::copysign(1.0, order.after)));
            }
            MessageKind::Action(action) => {
                let heading = f64::from(sign(action.delta));
                match (action.verb, action.reason) {
                    (Verb::Open, _) => moments[1] = Some(LifeMoment::Entering(heading)),
                    (Verb::Increase, Reason::Add) => moments[1] = Some(LifeMoment::Adding(heading)),
                    (Verb::Close, _) => return None,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    Some(moments)
}

/// All that there is to hear.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub cast: &'a Population,
    pub audible: Audible<'a>,
    pub heard: &'a RecentWords,
}

/// What counts as news to who holds something.
#[derive(Clone, Copy)]
pub(super) enum NewsSince {
    /// What was said since the last barrier.
    Barrier,
    /// What was said after this message; whether the price of its asset is another one than then.
    Message(MessageId, bool),
}

/// A reaction that would act on a field, and what it heard.
struct Acting {
    field: SwayField,
    reaction: u8,
    causes: HeardCauses,
}

/// What an open life hears while it decides, and what it said.
pub(super) struct OpenCompany<'a> {
    hears: Surroundings<'a>,
    listening: ReactionListener,
    reactions: &'a [AgentReaction],
    /// What it acts on while it holds something.
    pub news: NewsSince,
    /// When the intent was opened that is open.
    pub opened: Option<Stamp>,
    /// What its reactions have done by now.
    pub ways: ReactionState,
    /// Whether it was asked what others make of what it holds.
    pub is_asked: bool,
    acting: Vec<Acting>,
    pending: Vec<Swayed>,
    /// What it said, with what swayed it.
    pub words: SwayedWords,
}

impl<'a> OpenCompany<'a> {
    /// Who lives by these reactions, which have done so much, and listens now; at bars.
    pub fn new(
        hears: Surroundings<'a>,
        listening: ReactionListener,
        reactions: &'a [AgentReaction],
        ways: &ReactionState,
    ) -> Self {
        let mut ways = ways.clone();
        ways.waits = ways.waits.filter(|until| *until > listening.now);
        OpenCompany {
            hears,
            listening,
            reactions,
            news: NewsSince::Barrier,
            opened: None,
            ways,
            is_asked: false,
            acting: Vec::new(),
            pending: Vec::new(),
            words: Vec::new(),
        }
    }

    /// The message after which a reaction must have heard something to act on what is held; none where it cannot have.
    fn news(&self, reaction: &AgentReaction) -> Option<MessageId> {
        let (heard, asset) = (self.hears.heard, self.listening.asset);
        let (than, is_moved) = match self.news {
            NewsSince::Barrier => (heard.heard_by_all(), true),
            NewsSince::Message(message, is_moved) => (message, is_moved),
        };
        let is_price = matches!(reaction.rule.hears.what, Hearing::Near(..));
        ((is_moved || !is_price) && heard.is_newer(reaction, asset, than)).then_some(than)
    }

    /// What a reaction heard that can act at this moment of the life.
    fn hear(&self, number: usize, moment: LifeMoment, listener: ReactionListener) -> Option<HeardCauses> {
        let reaction = &self.reactions[number];
        if self.ways.acted & (1 << number) != 0 || !reaction.acts_at(moment) {
            return None;
        }
        // Who holds, or is flat, acts on news; who enters or adds on what was said lately.
        let on_news = matches!(moment, LifeMoment::Holding(_) | LifeMoment::Flat);
        let news = if on_news { Some(self.news(reaction)?) } else { None };
        let listener = ReactionListener { news, ..listener };
        self.hears.heard.heard(self.hears.cast, self.hears.audible, reaction, &listener)
    }

    fn act(&mut self, field: SwayField, number: usize, causes: HeardCauses) {
        self.acting.retain(|a| a.field != field);
        self.acting.push(Acting { field, reaction: number as u8, causes });
    }

    /// Takes a candidate on one field if it is the more cautious.
    fn take(&mut self, field: SwayField, of: &mut f64, number: usize, (new, causes): (f64, HeardCauses)) {
        // Cuts and hedges are the more cautious the larger they are, all else the smaller it is; a bold one is larger
        // than any cautious one, so that of both the cautious one holds.
        let is_larger_better = matches!(field, SwayField::Cut | SwayField::Hedge);
        let is_first = self.acting.iter().all(|a| a.field != field);
        if is_first || (if is_larger_better { new > *of } else { new < *of }) {
            *of = new;
            self.act(field, number, causes);
        }
    }

    /// The side on which it is asked to enter; none where it is asked to both.
    fn invited(&mut self) -> Option<f64> {
        let mut asked: Option<f64> = None;
        for number in 0..self.reactions.len() {
            let ReactionEffect::Enter(with) = self.reactions[number].rule.then else { continue };
            for side in [1.0, -1.0] {
                // With those of this side, or against those of the other.
                let speakers = if with { side } else { -side };
                let listener = ReactionListener { side, speakers, ..self.listening };
                let Some(causes) = self.hear(number, LifeMoment::Flat, listener) else { continue };
                match asked {
                    Some(other) if other != side => return None,
                    Some(_) => {}
                    None => {
                        asked = Some(side);
                        self.act(SwayField::Entry, number, causes);
                    }
                }
            }
        }
        asked
    }
}

impl Company for OpenCompany<'_> {
    fn say(&mut self, body: MessageKind) {
        let swayed = std::mem::take(&mut self.pending);
        self.words.push((body, swayed));
    }

    fn invites(&self) -> bool {
        let at_bars = matches!(self.news, NewsSince::Barrier);
        at_bars && self.ways.waits.is_none() && self.reactions.iter().any(|r| r.acts_at(LifeMoment::Flat))
    }

    fn sway(&mut self, moment: LifeMoment) -> Sway {
        let mut sway = Sway::NONE;
        let side = match moment {
            LifeMoment::Flat => {
                self.acting.clear();
                return Sway { enter: self.invited(), ..sway };
            }
            LifeMoment::Entering(side) | LifeMoment::Holding(side) | LifeMoment::Adding(side) => side,
        };
        self.is_asked |= matches!(moment, LifeMoment::Holding(_));
        // What was said before an intent was opened was heard when it was.
        let since = match moment {
            LifeMoment::Holding(_) => self.opened.map_or(Stamp(i64::MIN), |at| Stamp(at.0 + 1)),
            _ => Stamp(i64::MIN),
        };
        if self.ways.waits.is_some() {
            sway.wait = HoldsBack::Still;
        }
        let mut wait = 0.0;
        for number in 0..self.reactions.len() {
            let then = self.reactions[number].rule.then;
            if matches!(then, ReactionEffect::Wait(_)) && sway.wait == HoldsBack::Still {
                continue;
            }
            let listener = ReactionListener { side, since, ..self.listening };
            let Some(causes) = self.hear(number, moment, listener) else { continue };
            match then {
                // The longer, the more cautious.
                ReactionEffect::Wait(span) if span.0 as f64 > wait => {
                    wait = span.0 as f64;
                    sway.wait = HoldsBack::Until(until(self.listening.now, span));
                    self.act(SwayField::Entry, number, causes);
                }
                ReactionEffect::Wait(_) | ReactionEffect::Enter(_) => {}
                ReactionEffect::Size(x) => self.take(SwayField::Size, &mut sway.size, number, (x, causes)),
                ReactionEffect::Stop(x) => self.take(SwayField::Stop, &mut sway.stop, number, (x, causes)),
                ReactionEffect::Target(x) => {
                    self.take(SwayField::Target, &mut sway.target, number, (x, causes));
                }
                ReactionEffect::Cut(x) => self.take(SwayField::Cut, &mut sway.cut, number, (x, causes)),
                ReactionEffect::Hedge(x) => self.take(SwayField::Hedge, &mut sway.hedge, number, (x, causes)),
            }
        }
        sway
    }

    fn acted(&mut self, field: SwayField, change: f64) {
        let Some(index) = self.acting.iter().position(|a| a.field == field) else { return };
        let Acting { reaction, causes, .. } = self.acting.swap_remove(index);
        self.ways.acted |= 1 << reaction;
        if let ReactionEffect::Wait(span) = self.reactions[usize::from(reaction)].rule.then {
            self.ways.waits = Some(until(self.listening.now, span));
        }
        let kind = self.reactions[usize::from(reaction)].rule.hears.what.topic();
        self.ways.owed.deed(kind, causes.messages.iter().map(|(_, from)| *from));
        let part = change / causes.messages.len() as f64;
        let named = causes.messages.iter().map(|(message, _)| Cause { message: *message, part });
        self.pending.push(Swayed { reaction, causes: named.collect() });
        let chain = &mut self.ways.chain;
        chain.depth = chain.depth.max(causes.chain.depth);
        let through = causes.chain.agents.iter().map(|agent| Speaker::Agent(*agent));
        through.for_each(|agent| chain.extend(agent, &CauseChain::default()));
    }
}
