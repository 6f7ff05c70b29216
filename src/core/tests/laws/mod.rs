//! The laws of the house, each on a whole hive: the shipped roster on the embedded market. A test
//! carries the number of its law.

mod bids;
mod conditions;
mod delisting;
mod emergence;
mod gate;
mod house;
mod limits;
mod lives;
mod managers;
mod money;
mod operator;
mod outside;
mod readings;
mod reasons;
mod replay;
mod services;
mod steps;
mod structures;
mod time;
mod venue;
