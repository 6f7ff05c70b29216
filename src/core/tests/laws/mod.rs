//! The laws of the house, each on a whole hive: the shipped roster on the embedded market. A test
//! carries the number of its law.

mod bids;
mod conditions;
mod delisting;
mod each_reaction;
mod emergence;
mod gate;
mod heard;
mod house;
mod in_legs;
mod limits;
mod liquidity;
mod listener;
mod lives;
mod managed;
mod managers;
mod money;
mod operator;
mod outcomes;
mod outside;
mod packages;
mod price_scale;
mod quoted_venue;
mod reactions;
mod readings;
mod reasons;
mod relations;
mod replay;
mod ruin;
mod services;
mod stale;
mod steps;
mod time;
mod venue;
mod withheld;
