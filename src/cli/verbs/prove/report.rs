//! What was proven, for reading: both ends, each pair of a speaker and a kind in both orders, and what is zero.

use crate::cli::table::{TextTable, wrap};
use crate::domain::{Decimal, printable};
use crate::runtime::prove::{Certificate, MessageValue, PairValue};
use crate::view::{gain, grouped};

/// Pairs that are listed; of more those that moved most.
const LISTED_MAX: usize = 60;
/// Width of a sentence.
const WIDTH: usize = 100;

fn count(messages: u64) -> String {
    grouped(messages as f64)
}

/// A certificate in words.
pub fn proven(c: &Certificate, currency: &str) -> String {
    let day = |stamp: &str| stamp.get(..10).unwrap_or(stamp).to_owned();
    let mut out = format!(
        "PROVEN {} · to {} · seed {} · {} messages · gains in {currency}\n\n",
        printable(&c.run.feed),
        day(&c.run.to),
        c.run.seed,
        count(c.all.said)
    );
    // Writing to a string cannot fail.
    let _ = ends(c).render(&mut out);
    out.push('\n');
    let _ = pairs(c).render(&mut out);
    out.push('\n');
    let zeros: Vec<&PairValue> = c.values.iter().filter(|v| v.is_zero()).collect();
    let of = |is_heard: bool| {
        let named = zeros.iter().filter(|v| v.is_heard == is_heard);
        named.map(|v| format!("{} {}", v.speaker, v.kind)).collect::<Vec<_>>().join(", ")
    };
    for (what, which) in [
        ("a proven zero, in both orders, to the last digit: ", of(true)),
        ("zero without a run, since nobody here can hear it: ", of(false)),
    ] {
        if !which.is_empty() {
            out.push_str(&wrap("  ", &format!("{what}{which}"), WIDTH));
        }
    }
    out.push_str(&wrap(
        "  ",
        "said without others: what is said only where others are not heard. ears open to silence: what it is worth to leave λ of \
         one's size to others of whom nothing is heard, over deciding by oneself.",
        WIDTH,
    ));
    out.push_str(&wrap(
        "  ",
        "Values are in that order and no causes: each is what the ends of two runs differ by, the second of which does not hear \
         what was taken away before either. Taken away in the reverse order other values come out of the same sum.",
        WIDTH,
    ));
    out
}

fn ends(c: &Certificate) -> TextTable {
    let mut table = TextTable::new(1, &["", "real", "open", "decisions"]);
    let mut row = |what: &str, [real, open]: [Decimal; 2], decisions: &str| {
        table.row([what.to_owned(), gain(real), gain(open), decisions.to_owned()]);
    };
    row("everything is heard", [c.all.real, c.all.open], &c.all.decisions);
    row("nobody listens", [c.none.real, c.none.open], &c.none.decisions);
    row("hearing was worth", c.sums(0), "");
    table
}

fn pairs(c: &Certificate) -> TextTable {
    let header = ["speaker", "kind", "said", "real", "reversed", "open", "reversed"];
    let mut table = TextTable::new(2, &header);
    let mut moved: Vec<&PairValue> = c.values.iter().filter(|v| !v.is_zero()).collect();
    let size = |v: &PairValue| v.real.iter().chain(&v.open).map(Decimal::abs).max().unwrap_or_default();
    let mut sizes: Vec<Decimal> = moved.iter().map(|v| size(v)).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let least = sizes.get(LISTED_MAX - 1).copied().unwrap_or_default();
    let all = moved.len();
    moved.retain(|v| size(v) >= least);
    for v in &moved {
        let [[real, real_back], [open, open_back]] = [v.real, v.open].map(|of| of.map(gain));
        let said = count(v.said);
        table.row([
            printable(&v.speaker).to_string(),
            v.kind.clone(),
            said,
            real,
            real_back,
            open,
            open_back,
        ]);
    }
    if all > moved.len() {
        table.remark(format!("… {} more that moved less, all of them in the certificate", all - moved.len()));
    }
    let mut both = |what: &str, [real, open]: [Decimal; 2]| {
        let (real, open) = (gain(real), gain(open));
        let nothing = String::new;
        table.row([what.to_owned(), nothing(), nothing(), real.clone(), real, open.clone(), open]);
    };
    both("said without others", c.rest);
    both("ears open to silence", c.ears);
    let [forth, back] = [c.sums(0), c.sums(1)];
    let total = c.values.iter().map(|v| v.said).sum::<u64>();
    let cells = [forth[0], back[0], forth[1], back[1]].map(gain);
    let [real, real_back, open, open_back] = cells;
    let said = count(total);
    table.row(["all".to_owned(), String::new(), said, real, real_back, open, open_back]);
    table
}

/// The value of one message, in words.
pub fn message(v: &MessageValue, currency: &str) -> String {
    let asset = if v.asset.is_empty() { String::new() } else { format!(" {}", v.asset) };
    let said = format!("#{} {} {}{asset} {}", v.message, v.at, v.from, v.text);
    let mut out = wrap("", &printable(&said), WIDTH);
    let told = v.told(currency);
    out.push_str(&wrap("  ", &told, WIDTH));
    out.push_str(&wrap(
        "  ",
        "One run with it and one without it, the same in everything else: what came of it, and no cause.",
        WIDTH,
    ));
    out
}
