//! Words that must not help: what reactions hear in place of what was said, so that as much is heard of each kind and none
//! of it is true.
//!
//! | control | what is heard |
//! |---|---|
//! | another sender | each word from another agent that trades its asset |
//! | another asset | each word on another asset, its levels as far from the price there as they were here |
//! | another sign | each sender times a fixed ±1: the side of what it holds or rests, and whether it won; waits keep theirs |
//! | another time | each sender at another time, shifted round by U(¼, ¾) of the run, its levels moved with the price |
//! | own reckoning | a twin of each sender, of its family, goal and character on its assets, with other numbers: what a listener could reckon from the same bars, hearing nobody |
//!
//! # Invariants
//!
//! 1. But for own reckoning nothing of a word but its kind and how much of it there is comes through; who listens knows its own life as it is.
//! 2. All is drawn by the seed, once for the run.

use crate::agents::Population;
use crate::domain::{AgentId, Condition, MessageKind, Plan, Term, random};
use crate::engine::Utterance;
use crate::engine::speak::Speak;
use std::sync::Arc;

/// In which way the words that reactions hear are made wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordControl {
    /// From another agent.
    Sender,
    /// On another asset.
    Asset,
    /// With another sign.
    Sign,
    /// At another time.
    Time,
    /// From a twin with other numbers.
    Own,
}

impl WordControl {
    /// All of them, as they are shown.
    pub const ALL: [WordControl; 5] =
        [WordControl::Sender, WordControl::Asset, WordControl::Sign, WordControl::Time, WordControl::Own];

    /// As reports call it.
    pub fn name(self) -> &'static str {
        match self {
            WordControl::Sender => "another sender",
            WordControl::Asset => "another asset",
            WordControl::Sign => "another sign",
            WordControl::Time => "another time",
            WordControl::Own => "own reckoning",
        }
    }

    /// In a line.
    pub fn what(self) -> &'static str {
        match self {
            WordControl::Sender => "all reactions, each word heard from another agent on its asset",
            WordControl::Asset => "all reactions, each word heard on another asset",
            WordControl::Sign => "all reactions, each sender heard with a random sign",
            WordControl::Time => "all reactions, each sender heard at another time",
            WordControl::Own => {
                "all reactions, each word a twin's with other numbers, as a listener could reckon it itself"
            }
        }
    }
}

/// All that declared agents said in a run, barrier by barrier.
#[derive(Clone, Debug, Default)]
pub struct WordTape {
    barriers: Vec<Vec<Utterance>>,
}

impl WordTape {
    /// A barrier has passed.
    pub fn push(&mut self, cast: &Population, said: &[Utterance]) {
        let declared = said.iter().filter(|u| u.voice < cast.declared_slots).cloned();
        self.barriers.push(declared.collect());
    }
}

/// Rewrites what reactions hear, barrier by barrier.
pub struct WordRewrite {
    control: WordControl,
    barrier: usize,
    /// By voice of a declared agent: that in whose name it is heard; none for who is heard by nobody.
    as_whom: Vec<Option<usize>>,
    /// By voice: its sign, and by how many barriers it is shifted.
    signs: Vec<f64>,
    shifts: Vec<usize>,
}

impl WordRewrite {
    /// For a run; `tape` is of all of it, and needed by another time alone.
    pub fn new(control: WordControl, cast: &Population, tape: Option<&WordTape>) -> Self {
        let length = tape.map_or(0, |t| t.barriers.len());
        let sender = |voice: usize| random::name(&cast.agents[cast.slots[voice].agent.index()].name);
        let voices = 0..cast.declared_slots;
        let coin =
            |voice| random::below(random::key(cast.seed, &[random::name("word sign"), sender(voice)]), 2);
        let shift = |voice| {
            let u = random::uniform(random::key(cast.seed, &[random::name("word time"), sender(voice)]));
            (length as f64 * (0.25 + 0.5 * u)) as usize
        };
        WordRewrite {
            control,
            barrier: 0,
            as_whom: match control {
                WordControl::Sender => other_senders(cast),
                WordControl::Asset => other_assets(cast),
                WordControl::Sign | WordControl::Time | WordControl::Own => {
                    voices.clone().map(Some).collect()
                }
            },
            signs: voices.clone().map(|v| if coin(v) == 0 { 1.0 } else { -1.0 }).collect(),
            shifts: voices.map(shift).collect(),
        }
    }

    /// Whether it is the twins' words that are heard.
    pub fn hears_twins(&self) -> bool {
        self.control == WordControl::Own
    }

