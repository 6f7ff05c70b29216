//! The summary of a run: the contract that scripts read (`--summary FILE`) and the closing report is
//! made of. Money is text, so that no digit is lost on the way.
//!
//! Alone and open are kept at the reference weight 1/N of the starting capital and not reinvested; real
//! is the account, reinvested, at the desk's risk target. Their Sharpe ratios compare, their sums of
//! money do not.

use crate::agents::Agent;
use crate::domain::{AgentId, Decimal, MessageCounts, Stamp, money};
use crate::engine::Engine;
use crate::engine::emergence::{Rungs, YearlyTurnover};
use crate::engine::readings::{Influence, RuinCounts};
use crate::hive::emergence::{DAYS_MIN, SharpeGain};
use crate::hive::goals::Goals;
use crate::ledger::{LedgerAccount, Valuation};
use crate::market::doubt::HeldBar;
use serde::{Deserialize, Serialize};

/// What is known of a run beside the engine.
#[derive(Clone, Debug, Default)]
pub struct RunFacts {
    /// Name of the hive.
    pub hive: String,
    /// `SYNTH` or `HISTORY`.
    pub mode: String,
    /// Where the market came from.
    pub feed: String,
    /// Hash of what the market said.
    pub data_hash: String,
    /// Currency of the account.
    pub currency: String,
    /// Hash of everything in the configuration that decides.
    pub roster_hash: String,
    /// Seed from which parameters and personalities are drawn.
    pub seed: u64,
    /// The first barrier.
    pub from: Option<Stamp>,
    /// Bars that counted.
    pub bars: u64,
    /// Events that did not count.
    pub refused: u64,
    /// Seconds on the wall.
    pub wall_s: f64,
    /// Looks at held-out days so far, this run's among them; none if it looks at none, or cannot be counted.
    pub looks: Option<usize>,
    /// What the operator should know: of the feed, of the roster, of the run.
    pub notes: Vec<String>,
}

/// One agent's line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AgentLine {
    /// Name as declared.
    pub name: String,
    /// Family whose strategy it trades.
    pub family: String,
    /// Goal it is deployed for.
    pub goal: String,
    /// Name of its personality.
    pub personality: String,
    /// Names of its assets.
    pub assets: Vec<String>,
    /// PnL of the deaf twin at the reference weight.
    pub alone_pnl: String,
    /// PnL with open ears at the reference weight.
    pub open_pnl: String,
    /// How often its alone and its open life lost their whole stake: each is as much as PnL can be below zero.
    pub ruins: RuinCounts,
    /// PnL of its share of what the desk held.
    pub real_pnl: String,
    /// 1 is the prior.
    pub points: f64,
    /// Equity of its real book: Σ funds + treasury + rounding = account.
    pub funds: String,
    /// Whether it has lost its funds.
    pub stopped_out: bool,
    /// Intents of the alone life that were closed.
    pub trades: u32,
    /// Messages it sent.
    pub messages_sent: u64,
    /// Messages of others that swayed deeds of its open life.
    pub messages_acted_on: u64,
    /// Share of its barriers at which its open life differed from its alone one, 0 … 1: what company made of it.
    pub company_share: f64,
    /// What the hive would lose without it, per year, as a fraction of the account.
    pub difference: f64,
    /// v: the weight of its voice; 0 while it is not heard.
    pub voice: f64,
    /// λ: how far it listens.
    pub listens: f64,
    /// How much it moved others in their last moves, and what that was worth to them.
    pub influence_given: f64,
    /// What that influence was worth to the others.
    pub influence_given_value: f64,
    /// How much it was moved in its own last moves, and what that was worth to it.
    pub influence_received: f64,
    /// What being moved was worth to itself.
    pub influence_received_value: f64,
    /// Who moved it most, the strongest first.
    pub movers: Vec<String>,
}

/// A number for each of the three lives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lives<T> {
    /// The deaf life, which nobody else touches.
    pub alone: T,
    /// The simulated life that listens.
    pub open: T,
    /// Its share of what the account did.
    pub real: T,
}

