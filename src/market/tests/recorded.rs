//! Recorded markets, looked at where they are: in the folder that `HIVE_TEST_DATA` names. What is not there is said
//! on standard error, since a skipped check must be seen.
// Each program of tests that looks at recorded markets uses its part of it.
#![allow(dead_code)]

use flate2::read::MultiGzDecoder;
use hive_domain::{InstrumentKind, Span};
use hive_market::history::{self, HistorySettings};
use hive_market::source::{SourceFile, Window};
use hive_market::tape::TapeFeed;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A file or folder of it; none, with the reason, where it is not there.
pub fn real(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("HIVE_TEST_DATA").map(PathBuf::from) else {
        eprintln!("skipped: HIVE_TEST_DATA names no folder of recorded markets");
        return None;
    };
    let path = folder.join(name);
    if path.exists() {
        return Some(path.canonicalize().unwrap());
    }
    eprintln!("skipped: no {}; set HIVE_TEST_DATA to the folder with it", path.display());
    None
}

/// A panel of it.
pub fn panel(file: &str) -> Option<PathBuf> {
    real(&format!("panel/{file}"))
}

/// A `.csv`, or a `.csv.gz`.
struct Table {
    path: PathBuf,
    name: String,
}

impl Table {
    fn new(path: &Path) -> Self {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        Table { path: path.to_owned(), name }
    }
}

impl SourceFile for Table {
    fn name(&self) -> &str {
        &self.name
    }

    fn stem(&self) -> &str {
        self.name.trim_end_matches(".gz").trim_end_matches(".csv")
    }

    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        let file = std::io::BufReader::new(File::open(&self.path)?);
        Ok(if self.path.extension().is_some_and(|e| e == "gz") {
            Box::new(MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        })
    }
}

/// What a run of one file of bars is fed, with this funding.
pub fn history(
    path: &Path,
    funding: Option<&Path>,
    kind: Option<InstrumentKind>,
    clock: Span,
    window: Window,
) -> TapeFeed {
    let (bars, funding) = (Table::new(path), funding.map(Table::new));
    let settings =
        HistorySettings { name: bars.stem().to_owned(), clock, kind, window, ..HistorySettings::default() };
    let funding = funding.map(|f| Box::new(f) as Box<dyn SourceFile>);
    history::open(&settings, vec![Box::new(bars)], funding, Box::new(Vec::new())).unwrap()
}
