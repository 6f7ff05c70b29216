//! Orders, points, what is worth something to the desk, and what is said where there is nothing.

use super::{
    MessagesPane, NetworkPane, OrdersPane, agents, app, chosen_edge, edges, messages, network, orders,
    picture, pnl, points, press, screen, with,
};
use crate::domain::{AgentId, MessageId, Service, Span, Stamp};
use crate::tui::app::App;
use crate::tui::context::PaneId;
use crate::tui::painter::Painter;
use crate::tui::panes::edges::EdgeKey;
use crate::tui::panes::network::DESK;
use crate::tui::sample::row;
use crate::tui::theme::StyleRole;
use crate::view::Past;
use crate::view::cockpit::{
    AgentPage, Curves, DeedView, LegView, PackageLife, PackageState, PackageView, RelationRow, RuleView,
    TopicKind,
};
use crate::view::link::{News, Request};
use crate::view::operator::KeptSpace;
use crate::view::services::ServiceRow;
use crossterm::event::KeyCode;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::time::Duration;

/// A rule that has acted so often, the last time in this message.
fn rule(name: &str, deeds: u64, last: u64) -> RuleView {
    RuleView {
        name: name.to_owned(),
        sentence: "when 3 others opened against me, I wait 1d".to_owned(),
        deeds,
        last: MessageId(last),
        asset: "BTC".to_owned(),
        did: "waits until 2024-01-01".to_owned(),
        because: vec![(MessageId(12), "Yuki opens short".to_owned())],
    }
}

/// A page on which nothing is open.
pub fn page_of(agent: u32) -> AgentPage {
    AgentPage {
        seq: 2,
        row: row(agent),
        personality: "hunter".to_owned(),
        side: "both".to_owned(),
        traits: Vec::new(),
        intents: Vec::new(),
        why: Vec::new(),
        rules: vec![rule("sceptic waits", 3, 133), rule("herald follows", 0, 0)],
        relations: vec![RelationRow {
            from: "Yuki".to_owned(),
            kind: "open".to_owned(),
            deeds: 2.5,
            worth_bp: -31.4,
            trust_bp: -0.31,
        }],
        received: Vec::new(),
        given: Vec::new(),
        alone: Vec::new(),
        open: Vec::new(),
        real: Vec::new(),
        points: Vec::new(),
        trades: 3,
        sent: 9,
        acted_on: 4,
        deeds: Vec::new(),
        services: Vec::new(),
        packages: Vec::new(),
    }
}

/// The lines of a pane that is shown alone.
fn alone(app: &mut App, pane: PaneId, width: u16, height: u16) -> String {
    app.focus_on(pane);
    app.arrangement.zoomed = true;
    screen(app, width, height)
}

#[test]
fn orders_show_what_works_and_below_it_what_was_filled() {
    let mut app = app();
    let seen = alone(&mut app, orders::ID, 120, 30);
    for line in [
        "orders 2 working, last 40 fills ↓",
        "  order when        venue     what     side    quantity     price state       age, or fee",
        "   #901 12-31 16:00 paper     BTCUSDT  sell        1.25 42,123.00 20 % filled 4 h old, worked by Tilo",
        "   #889 12-31 12:00 binance   ETHUSDT  buy          2.5  2,345.67 filled      fee 2.93 of 5,864",
    ] {
        assert!(seen.contains(line), "lacks\n{line}\n{seen}");
    }
    // Where there is less room columns go, and no number is cut.
    let narrow = alone(&mut app, orders::ID, 80, 24);
    assert!(narrow.contains("42,123.00 20 % filled") && narrow.contains("fee 2.93"), "{narrow}");
    press(&mut app, KeyCode::Down);
    assert_eq!(app.pane::<OrdersPane>().unwrap().cursor, 1);
    assert_eq!(press(&mut app, KeyCode::Enter), None, "an order has no page");
    press(&mut app, KeyCode::End);
    assert_eq!(app.pane::<OrdersPane>().unwrap().cursor, 41);
    let mut none = with(|c| (c.orders, c.fills) = (Vec::new(), Vec::new()));
    assert!(alone(&mut none, orders::ID, 80, 24).contains("nothing is on order"));
}

