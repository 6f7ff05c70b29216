//! Keeps what a cockpit shows and the engine forgets (curves, the last messages, the last stance of
//! every slot), and takes the picture.
//!
//! # Invariants
//!
//! 1. Memory is bounded: rings and curves have named maxima, the rest is one place a slot.
//! 2. It changes nothing in the engine, and is no part of its state: after a restart it begins anew.
//! 3. [`Recorder::observe`] after every step that counted, or the numbers of messages have holes and
//!    what lies before a hole is forgotten.

use super::legs;
use super::managers::managers;
use super::orders;
use super::record::{self, CurveRecord, Spread, Standing};
use super::rules::RuleMemories;
use super::series::{Downsampling, SampledCurve};
use super::services::ServiceMemory;
use super::words;
use crate::agents::Agent;
use crate::domain::{
    AgentId, Decimal, Event, LiveLinks, Message, MessageId, MessageKind, Money, Speaker, SpokenBy, Stamp,
    TopicKind, money,
};
use crate::engine::emergence::Gauge;
use crate::engine::{Engine, Outputs};
use crate::fills::fine::FillPrices;
use crate::hive::emergence::SharpeGain;
use crate::view::cockpit::{
    AGENTS_MAX, ALARMS_MAX, AccountView, AgentPage, AgentRow, Cockpit, Curves, DEEDS_SHOWN_MAX, EDGES_MAX,
    Emergence, GoalView, MESSAGES_MAX, MarketMode, MessageLine, bounded,
};
use crate::view::operator::KeptSpace;
use crate::view::orders::{FILLS_MAX, FillRow};
use std::collections::VecDeque;

/// What is known of a run beside the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordedRun {
    /// Name of the hive.
    pub hive: String,
    /// Currency of the account.
    pub currency: String,
    /// Where the market comes from.
    pub mode: MarketMode,
    /// Name of the feed.
    pub feed: String,
    /// How fast it goes, in words.
    pub speed: String,
    /// How far history is.
    pub progress: Option<f64>,
    /// Clients that are attached.
    pub clients: u32,
    /// What was in doubt when it was started, while it is halted for it.
    pub doubt: Option<String>,
    /// What is kept of it on disk.
    pub kept: Option<KeptSpace>,
    /// How the ways to a live venue are.
    pub links: Option<LiveLinks>,
}

/// A stance, with what it names as its reasons.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub message: Message,
    pub because: Vec<Message>,
}

/// Makes pictures of the engine for cockpits, and remembers what they show of the past.
#[derive(Clone, Debug)]
pub struct Recorder {
    seq: u64,
    alone: SampledCurve,
    open: SampledCurve,
    real: SampledCurve,
    drawdown: SampledCurve,
    from: Option<Stamp>,
    /// The day that runs, and equity when it began.
    day: Option<(i64, Money)>,
    equity: Money,
    messages: VecDeque<(Message, u32)>,
    /// By slot, scouts too: what a decision names was once somebody's last action.
    actions: Vec<Option<Message>>,
    /// By declared slot: the last stance.
    stances: Vec<Option<Decision>>,
    /// By declared agent: what others made it do last, newest first.
    deeds: Vec<VecDeque<Message>>,
    /// By declared agent: the last thing it said.
    last: Vec<Option<Message>>,
    alarms: VecDeque<String>,
    fills: VecDeque<FillRow>,
    /// What services were worth when the day began.
    pub(super) served: ServiceMemory,
    /// What reactions did.
    pub(super) rules: RuleMemories,
    /// Small curves, bars.
    pub(super) record: CurveRecord,
}

impl Recorder {
    /// Knows nothing yet.
    pub fn new(engine: &Engine) -> Self {
        let cast = engine.cast();
        Recorder {
            seq: 0,
            alone: SampledCurve::new(Downsampling::Last),
            open: SampledCurve::new(Downsampling::Last),
            real: SampledCurve::new(Downsampling::Last),
            drawdown: SampledCurve::new(Downsampling::Most),
            from: None,
            day: None,
            equity: engine.respond.real.account.equity(),
            messages: VecDeque::with_capacity(MESSAGES_MAX),
            actions: vec![None; cast.voices()],
            stances: vec![None; cast.declared_slots],
            deeds: vec![VecDeque::new(); cast.declared],
            last: vec![None; cast.declared],
            alarms: VecDeque::new(),
            fills: VecDeque::with_capacity(FILLS_MAX),
            served: ServiceMemory::default(),
            rules: RuleMemories::new(engine),
            record: CurveRecord::new(engine),
        }
    }

    /// Knows nothing yet, and numbers its pictures from `seq` on.
    pub fn numbered(engine: &Engine, seq: u64) -> Self {
        Recorder { seq, ..Recorder::new(engine) }
    }