/// What the hive was worth beyond its parts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EmergenceLine {
    /// Days measured; gains are said from `days_min` on.
    pub days: u32,
    /// Days from which on gains are said.
    pub days_min: u32,
    /// Sharpe ratio of the whole, none without spread.
    pub whole_sharpe: Option<f64>,
    /// Sharpe ratio of the funded agents alone, each in its own account at the desk's pace.
    pub alone_sharpe: Option<f64>,
    /// The whole over the agents alone, over the same netted, and its parts: netting, listening, services.
    #[serde(flatten)]
    pub rungs: Rungs,
    /// Σ open over Σ alone.
    pub open_over_alone: Option<SharpeGain>,
    /// Orders that funded agents wanted.
    pub orders_wanted: u64,
    /// Notional traded per year in equities: by the agents alone, and by the desk.
    pub turnover: YearlyTurnover,
}

/// The summary of a run, as `--json` prints it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Summary {
    pub hive: String,
    pub mode: String,
    pub feed: String,
    pub data_hash: String,
    pub roster_hash: String,
    pub seed: u64,
    pub clock: String,
    pub fill_level: String,
    pub from: String,
    pub to: String,
    pub bars: u64,
    pub refused: u64,
    pub wall_s: f64,
    pub capital: String,
    pub currency: String,
    pub deaf: bool,
    pub agents: Vec<AgentLine>,
    pub scouts: usize,
    /// What was said, open lives that are apart aside.
    pub messages: MessageCounts,
    /// Of these what alone lives said while their open ones went another way.
    pub messages_alone: MessageCounts,
    /// What open lives said that are apart from their alone ones.
    pub messages_open: MessageCounts,
    /// Deeds of open lives that others swayed.
    pub deeds: u64,
    /// Median over the agents that decide at bars of the share of barriers at which company made a difference, 0 … 1.
    pub company_share: f64,
    pub goals: Goals,
    pub emergence: EmergenceLine,
    pub equity: Lives<String>,
    pub treasury: String,
    pub rounding: String,
    pub sharpe: Lives<f64>,
    pub volatility: Lives<f64>,
    pub max_drawdown: Lives<f64>,
    pub crossed_notional: String,
    pub traded_notional: String,
    pub fees: String,
    pub orders: u64,
    pub halted: Option<String>,
    /// What ended the account, if it was ruined; then that is why it is halted, for good.
    pub ruined: Option<String>,
    /// What was lost beyond all stakes because prices jumped: of lives their venues bore it, the account owes it.
    pub borne: Lives<String>,
    pub ledger_balanced: bool,
    /// Looks at held-out days so far, this run's among them; none if it looks at none, or cannot be counted.
    pub looks: Option<usize>,
    pub notes: Vec<String>,
    pub state_hash: String,
    pub decision_hash: String,
}

/// An estimate of an amount, to the eighth digit.
fn text(x: f64) -> String {
    money::from_estimate(x, 8).map_or_else(|| x.to_string(), |d| d.normalize().to_string())
}

fn exact(x: Decimal) -> String {
    x.normalize().to_string()
}

/// Bars that were not believed, each with what came of it.
fn held_bars(engine: &Engine) -> Vec<String> {
    let doubts = &engine.speak.market.doubts;
    let told = |held: &HeldBar| {
        let HeldBar { instrument, at, prices: (open, close), before, is_confirmed } = *held;
        let after = if is_confirmed {
            "the next bar confirmed it, and it was traded from there on"
        } else {
            "the next bar did not confirm it, and it was never traded on"
        };
        let symbol = engine.instrument(instrument).map_or("?", |i| i.symbol.as_str());
        format!(
            "bad tick? {symbol} at {at}: open {open}, close {close} after {before} was held back; {after}"
        )
    };
    let mut notes: Vec<String> = doubts.named.iter().map(told).collect();
    let more = doubts.count - doubts.named.len() as u64;
    if more > 0 {
        notes.push(format!("{more} more bars were held back like these"));
    }
    notes
}

