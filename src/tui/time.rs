//! Back and forward in time: the panes show a moment that the swarm kept, and every word about the state is
//! of that moment. The swarm goes on meanwhile.
//!
//! # Invariants
//!
//! 1. What is shown is one moment: picture and page come together, from the same answer.
//! 2. Nothing but the kill switch acts on a swarm whose past is shown.
//! 3. A live picture never replaces one of the past; it waits until now is asked for.

use super::action::UserAction;
use super::app::App;
use super::theme::StyleRole;
use crate::domain::{MessageId, Span, Stamp};
use crate::view::Past;
use crate::view::cockpit::{MessageLine, TopicKind};
use crate::view::link::Request;
use crate::view::past::When;

/// Where the moment that is shown lies among those kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SnapshotPosition {
    /// Number of the moment that is shown, from 1, the oldest.
    pub number: u32,
    /// Number of moments that are kept.
    pub kept: u32,
    pub from: Stamp,
    pub to: Stamp,
    /// Older ones are in the journal.
    pub journal: bool,
}

/// Steps that were asked for and not yet answered: keys that repeat add up instead of asking the same twice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PendingSteps {
    flying: u32,
    base: u64,
    by: i32,
    /// Now was not asked for since.
    wanted: bool,
}

impl App {
    /// Whether what is shown is of now.
    pub fn is_now(&self) -> bool {
        self.past.is_none()
    }

    /// The market's time now, whatever is shown.
    pub fn market_now(&self) -> Option<Stamp> {
        self.live.as_ref().or(self.cockpit.as_ref())?.market_time
    }

    /// Whether a moment was asked for that has not come.
    pub(super) fn is_waiting(&self) -> bool {
        self.steps.flying > 0 && self.steps.wanted
    }

    /// How long before now the moment lies that is shown; none where now is shown.
    pub fn before_now(&self) -> Option<Span> {
        self.past?;
        let shown = self.cockpit.as_ref()?.market_time?;
        Some(self.market_now()?.since(shown))
    }

    /// So many moments back (negative) or on.
    pub(super) fn step_time(&mut self, by: i32) -> Option<Request> {
        let seq = self.cockpit.as_ref()?.seq;
        if by > 0 && self.steps.flying == 0 {
            match self.past {
                None => {
                    let back = self.hint(UserAction::TimeBack);
                    self.say(format!("this is now; {back} goes back"), StyleRole::Dim);
                    return None;
                }
                Some(p) if p.number > 0 && p.number >= p.kept => return self.return_to_now(),
                Some(_) => {}
            }
        }
        let s = &mut self.steps;
        if s.flying == 0 {
            (s.base, s.by) = (seq, 0);
        }
        s.by = s.by.saturating_add(by);
        let when = When::Step { seq: s.base, by: s.by };
        Some(self.travel(when))
    }

    /// A day back or on.
    pub(super) fn step_day(&mut self, days: i64) -> Option<Request> {
        let shown = self.cockpit.as_ref()?.market_time?;
        let to = shown.after(Span(days * Span::DAY.0));
        if self.market_now().is_some_and(|now| to >= now) {
            return self.return_to_now();
        }
        Some(self.travel(When::At(to)))
    }

    /// Stops the picture where it is, or lets it go on.
    pub(super) fn freeze(&mut self) -> Option<Request> {
        if self.is_now() { self.step_time(0) } else { self.return_to_now() }
    }

    /// To a time that was typed.
    pub(super) fn go_to(&mut self, text: &str) -> Option<Request> {
        if text == "now" {
            return self.return_to_now();
        }
        let now = self.market_now()?;
        match moment(text, now) {
            Some(at) if at > now => {
                self.say(
                    format!("{text} has not come yet; now is {}", super::words::moment(now)),
                    StyleRole::Warn,
                );
                None
            }
            Some(at) => Some(self.travel(When::At(at))),
            None => {
                let how = ":at 14:02 · yesterday 14:02 · 2023-12-30 14:02 · -8h · -2d";
                self.say(format!("{text:?} is no time; write {how}"), StyleRole::Warn);
                None
            }
        }
    }

    fn travel(&mut self, when: When) -> Request {
        (self.steps.flying, self.steps.wanted) = (self.steps.flying + 1, true);
        Request::Past(when, self.open.map(|(id, _)| id))
    }

    /// The page of an agent at the moment that is shown.
    pub(super) fn page_then(&mut self) -> Option<Request> {
        let seq = self.cockpit.as_ref().filter(|_| self.past.is_some())?.seq;
        Some(self.travel(When::Step { seq, by: 0 }))
    }

    /// Back to now; what was said meanwhile is there.
    pub(super) fn return_to_now(&mut self) -> Option<Request> {
        (self.steps.wanted, self.fetching) = (false, None);
        if self.past.take().is_none() {
            self.say("this is now".to_owned(), StyleRole::Dim);
            return None;
        }
        self.dirty = true;
        if let Some(live) = self.live.take() {
            self.cockpit = Some(live);
        }
        self.page = None;
        self.open.map(|(id, _)| Request::Look(Some(id)))
    }

