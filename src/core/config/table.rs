//! The table of all scalar settings: reading, layers, bounds, `show` and the hash are driven by it.
//! Bounds are wide enough for any experiment and narrow enough to catch a slip of the unit.

use super::setting::{Draft, DraftField, Setting, SettingKind};
use crate::domain::{Holds, Span};
use crate::fills::fine::FillPrices;
use crate::fills::pace::Trades;
use crate::hive::across::{AcrossAssets, THETA_MAX};
use crate::hive::settings::{MoneyFollows, Trust};
use crate::treasury::settings::DrawdownBy;

/// Most scouts: at 276 voices the gain has levelled, and each costs the engine one agent's work a bar.
pub const SCOUTS_MAX: u32 = 10_000;
/// TOML's whole numbers end there.
const SEED_MAX: u64 = i64::MAX as u64;

type SlotOf = for<'a> fn(&'a mut Draft) -> Option<DraftField<'a>>;

const fn row(
    path: &'static str,
    kind: SettingKind,
    unit: &'static str,
    doc: &'static str,
    slot: SlotOf,
) -> Setting {
    Setting { path, unit, doc, kind, decides: true, unsaid: None, slot }
}

/// A row that came after hashes of rosters were written down; at its default the hash does not know it.
const fn later(unsaid: &'static str, setting: Setting) -> Setting {
    Setting { unsaid: Some(unsaid), ..setting }
}

/// A row that changes no decision: what only names, funds or seeds a run.
const fn label(
    path: &'static str,
    kind: SettingKind,
    unit: &'static str,
    doc: &'static str,
    slot: SlotOf,
) -> Setting {
    Setting { decides: false, ..row(path, kind, unit, doc, slot) }
}

const fn number(min: f64, max: f64) -> SettingKind {
    SettingKind::Number { min, max }
}

const fn whole(min: u64, max: u64) -> SettingKind {
    SettingKind::Whole { min, max }
}

const fn span(min: Span, max: Span) -> SettingKind {
    SettingKind::Span { min, max }
}

const MINUTE: Span = Span::seconds(60);
const WEEK: Span = Span(7 * Span::DAY.0);
const BP: &str = "bp of the notional";
const EQUITY: &str = "× equity";
const FRACTION: &str = "fraction";

