//! The panes that there are, in the order of `tab` and of the digits: a pane is its own file and a line here.

use super::agents::AgentsPane;
use super::context::PaneId;
use super::goals::GoalsPane;
use super::messages::MessagesPane;
use super::network::NetworkPane;
use super::orders::OrdersPane;
use super::pane::Pane;
use super::pnl::PnlPane;
use super::points::PointsPane;

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
