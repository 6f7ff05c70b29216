//! What a person does with the screen itself: themes, clipboard, pictures, the mouse.

use super::action::UserAction;
use super::app::{App, Pane};
use super::plain;
use super::theme::StyleRole;
use super::words;
use crate::view::link::Request;
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;
use std::path::Path;

/// Bytes that are copied: terminals that take OSC 52 take at least so many.
const COPY_MAX: usize = 64 << 10;
/// Lines above the first agent in its pane.
const ABOVE: u16 = 2;

/// Whether a file's name ends so.
pub(super) fn is_kind(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case(ending))
}

impl App {
    pub(super) fn next_theme(&mut self) {
        let names = self.wardrobe.names();
        let at = names.iter().position(|n| n == self.theme.name()).unwrap_or(0);
        if let Some(next) = names.get((at + 1) % names.len().max(1)) {
            self.apply_theme(next);
        }
    }

    pub(super) fn apply_theme(&mut self, name: &str) {
        match self.wardrobe.apply(name) {
            Ok(next) => {
                self.theme = self.depth.map_or(next.clone(), |d| next.quantised(d));
                self.say(format!("theme {name}"), StyleRole::Dim);
            }
            Err(e) => self.say(e.to_string(), StyleRole::Warn),
        }
    }

    /// The next arrangement of panes; after the last the usual one.
    pub(super) fn next_view(&mut self) {
        let next = self.view.map_or(0, |n| n + 1);
        self.view = (next < self.views.len()).then_some(next);
        self.zoomed = false;
        let Some((name, columns)) = self.view.and_then(|n| self.views.get(n)).cloned() else {
            return self.say("all panes".to_owned(), StyleRole::Dim);
        };
        // What has the focus is to be seen.
        if !columns.iter().flatten().any(|p| *p == self.focus)
            && let Some(first) = columns.iter().flatten().next()
        {
            self.focus_on(*first);
        }
        self.say(format!("view {name}"), StyleRole::Dim);
    }

    /// Looks whether the file of the theme has changed.
    pub(super) fn follow_theme(&mut self) {
        match self.wardrobe.reload() {
            None => {}
            Some(Ok(next)) => {
                self.theme = self.depth.map_or(next.clone(), |d| next.quantised(d));
                self.say(format!("theme {} was read again", self.theme.name()), StyleRole::Dim);
            }
            Some(Err(e)) => self.say(format!("{e}; the old one stays"), StyleRole::Warn),
        }
    }

    /// What is under the cursor, as text.
    pub(super) fn copy(&mut self) {
        let page = self.page.as_ref().filter(|p| self.open.is_some_and(|(id, _)| id == p.row.id));
        let text = match (page, self.focus) {
            (Some(page), _) => Some(plain::page_lines(page).join("\n")),
            (None, Pane::Messages) => {
                let messages = self.messages();
                let told = messages.iter().find(|m| Some(m.id) == self.told).or(messages.last());
                told.map(|m| plain::message(m))
            }
            (None, Pane::Network) => self.edge_text(),
            (None, Pane::Pnl | Pane::Goals) => self.cockpit.as_ref().map(plain::status),
            (None, Pane::Orders) => self.cockpit.as_ref().and_then(|c| super::orders::text(c, self.order)),
            (None, Pane::Agents | Pane::Points) => self.agent().map(plain::agent),
        };
        let Some(mut text) = text else {
            return self.say("there is nothing to copy here".to_owned(), StyleRole::Dim);
        };
        if text.len() > COPY_MAX {
            let end = (0..=COPY_MAX).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(0);
            text.truncate(end);
        }
        let first = text.lines().next().unwrap_or_default();
        self.say(format!("copied: {}", words::cut(first, 60)), StyleRole::Dim);
        self.copied = Some(text);
    }

    pub(super) fn toggle_mouse(&mut self) {
        self.mouse = !self.mouse;
        let says =
            if self.mouse { "the mouse selects here; :mouse gives it back" } else { "the mouse marks text" };
        self.say(says.to_owned(), StyleRole::Dim);
    }

    /// The screen is to be written into a file once it is drawn without the `:` line.
    pub(super) fn take_shot(&mut self, name: &str) {
        let time = self.cockpit.as_ref().and_then(|c| c.market_time).map(words::moment).unwrap_or_default();
        let name = if name.is_empty() {
            format!("hive-{}.svg", time.replace([' ', ':'], "-"))
        } else {
            name.to_owned()
        };
        if is_kind(&name, "svg") || is_kind(&name, "ansi") {
            (self.shot, self.toast) = (Some(name), None);
        } else {
            self.say(format!("{name}: write a name that ends in .svg or .ansi"), StyleRole::Warn);
        }
    }