    /// Steps that counted so far.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Takes note of a step: its event and what it gave out.
    pub fn observe(&mut self, engine: &Engine, event: &Event, out: &Outputs) {
        if !out.accepted {
            return;
        }
        self.seq += 1;
        for alarm in &out.alarms {
            self.alarm(alarm);
        }
        for message in &out.messages {
            self.hear(engine, message);
        }
        for fill in &out.fills {
            if self.fills.len() == FILLS_MAX {
                self.fills.pop_front();
            }
            self.fills.push_back(orders::filled(engine, fill));
        }
        if let Event::Barrier(at) = event {
            self.mark(engine, *at);
        }
    }

    /// Takes note of something that no event brought; it counts as a step, so that the picture is another.
    pub fn note(&mut self, text: &str) {
        self.seq += 1;
        self.alarm(text);
    }

    fn alarm(&mut self, text: &str) {
        if self.alarms.len() == ALARMS_MAX {
            self.alarms.pop_front();
        }
        self.alarms.push_back(bounded(text.to_owned()));
    }

    fn mark(&mut self, engine: &Engine, at: Stamp) {
        let (capital, real) = (engine.settings().capital, &engine.respond.real);
        self.from.get_or_insert(at);
        self.alone.push(engine.speak.curve.equity() - capital);
        self.open.push(engine.respond.open.equity() - capital);
        self.real.push(real.account.curve.equity() - capital);
        self.drawdown.push(real.account.curve.drawdown());
        // A barrier at midnight closes the day before it.
        let day = Stamp(at.0 - 1).day();
        let new_day = self.day.is_none_or(|(d, _)| d != day);
        self.served.mark(engine, new_day);
        if new_day {
            self.day = Some((day, self.equity));
            self.record.day(engine);
        }
        self.record.bar(engine, at);
        self.equity = real.account.equity();
    }

    fn hear(&mut self, engine: &Engine, message: &Message) {
        // Numbers run without holes, so a message is found by its distance from the first.
        if self.messages.back().is_some_and(|(m, _)| m.id.0 + 1 != message.id.0) {
            self.messages.clear();
        }
        if self.messages.len() == MESSAGES_MAX {
            self.messages.pop_front();
        }
        self.messages.push_back((message.clone(), 0));
        let stance = if let MessageKind::Stance(s) = &message.body { &s.because[..] } else { &[] };
        let causes = message.swayed.iter().flat_map(|s| &s.causes).map(|c| &c.message);
        {
            for id in stance.iter().flatten().chain(causes) {
                if let Some(index) = self.index_of(*id)
                    && let Some((_, acted_on)) = self.messages.get_mut(index)
                {
                    *acted_on += 1;
                }
            }
        }
        if !message.swayed.is_empty() {
            let (messages, first) = (&self.messages, self.messages.front().map_or(0, |(m, _)| m.id.0));
            let remembered = |id: MessageId| {
                let index = usize::try_from(id.0.checked_sub(first)?).ok()?;
                messages.get(index).map(|(m, _)| m)
            };
            self.rules.hear(engine, message, remembered);
        }
        self.served.hear(message);
        let (Speaker::Agent(id), Some(asset)) = (message.from, message.asset) else { return };
        let cast = engine.cast();
        if let Some(last) = self.last.get_mut(id.index()) {
            *last = Some(message.clone());
        }
        if let Some(deeds) = self.deeds.get_mut(id.index()).filter(|_| !message.swayed.is_empty()) {
            deeds.truncate(DEEDS_SHOWN_MAX - 1);
            deeds.push_front(message.clone());
        }
        let mut voices = cast.voices_by(&cast.agents[id.index()]);
        let Some(voice) = voices.find(|v| cast.voice(*v).1 == asset) else { return };
        match &message.body {
            // What an open life does is beside what the pool hears.
            MessageKind::Action(_) if message.life == SpokenBy::Open => {}
            MessageKind::Action(_) => self.actions[voice] = Some(message.clone()),
            MessageKind::Stance(stance) if voice < self.stances.len() => {
                let told = |id: &MessageId| {
                    let mut actions = cast.voices_on(asset).filter_map(|v| self.actions[v].as_ref());
                    actions.find(|m| m.id == *id).cloned()
                };
                let because = stance.because.iter().flatten().filter_map(told).collect();
                self.stances[voice] = Some(Decision { message: message.clone(), because });
            }
            _ => {}
        }
    }

    fn index_of(&self, id: MessageId) -> Option<usize> {
        let first = self.messages.front()?.0.id;
        usize::try_from(id.0.checked_sub(first.0)?).ok()
    }

