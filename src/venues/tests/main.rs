//! The tests of the venues' room, as one program.

mod books;
mod recordings;
