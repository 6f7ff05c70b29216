//! What is tried: the ladder of systems from everybody alone to the shipped hive, and the controls that
//! should not work.
//!
//! All systems hear or hold the same utterances and pay the same costs. Where they differ is said here, in
//! a line each, and nowhere else.

use super::across_arm::{AcrossArm, CommonControl, RULE_SPLIT};
use super::company;
use super::controls::Control;
use super::rule_sets::RuleSet;
use super::service_controls::Corruption;
use super::service_flags::ServiceFlags;
use crate::engine::Settings;
use crate::fills::pace::Trades;
use crate::hive::settings::Managers;
use crate::lab::hire_rule::HireRule;

/// More than any agent could lose, be worth or follow.
pub const NO_LIMIT: f64 = 1e12;

/// How an account weighs the voices it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighing {
    /// The funded agents alike.
    Equal,
    /// By √points as the treasury would: family and own record.
    Points,
    /// By √points of the own record alone, what an agent could know without hearing anybody.
    Own,
    /// Exponential weights on past results (Freund and Schapire 1997).
    Hedge,
    /// Hierarchical risk parity on past returns (López de Prado 2016).
    Hrp,
    /// Shrunk mean-variance on past returns.
    MeanVariance,
    /// The weights without shorts that were best on past returns.
    NonNegative,
    /// The first n of all voices in an order drawn by the seed.
    Voices(usize),
    /// The first n of the voices without funds in that order.
    Scouts(usize),
    /// The funded agents alike, and scouts that are taken in by this rule as time goes by.
    Hired(HireRule),
}

/// How an account follows its aims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// It follows as the desk is set up to.
    Desk,
    /// At once: without patience, band or zone.
    AtOnce,
    /// At once, to the edge of a no-trade zone.
    Zone,
}

impl Follows {
    /// The settings of an account that follows so.
    pub fn settings(self, settings: &Settings) -> Settings {
        let mut s = settings.clone();
        match self {
            Follows::Desk => {}
            Follows::AtOnce => (s.desk.patience, s.desk.trades, s.desk.band) = (1.0, Trades::Band, 0.0),
            Follows::Zone => (s.desk.patience, s.desk.trades) = (1.0, Trades::Zone),
        }
        s
    }
}

/// Part of the shipped swarm that an arm leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// The manager of low risk.
    LowRisk,
    /// The manager of big money.
    BigMoney,
    /// The manager of speed.
    Fast,
    /// The manager that quarantines.
    Automated,
    /// The manager that nets limits of an asset.
    Asset,
    /// The managers of all goals.
    Managers,
    /// That who loses too much is stopped out.
    StopOut,
    /// Points as weights of voices and funds.
    Points,
}

impl LeftOut {
    /// All of them, with the name of the arm and what it is.
    pub const ALL: [(LeftOut, &'static str, &'static str); 8] = [
        (LeftOut::LowRisk, "hive −LR", "as it is set up, without the manager of low risk"),
        (LeftOut::BigMoney, "hive −BM", "as it is set up, without the manager of big money"),
        (LeftOut::Fast, "hive −F", "as it is set up, without the manager of speed"),
        (LeftOut::Automated, "hive −A", "as it is set up, without the manager that quarantines"),
        (LeftOut::Asset, "hive −asset", "as it is set up, without the manager that nets limits of an asset"),
        (LeftOut::Managers, "hive −managers", "as it is set up, without any manager"),
        (LeftOut::StopOut, "hive −stops", "as it is set up, and nobody is stopped out"),
        (LeftOut::Points, "hive −points", "as it is set up, voices and funds all alike"),
    ];

    /// The settings without it.
    pub fn out(self, s: &mut Settings) {
        let m = &mut s.managers;
        match self {
            LeftOut::LowRisk => m.low_risk = None,
            LeftOut::BigMoney => m.big_money = None,
            LeftOut::Fast => m.fast = None,
            LeftOut::Automated => m.automated = None,
            LeftOut::Asset => m.asset = None,
            LeftOut::Managers => *m = Managers::default(),
            LeftOut::StopOut => s.funds.drawdown_max = NO_LIMIT,
            LeftOut::Points => (s.listening.voice_by_points, s.funds.by_points) = (false, false),
        }
    }
}