/// All scalar settings, in the order in which they are shown.
#[rustfmt::skip]
pub static SETTINGS: &[Setting] = &[
    label("hive.name", SettingKind::Name { chars_max: 32 }, "", "names the run, its socket and its folder", |d| Some(DraftField::Text(&mut d.config.name))),
    label("hive.currency", SettingKind::Name { chars_max: 8 }, "", "currency of the account", |d| Some(DraftField::Text(&mut d.config.currency))),
    label("hive.capital", SettingKind::Money, "of the currency", "money at the start", |d| Some(DraftField::Money(&mut d.config.capital))),
    label("hive.seed", whole(0, SEED_MAX), "", "draws parameters, assets, scouts and coins", |d| Some(DraftField::Large(&mut d.config.seed))),
    row("hive.scouts", whole(0, SCOUTS_MAX as u64), "agents", "voices without funds beside the agents", |d| Some(DraftField::Small(&mut d.config.roster.scouts))),

    row("clock.decide", span(MINUTE, WEEK), "", "length of a bar of the decision clock", |d| Some(DraftField::Span(&mut d.config.clock.decide))),
    row("clock.delist_after", span(Span::HOUR, Span(52 * WEEK.0)), "", "silence after which an asset is taken as delisted", |d| Some(DraftField::Span(&mut d.config.clock.delist_after))),

    row("costs.flat_bp", SettingKind::NumberOr { words: &["off"], min: 0.0, max: 1_000.0 }, BP, "a flat charge a side instead of a fill level", |d| Some(DraftField::OptionalBp(&mut d.flat))),
    row("costs.level", SettingKind::OneOf(&["B"]), "", "fill level: B fills on bars", |d| Some(DraftField::Text(&mut d.level))),
    later("bars", row("costs.fills", SettingKind::OneOf(FillPrices::WORDS), "", "prices that simulated lives fill at, and judge stops and targets at: those of the decision clock's bars, or of finer bars and quotes where there are any", |d| Some(DraftField::Text(&mut d.fills)))),
    row("costs.taker_bp.spot", number(0.0, 1_000.0), BP, "taker fee on spot and margin", |d| Some(DraftField::Bp(&mut d.bars.taker.spot))),
    row("costs.taker_bp.perp", number(0.0, 1_000.0), BP, "taker fee on perps", |d| Some(DraftField::Bp(&mut d.bars.taker.perp))),
    row("costs.maker_bp.spot", number(-100.0, 1_000.0), BP, "maker fee on spot and margin, below 0 a rebate", |d| Some(DraftField::Bp(&mut d.bars.maker.spot))),
    row("costs.maker_bp.perp", number(-100.0, 1_000.0), BP, "maker fee on perps, below 0 a rebate", |d| Some(DraftField::Bp(&mut d.bars.maker.perp))),
    row("costs.half_spread_bp.spot", number(0.0, 1_000.0), BP, "half of the spread on spot and margin", |d| Some(DraftField::Bp(&mut d.bars.half_spread.spot))),
    row("costs.half_spread_bp.perp", number(0.0, 1_000.0), BP, "half of the spread on perps", |d| Some(DraftField::Bp(&mut d.bars.half_spread.perp))),
    row("costs.impact", number(0.0, 10.0), "k of k·σ·√(quantity/volume)", "price impact", |d| Some(DraftField::Number(&mut d.bars.impact))),
    row("costs.participation", number(0.0001, 1.0), "fraction of a bar's volume", "most that one order may take", |d| Some(DraftField::Number(&mut d.bars.participation))),
    row("costs.borrow", number(0.0, 5.0), "fraction per year", "rate on a short on margin", |d| Some(DraftField::Number(&mut d.bars.borrow))),
    later("3", row("costs.option.rate_bp", number(0.0, 1_000.0), BP, "fee of an option's trade, of its underlying", |d| Some(DraftField::Bp(&mut d.bars.option.rate)))),
    later("1.5", row("costs.option.exercise_bp", number(0.0, 1_000.0), BP, "fee of its exercise, of its underlying", |d| Some(DraftField::Bp(&mut d.bars.option.exercise)))),
    later("0.125", row("costs.option.cap", number(0.0, 1.0), "fraction of the premium or payoff", "most that a fee of an option takes", |d| Some(DraftField::Number(&mut d.bars.option.cap)))),
    later("2.5", row("costs.delivery_bp", number(0.0, 1_000.0), BP, "fee of a dated future's settlement", |d| Some(DraftField::Bp(&mut d.bars.delivery)))),
    later("true", row("costs.fee_in_coins", SettingKind::Flag, "", "coins that are bought pay their fee in themselves; else in the currency of the price", |d| Some(DraftField::Flag(&mut d.bars.fee_in_coins)))),

    row("listening.enabled", SettingKind::Flag, "", "false: everybody is deaf and no manager acts", |d| Some(DraftField::Flag(&mut d.config.listening.enabled))),
    row("listening.lambda", SettingKind::NumberOr { words: &["humility"], min: 0.0, max: 1.0 }, "share of the way to the consensus", "λ of all agents; by humility it follows points", |d| Some(DraftField::Optional(&mut d.config.listening.lambda))),
    row("listening.humility_least", number(0.0, 1.0), "share of the way to the consensus", "λ by humility at the best of records", |d| Some(DraftField::Number(&mut d.config.listening.humility_least))),
    row("listening.humility_most", number(0.0, 1.0), "share of the way to the consensus", "λ by humility at a hopeless record; sociability adds to it", |d| Some(DraftField::Number(&mut d.config.listening.humility_most))),
    row("listening.voice_by_points", SettingKind::Flag, "", "families with better records are heard more", |d| Some(DraftField::Flag(&mut d.config.listening.voice_by_points))),
    row("listening.points_span_days", number(5.0, 10_000.0), "days", "memory of the points", |d| Some(DraftField::Number(&mut d.config.listening.points_span_days))),

    row("listening.holds", SettingKind::OneOf(Holds::WORDS), "", "what is remembered of an announced position: its quantity, or the notional as it was said", |d| Some(DraftField::Text(&mut d.holds))),
    later("true", row("listening.reactions", SettingKind::Flag, "", "agents live by their reactions; false: each open life decides as its alone one", |d| Some(DraftField::Flag(&mut d.config.listening.reactions)))),
    later("alone", row("listening.money", SettingKind::OneOf(MoneyFollows::WORDS), "", "whose position an agent's money follows: that of the life that hears nobody, or of the open one", |d| Some(DraftField::Text(&mut d.money)))),

    later("off", row("listening.across", SettingKind::NumberOr { words: AcrossAssets::WORDS, min: 0.0, max: THETA_MAX }, "part of it", "θ: how much of what is said of all assets is left in what is heard on one; as much as gives both the same risk, or all (off)", |d| Some(DraftField::Text(&mut d.across)))),
    later("off", row("listening.trust", SettingKind::OneOf(Trust::WORDS), "", "whose words reactions hear: everybody's (off), or not those on which acting is believed to cost their holder money (positive)", |d| Some(DraftField::Text(&mut d.trust)))),

    later("false", row("scouts.everywhere", SettingKind::Flag, "", "scouts watch every asset; else those of the agents that they are drawn of, or others in their place", |d| Some(DraftField::Flag(&mut d.config.roster.scouting.everywhere)))),
    later("false", row("scouts.mixed_clocks", SettingKind::Flag, "", "a third of the scouts looks back as far, a third as far, and three times as far as agents; else half of them as far and half three times", |d| Some(DraftField::Flag(&mut d.config.roster.scouting.mixed_clocks)))),

    row("desk.patience", number(0.001, 1.0), "share of the way a bar", "η: how fast an aim goes to its target, 1 at once", |d| Some(DraftField::Number(&mut d.config.desk.patience))),
    later("band", row("desk.trades", SettingKind::OneOf(Trades::WORDS), "", "which differences are worth a trade: those beyond a band, or beyond a zone from cost, volatility and movement", |d| Some(DraftField::Text(&mut d.trades)))),
    row("desk.band", number(0.0, 1.0), "fraction of the larger", "β: no trade while target and position are this near", |d| Some(DraftField::Number(&mut d.config.desk.band))),
    later("0.001", row("desk.order_min", number(0.0, 0.1), EQUITY, "with a zone: the smallest order", |d| Some(DraftField::Number(&mut d.config.desk.order_min)))),
    row("desk.target_vol", number(0.01, 1.0), "fraction per year", "volatility that the desk aims at", |d| Some(DraftField::Number(&mut d.config.desk.target_vol))),
    row("desk.vol_span_days", number(1.0, 1_000.0), "days", "memory of the volatility of the aim", |d| Some(DraftField::Number(&mut d.config.desk.vol_span_days))),
    row("desk.risk_multiple_max", number(0.1, 100.0), "×", "fuse on the risk multiple k", |d| Some(DraftField::Number(&mut d.config.desk.risk_multiple_max))),
    row("desk.gross_max", number(0.05, 20.0), EQUITY, "cap on gross exposure", |d| Some(DraftField::Number(&mut d.config.desk.gross_max))),
    row("desk.gross_max_spot", number(0.05, 1.0), EQUITY, "the same on spot venues, where nothing is lent", |d| Some(DraftField::Number(&mut d.config.desk.gross_max_spot))),

    row("funds.rebalance_days", whole(1, 365), "days", "time between two spreads of funds", |d| Some(DraftField::Small(&mut d.config.funds.rebalance_days))),
    row("funds.floor", number(0.0, 1.0), "equal shares", "least weight of a funded agent", |d| Some(DraftField::Number(&mut d.config.funds.floor))),
    row("funds.cap", number(0.1, 1_000.0), "equal shares", "largest weight of an agent", |d| Some(DraftField::Number(&mut d.config.funds.cap))),
    row("funds.by_points", SettingKind::Flag, "", "funds follow √points; else all are equal", |d| Some(DraftField::Flag(&mut d.config.funds.by_points))),
    row("funds.units_max", number(0.1, 20.0), "units", "largest position of a real life before points scale it", |d| Some(DraftField::Number(&mut d.config.funds.units_max))),
    row("funds.drawdown_max", number(0.01, 100.0), "× its funds", "loss of its funds at which an agent is stopped out", |d| Some(DraftField::Number(&mut d.config.funds.drawdown_max))),
    later("risk", row("funds.drawdown_by", SettingKind::OneOf(DrawdownBy::WORDS), "", "what that loss is measured by: the risk carried, or funds alone", |d| Some(DraftField::Text(&mut d.drawdown_by)))),
    row("funds.probation_days", whole(1, 3_650), "days", "time after which who was stopped out has funds again", |d| Some(DraftField::Small(&mut d.config.funds.probation_days))),

    row("risk.drawdown_halt", number(0.01, 1.0), FRACTION, "drawdown at which the breaker halts the desk", |d| Some(DraftField::Number(&mut d.config.risk.drawdown_halt))),
    row("risk.gross_fuse", number(0.05, 25.0), EQUITY, "gross exposure beyond which nothing is approved", |d| Some(DraftField::Number(&mut d.config.risk.gross_fuse))),
    row("risk.order_max", number(0.01, 25.0), EQUITY, "largest single order", |d| Some(DraftField::Number(&mut d.config.risk.order_max))),
    row("risk.collar", number(0.001, 1.0), "fraction of the price", "furthest that an order's price may be from the last", |d| Some(DraftField::Number(&mut d.config.risk.collar))),

    row("goals.drawdown", number(0.01, 1.0), FRACTION, "LR: largest drawdown within budget", |d| Some(DraftField::Number(&mut d.config.goals.drawdown))),
    row("goals.cvar95", number(0.0005, 0.5), "fraction per day", "LR: largest CVaR95 within budget", |d| Some(DraftField::Number(&mut d.config.goals.cvar95))),
    row("goals.growth", number(0.0, 10.0), "fraction per year", "BM: growth asked for", |d| Some(DraftField::Number(&mut d.config.goals.growth))),
    row("goals.months_to_10", number(0.1, 240.0), "months", "F: time to +10 % asked for", |d| Some(DraftField::Number(&mut d.config.goals.months_to_10))),
    row("goals.interventions", number(0.0, 1_000.0), "per 1 000 trades", "A: interventions of the operator tolerated", |d| Some(DraftField::Number(&mut d.config.goals.interventions))),

    later("true", row("services.carry", SettingKind::Flag, "", "carry agents choose between spot and perp for the desk", |d| Some(DraftField::Flag(&mut d.config.services.carry)))),
    later("true", row("services.liquidity", SettingKind::Flag, "", "makers work the desk's orders patiently", |d| Some(DraftField::Flag(&mut d.config.services.liquidity)))),
    later("true", row("services.flow", SettingKind::Flag, "", "what the desk buys or sells anyway is taken as spot where that pays", |d| Some(DraftField::Flag(&mut d.config.services.flow)))),
    later("true", row("services.netting", SettingKind::Flag, "", "margin is asked for what is left of desk and carry together", |d| Some(DraftField::Flag(&mut d.config.services.netting)))),
    later("true", row("services.beyond", SettingKind::Flag, "", "spot may exceed what the desk holds long: a hedged book of its own", |d| Some(DraftField::Flag(&mut d.config.services.beyond)))),
    later("1", row("services.capital", number(0.0, 1.0), EQUITY, "what spot and margin may use", |d| Some(DraftField::Number(&mut d.config.services.capital)))),
    later("1", row("services.through", number(0.0, 100.0), "bp", "how far a bar must trade beyond a worked order's limit to fill it", |d| Some(DraftField::Bp(&mut d.config.services.through)))),

    row("managers.low_risk.risk_scale_min", number(0.05, 1.0), FRACTION, "the least that the risk target is scaled to", |d| Some(DraftField::Number(&mut d.low_risk()?.risk_scale_min))),
    row("managers.low_risk.gross_scale_min", number(0.05, 1.0), FRACTION, "the tightest gross cap", |d| Some(DraftField::Number(&mut d.low_risk()?.gross_scale_min))),
    row("managers.big_money.drawdown_low", number(0.0, 1.0), "fraction of the budget", "drawdown below which risk is given back", |d| Some(DraftField::Number(&mut d.big_money()?.drawdown_low))),
    row("managers.big_money.drawdown_high", number(0.0, 1.0), "fraction of the budget", "drawdown above which it is not any more", |d| Some(DraftField::Number(&mut d.big_money()?.drawdown_high))),
    row("managers.fast.width_min", number(0.1, 1.0), "× the band or zone", "narrowest", |d| Some(DraftField::Number(&mut d.fast()?.width_min))),
    row("managers.fast.width_max", number(1.0, 10.0), "× the band or zone", "widest", |d| Some(DraftField::Number(&mut d.fast()?.width_max))),
    row("managers.fast.cost_share_low", number(0.0, 1.0), "fraction of gross profit", "cost below which it narrows", |d| Some(DraftField::Number(&mut d.fast()?.cost_share_low))),
    row("managers.fast.cost_share_high", number(0.0, 1.0), "fraction of gross profit", "cost above which it widens", |d| Some(DraftField::Number(&mut d.fast()?.cost_share_high))),
    row("managers.automated.errors_max", whole(1, 1_000), "within the window", "errors at which an agent is quarantined", |d| Some(DraftField::Small(&mut d.automated()?.errors_max))),
    row("managers.automated.interventions_max", whole(1, 1_000), "within the window", "restrictions by hand at which it is", |d| Some(DraftField::Small(&mut d.automated()?.interventions_max))),
    row("managers.automated.window_days", whole(1, 3_650), "days", "memory of errors and restrictions", |d| Some(DraftField::Small(&mut d.automated()?.window_days))),
    row("managers.automated.quarantine_days", whole(1, 3_650), "days", "time in quarantine", |d| Some(DraftField::Small(&mut d.automated()?.quarantine_days))),
    row("managers.automated.probation_days", whole(1, 3_650), "days", "time on probation after it", |d| Some(DraftField::Small(&mut d.automated()?.probation_days))),
    row("managers.automated.probation_unit", number(0.0, 1.0), FRACTION, "largest unit on probation", |d| Some(DraftField::Number(&mut d.automated()?.probation_unit))),
    row("managers.automated.share_max", number(0.0, 1.0), "fraction of the agents", "most in quarantine at once", |d| Some(DraftField::Number(&mut d.automated()?.share_max))),
    row("managers.asset.limit_max", number(1.0, 10.0), "own limits", "largest exposure limit of a long or short agent beside the other", |d| Some(DraftField::Number(&mut d.asset()?.limit_max))),
];