    /// A moment has come.
    pub(super) fn see_past(&mut self, past: Past) {
        self.answered_past();
        if !self.steps.wanted {
            return;
        }
        let Past { view, page, place, kept, from, to, journal } = past;
        self.pulses.clear();
        let shown = self.cockpit.replace(view);
        if self.past.is_none() {
            self.live = shown;
        }
        self.past = Some(SnapshotPosition { number: place, kept, from, to, journal });
        self.page = page;
        let oldest = place == 1 && !journal && self.steps.by < 0 && self.steps.flying == 0;
        if oldest {
            let now = self.hint(UserAction::Now);
            self.say(format!("this is the oldest moment that is kept; {now} is now"), StyleRole::Dim);
        }
    }

    /// A request for the past was answered, whatever the answer was.
    pub(super) fn answered_past(&mut self) {
        self.steps.flying = self.steps.flying.saturating_sub(1);
        self.fetching = None;
    }

    /// Nothing that was asked for will come any more.
    pub(super) fn past_is_lost(&mut self) {
        (self.steps.flying, self.fetching) = (0, None);
    }

    pub(super) fn say_past(&mut self) {
        let now = self.hint(UserAction::Now);
        self.say(format!("this is the past: {now} comes back to now, where it can be done"), StyleRole::Warn);
    }

    /// The newest trade of an agent and why it was made.
    pub(super) fn why(&mut self) -> Option<Request> {
        let Some((id, decision, told)) = self.newest_trade() else {
            self.say("nobody has traded yet, as far as messages are remembered".to_owned(), StyleRole::Dim);
            return None;
        };
        self.say(told, StyleRole::Dim);
        Some(self.show(id, decision))
    }

    fn newest_trade(&self) -> Option<(crate::domain::AgentId, Option<MessageId>, String)> {
        let c = self.cockpit.as_ref()?;
        let trades = |k: TopicKind| {
            matches!(k, TopicKind::Open | TopicKind::Increase | TopicKind::Decrease | TopicKind::Close)
        };
        // A stance is what was made of what was heard: the trade itself. Where there is none, the intent is it.
        let is = |m: &&MessageLine| {
            (m.kind == TopicKind::Stance || trades(m.kind)) && m.agent.is_some_and(|a| self.row(a).is_some())
        };
        let m = c.messages.iter().rev().find(is)?;
        let same = |o: &&MessageLine| o.agent == m.agent && o.asset == m.asset && o.kind == TopicKind::Stance;
        let decision = c.messages.iter().rev().find(same).map(|o| o.id);
        Some((m.agent?, decision, format!("the newest trade: {} on {}, #{}", m.from, m.asset, m.id.0)))
    }
}

/// Reads a time: of the market's day, of yesterday, of a date, or so long before now.
pub fn moment(text: &str, now: Stamp) -> Option<Stamp> {
    let text = text.trim();
    let clock = |text: &str, midnight: Stamp| {
        let (h, m) = text.split_once(':')?;
        let (h, m): (i64, i64) = (h.parse().ok()?, m.parse().ok()?);
        let fits = (0..24).contains(&h) && (0..60).contains(&m);
        fits.then(|| midnight.after(Span(h * Span::HOUR.0 + m * Span::HOUR.0 / 60)))
    };
    if let Some(back) = text.strip_prefix('-') {
        return Span::parse(back).map(|s| Stamp(now.0.saturating_sub(s.0)));
    }
    let today = now.floor(Span::DAY);
    let yesterday = Stamp(today.0 - Span::DAY.0);
    if let Some(rest) = text.strip_prefix("yesterday") {
        return match rest.trim() {
            "" => Some(Stamp(now.0 - Span::DAY.0)),
            rest => clock(rest, yesterday),
        };
    }
    if let Some(at) = clock(text, today) {
        // The last time that it was so late.
        return if at > now { clock(text, yesterday) } else { Some(at) };
    }
    let (day, rest) = text.split_at_checked(10)?;
    let midnight = Stamp::parse(day)?;
    match rest.trim_start_matches(['T', ' ']) {
        "" => Some(midnight),
        rest => clock(rest, midnight).or_else(|| Stamp::parse(text)),
    }
}

