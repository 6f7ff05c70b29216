//! A made-up picture for tests: every pane has something to show.

use crate::domain::{AgentId, Decimal, Family, Goal, MessageId, Stamp};
use crate::view::cockpit::{
    AccountView, AgentRow, AgentState, Cockpit, Curves, EdgeRow, GoalView, Kind, MessageLine, Switches,
};

pub fn row(i: u32) -> AgentRow {
    AgentRow {
        id: AgentId(i),
        name: format!("Agent{i:02}"),
        family: Family::ALL[i as usize % Family::ALL.len()],
        goal: Goal::ALL[i as usize % 4],
        assets: "BTC ETH".to_owned(),
        state: if i == 3 { AgentState::Broke } else { AgentState::Live },
        switches: Switches { funded: true, ..Switches::default() },
        points: 0.7,
        trend: vec![90, 80, 70],
        alone: -1_234.0 * f64::from(i),
        sim: 2_345.0,
        real: Decimal::new(-98_765, 2),
        funds: Decimal::new(277_700, 2),
        difference: 0.0,
        would_get: Decimal::new(377_700, 2),
        position: "+4.2 % BTC".to_owned(),
        last: MessageId(9),
        said: "BTC opens long 0.00 → 0.45 (signal)".to_owned(),
        voice: 1.04,
        influence: 0.032,
        until: None,
    }
}

pub fn picture(seq: u64) -> Cockpit {
    let wave = |a: f64| (0..500).map(|i| a * (f64::from(i) / 40.0).sin()).collect::<Vec<_>>();
    Cockpit {
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
        agents: (0..36).map(row).collect(),
        edges: (0..36)
            .map(|i| EdgeRow {
                from: AgentId((i * 7 + 1) % 60),
                from_name: "x".to_owned(),
                from_family: Family::Trend,
                to: AgentId(i),
                asset: "BTC".to_owned(),
                share: 0.1,
                value: f64::from(i) - 18.0,
                message: MessageId(u64::from(i) + 1),
                decision: MessageId(seq * 100 + u64::from(i)),
            })
            .collect(),
        curves: Curves {
            alone: wave(-9e3),
            sim: wave(5e3),
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
                kind: Kind::Open,
                text: "opens long 0.00 → 0.45 at 42,000; stop: close below 40,000".to_owned(),
                acted_on: u32::from(i == 200),
            })
            .collect(),
        ..Cockpit::default()
    }
}
