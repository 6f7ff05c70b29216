//! The cockpit as lines, for screen readers, pipes and slow lines: what happens is told as it happens, and what
//! is typed is done or asked back. The same [`App`] stands behind it as behind the panes, so that every command
//! has the same guard.
//!
//! Nothing is drawn: no escape sequence is written, no glyph stands for a word, and nothing is told by colour.

use super::action::ACTIONS;
use super::app::App;
use super::context::Connection;
use super::layers::dialog::Question;
use super::lines::{agent, message, page, status};
use super::theme::Theme;
use super::{header, moment, words};
use crate::domain::{is_unprintable, money, printable};
use crate::view::link::{News, Request, SwarmLink};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

/// Between two looks for news and for what was typed.
const GLANCE: Duration = Duration::from_millis(20);
/// A step of the progress that is told.
const STEP: f64 = 0.25;
/// How long an answer is waited for when nothing more is typed.
const LAST_ANSWER: Duration = Duration::from_secs(5);

/// Words that are not commands of the `:` line.
const OWN: &[(&str, &str)] = &[
    ("status", "how the hive is"),
    ("agents", "every agent in a line; agents WORD: those that match"),
    (
        "why NAME",
        "an agent's page: what it holds, under which conditions, and why; without a name the newest trade",
    ),
    ("messages", "the last ten; messages on, off: tell each as it comes"),
    ("quit", "leave; the swarm goes on"),
];

/// What is told from moment to moment.
struct Teller<'a> {
    out: &'a mut dyn Write,
    app: App,
    /// Messages are told as they come.
    talks: bool,
    told_messages: u64,
    told_alarms: usize,
    told_run: String,
    told_at: Option<crate::domain::Stamp>,
    progress: f64,
    /// A page that was asked for and has not come.
    awaits: bool,
    /// Requests without an answer yet.
    open: u32,
    ended: bool,
}

/// Tells until it is told to leave, nothing more can be typed, or the hive ends.
pub fn run(link: &mut dyn SwarmLink, out: &mut dyn Write, typed: &Receiver<String>) -> io::Result<()> {
    // No colour is ever asked of it.
    let theme = Theme::shipped("mono", false).map_err(io::Error::other)?;
    let mut t = Teller {
        out,
        app: App::new(theme, false),
        talks: false,
        told_messages: 0,
        told_alarms: 0,
        told_run: String::new(),
        told_at: None,
        progress: 0.0,
        awaits: false,
        open: 0,
        ended: false,
    };
    let start = Instant::now();
    let mut closed: Option<Instant> = None;
    while !t.app.is_leaving() && !t.ended {
        t.app.cx.read_only |= link.read_only();
        t.app.tick(start.elapsed(), link.age());
        let mut idle = true;
        while let Some(news) = link.poll() {
            idle = false;
            t.hear(news)?;
        }
        // What was typed waits for the first picture: before it nothing can be named.
        if t.app.cx.cockpit.is_some() && closed.is_none() && !t.awaits && t.open == 0 {
            match typed.try_recv() {
                Ok(line) => {
                    idle = false;
                    if let Some(request) = t.command(line.trim())? {
                        t.open += u32::from(!matches!(request, Request::Look(_) | Request::Lab(_)));
                        let sent = link.send(request);
                        if sent.is_err() {
                            (t.open, t.awaits) = (0, false);
                        }
                        t.app.sent(sent);
                    }
                    t.toast()?;
                }
                Err(TryRecvError::Disconnected) => closed = Some(Instant::now()),
                Err(TryRecvError::Empty) => {}
            }
        }
        let waits = t.awaits || t.open > 0;
        if closed.is_some_and(|c| !waits || c.elapsed() > LAST_ANSWER) {
            break;
        }
        if idle {
            std::thread::sleep(GLANCE);
        }
    }
    Ok(())
}

