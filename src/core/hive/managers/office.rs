//! The managers at work: once a day they look at the account, turn their knobs, and say so. What each of them
//! looks at is told in the table of the module above.

use super::knobs::{Knobs, STEP, is_worth_turning, turn};
use super::netting::{OneSided, net};
use super::quarantine::Quarantine;
use super::teams::{TeamDay, Teams};
use crate::agents::Population;
use crate::domain::{Adjustment, AgentId, AssetId, Goal, Knob, ManagerId, Speaker};
use crate::hive::settings::{GoalTargets, LowRiskManager, Managers};
use serde::{Deserialize, Serialize};

/// Smallest turn of solidarity that is worth saying. It follows its formula more closely than the other scales do,
/// since it is what protects the account.
const STEP_SOLIDARITY: f64 = 0.01;
/// Days of memory of the F manager: a year, so that it sees what trading costs and not last month's luck.
const COST_DAYS: f64 = 365.0;
/// A turn of the width: large enough to be worth saying.
const WIDER: f64 = 1.1;

/// The managers' memory and their knobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManagerState {
    /// The knobs as they stand.
    pub knobs: Knobs,
    /// By declared agent: who is in quarantine or on probation.
    pub wards: Quarantine,
    /// By declared slot: multiplies the agent's exposure limit on the asset.
    pub limits: Vec<f64>,
    /// What the managers of teams remember.
    pub teams: Teams,
    /// By manager: the operator's hand on it.
    hands: Vec<ManagerHand>,
    /// What LR makes of the drawdown; BM may give some of it back.
    solidarity: f64,
    /// Whether BM gives risk back.
    giving: bool,
    profit: f64,
    cost: f64,
}

/// The operator's hand on a manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagerHand {
    /// Nobody's reactions hear of its adjustments.
    pub muted: bool,
    /// Its knobs are at home and rest there.
    pub paused: bool,
}

/// A day of the account, as managers see it.
#[derive(Clone, Copy, Debug)]
pub struct AccountDay<'a> {
    /// Days since 1970.
    pub number: i64,
    /// Drawdown now, a fraction of the highest equity.
    pub drawdown: f64,
    /// CVaR95 of daily returns.
    pub cvar95: f64,
    /// Volatility per year the desk aims at.
    pub target_vol: f64,
    /// The day's profit before trading costs.
    pub gross_profit: f64,
    /// The day's fees, spread and impact.
    pub cost: f64,
    /// Growth per year so far, at target risk.
    pub growth: f64,
    /// Months to +10 % at the pace so far.
    pub months_to_10: f64,
    /// Gross cap as configured, for the message.
    pub gross_max: f64,
    /// What one-sided agents with funds aim at and may hold, by asset.
    pub one_sided: &'a [OneSided],
    /// What the managers of teams watch, team by team.
    pub teams: &'a [TeamDay],
}

/// Who turned what, on which asset.
pub type AdjustmentNote = (Speaker, Option<AssetId>, Adjustment);

impl ManagerState {
    /// Knobs at their configured places, nobody watched.
    pub fn new(cast: &Population) -> Self {
        ManagerState {
            knobs: Knobs::HOME,
            wards: Quarantine::new(cast.declared),
            limits: vec![1.0; cast.declared_slots],
            teams: Teams::new(cast),
            hands: vec![ManagerHand::default(); ManagerId::NAMES.len() + cast.teams.len()],
            solidarity: 1.0,
            giving: false,
            profit: 0.0,
            cost: 0.0,
        }
    }

    /// Looks at a day and turns what is to be turned. Says each turn with its manager.
    pub fn day(
        &mut self,
        day: &AccountDay<'_>,
        (cast, managers): (&Population, &Managers),
        targets: &GoalTargets,
        mut say: impl FnMut(AdjustmentNote),
    ) {
        let managers = &self.at_work(managers);
        let keep = 1.0 - 2.0 / (COST_DAYS + 1.0);
        self.profit = keep * self.profit + day.gross_profit;
        self.cost = keep * self.cost + day.cost;
        if let Some(m) = &managers.low_risk {
            self.low_risk(day, m, targets, &mut say);
        }
        self.big_money(day, managers, targets, &mut say);
        self.fast(day, managers, targets, &mut say);
        if let Some(m) = &managers.automated {
            self.wards.day(day.number, m, |a| say((Speaker::Manager(Goal::Automated), None, a)));
        }
        if let Some(m) = managers.asset {
            net(&mut self.limits, day.one_sided, m, |asset, a| say((Speaker::Netting, Some(asset), a)));
        }
        let ManagerState { teams, hands, .. } = self;
        let rests = |id: ManagerId| hands.get(id.index()).is_some_and(|h| h.paused);
        teams.day(cast, day.teams, rests, |id, a| say((id.speaker(), None, a)));
    }

