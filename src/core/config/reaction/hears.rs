//! `hears = { what = "lost", who = "anyone", on = "mine", side = "with", at_least = 2, within = "24h" }`.

use super::rule::{ANYONE, RuleContext};
use crate::config::problem::{meant, nearest, quoted, suggest};
use crate::config::reader::{Reader, Value, bounds_hint};
use crate::config::selector::is_symbol;
use crate::domain::reaction::{AT_LEAST_MAX, CARRY_MAX, FEE_MAX, NEAR_MAX, NEAR_MIN, WITHIN_MAX};
use crate::domain::{
    AnnouncedLevel, FamilyId, Goal, HeardOn, HeardSide, Hearing, Hears, Reason, Service, Span, Whom,
};
use toml::de::{DeTable, DeValue};

/// Keys of what is heard.
pub(super) const KEYS: &[&str] = &[
    "what", "who", "on", "side", "at_least", "within", "reason", "level", "sigmas", "goal", "below", "above",
    "met", "service",
];
/// The forms of a speaker, for hints.
const WHO_FORMS: &str = "use \"anyone\", an agent's name, \"family:trend\" or \"goal:low_risk\"";

/// What is listened for, before its details.
#[derive(Clone, Copy, PartialEq)]
enum HearingWord {
    /// What has no details.
    Plain(Hearing),
    Lost,
    Near,
    Goal,
    Carry,
    Fee,
    /// Whether it saved money.
    Served(bool),
}

const WHAT: &[(&str, HearingWord)] = &[
    ("opened", HearingWord::Plain(Hearing::Opened)),
    ("added", HearingWord::Plain(Hearing::Added)),
    ("closed", HearingWord::Plain(Hearing::Closed)),
    ("reduced", HearingWord::Plain(Hearing::Reduced)),
    ("amended", HearingWord::Plain(Hearing::Amended)),
    ("waited", HearingWord::Plain(Hearing::Waited)),
    ("rested", HearingWord::Plain(Hearing::Rested)),
    ("won", HearingWord::Plain(Hearing::Won)),
    ("lost", HearingWord::Lost),
    ("doubted", HearingWord::Plain(Hearing::Doubted)),
    ("confirmed", HearingWord::Plain(Hearing::Confirmed)),
    ("near", HearingWord::Near),
    ("goal", HearingWord::Goal),
    ("tightened", HearingWord::Plain(Hearing::Turned { less: true })),
    ("loosened", HearingWord::Plain(Hearing::Turned { less: false })),
    ("carry", HearingWord::Carry),
    ("fee", HearingWord::Fee),
    ("saved", HearingWord::Served(true)),
    ("cost", HearingWord::Served(false)),
];
const SIDES: &[(&str, HeardSide)] =
    &[("with", HeardSide::With), ("against", HeardSide::Against), ("either", HeardSide::Either)];
const LEVELS: &[(&str, AnnouncedLevel)] =
    &[("stop", AnnouncedLevel::Stop), ("target", AnnouncedLevel::Target), ("add", AnnouncedLevel::Add)];
const SERVICES: &[(&str, Service)] = &[
    (Service::Carry.text(), Service::Carry),
    (Service::Liquidity.text(), Service::Liquidity),
    (Service::Capital.text(), Service::Capital),
];
/// What may end an intent with a loss.
const REASONS: &[(&str, Reason)] = &[
    ("stop", Reason::Stop),
    ("trailing_stop", Reason::Trail),
    ("time_stop", Reason::Expired),
    ("exit", Reason::Exit),
    ("target", Reason::Target),
    ("delisted", Reason::Delisted),
    ("missed", Reason::Missed),
    ("settled", Reason::Settled),
    ("liquidated", Reason::Liquidated),
];

impl HearingWord {
    /// Whether a key says something of it. What is of the whole is said on no asset; and a level that was announced stands
    /// until another one is.
    fn takes(self, key: &str) -> bool {
        match key {
            "what" => true,
            "reason" => self == HearingWord::Lost,
            "level" | "sigmas" => self == HearingWord::Near,
            "goal" | "met" => self == HearingWord::Goal,
            "below" => matches!(self, HearingWord::Goal | HearingWord::Fee),
            "above" => matches!(self, HearingWord::Goal | HearingWord::Fee | HearingWord::Carry),
            "service" => matches!(self, HearingWord::Served(_)),
            "within" => !matches!(self, HearingWord::Near | HearingWord::Goal),
            "on" => self.is_of_asset(),
            "side" => self.is_of_asset() && self != HearingWord::Fee,
            _ => self != HearingWord::Goal,
        }
    }

