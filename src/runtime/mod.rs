//! Files in, engine driven.
pub mod drive;
pub mod feeds;
pub mod files;