    /// The operator's hand on a manager.
    pub fn hand(&self, id: ManagerId) -> ManagerHand {
        self.hands.get(id.index()).copied().unwrap_or_default()
    }

    /// Whether nobody's reactions hear of the adjustments of who speaks so.
    pub fn is_muted(&self, who: Speaker) -> bool {
        self.hands.iter().zip(0..).any(|(hand, n)| hand.muted && ManagerId(n).speaker() == who)
    }

    /// Nobody's reactions hear of a manager's adjustments any more, or again; whether that is news.
    pub fn mute(&mut self, id: ManagerId, muted: bool) -> bool {
        self.hands.get_mut(id.index()).is_some_and(|h| std::mem::replace(&mut h.muted, muted) != muted)
    }

    /// A manager looks again at the end of the day; whether that is news.
    pub fn resume(&mut self, id: ManagerId) -> bool {
        self.hands.get_mut(id.index()).is_some_and(|h| std::mem::take(&mut h.paused))
    }

    /// A manager lets go of all its knobs and rests; whether that is news. Says each turn.
    pub fn pause(
        &mut self,
        id: ManagerId,
        cast: &Population,
        gross_max: f64,
        mut say: impl FnMut(AdjustmentNote),
    ) -> bool {
        if self.hands.get_mut(id.index()).is_none_or(|h| std::mem::replace(&mut h.paused, true)) {
            return false;
        }
        let speaker = id.speaker();
        match speaker {
            Speaker::Manager(Goal::LowRisk) => {
                self.solidarity = 1.0;
                self.scale_risk(self.risk_scale(), Goal::LowRisk, 0.0, &mut say);
                turn(&mut self.knobs.gross_scale, 1.0, Knob::GrossCap, 0.0, gross_max, |a| {
                    say((speaker, None, a));
                });
            }
            Speaker::Manager(Goal::BigMoney) => {
                self.giving = false;
                self.scale_risk(self.risk_scale(), Goal::BigMoney, 0.0, &mut say);
            }
            Speaker::Manager(Goal::Fast) => {
                turn(&mut self.knobs.width, 1.0, Knob::Width, 0.0, 1.0, |a| say((speaker, None, a)));
            }
            Speaker::Manager(Goal::Automated) => self.wards.release(|a| say((speaker, None, a))),
            Speaker::Netting => {
                for (limit, slot) in self.limits.iter_mut().zip(&cast.slots).filter(|(l, _)| **l != 1.0) {
                    let from = std::mem::replace(limit, 1.0);
                    let agent = Some(slot.agent);
                    let home = Adjustment { knob: Knob::Limit, agent, from, to: 1.0, because: 0.0 };
                    say((speaker, Some(slot.asset), home));
                }
            }
            _ => {
                let said = id.team().and_then(|n| self.teams.rest(cast, n));
                said.into_iter().for_each(|a| say((speaker, None, a)));
            }
        }
        true
    }

    /// Those that are set over the hive and not paused.
    fn at_work(&self, managers: &Managers) -> Managers {
        let works = |id: ManagerId| !self.hand(id).paused;
        let of = |goal: Goal| works(ManagerId::of_goal(goal));
        Managers {
            low_risk: managers.low_risk.filter(|_| of(Goal::LowRisk)),
            big_money: managers.big_money.filter(|_| of(Goal::BigMoney)),
            fast: managers.fast.filter(|_| of(Goal::Fast)),
            automated: managers.automated.filter(|_| of(Goal::Automated)),
            asset: managers.asset.filter(|_| works(ManagerId::ASSETS)),
        }
    }

    /// What LR makes of the drawdown: what the risk target would be multiplied by if nobody gave any of it back.
    pub fn solidarity(&self) -> f64 {
        self.solidarity
    }

    /// Whether BM gives risk back.
    pub fn is_giving(&self) -> bool {
        self.giving
    }