    /// The last messages, oldest first.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter().map(|(message, _)| message)
    }

    /// The last action on a declared slot.
    pub(super) fn action(&self, slot: usize) -> Option<&Message> {
        self.actions.get(slot)?.as_ref()
    }

    /// What others made an agent do last, newest first.
    pub(super) fn deeds(&self, agent: AgentId) -> impl Iterator<Item = &Message> {
        self.deeds.get(agent.index()).into_iter().flatten()
    }

    /// The last stance on a declared slot.
    pub(super) fn stance(&self, slot: usize) -> Option<&Decision> {
        self.stances.get(slot)?.as_ref()
    }

    /// Takes the picture.
    pub fn picture(&self, engine: &Engine, scene: &RecordedRun) -> Cockpit {
        let (cast, respond) = (engine.cast(), &engine.respond);
        let settings = engine.settings();
        let declared = &cast.agents[..cast.declared];
        let decided = |slot: usize| self.stance(slot).map_or(MessageId(0), |d| d.message.id);
        let mut edges = super::network::edges(engine, decided, &self.rules, |_, _| true);
        let more_edges = edges.len().saturating_sub(EDGES_MAX) as u64;
        edges.truncate(EDGES_MAX);
        let read = respond.goals.readings(&settings.goals);
        // Before the first day is closed nothing was read: zeros would be a lie.
        let was_read = respond.bus.counts().goal > 0;
        let goals = read.iter().zip(self.record.goals()).map(|(g, trend)| GoalView {
            goal: g.goal,
            score: g.score,
            value: g.value,
            target: g.target,
            trend,
        });
        let (spread, standing) = (Spread::now(engine), Standing::now(engine));
        let (orders, more_orders) = orders::open(engine);
        Cockpit {
            seq: self.seq,
            hive: scene.hive.clone(),
            currency: scene.currency.clone(),
            mode: scene.mode,
            feed: scene.feed.clone(),
            market_time: engine.now(),
            speed: scene.speed.clone(),
            progress: scene.progress,
            clients: scene.clients,
            kept: scene.kept.clone(),
            links: scene.links.clone(),
            deaf: !settings.listening.enabled,
            fine: settings.fills == FillPrices::Fine,
            account: self.account(engine, scene),
            voices: respond.consensus.voices(),
            goals: if was_read { goals.collect() } else { Vec::new() },
            managers: managers(engine),
            emergence: emergence(&respond.gauge, settings.clock.decide.per_year()),
            days: respond.gauge.days(),
            agents: declared
                .iter()
                .take(AGENTS_MAX)
                .map(|a| row(engine, self, a, &spread, &standing))
                .collect(),
            more_agents: declared.len().saturating_sub(AGENTS_MAX) as u64,
            edges,
            more_edges,
            curves: Curves {
                alone: self.alone.values(),
                open: self.open.values(),
                real: self.real.values(),
                drawdown: self.drawdown.values(),
                from: self.from,
            },
            messages: self.messages.iter().map(|(m, n)| line(engine, m, *n)).collect(),
            alarms: self.alarms.iter().cloned().collect(),
            services: self.served.rows(engine),
            orders,
            more_orders,
            fills: self.fills.iter().cloned().collect(),
        }
    }

    /// One agent in full; none for scouts.
    pub fn page(&self, engine: &Engine, agent: AgentId) -> Option<AgentPage> {
        super::page::page(engine, self, agent)
    }

    fn account(&self, engine: &Engine, scene: &RecordedRun) -> AccountView {
        let (settings, real) = (engine.settings(), &engine.respond.real);
        let (gross, net) = real.account.exposure();
        let latched = real.account.breaker.latched();
        let tripped = || {
            let day = |at: Stamp| at.to_string().chars().take(10).collect::<String>();
            latched.map(|l| {
                format!("the breaker tripped at a drawdown of {:.1} % on {}", 100.0 * l.drawdown, day(l.at))
            })
        };
        let (killed, flat) = (real.account.hand.is_killed(), real.account.hand.is_flat());
        let reason = match () {
            () if real.account.halted.is_some() => real.account.halted.clone(),
            () if killed => {
                let latched = "the kill switch is latched: no new risk, reductions pass";
                Some(scene.doubt.clone().unwrap_or_else(|| latched.to_owned()))
            }
            () if latched.is_some() => tripped(),
            () if flat => Some("everything is being closed, and stays closed".to_owned()),
            () => None,
        };
        AccountView {
            equity: real.account.equity(),
            capital: settings.money,
            today: self.day.map_or(Decimal::ZERO, |(_, open)| real.account.equity() - open),
            drawdown: real.account.curve.drawdown(),
            drawdown_budget: settings.goals.drawdown,
            drawdown_halt: settings.breaker.drawdown_max,
            gross,
            net,
            run: real.account.mode().to_string(),
            reason: reason.map(bounded),
            killed,
            tripped: latched.is_some(),
            flat,
            orders: real.execution.orders_sent(),
            messages: engine.respond.bus.counts().total(),
        }
    }
}

