//! Each family in an account of its own: what services are held against.

use super::account::ArmAccount;
use super::stream::ArmTrack;

/// The desk's account and the carry's, each about its own business.
pub struct Silos {
    /// The account of all voices, without services.
    pub desk: Box<ArmAccount>,
    /// The account that does nothing but carry.
    pub carry: Box<ArmAccount>,
}

impl Silos {
    /// Both days' returns are on the same capital, so they add.
    pub fn finish(self) -> ArmTrack {
        let (mut all, carry) = (self.desk.finish(), self.carry.finish());
        all.join(&carry);
        all.served = carry.served;
        all
    }
}