    /// The knobs of the whole as they would stand if a manager were not there.
    pub fn knobs_without(&self, id: ManagerId) -> Knobs {
        match id.speaker() {
            Speaker::Manager(Goal::LowRisk) => Knobs { risk_scale: 1.0, gross_scale: 1.0, ..self.knobs },
            Speaker::Manager(Goal::BigMoney) => Knobs { risk_scale: self.solidarity, ..self.knobs },
            Speaker::Manager(Goal::Fast) => Knobs { width: 1.0, ..self.knobs },
            _ => self.knobs,
        }
    }

    /// What an agent holds, as a fraction of what it would.
    #[inline]
    pub fn size(&self, agent: AgentId) -> f64 {
        self.teams.size(agent)
    }

    /// Of a day's turns those of which nobody hears are not in force: their knobs stand where they stood, at `before`, and
    /// their managers see that, and turn them again.
    pub fn withhold(
        &mut self,
        cast: &Population,
        turned: &[(AdjustmentNote, bool)],
        before: Knobs,
        day: &AccountDay<'_>,
    ) {
        if turned.iter().all(|(_, is_heard)| *is_heard) {
            return;
        }
        let after = self.knobs;
        turned
            .iter()
            .rev()
            .for_each(|(note, _)| self.put(cast, note, (note.2.from, before.gross_scale), day));
        let heard = turned.iter().filter(|(_, is_heard)| *is_heard);
        heard.for_each(|(note, _)| self.put(cast, note, (note.2.to, after.gross_scale), day));
    }

    /// Has a knob stand at this value; the gross cap, which is said in another unit than it is kept in, at its own.
    fn put(
        &mut self,
        cast: &Population,
        (who, asset, turned): &AdjustmentNote,
        (value, gross): (f64, f64),
        day: &AccountDay<'_>,
    ) {
        match (turned.knob, turned.agent) {
            (Knob::RiskScale, _) => self.knobs.risk_scale = value,
            (Knob::GrossCap, _) => self.knobs.gross_scale = gross,
            (Knob::Width, _) => self.knobs.width = value,
            (Knob::Unit, Some(agent)) => self.wards.put(agent, value),
            (Knob::Limit, Some(agent)) => {
                let is_meant = |one: &&OneSided| one.agent == agent && Some(one.asset) == *asset;
                let slots = day.one_sided.iter().filter(is_meant);
                slots.for_each(|one| self.limits[one.slot] = value);
            }
            (Knob::Size, _) => {
                let team = if let Speaker::Team(id) = who { id.team() } else { None };
                team.into_iter().for_each(|n| self.teams.put(cast, n, value));
            }
            (Knob::Voice | Knob::Unit | Knob::Limit, _) => {}
        }
    }

    fn low_risk(
        &mut self,
        day: &AccountDay<'_>,
        m: &LowRiskManager,
        targets: &GoalTargets,
        say: &mut impl FnMut(AdjustmentNote),
    ) {
        let calm = (1.0 - 0.7 * day.drawdown / (1.5 * day.target_vol)).clamp(m.risk_scale_min, 1.0);
        if is_worth_turning(self.solidarity, calm, 1.0, STEP_SOLIDARITY) {
            self.solidarity = calm;
        }
        let to = self.risk_scale();
        self.scale_risk(to, Goal::LowRisk, day.drawdown, say);
        let over = day.cvar95 / targets.cvar95;
        // Between 90 and 100 % of the budget the cap stays where it is.
        if !(0.9..=1.0).contains(&over) || self.knobs.gross_scale == 1.0 {
            let tight = if over > 1.0 { (1.0 / over).clamp(m.gross_scale_min, 1.0) } else { 1.0 };
            turn(&mut self.knobs.gross_scale, tight, Knob::GrossCap, day.cvar95, day.gross_max, |a| {
                say((Speaker::Manager(Goal::LowRisk), None, a));
            });
        }
    }

    /// Solidarity, less what BM gives back.
    fn risk_scale(&self) -> f64 {
        if self.giving { 1.0 } else { self.solidarity }
    }

    fn scale_risk(&mut self, to: f64, who: Goal, because: f64, say: &mut impl FnMut(AdjustmentNote)) {
        let from = std::mem::replace(&mut self.knobs.risk_scale, to);
        if from != to {
            let turned = Adjustment { knob: Knob::RiskScale, agent: None, from, to, because };
            say((Speaker::Manager(who), None, turned));
        }
    }

