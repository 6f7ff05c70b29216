//! What agents do for the desk beside saying what to hold: who serves, on what, and what it was worth.

use crate::domain::{AgentId, MessageId, Service};
use serde::{Deserialize, Serialize};

/// One agent's service for the desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRow {
    /// Agent that serves.
    pub agent: AgentId,
    /// What kind of service it is.
    pub service: Service,
    /// What it serves, in words: `1.2 BTC, 14 ETH`; empty for nothing now.
    pub what: String,
    /// In currency: what is carried in spot now, or what was worked so far.
    pub notional: f64,
    /// What it saved or earned since the market's day began, in currency.
    pub today: f64,
    /// The same since the run began.
    pub total: f64,
    /// The message that says so, the newest; 0 for none yet.
    pub receipt: MessageId,
}

impl ServiceRow {
    /// `carries 1.2 BTC in spot for the desk`: what it does, without what it was worth.
    pub fn deed(&self) -> String {
        match (self.service, self.what.is_empty()) {
            (Service::Carry, true) => "would carry in spot for the desk where that pays".to_owned(),
            (Service::Carry, false) => format!("carries {} in spot for the desk", self.what),
            (Service::Liquidity, true) => "would work the desk's orders".to_owned(),
            (Service::Liquidity, false) => format!("worked the desk's orders: {}", self.what),
            (Service::Capital, _) => "uses the desk's idle cash".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_not_needed_yet_is_told_from_who_was() {
        let row = |service, what: &str| ServiceRow {
            agent: AgentId(1),
            service,
            what: what.to_owned(),
            notional: 0.0,
            today: 0.0,
            total: 0.0,
            receipt: MessageId(0),
        };
        assert_eq!(row(Service::Carry, "1.2 BTC").deed(), "carries 1.2 BTC in spot for the desk");
        assert!(row(Service::Carry, "").deed().starts_with("would carry"));
        assert!(row(Service::Liquidity, "").deed().starts_with("would work"));
    }
}
