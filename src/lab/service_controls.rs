//! What those who serve say to each other, made wrong on the way: negative controls of services.

use crate::agents::Population;
use crate::domain::{CarryQuote, MessageKind, Span, Stamp};
use crate::engine::speak::StepOutput;
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
    /// All.
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
        QuoteRewrite { wrong, late: vec![VecDeque::new(); n], other }
    }

    /// Rewrites what was said at `at`, in place.
    pub fn words(&mut self, at: Stamp, said: &mut StepOutput) {
        let late = &mut self.late;
        let (wrong, other) = (self.wrong, &self.other);
        said.structured.retain_mut(|spoken| {
            let MessageKind::Carry(quote) = &mut spoken.body else { return true };
            match wrong {
                Corruption::Inverted => quote.value = -quote.value,
                Corruption::Rich => quote.value = 0.05,
                Corruption::Side => {}
                Corruption::Permuted => spoken.structure = other[spoken.structure],
                Corruption::Shifted | Corruption::Late => {
                    let queue = &mut late[spoken.structure];
                    queue.push_back((at, *quote));
                    let due = |q: &VecDeque<(Stamp, CarryQuote)>| {
                        q.get(1).is_some_and(|next| at.since(next.0).0 >= wrong.delay().0)
                    };
                    while due(queue) {
                        queue.pop_front();
                    }
                    match queue.front().filter(|first| at.since(first.0).0 >= wrong.delay().0) {
                        Some((_, old)) => *quote = *old,
                        None => return false,
                    }
                }
            }
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Receipt, Service};
    use crate::engine::structures::StructureWords;

    /// Two carry agents' places, each heard of the other where they are exchanged.
    fn rewrite(wrong: Corruption) -> QuoteRewrite {
        QuoteRewrite { wrong, late: vec![VecDeque::new(); 2], other: vec![1, 0] }
    }

    /// What is heard on a day of a quote of this value at place 0.
    fn heard(rewrite: &mut QuoteRewrite, day: i64, value: f64) -> Vec<(usize, f64)> {
        let body = MessageKind::Carry(CarryQuote { value, days: 14.0 });
        let mut said =
            StepOutput { structured: vec![StructureWords { structure: 0, body }], ..StepOutput::default() };
        rewrite.words(Stamp(day * Span::DAY.0), &mut said);
        let told = |s: &StructureWords| match s.body {
            MessageKind::Carry(q) => (s.structure, q.value),
            _ => panic!("no quote"),
        };
        said.structured.iter().map(told).collect()
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
            let mut said = StepOutput {
                structured: vec![StructureWords { structure: 1, body }],
                ..StepOutput::default()
            };
            rewrite(wrong).words(Stamp(0), &mut said);
            let [one] = said.structured.as_slice() else { panic!("{wrong:?} lost it") };
            assert_eq!((one.structure, one.body), (1, body), "{wrong:?}");
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