    /// Never above 1: the risk that was configured is the budget.
    fn big_money(
        &mut self,
        day: &AccountDay<'_>,
        managers: &Managers,
        targets: &GoalTargets,
        say: &mut impl FnMut(AdjustmentNote),
    ) {
        let Some(m) = &managers.big_money else { return };
        let used = day.drawdown / targets.drawdown;
        let behind = day.growth < targets.growth;
        // With nothing left to give back it has done its work.
        self.giving = behind
            && self.solidarity < 1.0
            && if self.giving { used <= m.drawdown_high } else { used < m.drawdown_low };
        let to = self.risk_scale();
        self.scale_risk(to, Goal::BigMoney, day.drawdown, say);
    }

    fn fast(
        &mut self,
        day: &AccountDay<'_>,
        managers: &Managers,
        targets: &GoalTargets,
        say: &mut impl FnMut(AdjustmentNote),
    ) {
        let Some(m) = managers.fast.filter(|_| self.cost > 0.0) else { return };
        let mut say = |a| say((Speaker::Manager(Goal::Fast), None, a));
        // A losing year is no matter of cost: then there is no profit to lose a share of, and the knobs
        // go home. Slowing down in a loss would only hold what loses for longer.
        let share = (self.profit > 0.0).then(|| self.cost / self.profit);
        let width = match share {
            Some(s) if s > m.cost_share_high => self.knobs.width * WIDER,
            Some(s) if s < m.cost_share_low && day.months_to_10 > targets.months_to_10 => {
                self.knobs.width / WIDER
            }
            // In between, or with the goal reached, it goes home.
            _ => 0.5 * (self.knobs.width + 1.0),
        };
        // The last bit of the way home is too small to be worth saying, and is gone at once.
        let width = if libm::fabs(width - 1.0) < STEP { 1.0 } else { width };
        let width = width.clamp(m.width_min, m.width_max);
        // What is said when there was no profit at all.
        let share = share.unwrap_or(0.0);
        turn(&mut self.knobs.width, width, Knob::Width, share, 1.0, &mut say);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hive::settings::{BigMoneyManager, FastManager, LowRiskManager};

    const CALM: AccountDay<'_> = AccountDay {
        number: 0,
        drawdown: 0.0,
        cvar95: 0.01,
        target_vol: 0.15,
        gross_profit: 10.0,
        cost: 2.5,
        growth: 0.1,
        months_to_10: 9.0,
        gross_max: 6.0,
        one_sided: &[],
        teams: &[],
    };

