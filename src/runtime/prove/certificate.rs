//! What was proven, as a file that anybody who has the program and the data makes again byte for byte.
//!
//! ```text
//! { "certificate": { format, build, run, by, all, none, values, rest, ears }, "seal": blake3 of the certificate as it is written }
//! ```
//!
//! # Invariants
//!
//! 1. A byte that is another than it was written is found out before anything is run: by the seal, and since a file that is
//!    read is the one that would be written.
//! 2. The same run and build give the same bytes on every machine; another build is told of, and what it comes to decides.
//! 3. The values add up: `all − none`, in decimals, to the last digit.

use super::error::ProveError;
use super::relive::{LivedEnd, RunToProve};
use super::rows::Speakers;
use crate::domain::{Decimal, Stamp};
use crate::runtime::recover::RunIdentity;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version of what is written.
pub(super) const FORMAT: u32 = 1;
/// Most differences that are told.
const TOLD_MAX: usize = 8;

/// Which program it was proven with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Version of the program.
    pub version: String,
    /// Version of the layout of its state.
    pub layout: u32,
    /// Hash of its file.
    pub program: String,
}

/// Which run was proven: everything that decides in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Name of the hive.
    pub hive: String,
    /// Hash of everything in the configuration that decides.
    pub roster_hash: String,
    /// Seed from which parameters and personalities are drawn.
    pub seed: u64,
    /// Name of the data.
    pub feed: String,
    /// Hash of what the market said.
    pub data_hash: String,
    /// The part of it that is read, the clock, and the instruments.
    pub window: String,
    /// Events of the market until its end.
    pub events: u64,
    /// Commands that were given until then.
    pub commands: u64,
    /// The last stamp.
    pub to: String,
}

/// An end of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndOfRun {
    /// Gain of the account, in its currency.
    pub real: Decimal,
    /// Gain of all open lives.
    pub open: Decimal,
    /// Messages that were said.
    pub said: u64,
    /// Digest of all decisions.
    pub decisions: String,
}

/// What hearing what a speaker says of a kind was worth, in currency: in the order, and in its reverse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairValue {
    /// Who says it: an agent, those of a family, the scouts, a tracker or a manager.
    pub speaker: String,
    /// The kind, as tables call it.
    pub kind: String,
    /// Messages of it in the run as it was.
    pub said: u64,
    /// Whether anybody can hear it; of what nobody can hear it needs no run that it is worth nothing.
    pub is_heard: bool,
    /// To the account.
    pub real: [Decimal; 2],
    /// To all open lives.
    pub open: [Decimal; 2],
}

/// What was proven of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Version of this form.
    pub format: u32,
    /// Which program proved it.
    pub build: Build,
    /// Which run it is of.
    pub run: Given,
    /// Whose words were taken away together.
    pub by: Speakers,
    /// Everything is heard.
    pub all: EndOfRun,
    /// Nothing is, and nobody listens.
    pub none: EndOfRun,
    /// The pairs, in the order in which they were taken away.
    pub values: Vec<PairValue>,
    /// Real and open: words that are said only where others are not heard.
    pub rest: [Decimal; 2],
    /// Real and open: ears that are open though nobody is heard.
    pub ears: [Decimal; 2],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    certificate: Certificate,
    seal: String,
}

impl Given {
    /// Whose run it is.
    pub fn identity(&self) -> RunIdentity {
        let of = self.clone();
        RunIdentity {
            hive: of.hive,
            roster_hash: of.roster_hash,
            seed: of.seed,
            feed: of.feed,
            data_hash: of.data_hash,
            window: of.window,
        }
    }

    pub(super) fn new(run: &RunToProve, ((events, commands), to): ((u64, u64), Option<Stamp>)) -> Self {
        let of = run.identity.clone();
        let to = to.map(|at| at.to_string()).unwrap_or_default();
        Given {
            hive: of.hive,
            roster_hash: of.roster_hash,
            seed: of.seed,
            feed: of.feed,
            data_hash: of.data_hash,
            window: of.window,
            events,
            commands,
            to,
        }
    }
}

