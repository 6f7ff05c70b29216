//! Frames: a length of four bytes, little-endian, and that many bytes. A frame over the limit is never
//! read, so that a broken peer cannot make this side take memory.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{Read, Write};

/// Largest frame: a view of hundreds of agents is a tenth of it.
pub const FRAME_MAX: usize = 1 << 20;

/// Why a frame did not come or go.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream could not be read or written.
    #[error("the other end went away: {0}")]
    Io(#[from] std::io::Error),
    /// Over the limit.
    #[error("a frame of {0} bytes, where {FRAME_MAX} are allowed")]
    TooLarge(usize),
    /// Not what this version calls a message.
    #[error("a frame that is no message of this version: {0}")]
    Codec(#[from] postcard::Error),
}

/// Writes one frame of bytes.
pub fn write_bytes(to: &mut impl Write, bytes: &[u8]) -> Result<(), FrameError> {
    if bytes.len() > FRAME_MAX {
        return Err(FrameError::TooLarge(bytes.len()));
    }
    // In one piece, so that a frame is one write where it fits.
    let mut frame = Vec::with_capacity(bytes.len() + 4);
    frame.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    frame.extend_from_slice(bytes);
    to.write_all(&frame)?;
    Ok(())
}

/// Reads one frame of bytes.
pub fn read_bytes(from: &mut impl Read) -> Result<Vec<u8>, FrameError> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > FRAME_MAX {
        return Err(FrameError::TooLarge(length));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Writes a message.
pub fn write<T: Serialize>(to: &mut impl Write, message: &T) -> Result<(), FrameError> {
    write_bytes(to, &postcard::to_stdvec(message)?)
}

/// Reads a message; bytes left over are a mistake.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> Result<T, FrameError> {
    let bytes = read_bytes(from)?;
    let (message, rest) = postcard::take_from_bytes(&bytes)?;
    if rest.is_empty() { Ok(message) } else { Err(postcard::Error::DeserializeBadEncoding.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn golden_frame() {
        let mut out = Vec::new();
        write_bytes(&mut out, b"abc").unwrap();
        assert_eq!(out, b"\x03\x00\x00\x00abc");
    }

    #[test]
    fn too_large_is_refused_both_ways_before_memory_is_taken() {
        assert!(matches!(
            write_bytes(&mut Vec::new(), &vec![0; FRAME_MAX + 1]),
            Err(FrameError::TooLarge(_))
        ));
        let claims = u32::MAX.to_le_bytes();
        assert!(matches!(read_bytes(&mut claims.as_slice()), Err(FrameError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn frames_come_back_and_a_cut_one_is_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..300) {
            let mut out = Vec::new();
            write_bytes(&mut out, &bytes).unwrap();
            prop_assert_eq!(read_bytes(&mut out.as_slice()).unwrap(), bytes);
            let cut = cut.min(out.len() - 1);
            prop_assert!(read_bytes(&mut &out[..cut]).is_err());
        }
    }
}
