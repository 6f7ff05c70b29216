//! What those who serve say to each other, made wrong on the way: negative controls of services.

use crate::agents::Population;
use crate::domain::{CarryQuote, MessageKind, Span, Stamp};
use crate::engine::Utterance;
use std::collections::VecDeque;

/// How messages between those who serve are made wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corruption {
    /// Said half a year ago.
    Shifted,
    /// Said of another asset.
    Permuted,
    /// The other way round.
    Inverted,
    /// Always rich, whatever was paid.
    Rich,
    /// Three days late, which should cost little.
    Late,
    /// Makers hear of a random side of each order.
    Side,
}

impl Corruption {
    /// Every way in which it can be wrong.
    pub const ALL: [Corruption; 6] = [
        Corruption::Shifted,
        Corruption::Permuted,
        Corruption::Inverted,
        Corruption::Rich,
        Corruption::Late,
        Corruption::Side,
    ];

    /// As reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Corruption::Shifted => "carry-shifted",
            Corruption::Permuted => "carry-permuted",
            Corruption::Inverted => "carry-inverted",
            Corruption::Rich => "carry-always-rich",
            Corruption::Late => "carry-3d-late",
            Corruption::Side => "maker-random-side",
        }
    }

    /// In a line.
    pub fn what(self) -> &'static str {
        match self {
            Corruption::Shifted => "hive+services hearing what carry agents said half a year before",
            Corruption::Permuted => "the same hearing them of another asset",
            Corruption::Inverted => "the same hearing the opposite",
            Corruption::Rich => "the same told that carry always pays",
            Corruption::Late => "the same hearing them three days late: no control, a stress",
            Corruption::Side => "hive+services whose makers hear of a random side of each order",
        }
    }

    fn delay(self) -> Span {
        match self {
            Corruption::Shifted => Span(182 * Span::DAY.0),
            Corruption::Late => Span(3 * Span::DAY.0),
            _ => Span(0),
        }
    }
}

/// What carry agents say, made wrong on the way.
pub struct QuoteRewrite {
    wrong: Corruption,
    /// Voice of the first structure.
    first: usize,
    /// By structure: what it said and when, oldest first.
    late: Vec<VecDeque<(Stamp, CarryQuote)>>,
    /// By structure: of which it is heard.
    other: Vec<usize>,
}

impl QuoteRewrite {
    /// For a cast.
    pub fn new(wrong: Corruption, cast: &Population) -> Self {
        let n = cast.structures.len();
        let mut other: Vec<usize> = (0..n).collect();
        // The next asset of the same agent, round.
        for (i, s) in cast.structures.iter().enumerate() {
            let own: Vec<usize> = (0..n).filter(|j| cast.structures[*j].agent == s.agent).collect();
            let at = own.iter().position(|j| *j == i).unwrap_or(0);
            other[i] = own[(at + own.len() / 2) % own.len()];
        }
        QuoteRewrite { wrong, first: cast.slots.len(), late: vec![VecDeque::new(); n], other }
    }

    /// What is heard in place of what was said at `at`.
    pub fn heard(&mut self, at: Stamp, said: &[Utterance]) -> Vec<Utterance> {
        said.iter().filter_map(|spoken| self.word(at, spoken)).collect()
    }

    /// One word; none where nothing that old was said.
    fn word(&mut self, at: Stamp, spoken: &Utterance) -> Option<Utterance> {
        let MessageKind::Carry(quote) = spoken.body else { return Some(spoken.clone()) };
        let structure = spoken.voice - self.first;
        let (structure, quote) = match self.wrong {
            Corruption::Inverted => (structure, CarryQuote { value: -quote.value, ..quote }),
            Corruption::Rich => (structure, CarryQuote { value: 0.05, ..quote }),
            Corruption::Side => (structure, quote),
            Corruption::Permuted => (self.other[structure], quote),
            Corruption::Shifted | Corruption::Late => {
                let (delay, queue) = (self.wrong.delay().0, &mut self.late[structure]);
                queue.push_back((at, quote));
                let is_old = |said: &(Stamp, CarryQuote)| at.since(said.0).0 >= delay;
                while queue.get(1).is_some_and(is_old) {
                    queue.pop_front();
                }
                (structure, queue.front().copied().filter(is_old)?.1)
            }
        };
        Some(Utterance { voice: self.first + structure, body: MessageKind::Carry(quote) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Receipt, Service};

    /// Two carry agents' places, each heard of the other where they are exchanged.
    fn rewrite(wrong: Corruption) -> QuoteRewrite {
        QuoteRewrite { wrong, first: 0, late: vec![VecDeque::new(); 2], other: vec![1, 0] }
    }

    /// What is heard on a day of a quote of this value at place 0.
    fn heard(rewrite: &mut QuoteRewrite, day: i64, value: f64) -> Vec<(usize, f64)> {
        let body = MessageKind::Carry(CarryQuote { value, days: 14.0, hurdle: 1.0, most: 0.25 });
        let heard = rewrite.heard(Stamp(day * Span::DAY.0), &[Utterance { voice: 0, body }]);
        let told = |s: &Utterance| match s.body {
            MessageKind::Carry(q) => (s.voice, q.value),
            _ => panic!("no quote"),
        };
        heard.iter().map(told).collect()
    }

    #[test]
    fn what_is_said_is_turned_round_made_rich_or_given_to_another_asset() {
        assert_eq!(heard(&mut rewrite(Corruption::Inverted), 0, 0.004), [(0, -0.004)]);
        assert_eq!(heard(&mut rewrite(Corruption::Rich), 0, -0.004), [(0, 0.05)]);
        assert_eq!(heard(&mut rewrite(Corruption::Permuted), 0, 0.004), [(1, 0.004)]);
        assert_eq!(heard(&mut rewrite(Corruption::Side), 0, 0.004), [(0, 0.004)], "that is the makers' lot");
    }

    #[test]
    fn what_is_late_is_the_newest_that_is_three_days_old() {
        let mut late = rewrite(Corruption::Late);
        for day in 0..3 {
            assert_eq!(heard(&mut late, day, day as f64), [], "nothing is that old on day {day}");
        }
        for day in 3..9 {
            assert_eq!(heard(&mut late, day, day as f64), [(0, (day - 3) as f64)]);
        }
        assert_eq!(heard(&mut late, 30, 30.0), [(0, 8.0)], "after silence the last of before");
    }

    #[test]
    fn what_is_shifted_is_half_a_year_old() {
        let mut shifted = rewrite(Corruption::Shifted);
        assert_eq!(heard(&mut shifted, 0, 1.0), []);
        assert_eq!(heard(&mut shifted, 181, 2.0), []);
        assert_eq!(heard(&mut shifted, 182, 3.0), [(0, 1.0)]);
        assert_eq!(heard(&mut shifted, 364, 4.0), [(0, 3.0)]);
    }

    #[test]
    fn other_words_pass_as_they_are() {
        let body = MessageKind::Receipt(Receipt { service: Service::Carry, saved: 3.0, notional: 9.0 });
        for wrong in Corruption::ALL {
            let said = Utterance { voice: 1, body: body.clone() };
            let heard = rewrite(wrong).heard(Stamp(0), std::slice::from_ref(&said));
            assert_eq!(heard, [said], "{wrong:?} changed or lost it");
        }
    }

    #[test]
    fn names_and_lines_tell_them_apart() {
        let mut names: Vec<&str> = Corruption::ALL.iter().flat_map(|w| [w.name(), w.what()]).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 2 * Corruption::ALL.len());
    }
}
