//! # Hive: the map of the house
//!
//! A swarm of trading agents. Each has its own strategy, character and goal; they tell each other what
//! they do and how it ended, listen, and share one desk that trades on paper with exact books.
//!
//! ## From a bar to a fill
//!
//! A market event enters on the left and never turns round:
//!
//! ```text
//!  runtime ──► market ──► agents ──► bus ──► minds ──► desk ──► gate ──► paper venue ──► ledger
//!  files,      bars,      what each  who     what was  one net  the      the first      books an
//!  embedded    indica-    does when  said    heard,    aim per  last     price after    agent, to
//!  market      tors       deaf       what    weighed   asset    word     the decision   the last digit
//!
//!              └──────── speak ────────┘ └────────────────── respond ─────────────────────────┘
//!                               engine.step(event) = speak, then respond
//! ```
//!
//! [`engine::Engine::step`] is the only way state changes. Its first half, [`engine::speak`], moves the
//! market and the *alone* life of every agent, which hears nothing and is the life that speaks. Its
//! second half, [`engine::respond`], scores what was said, forms the consensus, lets each agent decide
//! what it makes of it (the *open* life), and hands the aims to the desk, whose holdings are told apart
//! again into each agent's *real* share.
//!
//! ## Rooms
//!
//! Imports run only upwards in this table, which `tests/tidy.rs` holds them to. Everything down to
//! [`config`] is pure: no files, threads, clocks or unseeded randomness. Where a folder of `src/` has a `Cargo.toml` the
//! room is a crate, or `src/core/` one of seven rooms, and the compiler holds the wall; this package shows all of them.
//!
//! | room | what lives here | what it never does |
//! |---|---|---|
//! | [`domain`] | plain types and the glossary: stamps, money, instruments, messages, conditions | depend on a room |
//! | [`ledger`] | double-entry books in exact decimals, per agent and for the venue | round silently |
//! | [`market`] | what the world says: recorded bars, the embedded market, indicators; what instruments are worth ([`market::pricing`]) | know agents, open files |
//! | [`fills`] | what trading costs on bars, when it is worth it, and simulated books; one implementation for all three lives | know who trades |
//! | [`agents`] | one agent: family, personality, mind; casting of a roster | place an order |
//! | [`hive`](mod@crate::hive) | the network: bus, consensus, influence, points, goals, managers | move money |
//! | [`treasury`] | points to funds, the desk, the last gate, the drawdown breaker | send anything |
//! | [`execution`] | orders as state machines, the paper venue | approve; do IO |
//! | [`engine`] | speak, respond, snapshot, state hash | know clocks, files, threads |
//! | [`config`] | `agents.toml` to validated types, every mistake at once | put a default for a mistake |
//! | [`journal`] | the truth: an append-only, checksummed, hash-chained log; recovery, export | interpret what it stores |
//! | [`store`] | the newest checkpoint in sled, sealed; rebuildable from the journal | be the only copy of anything |
//! | [`view`] | what is shown, as plain data: the picture of a cockpit, the operator's status, requests | know the engine, a terminal |
//! | [`recorder`] | engine state to that plain data, and to the summary of a run | change anything in the engine |
//! | [`talk`] | every message of a run in full, as a log of packed blocks that only grows; questions to it | change a message, hold up the step |
//! | [`wire`] | the attach protocol on a unix socket: place, greeting, frames, hub, client, a swarm behind it | decide what a view shows, hold up the engine |
//! | [`venues`] | what venues say in public: codecs without IO, books that are rebuilt, sockets that are kept up, REST | know an engine or a run, sign |
//! | [`runtime`] | files in, one loop that steps every run: paced, kept and recovered, served and commanded; and runs lived again, to be looked at or proven | decide |
//! | [`lab`] | the experiment: systems and controls on the same utterances, intervals, report, pictures | differ from live code paths, tune |
//! | [`tui`] | the cockpit: panes, keys, themes, the terminal | know the engine |
//! | [`cli`] | one file a verb | decide anything about trading |
//!
//! ## What survives
//!
//! [`runtime::keep`] writes what cannot be recomputed (what a run was set to, how far it read) and from time
//! to time all of the state to the [`journal`], and a copy of the newest state to the [`store`].
//! [`runtime::recover`] puts a run back: the journal decides, the store is believed where it agrees.
//! Tests of faults carry their numbers, `fault01_` and on.
//!
//! ## Laws
//!
//! Tests carry the numbers (`cargo test -- --list`).
//!
//! 1. **One step.** Same settings, seed and events give the same bytes; randomness is keyed by seed,
//!    agent and stamp ([`domain::random`]); every field is in the state hash ([`engine::state`]).
//!    `law01_`
//! 2. **Three lives.** Alone and open differ only in the ears; with `--deaf` they are equal bit for bit.
//!    `law02_`
//! 3. **Messages never command.** Listeners decide for themselves; only a manager may adjust, within
//!    bounds, and says so ([`hive::managers`]). `law03_`
//! 4. **Nothing is heard before it is said.** What is said while a bar closes is heard at its barrier and
//!    filled at the first price after it; no look-ahead. `law04_`
//! 5. **Every adaptation explains itself**: own intent, factors, the messages that moved it most, the
//!    result ([`agents::mind`]). `law05_`
//! 6. **Decimal for what is owned or owed, f64 for what is estimated** ([`ledger`], [`fills::books`]).
//!    `law06_`
//! 7. **Type as gate.** Only [`treasury::gate`] makes an approved order, and no venue takes another.
//!    `law07_`
//! 8. **Intent before IO.** An order is durable before its bytes leave. The [`journal`] is here, the venues
//!    are not; the paper venue does no IO.
//! 9. **Fail closed.** The first doubt halts: no new risk, and the reason is kept ([`engine::real`]).
//!    `law09_`
//! 10. **Everything is bounded**: every queue, ring and count has a named maximum. `law10_`
//! 11. **The screen never lies.** Comes with the screen; reports already say where a market comes from
//!     and whose money it is.
//! 12. **A condition is a value, not a sentence.** What an agent announces is what it evaluates
//!     ([`domain::condition`]). `law12_`
//!
//! The books have invariants of their own, `money1_` to `money7_`, in [`ledger`] and [`execution`].

// In the order of the house; the blank lines keep the formatter from sorting them.
#[doc(inline)]
pub use hive_domain as domain;

#[doc(inline)]
pub use hive_ledger as ledger;

#[doc(inline)]
pub use hive_market as market;

#[doc(inline)]
pub use hive_core::{agents, config, engine, execution, fills, hive, treasury};

pub mod journal;

pub mod store;

#[doc(inline)]
pub use hive_view as view;

pub mod recorder;

pub mod talk;

#[doc(inline)]
pub use hive_wire as wire;

#[doc(inline)]
pub use hive_venues as venues;

pub mod runtime;

#[doc(inline)]
pub use hive_lab as lab;

#[doc(inline)]
pub use hive_tui as tui;

pub mod cli;