#[test]
fn points_show_who_earned_what_for_others_those_first_who_earned_most() {
    let mut app = with(|c| c.agents[2].served = [312.55, 0.0, 0.0]);
    let seen = alone(&mut app, points::ID, 140, 30);
    let first = seen.lines().find(|l| l.contains("Agent")).unwrap();
    for word in ["Agent02", "+3.50▲", "+312.55▲", "carries 1.2 BTC, 14 ETH in spot: +14.20 today"] {
        assert!(first.contains(word), "lacks {word}: {first}");
    }
    assert!(seen.contains("for the desk · carry ▲ +312.55, today +14.20"), "{seen}");
    assert!(!seen.contains("capital"), "nobody lends any");
    // With less room what it holds for the desk, and the sums without today's.
    let narrow = alone(&mut app, points::ID, 100, 30);
    let first = narrow.lines().find(|l| l.contains("Agent02")).unwrap();
    assert!(first.contains("+312.55▲") && first.contains("1.2 BTC, 14 ETH"), "{first}");
    let mut two = with(|c| {
        let mut maker = c.services[0].clone();
        (maker.agent, maker.service, maker.total) = (AgentId(4), Service::Liquidity, 744.69);
        c.services.push(maker);
    });
    let sums = alone(&mut two, points::ID, 72, 24);
    assert!(sums.contains("for the desk · carry ▲ +312.55 · orders worked ▲ +744.69"), "{sums}");
    press(&mut app, KeyCode::Home);
    assert_eq!(app.cx.selected, Some(AgentId(2)), "the cursor goes by what is seen");
    let mut none = with(|c| c.services = Vec::new());
    assert!(alone(&mut none, points::ID, 80, 24).contains("nobody serves the desk here"));
}

#[test]
fn what_is_worth_something_to_the_desk_is_an_edge_and_a_receipt_a_pulse() {
    let mut app = app();
    app.focus_on(network::ID);
    // Without an edge under the cursor the last line says what the signs mean.
    (app.pane_mut::<NetworkPane>().unwrap().cursor, app.arrangement.zoomed) = (None, true);
    let seen = screen(&mut app, 120, 40);
    assert!(
        seen.contains("▣ desk") && seen.contains("━◆ worth to the desk ▲ +312.55, today +14.20"),
        "{seen}"
    );
    assert!(app.pane::<NetworkPane>().unwrap().pulses.is_empty());
    app.hear(News::Cockpit(Box::new(picture(2))));
    let receipts: Vec<_> =
        app.pane::<NetworkPane>().unwrap().pulses.iter().filter(|p| p.to == DESK).collect();
    assert_eq!((receipts.len(), receipts[0].message), (1, MessageId(250)));
    app.hear(News::Cockpit(Box::new(picture(2))));
    assert_eq!(app.pane::<NetworkPane>().unwrap().pulses.iter().filter(|p| p.to == DESK).count(), 1, "once");
    let mut none = with(|c| c.services = Vec::new());
    assert!(!alone(&mut none, network::ID, 120, 40).contains("▣ desk"));
}

#[test]
fn an_edge_to_the_desk_is_chosen_as_the_others_are_and_opens_the_page_of_who_serves() {
    let mut app = with(|c| {
        let mut maker = c.services[0].clone();
        (maker.agent, maker.service) = (AgentId(4), Service::Liquidity);
        (maker.what, maker.total, maker.today) = ("8,264 filled, 38 % of it at rest".to_owned(), 441.0, -0.5);
        c.services.push(maker);
        // Who could serve and was not needed has no line, and is none to be chosen.
        let idle =
            ServiceRow { agent: AgentId(5), total: 0.0, receipt: MessageId(0), ..c.services[0].clone() };
        c.services.push(idle);
    });
    press(&mut app, KeyCode::Char('3'));
    assert!(chosen_edge(&app).is_some(), "the newest decision comes first");
    press(&mut app, KeyCode::Char('z'));
    press(&mut app, KeyCode::Up);
    let seen = screen(&mut app, 160, 48);
    let says = "Agent02 carries 1.2 BTC, 14 ETH in spot for the desk · earned ▲ +312.55, today +14.20 · receipt #250 · enter";
    assert!(seen.contains(says), "{seen}");
    press(&mut app, KeyCode::Home);
    let seen = screen(&mut app, 160, 48);
    let says = "Agent04 worked the desk's orders: 8,264 filled, 38 % of it at rest · saved ▲ +441.00, today -0.50 · receipt #250 · enter";
    assert!(seen.contains(says), "{seen}");
    // With less room whole parts go: the number of the receipt last but who and how much.
    for (width, says) in [
        (80, "Agent04 → desk · saved ▲ +441.00, today -0.50 · receipt #250 · enter "),
        (62, "Agent04 → desk · saved ▲ +441.00 · receipt #250 · enter "),
    ] {
        let seen = screen(&mut app, width, 24);
        assert!(seen.contains(says), "{width}\n{seen}");
    }
    press(&mut app, KeyCode::Char('y'));
    assert!(app.capture.copied.take().unwrap().starts_with("Agent04 worked the desk's orders: 8,264 filled"));
    assert_eq!(press(&mut app, KeyCode::Enter), Some(Request::Look(Some(AgentId(4)))));
    assert_eq!(app.cx.open, Some((AgentId(4), None)), "no decision led there");
    press(&mut app, KeyCode::Esc);
    // Two steps down are the newest decision again.
    press(&mut app, KeyCode::Down);
    press(&mut app, KeyCode::Down);
    assert_eq!(chosen_edge(&app).map(|e| e.decision), edges::influence(&app.cx).first().map(|e| e.decision));
    // Where nobody listens the desk is all that there is to choose.
    let mut deaf = with(|c| (c.deaf, c.edges) = (true, Vec::new()));
    press(&mut deaf, KeyCode::Char('3'));
    assert!(screen(&mut deaf, 160, 48).contains("Agent02 → desk"));
}