impl Teller<'_> {
    fn tell(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{}", printable(line))?;
        self.out.flush()
    }

    fn toast(&mut self) -> io::Result<()> {
        let Some((text, ..)) = self.app.cx.toast.take() else { return Ok(()) };
        let text = text.replace(" · u undoes it", "; undo takes it back for 10 s");
        self.tell(&text)
    }

    fn hear(&mut self, news: News) -> io::Result<()> {
        match news {
            News::Cockpit(picture) => {
                let lost = matches!(self.app.cx.reach, Connection::Lost(_));
                self.app.hear(News::Cockpit(picture));
                if lost {
                    self.toast()?;
                }
                self.picture()
            }
            News::Page(page) => {
                let wanted = std::mem::take(&mut self.awaits);
                if !wanted {
                    return Ok(());
                }
                for line in self::page(&page) {
                    self.tell(&line)?;
                }
                Ok(())
            }
            News::Past(past) => {
                self.open = self.open.saturating_sub(1);
                let page = past.page.clone();
                self.app.hear(News::Past(past));
                if std::mem::take(&mut self.awaits) {
                    for line in page.iter().flat_map(self::page) {
                        self.tell(&line)?;
                    }
                    return Ok(());
                }
                let line = self.app.cx.cockpit.as_ref().map(status);
                let before = self.app.cx.before_now().map(moment::stretch).unwrap_or_default();
                self.tell(&format!("PAST, {before} before now: {}", line.unwrap_or_default()))?;
                self.toast()
            }
            News::Lost(why) => {
                (self.open, self.awaits) = (0, false);
                self.tell(&format!("the swarm is lost: {why}; trying again by itself"))?;
                self.app.hear(News::Lost(why));
                Ok(())
            }
            News::Ended(why) => {
                self.ended = true;
                self.tell(&format!("ended: {why}"))
            }
            News::Answer(answer) => {
                self.open = self.open.saturating_sub(1);
                self.awaits &= answer.result.is_ok() || !answer.request.only_looks();
                self.app.hear(News::Answer(answer));
                self.toast()
            }
            other @ (News::Lab(_) | News::Fetching(_)) => {
                self.app.hear(other);
                Ok(())
            }
        }
    }

    /// What a new picture has that was not told.
    fn picture(&mut self) -> io::Result<()> {
        let Some(c) = self.app.cx.live.clone().or_else(|| self.app.cx.cockpit.clone()) else { return Ok(()) };
        let first = self.told_at.is_none();
        if first {
            self.tell("type help for what can be typed")?;
        }
        if self.told_run != c.account.run {
            self.told_run.clone_from(&c.account.run);
            let why = c.account.reason.clone().map(|r| format!(": {r}")).unwrap_or_default();
            self.tell(&format!("{}{why}{}", c.account.run.to_uppercase(), header::way_back(&c.account)))?;
        }
        for alarm in c.alarms.iter().skip(self.told_alarms.min(c.alarms.len())) {
            self.tell(&format!("alarm: {alarm}"))?;
        }
        self.told_alarms = c.alarms.len();
        if let Some(p) = c.progress {
            if first || p >= self.progress + STEP {
                self.progress = p;
                self.tell(&format!("{}, {:.0} %: {}", c.speed, 100.0 * p, status(&c)))?;
            }
            self.told_messages = c.account.messages;
        } else if self.told_at != c.market_time {
            if self.talks {
                let new: Vec<String> = c
                    .messages
                    .iter()
                    .filter(|m| m.id.0 > self.told_messages)
                    .filter(|m| m.agent.is_none_or(|a| c.agents.iter().any(|r| r.id == a)))
                    .map(message)
                    .collect();
                for line in new {
                    self.tell(&line)?;
                }
            }
            let said = c.messages.last().map_or(0, |m| m.id.0.saturating_sub(self.told_messages));
            self.told_messages = c.messages.last().map_or(self.told_messages, |m| m.id.0);
            let said = if first { String::new() } else { format!(", {said} messages") };
            self.tell(&format!("{}{said}", status(&c)))?;
        }
        self.told_at = c.market_time.or(self.told_at);
        Ok(())
    }

    /// A line that was typed: what is to be sent, if anything.
    fn command(&mut self, line: &str) -> io::Result<Option<Request>> {
        if self.app.question().is_some() {
            return Ok(self.answer(line));
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" => {}
            "help" => self.help()?,
            "status" => {
                let line = self.app.cx.cockpit.as_ref().map(status).unwrap_or_default();
                let now = if self.app.cx.is_now() { "" } else { "PAST: " };
                self.tell(&format!("{now}{line}"))?;
            }
            "agents" => {
                rest.clone_into(&mut self.app.cx.agent_filter);
                let lines: Vec<String> = self.app.cx.agents().into_iter().map(agent).collect();
                self.app.cx.agent_filter.clear();
                for line in lines {
                    self.tell(&line)?;
                }
            }
            "messages" => match rest {
                "on" | "off" => {
                    self.talks = rest == "on";
                    self.tell(&format!("messages are {rest}"))?;
                }
                _ => {
                    let all = self.app.cx.messages();
                    let lines: Vec<String> =
                        all[all.len().saturating_sub(10)..].iter().map(|m| message(m)).collect();
                    for line in lines {
                        self.tell(&line)?;
                    }
                }
            },
            "why" => return self.why(rest),
            "undo" => return Ok(self.press(KeyCode::Char('u'))),
            "now" => return Ok(self.typed(":at now")),
            _ => {
                let request = self.typed(&format!(":{line}"));
                self.dialog()?;
                return Ok(request);
            }
        }
        Ok(None)
    }

    fn why(&mut self, name: &str) -> io::Result<Option<Request>> {
        let request =
            if name.is_empty() {
                self.app.why()
            } else {
                let found =
                    self.app.cx.cockpit.as_ref().and_then(|c| {
                        c.agents.iter().find(|a| a.name.eq_ignore_ascii_case(name)).map(|a| a.id)
                    });
                if found.is_none() {
                    self.tell(&format!("there is no agent {name:?}; agents lists them"))?;
                }
                found.map(|id| self.app.show(id, None))
            };
        self.awaits = request.is_some();
        Ok(request)
    }

    fn press(&mut self, code: KeyCode) -> Option<Request> {
        self.app.key(&KeyEvent::new(code, KeyModifiers::NONE))
    }

    /// As if it was typed at the cockpit, and enter.
    fn typed(&mut self, text: &str) -> Option<Request> {
        for c in text.chars().filter(|c| !is_unprintable(*c)) {
            self.press(KeyCode::Char(c));
        }
        self.press(KeyCode::Enter)
    }

    fn dialog(&mut self) -> io::Result<()> {
        let text = match self.app.question() {
            None => return Ok(()),
            Some(Question::Money { name, gives, before, after, .. }) => {
                let way = if *gives { "gets funds" } else { "gives its funds back" };
                let about = if *gives { "about " } else { "" };
                let [before, after] = [before, after].map(|m| words::thousands(money::to_estimate(*m)));
                format!("{name} {way}: {before} now, {about}{after} then. y does it, anything else cancels")
            }
            Some(Question::Word { word, says, .. }) => {
                format!("{says}. Type {word} to do it; anything else cancels")
            }
        };
        self.tell(&text)
    }

    fn answer(&mut self, line: &str) -> Option<Request> {
        match self.app.question() {
            // One letter, so that no word that begins with it confirms.
            Some(Question::Money { .. }) if line == "y" => self.press(KeyCode::Char('y')),
            Some(Question::Word { word, .. }) if line == *word => self.typed(line),
            _ => self.press(KeyCode::Esc),
        }
    }

    fn help(&mut self) -> io::Result<()> {
        for (word, what) in OWN {
            self.tell(&format!("{word}: {what}"))?;
        }
        for e in ACTIONS
            .iter()
            .filter(|e| !e.command.is_empty() && !["help", "theme", "stats", "lab"].contains(&e.command))
        {
            self.tell(&format!("{}: {}", e.command, e.help))?;
        }
        Ok(())
    }
}
