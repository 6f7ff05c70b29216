//! The side of a talk log that writes: it packs blocks and puts them where they belong, on a thread of its own.

use super::block::{self, BlockHead, Found, Packing};
use super::error::TalkError;
use super::head::TalkHead;
use crate::domain::Message;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes that wait for room on the disk at most; blocks beyond them are dropped, and that is said.
pub const WAITING_BYTES_MAX: usize = 16 << 20;

/// The file beside a log that has the messages of the block that is not full.
pub fn tail_of(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".tail");
    PathBuf::from(name)
}

/// A block that a run which goes on will say again.
struct KnownBlock {
    head: BlockHead,
    /// Where it begins, and where its messages do.
    at: u64,
    body: u64,
}

impl KnownBlock {
    fn end(&self) -> u64 {
        self.body + self.head.body() as u64
    }
}

/// The file of a log, at the place where the next block comes.
pub(super) struct BlockWriter {
    file: File,
    path: PathBuf,
    /// Where the next block begins.
    at: u64,
    /// What is there of blocks from there on.
    known: VecDeque<KnownBlock>,
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    /// Nothing is to be written, since the room is for what cannot be recomputed.
    held: bool,
    /// First and last message that were dropped.
    dropped: Option<(u64, u64)>,
    /// There was no room, and that was said.
    told: bool,
    pub(super) news: Vec<String>,
}

/// Where a log goes on, and what of it is known already.
pub(super) struct TalkResumption {
    pub writer: BlockWriter,
    /// The messages of the block that is not full, up to the last that was said.
    pub pending: Vec<Message>,
    /// The last message that is there, which a run that was killed may have said behind that.
    pub upto: u64,
}

impl BlockWriter {
    /// Opens or begins a log behind the message `said`.
    pub fn open(path: &Path, head: &TalkHead, said: u64) -> Result<TalkResumption, TalkError> {
        let text = head.encode();
        let (mut file, mut news) = (open(path)?, Vec::new());
        let length = file.metadata().map_err(TalkError::io("looking at", path))?.len();
        let mut begin = vec![0; text.len().min(length as usize)];
        file.read_exact_at(&mut begin, 0).map_err(TalkError::io("reading", path))?;
        if begin != text {
            // What is no more than the beginning of a head was never written to.
            if length as usize > begin.len() || !text.starts_with(&begin) {
                file = set_aside(path, &mut news)?;
            }
            file.write_all_at(&text, 0).map_err(TalkError::io("writing", path))?;
        }
        let mut at = text.len() as u64;
        let mut known = known(path, &file, at, &mut news)?;
        // The number with which the block begins that the next message is in.
        let start = block::start_of(said + 1);
        let mut upto = 1;
        while let Some(over) = known.front().filter(|k| k.head.end() <= start) {
            (at, upto) = (over.end(), over.head.end());
            known.pop_front();
        }
        let there = known.back().map_or(said, |k| k.head.end() - 1).max(said);
        let pending = begun(path, &file, known.front(), start, said);
        let begins = pending.first().map_or(said + 1, |m| m.id.0);
        if begins > upto {
            let last = begins - 1;
            news.push(format!(
                "messages {upto} to {last} were said and are not in {}; a start with --replay writes them",
                path.display()
            ));
        }
        let writer = BlockWriter {
            file,
            path: path.to_path_buf(),
            at,
            known,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            held: false,
            dropped: None,
            told: false,
            news,
        };
        Ok(TalkResumption { upto: tail_end(path, there), writer, pending })
    }

    /// Puts a block behind the others, or finds it there.
    pub fn seal(&mut self, messages: &[Message]) -> Result<(), TalkError> {
        let (Some(first), count) = (messages.first().map(|m| m.id.0), messages.len() as u64) else {
            return Ok(());
        };
        let raw = block::raw(messages).map_err(|e| self.lost(&e.to_string()))?;
        if let Some(known) = self.known.pop_front() {
            if self.is_there(&known, first, count, &raw)? {
                self.at = known.end();
                return Ok(());
            }
            // Damage, a gap that is closed now, or the last block of a run that has ended and goes on: what follows is
            // said again.
            self.known.clear();
        }
        let bytes = block::encode(messages, &raw, Packing::Short).map_err(|e| self.lost(&e))?;
        if self.waiting_bytes + bytes.len() > WAITING_BYTES_MAX {
            let (from, _) = self.dropped.unwrap_or((first, 0));
            self.dropped = Some((from, first + count - 1));
        } else {
            self.waiting_bytes += bytes.len();
            self.waiting.push_back(bytes);
        }
        self.flush()
    }

