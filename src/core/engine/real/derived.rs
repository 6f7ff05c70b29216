//! What follows from the state beside it, kept so that it need not be worked out at every quote.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that follows from the state beside it; none until it is asked for, and after what it follows from has changed. It
/// is no part of the state, which would say the same twice: it is written as nothing, read as none and equal to any other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Derived<T>(pub(super) Option<T>);

impl<T> PartialEq for Derived<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Serialize for Derived<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de, T> Deserialize<'de> for Derived<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer).map(|()| Derived(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_derived_is_no_part_of_the_state() {
        let bytes = postcard::to_stdvec(&(1_u8, Derived(Some(5_u8)), 2_u8)).unwrap();
        assert_eq!(bytes, postcard::to_stdvec(&(1_u8, 2_u8)).unwrap());
        let (one, derived, two): (u8, Derived<u8>, u8) = postcard::from_bytes(&bytes).unwrap();
        assert_eq!((one, derived.0, two), (1, None, 2), "it is worked out anew");
    }
}
