//! The engine: `step(event)` is the only way state changes (law 1). A step is `speak(event)`, then
//! `respond` to what was said. No clock, no IO, no randomness but what events and seeds bring.
//!
//! # Invariants
//!
//! 1. Same settings, seed and events, same bytes: [`Engine::state_hash`] covers every field of the
//!    state, since it is taken of the serialised state and nothing in it can be left out
//!    ([`state`]).
//! 2. A snapshot is the whole state: what is restored goes on as if it had never stopped.
//! 3. Nothing here depends on how fast or how often it is called.
//!
//! # Where to look
//!
//! | file | what it holds |
//! |---|---|
//! | `settings`, `outputs`, `step` | what is set, what a step gives out, [`Engine`] and the step |
//! | [`speak`], [`structures`] | the first half: the market, and what agents say by themselves |
//! | [`respond`] | the second half: what is heard, stances, a day's close, the operator's commands |
//! | [`real`] | the account of the second half: desk, gate, venue and books |
//! | [`services`], [`bids`], [`passive_execution`], `execution_cost`, `order_split` | pieces of it: spot that is carried, who serves, orders that are worked, what they come to, two legs |
//! | [`packages`] | lives in legs that have money, beside the desk |
//! | [`emergence`], `lives` | the gauge beside it, and the pace of the simulated lives |
//! | [`state`], [`readings`] | the engine kept and hashed, and asked |
//! | [`counterfactual`] | a run lived again by companies that do not hear all of what was said |

pub mod bids;
pub mod counterfactual;
pub mod emergence;
mod execution_cost;
mod fine;
mod lives;
mod order_split;
mod outputs;
pub mod packages;
pub mod passive_execution;
pub mod readings;
pub mod real;
pub mod respond;
pub mod services;
mod settings;
pub mod speak;
pub mod state;
mod step;
pub mod structures;

pub use outputs::{AttributedFill, Outputs, Utterance};
pub use settings::{Settings, TradesAt};
pub use step::Engine;