#[test]
fn the_chosen_edge_to_the_desk_is_painted_over_the_others() {
    let focus = |app: &mut App| {
        app.touch();
        let mut painter = Painter::new(Terminal::new(TestBackend::new(120, 40)).unwrap());
        painter.draw(app).unwrap();
        let ink = app.cx.theme.of(StyleRole::Focus).fg;
        let dots = |c: &&ratatui::buffer::Cell| {
            c.symbol().chars().all(|s| ('\u{2801}'..='\u{28ff}').contains(&s)) && Some(c.fg) == ink
        };
        painter.backend().buffer().content().iter().filter(dots).count()
    };
    let mut app = app();
    app.focus_on(network::ID);
    (app.pane_mut::<NetworkPane>().unwrap().cursor, app.arrangement.zoomed) = (None, true);
    assert_eq!(focus(&mut app), 0);
    app.pane_mut::<NetworkPane>().unwrap().cursor = Some(EdgeKey::Serves(AgentId(2), Service::Carry));
    assert!(focus(&mut app) > 5, "a line to the desk has the colour of the cursor");
}

#[test]
fn a_filter_leaves_in_the_network_whom_it_shows() {
    let mut app = app();
    let graph = |app: &mut App| {
        let seen = alone(app, network::ID, 120, 40);
        seen.lines().skip(4).map(|l| l.to_owned() + "\n").collect::<String>()
    };
    let all = graph(&mut app);
    assert!(all.contains("Agent04") && all.contains("Agent21"), "{all}");
    app.cx.agent_filter = "agent0".to_owned();
    app.pane_mut::<NetworkPane>().unwrap().cursor = None;
    assert!(alone(&mut app, network::ID, 120, 40).contains("network /agent0 "));
    let few = graph(&mut app);
    for n in 0..10 {
        assert!(few.contains(&format!("Agent0{n}")), "{few}");
    }
    assert!(!few.contains("Agent1") && !few.contains("Agent2") && few.contains("▣ desk"), "{few}");
    let dots = |text: &str| text.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count();
    assert!(dots(&few) < dots(&all), "the lines of those who are hidden are hidden, too");
    let mut deaf = with(|c| (c.deaf, c.edges) = (true, Vec::new()));
    deaf.focus_on(network::ID);
    deaf.pane_mut::<NetworkPane>().unwrap().cursor = None;
    assert!(screen(&mut deaf, 160, 48).contains("deaf: nobody is moved by what is said"));
}

#[test]
fn how_old_the_data_is_is_said_at_every_width() {
    let mut app = with(|c| "a-hive-of-some-length".clone_into(&mut c.hive));
    app.tick(Duration::from_secs(30), Some(Duration::from_secs(29)));
    for (width, height) in [(60, 12), (60, 16), (80, 24), (100, 30), (160, 48)] {
        let seen = screen(&mut app, width, height);
        assert!(seen.lines().next().unwrap().contains("data 29 s old"), "{width}\n{seen}");
    }
    app.cx.read_only = true;
    let seen = screen(&mut app, 60, 16);
    assert!(seen.contains("READ-ONLY") && seen.contains("data 29 s old"), "{seen}");
}

