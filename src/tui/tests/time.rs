//! Back and forward in time.

use crate::domain::{AgentId, Command, Span, Stamp};
use crate::tui::app::App;
use crate::tui::sample::picture;
use crate::tui::theme::{StyleRole, Theme};
use crate::view::Past;
use crate::view::link::{News, Reply, Request};
use crate::view::past::When;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

fn at(text: &str) -> Stamp {
    Stamp::parse(text).unwrap()
}

fn app() -> App {
    let mut app = App::new(Theme::shipped("terminal", true).unwrap(), true);
    app.hear(News::Cockpit(Box::new(picture(50))));
    app
}

fn press(app: &mut App, key: char) -> Option<Request> {
    app.key(&KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE))
}

fn past(seq: u64, place: u32) -> News {
    let mut view = picture(seq);
    view.market_time = Some(Stamp(view.market_time.unwrap().0 - (50 - seq as i64) * Span::HOUR.0));
    view.hive = format!("then {seq}");
    let (from, to) = (view.market_time.unwrap(), view.market_time.unwrap());
    News::Past(Box::new(Past { view, page: None, place, kept: 9, from, to, journal: false }))
}

#[test]
fn keys_that_repeat_add_up_and_now_waits_behind() {
    let mut app = app();
    let step = |by| Some(Request::Past(When::Step { seq: 50, by }, None));
    assert_eq!(press(&mut app, ']'), None, "there is nothing after now");
    assert_eq!(
        (press(&mut app, '['), press(&mut app, '['), press(&mut app, '[')),
        (step(-1), step(-2), step(-3))
    );
    app.hear(past(49, 9));
    app.hear(past(48, 8));
    app.hear(past(47, 7));
    assert_eq!(app.cx.cockpit.as_ref().unwrap().hive, "then 47");
    assert_eq!(app.cx.before_now(), Some(Span(3 * Span::HOUR.0)));
    app.hear(News::Cockpit(Box::new(picture(51))));
    assert_eq!(app.cx.cockpit.as_ref().unwrap().hive, "then 47", "now does not come in between");
    assert_eq!(press(&mut app, ']'), Some(Request::Past(When::Step { seq: 47, by: 1 }, None)));
    assert_eq!(press(&mut app, '.'), None);
    app.hear(past(48, 8));
    assert!(app.cx.is_now(), "what was on its way does not take one back");
    assert_eq!(app.cx.cockpit.as_ref().unwrap().seq, 51);
}

#[test]
fn the_newest_kept_leads_back_to_now_and_a_page_is_of_its_moment() {
    let mut app = app();
    app.key(&KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE));
    let (id, step) = (app.cx.open.unwrap().0, When::Step { seq: 50, by: -1 });
    assert_eq!(press(&mut app, '['), Some(Request::Past(step, Some(id))));
    app.hear(past(49, 9));
    let down = app.key(&KeyEvent::new(KeyCode::Down, KeyModifiers::NONE));
    assert_eq!(down, Some(Request::Past(When::Step { seq: 49, by: 0 }, Some(AgentId(1)))));
    app.hear(past(49, 9));
    assert_eq!(press(&mut app, ']'), Some(Request::Look(Some(AgentId(1)))));
    assert!(app.cx.is_now());
}

#[test]
fn the_way_back_to_now_is_seen_at_once() {
    let mut app = app();
    app.cx.say("Yuki muted · u undoes it".to_owned(), StyleRole::Good);
    press(&mut app, '[');
    app.hear(past(49, 9));
    assert!(app.cx.toast.is_none(), "what was said of now hides how one comes back to it");
    app.cx.say("said of the past".to_owned(), StyleRole::Dim);
    press(&mut app, '[');
    app.hear(past(48, 8));
    assert!(app.cx.toast.is_some(), "what was said of the past stays its time");
}

#[test]
fn nothing_acts_on_what_was_but_the_kill_switch() {
    let mut app = app();
    press(&mut app, '[');
    app.hear(past(49, 9));
    for key in ['p', 'm', 'f', 'u'] {
        assert_eq!(press(&mut app, key), None, "{key}");
        assert!(
            app.question().is_none() && app.cx.toast.as_ref().unwrap().0.contains("this is the past"),
            "{key}"
        );
    }
    for line in [":pause all", ":flatten", ":stop", ":mute Agent01"] {
        line.chars().for_each(|c| assert_eq!(press(&mut app, c), None));
        assert_eq!(app.key(&KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE)), None);
        assert!(app.question().is_none(), "{line}");
    }
    let chord = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::CONTROL);
    app.key(&chord);
    assert_eq!(app.key(&chord), Some(Request::Command(Command::Kill)));
}

#[test]
fn a_typed_time_goes_there_and_a_wrong_one_says_how() {
    let mut app = app();
    let mut line = |text: &str| {
        format!(":at {text}").chars().for_each(|c| assert_eq!(press(&mut app, c), None));
        let sent = app.key(&KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE));
        (sent, app.cx.toast.take().map(|t| t.0).unwrap_or_default())
    };
    let sent = line("yesterday 14:02").0;
    assert_eq!(sent, Some(Request::Past(When::At(at("2023-12-30T14:02:00Z")), None)));
    assert!(line("noon").1.contains(":at 14:02"));
    assert!(line("2024-05-01").1.contains("has not come yet"));
}

#[test]
fn what_is_fetched_is_said_until_it_is_there() {
    let mut app = app();
    app.hear(News::Fetching(40));
    assert_eq!(app.cx.fetching, None, "nobody asked");
    press(&mut app, '[');
    app.hear(News::Fetching(40));
    assert_eq!(app.cx.fetching, Some(40));
    app.hear(past(49, 0));
    assert_eq!((app.cx.fetching, app.cx.past.unwrap().number), (None, 0));
    assert!(
        press(&mut app, ']').is_some() && !app.cx.is_now(),
        "what is no row of kept moments has no last one"
    );
}

#[test]
fn a_refusal_leaves_one_where_one_was() {
    let mut app = app();
    let request = press(&mut app, '[').unwrap();
    app.hear(News::Answer(Reply { request, result: Err("nothing of before is kept yet".to_owned()) }));
    assert!(app.cx.is_now() && app.cx.toast.as_ref().unwrap().0.contains("nothing of before"));
    assert_eq!(press(&mut app, '['), Some(Request::Past(When::Step { seq: 50, by: -1 }, None)));
}

#[test]
fn why_opens_the_newest_trade() {
    let mut app = app();
    assert_eq!(press(&mut app, 'w'), Some(Request::Look(Some(AgentId(1)))));
    assert!(app.cx.toast.as_ref().unwrap().0.contains("Yuki on BTC, #200"));
}