/// What each life is worth at the end.
fn equity(engine: &Engine, real: Decimal) -> Lives<String> {
    let alone = text(engine.speak.curve.equity());
    Lives { alone, open: text(engine.respond.open.equity()), real: exact(real) }
}

/// The median share of barriers at which company made a difference, over the agents that decide at bars.
fn company_share(engine: &Engine) -> f64 {
    let agents = engine.cast().agents.iter().zip(&engine.respond.company);
    let mut shares: Vec<f64> = agents.filter(|(a, _)| !a.slots.is_empty()).map(|(_, c)| c.share()).collect();
    shares.sort_unstable_by(f64::total_cmp);
    let half = shares.len() / 2;
    match shares.len() {
        0 => 0.0,
        n if n % 2 == 1 => shares[half],
        _ => f64::midpoint(shares[half - 1], shares[half]),
    }
}

impl Summary {
    /// Of an engine at the end of a run.
    pub fn new(engine: &Engine, facts: RunFacts) -> Self {
        let (speak, respond) = (&engine.speak, &engine.respond);
        let (cast, settings, real) = (engine.cast(), engine.settings(), &engine.respond.real);
        let curves = [&speak.curve, &respond.open, &real.account.curve];
        let lives = |f: &dyn Fn(&crate::hive::curve::EquityCurve) -> f64| Lives {
            alone: f(curves[0]),
            open: f(curves[1]),
            real: f(curves[2]),
        };
        let total = |f: &dyn Fn(&crate::ledger::InstrumentTurnover) -> Decimal| {
            let instruments = (0..real.account.marks.len()).map(|i| crate::domain::InstrumentId(i as u16));
            instruments.filter_map(|i| real.account.ledger.turnover(i)).map(f).sum::<Decimal>()
        };
        let mut notes = facts.notes;
        let balanced = engine.balances();
        if let Err(why) = &balanced {
            notes.push(format!("the books do not balance: {why}"));
        }
        notes.extend(held_bars(engine));
        let valued = valuation(engine);
        Summary {
            hive: facts.hive,
            mode: facts.mode,
            feed: facts.feed,
            data_hash: facts.data_hash,
            roster_hash: facts.roster_hash,
            seed: facts.seed,
            clock: settings.clock.decide.to_string(),
            fill_level: settings.fill_level(),
            from: facts.from.map(|s| s.to_string()).unwrap_or_default(),
            to: engine.now().map(|s| s.to_string()).unwrap_or_default(),
            bars: facts.bars,
            refused: facts.refused,
            wall_s: facts.wall_s,
            capital: exact(settings.money),
            currency: facts.currency,
            deaf: !settings.listening.enabled,
            agents: agents(engine, &valued),
            scouts: cast.agents.len() - cast.declared,
            messages: respond.bus.counts(),
            messages_alone: respond.bus.alone_counts(),
            messages_open: respond.bus.open_counts(),
            deeds: respond.bus.deeds(),
            company_share: company_share(engine),
            goals: respond.goals,
            emergence: EmergenceLine::of(engine),
            equity: equity(engine, valued.total),
            treasury: exact(valued.treasury),
            rounding: exact(valued.rounding),
            sharpe: lives(&|c| c.sharpe()),
            volatility: lives(&|c| c.volatility()),
            max_drawdown: lives(&|c| c.drawdown_max()),
            crossed_notional: exact(total(&|t| t.crossed)),
            traded_notional: exact(total(&|t| t.traded)),
            fees: exact(real.account.ledger.cash(LedgerAccount::Fees).unwrap_or_default()),
            orders: real.execution.orders_sent(),
            halted: real.account.halted.clone(),
            borne: Lives {
                alone: text(engine.borne().0),
                open: text(engine.borne().1),
                real: exact((-valued.total).max(Decimal::ZERO)),
            },
            ruined: real.account.ruin.and(real.account.halted.clone()),
            ledger_balanced: balanced.is_ok(),
            looks: facts.looks,
            notes,
            state_hash: engine.state_hash(),
            decision_hash: respond.decisions.to_string(),
        }
    }
}

