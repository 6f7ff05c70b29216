//! Liquidity of packages: what a life asks a pool for goes to the gate and from there to the chain, and what became of it is
//! booked.
//!
//! The books hold the base that is in a pool; the quote that is in it stays the agent's money. So the price moves base through the
//! books as it does through the pool, trade by trade, and what both are worth together is what the liquidity is.
//!
//! # Invariants
//!
//! 1. The gate is asked for all that liquidity is worth, in base: that is what it is once the price has fallen out of its range.
//! 2. Base in a pool is its package's, and nothing of it is sold but by taking liquidity out ([`Package::pooled`]).
//! 3. What swaps paid is booked when it is told, at every barrier and whenever liquidity changes, and gas with the change.

use super::context::{Exposed, StepContext};
use super::life::Real;
use super::package_orders::whole_lots;
use super::packages::PackageHold;
use crate::agents::structures::StructureContext;
use crate::agents::structures::in_legs::TRIES;
use crate::agents::structures::legs::LegFill;
use crate::agents::structures::ranges::LiquidityChange;
use crate::domain::{Decimal, Fill, InstrumentId, InstrumentKind, MarketEvent, Money, OrderId, Span, money};
use crate::engine::Outputs;
use crate::engine::packages::Package;
use crate::execution::PaperVenue;
use crate::execution::paper::{PoolNews, PoolReport};
use crate::execution::venue::PlacedLiquidity;
use crate::ledger::LedgerError;
use crate::ledger::exact::product;
use crate::market::DetailLevel;
use crate::market::quotes::PoolState;
use crate::treasury::package_limits::PackageRefusal;
use crate::treasury::{ApprovedOrder, Exposure, ProposedOrder};

impl Real {
    /// Brings what is asked of pools to what a package's life wants; why what was to be put in does not leave.
    pub(super) fn send_liquidity(
        &mut self,
        cx: &StepContext<'_>,
        (i, hold): (usize, PackageHold),
        seen: &StructureContext<'_>,
        exposed: &mut Option<Exposed>,
    ) -> Result<(), PackageRefusal> {
        self.take_off_liquidity(i, |_| false);
        let waits = |a: &LiquidityChange| a.number.is_none() && a.tries < TRIES;
        for place in 0..self.execution.packages.all[i].life.legs.ranges.asked.len() {
            let ask = self.execution.packages.all[i].life.legs.ranges.asked[place];
            if !waits(&ask) {
                continue;
            }
            if ask.change > 0.0 {
                if hold != PackageHold::Free {
                    return Err(PackageRefusal::Leg);
                }
                self.package_risk(cx, i, &[], seen).allowed()?;
            }
            let exposed = exposed.get_or_insert_with(|| self.exposed_now());
            let Some(approved) = self.approve_liquidity(cx, i, &ask, exposed) else {
                // What is to come out is asked for anew at the next look.
                if ask.change > 0.0 {
                    return Err(PackageRefusal::Leg);
                }
                continue;
            };
            let id = approved.id();
            let placed = PlacedLiquidity::of(approved, i as u32, (ask.bounds, ask.change), ask.live);
            let Some(paper) = self.execution.router.venue.paper_mut() else {
                return Err(PackageRefusal::Leg);
            };
            paper.provide(&placed);
            self.execution.sent += 1;
            self.execution.packages.all[i].life.legs.ranges.asked[place].number = Some(id);
        }
        Ok(())
    }

