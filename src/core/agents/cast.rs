//! From declarations to agents: on a universe and with a seed, selectors become assets and ranges
//! become numbers. Funded agents come first, scouts after them.
//!
//! # Invariants
//!
//! 1. A draw depends on the seed and on names, never on numbering, so adding an agent or an asset
//!    changes nobody else's numbers.
//! 2. An asset chosen by a ranking is taken up only once the ranking is known ([`Agent::active_from`]).
//! 3. A control group ([`families::is_control`]) has no funds and no voice: what luck earns is measured, not traded, and moves
//!    nobody.
//! 4. A scout is a declared agent drawn again: same family, side, goal and character, other numbers
//!    and, where the assets are drawn or named, other assets; every second one looks back three times as far. [`Scouting`] says otherwise where it is asked to.

use super::declaration::{Declaration, DrawnNumber, ParamSpec, Roster, Selector, TeamManager, TeamMembers};
use super::families;
use super::families::Rules;
use super::reactions::AgentReaction;
use super::strategy::Strategy;
use super::structures::listed::ListedInstruments;
use crate::agents::personality::Traits;
use crate::domain::{
    AgentId, AssetId, FamilyId, Goal, Indicator, Reaction, SideRule, Speaker, Stamp, Universe, random,
};
use std::ops;
use std::sync::Arc;

/// An agent on a feed.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its place in [`Population::agents`].
    pub id: AgentId,
    /// Name that no other agent has.
    pub name: String,
    /// Family whose strategy it trades.
    pub family: FamilyId,
    /// The numbers that were drawn for it, in the order of the family's parameters.
    pub params: Vec<f64>,
    /// The place of that family in [`Population::families`].
    pub family_index: usize,
    /// What it is deployed for.
    pub goal: Goal,
    /// The name of its personality.
    pub personality: String,
    /// Which sides it takes.
    pub side: SideRule,
    /// Its character: how it scales what its family proposes, and how it listens.
    pub traits: Traits,
    /// What it does.
    pub strategy: Strategy,
    /// Its places in [`Population::slots`].
    pub slots: ops::Range<usize>,
    /// Its places in [`Population::structures`].
    pub structures: ops::Range<usize>,
    /// It trades from here on.
    pub active_from: Stamp,
    /// A voice without funds, alone life only.
    pub scout: bool,
    /// Whether it has funds from the start.
    pub funded: bool,
    /// What it makes of what others do; nothing for a scout.
    pub reacts: Arc<[AgentReaction]>,
    /// Whether it is heard from the start: a control group is not, until the operator unmutes it.
    pub heard: bool,
}

/// One agent on one asset.
#[derive(Clone, Debug)]
pub struct AgentAsset {
    /// The agent that looks.
    pub agent: AgentId,
    /// The asset it looks at.
    pub asset: AssetId,
    /// What it looks at, the same for all assets of an agent.
    pub keys: Arc<[Indicator]>,
}

/// A structured agent on one asset, before anything happened.
#[derive(Clone, Debug)]
pub struct Structure {
    /// The structured agent.
    pub agent: AgentId,
    /// The asset whose price it is near neutral to.
    pub asset: AssetId,
    /// Its family with its numbers and instruments.
    pub rules: Rules,
    /// Key of its draws, from names, so that numbering does not matter.
    pub key: u64,
}

/// All agents of a run, with everything that does not change during it.
#[derive(Clone, Debug)]
pub struct Population {
    /// Declared agents in the order of the file, then scouts.
    pub agents: Vec<Agent>,
    /// How many are declared (and so have three lives).
    pub declared: usize,
    /// The families that somebody is of, in the order of their numbers.
    pub families: Vec<FamilyId>,
    /// Every agent's assets, agent by agent.
    pub slots: Vec<AgentAsset>,
    /// How many slots belong to declared agents; they come first.
    pub declared_slots: usize,
    /// Slots of each asset.
    pub by_asset: Vec<Vec<u32>>,
    /// Structured agents, asset by asset; they have no slots.
    pub structures: Vec<Structure>,
    /// Structures of each asset.
    pub structures_on: Vec<Vec<u32>>,
    /// What is listed, as they need it; empty where there are none.
    pub listed: Arc<ListedInstruments>,
    /// What the operator should know: names that the feed lacks, agents that stand by.
    pub notices: Vec<String>,
    /// Managers of teams, in the order of the file.
    pub teams: Vec<Team>,
    /// The seed of the draw; coins of the random family use it too.
    pub seed: u64,
}