#[test]
fn the_smallest_screen_shows_what_has_the_focus() {
    let mut app = app();
    assert!(screen(&mut app, 60, 16).contains("╭ agents"));
    for (key, title) in [('3', "╭ network"), ('6', "╭ orders"), ('7', "╭ points")] {
        press(&mut app, KeyCode::Char(key));
        let seen = screen(&mut app, 60, 16);
        assert!(seen.contains(title) && !seen.contains("╭ agents"), "{seen}");
    }
}

#[test]
fn an_older_decision_is_told_from_memory_above_what_holds_now() {
    let mut app = with(|c| c.messages[197].kind = TopicKind::Stance);
    press(&mut app, KeyCode::Char('2'));
    for _ in 0..3 {
        press(&mut app, KeyCode::Up);
    }
    assert_eq!(app.pane::<MessagesPane>().unwrap().cursor, Some(MessageId(198)));
    let asked = press(&mut app, KeyCode::Enter);
    assert_eq!(asked, Some(Request::Look(Some(AgentId(1)))));
    let page = |app: &mut App, width: u16| {
        app.hear(News::Page(Box::new(page_of(1))));
        screen(app, width, 40)
    };
    let seen = page(&mut app, 160);
    assert!(seen.contains("▸ #198") && seen.contains("BTC opens long 45 % of capital at 42000"), "{seen}");
    assert!(seen.contains("it decided anew since; what holds now:"), "{seen}");
    app.cx.open = Some((AgentId(1), Some(MessageId(7_000))));
    assert!(page(&mut app, 80).contains("#7000 is no longer remembered; what holds now:"));
}

#[test]
fn a_structured_agents_page_shows_the_legs_of_its_lives_and_what_others_made_it_do() {
    let leg = |instrument: &str, held, wanted, working, value| LegView {
        instrument: instrument.to_owned(),
        held,
        wanted,
        working,
        value,
    };
    let package = |life, state, legs| PackageView {
        asset: "BTC".to_owned(),
        life,
        capital: 2_000.0,
        side: 1.0,
        state,
        gain: 12.5,
        legs,
    };
    let mut page = page_of(0);
    page.packages = vec![
        package(
            PackageLife::Real,
            PackageState::Opening,
            vec![
                leg("BTCUSDT perp beta", -0.02, -0.05, -0.03, Some(42_000.0)),
                leg("BTC/USDT alpha", 0.05, 0.05, 0.0, None),
            ],
        ),
        package(PackageLife::Open, PackageState::Closing, Vec::new()),
        package(
            PackageLife::Alone,
            PackageState::Open,
            vec![leg("BTC/USDT alpha", 0.04, 0.04, 0.0, Some(42_000.0))],
        ),
    ];
    page.deeds = vec![DeedView {
        message: MessageId(512),
        at: Stamp(1_646_000_000_000_000_000),
        asset: "BTC".to_owned(),
        text: "decreases (what it heard); payers leave: #498 -1.0 %, #499 -1.0 %".to_owned(),
    }];
    let mut app = app();
    for (width, height) in [(160, 48), (80, 60)] {
        assert_eq!(press(&mut app, KeyCode::Enter), Some(Request::Look(Some(AgentId(0)))));
        app.hear(News::Page(Box::new(page.clone())));
        let seen = screen(&mut app, width, height);
        for text in [
            "BTC real ▲ long on its way",
            "BTC open ▲ long closing",
            "what others made it do",
            "BTC #512",
            "payers leave: #498",
            "BTC alone ▲ long open",
            "-0.02 = -840, wants -0.05,",
            "orders",
            "+0.04 = 1,680",
        ] {
            assert!(seen.contains(text), "{width}: lacks {text}\n{seen}");
        }
        press(&mut app, KeyCode::Esc);
    }
}