    /// Asks the gate for a change of liquidity; what it lets out counts in what is exposed.
    fn approve_liquidity(
        &mut self,
        cx: &StepContext<'_>,
        i: usize,
        ask: &LiquidityChange,
        exposed: &mut Exposed,
    ) -> Option<ApprovedOrder> {
        let (id, instrument) = (ask.pool, &cx.spec.instruments[ask.pool.index()]);
        let may =
            cx.spec.may_package(id) && instrument.kind == InstrumentKind::Pool && instrument.quote.is_none();
        let listing = cx.market.get(id).filter(|_| may)?;
        let reference = cx.value_of(id).filter(|v| !v.is_zero())?;
        let price = money::to_estimate(reference);
        let ranges = &self.execution.packages.all[i].life.legs.ranges;
        let held = ranges.held.iter().find(|r| r.pool == id);
        let bounds = held.map_or(ask.bounds, |r| r.bounds);
        // All that it is worth, in base; of what is in no less than a lot, which else could not come out.
        let worth = |liquidity: f64| whole_lots(instrument, liquidity * bounds.market_value(price) / price);
        let has = held.map_or(Decimal::ZERO, |r| worth(r.liquidity).unwrap_or(instrument.lot));
        let quantity = if ask.change > 0.0 {
            worth(ask.change)?
        } else {
            let all = held.is_some_and(|r| -ask.change >= r.liquidity);
            let part = worth(-ask.change).unwrap_or(instrument.lot);
            -if all { has } else { part.min(has) }
        };
        let (order, at) = (OrderId(self.execution.next_order), cx.at);
        let proposal =
            ProposedOrder { id: order, instrument: id, quantity, reference, reduce_only: false, at };
        self.execution.next_order += 1;
        let exposure = Exposure {
            equity: self.account.equity,
            position: has,
            open_order: Decimal::ZERO,
            gross: exposed.gross,
            net: exposed.net,
            feed_age: listing.price().map_or(Span(i64::MAX), |p| cx.at.since(p.at)),
            tradable: listing.settled.is_none(),
            bar_volume: f64::INFINITY,
            last_confirmed: reference,
        };
        let mode = self.account.mode();
        let approved = self.execution.gate.approve(&proposal, instrument, &exposure, mode).ok()?;
        if approved.quantity() != quantity {
            return None;
        }
        if quantity.is_sign_positive() {
            let notional = product(quantity, reference).ok()?;
            exposed.gross = exposed.gross.saturating_add(notional);
            exposed.net = exposed.net.saturating_add(notional);
        }
        Some(approved)
    }

    /// Takes back what a package asked of pools and its life wants no more, or that passes.
    pub(super) fn take_off_liquidity(&mut self, i: usize, pass: impl Fn(&LiquidityChange) -> bool) {
        let Some(package) = self.execution.packages.all.get_mut(i) else { return };
        for ask in package.life.legs.ranges.asked.iter_mut().filter(|a| a.number.is_some() && pass(a)) {
            // Its life finds it missed.
            (ask.number, ask.tries) = (None, TRIES);
        }
        let kept: Vec<OrderId> = package.life.legs.ranges.asked.iter().filter_map(|a| a.number).collect();
        if let Some(paper) = self.execution.router.venue.paper_mut() {
            paper.take_back_liquidity(i as u32, &kept);
        }
    }

    /// A state of a pool, before the venue hears it: what lies there earns its fees.
    pub(super) fn earn_liquidity(&mut self, cx: &StepContext<'_>, event: &MarketEvent) {
        let MarketEvent::Pool { instrument, price, liquidity, swapped, gas, .. } = *event else { return };
        let (state, terms) =
            (PoolState { price, liquidity, swapped, gas }, &cx.spec.instruments[instrument.index()].terms);
        for package in &mut self.execution.packages.all {
            package.life.legs.ranges.earn(instrument, &state, terms);
        }
    }

    /// Books what prices and swaps did to liquidity, as of a barrier.
    pub(super) fn reckon_liquidity(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        if let Some(paper) = self.execution.router.venue.paper_mut() {
            paper.reckon_liquidity(cx.at);
        }
        self.hear_pools(cx, out);
    }

    /// Books all that pools have said.
    pub(super) fn hear_pools(&mut self, cx: &StepContext<'_>, out: &mut Outputs) {
        while let Some(report) = self.execution.router.venue.paper_mut().and_then(PaperVenue::pool_report) {
            let booked = self.book_liquidity(cx, &report, out);
            self.account.guard("liquidity", &booked, out);
        }
    }

