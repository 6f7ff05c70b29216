//! Managers: the only ones that may adjust anything of another, and only knobs of `respond`, within
//! bounds, with trigger and release, once a day, and always as a message (law 3).
//!
//! | manager | knob, bounds | trigger → release |
//! |---|---|---|
//! | LR | risk scale, min … 1: solidarity clip(1 − 0.7·drawdown/(1.5·σ per year), min, 1) | drawdown → recovery |
//! | LR | gross cap × clip(budget/CVaR95, min, 1) | CVaR95 over budget → under 90 % of it |
//! | BM | risk scale, back up to 1, the budget: a share of what solidarity took | drawdown low and growth behind target → drawdown high, or growth reached |
//! | F | width of the band or zone, ×0.5 … ×2: wider while trading costs eat the profit; narrower while they do not and the way to +10 % is longer than asked for; home otherwise | share of gross profit lost to cost |
//! | A | an agent's voice and largest unit ([`quarantine`]) | errors or hand-holding → time, by way of probation |
//! | of a team | what its agents hold, × its size ([`teams`]) | its reading over a bound → under another |
//! | asset | a one-sided agent's exposure limit on an asset, 1 … max ([`netting`]) | others hold the other side → they do not |
//!
//! What is not configured does nothing, and where nobody listens nothing is called. Whom the operator pauses lets go of all its
//! knobs at once and does nothing until it is resumed; whom the operator mutes acts, and nobody's reactions hear of it.

mod knobs;
pub mod netting;
mod office;
pub mod quarantine;
pub mod teams;

pub use knobs::Knobs;
pub use office::{AccountDay, AdjustmentNote, ManagerHand, ManagerState};
