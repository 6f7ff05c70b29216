//! The panes that there are, in the order of `tab` and of the digits: a pane is its own file and a line here.

pub mod agents;
pub mod edges;
mod goals;
pub mod graph_layout;
pub mod messages;
pub mod network;
pub mod orders;
pub mod pnl;
pub mod points;

use crate::tui::context::PaneId;
use crate::tui::pane::Pane;
use agents::AgentsPane;
use goals::GoalsPane;
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
    use crate::tui::context::PaneContext;
    use crate::tui::theme::Theme;

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
