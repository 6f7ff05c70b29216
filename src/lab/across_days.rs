//! A day of an account that hears across assets, told apart: what came of what its voices say, of what was taken off it, and of
//! costs. What is left of the day is of what was held beside the aim: the zone, and the time until an order is filled.
//!
//! # Invariants
//!
//! 1. All are fractions of the equity at the day's start, as the day's return is: with what is left they add up to it.

use crate::domain::Stamp;
use crate::engine::speak::Speak;
use serde::{Deserialize, Serialize};

/// What came of a day, in fractions of the equity at its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AcrossDay {
    /// Of what the voices say, at the size of the account.
    pub said: f64,
    /// Of what was taken off it: −Σ taken · r at the same size.
    pub taken: f64,
    /// Of fees, spread and impact; at most zero.
    pub costs: f64,
    /// 1 − θ, the part of what is heard as common that was taken off: the mean over the day's bars.
    pub share: f64,
}

/// Tells days apart while an account goes on.
pub struct AcrossDays {
    days: Vec<AcrossDay>,
    today: AcrossDay,
    bars: f64,
    day: Option<i64>,
    /// Equity at the day's start and at the last barrier.
    open: f64,
    equity: f64,
    /// Costs so far, in fractions of the equity then.
    paid: f64,
    /// By asset: what the account aims at of what was said and of what was taken off, as fractions of its equity.
    held: Vec<[f64; 2]>,
    share: f64,
}

impl AcrossDays {
    /// Before the first barrier.
    pub fn new(assets: usize, capital: f64) -> Self {
        AcrossDays {
            days: Vec::new(),
            today: AcrossDay::default(),
            bars: 0.0,
            day: None,
            open: capital,
            equity: capital,
            paid: 0.0,
            held: vec![[0.0; 2]; assets],
            share: 0.0,
        }
    }

    /// Which part of what is heard as common is taken off from this barrier on.
    pub fn takes(&mut self, share: f64) {
        self.share = share;
    }

    /// An account was marked at a barrier and has decided on `parts`, by asset what its voices say and what is taken off it,
    /// so many times over. `equity` and what it `paid` so far are as of now.
    pub fn push(
        &mut self,
        (at, speak): (Stamp, &Speak),
        parts: &[[f64; 2]],
        k: f64,
        (equity, paid): (f64, f64),
    ) {
        let day = Stamp(at.0 - 1).day();
        if self.day.is_some_and(|d| d != day) {
            self.close();
        }
        self.day = Some(day);
        let size = if self.open > 0.0 { self.equity / self.open } else { 0.0 };
        for ((held, listing), part) in self.held.iter_mut().zip(speak.market.desk()).zip(parts) {
            let r = if listing.is_fresh(at) { size * listing.change } else { 0.0 };
            self.today.said += held[0] * r;
            self.today.taken -= held[1] * r;
            *held = part.map(|x| k * x);
        }
        self.today.costs -= size * (paid - std::mem::replace(&mut self.paid, paid));
        self.today.share += self.share;
        self.bars += 1.0;
        self.equity = equity;
    }

    fn close(&mut self) {
        let today = std::mem::take(&mut self.today);
        self.days.push(AcrossDay { share: today.share / self.bars, ..today });
        (self.bars, self.open) = (0.0, self.equity);
    }

    /// All days, the last one too.
    pub fn finish(mut self) -> Vec<AcrossDay> {
        if self.day.is_some() {
            self.close();
        }
        self.days
    }
}
