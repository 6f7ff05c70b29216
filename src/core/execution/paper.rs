//! The paper venue: fills at levels B, L1 and L2, with ticks and lots of any size and an own record of positions. It counts base
//! units, so that the size of a contract is nothing to it, and takes its fees in the currency of the price.
//!
//! | level | fed by | an order meets |
//! |---|---|---|
//! | B | [`PaperVenue::on_bar`], [`PaperVenue::on_inside`] | the first bar that opens after its decision (`bars`) |
//! | L1, L2 | [`PaperVenue::on_market`] | the first quote after its latency, and what comes then (`quoted`) |
//!
//! Where an instrument is told by both, an order meets what it was sent for ([`PriceFeed`]).
//!
//! # Invariants (tests carry their names)
//!
//! 1. Σ fills of an order ≤ its quantity; fills are numbered from 1 without a gap; nothing comes after an order's end.
//! 2. An order decided at t fills at the first bar that opens at t or later, or at the first quote at t and its
//!    latency or later. What bar or quote do not give keeps working, but for an immediate order.
//! 3. Any number of orders work in an instrument, met in the order of their ids. At bars those that are post-only are met
//!    by the fast clock and all others by decision bars.
//! 4. At bars a market order's price is rounded to the tick against us and is at least a tick from the open, and a limit that a
//!    bar opens beyond is filled at that open, rounded so too. With [`Costs::Flat`](crate::fills::Costs::Flat) it is the open
//!    itself, to twelve digits.
//! 5. A reduce-only order never turns a position over, and spot is never sold short, whatever happened
//!    between decision and fill.
//! 6. What one order took another does not get: of a bar its volume and impact are shared, of a quote or book a size is
//!    gone until the feed shows another one there, of a pool a swap stays done until its state is told anew.
//! 7. Coins are kept once, whichever market they were bought in, and what is paid in coins is taken of them: no more is
//!    bought than there are coins for.
//! 8. At quotes a taker's price is no better than the best opposite one and no worse than its limit; who rests gets its limit,
//!    once prints have served the queue before it or prices went through it.
//!
//! Cancels and amendments are done at once; what was moved is in its new place after the latency.
//!
//! Never: looks into the books, which would make reconciliation compare a thing with itself.

mod bars;
mod ended;
mod order;
mod pools;
mod quoted;

use super::orders::OPEN_MAX;
use super::venue::{PlacedOrder, PriceFeed, VENUE_ORDERS, Venue, VenueRequest};
use crate::agents::structures::legs::LATENCY;
use crate::domain::venue::RejectReason;
use crate::domain::{Decimal, Fill, InstrumentId, OrderId, OrderKind, Span, Stamp, VenueEvent};
use crate::fills::level::Consumed;
use crate::ledger::exact::QUANTITY_SCALE;
use order::Working;
use pools::PaperPools;
pub use pools::{PoolNews, PoolReport};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What the venue knows of one instrument.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct PaperInstrument {
    /// What works, by id; at most [`OPEN_MAX`].
    orders: Vec<Working>,
    /// What was taken of what is shown.
    consumed: Consumed,
    /// It was a contract, and has been settled.
    has_ended: bool,
}

/// What a trade in an instrument moves, beside money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCoins {
    /// The instrument under which what is bought is kept.
    pub coin: InstrumentId,
    /// The instrument under which that is kept which is paid with; none where it is the account's currency, or where what is
    /// paid is reckoned in it at once.
    pub pays: Option<InstrumentId>,
}

impl KeptCoins {
    /// What an instrument that is paid for in the account's currency moves: itself.
    pub fn own(id: InstrumentId) -> Self {
        KeptCoins { coin: id, pays: None }
    }
}

/// What a trade takes of the coins that it is paid with, fee included, signed; none where that is no decimal.
pub fn paid_in_coins(fill: &Fill) -> Option<Decimal> {
    let paid = fill.quantity.checked_mul(fill.price)?.checked_add(fill.fee)?;
    Some(paid.round_dp(QUANTITY_SCALE))
}

/// The venue inside the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaperVenue {
    desks: Vec<PaperInstrument>,
    /// What is held, by where the venue keeps it: coins once, whichever market they were bought in.
    positions: Vec<Decimal>,
    coins: Vec<KeptCoins>,
    /// Liquidity that is provided.
    pools: PaperPools,
    /// The highest id taken; ids ascend.
    last: Option<OrderId>,
    /// Closings the venue made on its own.
    closings: u64,
    /// Time from a decision to the market, where that is quoted.
    pub latency: Span,
    /// The newest stamp of an order or a quote that it was told.
    now: Stamp,
    /// What it has to say, oldest first; empty between two steps.
    said: VecDeque<VenueEvent>,
}

impl PaperVenue {
    /// Lists instruments 0..`instruments`, nothing held, each paid for in money; orders take the usual [`LATENCY`].
    pub fn new(instruments: usize) -> Self {
        PaperVenue::listing((0..instruments).map(|i| KeptCoins::own(InstrumentId(i as u16))).collect())
    }

    /// Lists instruments that move these coins, nothing held.
    pub fn listing(coins: Vec<KeptCoins>) -> Self {
        PaperVenue {
            desks: vec![PaperInstrument::default(); coins.len()],
            positions: vec![Decimal::ZERO; coins.len()],
            coins,
            pools: PaperPools::default(),
            last: None,
            closings: 0,
            latency: LATENCY,
            now: Stamp::default(),
            said: VecDeque::new(),
        }
    }

