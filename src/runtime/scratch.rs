//! What is written to be read at once and kept nowhere: in memory while it is small, else in a file without a name, which is gone when
//! the process is, however that ends.

use crate::market::source::{ScratchFile, SourceBytes, SourceFile};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Bytes that are held in memory.
const MEMORY_MAX: usize = 1 << 24;
const BUFFER: usize = 1 << 17;

/// Something that is being written.
#[derive(Default)]
pub struct SpooledScratch {
    memory: Vec<u8>,
    file: Option<BufWriter<File>>,
}

impl Write for SpooledScratch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(file) = &mut self.file {
            return file.write(bytes);
        }
        if self.memory.len() + bytes.len() <= MEMORY_MAX {
            self.memory.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let mut file = BufWriter::with_capacity(BUFFER, nameless()?);
        file.write_all(&std::mem::take(&mut self.memory))?;
        self.file.insert(file).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// A file without a name. The folder for temporary files lies in memory on many machines, and what is long is not to.
fn nameless() -> io::Result<File> {
    let lasting = Path::new("/var/tmp");
    if std::env::var_os("TMPDIR").is_none()
        && let Ok(file) = tempfile::tempfile_in(lasting)
    {
        return Ok(file);
    }
    tempfile::tempfile()
}

impl ScratchFile for SpooledScratch {
    fn close(self: Box<Self>, name: &str) -> io::Result<Box<dyn SourceFile>> {
        let Some(file) = self.file else { return Ok(Box::new(SourceBytes::new(name, self.memory))) };
        let file = Arc::new(file.into_inner().map_err(io::IntoInnerError::into_error)?);
        Ok(Box::new(WrittenScratch { name: name.to_owned(), file }))
    }
}

/// Something that was written.
struct WrittenScratch {
    name: String,
    file: Arc<File>,
}

impl SourceFile for WrittenScratch {
    fn name(&self) -> &str {
        &self.name
    }

    fn stem(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let whole = ReadAt { file: Arc::clone(&self.file), at: 0 };
        Ok(Box::new(BufReader::with_capacity(BUFFER, whole)))
    }
}

/// A file that several read, each at a place of its own.
struct ReadAt {
    file: Arc<File>,
    at: u64,
}

impl Read for ReadAt {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(into, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_as_often_as_is_wanted_in_memory_or_not() {
        for length in [0, 1_000, MEMORY_MAX, MEMORY_MAX + 1, 3 * MEMORY_MAX] {
            let mut scratch = Box::new(SpooledScratch::default());
            let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            for part in bytes.chunks(999_983) {
                scratch.write_all(part).unwrap();
            }
            assert_eq!(scratch.file.is_some(), length > MEMORY_MAX);
            let written = scratch.close("x").unwrap();
            let (mut one, mut other) = (written.open().unwrap(), written.open().unwrap());
            let mut read = [Vec::new(), Vec::new()];
            one.by_ref().take(10).read_to_end(&mut read[0]).unwrap();
            other.read_to_end(&mut read[1]).unwrap();
            one.read_to_end(&mut read[0]).unwrap();
            assert!(read.iter().all(|r| *r == bytes), "{length}");
        }
    }
}