/// A manager with those whom it manages.
#[derive(Clone, Debug, PartialEq)]
pub struct Team {
    /// What was declared of it.
    pub manager: TeamManager,
    /// Declared agents of it, in their order.
    pub members: Vec<AgentId>,
}

/// Whose structures are cast.
#[derive(Clone, Copy, Debug)]
struct Newcomer<'a> {
    name: &'a str,
    family: FamilyId,
    id: AgentId,
}

/// The shortest and the longest look-back that drawing and scaling may give.
const BARS: (f64, f64) = (2.0, 2_000.0);

/// How much longer every second round of scouts looks back than the agents that it is drawn of.
const SLOW: f64 = 3.0;
/// The rounds of scouts in turn where their clocks are mixed.
const MIXED: [f64; 3] = [1.0, 1.0 / SLOW, SLOW];

/// Casts a roster.
pub fn cast(roster: &Roster, universe: &Universe, seed: u64) -> Population {
    cast_with(roster, universe, seed, seed)
}

/// The same agents on the same assets with the numbers of another seed: twins, who look at what those look at and make of it
/// what anybody of their family might.
pub fn cast_with(roster: &Roster, universe: &Universe, seed: u64, numbers: u64) -> Population {
    let mut cast = Population {
        agents: Vec::new(),
        declared: roster.agents.len(),
        families: families_of(roster),
        slots: Vec::new(),
        declared_slots: 0,
        by_asset: vec![Vec::new(); universe.assets.len()],
        structures: Vec::new(),
        structures_on: vec![Vec::new(); universe.assets.len()],
        listed: Arc::new(ListedInstruments::new(universe)),
        notices: Vec::new(),
        teams: Vec::new(),
        seed,
    };
    for declaration in &roster.agents {
        cast.add((roster, numbers), declaration, universe, None);
    }
    cast.declared_slots = cast.slots.len();
    cast.leave_money_out(universe);
    cast.teams = roster.managers.iter().map(|manager| cast.team(manager)).collect();
    cast.listen(roster, universe);
    // Of a feed on which nobody found legs nothing is kept but the desk's instruments.
    if cast.structures.is_empty() && roster.agents.iter().all(|a| !a.family.is_structured()) {
        cast.listed = Arc::default();
    }
    // Without anybody to be drawn again there are no scouts; structures are not drawn again.
    let drawn: Vec<&Declaration> = roster.agents.iter().filter(|d| !d.family.is_structured()).collect();
    for (number, template) in (0..roster.scouts).zip(drawn.iter().cycle()) {
        let round = number as usize / drawn.len();
        let rounds: &[f64] = if roster.scouting.mixed_clocks { &MIXED } else { &[1.0, SLOW] };
        cast.add((roster, numbers), template, universe, Some((number, rounds[round % rounds.len()])));
    }
    for (i, slot) in cast.slots.iter().enumerate() {
        cast.by_asset[slot.asset.index()].push(i as u32);
    }
    for (i, structure) in cast.structures.iter().enumerate() {
        cast.structures_on[structure.asset.index()].push(i as u32);
    }
    cast
}

impl Population {
    /// Says which assets nobody trades because no selector but a name means them.
    fn leave_money_out(&mut self, universe: &Universe) {
        let is_traded = |asset: AssetId| {
            self.slots.iter().any(|s| s.asset == asset) || self.structures.iter().any(|s| s.asset == asset)
        };
        let left: Vec<&str> = universe
            .assets
            .iter()
            .filter(|a| a.money_like && !is_traded(a.id))
            .map(|a| a.name.as_str())
            .collect();
        let Some(first) = left.first() else { return };
        self.notices.push(format!(
            "not traded, since they are money themselves (stablecoins, currencies, gold) and `any` leaves them out: {}; an agent \
             trades them that names them, assets = [\"{first}\"], and so do all where nothing else is listed",
            left.join(" ")
        ));
    }