    /// Whether a block is the one that is to be written; an error where it says other things.
    fn is_there(
        &mut self,
        known: &KnownBlock,
        first: u64,
        count: u64,
        raw: &[u8],
    ) -> Result<bool, TalkError> {
        if known.head.first != first {
            return Ok(false);
        }
        let theirs = match body(&self.path, &self.file, known) {
            Err(TalkError::Damaged { offset, why, .. }) => {
                keep_damaged(&self.path, offset, why, &mut self.news)?;
                return Ok(false);
            }
            read => read?,
        };
        if !raw.starts_with(&theirs) || known.head.count > count {
            let (file, offset) = (self.path.clone(), known.at);
            return Err(TalkError::Differs { file, offset, first, count });
        }
        Ok(known.head.count == count)
    }

    /// From now on nothing is written, or what waits is.
    pub fn hold(&mut self, held: bool) -> Result<(), TalkError> {
        self.held = held;
        self.flush()
    }

    /// Puts what has been said of the block that is not full beside the log, so that it can be read and gone on with; to be
    /// on disk with all of the log when this returns, if that is wanted.
    pub fn show(&mut self, messages: &[Message], to_disk: bool) -> Result<(), TalkError> {
        self.flush()?;
        if self.held || !self.waiting.is_empty() {
            return Ok(());
        }
        let tail = tail_of(&self.path);
        let raw = block::raw(messages).map_err(|e| self.lost(&e.to_string()))?;
        let bytes = block::encode(messages, &raw, Packing::Quick).map_err(|e| self.lost(&e))?;
        let done = beside(&tail, &bytes, to_disk).map_err(TalkError::io("writing", &tail));
        let synced = || self.file.sync_data().map_err(TalkError::io("syncing", &self.path));
        let done = done.and_then(|()| if to_disk { synced() } else { Ok(()) });
        // The next is written anew.
        done.or_else(|e| if e.is_full() { Ok(()) } else { Err(e) })
    }

    /// The run is over: its last block is put behind the others however short it is.
    pub fn end(&mut self, messages: &[Message]) -> Result<(), TalkError> {
        self.seal(messages)?;
        if self.waiting.is_empty() {
            self.file.sync_data().map_err(TalkError::io("syncing", &self.path))?;
            let tail = tail_of(&self.path);
            let _ = std::fs::remove_file(&tail);
        }
        Ok(())
    }

    /// Writes what waits, as far as there is room.
    fn flush(&mut self) -> Result<(), TalkError> {
        if self.held || !self.known.is_empty() {
            return Ok(());
        }
        while let Some(bytes) = self.waiting.front() {
            // What a write left that was cut short, and what is said anew.
            let is_longer = self.file.metadata().is_ok_and(|m| m.len() > self.at);
            let cut = if is_longer { self.file.set_len(self.at) } else { Ok(()) };
            let done = cut.and_then(|()| self.file.write_all_at(bytes, self.at));
            match done.map_err(TalkError::io("writing", &self.path)) {
                Err(e) if e.is_full() => {
                    if !std::mem::replace(&mut self.told, true) {
                        self.news.push(format!("{e}; what is said waits until there is room"));
                    }
                    return Ok(());
                }
                done => done?,
            }
            self.at += bytes.len() as u64;
            self.waiting_bytes -= bytes.len();
            self.waiting.pop_front();
        }
        self.told = false;
        if let Some((from, to)) = self.dropped.take() {
            let file = self.path.display();
            self.news.push(format!(
                "messages {from} to {to} had no room and are not in {file}; a start with --replay writes them"
            ));
        }
        Ok(())
    }

    fn lost(&self, why: &str) -> TalkError {
        TalkError::io("packing messages for", &self.path)(std::io::Error::other(why.to_owned()))
    }
}

