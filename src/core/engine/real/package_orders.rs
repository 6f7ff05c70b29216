//! Orders of packages: what a life asks for goes to the gate, all of an opening or none of it, and from there to the venue.
//!
//! # Invariants
//!
//! 1. What opens a package, or adds to it, leaves in all its legs or in none. What shrinks it leaves as far as it can.
//! 2. A leg that sells coins which another leg buys waits for them; it is looked at again with every fill.
//! 3. An opening leg that the venue ended is a leg that was missed: the package is closed at its next look.

use super::context::{Exposed, StepContext};
use super::life::Real;
use super::packages::PackageHold;
use crate::agents::structures::StructureContext;
use crate::agents::structures::in_legs::{TRIES, maintenance};
use crate::agents::structures::legs::LegOrder;
use crate::domain::step::{self, Rounding};
use crate::domain::{
    AssetId, Decimal, Instrument, InstrumentId, InstrumentKind, OrderId, OrderKind, Span, TimeInForce, money,
};
use crate::engine::Outputs;
use crate::execution::{PlacedOrder, Tracked};
use crate::fills::rate;
use crate::ledger::exact::product;
use crate::market::DetailLevel;
use crate::treasury::package_limits::{PackageRefusal, PackageRisk};
use crate::treasury::{ApprovedOrder, Exposure, ProposedOrder};
use std::collections::BTreeMap;

/// A leg that the gate has let out, and which of the life's orders it is.
struct ApprovedLeg {
    place: usize,
    order: ApprovedOrder,
    kind: OrderKind,
}

/// Whether an order in something of which so much is held makes it more.
fn grows(held: Decimal, quantity: Decimal) -> bool {
    held.is_zero() || held.is_sign_negative() == quantity.is_sign_negative() || quantity.abs() > held.abs()
}

impl Real {
    /// Brings the venue's orders of a package to what its life wants.
    pub(super) fn send_package(
        &mut self,
        cx: &StepContext<'_>,
        (i, hold): (usize, PackageHold),
        seen: &StructureContext<'_>,
        exposed: &mut Option<Exposed>,
        out: &mut Outputs,
    ) {
        self.take_off(cx, i, out);
        let is_leaving = self.execution.packages.all[i].life.life.open().is_none();
        let legs = &mut self.execution.packages.all[i].life.legs;
        // What was taken off before it left needs nobody's word; and on the way out a refusal is for this time only: what is held
        // is asked for anew at each look.
        let waits = |o: &LegOrder| o.until.is_none() && !(is_leaving && o.tries >= TRIES);
        legs.orders.retain(|o| o.number.is_some() || waits(o));
        if let Err(why) = self.send_liquidity(cx, (i, hold), seen, exposed) {
            return self.refuse_package(i, why);
        }
        let legs = &self.execution.packages.all[i].life.legs;
        let waiting = |o: &LegOrder| o.number.is_none() && o.tries < TRIES;
        let new = (0..legs.orders.len()).filter(|k| waiting(&legs.orders[*k]));
        let (takes, rests): (Vec<usize>, Vec<usize>) = new.partition(|k| legs.orders[*k].limit.is_none());
        if takes.is_empty() && rests.is_empty() {
            return;
        }
        let exposed = exposed.get_or_insert_with(|| self.exposed_now());
        // Behind a resting leg a whole package is opened.
        let leads = self.execution.packages.all[i].life.legs.leading.is_some();
        let opening = takes.iter().chain(rests.iter().filter(|_| leads));
        let opens = !is_leaving && opening.copied().any(|k| self.leg_grows(cx, i, k));
        let approved = if opens {
            match self.approve_opening(cx, (i, &takes), seen, exposed) {
                Ok(approved) => approved,
                Err(why) => return self.refuse_package(i, why),
            }
        } else {
            takes.iter().filter_map(|k| self.approve_leg(cx, (i, *k), exposed)).collect()
        };
        let mut all = approved;
        // Quotes on the side that grows are not risked by who may only shrink.
        let may = |k: &usize| hold == PackageHold::Free || !self.leg_grows(cx, i, *k);
        let rests: Vec<usize> = rests.into_iter().filter(may).collect();
        rests.iter().for_each(|k| all.extend(self.approve_leg(cx, (i, *k), exposed)));
        all.into_iter().for_each(|leg| self.place_leg(cx, i, leg, out));
        // What may not rest now, or not leave on the way out, is asked for anew at the next look.
        let legs = &mut self.execution.packages.all[i].life.legs;
        legs.orders.retain(|o| o.number.is_some() || o.limit.is_none() && !is_leaving);
        self.hear_venue(cx, out);
    }

