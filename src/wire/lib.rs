//! The attach protocol: how cockpits and scripts reach a running hive over its unix socket.
//!
//! ```text
//! client                                   server
//!   hello: magic, version, role, since  ──►  peer's uid, version, room for one more
//!                                       ◄──  welcome, or a refusal in words
//!   Call (length, postcard)             ──►  answered one by one, in order
//!                                       ◄──  Say: answers; for watchers the view: a snapshot, then deltas
//! ```
//!
//! - [`socket_path`]: where the socket is, its folder, its lock.
//! - [`hello`]: the frozen greeting. [`frame`]: lengths. [`message`]: what is in them.
//! - [`hub`]: the server. [`client`]: the other end; [`remote`]: what a cockpit sees of it.
//!
//! # Invariants
//!
//! 1. Only a process of the same user is served: folder 0700, socket 0600, and the peer's uid is asked of
//!    the kernel whatever the files allow.
//! 2. Nothing a client does or leaves undone holds up the engine: publishing takes a lock that nobody
//!    holds while writing, and a client that is slow skips deltas and gets a fresh snapshot.
//! 3. Everything is bounded: clients, frames, the queue of commands, seconds of waiting.
//! 4. Read-only is the server's word, not the client's manners.
//! 5. Every call is answered; a command only after the engine has taken it.
//!
//! Plain threads do: at most [`hub::CLIENTS_MAX`] clients with two threads each, blocked in the kernel
//! nearly always. An async runtime would bring no more than its size as long as nothing else needs one.
//!
//! Never: decides what a view shows or what a command does, opens a network port.

// By their names, as every room is called.
use hive_domain as domain;
use hive_view as view;

pub mod client;
pub mod frame;
pub mod hello;
pub mod hub;
pub mod message;
pub mod queue;
pub mod remote;
pub mod socket_path;

pub use client::{Client, ClientError};
pub use hello::ClientRole;
pub use hub::{Hub, PendingRequest, Picture};
pub use message::{Call, ClientQuestion, ServerAnswer, ServerFrame};
pub use remote::RemoteLink;
pub use socket_path::{PlaceError, SocketPath};

/// Version of everything after the hello; raised when any encoded type changes.
pub const VERSION: u16 = 11;