fn line(engine: &Engine, m: &Message, acted_on: u32) -> MessageLine {
    MessageLine {
        id: m.id,
        at: m.at,
        from: words::speaker(engine, m.from),
        agent: if let Speaker::Agent(id) = m.from { Some(id) } else { None },
        asset: m.asset.map(|a| engine.asset_name(a).to_owned()).unwrap_or_default(),
        kind: TopicKind::of(&m.body),
        text: bounded(words::line(engine, m)),
        acted_on,
    }
}

/// What the whole is worth over its parts, once it is measured.
fn emergence(gauge: &Gauge, bars_per_year: f64) -> Option<Emergence> {
    let (rungs, turnover) = (gauge.rungs(), gauge.turnover(bars_per_year));
    let whole = rungs.over_alone?;
    let sharpe = |gain: Option<SharpeGain>| gain.map_or(0.0, |g| g.sharpe);
    Some(Emergence {
        gain: whole.sharpe,
        from: whole.low,
        to: whole.high,
        more: whole.more,
        less: whole.less,
        over_net_eq: sharpe(rungs.over_net_eq),
        netting: sharpe(rungs.netting),
        listening: sharpe(rungs.listening),
        services: sharpe(rungs.services),
        wanted: gauge.wanted,
        turnover_alone: turnover.alone,
        turnover: turnover.together,
    })
}

/// An agent's row.
pub(super) fn row(
    engine: &Engine,
    recorder: &Recorder,
    agent: &Agent,
    spread: &Spread,
    standing: &Standing,
) -> AgentRow {
    let (cast, respond) = (engine.cast(), &engine.respond);
    let real = &respond.real;
    // Structured agents have no slots: their assets are those of their structures.
    let slots = cast.slots[agent.slots.clone()].iter().map(|s| s.asset);
    let structures = cast.structures.iter().filter(|s| s.agent == agent.id).map(|s| s.asset);
    let names: Vec<&str> = slots.chain(structures).map(|asset| engine.asset_name(asset)).collect();
    let last = recorder.last.get(agent.id.index()).and_then(Option::as_ref);
    let said = last.map(|m| {
        let asset = m.asset.map(|a| engine.asset_name(a)).unwrap_or_default();
        format!("{asset} {}", words::short(engine, &m.body))
    });
    let (alone, open) = record::lives(engine, agent);
    let switches = record::switches(engine, agent.id);
    let points = respond.points.agent(cast, agent.id);
    AgentRow {
        id: agent.id,
        name: bounded(agent.name.clone()),
        family: agent.family,
        goal: agent.goal,
        assets: bounded(names.join(" ")),
        state: record::state(engine, agent.id),
        switches,
        points,
        trend: recorder.record.track(agent.id).map(record::AgentCurves::trend).unwrap_or_default(),
        alone,
        open,
        real: real.account.ledger.pnl(agent.id, &real.account.marks).unwrap_or_default(),
        funds: real.account.ledger.equity(agent.id, &real.account.marks).unwrap_or_default(),
        difference: engine.difference(agent.id),
        would_get: spread.would_give(points, real.account.funds.weight(agent.id) > 0.0),
        position: bounded(position(engine, agent)),
        last: last.map_or(MessageId(0), |m| m.id),
        said: bounded(said.unwrap_or_default()),
        voice: engine.voice(agent.id),
        influence: standing.influence(agent.id),
        until: record::until(engine, agent.id),
        given: standing.value(agent.id),
        served: recorder.served.totals(agent.id),
    }
}

/// What it holds, the largest first; those beyond the bound of a text are cut.
fn position(engine: &Engine, agent: &Agent) -> String {
    let (cast, real) = (engine.cast(), &engine.respond.real);
    let equity = money::to_estimate(real.account.equity());
    let mut position = Vec::new();
    for slot in agent.slots.clone() {
        let asset = cast.slots[slot].asset;
        let last = engine.speak.close(asset);
        // Today each asset has one instrument, of the same number.
        let held = real.account.ledger.position(agent.id, crate::domain::InstrumentId(asset.0));
        let share = if equity > 0.0 { 100.0 * money::to_estimate(held) * last / equity } else { 0.0 };
        // What would be written as nothing is left out.
        if share.abs() >= 0.05 {
            position.push((share, engine.asset_name(asset).to_owned()));
        }
    }
    position.extend(legs::shares(engine, agent, equity).into_iter().filter(|p| p.0.abs() >= 0.05));
    position.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let parts: Vec<String> = position.iter().map(|(share, name)| format!("{share:+.1} % {name}")).collect();
    parts.join(", ")
}
