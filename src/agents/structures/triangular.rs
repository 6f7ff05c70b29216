//! To be written.

use super::listed::Listed;
use super::{Proposal, Rule, Seen, Values};
use crate::agents::declaration::ParamSpec;
use crate::domain::{AssetId, InstrumentId, MarketEvent, View};
use crate::market::Board;
use serde::{Deserialize, Serialize};

pub(super) const IDEA: &str = "";
pub(super) const NEEDS: &str = "";
pub(super) const PARAMS: &[ParamSpec] = &[];

/// What it remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {}

impl Memory {
    pub(super) fn new(_p: &[f64], _asset: AssetId, _listed: &Listed) -> Result<Self, String> {
        Err("not written yet".to_owned())
    }
}

impl Rule for Memory {
    fn ears(&self) -> Vec<InstrumentId> {
        Vec::new()
    }
    fn hear(&mut self, _listed: &Listed, _board: &Board, _event: &MarketEvent) {}
    fn look(&self, _seen: &Seen<'_>, _values: &mut Values) {}
    fn propose(&self, _seen: &Seen<'_>, _view: &View<'_>, _values: &Values) -> Option<Proposal> {
        None
    }
}
