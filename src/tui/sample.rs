//! A made-up picture for tests: every pane has something to show.

use crate::domain::{AgentId, Decimal, FamilyId, Goal, ManagerId, MessageId, OrderStatus, Service, Stamp};
use crate::view::cockpit::{
    AccountView, AgentRow, AgentState, Cockpit, Curves, EdgeRow, GoalView, MessageLine, Switches, TopicKind,
};
use crate::view::lab::{
    Between, ControlLine, DoseStep, Finding, LabPage, LabRun, Rung, UpliftRow, VoicesStep,
};
use crate::view::managers::{ManagerRow, ManagerWorth};
use crate::view::orders::{FillRow, OrderRow};
use crate::view::services::ServiceRow;

pub fn row(i: u32) -> AgentRow {
    AgentRow {
        id: AgentId(i),
        name: format!("Agent{i:02}"),
        family: FamilyId::ALL[i as usize % FamilyId::ALL.len()],
        goal: Goal::ALL[i as usize % 4],
        assets: "BTC ETH".to_owned(),
        state: if i == 3 { AgentState::StoppedOut } else { AgentState::Live },
        switches: Switches { funded: true, ..Switches::default() },
        points: 0.7,
        trend: vec![90, 80, 70],
        alone: -1_234.0 * f64::from(i),
        open: 2_345.0,
        real: Decimal::new(-98_765, 2),
        funds: Decimal::new(277_700, 2),
        difference: 0.0,
        would_get: Decimal::new(377_700, 2),
        position: "+4.2 % BTC".to_owned(),
        last: MessageId(9),
        said: "BTC opens long 45 % of capital (signal)".to_owned(),
        voice: 1.04,
        influence: 0.032,
        until: None,
        given: 3.5,
        served: [0.0; 3],
    }
}

fn served(seq: u64) -> ServiceRow {
    ServiceRow {
        agent: AgentId(2),
        service: Service::Carry,
        what: "1.2 BTC, 14 ETH".to_owned(),
        notional: 52_000.0,
        today: 14.2,
        total: 312.55,
        receipt: MessageId(seq * 100 + 50),
    }
}

fn order(id: u64) -> OrderRow {
    OrderRow {
        id,
        at: Stamp::parse("2023-12-31T16:00:00Z").unwrap_or(Stamp(0)),
        venue: String::new(),
        symbol: "BTCUSDT".to_owned(),
        quantity: Decimal::new(-1_250, 3),
        filled: Decimal::new(-250, 3),
        limit: Some(Decimal::new(42_123, 0)),
        state: OrderStatus::PartlyFilled,
        maker: "Tilo".to_owned(),
    }
}

fn fill(order: u64) -> FillRow {
    FillRow {
        order,
        number: 1,
        at: Stamp::parse("2023-12-31T12:00:00Z").unwrap_or(Stamp(0)),
        venue: "binance".to_owned(),
        symbol: "ETHUSDT".to_owned(),
        quantity: Decimal::new(25, 1),
        price: Decimal::new(234_567, 2),
        fee: Decimal::new(293, 2),
    }
}

pub fn picture(seq: u64) -> Cockpit {
    let wave = |a: f64| (0..500).map(|i| a * (f64::from(i) / 40.0).sin()).collect::<Vec<_>>();
    Cockpit {
        kept: None,
        seq,
        hive: "hive".to_owned(),
        currency: "USDT".to_owned(),
        market_time: Stamp::parse("2023-12-31T20:00:00Z"),
        speed: "4h every 1.0 s".to_owned(),
        account: AccountView {
            equity: Decimal::new(10_130_200, 2),
            capital: Decimal::new(10_000_000, 2),
            drawdown: 0.155,
            drawdown_budget: 0.15,
            drawdown_halt: 0.3,
            run: "running".to_owned(),
            ..AccountView::default()
        },
        voices: 276,
        goals: Goal::ALL
            .iter()
            .map(|g| GoalView { goal: *g, score: 0.48, value: 0.1, target: 0.2, trend: vec![10, 48] })
            .collect(),
        managers: vec![manager(0, "low_risk"), manager(5, "Warden")],
        agents: (0..36).map(row).collect(),
        edges: (0..36)
            .map(|i| EdgeRow {
                from: AgentId((i * 7 + 1) % 60),
                from_name: "x".to_owned(),
                from_family: FamilyId::Trend,
                to: AgentId(i),
                asset: "BTC".to_owned(),
                share: 0.1,
                value: f64::from(i) - 18.0,
                message: MessageId(u64::from(i) + 1),
                decision: MessageId(seq * 100 + u64::from(i)),
                rule: if i % 6 == 4 { "sceptic waits".to_owned() } else { String::new() },
            })
            .collect(),
        curves: Curves {
            alone: wave(-9e3),
            open: wave(5e3),
            real: wave(2e3),
            drawdown: wave(0.1),
            from: None,
        },
        messages: (1..=200)
            .map(|i| MessageLine {
                id: MessageId(i),
                at: Stamp(0),
                from: "Yuki".to_owned(),
                agent: Some(AgentId(1)),
                asset: "BTC".to_owned(),
                kind: TopicKind::Open,
                text: "opens long 45 % of capital at 42000 (signal); stop: close if the price closes under 40000".to_owned(),
                acted_on: u32::from(i == 200),
            })
            .collect(),
        services: vec![served(seq)],
        orders: vec![order(901), order(900)],
        fills: (850..890).map(fill).collect(),
        ..Cockpit::default()
    }
}

