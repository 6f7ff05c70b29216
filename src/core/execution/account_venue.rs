//! Where an account trades: at the venue inside the program, or outside of it.
//!
//! # Invariants
//!
//! 1. What is asked of a venue outside leaves with the step's outputs, in the order in which it was asked, and each once.
//! 2. Nothing waits here between two steps, so that a snapshot has nothing of it: what was asked and not answered is in the
//!    order tracker, as pending.

use super::paper::PaperVenue;
use super::venue::{Venue, VenueRequest};
use crate::domain::VenueEvent;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is to be carried to venues outside at the end of a step.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    requests: Vec<VenueRequest>,
}

impl Clone for Outbox {
    /// A copy of a run asks nothing: else both would ask for the same order.
    fn clone(&self) -> Self {
        Outbox::default()
    }
}

impl Serialize for Outbox {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.requests.is_empty() {
            return serializer.serialize_unit();
        }
        Err(serde::ser::Error::custom("requests to a venue are waiting; a state is kept between two steps"))
    }
}

impl<'de> Deserialize<'de> for Outbox {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer).map(|()| Outbox::default())
    }
}

/// Where the orders of an account go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AccountVenue {
    /// Filled inside the program, on the market as it is told.
    Paper(PaperVenue),
    /// Carried by the runtime to one venue or several; what they say comes back as events.
    Outside(Outbox),
}

impl AccountVenue {
    /// The venue inside the program, where the account trades there.
    pub fn paper(&self) -> Option<&PaperVenue> {
        match self {
            AccountVenue::Paper(paper) => Some(paper),
            AccountVenue::Outside(_) => None,
        }
    }

    /// The same, to tell it of the market.
    pub fn paper_mut(&mut self) -> Option<&mut PaperVenue> {
        match self {
            AccountVenue::Paper(paper) => Some(paper),
            AccountVenue::Outside(_) => None,
        }
    }

    /// Puts what is to leave where it leaves from.
    pub(crate) fn hand_over(&mut self, requests: &mut Vec<VenueRequest>) {
        if let AccountVenue::Outside(outbox) = self {
            requests.append(&mut outbox.requests);
        }
    }
}

impl Venue for AccountVenue {
    fn is_prompt(&self) -> bool {
        self.paper().is_some_and(Venue::is_prompt)
    }

    fn request(&mut self, request: VenueRequest) {
        match self {
            AccountVenue::Paper(paper) => paper.request(request),
            AccountVenue::Outside(outbox) => outbox.requests.push(request),
        }
    }

    fn poll(&mut self) -> Option<VenueEvent> {
        self.paper_mut()?.poll()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::OrderId;

    #[test]
    fn what_is_asked_leaves_once_and_is_never_kept() {
        let mut venue = AccountVenue::Outside(Outbox::default());
        assert!(!venue.is_prompt() && venue.paper().is_none());
        venue.request(VenueRequest::Cancel(OrderId(1)));
        venue.request(VenueRequest::Cancel(OrderId(2)));
        assert!(postcard::to_stdvec(&venue).is_err(), "a state is kept between steps");
        assert_eq!(venue.clone(), AccountVenue::Outside(Outbox::default()));
        let mut out = Vec::new();
        venue.hand_over(&mut out);
        assert_eq!(out, [VenueRequest::Cancel(OrderId(1)), VenueRequest::Cancel(OrderId(2))]);
        venue.hand_over(&mut out);
        assert_eq!((out.len(), venue.poll()), (2, None));
        let bytes = postcard::to_stdvec(&venue).unwrap();
        assert_eq!(postcard::from_bytes::<AccountVenue>(&bytes).unwrap(), venue);
    }
}