    /// What is heard at a barrier in place of what was said; for own reckoning, of what the twins said.
    pub fn reheard(
        &mut self,
        cast: &Population,
        speak: &Speak,
        said: &[Utterance],
        tape: Option<&WordTape>,
    ) -> Vec<Utterance> {
        let barrier = self.barrier;
        self.barrier += 1;
        let close = |voice: usize| speak.close(cast.slots[voice].asset);
        let declared = |u: &&Utterance| u.voice < cast.declared_slots;
        let mut all: Vec<Utterance> = match (self.control, tape) {
            (WordControl::Sign, _) => {
                let turned =
                    |u: &Utterance| Utterance { voice: u.voice, body: turned(&u.body, self.signs[u.voice]) };
                said.iter().filter(declared).map(turned).collect()
            }
            (WordControl::Sender | WordControl::Asset, _) => {
                let moved = |u: &Utterance| {
                    let voice = self.as_whom[u.voice]?;
                    Some(Utterance { voice, body: at_price(&u.body, close(u.voice), close(voice)) })
                };
                said.iter().filter(declared).filter_map(moved).collect()
            }
            (WordControl::Own, _) => said.iter().filter(declared).cloned().collect(),
            (WordControl::Time, None) => Vec::new(),
            (WordControl::Time, Some(tape)) => {
                let mut heard = Vec::new();
                let length = tape.barriers.len().max(1);
                for (voice, shift) in self.shifts.iter().enumerate() {
                    let then = tape.barriers.get((barrier + shift) % length);
                    let own = then.into_iter().flatten().filter(|u| u.voice == voice);
                    let now = close(voice);
                    heard.extend(
                        own.map(|u| Utterance { voice, body: at_price(&u.body, price(&u.body, now), now) }),
                    );
                }
                heard
            }
        };
        all.retain(|u| close(u.voice) > 0.0);
        all.sort_by_key(|u| u.voice);
        all
    }
}

/// For each voice another one on its asset, each heard as the next of a circle drawn by the seed.
fn other_senders(cast: &Population) -> Vec<Option<usize>> {
    let mut as_whom = vec![None; cast.declared_slots];
    for slots in &cast.by_asset {
        let mut circle: Vec<usize> =
            slots.iter().map(|s| *s as usize).filter(|s| *s < cast.declared_slots).collect();
        circle.sort_by_key(|s| (random::key(cast.seed, &[random::name("word sender"), *s as u64]), *s));
        if circle.len() > 1 {
            for (i, voice) in circle.iter().enumerate() {
                as_whom[*voice] = Some(circle[(i + 1) % circle.len()]);
            }
        }
    }
    as_whom
}

/// For each voice one on the next asset of a circle drawn by the seed: the same agent's, else one of its family, else any.
fn other_assets(cast: &Population) -> Vec<Option<usize>> {
    let voices = |asset: usize| {
        let all = cast.by_asset[asset].iter().map(|s| *s as usize);
        all.filter(|s| *s < cast.declared_slots)
    };
    let mut circle: Vec<usize> = (0..cast.by_asset.len()).filter(|a| voices(*a).next().is_some()).collect();
    circle.sort_by_key(|a| (random::key(cast.seed, &[random::name("word asset"), *a as u64]), *a));
    let mut as_whom = vec![None; cast.declared_slots];
    for (i, asset) in circle.iter().enumerate().filter(|_| circle.len() > 1) {
        let next = circle[(i + 1) % circle.len()];
        for voice in voices(*asset) {
            let of = |other: usize| cast.slots[other].agent;
            let family = |id: AgentId| cast.agents[id.index()].family;
            let key = |other: &usize| {
                let (mine, theirs) = (of(voice), of(*other));
                let draw = random::key(cast.seed, &[random::name("word asset"), voice as u64, *other as u64]);
                (mine != theirs, family(mine) != family(theirs), draw)
            };
            as_whom[voice] = voices(next).min_by_key(key);
        }
    }
    as_whom
}

/// The price that a word says, or this where it says none.
fn price(body: &MessageKind, or: f64) -> f64 {
    match body {
        MessageKind::Action(a) => a.price,
        MessageKind::Rest(r) => r.limit,
        _ => or,
    }
}

/// A word with its levels as far from another price as they were from this one.
fn at_price(body: &MessageKind, from: f64, to: f64) -> MessageKind {
    let scale = if from > 0.0 { to / from } else { f64::NAN };
    let plan = |plan: &Arc<Plan>| {
        let mut moved = Plan::clone(plan);
        let level = |when: &mut Condition| {
            if let (Term::Close, Term::Level(price)) = (when.left, when.right) {
                when.right = Term::Level(price * scale);
            }
        };
        level(&mut moved.stop);
        moved.targets.iter_mut().for_each(|t| level(&mut t.when));
        moved.add.iter_mut().for_each(|(when, _)| level(when));
        Arc::new(moved)
    };
    match body {
        MessageKind::Action(a) => {
            let mut a = a.clone();
            (a.plan, a.price) = (plan(&a.plan), a.price * scale);
            MessageKind::Action(a)
        }
        MessageKind::Rest(r) => {
            let mut r = r.clone();
            (r.plan, r.limit) = (plan(&r.plan), r.limit * scale);
            MessageKind::Rest(r)
        }
        other => other.clone(),
    }
}

/// A word with its side, or its success, times ±1.
fn turned(body: &MessageKind, sign: f64) -> MessageKind {
    match body {
        MessageKind::Action(a) => {
            let mut a = a.clone();
            (a.before, a.after, a.delta) = (sign * a.before, sign * a.after, sign * a.delta);
            MessageKind::Action(a)
        }
        MessageKind::Outcome(o) => {
            let mut o = *o;
            o.pnl *= sign;
            MessageKind::Outcome(o)
        }
        MessageKind::Rest(r) => {
            let mut r = r.clone();
            r.after *= sign;
            MessageKind::Rest(r)
        }
        other => other.clone(),
    }
}
