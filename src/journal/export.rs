//! A journal as JSON lines, one a frame, for people and scripts.

use super::error::JournalError;
use super::record::RecordKind;
use super::scan::{Recovery, scan};
use crate::domain::is_unprintable;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

#[derive(Serialize)]
struct ExportLine<'a> {
    seq: u64,
    ts: u64,
    kind: String,
    ver: u16,
    prev: String,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

/// Writes every frame; a payload that is text as text, any other as hex. Nothing is left out.
pub fn export(dir: &Path, mut out: impl Write) -> Result<Recovery, JournalError> {
    let failed = |e| JournalError::io("exporting", dir, e);
    let seen = scan(dir, |frame| {
        let text = std::str::from_utf8(frame.payload).ok().filter(|t| !t.contains(is_unprintable));
        let line = ExportLine {
            seq: frame.seq,
            ts: frame.ts,
            kind: RecordKind::name(frame.kind),
            ver: frame.ver,
            prev: hex(&frame.prev),
            bytes: frame.payload.len(),
            text,
            hex: text.is_none().then(|| hex(frame.payload)),
        };
        serde_json::to_writer(&mut out, &line).map_err(|e| failed(e.into()))?;
        out.write_all(b"\n").map_err(failed)
    })?;
    out.flush().map_err(failed)?;
    Ok(seen)
}

/// Bytes in hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}
