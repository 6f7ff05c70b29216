//! Agents one at a time: what each family does on a series where the right trade is known, what each
//! trait and each preset changes, and who is cast.

mod any_market;
mod any_series;
mod casting;
mod character;
mod families;
mod finer;
mod hedged;
mod stage;
mod structured;