    /// The mouse: a click selects, on what is selected it opens, the wheel goes through the pane below it.
    pub fn pointer(&mut self, event: &MouseEvent) -> Option<Request> {
        if !self.mouse || self.dialog.is_some() || self.input.is_some() || self.help || self.in_lab {
            return None;
        }
        let at = Position { x: event.column, y: event.row };
        let found = self.places.iter().find(|(_, area)| area.contains(at)).copied();
        self.dirty = true;
        match event.kind {
            MouseEventKind::ScrollDown | MouseEventKind::ScrollUp => {
                let down = event.kind == MouseEventKind::ScrollDown;
                if self.open.is_some() {
                    self.scroll =
                        if down { self.scroll.saturating_add(1) } else { self.scroll.saturating_sub(1) };
                } else if let Some((pane, _)) = found {
                    self.focus_on(pane);
                    self.step(down, 1);
                }
                None
            }
            MouseEventKind::Down(MouseButton::Left) if self.open.is_none() => {
                let (pane, area) = found?;
                self.focus_on(pane);
                let row = usize::from(at.y.checked_sub(area.y + ABOVE)?);
                let top = match pane {
                    Pane::Agents => self.top,
                    Pane::Points => self.points_top,
                    Pane::Orders => {
                        let lines = self.cockpit.as_ref().map_or(0, super::orders::count);
                        self.order = (self.orders_top + row).min(lines.saturating_sub(1));
                        return None;
                    }
                    _ => return None,
                };
                let rows = if pane == Pane::Points { self.by_contribution() } else { self.agents() };
                let id = rows.get(top + row)?.id;
                let again = self.agent().is_some_and(|a| a.id == id);
                self.selected = Some(id);
                if again { self.enter() } else { None }
            }
            _ => None,
        }
    }

    /// The hint of a key, for words on the screen.
    pub(super) fn hint(&self, action: UserAction) -> String {
        self.keymap.key(action)
    }

    /// `log · ↑↓ scroll · esc back`: a title and the keys that hold there.
    pub(super) fn hints(&self, title: &str, hints: &[super::draw::Hint]) -> String {
        let hint = |(actions, word): &super::draw::Hint| {
            let keys: Vec<String> = actions.iter().map(|a| self.keymap.short(*a)).collect();
            // Arrows stand together, words apart.
            let gap = if keys.iter().all(|k| k.chars().count() == 1) { "" } else { " " };
            format!("{} {word}", keys.join(gap))
        };
        let title = (!title.is_empty()).then(|| title.to_owned());
        title.into_iter().chain(hints.iter().map(hint)).collect::<Vec<_>>().join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AgentId;
    use crate::tui::painter::Painter;
    use crate::tui::sample::picture;
    use crate::tui::theme::Theme;
    use crate::view::link::News;
    use crossterm::event::KeyModifiers;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn app() -> App {
        let mut app = App::new(Theme::shipped("terminal", true).unwrap(), true);
        app.hear(News::Cockpit(Box::new(picture(1))));
        app
    }

    #[test]
    fn the_mouse_selects_what_it_points_at_and_opens_it_the_second_time() {
        let mut app = app();
        let mut painter = Painter::new(Terminal::new(TestBackend::new(160, 48)).unwrap());
        painter.draw(&mut app).unwrap();
        let rows = painter.backend().buffer().content().chunks(160);
        let y = rows.into_iter().position(|r| {
            r.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().contains("Agent07")
        });
        let (y, left) = (u16::try_from(y.unwrap()).unwrap(), MouseEventKind::Down(MouseButton::Left));
        let event = |kind, row| MouseEvent { kind, column: 8, row, modifiers: KeyModifiers::NONE };
        assert_eq!(app.pointer(&event(left, y)), None);
        assert_eq!(app.selected, None, "without :mouse it is the terminal's");
        app.toggle_mouse();
        assert_eq!(app.pointer(&event(left, y)), None);
        assert_eq!(app.selected, Some(AgentId(7)));
        assert_eq!(app.pointer(&event(left, y)), Some(Request::Look(Some(AgentId(7)))));
        app.open = None;
        app.pointer(&event(MouseEventKind::ScrollDown, y));
        assert_eq!(app.selected, Some(AgentId(8)));
    }

    #[test]
    fn views_go_round_and_show_their_panes_and_no_others() {
        let mut app = app();
        app.views = vec![("mine".to_owned(), vec![vec![Pane::Pnl], vec![Pane::Messages, Pane::Agents]])];
        let seen = |app: &mut App, size: (u16, u16)| {
            app.touch();
            let mut painter = Painter::new(Terminal::new(TestBackend::new(size.0, size.1)).unwrap());
            painter.draw(app).unwrap();
            let rows = painter.backend().buffer().content().chunks(usize::from(size.0));
            rows.map(|r| r.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n")
                .collect::<String>()
        };
        app.focus_on(Pane::Network);
        app.next_view();
        assert_eq!(app.focus, Pane::Pnl, "the focus is where it can be seen");
        let shown = seen(&mut app, (160, 48));
        for pane in ["╭ pnl", "╭ messages", "╭ agents"] {
            assert!(shown.contains(pane), "{shown}");
        }
        assert!(!shown.contains("╭ network") && !shown.contains("╭ goals"), "{shown}");
        // Where there is no room for columns it is one pane with its tabs, as ever.
        assert!(seen(&mut app, (80, 24)).contains("5 goals"));
        app.next_view();
        assert!(seen(&mut app, (160, 48)).contains("╭ network"));
    }

    #[test]
    fn what_is_copied_is_what_is_under_the_cursor() {
        let mut app = app();
        app.copy();
        assert!(app.copied.take().unwrap().starts_with("Agent00, "));
        app.focus = Pane::Messages;
        app.copy();
        assert!(app.copied.take().unwrap().contains("#200 Yuki BTC opens long"));
    }

    #[test]
    fn a_picture_of_the_screen_has_a_name_that_says_its_kind() {
        let mut app = app();
        app.take_shot("");
        assert_eq!(app.shot.take().as_deref(), Some("hive-2023-12-31-20-00.svg"));
        app.take_shot("x.png");
        assert!(app.shot.is_none() && app.toast.as_ref().unwrap().0.contains(".svg or .ansi"));
    }
}