    fn is_of_asset(self) -> bool {
        match self {
            HearingWord::Plain(what) => what.is_of_asset(),
            HearingWord::Goal | HearingWord::Served(_) => false,
            HearingWord::Lost | HearingWord::Near | HearingWord::Carry | HearingWord::Fee => true,
        }
    }
}

fn word_of<T: PartialEq>(words: &[(&'static str, T)], meaning: &T) -> &'static str {
    words.iter().find(|(_, m)| m == meaning).map_or("", |(word, _)| word)
}

impl RuleContext<'_> {
    /// What a rule listens for. What is left out: anyone, on its own asset, on either side, one of them, within a day.
    pub(super) fn hears(&self, reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Hears> {
        let section = format!("hears of {}", self.section);
        let table = reader.table(value, &section, "like hears = { what = \"lost\" }")?;
        for (key, _) in table {
            if !KEYS.contains(&key.get_ref().as_ref()) {
                reader.unknown(key, "key", &section, KEYS.iter().copied());
            }
        }
        let words: Vec<&str> = WHAT.iter().map(|(word, _)| *word).collect();
        let missing = (format!("{section} has no what"), format!("what = one of {}", words.join(", ")));
        let word = self.needed(reader, value, table, "what", WHAT, missing);
        let useless = self.useless(reader, table, word);
        let heard = |key: &str| table.get(key).filter(|_| word.is_none_or(|w| w.takes(key)));
        // Each is read whatever came of the others, so that every mistake is told.
        let who = heard("who").map_or(Some(Whom::Anyone), |v| self.who(reader, v, word));
        let on = heard("on").map_or(Some(HeardOn::Mine), |v| self.on(reader, v));
        let side =
            heard("side").map_or(Some(HeardSide::Either), |v| reader.word(v, &self.key("side"), SIDES));
        // One alone may be an echo of the holder's own.
        let least =
            if matches!(word, Some(HearingWord::Plain(what)) if what.is_of_company()) { 2 } else { 1 };
        let at_least =
            heard("at_least").map_or(Some(least), |v| self.at_least(reader, v, least, who.as_ref()));
        let within = heard("within").map_or(Some(Span::DAY), |v| self.span(reader, v, "within", WITHIN_MAX));
        let what = word.and_then(|w| self.what(reader, value, table, w));
        let read =
            Hears { what: what?, who: who?, on: on?, side: side?, at_least: at_least?, within: within? };
        (!useless).then_some(read)
    }

    fn key(&self, key: &str) -> String {
        format!("{key} of {}", self.section)
    }

    /// The word of a key that must be there; if it is not, this message and the way out, unless a slip is the problem.
    fn needed<T: Copy>(
        &self,
        reader: &mut Reader<'_>,
        item: &Value<'_>,
        table: &DeTable<'_>,
        key: &str,
        words: &[(&str, T)],
        (message, hint): (String, String),
    ) -> Option<T> {
        if let Some(value) = table.get(key) {
            return reader.word(value, &self.key(key), words);
        }
        if !meant(table, key, KEYS) {
            reader.report(item.span().start, message, hint);
        }
        None
    }

    /// Keys that say nothing of what is listened for.
    fn useless(&self, reader: &mut Reader<'_>, table: &DeTable<'_>, word: Option<HearingWord>) -> bool {
        let mut any = false;
        let Some(word) = word else { return any };
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            if word.takes(name) || !KEYS.contains(&name) {
                continue;
            }
            any = true;
            let fitting: Vec<String> =
                WHAT.iter().filter(|(_, w)| w.takes(name)).map(|(text, _)| format!("{text:?}")).collect();
            let is = word_of(WHAT, &word);
            let message = format!("{} says nothing of what = {is:?}", self.key(name));
            reader.report(key.span().start, message, format!("it belongs to {}", fitting.join(", ")));
        }
        any
    }

    fn what(
        &self,
        reader: &mut Reader<'_>,
        item: &Value<'_>,
        table: &DeTable<'_>,
        word: HearingWord,
    ) -> Option<Hearing> {
        match word {
            HearingWord::Plain(what) => Some(what),
            HearingWord::Lost => match table.get("reason") {
                Some(v) => reader.word(v, &self.key("reason"), REASONS).map(|r| Hearing::Lost(Some(r))),
                None => Some(Hearing::Lost(None)),
            },
            HearingWord::Near => self.near(reader, item, table),
            HearingWord::Goal => self.goal(reader, item, table),
            HearingWord::Carry => {
                let unit = "of notional a year";
                let above = |v| reader.number(v, &self.key("above"), (0.0, CARRY_MAX), unit);
                let above = table.get("above").map_or(Some(0.0), above);
                above.map(|above| Hearing::Carry { above })
            }
            HearingWord::Fee => {
                let (below, bps) = self.one_end(reader, item, table, [(0.0, FEE_MAX); 2], "bp")?;
                Some(Hearing::Fee { below, bps })
            }
            HearingWord::Served(saved) => match table.get("service") {
                Some(v) => reader
                    .word(v, &self.key("service"), SERVICES)
                    .map(|service| Hearing::Served { saved, service: Some(service) }),
                None => Some(Hearing::Served { saved, service: None }),
            },
        }
    }

    /// The one number that must be there, and whether what is heard must be below it; else above.
    fn one_end(
        &self,
        reader: &mut Reader<'_>,
        item: &Value<'_>,
        table: &DeTable<'_>,
        [below, above]: [(f64, f64); 2],
        unit: &str,
    ) -> Option<(bool, f64)> {
        let mut number =
            |key: &str, bounds| table.get(key).map(|v| reader.number(v, &self.key(key), bounds, unit));
        match (number("below", below), number("above", above)) {
            (Some(number), None) => number.map(|number| (true, number)),
            (None, Some(number)) => number.map(|number| (false, number)),
            (first, _) => {
                let slip = ["below", "above"].iter().any(|k| meant(table, k, KEYS));
                if first.is_some() || !slip {
                    let has =
                        if first.is_some() { "both below and above" } else { "neither below nor above" };
                    let message = format!("hears of {} has {has}", self.section);
                    reader.report(item.span().start, message, "write one of them, like below = 0.5");
                }
                None
            }
        }
    }

    fn near(&self, reader: &mut Reader<'_>, item: &Value<'_>, table: &DeTable<'_>) -> Option<Hearing> {
        let message = format!("hears of {} is near, but to which level?", self.section);
        let missing = (message, "level = \"stop\", \"target\" or \"add\"".to_owned());
        if let Some(value) = table.get("level").filter(|v| v.get_ref().as_str() == Some("hedge")) {
            let message = format!("{} is \"hedge\", which nobody announces at a price", self.key("level"));
            let hint = "hedges are for storms, not for a price: hear \"stop\", \"target\" or \"add\"";
            reader.report(value.span().start, message, hint);
            return None;
        }
        let level = self.needed(reader, item, table, "level", LEVELS, missing);
        // A level is a distance from the price of the asset that the holder looks at.
        if let Some(value) = table.get("on").filter(|v| v.get_ref().as_str() == Some("others")) {
            let message = format!("{} is \"others\", where no price is near to mine", self.key("on"));
            reader.report(value.span().start, message, "leave it out: levels of its own asset are heard");
            return None;
        }
        let family = table.get("who").and_then(|v| Some((v, v.get_ref().as_str()?.strip_prefix("family:")?)));
        if let Some((value, family)) =
            family.filter(|(_, name)| FamilyId::parse(name).is_some_and(FamilyId::is_structured))
        {
            let message = format!("{} is {family}, which announces no level at a price", self.key("who"));
            reader.report(value.span().start, message, "hear a family that decides on bars, or \"anyone\"");
            return None;
        }
        let unit = "volatilities of a bar";
        let sigmas = match table.get("sigmas") {
            Some(v) => reader.number(v, &self.key("sigmas"), (NEAR_MIN, NEAR_MAX), unit),
            None => Some(1.0),
        };
        Some(Hearing::Near(level?, sigmas?))
    }

    fn goal(&self, reader: &mut Reader<'_>, item: &Value<'_>, table: &DeTable<'_>) -> Option<Hearing> {
        let goals: Vec<(&str, Goal)> = Goal::ALL.iter().map(|g| (g.text(), *g)).collect();
        let message = format!("hears of {} is a goal, but which?", self.section);
        let missing = (message, suggest("", goals.iter().map(|(word, _)| *word)));
        let goal = self.needed(reader, item, table, "goal", &goals, missing);
        // Above all that there is and below it nothing can stand.
        let bounds = [(0.01, 1.0), (0.0, 0.99)];
        let end = self.one_end(reader, item, table, bounds, "of the goal reached");
        let met = match table.get("met") {
            Some(v) => Some((v, reader.word(v, &self.key("met"), &goals)?)),
            None => None,
        };
        let goal = goal?;
        if let Some((v, _)) = met.filter(|(_, met)| *met == goal) {
            let message = format!("{} is {goal} itself", self.key("met"));
            reader.report(v.span().start, message, "name another goal, or leave it out");
            return None;
        }
        let (below, score) = end?;
        Some(Hearing::Goal { goal, below, score, met: met.map(|(_, goal)| goal) })
    }

    /// Whom it listens to.
    fn who(&self, reader: &mut Reader<'_>, value: &Value<'_>, word: Option<HearingWord>) -> Option<Whom> {
        let what = self.key("who");
        let text = reader.text(value, &what)?;
        let mut wrong = |message: String, hint: String| {
            reader.report(value.span().start, message, hint);
            None
        };
        if text == ANYONE {
            return Some(Whom::Anyone);
        }
        let is_turned = matches!(word, Some(HearingWord::Plain(Hearing::Turned { .. })));
        let is_manager = text.starts_with("manager:");
        if let Some(word) = word.filter(|_| is_turned != is_manager) {
            let is = word_of(WHAT, &word);
            return if is_turned {
                let hint = "hear \"anyone\" or \"manager:low_risk\"".to_owned();
                wrong(format!("{what} is {}, but only managers say what = {is:?}", quoted(text)), hint)
            } else {
                let hint = "of managers hear what = \"tightened\" or \"loosened\"".to_owned();
                wrong(format!("{what} is {}, but managers never say what = {is:?}", quoted(text)), hint)
            };
        }
        match text.split_once(':') {
            Some(("family", name)) => match FamilyId::parse(name) {
                Some(family) => Some(Whom::Family(family)),
                None => wrong(
                    format!("unknown family {} in {what}", quoted(name)),
                    suggest(name, FamilyId::ALL.iter().map(|f| f.text())),
                ),
            },
            Some(("goal", name)) => match Goal::parse(name) {
                Some(goal) => Some(Whom::DeployedFor(goal)),
                None => wrong(
                    format!("unknown goal {} in {what}", quoted(name)),
                    suggest(name, Goal::ALL.iter().map(|g| g.text())),
                ),
            },
            Some(("manager", name)) => match Goal::parse(name) {
                Some(goal) => Some(Whom::Manager(goal)),
                None => wrong(
                    format!("unknown goal {} in {what}", quoted(name)),
                    suggest(name, Goal::ALL.iter().map(|g| g.text())),
                ),
            },
            Some(_) => wrong(format!("{what} is {}, which is no form", quoted(text)), WHO_FORMS.to_owned()),
            None if self.holder.agent == Some(text) => wrong(
                format!("{what} is {} itself", quoted(text)),
                "a reaction hears others: name another agent".to_owned(),
            ),
            None => match &self.named.agents {
                Some(names) if !names.contains(text) => {
                    let hint = if FamilyId::parse(text).is_some() {
                        format!("use \"family:{text}\"")
                    } else if Goal::parse(text).is_some() {
                        format!("use \"goal:{text}\"")
                    } else {
                        let others = names.iter().filter(|n| self.holder.agent != Some(n.as_str()));
                        match nearest(text, others.map(String::as_str).chain([ANYONE])) {
                            Some(near) => format!("did you mean {near:?}?"),
                            None => WHO_FORMS.to_owned(),
                        }
                    };
                    wrong(format!("unknown agent {} in {what}", quoted(text)), hint)
                }
                _ => Some(Whom::Agent(text.to_owned())),
            },
        }
    }

    /// On which asset.
    fn on(&self, reader: &mut Reader<'_>, value: &Value<'_>) -> Option<HeardOn> {
        let what = self.key("on");
        let text = reader.text(value, &what)?;
        match text {
            "mine" => return Some(HeardOn::Mine),
            "others" => return Some(HeardOn::Others),
            symbol if is_symbol(symbol) => return Some(HeardOn::Asset(symbol.to_owned())),
            _ => {}
        }
        let capitals = text.to_ascii_uppercase();
        let hint = match nearest(text, ["mine", "others"]) {
            Some(near) => format!("did you mean {near:?}?"),
            None if is_symbol(&capitals) => format!("symbols of assets are in capitals: use {capitals:?}"),
            None => "use \"mine\", \"others\" or a symbol, like \"BTC\"".to_owned(),
        };
        reader.report(value.span().start, format!("{what} is {}, which is no asset", quoted(text)), hint);
        None
    }

    /// How many different speakers it takes.
    fn at_least(
        &self,
        reader: &mut Reader<'_>,
        value: &Value<'_>,
        least: u32,
        who: Option<&Whom>,
    ) -> Option<u32> {
        let what = self.key("at_least");
        let whole = match value.get_ref() {
            DeValue::Integer(i) => u32::from_str_radix(i.as_str(), i.radix()).ok(),
            DeValue::Float(_) => None,
            // Says that it is no number at all.
            _ => return reader.number(value, &what, (0.0, 0.0), "").map(|_| 0),
        };
        let Some(count) = whole.filter(|n| (least..=AT_LEAST_MAX).contains(n)) else {
            let message = format!("{what} is {}, out of bounds", reader.source(value));
            let hint = format!("a whole number {}", bounds_hint(least, AT_LEAST_MAX, "different speakers"));
            reader.report(value.span().start, message, hint);
            return None;
        };
        let one = match who.filter(|_| count > 1) {
            Some(Whom::Agent(name)) => Some(quoted(name)),
            Some(Whom::Manager(goal)) => Some(format!("the manager for {goal}")),
            _ => None,
        };
        if let Some(one) = one {
            let message = format!("{what} is {count}, but {one} is one speaker");
            reader.report(value.span().start, message, "leave it out, or hear \"anyone\" or a family");
            return None;
        }
        Some(count)
    }
}

/// The key of a number below which something must be, or above which.
fn end(below: bool) -> &'static str {
    if below { "below" } else { "above" }
}

/// What is heard as it is written, with all that could be left out.
pub(super) fn print(hears: &Hears) -> String {
    let Hears { what, who, on, side, at_least, within } = hears;
    let (word, details) = match what {
        Hearing::Lost(None) => (HearingWord::Lost, String::new()),
        Hearing::Lost(Some(reason)) => {
            (HearingWord::Lost, format!(", reason = \"{}\"", word_of(REASONS, reason)))
        }
        Hearing::Near(level, sigmas) => {
            let level = word_of(LEVELS, level);
            (HearingWord::Near, format!(", level = \"{level}\", sigmas = {sigmas}"))
        }
        Hearing::Goal { goal, below, score, met } => {
            let met = met.map_or_else(String::new, |met| format!(", met = \"{met}\""));
            (HearingWord::Goal, format!(", goal = \"{goal}\", {} = {score}{met}", end(*below)))
        }
        Hearing::Carry { above } => (HearingWord::Carry, format!(", above = {above}")),
        Hearing::Fee { below, bps } => (HearingWord::Fee, format!(", {} = {bps}", end(*below))),
        Hearing::Served { saved, service } => {
            let service = service.map_or_else(String::new, |s| format!(", service = \"{}\"", s.text()));
            (HearingWord::Served(*saved), service)
        }
        plain => (HearingWord::Plain(*plain), String::new()),
    };
    let who = match who {
        Whom::Anyone => ANYONE.to_owned(),
        Whom::Agent(name) => name.clone(),
        Whom::Family(family) => format!("family:{family}"),
        Whom::DeployedFor(goal) => format!("goal:{goal}"),
        Whom::Manager(goal) => format!("manager:{goal}"),
    };
    let on = match on {
        HeardOn::Mine => "mine",
        HeardOn::Others => "others",
        HeardOn::Asset(name) => name,
    };
    let common = [
        ("who", format!("\"{who}\"")),
        ("on", format!("\"{on}\"")),
        ("side", format!("\"{}\"", word_of(SIDES, side))),
        ("at_least", at_least.to_string()),
        ("within", format!("\"{within}\"")),
    ];
    let common = common.iter().filter(|(key, _)| word.takes(key));
    let common: Vec<String> = common.map(|(key, value)| format!(", {key} = {value}")).collect();
    format!("what = \"{}\"{details}{}", word_of(WHAT, &word), common.concat())
}