    /// Something of a package was filled: legs that waited for it leave.
    pub(super) fn send_waiting(&mut self, cx: &StepContext<'_>, i: usize, out: &mut Outputs) {
        let waits =
            |o: &LegOrder| o.number.is_none() && o.limit.is_none() && o.until.is_none() && o.tries < TRIES;
        let orders = &self.execution.packages.all[i].life.legs.orders;
        let places: Vec<usize> = (0..orders.len()).filter(|k| waits(&orders[*k])).collect();
        if places.is_empty() {
            return;
        }
        let mut exposed = self.exposed_now();
        for place in places {
            if let Some(leg) = self.approve_leg(cx, (i, place), &mut exposed) {
                self.place_leg(cx, i, leg, out);
            }
        }
    }

    /// Takes back what the life has taken off.
    fn take_off(&mut self, cx: &StepContext<'_>, i: usize, out: &mut Outputs) {
        let packages = &self.execution.packages;
        let asked = &packages.all[i].life.legs.orders;
        let stands = |order: &OrderId| asked.iter().any(|o| o.number == Some(*order) && o.until.is_none());
        let gone: Vec<OrderId> = packages.orders_of(i).filter(|order| !stands(order)).collect();
        if gone.is_empty() {
            return;
        }
        gone.into_iter().for_each(|order| self.execution.router.cancel(order));
        self.hear_venue(cx, out);
    }

    pub(super) fn exposed_now(&mut self) -> Exposed {
        // What cannot be reckoned is refused by the gate: no exposure is that large.
        let (gross, net) = self.account.exposed().unwrap_or((Decimal::MAX, Decimal::MAX));
        Exposed { gross, net }
    }

    /// Whether an order of a life makes what is held there more.
    fn leg_grows(&self, cx: &StepContext<'_>, i: usize, place: usize) -> bool {
        let package = &self.execution.packages.all[i];
        let Some(leg) = package.life.legs.orders.get(place) else { return false };
        let held = package.held.of(cx.spec.listed.coin(leg.instrument));
        self.asked(cx, i, leg).is_some_and(|quantity| grows(held, quantity))
    }

    /// What a leg asks for, in whole lots; none where that is none.
    fn asked(&self, cx: &StepContext<'_>, i: usize, leg: &LegOrder) -> Option<Decimal> {
        let instrument = &cx.spec.instruments[leg.instrument.index()];
        let held = self.execution.packages.all[i].held.of(cx.spec.listed.coin(leg.instrument));
        let quantity = whole_lots(instrument, leg.quantity)?;
        if self.execution.packages.all[i].life.life.open().is_none() {
            // On the way out nothing is opened, whatever else the estimate of it is: no more goes than there is.
            let shrinks = !held.is_zero() && held.is_sign_negative() != quantity.is_sign_negative();
            let most = if quantity.abs() > held.abs() { -held } else { quantity };
            return Some(most).filter(|_| shrinks).and_then(|q| floor_lots(q, instrument.lot));
        }
        // An estimate of all that is held is all that is held.
        let turns = !held.is_zero() && held.is_sign_negative() != quantity.is_sign_negative();
        if turns && grows(held, quantity) && !grows(held, quantity * ALMOST) {
            return Some(-held);
        }
        let sells = quantity.is_sign_negative() && !instrument.kind.can_short();
        // Coins that were paid with, or paid for by a fee, are no whole lots: no more of them than there are.
        if sells && held.is_sign_positive() && quantity.abs() > held {
            return floor_lots(-held, instrument.lot);
        }
        let paid_with = cx.spec.listed.pays(leg.instrument).filter(|_| quantity.is_sign_positive());
        if let Some(coin) = paid_with {
            // With the fee and a move of the price until it is paid.
            let there =
                money::to_estimate(self.execution.packages.all[i].held.of(coin)) / (1.0 + COINS_SPARED);
            let price = cx.market.price(leg.instrument)?.value;
            let rate = rate(cx.settings.costs.of(instrument), instrument.kind, &instrument.terms, false);
            let lots = libm::floor(there / (price * (1.0 + rate)) / money::to_estimate(instrument.lot));
            let most = step::multiple(lots as i128, instrument.lot)?;
            return Some(quantity.min(most)).filter(|q| *q > Decimal::ZERO);
        }
        Some(quantity)
    }

