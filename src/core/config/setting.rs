//! What a setting is: a path, a kind with bounds, a unit, and the slot it fills. The table of all
//! settings is [`super::table::SETTINGS`]; reading, layers, checks, `show` and the hash go through it.

use super::checked::Config;
use super::names::is_name;
use super::problem::{quoted, suggest};
use super::reader::{as_number, bounds_hint, is_number, type_name};
use crate::domain::{Holds, Money, Span, money};
use crate::fills::fine::FillPrices;
use crate::fills::pace::Trades;
use crate::fills::{BarCosts, Costs};
use crate::hive::across::AcrossAssets;
use crate::hive::settings::{
    AssetManager, AutomatedManager, BigMoneyManager, FastManager, LowRiskManager, MoneyFollows, Trust,
};
use crate::treasury::settings::DrawdownBy;
use std::collections::BTreeMap;
use toml::de::DeValue;

/// A scalar setting of `agents.toml`, of a `HIVE_*` variable and of a flag.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Where it stands, `desk.patience`.
    pub path: &'static str,
    /// Its unit in words, empty if it has none.
    pub unit: &'static str,
    /// What it sets, in one line.
    pub doc: &'static str,
    pub(super) kind: SettingKind,
    /// Whether it can change a decision, and so belongs into the hash of the roster.
    pub(super) decides: bool,
    /// At this value it is left out of the hash of the roster: it was no setting yet when hashes were
    /// written down, and everybody had it.
    pub(super) unsaid: Option<&'static str>,
    /// None while the section it belongs to is not there.
    pub(super) slot: for<'a> fn(&'a mut Draft) -> Option<DraftField<'a>>,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum SettingKind {
    /// Letters, digits, `-` and `_`, since names become names of files.
    Name { chars_max: usize },
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A positive amount, in quotes.
    Money,
    /// A whole number.
    Whole { min: u64, max: u64 },
    /// A number between two bounds, both allowed.
    Number { min: f64, max: f64 },
    /// A number, or one of these words; the first is none.
    NumberOr { words: &'static [&'static str], min: f64, max: f64 },
    /// True or false.
    Flag,
    /// A length of time.
    Span { min: Span, max: Span },
}