    /// Whom a manager manages.
    fn team(&self, manager: &TeamManager) -> Team {
        let is_of = |agent: &&Agent| {
            manager.over.iter().any(|whom| match whom {
                TeamMembers::All => true,
                TeamMembers::Agent(name) => agent.name == *name,
                TeamMembers::Family(family) => agent.family == *family,
                TeamMembers::DeployedFor(goal) => agent.goal == *goal,
            })
        };
        let members = self.agents[..self.declared].iter().filter(is_of).map(|a| a.id).collect();
        Team { manager: manager.clone(), members }
    }

    /// Weight of each declared agent while nothing tells them apart: an equal part of all.
    pub fn equal_weight(&self) -> f64 {
        1.0 / self.declared.max(1) as f64
    }

    /// What each declared agent's simulated lives stand on, in currency, where all have so much. It is reckoned here alone:
    /// divided by the number of agents in place of multiplied by their weight it is another double for every fourth number.
    pub fn stake(&self, capital: f64) -> f64 {
        capital * self.equal_weight()
    }

    /// All who speak of an asset: every agent on it, at bars or in legs. Voices are numbered slots first.
    pub fn voices_on(&self, asset: AssetId) -> impl Iterator<Item = usize> {
        let (slots, structures) = (&self.by_asset[asset.index()], &self.structures_on[asset.index()]);
        let structures = structures.iter().map(|s| self.voice_of(*s as usize));
        slots.iter().map(|s| *s as usize).chain(structures)
    }

    /// All voices of an agent.
    pub fn voices_by(&self, agent: &Agent) -> impl Iterator<Item = usize> {
        agent.slots.clone().chain(agent.structures.clone().map(|s| self.voice_of(s)))
    }

    /// The number of a structure's voice.
    pub fn voice_of(&self, structure: usize) -> usize {
        self.slots.len() + structure
    }

    /// How many voices there are.
    pub fn voices(&self) -> usize {
        self.slots.len() + self.structures.len()
    }

    /// Whose voice it is, and on which asset.
    #[inline]
    pub fn voice(&self, number: usize) -> (AgentId, AssetId) {
        match number.checked_sub(self.slots.len()) {
            None => (self.slots[number].agent, self.slots[number].asset),
            Some(s) => (self.structures[s].agent, self.structures[s].asset),
        }
    }

    /// Whether a reaction listens to this speaker.
    pub fn is_heard_by(&self, reaction: &AgentReaction, speaker: Speaker) -> bool {
        let Speaker::Agent(agent) = speaker else { return reaction.hears_office(speaker) };
        let Agent { family, goal, .. } = self.agents[agent.index()];
        reaction.hears(agent, family, goal)
    }

