//! What hearing one message was worth.

use super::error::ProveError;
use super::relive::{RunToProve, Stretch};
use crate::domain::{Decimal, Message, MessageId, Stamp, TopicKind};
use crate::engine::counterfactual::Counterfactuals;
use crate::hive::withheld::Withheld;
use crate::recorder;
use crate::talk::{BlockHead, FilterBound, NameTable, TalkError, TalkFile, TalkFilter};
use crate::view::gain;
use serde::{Deserialize, Serialize};
use std::cell::Cell;

/// What hearing one message was worth until the end of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageValue {
    /// Number of the message.
    pub message: u64,
    /// When it was said.
    pub at: String,
    /// Who said it.
    pub from: String,
    /// About what; empty for what is of the whole.
    pub asset: String,
    /// Its kind, as tables call it.
    pub kind: String,
    /// What it says, in words.
    pub text: String,
    /// Until when both runs were lived.
    pub to: String,
    /// Gain of the account with it less that without it, in its currency.
    pub real: String,
    /// The same of all open lives.
    pub open: String,
    /// Digests of all decisions, with it and without it.
    pub decisions: [String; 2],
}

impl MessageValue {
    /// What it was worth, in words.
    pub fn told(&self, currency: &str) -> String {
        let amount = |text: &str| text.parse::<Decimal>().unwrap_or_default();
        let (real, open, to) = (amount(&self.real), amount(&self.open), &self.to);
        let is_same = self.decisions[0] == self.decisions[1];
        let worth = match () {
            () if !real.is_zero() || !open.is_zero() => {
                format!(
                    "{} {currency} to the account and {} to all open lives by {to}",
                    gain(real),
                    gain(open)
                )
            }
            () if is_same => format!("nothing, a proven zero: without it the same is decided until {to}"),
            () => format!(
                "nothing, a proven zero: without it other things are decided, for the same money at {to}"
            ),
        };
        format!("hearing #{} was worth {worth}", self.message)
    }
}

/// Lives through a run from the newest checkpoint before a message, with it and without it.
pub fn one(run: &RunToProve, number: u64) -> Result<MessageValue, ProveError> {
    let id = MessageId(number);
    let pages = match (&run.kept, said_at(run, number)) {
        (Some(kept), Some(at)) => Some(kept.before(at)?),
        _ => None,
    };
    let names = NameTable::of(&(run.remake)().map_err(ProveError::Read)?.0);
    let mut found: Option<Message> = None;
    let watch = |lives: &Counterfactuals| {
        if found.is_none() {
            found = lives.messages(0).iter().find(|m| m.id == id).cloned();
        }
    };
    let withheld = vec![Withheld::default(), Withheld::message(id)];
    let lived = run.relive(Stretch { withheld, pages }, run.remake.as_ref(), watch)?;
    let [with, without] = &lived.ends[..] else {
        return Err(ProveError::Ends("a life is missing".to_owned()));
    };
    let to = lived.to.map(|at| at.to_string()).unwrap_or_default();
    let Some(message) = found else {
        return Err(ProveError::NoMessage { number, said: with.said, until: to });
    };
    let asset = message.asset.and_then(|a| recorder::TalkNames::asset_called(&names, a));
    let worth = |with: Decimal, without: Decimal| (with - without).normalize().to_string();
    Ok(MessageValue {
        message: number,
        at: message.at.to_string(),
        from: recorder::speaker(&names, message.from),
        asset: asset.unwrap_or_default().to_owned(),
        kind: TopicKind::of(&message.body).text().to_owned(),
        text: recorder::line(&names, &message),
        to,
        real: worth(with.real, without.real),
        open: worth(with.open, without.open),
        decisions: [with.decisions.clone(), without.decisions.clone()],
    })
}

/// When a message was said at the earliest, by the talk that is kept with the run; none where that knows nothing of it. Then
/// all of the run is lived through.
fn said_at(run: &RunToProve, number: u64) -> Option<Stamp> {
    let mut file = TalkFile::open(&run.kept.as_ref()?.dir).ok()?;
    let bound = Some(FilterBound::Number(number));
    let filter = TalkFilter { from: bound, to: bound, ..TalkFilter::default() };
    let (mut at, newest) = (None, Cell::new((0, Stamp(i64::MIN))));
    let each = |m: &Message| -> Result<(), TalkError> {
        newest.set(newest.get().max((m.id.0, m.at)));
        if filter.fits(m) {
            at = Some(m.at);
        }
        Ok(())
    };
    let wants = |head: &BlockHead| {
        newest.set(newest.get().max((head.end() - 1, head.to)));
        filter.wants(head)
    };
    file.read(wants, each).ok()?;
    // What comes after all of it was said no sooner.
    let (last, then) = newest.get();
    at.or((number > last && last > 0).then_some(then))
}
