//! `hive data check --messages`: whether what venues have sent is read.

use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::runtime::recordings::{self, RecordingsError};
use crate::venues::recorded::{MessageCheck, REFUSED_SHARE_MAX, RefusedMessage, purpose};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// Names of kinds that are shown; the rest is counted.
const KINDS_SHOWN: usize = 12;

/// Reads all messages that the lists of a folder name, says what came of it, and fails where one is refused without being on
/// the list of those that are, or where that list is too long.
pub fn check(folder: &Path, json: bool) -> Result<(), Failure> {
    let check = recordings::check(folder).map_err(|e| match e {
        RecordingsError::File { .. } => Failure::Failed(e.to_string()),
        RecordingsError::NoList(_) | RecordingsError::Nothing(_) => Failure::Usage(e.to_string()),
    })?;
    if json {
        let text = serde_json::to_string_pretty(&as_json(&check))
            .map_err(|e| Failure::Failed(format!("encoding: {e}")))?;
        print(&(text + "\n"))?;
    } else {
        print(&as_text(&check))?;
    }
    if let Some(first) = check.unlisted().next() {
        let why = format!(
            "{} messages are refused and on no list, the first: {}",
            check.unlisted().count(),
            line(first)
        );
        return Err(Failure::Failed(why));
    }
    if check.refused_share() > REFUSED_SHARE_MAX {
        return Err(Failure::Failed(format!(
            "{:.1} % of the files are refused",
            check.refused_share() * 100.0
        )));
    }
    Ok(())
}

fn line(refused: &RefusedMessage) -> String {
    format!("{} {}: {}", refused.file, refused.number, refused.why)
}

fn as_json(check: &MessageCheck) -> Value {
    let of = |refused: &RefusedMessage| json!({"file": refused.file, "message": refused.number, "why": refused.why});
    let listed = |refused: &&RefusedMessage| {
        let mut value = of(refused);
        value["purpose"] = json!(purpose(&refused.file));
        value
    };
    json!({
        "files": check.looked_at.len(),
        "messages": check.messages,
        "parsed": check.parsed(),
        "understood": check.understood,
        "passed_over": check.passed_over,
        "refused": check.refused.len(),
        "refused_share_of_files": check.refused_share(),
        "refusals": check.refused.iter().filter(|r| r.listed).collect::<Vec<_>>().iter().map(listed).collect::<Vec<_>>(),
        "unlisted_refusals": check.unlisted().map(of).collect::<Vec<_>>(),
        "listed_and_read": check.unneeded(),
        "venues": check.venues,
    })
}

fn as_text(check: &MessageCheck) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (venue, messages) in &check.venues {
        let _ = writeln!(text, "{venue}: {messages} messages");
    }
    let kinds: Vec<String> =
        check.passed_over.iter().map(|(kind, count)| format!("{kind} ({count})")).collect();
    let more = kinds.len().saturating_sub(KINDS_SHOWN);
    let _ = writeln!(
        text,
        "read and made nothing of, {} kinds: {}{}",
        kinds.len(),
        kinds.iter().take(KINDS_SHOWN).cloned().collect::<Vec<_>>().join(", "),
        if more > 0 { format!(" and {more} more") } else { String::new() }
    );
    for refused in &check.refused {
        let _ = writeln!(text, "refused: {}", line(refused));
        let _ = writeln!(text, "  {}", purpose(&refused.file).unwrap_or("it is on no list"));
    }
    for file in check.unneeded() {
        let _ = writeln!(text, "{file} is on the list of refusals and is read");
    }
    let _ = writeln!(
        text,
        "{} files, {} messages: {} read, {} of them understood whole, {} refused ({:.1} % of the files), {} of those on no list",
        check.looked_at.len(),
        check.messages,
        check.parsed(),
        check.understood,
        check.refused.len(),
        check.refused_share() * 100.0,
        check.unlisted().count()
    );
    text
}