/// What an arm is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ArmKind {
    /// Every funded agent trades its own intents at once, in its own account.
    Alone(Weighing),
    /// Every funded agent holds its announced quantities in a sub-account of its own, all at the risk of the
    /// whole, each with this desk: an estimate, the fair "nobody talks".
    AloneDesk(company::DeskRule),
    /// Everything bought when it is listed, and kept.
    BuyAndHold,
    /// One account for all, with these weights of voices, that follows in this way.
    Account(Weighing, Follows),
    /// Time-series and cross-sectional momentum over six look-backs, in an account of the same kind.
    Momentum(Follows),
    /// The engine, listening with a fixed λ: voices all alike, no points, no managers.
    Fixed(f64),
    /// A fixed λ without points, rails and managers: with 1 it must equal `net-all`, with 0 `net-eq`.
    Bare(f64),
    /// λ = 1, voices and funds by points, no managers.
    Points,
    /// The engine as it is set up.
    Shipped,
    /// As it is set up, without a part of it.
    Without(LeftOut),
    /// As it is set up, with wrong messages.
    Control(Control),
    /// λ = 0 bare, money on open lives that live by these reactions.
    Reacting(RuleSet),
    /// As it is set up, with money on open lives.
    ShippedOpen,
    /// As it is set up, and agents hear across assets at equal risk.
    ShippedAcross,
    /// One account that holds, of what some say, what is common to all assets at another weight.
    Across(AcrossArm),
    /// λ = 1 bare, with these services.
    Served(ServiceFlags),
    /// The hive with all services, whose messages are wrong in this way.
    Misserved(Corruption),
    /// All voices in one account that serves itself.
    Central(ServiceFlags),
    /// A desk that knows nothing, in an account that serves itself.
    Blind(ServiceFlags),
    /// All voices in one account, and the carry in another with this part of the capital.
    Silo(f64),
}

impl ArmKind {
    /// The rule by which it weighs voices or books, where it is one of the record's.
    pub fn weighing(self) -> Option<Weighing> {
        match self {
            ArmKind::Alone(rule) | ArmKind::Account(rule, _) => Some(rule),
            _ => None,
        }
    }

    /// Of an account that hears what is common at another time, the one that hears it right.
    pub fn right_across(self) -> Option<ArmKind> {
        match self {
            ArmKind::Across(of) if of.wrong.is_some_and(CommonControl::is_another_time) => {
                Some(ArmKind::Across(AcrossArm { wrong: None, ..of }))
            }
            _ => None,
        }
    }
}

/// A system that a study runs beside others.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// Name of the arm, as reports call it.
    pub name: String,
    /// What the arm is made of.
    pub kind: ArmKind,
    /// What the arm is, in a line.
    pub what: &'static str,
}

/// Voices of the curve; the last step is all of them.
const CURVE: [usize; 5] = [9, 18, 36, 72, 144];

/// All arms for a hive of this many voices, in the order in which they are shown.
pub fn plan(voices: usize) -> Vec<Arm> {
    use ArmKind::{Account, Alone, Bare, BuyAndHold, Fixed, Momentum, Points, Shipped};
    use Follows::{AtOnce, Desk, Zone};
    let arm = |name: &str, kind, what| Arm { name: name.to_owned(), kind, what };
    let mut all = vec![
        arm("buy-and-hold", BuyAndHold, "every asset bought when it lists, kept, scaled to the same risk"),
        arm("alone", Alone(Weighing::Equal), "each funded agent in its own account, at once"),
        arm("alone+self", Alone(Weighing::Own), "the same, each sized by its own record"),
        arm(
            "alone+band",
            ArmKind::AloneDesk(company::DeskRule::Band),
            "each alone at the risk of the whole, band 0.2 (estimate)",
        ),
        arm(
            "alone+zone",
            ArmKind::AloneDesk(company::DeskRule::Zone),
            "the same with a no-trade zone each (estimate)",
        ),
        arm("pool-alone", Account(Weighing::Equal, AtOnce), "netted in one account, traded at once"),
        arm(
            "net-eq",
            Account(Weighing::Equal, Desk),
            "netted in one account at the desk's pace, equally funded: the strong baseline",
        ),
        arm(
            "net-eq+zone",
            Account(Weighing::Equal, Zone),
            "the same with a no-trade zone in place of the band",
        ),
        arm("net-self", Account(Weighing::Own, Desk), "the same, weighed by each agent's own record"),
        arm("net-eq×points", Account(Weighing::Points, Desk), "the same, weighed by points"),
        arm("net-hedge", Account(Weighing::Hedge, Desk), "the same, exponential weights on results"),
        arm("net-hrp", Account(Weighing::Hrp, Desk), "the same, hierarchical risk parity"),
        arm("net-mv", Account(Weighing::MeanVariance, Desk), "the same, shrunk mean-variance"),
        arm(
            "net-nnls",
            Account(Weighing::NonNegative, Desk),
            "the same, the best weights of the past without shorts",
        ),
        arm("tsmom6", Momentum(Desk), "one momentum rule over six look-backs, same execution"),
        arm("tsmom6+zone", Momentum(Zone), "the same with a no-trade zone"),
        arm(
            "tsmom6+split",
            ArmKind::Across(RULE_SPLIT),
            "the same, what it says of all assets held at the risk of the rest",
        ),
        arm(
            "net-all",
            Account(Weighing::Voices(usize::MAX), Desk),
            "all voices equally funded in one account",
        ),
        arm("net-all+zone", Account(Weighing::Voices(usize::MAX), Zone), "the same with a no-trade zone"),
    ];
    for (name, lambda) in [("hive λ=¼", 0.25), ("hive λ=½", 0.5), ("hive λ=¾", 0.75), ("hive λ=1", 1.0)]
    {
        all.push(arm(name, Fixed(lambda), "funded agents listening, no points, no managers"));
    }
    for (name, lambda) in [("bare λ=¼", 0.25), ("bare λ=½", 0.5), ("bare λ=¾", 0.75)] {
        all.push(arm(name, Bare(lambda), "the same without rails, and nobody is stopped out"));
    }
    all.push(arm("hive λ=1 bare", Bare(1.0), "the same without rails: must equal net-all"));
    all.push(arm("hive+points", Points, "λ = 1, voices and funds by points, no managers"));
    all.push(arm("hive", Shipped, "the hive as it is set up"));
    for m in CURVE.into_iter().filter(|m| *m < voices) {
        let kind = Account(Weighing::Voices(m), Desk);
        all.push(arm(&format!("voices-{m}"), kind, "that many of all voices in one account"));
    }
    all.extend(Control::ALL.map(|c| arm(c.name(), ArmKind::Control(c), c.what())));
    all
}

