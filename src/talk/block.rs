//! A block of messages: a head by which a question can pass it by, and the messages, packed.
//!
//! Of a message the number follows from its place, and of its stamp only what has gone by since the one before it is
//! written; all else is there to the last bit.

use crate::domain::message::PackedMessage;
use crate::domain::{Message, MessageId, Stamp, TopicKind};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};

/// Messages of a block: enough to be packed well, few enough for one to be unpacked in a millisecond.
pub const BLOCK_MESSAGES: u64 = 1024;
/// Longest head of a block: the speakers of a hundred thousand agents.
const HEAD_BYTES_MAX: usize = 1 << 16;
/// Most bytes of a block, packed or not: a hundred times what the longest messages that are known come to.
const BODY_BYTES_MAX: usize = 64 << 20;
/// Length and checksum of the head.
const FIXED: usize = 8;

/// What is in a block, without unpacking it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockHead {
    /// Number of its first message.
    pub first: u64,
    /// How many follow it, itself included.
    pub count: u64,
    /// When the first was said.
    pub from: Stamp,
    /// When the last was said.
    pub to: Stamp,
    /// A bit for each kind that is in it, by its number.
    pub kinds: u32,
    /// A bit for each speaker that is in it, by [`Speaker::index`](crate::domain::Speaker::index).
    pub speakers: Vec<u8>,
    /// Messages of it that others swayed.
    pub swayed: u64,
    /// Bytes of the messages before they were packed.
    raw: u32,
    /// Bytes of them packed, and their checksum.
    packed: u32,
    crc: u32,
}

/// How hard it is tried to make a block short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// As short as is worth it: it stays.
    Short,
    /// As it is: it is written anew before long.
    Quick,
}

impl Packing {
    fn level(self) -> Compression {
        match self {
            // More costs twice the time for 4 % of the bytes.
            Packing::Short => Compression::new(3),
            Packing::Quick => Compression::none(),
        }
    }
}

/// What stands at a place in a log.
pub(super) enum Found {
    /// A block; behind its head so many bytes follow.
    Head(BlockHead, usize),
    /// A write that was cut short, or is going on.
    Torn,
    /// What was never written.
    Bad(&'static str),
}

impl BlockHead {
    /// Number of the message after its last.
    pub fn end(&self) -> u64 {
        self.first + self.count
    }

    /// Bytes behind its head.
    pub fn body(&self) -> usize {
        self.packed as usize
    }

    /// Whether somebody with this number speaks in it.
    pub fn has_speaker(&self, index: usize) -> bool {
        self.speakers.get(index / 8).is_some_and(|byte| byte & (1 << (index % 8)) != 0)
    }

    fn note(&mut self, message: &Message) {
        self.kinds |= 1 << TopicKind::of(&message.body) as u32;
        let index = message.from.index();
        if self.speakers.len() <= index / 8 {
            self.speakers.resize(index / 8 + 1, 0);
        }
        self.speakers[index / 8] |= 1 << (index % 8);
        self.swayed += u64::from(!message.swayed.is_empty());
    }
}

/// Number of the message with which the block begins that this one is in.
pub(super) fn start_of(id: u64) -> u64 {
    (id - 1) / BLOCK_MESSAGES * BLOCK_MESSAGES + 1
}

/// The messages before they are packed; where they are cut off, so are these bytes.
pub(super) fn raw(messages: &[Message]) -> Result<Vec<u8>, postcard::Error> {
    let (mut out, mut before) = (Vec::with_capacity(160 * messages.len()), Stamp(0));
    for m in messages {
        out = postcard::to_extend(&m.packed(before), out)?;
        before = m.at;
    }
    Ok(out)
}

/// A block of messages that follow one another, as it lies in a log; `raw` is what [`raw()`] made of them.
pub(super) fn encode(messages: &[Message], raw: &[u8], how: Packing) -> Result<Vec<u8>, String> {
    let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return Ok(Vec::new()) };
    let mut packer = DeflateEncoder::new(Vec::with_capacity(raw.len() / 2), how.level());
    let packed = packer.write_all(raw).and_then(|()| packer.finish()).map_err(|e| e.to_string())?;
    if raw.len() > BODY_BYTES_MAX || packed.len() > BODY_BYTES_MAX {
        return Err(format!("{} bytes of messages are more than a block takes", raw.len()));
    }
    let mut head = BlockHead {
        first: first.id.0,
        count: messages.len() as u64,
        from: first.at,
        to: last.at,
        raw: raw.len() as u32,
        packed: packed.len() as u32,
        crc: crc32c::crc32c(&packed),
        ..BlockHead::default()
    };
    messages.iter().for_each(|m| head.note(m));
    let text = postcard::to_stdvec(&head).map_err(|e| e.to_string())?;
    let length = (text.len() as u32).to_le_bytes();
    let crc = crc32c::crc32c_append(crc32c::crc32c(&length), &text);
    Ok([&length[..], &crc.to_le_bytes(), &text, &packed].concat())
}

