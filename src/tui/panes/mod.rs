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