/// Two settings that must stand in this order: the first, the second, whether they may be equal, why.
pub(super) static ORDERED: &[(&str, &str, bool, &str)] = &[
    (
        "listening.humility_least",
        "listening.humility_most",
        true,
        "the better the record, the more an agent would listen",
    ),
    ("clock.decide", "clock.delist_after", false, "an asset would be delisted between two bars"),
    ("funds.floor", "funds.cap", true, "no weight could satisfy both"),
    ("desk.gross_max", "risk.gross_fuse", true, "the fuse would blow in normal trading"),
    (
        "managers.big_money.drawdown_low",
        "managers.big_money.drawdown_high",
        true,
        "risk would be given and taken at once",
    ),
    (
        "managers.fast.cost_share_low",
        "managers.fast.cost_share_high",
        false,
        "the manager would widen and narrow at once",
    ),
];

/// Settings that are gone and that an older file may still have, each with what to do about it.
pub(super) static REMOVED: &[(&str, &str)] = &[
    ("listening.balance", "all voices count alike, which earned no less; remove it"),
    ("scouts.clocks", "every second scout looks back three times as far, as before by default; remove it"),
    ("scouts.families", "scouts are drawn of all families, as before by default; remove it"),
    ("desk.steady", "steady risk earned nothing (docs/experiments.md) and is gone; remove it"),
    (
        "managers.fast.patience_min",
        "the manager turns the width of the band or zone; use width_min and width_max",
    ),
    (
        "managers.fast.patience_max",
        "the manager turns the width of the band or zone; use width_min and width_max",
    ),
];

/// What to do about a setting of this path that is gone.
pub(super) fn removed(path: &str) -> Option<&'static str> {
    REMOVED.iter().find(|(p, _)| *p == path).map(|(_, hint)| *hint)
}

/// The setting of this path.
pub fn setting(path: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|s| s.path == path)
}
