//! What has to be answered before anything else: a dialog takes every key but the kill chord.
//!
//! # Invariants
//!
//! 1. `y` is nobody's trigger: the key that opened a dialog does not confirm it.
//! 2. What is about everybody's money is confirmed by its word, typed letter by letter and never pasted.

use crate::domain::{Money, money};
use crate::tui::action::UserAction;
use crate::tui::context::{Hint, PaneContext, PaneId};
use crate::tui::line::INPUT_MAX;
use crate::tui::pane::{Pane, PaneOutcome, boxed, middle};
use crate::tui::theme::StyleRole;
use crate::tui::words;
use crate::view::link::Request;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Question {
    /// Bounded money: `y` and nothing else.
    Money { request: Request, name: String, gives: bool, before: Money, after: Money },
    /// Broad: the word.
    Word { request: Request, word: String, says: &'static str },
}

/// A question, and what was typed in answer to it.
pub struct Dialog {
    /// What is asked.
    pub question: Question,
    typed: String,
}

impl Dialog {
    /// A question that nobody has answered yet.
    pub fn new(question: Question) -> Self {
        Dialog { question, typed: String::new() }
    }
}

impl Pane for Dialog {
    fn id(&self) -> PaneId {
        PaneId("dialog")
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        Vec::new()
    }

    fn on_action(&mut self, _: &mut PaneContext, _: UserAction) -> PaneOutcome {
        PaneOutcome::Ignored
    }

    fn takes_keys(&self) -> bool {
        true
    }

    fn on_key(&mut self, cx: &mut PaneContext, key: &KeyEvent) -> PaneOutcome {
        let plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
        match (&self.question, key.code) {
            // Only y confirms: the key that opened the dialog, enter and everything else cancel.
            (Question::Money { request, .. }, KeyCode::Char('y')) if plain => {
                return PaneOutcome::CloseAndSend(*request);
            }
            (Question::Money { .. }, _) => {
                cx.say("cancelled: nothing was moved".to_owned(), StyleRole::Dim);
                return PaneOutcome::Close;
            }
            (Question::Word { request, word, .. }, KeyCode::Enter) if self.typed == *word => {
                return PaneOutcome::CloseAndSend(*request);
            }
            (Question::Word { .. }, KeyCode::Esc | KeyCode::Enter) => {
                cx.say("cancelled: nothing was changed".to_owned(), StyleRole::Dim);
                return PaneOutcome::Close;
            }
            (Question::Word { .. }, KeyCode::Backspace) => drop(self.typed.pop()),
            (Question::Word { .. }, KeyCode::Char(c)) if plain && self.typed.len() < INPUT_MAX => {
                self.typed.push(c);
            }
            (Question::Word { .. }, _) => {}
        }
        PaneOutcome::Done
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        match &self.question {
            Question::Money { name, gives, before, after, .. } => {
                let money = (money::to_estimate(*before), money::to_estimate(*after));
                money_asked(frame, cx, area, name, *gives, money);
            }
            Question::Word { word, says, .. } => word_asked(frame, cx, area, word, says, &self.typed),
        }
    }
}

fn money_asked(
    frame: &mut Frame<'_>,
    cx: &PaneContext,
    area: Rect,
    name: &str,
    gives: bool,
    (before, after): (f64, f64),
) {
    let t = &cx.theme;
    let currency = cx.cockpit.as_ref().map_or("", |c| c.currency.as_str());
    let way = if gives { format!("treasury → {name}") } else { format!("{name} → treasury") };
    let about = if gives { "about " } else { "" };
    let change = after - before;
    let lines = vec![
        Line::raw(""),
        Line::from(vec![Span::styled(format!("  {way}"), t.of(StyleRole::Title))]),
        Line::raw(""),
        Line::from(vec![
            Span::styled("  funds now   ", t.of(StyleRole::Dim)),
            Span::styled(format!("{:>12} {currency}", words::thousands(before)), t.of(StyleRole::Text)),
        ]),
        Line::from(vec![
            Span::styled("  funds then  ", t.of(StyleRole::Dim)),
            Span::styled(
                format!("{:>12} {currency}", format!("{about}{}", words::thousands(after))),
                t.of(StyleRole::Title),
            ),
        ]),
        Line::from(vec![
            Span::styled("  change      ", t.of(StyleRole::Dim)),
            Span::styled(format!("{:>12}", words::gain(change)), t.of(words::sign(change))),
        ]),
        Line::raw(""),
        Line::styled(
            if gives {
                "  its share by points; it goes with them week by week"
            } else {
                "  its alone and open lives go on"
            },
            t.of(StyleRole::Dim),
        ),
        Line::raw(""),
        Line::from(vec![
            Span::raw("  "),
            Span::styled(" Cancel ", t.of(StyleRole::Selected)),
            Span::styled("   y", t.of(StyleRole::Key)),
            Span::styled(if gives { " funds it" } else { " takes its funds" }, t.of(StyleRole::Text)),
            Span::styled("   any other key cancels", t.of(StyleRole::Dim)),
        ]),
    ];
    let at = middle(area, 58, lines.len() as u16 + 2);
    boxed(frame, cx, if gives { "fund" } else { "unfund" }, lines, at, StyleRole::Warn);
}

fn word_asked(frame: &mut Frame<'_>, cx: &PaneContext, area: Rect, word: &str, says: &str, typed: &str) {
    let t = &cx.theme;
    let right = word.starts_with(typed);
    let whole = word == typed;
    let lines = vec![
        Line::raw(""),
        Line::styled(format!("  {says}"), t.of(StyleRole::Title)),
        Line::raw(""),
        Line::from(vec![
            Span::styled("  type ", t.of(StyleRole::Dim)),
            Span::styled(word.to_owned(), t.of(StyleRole::Key)),
            Span::styled(" and enter:  ", t.of(StyleRole::Dim)),
            Span::styled(typed.to_owned(), t.of(if right { StyleRole::Good } else { StyleRole::Bad })),
            Span::styled("▏", t.of(StyleRole::Focus)),
        ]),
        Line::raw(""),
        Line::from(vec![
            Span::raw("  "),
            Span::styled(" Cancel ", t.of(if whole { StyleRole::Dim } else { StyleRole::Selected })),
            Span::styled("  esc", t.of(StyleRole::Key)),
            Span::styled(" leaves everything as it is", t.of(StyleRole::Dim)),
        ]),
    ];
    let width = (says.chars().count() as u16 + 6).max(58);
    let at = middle(area, width, lines.len() as u16 + 2);
    boxed(frame, cx, word, lines, at, StyleRole::Bad);
}