/// Arms that run only where they are named: the swarm as it is set up, each time without one part of it.
pub fn without() -> Vec<Arm> {
    let arm = |(left, name, what): (LeftOut, &str, &'static str)| Arm {
        name: name.to_owned(),
        kind: ArmKind::Without(left),
        what,
    };
    LeftOut::ALL.map(arm).to_vec()
}

/// The arms named, with those that every report needs; an unknown name is given back.
pub fn choose(all: &[Arm], names: &[String]) -> Result<Vec<Arm>, String> {
    if let Some(unknown) = names.iter().find(|n| !all.iter().any(|a| a.name == **n)) {
        return Err(unknown.clone());
    }
    let needed = [super::ALONE, super::STRONG, super::ALL, super::RULE, super::HIVE];
    let wanted = |a: &&Arm| needed.contains(&a.name.as_str()) || names.contains(&a.name);
    Ok(all.iter().filter(wanted).cloned().collect())
}

impl Arm {
    /// Whether this is a control.
    pub fn control(&self) -> Option<Control> {
        match self.kind {
            ArmKind::Control(c) => Some(c),
            _ => None,
        }
    }

    /// Whether it is one of the arms of reactions, which have a table of their own.
    pub fn is_reacting(&self) -> bool {
        matches!(self.kind, ArmKind::Reacting(_) | ArmKind::ShippedOpen)
    }

    /// Whether it is a system that hears nobody, or a centre that holds what all say: what the hive has to be better than.
    pub fn is_baseline(&self) -> bool {
        use ArmKind::{Account, Across, Alone, AloneDesk, BuyAndHold, Momentum};
        matches!(self.kind, Alone(_) | AloneDesk(_) | BuyAndHold | Account(..) | Momentum(_) | Across(_))
    }

    /// Whether it is one of the arms of hearing across assets, which have a table of their own.
    pub fn is_across(&self) -> bool {
        matches!(self.kind, ArmKind::Across(_) | ArmKind::ShippedAcross)
    }

    /// Whether it is hive+services with wrong messages between those who serve.
    pub fn is_misserved(&self) -> bool {
        matches!(self.kind, ArmKind::Misserved(_))
    }

    /// Whether it trades without any information.
    pub fn is_blind(&self) -> bool {
        matches!(self.kind, ArmKind::Blind(_))
    }