impl EndOfRun {
    pub(super) fn of(end: &LivedEnd) -> Self {
        let (real, open) = (end.real.normalize(), end.open.normalize());
        EndOfRun { real, open, said: end.said, decisions: end.decisions.clone() }
    }
}

impl PairValue {
    /// Whether the account and all open lives end with the same money with it and without it, in both orders.
    pub fn is_zero(&self) -> bool {
        self.real.iter().chain(&self.open).all(Decimal::is_zero)
    }
}

impl Certificate {
    /// Σ of the values of the account and of the open lives, in the order (0) or its reverse (1).
    pub fn sums(&self, order: usize) -> [Decimal; 2] {
        let real = self.values.iter().map(|v| v.real[order]).sum::<Decimal>();
        let open = self.values.iter().map(|v| v.open[order]).sum::<Decimal>();
        [real + self.rest[0] + self.ears[0], open + self.rest[1] + self.ears[1]]
    }

    /// Whether both sums are what the two ends differ by.
    pub(super) fn adds_up(&self) -> Result<(), ProveError> {
        let whole = [self.all.real - self.none.real, self.all.open - self.none.open];
        if (0..2).all(|order| self.sums(order) == whole) {
            return Ok(());
        }
        Err(ProveError::Ends("the values do not add up to what both ends differ by".to_owned()))
    }

    /// As it is written.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let seal = blake3::hash(serde_json::to_string(self)?.as_bytes()).to_hex().to_string();
        Ok(serde_json::to_string_pretty(&Sealed { certificate: self.clone(), seal })? + "\n")
    }

    /// Reads what was written; else what is wrong with it.
    pub fn parse(text: &str) -> Result<Certificate, String> {
        let format =
            serde_json::from_str::<Value>(text).ok().and_then(|v| v["certificate"]["format"].as_u64());
        if let Some(other) = format.filter(|f| *f != u64::from(FORMAT)) {
            return Err(format!(
                "its form is version {other}, this program knows {FORMAT}; use the one that wrote it"
            ));
        }
        let Sealed { certificate, seal } =
            serde_json::from_str(text).map_err(|e| format!("it is no certificate of hive prove: {e}"))?;
        let written = certificate.text().map_err(|e| e.to_string())?;
        let place = written.bytes().zip(text.bytes()).position(|(a, b)| a != b);
        if written == text {
            return Ok(certificate);
        }
        let length = written.len().min(text.len());
        let byte = place.unwrap_or(length);
        let is_sealed = written.contains(&seal);
        let what =
            if is_sealed { "it is not as it was written" } else { "its seal does not fit what it says" };
        Err(format!("it was changed after it was made: {what} (first at byte {byte})"))
    }

    /// What another one says otherwise, each with its place; the builds aside.
    pub fn differs(&self, other: &Certificate) -> Vec<String> {
        let of = |c: &Certificate| {
            let build = self.build.clone();
            serde_json::to_value(Certificate { build, ..c.clone() }).unwrap_or_default()
        };
        let mut found = Vec::new();
        differences("", (&of(self), &of(other)), &mut found);
        if found.len() > TOLD_MAX {
            let more = found.len() - TOLD_MAX;
            found.truncate(TOLD_MAX);
            found.push(format!("and {more} more"));
        }
        found
    }
}

fn differences(place: &str, (ours, theirs): (&Value, &Value), found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                differences(&place, (value, b.get(key).unwrap_or(&Value::Null)), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{place}[{i}]"), (a, b), found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            found.push(format!("{place} has {} rows in the certificate, {} now", a.len(), b.len()));
        }
        (a, b) if a != b => found.push(format!("{place} is {a} in the certificate, {b} now")),
        _ => {}
    }
}