fn open(path: &Path) -> Result<File, TalkError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let flags = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    options.custom_flags(flags).open(path).map_err(TalkError::io("opening", path))
}

/// Moves a log of another run or program out of the way, and begins one.
fn set_aside(path: &Path, news: &mut Vec<String>) -> Result<File, TalkError> {
    let aside = path.with_extension("other");
    std::fs::rename(path, &aside).map_err(TalkError::io("moving aside", path))?;
    news.push(format!("{} is of another run or program; it is in {} now", path.display(), aside.display()));
    open(path)
}

/// The blocks of a log, from a byte on. What is damaged is kept beside and cut off: it is said again, or can be.
fn known(
    path: &Path,
    file: &File,
    from: u64,
    news: &mut Vec<String>,
) -> Result<VecDeque<KnownBlock>, TalkError> {
    let io = TalkError::io("reading", path);
    let length = file.metadata().map_err(&io)?.len();
    let mut reader = BufReader::new(file);
    let (mut known, mut at) = (VecDeque::new(), from);
    while at < length {
        reader.seek(SeekFrom::Start(at)).map_err(&io)?;
        match block::look(&mut reader, length - at).map_err(&io)? {
            Found::Head(head, size) => {
                let block = KnownBlock { head, at, body: at + size as u64 };
                at = block.end();
                known.push_back(block);
            }
            Found::Torn => break,
            Found::Bad(why) => {
                keep_damaged(path, at, why, news)?;
                break;
            }
        }
    }
    if at < length {
        file.set_len(at).map_err(TalkError::io("cutting", path))?;
    }
    Ok(known)
}

/// Keeps a log that is damaged beside, before it is cut off there.
fn keep_damaged(path: &Path, at: u64, why: &str, news: &mut Vec<String>) -> Result<(), TalkError> {
    let aside = path.with_extension("damaged");
    std::fs::copy(path, &aside).map_err(TalkError::io("copying", path))?;
    let (path, aside) = (path.display(), aside.display());
    news.push(format!(
        "{path} is damaged at byte {at} ({why}): it is written anew from there, and as it was it is in {aside}"
    ));
    Ok(())
}

/// The bytes of the messages of a block.
fn body(path: &Path, file: &File, known: &KnownBlock) -> Result<Vec<u8>, TalkError> {
    let mut packed = vec![0; known.head.body()];
    file.read_exact_at(&mut packed, known.body).map_err(TalkError::io("reading", path))?;
    block::unpack(&known.head, &packed).map_err(|why| TalkError::Damaged {
        file: path.to_path_buf(),
        offset: known.at,
        why,
    })
}

/// What was said of a block that is not full, up to the message `said`: from the log or from beside it. Nothing where that
/// is not whole.
fn begun(path: &Path, file: &File, known: Option<&KnownBlock>, start: u64, said: u64) -> Vec<Message> {
    let in_log = || {
        let known = known?;
        block::messages(&known.head, &body(path, file, known).ok()?).ok()
    };
    let beside = || {
        let bytes = std::fs::read(tail_of(path)).ok()?;
        block::all(&bytes).ok()
    };
    let upto = |mut all: Vec<Message>| {
        all.retain(|m| (start..=said).contains(&m.id.0));
        all.last().is_some_and(|m| m.id.0 == said).then_some(all)
    };
    in_log().and_then(upto).or_else(|| beside().and_then(upto)).unwrap_or_default()
}

/// The last message of the log and what is beside it, if that goes on from `there`.
fn tail_end(path: &Path, there: u64) -> u64 {
    let all = std::fs::read(tail_of(path)).ok().and_then(|bytes| block::all(&bytes).ok()).unwrap_or_default();
    let goes_on = all.first().is_some_and(|first| first.id.0 <= there + 1);
    all.last().filter(|_| goes_on).map_or(there, |last| last.id.0.max(there))
}

/// Puts a file in the place of one: whole, or not at all.
fn beside(path: &Path, bytes: &[u8], to_disk: bool) -> std::io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let file = options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32).open(&part)?;
    file.write_all_at(bytes, 0)?;
    if to_disk {
        file.sync_data()?;
    }
    std::fs::rename(&part, path)
}
