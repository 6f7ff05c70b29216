//! Engine state → plain data for people and scripts. Knows nothing of terminals, sockets or files.

pub mod operator;
pub mod summary;

pub use summary::Summary;
