//! `then = { wait = "48h" }`: what a reaction does, one thing a rule.

use super::rule::RuleContext;
use crate::config::reader::{Reader, Value};
use crate::domain::ReactionEffect;
use crate::domain::reaction::{FRACTION_BOUNDS, SIZE_BOUNDS, STOP_BOUNDS, TARGET_BOUNDS, WAIT_MAX};

/// The words for effects.
pub(super) const WORDS: &[&str] = &["wait", "enter", "size", "stop", "target", "cut", "hedge"];
/// On the side of whom was heard, or on the other.
const ENTRIES: &[(&str, bool)] = &[("with", true), ("against", false)];
/// Units of the numbers, for hints.
const OWN_SIZE: &str = "times the own size";
const OWN_STOP: &str = "of the stop's distance";
const OWN_TARGET: &str = "times the targets' distance";
const OF_POSITION: &str = "of the position";

impl RuleContext<'_> {
    /// The one effect of a rule.
    pub(super) fn effect(&self, reader: &mut Reader<'_>, value: &Value<'_>) -> Option<ReactionEffect> {
        let section = format!("then of {}", self.section);
        let table = reader.table(value, &section, "like then = { wait = \"2d\" }")?;
        let mut found: Vec<(&str, Option<ReactionEffect>)> = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if let Some(word) = WORDS.iter().find(|w| **w == name) {
                found.push((word, self.one(reader, word, value)));
            } else {
                reader.unknown(key, "effect", &section, WORDS.iter().copied());
            }
        }
        match found[..] {
            [(_, effect)] => effect,
            // What was meant is a problem already.
            [] if !table.is_empty() => None,
            [] => {
                let message = format!("{section} does nothing");
                reader.report(value.span().start, message, format!("name one of {}", WORDS.join(", ")));
                None
            }
            _ => {
                let words: Vec<&str> = found.iter().map(|(word, _)| *word).collect();
                let message = format!("{section} has {} effects: {}", words.len(), words.join(" and "));
                let hint = "a reaction does one thing; write another one of another name";
                reader.report(value.span().start, message, hint);
                None
            }
        }
    }

    /// The effect of this word.
    fn one(&self, reader: &mut Reader<'_>, word: &'static str, value: &Value<'_>) -> Option<ReactionEffect> {
        let what = format!("{word} of {}", self.section);
        let mut number = |bounds, unit| reader.number(value, &what, bounds, unit);
        let factor = match word {
            "wait" => return self.span(reader, value, word, WAIT_MAX).map(ReactionEffect::Wait),
            "enter" => return reader.word(value, &what, ENTRIES).map(ReactionEffect::Enter),
            "size" => number(SIZE_BOUNDS, OWN_SIZE).map(ReactionEffect::Size),
            "stop" => number(STOP_BOUNDS, OWN_STOP).map(ReactionEffect::Stop),
            "target" => number(TARGET_BOUNDS, OWN_TARGET).map(ReactionEffect::Target),
            "cut" => return number(FRACTION_BOUNDS, OF_POSITION).map(ReactionEffect::Cut),
            _ => return number(FRACTION_BOUNDS, OF_POSITION).map(ReactionEffect::Hedge),
        };
        if let Some(ReactionEffect::Size(1.0) | ReactionEffect::Stop(1.0) | ReactionEffect::Target(1.0)) =
            factor
        {
            let hint = if word == "stop" { "below 1 is nearer" } else { "below 1 is less, above 1 is more" };
            reader.report(value.span().start, format!("{what} is 1, which changes nothing"), hint);
            return None;
        }
        factor
    }
}

/// The effect as it is written.
pub(super) fn print(effect: ReactionEffect) -> String {
    match effect {
        ReactionEffect::Wait(span) => format!("wait = \"{span}\""),
        ReactionEffect::Enter(with) => format!("enter = \"{}\"", if with { "with" } else { "against" }),
        ReactionEffect::Size(factor) => format!("size = {factor}"),
        ReactionEffect::Stop(factor) => format!("stop = {factor}"),
        ReactionEffect::Target(factor) => format!("target = {factor}"),
        ReactionEffect::Cut(fraction) => format!("cut = {fraction}"),
        ReactionEffect::Hedge(fraction) => format!("hedge = {fraction}"),
    }
}
