//! Back and forward in time: the panes show a moment that the swarm kept, and every word about the state is
//! of that moment. The swarm goes on meanwhile.
//!
//! # Invariants
//!
//! 1. What is shown is one moment: picture and page come together, from the same answer.
//! 2. Nothing but the kill switch acts on a swarm whose past is shown.
//! 3. A live picture never replaces one of the past; it waits until now is asked for.

use super::action::UserAction;
use super::context::PaneContext;
use super::moment::{SnapshotPosition, moment};
use super::theme::StyleRole;
use super::words;
use crate::domain::Span;
use crate::view::Past;
use crate::view::link::Request;
use crate::view::past::When;

impl PaneContext {
    /// Whether a moment was asked for that has not come.
    pub(super) fn is_waiting(&self) -> bool {
        self.steps.flying > 0 && self.steps.wanted
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
                self.say(format!("{text} has not come yet; now is {}", words::moment(now)), StyleRole::Warn);
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

    /// A moment has come; whether it is shown.
    pub(super) fn see_past(&mut self, past: Past) -> bool {
        self.answered_past();
        if !self.steps.wanted {
            return false;
        }
        let Past { view, page, place, kept, from, to, journal } = past;
        let shown = self.cockpit.replace(view);
        if self.past.is_none() {
            self.live = shown;
            // What was said of now would hide the way back to it.
            self.toast = None;
        }
        self.past = Some(SnapshotPosition { number: place, kept, from, to, journal });
        self.page = page;
        let oldest = place == 1 && !journal && self.steps.by < 0 && self.steps.flying == 0;
        if oldest {
            let now = self.hint(UserAction::Now);
            self.say(format!("this is the oldest moment that is kept; {now} is now"), StyleRole::Dim);
        }
        true
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
}