#[test]
fn a_deed_is_an_edge_of_whom_it_heard_and_opens_the_rule_by_which_it_was_done() {
    let mut app = app();
    let edge = edges::influence(&app.cx).into_iter().find(|e| !e.rule.is_empty()).unwrap().clone();
    let key = EdgeKey::Moves(edge.from, edge.to, edge.asset.clone(), edge.rule.clone());
    app.focus_on(network::ID);
    app.pane_mut::<NetworkPane>().unwrap().cursor = Some(key);
    let seen = screen(&mut app, 160, 48);
    assert!(seen.contains(&format!("sceptic waits deed #{} · enter", edge.decision.0)), "{seen}");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.cx.open, Some((edge.to, Some(edge.decision))));
    let mut page = page_of(edge.to.0);
    page.rules[0].last = edge.decision;
    for (width, height) in [(160, 48), (100, 60), (80, 60)] {
        app.hear(News::Page(Box::new(page.clone())));
        let seen = screen(&mut app, width, height);
        for text in [
            "lives by",
            "sceptic waits, 3 ×",
            "  when 3 others opened",
            "because of #12 Yuki opens short",
            "herald follows, never yet",
            "Yuki       open       2.5×   -31.4 bp  -0.31",
        ] {
            assert!(seen.contains(text), "{width}: lacks {text}\n{seen}");
        }
        assert!(!seen.contains("no longer remembered"), "the deed that was asked for is there\n{seen}");
    }
}

#[test]
fn in_the_past_the_header_says_where_now_is() {
    let mut app = app();
    press(&mut app, KeyCode::Char('['));
    let mut view = picture(1);
    view.market_time = view.market_time.map(|t| Stamp(t.0 - 8 * Span::HOUR.0));
    let (from, to) = (view.market_time.unwrap(), view.market_time.unwrap());
    app.hear(News::Past(Box::new(Past { view, page: None, place: 1, kept: 9, from, to, journal: false })));
    let seen = screen(&mut app, 100, 30);
    let first = seen.lines().next().unwrap();
    assert!(first.contains("PAST  2023-12-31 12:00   8 h before now"), "{first}");
    assert!(first.contains("now 2023-12-31 20:00") && !first.contains("data now"), "{first}");
}

#[test]
fn what_is_kept_of_a_run_is_told_with_its_budget_and_how_far_back_it_goes() {
    let kept = |kept: KeptSpace| screen(&mut with(|view| view.kept = Some(kept)), 200, 30);
    let seen = kept(KeptSpace {
        bytes: 35 << 20,
        budget: Some(1 << 30),
        from: Some("2022-01-01T04:00:00Z".to_owned()),
    });
    assert!(seen.contains("kept 35 MB of 1.0 GB, from 2022-01-01 on"), "{seen}");
    let seen = kept(KeptSpace { bytes: 900 << 10, budget: None, from: None });
    assert!(seen.contains("kept 900 KB ") && !seen.contains("kept 900 KB of"), "{seen}");
}

#[test]
fn keys_that_were_bound_anew_are_named_everywhere() {
    let mut app = app();
    let bind = |a: &str, k: &str| (a.to_owned(), vec![k.to_owned()]);
    let all = [
        bind("back", "B"),
        bind("last", "E"),
        bind("page-down", "ctrl-d"),
        bind("time-back", "b"),
        bind("pause", "P"),
    ];
    app.cx.keymap.bind(&all).unwrap();
    press(&mut app, KeyCode::Char('2'));
    press(&mut app, KeyCode::Up);
    assert!(screen(&mut app, 160, 48).contains("E follows"));
    press(&mut app, KeyCode::Enter);
    let seen = screen(&mut app, 160, 48);
    assert!(
        seen.contains("pgup ctrl-d scroll") && seen.contains("B back") && seen.contains(" P pause"),
        "{seen}"
    );
    press(&mut app, KeyCode::Char('B'));
    press(&mut app, KeyCode::Char(']'));
    assert!(screen(&mut app, 160, 48).contains("this is now; b goes back"));
    press(&mut app, KeyCode::Char('?'));
    assert!(screen(&mut app, 160, 60).contains("keys · B back"));
}

#[test]
fn every_pane_says_so_when_it_has_nothing_to_show() {
    let mut app = with(|c| {
        c.messages.clear();
        c.curves = Curves::default();
    });
    assert!(alone(&mut app, messages::ID, 80, 24).contains("nothing was said since"));
    assert!(alone(&mut app, pnl::ID, 80, 24).contains("curves begin with the next bars"));
    app.cx.agent_filter = "nobody".to_owned();
    assert!(alone(&mut app, agents::ID, 80, 24).contains("nobody is like /nobody; esc clears it"));
}
