//! The network: how messages are delivered and weighed, what they are worth, and who may adjust whom.
//!
//! [`bus`] numbers and counts, [`consensus`] pools, [`across`] takes off what all assets have in common, [`influence`] remembers whose voice moved whom,
//! [`points`] keep the record, [`goals`] read the four goals off the account,
//! [`emergence`] how much the whole is more than its parts, [`difference`] what each part is to it, [`managers`] turn knobs,
//! [`withheld`] says what a replay does not hear.
//! The hive never moves money.
pub mod across;
pub mod bus;
pub mod consensus;
pub mod curve;
pub mod difference;
pub mod emergence;
pub mod evidence;
pub mod goals;
pub mod heard;
pub mod influence;
pub mod managers;
pub mod points;
pub mod relations;
pub mod settings;
pub mod withheld;
