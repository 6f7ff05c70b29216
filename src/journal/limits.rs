//! How large a journal and its parts may become.

/// Largest payload: a checkpoint of a thousand agents a few times over, and half a segment.
pub const PAYLOAD_BYTES_MAX: usize = 32 << 20;
/// Largest segment; a file of this size is read whole.
pub const SEGMENT_BYTES_MAX: u64 = 64 << 20;
/// Smallest limit of a segment: a file has to be worth its header.
pub const SEGMENT_BYTES_MIN: u64 = 1 << 20;
/// Most segments of a journal: 6.4 TB at full size, far beyond a disk that this runs on.
pub const SEGMENTS_MAX: u32 = 99_999;
/// Frames that wait for a commit at most; the next append commits them.
pub const GROUP_FRAMES_MAX: usize = 4_096;
/// Bytes that wait for a commit at most, beside the largest frame.
pub const GROUP_BYTES_MAX: usize = 8 << 20;
/// Torn ends that are kept beside the segments they were cut off.
pub const CUTS_MAX: u32 = 64;