    /// Whether it is only a step of a curve, and no line of the ladder.
    pub fn is_step(&self) -> bool {
        self.name.starts_with("hires chance ")
            || self.name.starts_with("voices-")
            || self.name.starts_with("bare ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::setup;
    use crate::hive::settings::{
        AssetManager, AutomatedManager, BigMoneyManager, FastManager, LowRiskManager,
    };

    #[test]
    fn names_are_unique_and_the_needed_ones_are_there() {
        let all = plan(276);
        let mut names: Vec<&str> = all.iter().map(|a| a.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
        let few = choose(&all, &["net-hrp".to_owned()]).unwrap();
        let few: Vec<&str> = few.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(few, ["alone", "net-eq", "net-hrp", "tsmom6", "net-all", "hive"]);
        assert_eq!(choose(&all, &["net-hpr".to_owned()]), Err("net-hpr".to_owned()));
        assert!(!plan(36).iter().any(|a| a.name == "voices-36"));
    }

    #[test]
    fn an_account_follows_as_the_desk_at_once_or_to_the_edge_of_a_zone() {
        let mut desk = setup::settings(&Config::default());
        (desk.desk.patience, desk.desk.band, desk.desk.trades) = (0.3, 0.4, Trades::Band);
        let of = |follows: Follows| {
            let s = follows.settings(&desk);
            assert_eq!(s.desk.target_vol, desk.desk.target_vol, "the risk is the same");
            (s.desk.patience, s.desk.trades, s.desk.band)
        };
        assert_eq!(of(Follows::Desk), (0.3, Trades::Band, 0.4));
        assert_eq!(of(Follows::AtOnce), (1.0, Trades::Band, 0.0));
        assert_eq!(of(Follows::Zone), (1.0, Trades::Zone, 0.4));
    }

    #[test]
    fn what_is_left_out_is_gone_and_the_rest_is_as_it_was() {
        let mut full = setup::settings(&Config::default());
        full.managers = Managers {
            low_risk: Some(LowRiskManager::default()),
            big_money: Some(BigMoneyManager::default()),
            fast: Some(FastManager::default()),
            automated: Some(AutomatedManager::default()),
            asset: Some(AssetManager::default()),
        };
        (full.listening.voice_by_points, full.funds.by_points) = (true, true);
        let without = |left: LeftOut| {
            let mut s = full.clone();
            left.out(&mut s);
            s
        };
        let managers = |s: &Settings| {
            let m = s.managers;
            [
                m.low_risk.is_some(),
                m.big_money.is_some(),
                m.fast.is_some(),
                m.automated.is_some(),
                m.asset.is_some(),
            ]
        };
        let each = [LeftOut::LowRisk, LeftOut::BigMoney, LeftOut::Fast, LeftOut::Automated, LeftOut::Asset];
        for (n, left) in each.into_iter().enumerate() {
            let s = without(left);
            let there: [bool; 5] = std::array::from_fn(|i| i != n);
            assert_eq!(managers(&s), there, "{left:?}");
            assert_eq!((s.funds, s.listening), (full.funds, full.listening), "{left:?}");
        }
        assert_eq!(managers(&without(LeftOut::Managers)), [false; 5]);
        let s = without(LeftOut::StopOut);
        assert_eq!((s.funds.drawdown_max, managers(&s)), (NO_LIMIT, [true; 5]));
        let s = without(LeftOut::Points);
        assert!(!s.listening.voice_by_points && !s.funds.by_points && managers(&s) == [true; 5]);
    }

    #[test]
    fn parts_are_left_out_only_where_they_are_named() {
        let plain = plan(276);
        let parts = without();
        assert_eq!(parts.len(), LeftOut::ALL.len());
        assert!(parts.iter().all(|p| plain.iter().all(|a| a.name != p.name)));
        let all: Vec<Arm> = plain.into_iter().chain(parts).collect();
        let few = choose(&all, &["hive −F".to_owned()]).unwrap();
        assert_eq!(few.last().map(|a| a.kind), Some(ArmKind::Without(LeftOut::Fast)));
    }

    #[test]
    fn only_accounts_and_books_alone_are_weighed_by_a_rule() {
        let rule = |name: &str| plan(276).into_iter().find(|a| a.name == name).unwrap().kind.weighing();
        assert_eq!(rule("alone+self"), Some(Weighing::Own));
        assert_eq!(rule("net-hedge"), Some(Weighing::Hedge));
        assert_eq!(rule("voices-9"), Some(Weighing::Voices(9)));
        for name in ["buy-and-hold", "tsmom6", "hive", "bare λ=½", "alone+band"] {
            assert_eq!(rule(name), None, "{name}");
        }
    }

    #[test]
    fn steps_of_a_curve_and_controls_are_no_lines_of_the_ladder() {
        let all = plan(100);
        let steps: Vec<&str> = all.iter().filter(|a| a.is_step()).map(|a| a.name.as_str()).collect();
        assert_eq!(
            steps,
            ["bare λ=¼", "bare λ=½", "bare λ=¾", "voices-9", "voices-18", "voices-36", "voices-72"]
        );
        let controls = all.iter().filter_map(Arm::control).collect::<Vec<_>>();
        assert_eq!(controls, Control::ALL);
    }
}
