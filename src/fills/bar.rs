use super::Costs; use crate::domain::{InstrumentKind, Span};
pub struct Taken { pub quantity: f64, pub price: f64, pub fee: f64, pub mark: f64 }
pub fn take(c: &Costs, _k: InstrumentKind, open: f64, _s: f64, v: f64, q: f64) -> Taken { let q = if v > 0.0 { q } else { 0.0 }; let f = match c { Costs::Flat(x) => *x, Costs::Bars(_) => 0.0 }; Taken { quantity: q, price: open, fee: f * q.abs() * open, mark: open } }
pub fn borrow_cost(_c: &Costs, _k: InstrumentKind, _q: f64, _m: f64, _s: Span) -> f64 { 0.0 }
pub fn funding_cost(_c: &Costs, q: f64, m: f64, r: f64) -> f64 { q*m*r }