impl EmergenceLine {
    fn of(engine: &Engine) -> Self {
        let gauge = &engine.respond.gauge;
        EmergenceLine {
            days: gauge.days(),
            days_min: DAYS_MIN,
            whole_sharpe: gauge.sharpes().map(|s| s.0),
            alone_sharpe: gauge.sharpes().map(|s| s.1),
            rungs: gauge.rungs(),
            open_over_alone: gauge.open_over_alone(),
            orders_wanted: gauge.wanted,
            turnover: gauge.turnover(engine.settings().clock.decide.per_year()),
        }
    }
}

/// The agents with funds, in the order of the file.
fn agents(engine: &Engine, valued: &Valuation) -> Vec<AgentLine> {
    let cast = engine.cast();
    let declared = cast.agents[..cast.declared].iter();
    let parts = valued.agents.iter().zip(engine.influence());
    declared.zip(parts).map(|(agent, (part, influence))| line(engine, agent, *part, &influence)).collect()
}

/// What the account is worth, in parts that sum to it exactly. Books that cannot be valued are worth
/// nothing here; the run then ended in doubt and the notes say why.
fn valuation(engine: &Engine) -> Valuation {
    let real = &engine.respond.real;
    real.account.ledger.valuation(&real.account.marks).unwrap_or_else(|_| Valuation {
        agents: vec![Decimal::ZERO; engine.cast().declared],
        treasury: Decimal::ZERO,
        rounding: Decimal::ZERO,
        total: real.account.equity(),
    })
}

fn line(engine: &Engine, agent: &Agent, funds: Decimal, influence: &Influence) -> AgentLine {
    let (cast, respond, speak) = (engine.cast(), &engine.respond, &engine.speak);
    let (mut alone, mut open, mut trades) = (0.0, 0.0, 0);
    for slot in agent.slots.clone() {
        let last = speak.close(cast.slots[slot].asset);
        alone += speak.alone(cast, slot);
        open += respond.ears[slot].open.book.equity(last);
        trades += speak.lives[slot].trades;
    }
    let in_legs = engine.structured(agent.id);
    (alone, open) = (alone + in_legs.0, open + in_legs.1);
    let twins = || cast.structures.iter().zip(&speak.structures.twins).filter(|(s, _)| s.agent == agent.id);
    trades += twins().map(|(_, t)| t.life.life.trades).sum::<u32>();
    let real = &respond.real;
    let id: AgentId = agent.id;
    AgentLine {
        name: agent.name.clone(),
        family: agent.family.to_string(),
        goal: agent.goal.to_string(),
        personality: agent.personality.clone(),
        assets: cast.slots[agent.slots.clone()]
            .iter()
            .map(|s| s.asset)
            .chain(twins().map(|(s, _)| s.asset))
            .map(|a| engine.asset_name(a).to_owned())
            .collect(),
        ruins: engine.ruins(id),
        alone_pnl: text(alone),
        open_pnl: text(open),
        real_pnl: exact(real.account.ledger.pnl(id, &real.account.marks).unwrap_or_default()),
        points: respond.points.agent(cast, id),
        funds: exact(funds),
        stopped_out: real.account.funds.stopped_out(id).is_some(),
        trades,
        messages_sent: respond.bus.sent(id.index()),
        messages_acted_on: respond.bus.acted_on(id.index()),
        company_share: respond.company[id.index()].share(),
        difference: engine.difference(id),
        voice: influence.voice,
        listens: influence.listens,
        influence_given: influence.given,
        influence_given_value: influence.given_value,
        influence_received: influence.received,
        influence_received_value: influence.received_value,
        movers: influence.movers.iter().map(|(a, _)| cast.agents[a.index()].name.clone()).collect(),
    }
}
