//! What an agent holds by its own words: a listener's record of a position, kept from messages alone.
//!
//! ```text
//! opens, increases     q += (after − before) / price
//! decreases            q ×= after / before
//! closes               q = 0
//! worth now            p(t) = q · close(t)
//! ```
//!
//! `before` and `after` are signed fractions of the speaker's own capital, `price` is the price in the
//! message, so q is in base units per unit of that capital and p is a signed fraction of it again.
//!
//! Agents hold quantities: who is long ten coins is long ten coins tomorrow, whatever they are worth
//! then. A listener that kept the *fraction* as it was said would sell a part of every winner and buy a
//! part of every loser back at each bar, and pay for it. Nothing here reads the speaker's book: what is
//! not said is not known, so wrong messages give wrong positions (the lab's controls rest on that).

use serde::{Deserialize, Serialize};

/// What is remembered of an announced position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holds {
    /// A number of base units, worth more as the price rises.
    #[default]
    Quantity,
    /// The notional as it was said, whatever the price does since: the swarm before it held quantities.
    Notional,
}

impl Holds {
    /// The words of the file, in the order of the variants.
    pub const WORDS: &'static [&'static str] = &["quantity", "notional"];

    /// The name that `agents.toml` has for it.
    pub fn word(self) -> &'static str {
        match self {
            Holds::Quantity => "quantity",
            Holds::Notional => "notional",
        }
    }

    /// Finds by word.
    pub fn parse(word: &str) -> Option<Self> {
        [Holds::Quantity, Holds::Notional].into_iter().find(|h| h.word() == word)
    }
}

/// A position as it was announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Announced {
    /// As last said: a signed fraction of the speaker's capital, at the prices of its messages.
    pub fraction: f64,
    /// Signed base units per unit of the speaker's capital.
    pub quantity: f64,
}

impl Announced {
    /// The speaker now holds `after`, a signed fraction of its capital, and acted at `price`. Words without
    /// a usable price leave the quantity of what only shrank right, and say nothing about what grew.
    pub fn say(&mut self, after: f64, price: f64) {
        let before = self.fraction;
        self.fraction = after;
        let coins = |value: f64| if price.is_finite() && price > 0.0 { value / price } else { 0.0 };
        self.quantity = if after == 0.0 {
            0.0
        } else if before * after <= 0.0 {
            coins(after)
        } else if libm::fabs(after) <= libm::fabs(before) {
            self.quantity * (after / before)
        } else {
            self.quantity + coins(after - before)
        };
    }

    /// Its worth at this price, a signed fraction of the speaker's capital.
    pub fn at(&self, close: f64, holds: Holds) -> f64 {
        match holds {
            // What is flat is flat also where there is no price yet.
            Holds::Quantity if self.quantity == 0.0 => 0.0,
            Holds::Quantity => self.quantity * close,
            Holds::Notional => self.fraction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_follows_the_price_and_a_notional_does_not() {
        let mut a = Announced::default();
        a.say(0.5, 100.0);
        assert_eq!(a.at(100.0, Holds::Quantity), 0.5);
        assert_eq!(a.at(150.0, Holds::Quantity), 0.75);
        assert_eq!(a.at(150.0, Holds::Notional), 0.5);
        // Half as much again at 150: (0.75 − 0.5)/150 more coins.
        a.say(0.75, 150.0);
        assert!((a.quantity - (0.005 + 0.25 / 150.0)).abs() < 1e-15);
        // A third off takes a third of the coins, whatever they cost.
        let before = a.quantity;
        a.say(0.5, 80.0);
        assert!((a.quantity - before * 2.0 / 3.0).abs() < 1e-15);
        a.say(0.0, 90.0);
        assert_eq!(a, Announced::default());
    }

    #[test]
    fn a_turn_round_is_a_new_position_and_a_word_without_a_price_buys_nothing() {
        let mut a = Announced::default();
        a.say(0.4, 10.0);
        a.say(-0.2, 20.0);
        assert_eq!(a.quantity, -0.01);
        for price in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut b = Announced::default();
            b.say(1.0, price);
            assert_eq!(b.quantity, 0.0);
        }
        assert_eq!(Announced::default().at(f64::NAN, Holds::Quantity), 0.0);
    }
}