    /// Whether an order at the venue makes a package more.
    pub(super) fn would_grow(&self, i: usize, order: OrderId) -> bool {
        let Some(order) = self.execution.router.orders.get(order) else { return false };
        grows(self.execution.packages.all[i].held.of(order.instrument), Tracked::open(order))
    }

    /// Whether a leg sells or pays coins that are not there yet.
    fn waits_for_coins(&self, cx: &StepContext<'_>, i: usize, leg: &LegOrder) -> bool {
        let (listed, held) = (&cx.spec.listed, &self.execution.packages.all[i].held);
        let instrument = listed.get(leg.instrument);
        // Fees were paid of them on the way.
        let there = |id: InstrumentId| money::to_estimate(held.of(id)) * (1.0 + COINS_SHORT);
        let sells = leg.quantity < 0.0 && !instrument.kind.can_short();
        if sells && there(listed.coin(leg.instrument)) < -leg.quantity {
            return true;
        }
        let price = cx.market.price(leg.instrument).map_or(f64::NAN, |p| p.value);
        listed
            .pays(leg.instrument)
            .is_some_and(|coin| leg.quantity > 0.0 && there(coin) < leg.quantity * price)
    }

    /// All legs of an opening, or why none.
    fn approve_opening(
        &mut self,
        cx: &StepContext<'_>,
        (i, takes): (usize, &[usize]),
        seen: &StructureContext<'_>,
        exposed: &mut Exposed,
    ) -> Result<Vec<ApprovedLeg>, PackageRefusal> {
        self.package_risk(cx, i, takes, seen).allowed()?;
        let before = *exposed;
        let mut all = Vec::with_capacity(takes.len());
        for &place in takes {
            let leg = self.execution.packages.all[i].life.legs.orders[place];
            if self.waits_for_coins(cx, i, &leg) {
                continue;
            }
            let asked = self.asked(cx, i, &leg);
            let approved = self.approve_leg(cx, (i, place), exposed);
            let Some(approved) = approved else {
                // None of it leaves.
                *exposed = before;
                return Err(PackageRefusal::Leg);
            };
            // Cut to a share of a volume it would be another package.
            if Some(approved.order.quantity()) != asked {
                *exposed = before;
                return Err(PackageRefusal::Leg);
            }
            all.push(approved);
        }
        // Legs that wait for each other will never come; those that wait for one that has left do.
        let package = &self.execution.packages.all[i];
        let legs = &package.life.legs;
        let has_left = legs.orders.iter().any(|o| o.number.is_some());
        let has_begun = !package.held.is_empty() || has_left || legs.leading.is_some();
        if all.is_empty() && !has_begun { Err(PackageRefusal::Leg) } else { Ok(all) }
    }