/// Looks at what stands here, with so many bytes to the end of the log; reads no further than the head.
pub(super) fn look(mut from: impl Read, left: u64) -> std::io::Result<Found> {
    let mut fixed = [0; FIXED];
    if left < FIXED as u64 {
        return Ok(Found::Torn);
    }
    from.read_exact(&mut fixed)?;
    let number = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    let length = number(0) as usize;
    if length == 0 || length > HEAD_BYTES_MAX {
        return Ok(Found::Bad("there is no block"));
    }
    if left < (FIXED + length) as u64 {
        return Ok(Found::Torn);
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text)?;
    if number(4) != crc32c::crc32c_append(crc32c::crc32c(&fixed[..4]), &text) {
        return Ok(Found::Bad("the checksum of the head of a block does not fit"));
    }
    let Ok(head) = postcard::from_bytes::<BlockHead>(&text) else {
        return Ok(Found::Bad("the head of a block has a layout that is not known here"));
    };
    if head.raw as usize > BODY_BYTES_MAX || head.packed as usize > BODY_BYTES_MAX || head.count == 0 {
        return Ok(Found::Bad("the head of a block says what cannot be"));
    }
    let whole = left >= (FIXED + length + head.body()) as u64;
    Ok(if whole { Found::Head(head, FIXED + length) } else { Found::Torn })
}

/// The bytes of its messages, unpacked and checked.
pub(super) fn unpack(head: &BlockHead, packed: &[u8]) -> Result<Vec<u8>, &'static str> {
    if crc32c::crc32c(packed) != head.crc {
        return Err("the checksum of a block does not fit");
    }
    let mut raw = Vec::with_capacity(head.raw as usize);
    let most = u64::from(head.raw) + 1;
    match DeflateDecoder::new(packed).take(most).read_to_end(&mut raw) {
        Ok(n) if n == head.raw as usize => Ok(raw),
        _ => Err("a block cannot be unpacked"),
    }
}

/// The messages of a block, one by one.
pub(super) fn messages(head: &BlockHead, raw: &[u8]) -> Result<Vec<Message>, &'static str> {
    let (mut rest, mut at) = (raw, Stamp(0));
    let mut all = Vec::with_capacity(head.count.min(BLOCK_MESSAGES) as usize);
    for id in head.first..head.end() {
        let why = "a message has a layout that is not known here";
        let (packed, left) = postcard::take_from_bytes::<PackedMessage>(rest).map_err(|_| why)?;
        let message = packed.unpack(MessageId(id), at);
        at = message.at;
        all.push(message);
        rest = left;
    }
    if rest.is_empty() { Ok(all) } else { Err("a block is longer than its messages") }
}

/// The messages of a block that stands alone; none of one that was cut short.
pub(super) fn all(bytes: &[u8]) -> Result<Vec<Message>, &'static str> {
    let length = bytes.len() as u64;
    match look(bytes, length).map_err(|_| "it cannot be read")? {
        Found::Head(head, size) => {
            let raw = unpack(&head, &bytes[size..size + head.body()])?;
            messages(&head, &raw)
        }
        Found::Torn => Ok(Vec::new()),
        Found::Bad(why) => Err(why),
    }
}