    fn run(days: &[AccountDay<'_>]) -> (ManagerState, Vec<(Goal, Adjustment)>) {
        let managers = Managers {
            low_risk: Some(LowRiskManager::default()),
            fast: Some(FastManager::default()),
            ..Managers::default()
        };
        managed(&managers, days)
    }

    /// Nobody, on no market: these managers look at the account alone.
    fn one() -> Population {
        use crate::agents::declaration::{Roster, Scouting};
        let roster = Roster {
            agents: Vec::new(),
            scouts: 0,
            scouting: Scouting::default(),
            managers: Vec::new(),
            groups: std::collections::BTreeMap::new(),
            presets: [crate::agents::personality::Preset::default(); 4],
        };
        crate::agents::cast::cast(&roster, &crate::domain::Universe::default(), 1)
    }

    fn managed(managers: &Managers, days: &[AccountDay<'_>]) -> (ManagerState, Vec<(Goal, Adjustment)>) {
        let mut office = ManagerState::new(&one());
        let mut said = vec![];
        for day in days {
            office.day(day, (&one(), managers), &GoalTargets::default(), |(who, _, a)| {
                let Speaker::Manager(goal) = who else { unreachable!() };
                said.push((goal, a));
            });
        }
        (office, said)
    }

    #[test]
    fn risk_is_given_back_while_drawdown_is_low_and_growth_behind_and_never_beyond_the_budget() {
        let managers = Managers {
            low_risk: Some(LowRiskManager::default()),
            big_money: Some(BigMoneyManager::default()),
            ..Managers::default()
        };
        let at = |drawdown| AccountDay { drawdown, ..CALM };
        let scales = |days: &[AccountDay<'_>]| {
            let (office, said) = managed(&managers, days);
            (office.knobs.risk_scale, said.last().map(|s| s.0))
        };
        let calm = |drawdown: f64| 1.0 - 0.7 * drawdown / 0.225;
        // The budget is 15 %: it begins below 4.95 % and ends above 10.05 %.
        assert_eq!(scales(&[at(0.04)]), (1.0, Some(Goal::BigMoney)));
        assert_eq!(scales(&[at(0.06)]), (calm(0.06), Some(Goal::LowRisk)));
        assert_eq!(scales(&[at(0.04), at(0.09)]).0, 1.0);
        assert_eq!(scales(&[at(0.04), at(0.09), at(0.11)]), (calm(0.11), Some(Goal::BigMoney)));
        assert_eq!(scales(&[at(0.04), at(0.11), at(0.09)]).0, calm(0.09), "once ended it must get low again");
        let reached = AccountDay { growth: 0.3, ..at(0.04) };
        assert_eq!(scales(&[reached]), (calm(0.04), Some(Goal::LowRisk)));
        assert_eq!(scales(&[at(0.04), reached]), (calm(0.04), Some(Goal::BigMoney)), "and gives it back");
        assert_eq!(scales(&[CALM; 9]), (1.0, None), "there is nothing to give");
    }

    #[test]
    fn solidarity_is_its_formula_to_a_hundredth_on_every_day_of_a_fall() {
        let m = LowRiskManager::default();
        let managers = Managers { low_risk: Some(m), ..Managers::default() };
        for i in 0..80 {
            let days: Vec<AccountDay<'_>> =
                (0..=i).map(|d| AccountDay { drawdown: 0.004 * f64::from(d), ..CALM }).collect();
            let exact = (1.0 - 0.7 * days[i as usize].drawdown / (1.5 * 0.15)).clamp(0.3, 1.0);
            assert!((managed(&managers, &days).0.knobs.risk_scale - exact).abs() < STEP_SOLIDARITY);
        }
    }

    #[test]
    fn solidarity_cuts_risk_in_drawdown_and_gives_it_back() {
        let (office, said) = run(&[AccountDay { drawdown: 0.15, ..CALM }]);
        assert!((office.knobs.risk_scale - (1.0 - 0.7 * 0.15 / 0.225)).abs() < 1e-12);
        assert_eq!(said[0].1.knob, Knob::RiskScale);
        let (office, said) = run(&[AccountDay { drawdown: 0.15, ..CALM }, CALM]);
        assert_eq!((office.knobs.risk_scale, said.len()), (1.0, 2));
        let (office, _) = run(&[AccountDay { drawdown: 0.9, ..CALM }]);
        assert_eq!(office.knobs.risk_scale, 0.3);
    }

    #[test]
    fn the_gross_cap_is_tightened_over_budget_and_released_under_nine_tenths_of_it() {
        let over = AccountDay { cvar95: 0.05, ..CALM };
        let near = AccountDay { cvar95: 0.024, ..CALM };
        assert_eq!(run(&[over]).0.knobs.gross_scale, 0.5);
        assert_eq!(run(&[over, near]).0.knobs.gross_scale, 0.5);
        let (office, said) = run(&[over, near, CALM]);
        assert_eq!(office.knobs.gross_scale, 1.0);
        assert_eq!((said[0].1.from, said[0].1.to), (6.0, 3.0));
    }

    #[test]
    fn costs_widen_what_the_desk_lets_be_to_its_bound() {
        let costly = vec![AccountDay { gross_profit: 1.0, ..CALM }; 100];
        let (office, said) = run(&costly);
        assert!((1.9..=2.0).contains(&office.knobs.width), "within a step of the bound");
        assert!(said.iter().all(|(g, a)| *g == Goal::Fast && a.knob == Knob::Width));
        let cheap = vec![AccountDay { cost: 0.1, ..CALM }; 100];
        assert!((0.5..0.55).contains(&run(&cheap).0.knobs.width));
        let reached = vec![AccountDay { cost: 0.1, months_to_10: 3.0, ..CALM }; 100];
        assert_eq!(run(&reached).0.knobs.width, 1.0, "no hurry once the goal is reached");
        let home = [costly, vec![CALM; 600]].concat();
        assert_eq!(run(&home).0.knobs.width, 1.0, "and home again once costs are usual");
    }

    #[test]
    fn nothing_is_turned_by_managers_that_are_not_set() {
        let mut office = ManagerState::new(&one());
        let bad = AccountDay { drawdown: 0.5, cvar95: 0.5, gross_profit: -1.0, ..CALM };
        office.day(&bad, (&one(), &Managers::default()), &GoalTargets::default(), |_| unreachable!());
        assert_eq!(office, ManagerState { profit: -1.0, cost: 2.5, ..ManagerState::new(&one()) });
    }
}