    /// What a package would be once these orders are filled.
    pub(super) fn package_risk(
        &self,
        cx: &StepContext<'_>,
        i: usize,
        takes: &[usize],
        seen: &StructureContext<'_>,
    ) -> PackageRisk {
        let package = &self.execution.packages.all[i];
        let orders = takes.iter().map(|k| &package.life.legs.orders[*k]);
        let mut after: BTreeMap<InstrumentId, f64> = BTreeMap::new();
        for (id, held) in &package.life.legs.held {
            *after.entry(*id).or_default() += held;
        }
        for o in orders {
            *after.entry(cx.spec.listed.coin(o.instrument)).or_default() += o.quantity;
        }
        // Behind a resting leg it comes to all of its legs, whatever of them is ordered by now.
        let leading = package.life.legs.leading.as_ref();
        let coming = package.targets.iter().filter(|_| leading.is_some());
        coming.for_each(|(id, target)| {
            after.insert(cx.spec.listed.coin(*id), *target);
        });
        let (mut gross, mut needed) = (0.0, 0.0);
        let mut nets: BTreeMap<AssetId, f64> = BTreeMap::new();
        for (&id, &quantity) in &after {
            let instrument = &cx.spec.instruments[id.index()];
            let price = seen.value(id).unwrap_or(f64::NAN);
            gross += libm::fabs(quantity * price);
            if !matches!(instrument.kind, InstrumentKind::Option | InstrumentKind::Move) {
                *nets.entry(instrument.asset).or_default() += quantity * price;
            }
            needed += maintenance(seen, id, quantity, price).unwrap_or(f64::NAN);
        }
        let ranges = &package.life.legs.ranges;
        let put_in = ranges.asked.iter().filter(|a| a.change > 0.0);
        let there = ranges.held.iter().map(|r| (r.pool, r.bounds, r.liquidity));
        for (pool, bounds, liquidity) in there.chain(put_in.clone().map(|a| (a.pool, a.bounds, a.change))) {
            let price = seen.value(pool).unwrap_or(f64::NAN);
            gross += liquidity * bounds.market_value(price);
            // As much as it holds now: what it comes to hold is hedged as it comes.
            *nets.entry(cx.spec.instruments[pool.index()].asset).or_default() +=
                liquidity * bounds.base(price) * price;
        }
        for instrument in &cx.spec.instruments {
            let others = self.account.booked(instrument.id) - package.held.of(instrument.id);
            if !others.is_zero() {
                let (held, mark) = (money::to_estimate(others), self.account.marks[instrument.id.index()]);
                needed +=
                    maintenance(seen, instrument.id, held, money::to_estimate(mark)).unwrap_or(f64::NAN);
            }
        }
        PackageRisk {
            legs: leading.map_or(takes.len(), |l| l.sizes.len()) + put_in.count(),
            capital: package.capital,
            gross,
            net: nets.values().map(|n| libm::fabs(*n)).fold(0.0, f64::max),
            equity: money::to_estimate(self.account.equity),
            maintenance: needed,
        }
    }

    /// Asks the gate for one leg; what it lets out counts in what is exposed.
    fn approve_leg(
        &mut self,
        cx: &StepContext<'_>,
        (i, place): (usize, usize),
        exposed: &mut Exposed,
    ) -> Option<ApprovedLeg> {
        let leg = *self.execution.packages.all[i].life.legs.orders.get(place)?;
        if !cx.spec.may_package(leg.instrument) || self.waits_for_coins(cx, i, &leg) {
            return None;
        }
        let instrument = &cx.spec.instruments[leg.instrument.index()];
        let position = self.execution.packages.all[i].held.of(cx.spec.listed.coin(leg.instrument));
        let quantity = self.asked(cx, i, &leg)?;
        let reference = cx.value_of(leg.instrument).filter(|v| !v.is_zero())?;
        let listing = cx.market.get(leg.instrument)?;
        let proposal = ProposedOrder {
            id: OrderId(self.execution.next_order),
            instrument: leg.instrument,
            quantity,
            reference,
            reduce_only: false,
            at: cx.at,
        };
        self.execution.next_order += 1;
        let is_told_by_bars = listing.level == DetailLevel::Bars && !cx.settings.costs.is_flat();
        let exposure = Exposure {
            equity: self.account.equity,
            position,
            open_order: Decimal::ZERO,
            gross: exposed.gross,
            net: exposed.net,
            feed_age: listing.price().map_or(Span(i64::MAX), |p| cx.at.since(p.at)),
            tradable: listing.settled.is_none(),
            // What is quoted bounds a fill by what it shows.
            bar_volume: if is_told_by_bars { listing.last().volume } else { f64::INFINITY },
            last_confirmed: reference,
        };
        let approved =
            self.execution.gate.approve(&proposal, instrument, &exposure, self.account.mode()).ok()?;
        if grows(position, approved.quantity()) {
            let notional = product(approved.quantity(), reference).ok()?;
            exposed.gross = exposed.gross.saturating_add(notional.abs());
            exposed.net = exposed.net.saturating_add(notional);
        }
        let kind = match leg.limit {
            None => self.immediate(cx, &approved)?,
            Some(limit) => {
                let price = instrument.tick.round_estimate(limit, Rounding::Nearest)?;
                OrderKind::Limit(price, TimeInForce::PostOnly)
            }
        };
        Some(ApprovedLeg { place, order: approved, kind })
    }