    fn book_liquidity(
        &mut self,
        cx: &StepContext<'_>,
        report: &PoolReport,
        out: &mut Outputs,
    ) -> Result<(), LedgerError> {
        let (i, pool) = (report.holder as usize, report.pool);
        let Some(agent) = self.execution.packages.all.get(i).map(|p| p.agent) else { return Ok(()) };
        match report.news {
            PoolNews::Moved { trade, earned } => {
                self.book_pooled(cx, i, trade)?;
                // Whoever counts fills has all that was traded.
                out.fills.extend(trade);
                trade.iter().for_each(|t| out.keep(t, agent));
                if !earned.is_zero() {
                    self.account.ledger.fee(agent, -earned)?;
                }
            }
            PoolNews::Changed { order, bounds, change, price, trade, quote, gas } => {
                self.book_pooled(cx, i, trade)?;
                if !gas.is_zero() {
                    self.account.ledger.fee(agent, gas)?;
                    self.account.paid += gas;
                }
                out.fills.extend(trade);
                trade.iter().for_each(|t| out.keep(t, agent));
                let package = &mut self.execution.packages.all[i];
                package.life.legs.ranges.asked.retain(|a| a.number != Some(order));
                if change == 0.0 {
                    return Ok(());
                }
                let earned = package.life.legs.ranges.change(pool, bounds, change, price);
                let (fees, swapped) = (money::to_estimate(gas), trade.as_ref().map_or(0.0, notional));
                package.life.legs.filled(&LegFill {
                    order: None,
                    quantity: 0.0,
                    moved: &[],
                    cash: earned - swapped - quote - fees,
                    fees,
                    traded: libm::fabs(swapped),
                    level: DetailLevel::Quotes,
                });
                package.tidy_legs();
            }
            PoolNews::Ended => self.execution.packages.all[i].end_liquidity(pool),
        }
        Ok(())
    }

    /// Books base that came into a pool or went out of it.
    fn book_pooled(
        &mut self,
        cx: &StepContext<'_>,
        i: usize,
        trade: Option<Fill>,
    ) -> Result<(), LedgerError> {
        let Some(fill) = trade else { return Ok(()) };
        let (agent, pool) = (self.execution.packages.all[i].agent, fill.instrument);
        let report = self.account.trade(pool, fill.mark, &[(agent, fill.quantity)], Some(&fill))?;
        self.account.paid += report.fee + report.slippage;
        if pool.index() >= cx.spec.traded {
            self.account.mark(pool, cx.value_of(pool).unwrap_or(fill.mark));
        }
        let package = &mut self.execution.packages.all[i];
        package.held.add(pool, fill.quantity);
        package.pooled.add(pool, fill.quantity);
        Ok(())
    }

    /// States of a pool at which what was asked of it could not be done.
    pub(super) fn count_pool_tries(&mut self, cx: &StepContext<'_>, pool: InstrumentId) {
        for package in &mut self.execution.packages.all {
            for a in package.life.legs.ranges.asked.iter_mut().filter(|a| a.pool == pool) {
                let has_met = a.number.is_some() && cx.at >= a.live && cx.at > a.decided;
                a.tries = a.tries.saturating_add(u8::from(has_met));
            }
        }
    }
}

/// What a trade comes to in quote currency, signed; an estimate.
fn notional(fill: &Fill) -> f64 {
    money::to_estimate(fill.quantity) * money::to_estimate(fill.price)
}

impl Package {
    /// Quote that it has in pools, beside the base that the books hold.
    pub(super) fn quote_in_pools(&self, cx: &StepContext<'_>) -> Money {
        let price = |pool| cx.market.price(pool).map_or(0.0, |p| p.value);
        let ranges = self.life.legs.ranges.held.iter();
        let quote: f64 = ranges.map(|r| r.liquidity * r.bounds.quote(price(r.pool))).sum();
        money::from_estimate(quote, money::MONEY_SCALE).unwrap_or_default()
    }

    /// The venue has ended what it had in a pool: its base is held as any other, and its quote is money.
    fn end_liquidity(&mut self, pool: InstrumentId) {
        let legs = &mut self.life.legs;
        for r in legs.ranges.held.extract_if(.., |r| r.pool == pool) {
            legs.cash += r.liquidity * r.bounds.quote(r.last) + r.earned;
        }
        legs.ranges.asked.retain(|a| a.pool != pool);
        self.pooled.add(pool, -self.pooled.of(pool));
        self.is_broken = true;
        self.tidy_legs();
    }
}
