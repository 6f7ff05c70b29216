//! What hearing a message was worth, found out beside a run that goes on: on a thread of its own, from what is kept of it.
//!
//! # Invariants
//!
//! 1. Whoever asks never waits: the answer is what came out, or that it is being lived through.
//! 2. One message at a time is lived without, whoever asks; the run that goes on shares nothing with it.

use super::error::ProveError;
use super::message::one;
use super::relive::{KeptPast, RunToProve};
use crate::domain::MessageId;
use crate::runtime::recover::RunIdentity;
use crate::runtime::replay::Remake;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Default)]
struct ProofState {
    is_living: bool,
    /// What came out last, until somebody has taken it.
    told: Option<(MessageId, Result<String, String>)>,
}

/// Proves single messages of a run that is kept and goes on.
pub struct BackgroundProof {
    dir: PathBuf,
    identity: RunIdentity,
    remake: Arc<Remake>,
    currency: String,
    state: Arc<Mutex<ProofState>>,
}

impl BackgroundProof {
    /// Of the run in a state folder.
    pub fn new(dir: &Path, identity: RunIdentity, remake: Arc<Remake>, currency: &str) -> Self {
        let (dir, currency) = (dir.to_path_buf(), currency.to_owned());
        BackgroundProof { dir, identity, remake, currency, state: Arc::default() }
    }

    /// What hearing a message was worth until now, so many events and commands after the beginning, or why nobody can say; none
    /// while that is found out.
    pub fn find(&self, message: MessageId, now: (u64, u64)) -> Option<Result<String, String>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, told)) = state.told.take_if(|(of, _)| *of == message) {
            return Some(told);
        }
        if !std::mem::replace(&mut state.is_living, true) {
            let (dir, identity, remake) = (self.dir.clone(), self.identity.clone(), Arc::clone(&self.remake));
            let (currency, shared) = (self.currency.clone(), Arc::clone(&self.state));
            std::thread::spawn(move || {
                let value = || -> Result<String, ProveError> {
                    let kept = Some(KeptPast::of_now(&dir, &identity, now)?);
                    Ok(one(&RunToProve { remake, identity, kept }, message.0)?.told(&currency))
                };
                let told = value().map_err(|e| e.to_string());
                let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
                (state.is_living, state.told) = (false, Some((message, told)));
            });
        }
        None
    }
}
