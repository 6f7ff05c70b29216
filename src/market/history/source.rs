//! A readable, re-openable run of bytes. The first pass learns the universe, the second streams, so a
//! source must give the same bytes twice; who opens files is the runtime.

use crate::market::table::Choices;
use std::io::{self, Read};

/// One file of a data set, already decompressed where it was compressed.
pub trait SourceFile: Send {
    /// How reports and errors name it.
    fn name(&self) -> &str;
    /// Its name without folder and endings; a file without a symbol column takes its symbol from it.
    fn stem(&self) -> &str;
    /// Its name with the folders that tell of it.
    fn path(&self) -> &str {
        self.name()
    }
    /// What was decided of this file alone.
    fn choices(&self) -> Option<&Choices> {
        None
    }
    /// Its bytes from the start.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

#[cfg(test)]
pub mod memory {
    use super::SourceFile;
    use std::io::{self, Cursor, Read};
    use std::sync::Arc;

    /// A source held in memory.
    #[derive(Clone, Debug)]
    pub struct SourceBytes {
        name: String,
        stem: String,
        data: Arc<[u8]>,
    }

    impl SourceBytes {
        /// A source named `name` (`BTCUSDT.csv`; the stem ends at the first point).
        pub fn new(name: &str, data: impl Into<Arc<[u8]>>) -> Self {
            let stem = name.split('.').next().unwrap_or(name).to_string();
            SourceBytes { name: name.to_string(), stem, data: data.into() }
        }
    }

    impl SourceFile for SourceBytes {
        fn name(&self) -> &str {
            &self.name
        }

        fn stem(&self) -> &str {
            &self.stem
        }

        fn open(&self) -> io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(Cursor::new(Arc::clone(&self.data))))
        }
    }
}