    fn desk(&self, instrument: InstrumentId) -> Option<&PaperInstrument> {
        self.desks.get(instrument.index())
    }

    /// The first order that rests in an instrument and is post-only, with its signed quantity still to fill and its limit.
    pub fn resting(&self, instrument: InstrumentId) -> Option<(OrderId, Decimal, Decimal)> {
        let is_worked = |o: &&Working| o.is_post_only() && o.meets != PriceFeed::Quotes;
        let order = self.desk(instrument)?.orders.iter().find(is_worked)?;
        let OrderKind::Limit(limit, _) = order.kind else { return None };
        Some((order.id, order.remaining, limit))
    }

    /// What the venue says is held, signed.
    pub fn position(&self, instrument: InstrumentId) -> Decimal {
        self.positions.get(instrument.index()).copied().unwrap_or_default()
    }

    /// Where what is bought in an instrument is kept.
    fn kept(&self, instrument: InstrumentId) -> Option<KeptCoins> {
        self.coins.get(instrument.index()).copied()
    }

    /// Coins that there are to pay with in an instrument; none where it is paid in money.
    fn purse(&self, kept: KeptCoins) -> Option<Decimal> {
        kept.pays.map(|coin| self.position(coin).max(Decimal::ZERO))
    }

    /// Takes the coins that fills were paid with from what is kept; `said` are the fills since `first`.
    fn pay(&mut self, first: usize, pays: Option<InstrumentId>) {
        let Some(kept) = pays.and_then(|p| self.positions.get_mut(p.index())) else { return };
        for event in self.said.iter().skip(first) {
            if let VenueEvent::Fill(fill) = event {
                *kept -= paid_in_coins(fill).unwrap_or_default();
            }
        }
    }

    /// The first order working in an instrument that is not post-only, with its signed quantity still to fill.
    pub fn working(&self, instrument: InstrumentId) -> Option<(OrderId, Decimal)> {
        let order = self.desk(instrument)?.orders.iter().find(|o| !o.is_post_only())?;
        Some((order.id, order.remaining))
    }

    /// Takes an order.
    fn place(&mut self, order: &PlacedOrder) {
        let (id, at, kind) = (order.id(), order.at(), order.kind());
        let price = if let OrderKind::Limit(price, _) = kind { Some(price) } else { None };
        let why = match self.desks.get_mut(order.instrument().index()) {
            _ if self.last.is_some_and(|last| last >= id) => RejectReason::Duplicate,
            _ if price.is_some_and(|p| p <= Decimal::ZERO) => RejectReason::Price,
            Some(desk) if desk.orders.len() >= OPEN_MAX => RejectReason::Other,
            Some(desk) if !desk.has_ended => {
                self.last = Some(id);
                self.now = self.now.max(at);
                let (live, reduce_only) = (at.after(self.latency), order.reduce_only());
                let new = Working::new(id, kind, order.quantity(), at);
                // Ids ascend, so that the newest is the last by id as well.
                desk.orders.push(Working { reduce_only, live, meets: order.feed(), ..new });
                return self.said.push_back(VenueEvent::Accepted { order: id, at });
            }
            _ => RejectReason::NotListed,
        };
        self.said.push_back(VenueEvent::Rejected { order: id, at, why });
    }

    /// The instrument of an order that still works, and its place there.
    fn find(&mut self, id: OrderId) -> Option<(&mut PaperInstrument, usize)> {
        let place = |d: &PaperInstrument| d.orders.binary_search_by_key(&id, |o| o.id).ok();
        self.desks.iter_mut().find_map(|desk| place(desk).map(|at| (desk, at)))
    }

    fn cancel(&mut self, id: OrderId) {
        let taken = self.find(id).map(|(desk, at)| desk.orders.remove(at));
        self.said.push_back(match taken {
            Some(order) => VenueEvent::Cancelled { order: id, at: order.at },
            None => VenueEvent::CancelRefused { order: id, at: Stamp(0) },
        });
    }

    /// Moves an order to another limit: last in the queue there, and at quotes there after the latency.
    fn amend(&mut self, id: OrderId, limit: Decimal) {
        let live = self.now.after(self.latency);
        let Some((desk, at)) = self.find(id).filter(|_| limit > Decimal::ZERO) else { return };
        let order = &mut desk.orders[at];
        if let OrderKind::Limit(price, _) = &mut order.kind
            && *price != limit
        {
            *price = limit;
            (order.live, order.is_there, order.ahead) = (live.max(order.live), false, None);
        }
    }
}

impl Venue for PaperVenue {
    fn is_prompt(&self) -> bool {
        true
    }

    fn request(&mut self, request: VenueRequest) {
        match request {
            VenueRequest::Place(order) => self.place(&order),
            VenueRequest::Cancel(id) => self.cancel(id),
            VenueRequest::Amend(id, limit) => self.amend(id, limit),
            VenueRequest::Query(order, at) => {
                let works = self.find(order).is_some();
                self.said.push_back(if works {
                    VenueEvent::Accepted { order, at }
                } else {
                    VenueEvent::Cancelled { order, at }
                });
            }
            VenueRequest::Positions(at) => {
                let each = self.positions.iter().enumerate();
                self.said.extend(each.map(|(i, quantity)| VenueEvent::Position {
                    instrument: InstrumentId(i as u16),
                    at,
                    quantity: *quantity,
                }));
            }
        }
    }

    fn poll(&mut self) -> Option<VenueEvent> {
        self.said.pop_front()
    }
}

#[cfg(test)]
#[path = "paper_tests.rs"]
mod tests;