    /// A declared agent, or a scout with its number and what its look-backs are multiplied by; `numbers` is the seed of its
    /// parameters.
    fn add(
        &mut self,
        (roster, numbers): (&Roster, u64),
        d: &Declaration,
        universe: &Universe,
        scout: Option<(u32, f64)>,
    ) {
        let name = scout.map_or_else(|| d.name.clone(), |(n, _)| format!("scout-{:03}", n + 1));
        let who = random::name(&name);
        let preset = roster.presets[d.goal.index()];
        let horizon = preset.horizon * scout.map_or(1.0, |(_, factor)| factor);
        let params = families::info(d.family).params.iter().map(|spec| {
            let range = d.params.get(spec.name).copied().unwrap_or(spec.default);
            draw(spec, range, random::key(numbers, &[who, random::name(spec.name)]), horizon)
        });
        let params: Vec<f64> = params.collect();
        let (mut assets, active_from) = self.assets(roster, d, universe, who, scout.is_some());
        if assets.is_empty() && scout.is_none() {
            self.notices.push(format!("{name} stands by: this feed lists none of its assets"));
        } else if d.family == FamilyId::RelativeStrength && assets.len() < 3 && scout.is_none() {
            self.notices.push(format!(
                "{name} stands by: relative strength needs three assets, it has {}",
                assets.len()
            ));
        }
        let id = AgentId(self.agents.len() as u32);
        let is_control = families::is_control(d.family, &params);
        let newcomer = Newcomer { name: &name, family: d.family, id };
        let first_structure = self.structures.len();
        if d.family.is_structured() {
            self.structure(newcomer, &params, &std::mem::take(&mut assets), universe);
        } else if scout.is_none() && suits_legs(d) {
            assets = self.structure_where_listed(newcomer, &params, assets, universe);
        }
        let has_structures = self.structures.len() > first_structure;
        let strategy = Strategy::new(d.family, &params, d.side, d.traits, preset);
        let first = self.slots.len();
        let keys: Arc<[Indicator]> = strategy.indicators().into();
        self.slots.extend(assets.into_iter().map(|asset| AgentAsset {
            agent: id,
            asset,
            keys: Arc::clone(&keys),
        }));
        self.agents.push(Agent {
            id,
            name,
            family: d.family,
            params,
            family_index: self.families.iter().position(|f| *f == d.family).unwrap_or(0),
            goal: d.goal,
            personality: d.personality.clone(),
            side: d.side,
            traits: d.traits,
            strategy,
            slots: first..self.slots.len(),
            structures: first_structure..self.structures.len(),
            active_from,
            scout: scout.is_some(),
            heard: !is_control,
            // Who stands by would keep its share of the funds from those who trade.
            funded: d.funded
                && !is_control
                && scout.is_none()
                && (!d.family.is_structured() || has_structures),
            reacts: Arc::default(),
        });
    }

    /// Reactions name agents and assets: once all are cast they are resolved.
    fn listen(&mut self, roster: &Roster, universe: &Universe) {
        for (i, declaration) in roster.agents.iter().enumerate() {
            let find = |name: &str| self.agents.iter().find(|a| a.name == name).map(|a| a.id);
            let resolve = |rule: &Reaction| AgentReaction::resolve(rule, find, universe);
            let (found, lost): (Vec<_>, Vec<_>) =
                declaration.reacts.iter().map(resolve).partition(Result::is_ok);
            self.agents[i].reacts = found.into_iter().filter_map(Result::ok).collect();
            let notice = |why: String| format!("{}: {why}", declaration.name);
            self.notices.extend(lost.into_iter().filter_map(Result::err).map(notice));
        }
    }

    fn structure(&mut self, who: Newcomer<'_>, params: &[f64], assets: &[AssetId], universe: &Universe) {
        let listed = Arc::clone(&self.listed);
        for &asset in assets {
            match Rules::on_events(who.family, params, (asset, assets), &listed) {
                Ok(rules) => self.add_structure(who, asset, rules, universe),
                Err(why) => {
                    self.notices.push(format!("{} stands by on {}: {why}", who.name, universe.name(asset)));
                }
            }
        }
    }

    /// Structures on the assets where what they need is listed; gives the others, on which it decides at bars.
    fn structure_where_listed(
        &mut self,
        who: Newcomer<'_>,
        params: &[f64],
        assets: Vec<AssetId>,
        universe: &Universe,
    ) -> Vec<AssetId> {
        let (listed, mut taken) = (Arc::clone(&self.listed), Vec::new());
        for &asset in &assets {
            if taken.contains(&asset) {
                continue;
            }
            let as_listed = who.family.trades_as_listed();
            let own = as_listed.then(|| Rules::on_events(who.family, params, (asset, &assets), &listed));
            let hedged = || Rules::hedged(who.family, params, asset, &listed);
            match own.filter(Result::is_ok).or_else(hedged) {
                Some(Ok(rules)) => {
                    taken.push(asset);
                    taken.extend_from_slice(rules.stands_for());
                    self.add_structure(who, asset, rules, universe);
                }
                Some(Err(why)) => {
                    let asset = universe.name(asset);
                    self.notices
                        .push(format!("{} on {asset} takes a part off as its hedge: {why}", who.name));
                }
                None => {}
            }
        }
        assets.into_iter().filter(|asset| !taken.contains(asset)).collect()
    }