/// `8 h`, `3 d 4 h`, `12 min`: a stretch of market time.
pub fn stretch(span: Span) -> String {
    let minutes = span.0 / (Span::HOUR.0 / 60);
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, 0, _) => format!("{d} d"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AgentId, Command};
    use crate::tui::sample::picture;
    use crate::tui::theme::Theme;
    use crate::view::link::{News, Reply};
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    fn at(text: &str) -> Stamp {
        Stamp::parse(text).unwrap()
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = at("2023-12-31T20:00:00Z");
        for (text, wanted) in [
            ("14:02", "2023-12-31T14:02:00Z"),
            ("21:30", "2023-12-30T21:30:00Z"),
            ("yesterday 14:02", "2023-12-30T14:02:00Z"),
            ("yesterday", "2023-12-30T20:00:00Z"),
            ("2023-12-24", "2023-12-24T00:00:00Z"),
            ("2023-12-24 9:05", "2023-12-24T09:05:00Z"),
            ("2023-12-24T09:05:00Z", "2023-12-24T09:05:00Z"),
            ("-8h", "2023-12-31T12:00:00Z"),
            ("-2d", "2023-12-29T20:00:00Z"),
        ] {
            assert_eq!(moment(text, now), Some(at(wanted)), "{text}");
        }
        for bad in ["", "noon", "25:00", "14:60", "-", "2023-13-01", "yesterday noon", "é2023-12-0"] {
            assert_eq!(moment(bad, now), None, "{bad}");
        }
        let of = |h, m| stretch(Span(h * Span::HOUR.0 + m * Span::HOUR.0 / 60));
        assert_eq!(
            [of(0, 5), of(8, 0), of(8, 2), of(48, 0), of(76, 0)],
            ["5 min", "8 h", "8 h 2 min", "2 d", "3 d 4 h"]
        );
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
        assert_eq!(app.cockpit.as_ref().unwrap().hive, "then 47");
        assert_eq!(app.before_now(), Some(Span(3 * Span::HOUR.0)));
        app.hear(News::Cockpit(Box::new(picture(51))));
        assert_eq!(app.cockpit.as_ref().unwrap().hive, "then 47", "now does not come in between");
        assert_eq!(press(&mut app, ']'), Some(Request::Past(When::Step { seq: 47, by: 1 }, None)));
        assert_eq!(press(&mut app, '.'), None);
        app.hear(past(48, 8));
        assert!(app.is_now(), "what was on its way does not take one back");
        assert_eq!(app.cockpit.as_ref().unwrap().seq, 51);
    }

    #[test]
    fn the_newest_kept_leads_back_to_now_and_a_page_is_of_its_moment() {
        let mut app = app();
        app.key(&KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE));
        let (id, step) = (app.open.unwrap().0, When::Step { seq: 50, by: -1 });
        assert_eq!(press(&mut app, '['), Some(Request::Past(step, Some(id))));
        app.hear(past(49, 9));
        let down = app.key(&KeyEvent::new(KeyCode::Down, KeyModifiers::NONE));
        assert_eq!(down, Some(Request::Past(When::Step { seq: 49, by: 0 }, Some(AgentId(1)))));
        app.hear(past(49, 9));
        assert_eq!(press(&mut app, ']'), Some(Request::Look(Some(AgentId(1)))));
        assert!(app.is_now());
    }

    #[test]
    fn nothing_acts_on_what_was_but_the_kill_switch() {
        let mut app = app();
        press(&mut app, '[');
        app.hear(past(49, 9));
        for key in ['p', 'm', 'f', 'u'] {
            assert_eq!(press(&mut app, key), None, "{key}");
            assert!(
                app.dialog.is_none() && app.toast.as_ref().unwrap().0.contains("this is the past"),
                "{key}"
            );
        }
        for line in [":pause all", ":flatten", ":stop", ":mute Agent01"] {
            line.chars().for_each(|c| assert_eq!(press(&mut app, c), None));
            assert_eq!(app.key(&KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE)), None);
            assert!(app.dialog.is_none(), "{line}");
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
            (sent, app.toast.take().map(|t| t.0).unwrap_or_default())
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
        assert_eq!(app.fetching, None, "nobody asked");
        press(&mut app, '[');
        app.hear(News::Fetching(40));
        assert_eq!(app.fetching, Some(40));
        app.hear(past(49, 0));
        assert_eq!((app.fetching, app.past.unwrap().number), (None, 0));
        assert!(
            press(&mut app, ']').is_some() && !app.is_now(),
            "what is no row of kept moments has no last one"
        );
    }

    #[test]
    fn a_refusal_leaves_one_where_one_was() {
        let mut app = app();
        let request = press(&mut app, '[').unwrap();
        app.hear(News::Answer(Reply { request, result: Err("nothing of before is kept yet".to_owned()) }));
        assert!(app.is_now() && app.toast.as_ref().unwrap().0.contains("nothing of before"));
        assert_eq!(press(&mut app, '['), Some(Request::Past(When::Step { seq: 50, by: -1 }, None)));
    }

    #[test]
    fn why_opens_the_newest_trade() {
        let mut app = app();
        assert_eq!(press(&mut app, 'w'), Some(Request::Look(Some(AgentId(1)))));
        assert!(app.toast.as_ref().unwrap().0.contains("Yuki on BTC, #200"));
    }
}
