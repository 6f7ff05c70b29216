//! The side of a talk log that reads: block by block, past those that a question has nothing to look for in.

use super::block::{self, BlockHead, Found};
use super::error::TalkError;
use super::head::TalkHead;
use super::write::tail_of;
use crate::domain::{Message, Stamp};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A talk log that is read, also while a run writes it.
#[derive(Debug)]
pub struct TalkFile {
    path: PathBuf,
    file: BufReader<File>,
    /// Whose run it is of, and what everybody is called.
    pub head: TalkHead,
    begin: u64,
    length: u64,
    /// What was said of the block that is not full.
    tail: Vec<Message>,
}

impl TalkFile {
    /// Opens the log of a state folder, or the file itself.
    pub fn open(named: &Path) -> Result<TalkFile, TalkError> {
        let path = if named.is_dir() { named.join("talk") } else { named.to_path_buf() };
        // First: a block that is put into the log meanwhile is then read there.
        let beside = tail_of(&path);
        let tail = match std::fs::read(&beside) {
            Ok(bytes) => {
                block::all(&bytes).map_err(|why| TalkError::Damaged { file: beside, offset: 0, why })?
            }
            Err(_) => Vec::new(),
        };
        let file = File::open(&path).map_err(TalkError::io("opening", &path))?;
        let length = file.metadata().map_err(TalkError::io("looking at", &path))?.len();
        let mut file = BufReader::new(file);
        let (head, begin) = TalkHead::read(&path, &mut file)?;
        Ok(TalkFile { path, file, head, begin, length, tail })
    }

    /// When the last message was said.
    pub fn last(&mut self) -> Result<Option<Stamp>, TalkError> {
        let mut last = None;
        self.read(
            |head| {
                last = Some(head.to);
                false
            },
            |_| -> Result<(), TalkError> { Ok(()) },
        )?;
        Ok(self.tail.last().map(|m| m.at).or(last))
    }

    /// Reads the messages of the blocks that are wanted, in their order; tells how many bytes at the end are of a write that
    /// was cut short or is going on.
    pub fn read<E: From<TalkError>>(
        &mut self,
        mut wants: impl FnMut(&BlockHead) -> bool,
        mut each: impl FnMut(&Message) -> Result<(), E>,
    ) -> Result<u64, E> {
        let (mut at, mut next) = (self.begin, 1);
        while at < self.length {
            let damaged = |why| TalkError::Damaged { file: self.path.clone(), offset: at, why };
            let io = TalkError::io("reading", &self.path);
            self.file.seek(SeekFrom::Start(at)).map_err(&io)?;
            let (head, size) = match block::look(&mut self.file, self.length - at).map_err(&io)? {
                Found::Head(head, size) => (head, size),
                Found::Torn => break,
                Found::Bad(why) => return Err(damaged(why).into()),
            };
            if head.first < next {
                return Err(damaged("its messages were said before").into());
            }
            next = head.end();
            if wants(&head) {
                let mut packed = vec![0; head.body()];
                self.file.read_exact(&mut packed).map_err(&io)?;
                let raw = block::unpack(&head, &packed).map_err(damaged)?;
                block::messages(&head, &raw).map_err(damaged)?.iter().try_for_each(&mut each)?;
            }
            at += (size + head.body()) as u64;
        }
        self.tail.iter().filter(|m| m.id.0 >= next).try_for_each(&mut each)?;
        Ok(self.length - at)
    }
}