/// A made-up manager; every second one has turned.
fn manager(id: u8, name: &str) -> ManagerRow {
    ManagerRow {
        id: ManagerId(id),
        name: name.to_owned(),
        goal: Some(Goal::LowRisk),
        over: if id < 5 { "all".to_owned() } else { "family:trend, goal:fast, Agent03".to_owned() },
        watches: "drawdown over 10 %".to_owned(),
        knobs: "size ×0.50".to_owned(),
        turned: id < 5,
        muted: id >= 5,
        paused: false,
        worth: (id < 5).then_some(ManagerWorth { sharpe: 0.04, low: -0.02, high: 0.1, days: 400 }),
    }
}

/// A made-up result of the lab.
pub fn lab() -> LabPage {
    let between = |mean, from, to| Between { mean, from, to };
    let names = ["alone", "net-eq", "tsmom6", "net-all", "hive λ=1", "hive"];
    let rung = |(i, name): (usize, &&str)| Rung {
        name: (*name).to_owned(),
        sharpe: Some(0.2 * i as f64 - 0.1),
        seed_sd: Some(0.1),
        drawdown: Some(0.2),
        turnover: Some(73.8 - 10.0 * i as f64),
        growth: Some(0.05),
        ..Rung::default()
    };
    let gain =
        |over: &str, sharpe| UpliftRow { over: over.to_owned(), sharpe, drawdown: Some(-0.13), won: 11 };
    let control = |name: &str, pass, walk| ControlLine {
        name: name.to_owned(),
        shown: between(0.3, 0.1, 0.5),
        walk,
        keeps: Some(0.34),
        pass,
        ..ControlLine::default()
    };
    let run = LabRun {
        age_min: 200,
        feed: "HISTORY perps".to_owned(),
        bar: "4h".to_owned(),
        from: "2023-07-01".to_owned(),
        to: "2024-12-31".to_owned(),
        assets: 30,
        seeds: 12,
        agents: 36,
        voices: 276,
        costs: "flat 7 bp a side".to_owned(),
        target_vol: 0.15,
        tried: 62,
        looks: 2,
        luck: 0.22,
        finding: Finding::Talk,
        headline: "Talking helps here: +0.31 Sharpe over the same agents deaf (net-eq).".to_owned(),
        ladder: names.iter().enumerate().map(rung).collect(),
        gains: vec![
            gain("alone", between(0.6, 0.2, 1.0)),
            gain("net-eq", between(0.3, 0.1, 0.5)),
            gain("net-all", between(0.0, -0.4, 0.4)),
            gain("tsmom6", between(-0.5, -0.7, -0.3)),
        ],
        controls: vec![control("time-shifted", true, false), control("random-walk", false, true)],
        voices_curve: [9, 36, 276]
            .map(|voices| VoicesStep { voices, sharpe: 0.2, seed_sd: Some(0.1), turnover: 15.0 })
            .to_vec(),
        dose: [0.0, 0.5, 1.0]
            .map(|listens| DoseStep { listens, sharpe: listens, over: between(0.1, -0.1, 0.3) })
            .to_vec(),
        words: vec!["They lived through it twelve times with other personalities.".to_owned(); 3],
        ..LabRun::default()
    };
    LabPage { command: "hive lab --feed history:perp.csv.gz".to_owned(), trouble: None, run: Some(run) }
}