    fn add_structure(&mut self, who: Newcomer<'_>, asset: AssetId, rules: Rules, universe: &Universe) {
        let key = random::key(self.seed, &[random::name(who.name), random::name(universe.name(asset))]);
        self.structures.push(Structure { agent: who.id, asset, rules, key });
    }

    /// The assets of an agent in the order of its selectors, each once, and when they are known.
    fn assets(
        &mut self,
        roster: &Roster,
        d: &Declaration,
        universe: &Universe,
        who: u64,
        scout: bool,
    ) -> (Vec<AssetId>, Stamp) {
        let mut chosen: Vec<AssetId> = Vec::new();
        let mut from = Stamp(i64::MIN);
        let all = [Selector::Any];
        let everywhere = scout && roster.scouting.everywhere;
        for selector in if everywhere { &all[..] } else { &d.assets } {
            let found = match selector {
                // A scout is another voice, not the same one twice: where the file names, it draws.
                Selector::Name(_) if scout => drawn(universe, 1, random::mix(self.seed, who)),
                Selector::Name(name) => {
                    let found = universe.asset(name);
                    if found.is_none() {
                        self.notices.push(format!("{}: {name} is not on this feed and is skipped", d.name));
                    }
                    found.map(|a| a.id).into_iter().collect()
                }
                Selector::Group(group) => {
                    let members = roster.groups.get(group).map_or(&[][..], Vec::as_slice);
                    members.iter().filter_map(|m| universe.asset(m)).map(|a| a.id).collect()
                }
                Selector::Top(n) => {
                    let last = universe.by_volume.len().min(usize::from(*n));
                    let ranking = last.checked_sub(1).and_then(|i| universe.by_volume.get(i));
                    ranking.map_or_else(Vec::new, |r| {
                        from = from.max(r.known_at);
                        r.assets.iter().take(usize::from(*n)).copied().collect()
                    })
                }
                Selector::Random(n) => drawn(universe, usize::from(*n), random::mix(self.seed, who)),
                Selector::Any => universe.assets.iter().filter(|a| !a.money_like).map(|a| a.id).collect(),
            };
            for asset in found {
                if !chosen.contains(&asset) {
                    chosen.push(asset);
                }
            }
        }
        (chosen, from)
    }
}

/// Whether an agent of a family that trades as listed may do so in legs: a neutral basket is long and short at once.
fn suits_legs(d: &Declaration) -> bool {
    d.family != FamilyId::RelativeStrength || d.side == SideRule::Both
}

/// The families that a roster deploys; scouts are of the same.
fn families_of(roster: &Roster) -> Vec<FamilyId> {
    let is_there = |f: &&FamilyId| roster.agents.iter().any(|d| d.family == **f);
    FamilyId::ALL.iter().filter(is_there).copied().collect()
}

/// The n assets with the smallest draws.
fn drawn(universe: &Universe, n: usize, key: u64) -> Vec<AssetId> {
    let mut all: Vec<(u64, AssetId)> = universe
        .assets
        .iter()
        .filter(|a| !a.money_like)
        .map(|a| (random::mix(key, random::name(&a.name)), a.id))
        .collect();
    all.sort_unstable();
    all.into_iter().take(n).map(|(_, id)| id).collect()
}

fn draw(spec: &ParamSpec, range: DrawnNumber, key: u64, horizon: f64) -> f64 {
    let u = random::uniform(key);
    if !spec.is_lookback() {
        return range.from + u * (range.to - range.from);
    }
    // Look-backs are drawn evenly in their logarithm: 20 to 40 is as far as 40 to 80.
    let (from, to) = (libm::log(range.from), libm::log(range.to));
    libm::rint(libm::exp(from + u * (to - from)) * horizon).clamp(BARS.0, BARS.1)
}
