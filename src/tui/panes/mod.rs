//! The panes that there are, in the order of `tab` and of the digits: a pane is its own file and a line here.

pub mod agents;
pub mod edges;
pub mod goals;
pub mod graph_layout;
pub mod managers;
pub mod messages;
pub mod network;
pub mod orders;
pub mod pnl;
pub mod points;

use crate::tui::context::PaneId;
use crate::tui::pane::Pane;
use agents::AgentsPane;
use goals::GoalsPane;
use managers::ManagersPane;
use messages::MessagesPane;
use network::NetworkPane;
use orders::OrdersPane;
use pnl::PnlPane;
use points::PointsPane;

/// One of each.
pub fn all() -> Vec<Box<dyn Pane>> {
    vec![
        Box::new(AgentsPane::default()),
        Box::new(MessagesPane::default()),
        Box::new(NetworkPane::default()),
        Box::new(PnlPane),
        Box::new(GoalsPane),
        Box::new(OrdersPane::default()),
        Box::new(PointsPane::default()),
        Box::new(ManagersPane::default()),
    ]
}

/// The names of all panes.
pub fn names() -> Vec<PaneId> {
    all().iter().map(|pane| pane.id()).collect()
}

/// The pane of this name.
pub fn named(name: &str) -> Option<PaneId> {
    names().into_iter().find(|id| id.0 == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::action::{ACTIONS, UserAction};
    use crate::tui::app::App;
    use crate::tui::context::PaneContext;
    use crate::tui::painter::Painter;
    use crate::tui::sample::picture;
    use crate::tui::theme::Theme;
    use crate::view::link::News;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Cell;

    /// A file that nobody lists is a pane that nobody sees.
    #[test]
    fn every_pane_of_the_folder_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/panes");
        let mut found = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let rest = text.split("\nimpl Pane for ").nth(1);
            if let Some(name) = rest.and_then(|r| r.split(' ').next()) {
                found += 1;
                assert!(
                    include_str!("mod.rs").contains(&format!("Box::new({name}")),
                    "{name} is not in all()"
                );
            }
        }
        assert_eq!(found, all().len());
    }

    #[test]
    fn every_pane_alone_shows_its_name_and_fits_any_size() {
        for id in names() {
            for (width, height) in [60, 80, 120, 200].into_iter().flat_map(|w| (12..=48).map(move |h| (w, h)))
            {
                let mut app = App::new(Theme::shipped("mono", false).unwrap(), false);
                app.hear(News::Cockpit(Box::new(picture(1))));
                app.focus_on(id);
                app.arrangement.zoomed = true;
                let mut painter = Painter::new(Terminal::new(TestBackend::new(width, height)).unwrap());
                painter.draw(&mut app).unwrap();
                let cells = painter.backend().buffer().content();
                // Below the header, where tabs name all panes.
                let below = cells.iter().skip(3 * usize::from(width)).map(Cell::symbol).collect::<String>();
                assert!(below.contains(&format!(" {} ", id.0)), "{id:?} at {width}x{height}\n{below}");
            }
        }
    }

    #[test]
    fn every_pane_has_a_name_of_its_own_a_digit_and_keys_that_there_are() {
        let panes = all();
        assert!(panes.len() <= 9, "a pane is reached by a digit");
        let cx = PaneContext::new(Theme::shipped("mono", false).unwrap(), false, panes[0].id());
        for (n, pane) in panes.iter().enumerate() {
            let id = pane.id();
            assert!(!id.0.is_empty() && id.0.chars().all(|c| c.is_ascii_lowercase()), "{id:?}");
            assert!(panes[..n].iter().all(|p| p.id() != id), "{id:?} is there twice");
            assert_eq!(named(id.0), Some(id));
            for (actions, word) in pane.keys(&cx) {
                assert!(!word.is_empty(), "{id:?}");
                for action in actions {
                    let keyed = |a: &UserAction| ACTIONS.iter().any(|e| e.action == *a && !e.keys.is_empty());
                    assert!(keyed(action), "{id:?}: {action:?} has no key");
                }
            }
        }
    }
}