    /// An approved leg leaves.
    fn place_leg(&mut self, cx: &StepContext<'_>, i: usize, leg: ApprovedLeg, out: &mut Outputs) {
        let (id, instrument) = (leg.order.id(), leg.order.instrument());
        // Before it leaves: whatever comes of it has to find whose it is.
        self.execution.packages.own(id, i);
        // It matters to what may only shrink a position, which is little of what is sent.
        let is_shared = leg.order.reduce_only() && {
            let own = self.execution.packages.all[i].held.of(cx.spec.listed.coin(instrument));
            self.execution.position(cx.spec, instrument) != own
        };
        let placed =
            PlacedOrder::of(leg.order, leg.kind).met_by(cx.feed_of(instrument)).beside_others(is_shared);
        match self.execution.router.send(placed) {
            Ok(()) => {
                self.execution.sent += 1;
                if let Some(o) = self.execution.packages.all[i].life.legs.orders.get_mut(leg.place) {
                    o.number = Some(id);
                }
            }
            Err(e) => {
                self.execution.packages.forget(id);
                self.account.halt(format!("an order could not be sent: {e}"), out);
            }
        }
    }

    /// None of an opening leaves: the life finds it missed at its next look.
    fn refuse_package(&mut self, i: usize, why: PackageRefusal) {
        let package = &mut self.execution.packages.all[i];
        *package.refused.entry(why).or_default() += 1;
        let legs = &mut package.life.legs;
        legs.orders.iter_mut().filter(|o| o.number.is_none()).for_each(|o| o.tries = TRIES);
        legs.ranges.asked.iter_mut().filter(|a| a.number.is_none()).for_each(|a| a.tries = TRIES);
    }

    /// An order of a package is over, whoever ended it.
    pub(super) fn end_leg(&mut self, i: usize, order: OrderId) {
        let orders = &self.execution.router.orders;
        let is_whole = || orders.get(order).is_some_and(|o| o.quantity == o.filled);
        let package = &mut self.execution.packages.all[i];
        let is_open = package.life.life.open().is_some();
        let asked = &mut package.life.legs.orders;
        let Some(place) = asked.iter().position(|o| o.number == Some(order)) else { return };
        let leg = &mut asked[place];
        if leg.limit.is_some() || leg.until.is_some() || !is_open || is_whole() {
            asked.remove(place);
        } else {
            (leg.number, leg.tries) = (None, TRIES);
        }
    }
}

/// What may be missing of the coins that a leg sells or pays with, as a fraction: fees were paid of them. The leg is smaller by
/// as much.
const COINS_SHORT: f64 = 0.01;
/// What is kept back of the coins that a leg is paid with, since its price may move until it is.
const COINS_SPARED: f64 = 0.001;
/// The least of two amounts that are one but for the digits of a double.
const ALMOST: Decimal = Decimal::from_parts(999_999_999, 0, 0, false, 9);

/// A quantity in whole lots, toward zero; none where that is none.
fn floor_lots(quantity: Decimal, lot: Decimal) -> Option<Decimal> {
    if lot.is_zero() {
        return Some(quantity);
    }
    let lots = quantity.checked_div(lot)?.trunc();
    lots.checked_mul(lot).filter(|q| !q.is_zero())
}

/// An estimated quantity in whole lots, the nearest; none where it is none.
pub(super) fn whole_lots(instrument: &Instrument, quantity: f64) -> Option<Decimal> {
    if instrument.lot.is_zero() {
        return money::from_estimate(quantity, 8).filter(|q| !q.is_zero());
    }
    let lots = libm::rint(quantity / money::to_estimate(instrument.lot));
    if !lots.is_finite() || libm::fabs(lots) > 1e18 {
        return None;
    }
    step::multiple(lots as i128, instrument.lot).filter(|q| !q.is_zero())
}