/// The place in a [`Draft`] that a setting fills.
pub(super) enum DraftField<'a> {
    Text(&'a mut String),
    Money(&'a mut Money),
    Small(&'a mut u32),
    Large(&'a mut u64),
    Number(&'a mut f64),
    /// Written in basis points, kept as a fraction.
    Bp(&'a mut f64),
    Optional(&'a mut Option<f64>),
    OptionalBp(&'a mut Option<f64>),
    Flag(&'a mut bool),
    Span(&'a mut Span),
}

impl DraftField<'_> {
    /// Fills a place for whole numbers; none if it is for something else.
    fn fill_whole(self, whole: u64) -> Option<()> {
        match self {
            DraftField::Small(slot) => *slot = whole as u32,
            DraftField::Large(slot) => *slot = whole,
            _ => return None,
        }
        Some(())
    }

    /// Fills a place for numbers; none if it is for something else.
    fn fill_number(self, value: f64) -> Option<()> {
        match self {
            DraftField::Number(slot) => *slot = value,
            DraftField::Bp(slot) => *slot = from_bp(value),
            DraftField::Optional(slot) => *slot = Some(value),
            DraftField::OptionalBp(slot) => *slot = Some(from_bp(value)),
            // One for a number or a word.
            DraftField::Text(slot) => *slot = value.to_string(),
            _ => return None,
        }
        Some(())
    }
}

/// A configuration being read: as [`Config`], with the parts of its enums side by side.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub config: Config,
    pub level: String,
    pub flat: Option<f64>,
    pub bars: BarCosts,
    /// What venues have of their own, in the order in which it was said: setting and value.
    pub venues: BTreeMap<String, Vec<(&'static Setting, String)>>,
    pub holds: String,
    pub money: String,
    pub trust: String,
    pub across: String,
    pub trades: String,
    pub drawdown_by: String,
    pub fills: String,
}

impl Draft {
    pub fn of(config: Config) -> Self {
        let (flat, bars) = match config.costs {
            Costs::Flat(rate) => (Some(rate), BarCosts::default()),
            Costs::Bars(bars) => (None, bars),
        };
        Draft {
            level: "B".to_owned(),
            flat,
            bars,
            venues: BTreeMap::new(),
            holds: config.listening.holds.word().to_owned(),
            money: config.listening.money.word().to_owned(),
            trust: config.listening.trust.word().to_owned(),
            across: config.listening.across.word(),
            trades: config.desk.trades.word().to_owned(),
            drawdown_by: config.funds.drawdown_by.word().to_owned(),
            fills: config.fills.word().to_owned(),
            config,
        }
    }

    pub fn finish(mut self) -> Config {
        // Words that are not known were refused when they were given.
        self.config.fills = FillPrices::parse(&self.fills).unwrap_or_default();
        self.config.funds.drawdown_by = DrawdownBy::parse(&self.drawdown_by).unwrap_or_default();
        self.config.listening.holds = Holds::parse(&self.holds).unwrap_or_default();
        self.config.listening.trust = Trust::parse(&self.trust).unwrap_or_default();
        self.config.listening.money = MoneyFollows::parse(&self.money).unwrap_or_default();
        self.config.listening.across = AcrossAssets::parse(&self.across).unwrap_or_default();
        self.config.desk.trades = Trades::parse(&self.trades).unwrap_or_default();
        let own = |said: &Vec<(&'static Setting, String)>| {
            let mut draft = Draft { bars: self.bars, ..Draft::of(Config::default()) };
            for (setting, value) in said {
                // It was taken when it was said.
                let _ = setting.assign(&mut draft, LayerValue::from_text(setting.kind, value));
            }
            Costs::Bars(draft.bars)
        };
        let venues = self.venues.iter().filter(|_| self.flat.is_none());
        Config {
            venues: venues.map(|(name, said)| (name.clone(), own(said))).collect(),
            costs: match self.flat {
                Some(rate) => Costs::Flat(rate),
                None => Costs::Bars(self.bars),
            },
            ..self.config
        }
    }

    pub fn low_risk(&mut self) -> Option<&mut LowRiskManager> {
        self.config.managers.low_risk.as_mut()
    }

    pub fn big_money(&mut self) -> Option<&mut BigMoneyManager> {
        self.config.managers.big_money.as_mut()
    }

    pub fn automated(&mut self) -> Option<&mut AutomatedManager> {
        self.config.managers.automated.as_mut()
    }

    pub fn asset(&mut self) -> Option<&mut AssetManager> {
        self.config.managers.asset.as_mut()
    }

    pub fn fast(&mut self) -> Option<&mut FastManager> {
        self.config.managers.fast.as_mut()
    }
}

/// A value as some layer gives it.
#[derive(Clone, Copy, Debug)]
pub(super) enum LayerValue<'v> {
    Text(&'v str),
    Number { value: f64, whole: Option<u64>, source: &'v str },
    Flag(bool),
    Other(&'static str),
}

/// Why a value is not taken: a predicate ("must be …") and the way out.
pub(super) type InvalidValue = (String, String);

impl<'v> LayerValue<'v> {
    pub fn from_toml(value: &'v DeValue<'_>, source: &'v str) -> Self {
        match value {
            DeValue::String(text) => LayerValue::Text(text),
            DeValue::Boolean(flag) => LayerValue::Flag(*flag),
            number if is_number(number) => LayerValue::Number {
                value: as_number(number).unwrap_or(f64::NAN),
                whole: match number {
                    DeValue::Integer(i) => u64::from_str_radix(i.as_str(), i.radix()).ok(),
                    _ => None,
                },
                source,
            },
            other => LayerValue::Other(type_name(other)),
        }
    }

    /// Variables and flags have no types: the kind of the setting says how to read the text.
    pub fn from_text(kind: SettingKind, text: &'v str) -> Self {
        let wants_number = matches!(
            kind,
            SettingKind::Whole { .. } | SettingKind::Number { .. } | SettingKind::NumberOr { .. }
        );
        match (text.parse::<f64>(), text) {
            (Ok(value), _) if wants_number => {
                LayerValue::Number { value, whole: text.parse().ok(), source: text.get(..40).unwrap_or(text) }
            }
            (_, "true") if matches!(kind, SettingKind::Flag) => LayerValue::Flag(true),
            (_, "false") if matches!(kind, SettingKind::Flag) => LayerValue::Flag(false),
            _ => LayerValue::Text(text),
        }
    }

    fn type_name(self) -> &'static str {
        match self {
            LayerValue::Text(_) => "text",
            LayerValue::Number { .. } => "a number",
            LayerValue::Flag(_) => "true or false",
            LayerValue::Other(name) => name,
        }
    }
}

/// The variable that sets a path: `HIVE_DESK_PATIENCE`; the prefix `hive.` is not said twice.
pub(super) fn variable_of(path: &str) -> String {
    let path = path.strip_prefix("hive.").unwrap_or(path);
    format!("HIVE_{}", path.replace('.', "_").to_uppercase())
}

impl Setting {
    /// The variable that sets it: `HIVE_DESK_PATIENCE`.
    pub fn variable(&self) -> String {
        variable_of(self.path)
    }

    /// As people call it: `patience in [desk]`.
    pub(super) fn title(&self) -> String {
        let depth = if self.path.starts_with("managers.") { 2 } else { 1 };
        match self.path.match_indices('.').nth(depth - 1) {
            Some((dot, _)) => format!("{} in [{}]", &self.path[dot + 1..], &self.path[..dot]),
            None => self.path.to_owned(),
        }
    }

    /// Fills the slot, or says why not.
    pub(super) fn assign(&self, draft: &mut Draft, given: LayerValue<'_>) -> Result<(), InvalidValue> {
        let Some(slot) = (self.slot)(draft) else {
            let section = self.path.rsplit_once('.').map_or("", |(head, _)| head);
            return Err((
                "has no use: there is no such manager".to_owned(),
                format!("add [{section}] to the file"),
            ));
        };
        let must_be = |wanted: &str| -> InvalidValue {
            let message = format!("must be {wanted}, not {}", given.type_name());
            (message, String::new())
        };
        match (self.kind, slot, given) {
            (SettingKind::Name { chars_max }, DraftField::Text(slot), LayerValue::Text(text)) => {
                *slot = name(text, chars_max)?;
            }
            (SettingKind::OneOf(words), DraftField::Text(slot), LayerValue::Text(text)) => {
                *slot = word(text, words)?;
            }
            (SettingKind::Money, DraftField::Money(slot), LayerValue::Text(text)) => *slot = amount(text)?,
            (SettingKind::Money, _, LayerValue::Number { source, .. }) => {
                return Err((
                    "must be an amount in quotes, not a number, which would not be exact".to_owned(),
                    format!("quote it: \"{source}\""),
                ));
            }
            (SettingKind::Whole { min, max }, slot, LayerValue::Number { whole, source, .. }) => {
                let Some(whole) = whole.filter(|n| (min..=max).contains(n)) else {
                    return Err((
                        format!("is {source}, out of bounds"),
                        format!("a whole number {}", bounds_hint(min, max, self.unit)),
                    ));
                };
                return slot.fill_whole(whole).ok_or_else(|| must_be("of another kind"));
            }
            (
                SettingKind::Number { min, max } | SettingKind::NumberOr { min, max, .. },
                slot,
                LayerValue::Number { value, source, .. },
            ) => {
                if !(min..=max).contains(&value) {
                    return Err((format!("is {source}, out of bounds"), bounds_hint(min, max, self.unit)));
                }
                return slot.fill_number(value).ok_or_else(|| must_be("of another kind"));
            }
            (
                SettingKind::NumberOr { words, .. },
                slot @ (DraftField::Optional(_) | DraftField::OptionalBp(_) | DraftField::Text(_)),
                LayerValue::Text(text),
            ) => {
                let word = word_beside_numbers(text, words)?;
                match slot {
                    DraftField::Optional(slot) | DraftField::OptionalBp(slot) => *slot = None,
                    DraftField::Text(slot) => *slot = word,
                    _ => {}
                }
            }
            (SettingKind::Flag, DraftField::Flag(slot), LayerValue::Flag(flag)) => *slot = flag,
            (SettingKind::Span { min, max }, DraftField::Span(slot), LayerValue::Text(text)) => {
                *slot = length(text, min, max)?;
            }
            (kind, _, _) => return Err(must_be(kind.wanted())),
        }
        Ok(())
    }

    /// The value as the file would state it, money and words without quotes; none while its section is
    /// not there.
    pub(super) fn print(&self, draft: &mut Draft) -> Option<String> {
        Some(match (self.slot)(draft)? {
            DraftField::Text(v) => v.clone(),
            DraftField::Money(v) => v.to_string(),
            DraftField::Small(v) => v.to_string(),
            DraftField::Large(v) => v.to_string(),
            DraftField::Number(v) => v.to_string(),
            DraftField::Bp(v) => in_bp(*v).to_string(),
            DraftField::Optional(v) => v.map_or_else(|| self.kind.word(), |v| v.to_string()),
            DraftField::OptionalBp(v) => v.map_or_else(|| self.kind.word(), |v| in_bp(v).to_string()),
            DraftField::Flag(v) => v.to_string(),
            DraftField::Span(v) => v.to_string(),
        })
    }

    /// The value as a number, for the comparison of two settings.
    pub(super) fn measure(&self, draft: &mut Draft) -> Option<f64> {
        match (self.slot)(draft)? {
            DraftField::Small(v) => Some(f64::from(*v)),
            DraftField::Number(v) => Some(*v),
            DraftField::Span(v) => Some(v.0 as f64),
            _ => None,
        }
    }
}

impl SettingKind {
    fn wanted(self) -> &'static str {
        match self {
            SettingKind::Name { .. } | SettingKind::OneOf(_) => "text in quotes",
            SettingKind::Money => "an amount in quotes",
            SettingKind::Whole { .. } => "a whole number",
            SettingKind::Number { .. } => "a number",
            SettingKind::NumberOr { .. } => "a number, or a word in quotes",
            SettingKind::Flag => "true or false",
            SettingKind::Span { .. } => "a length of time in quotes, like \"4h\"",
        }
    }

    fn word(self) -> String {
        match self {
            SettingKind::NumberOr { words: [word, ..], .. } => (*word).to_owned(),
            _ => String::new(),
        }
    }
}

fn name(text: &str, chars_max: usize) -> Result<String, InvalidValue> {
    if is_name(text, chars_max) {
        return Ok(text.to_owned());
    }
    Err((
        format!("is {}, which is no name", quoted(text)),
        format!("1 to {chars_max} letters, digits, - and _"),
    ))
}

fn word(text: &str, words: &[&str]) -> Result<String, InvalidValue> {
    if words.contains(&text) {
        return Ok(text.to_owned());
    }
    Err((format!("is {}, which is not known", quoted(text)), suggest(text, words.iter().copied())))
}

fn word_beside_numbers(text: &str, words: &[&str]) -> Result<String, InvalidValue> {
    if words.contains(&text) {
        return Ok(text.to_owned());
    }
    let known: Vec<String> = words.iter().map(|w| format!("{w:?}")).collect();
    let hint = format!("a number, or {}", known.join(", or "));
    Err((format!("is {}, which is not known", quoted(text)), hint))
}

fn length(text: &str, min: Span, max: Span) -> Result<Span, InvalidValue> {
    match Span::parse(text) {
        None => Err((
            format!("is {}, which is no length of time", quoted(text)),
            "use 45s, 30m, 4h, 3d or 2w".to_owned(),
        )),
        Some(span) if !(min..=max).contains(&span) => {
            Err((format!("is {}, out of bounds", quoted(text)), format!("from {min} to {max}")))
        }
        Some(span) => Ok(span),
    }
}

fn amount(text: &str) -> Result<Money, InvalidValue> {
    let hint = "a positive amount like \"100000\" or \"2500.50\"";
    match money::parse(text) {
        Err(e) => Err((format!("is {}, {e}", quoted(text)), hint.to_owned())),
        Ok(amount) if amount <= Money::ZERO => {
            Err((format!("is {}, not above zero", quoted(text)), hint.to_owned()))
        }
        Ok(amount) => Ok(amount),
    }
}

/// Kept to a billionth of a basis point, so that [`in_bp`] gives back exactly what was written.
fn from_bp(bp: f64) -> f64 {
    libm::rint(bp * 1e9) / 1e9 / 1e4
}

/// The inverse of [`from_bp`], without the dust of the division.
fn in_bp(fraction: f64) -> f64 {
    libm::rint(fraction * 1e13) / 1e9
}
