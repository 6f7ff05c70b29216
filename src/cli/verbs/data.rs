//! `hive data`: what files hold, what is wrong with them, and tapes made of them.

mod fetch;
mod messages;

use crate::cli::failure::Failure;
use crate::cli::options;
use crate::cli::output::{self, print};
use crate::cli::table::{TextTable, short};
use crate::domain::{InstrumentKind, Span, Stamp};
use crate::market::Choices;
use crate::market::feed::FeedError;
use crate::market::import::{
    self, Closes, FileSurvey, FileVerdict, ImportFormat, ImportSettings, Survey, SurveyNote, WrittenTape,
};
use crate::market::source::{SourceFile, Window};
use crate::runtime::feeds;
use crate::runtime::files::{self, FileError};
use crate::runtime::imports::{self, FoundFiles, ImportFile, Progress};
use clap::{Args as ClapArgs, Subcommand};
use flate2::Compression;
use flate2::write::GzEncoder;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `hive data`.
#[derive(Debug, ClapArgs)]
pub struct DataArgs {
    #[command(subcommand)]
    verb: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// What files hold: format, instruments, from and to, rows
    List {
        /// Files or folders [default: here]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        reading: Reading,
    },
    /// What is read: each format with its columns and a row, the names of columns that are known, and what can be decided
    Formats {
        /// Print the answer as JSON
        #[arg(long)]
        json: bool,
    },
    /// A verdict on each file: what it is taken for, what is left out, what has to be decided; gaps, duplicates, rows out of
    /// order, absurd prices, rows that cannot be used, counted and the first named
    Check {
        /// Files or folders
        #[arg(required_unless_present = "messages")]
        paths: Vec<PathBuf>,
        /// A folder of recorded messages of venues, with the list that names them: whether all public ones of Binance,
        /// Hyperliquid and Deribit are read
        #[arg(long, value_name = "DIR", conflicts_with = "paths")]
        messages: Option<PathBuf>,
        #[command(flatten)]
        reading: Reading,
    },
    /// Make a tape of a venue's history, to be run with --feed tape:FILE; a fetch that was broken off is gone on with
    Fetch(fetch::FetchArgs),
    /// Make a tape of files, to be run with --feed tape:FILE
    Import {
        /// Files or folders; all go onto one tape
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// File that the tape is written to
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// First day or moment
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        /// Last day (it is included), or the moment at which it ends
        #[arg(long, value_name = "DATE")]
        to: Option<String>,
        /// Only these assets or symbols: BTC,ETHBTC
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        assets: Option<Vec<String>>,
        /// Where all of it was recorded [default: as the names of the files tell]
        #[arg(long, value_name = "NAME")]
        venue: Option<String>,
        /// How bars are listed: margin, spot or perp [default: as the names tell, else margin]
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
        /// Of files of bars only those of this length: 1d (a folder may hold several)
        #[arg(long, value_name = "SPAN")]
        bar: Option<String>,
        /// Of bars only those that close when this settles, as one price each: cme (15:00 in Chicago)
        #[arg(long, value_name = "WHAT")]
        closes: Option<String>,
        /// Write over a tape that is there
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        reading: Reading,
    },
}

#[derive(Debug, ClapArgs)]
struct Reading {
    /// What all files are [default: each is looked at]
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    /// No progress bar
    #[arg(long)]
    quiet: bool,
    /// What files do not tell, as KEY=VALUE: volume=quote, rates=percent, settle=8h, jumps=keep …
    #[arg(long, value_name = "KEY=VALUE")]
    read: Vec<String>,
    /// Which column is what: time=Date+Time,close=Last
    #[arg(long, value_name = "MAP")]
    map: Option<String>,
}

/// Runs `hive data`: looks at files, or makes a tape of them.
pub fn run(args: &DataArgs) -> Result<(), Failure> {
    match &args.verb {
        DataCommand::List { paths, reading } => {
            let here = [PathBuf::from(".")];
            let survey = look(if paths.is_empty() { &here } else { paths }, reading)?;
            if reading.json { as_json(&survey.files) } else { list(&survey.files) }
        }
        DataCommand::Formats { json } => formats(*json),
        DataCommand::Fetch(args) => fetch::run(args),
        DataCommand::Check { messages: Some(folder), reading, .. } => messages::check(folder, reading.json),
        DataCommand::Check { paths, reading, .. } => check(&look(paths, reading)?, reading.json),
        DataCommand::Import { paths, out, from, to, assets, venue, kind, bar, closes, force, reading } => {
            let window = Window {
                from: options::date("--from", from.as_ref(), Stamp::parse)?,
                to: options::date("--to", to.as_ref(), feeds::parse_end)?,
                assets: assets.clone(),
            };
            let kind = kind.as_deref().map(read_kind).transpose()?;
            let bar = bar.as_deref().map(read_bar).transpose()?;
            let closes = closes.as_deref().map(read_closes).transpose()?;
            let name = out.file_stem().unwrap_or(out.as_os_str()).to_string_lossy().into_owned();
            let format = reading.format()?;
            let venue = venue.clone();
            let choices = reading.choices()?;
            let settings = ImportSettings {
                name,
                format,
                venue,
                kind,
                window,
                bar,
                closes,
                choices,
                ..ImportSettings::default()
            };
            if out.exists() && !force {
                return Err(Failure::Usage(format!(
                    "{} is there already; name another file with --out or add --force",
                    out.display()
                )));
            }
            import(settings, paths, out, reading)
        }
    }
}

/// What is read.
fn formats(json: bool) -> Result<(), Failure> {
    let columns = Choices::columns();
    if json {
        let all: Vec<_> = ImportFormat::ALL
            .iter()
            .map(|f| json!({"format": f, "about": f.about(), "columns": f.columns(), "example": f.example()}))
            .collect();
        let columns: Vec<_> =
            columns.iter().map(|(word, names)| json!({"column": word, "names": names})).collect();
        let value = json!({"formats": all, "columns": columns, "choices": Choices::KNOWN});
        let text =
            serde_json::to_string_pretty(&value).map_err(|e| Failure::Failed(format!("encoding: {e}")))?;
        return print(&(text + "\n"));
    }
    let mut text = String::new();
    for f in ImportFormat::ALL {
        let _ = writeln!(text, "{f}: {}\n  {}\n  {}", f.about(), f.columns(), f.example());
    }
    let _ = writeln!(
        text,
        "\nTables come as .csv, .tsv or .txt (`,` `;` `|` or tabs), .json lists or objects, .jsonl, .parquet and .feather, packed with gzip or zip."
    );
    let _ =
        writeln!(text, "Their columns are known by these names, and by any other with --map WORD=COLUMN:");
    for (word, names) in columns {
        let _ = writeln!(text, "  {word}: {}", names.join(", "));
    }
    let _ = writeln!(
        text,
        "What a file does not tell is decided with --read KEY=VALUE, or behind history:PATH?KEY=VALUE:"
    );
    let _ = writeln!(text, "  {}", Choices::KNOWN);
    print(&text)
}

fn read_kind(text: &str) -> Result<InstrumentKind, Failure> {
    use InstrumentKind::{Margin, Perp, Spot};
    InstrumentKind::parse(text)
        .filter(|k| matches!(k, Margin | Spot | Perp))
        .ok_or_else(|| Failure::Usage(format!("--kind {text}: write margin, spot or perp")))
}

fn read_bar(text: &str) -> Result<Span, Failure> {
    Span::parse(text)
        .filter(|s| s.0 > 0)
        .ok_or_else(|| Failure::Usage(format!("--bar {text}: write a length like 1m, 1h or 1d")))
}

fn read_closes(text: &str) -> Result<Closes, Failure> {
    let known = || Closes::ALL.map(|c| c.0).join(", ");
    let found = Closes::ALL.into_iter().find(|c| c.0 == text).map(|c| c.1);
    found.ok_or_else(|| Failure::Usage(format!("--closes {text} is not known; write {}", known())))
}

impl Reading {
    fn choices(&self) -> Result<Choices, Failure> {
        let mut choices = Choices::default();
        for text in &self.read {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            choices.set(key, value).map_err(|why| Failure::Usage(format!("--read {why}")))?;
        }
        if let Some(map) = &self.map {
            choices.set("map", map).map_err(|why| Failure::Usage(format!("--map: {why}")))?;
        }
        Ok(choices)
    }

    fn format(&self) -> Result<Option<ImportFormat>, Failure> {
        let read = |text: &String| {
            let wrong = || format!("--format {text} is not known; write one of {}", ImportFormat::known());
            ImportFormat::parse(text).ok_or_else(|| Failure::Usage(wrong()))
        };
        self.format.as_ref().map(read).transpose()
    }

    /// A bar over so many passes of the files, where there is a terminal to draw it on.
    fn bar(&self) -> ProgressBar {
        let shown = !self.quiet && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        // The template is a constant of this program; a typing mistake in it shows as a plain bar.
        let style = ProgressStyle::with_template(
            "{msg} {wide_bar} {percent:>3} %  {bytes} of {total_bytes}, {eta} left",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar
    }
}

fn find(paths: &[PathBuf], bar: &ProgressBar) -> Result<FoundFiles, Failure> {
    let counted = bar.clone();
    let progress: Progress = Arc::new(move |n| counted.inc(n));
    imports::find(paths, &progress).map_err(|e| Failure::Usage(e.to_string()))
}

fn sources(files: Vec<ImportFile>) -> Vec<Box<dyn SourceFile>> {
    files.into_iter().map(|f| Box::new(f) as Box<dyn SourceFile>).collect()
}

/// Reads files once, those nobody knows too.
fn look(paths: &[PathBuf], reading: &Reading) -> Result<Survey, Failure> {
    let (format, choices) = (reading.format()?, reading.choices()?);
    let settings = ImportSettings { format, choices, lenient: true, ..ImportSettings::default() };
    let bar = reading.bar();
    let FoundFiles { files, unread } = find(paths, &bar)?;
    bar.set_length(files.iter().map(|f| f.size).sum());
    bar.set_message("reading");
    let mut survey = import::survey(&settings, &mut sources(files)).map_err(|e| failure(&e))?;
    survey.files.extend(unread.iter().map(|u| {
        let verdict = if u.is_data { FileVerdict::Unknown } else { FileVerdict::NoData };
        FileSurvey::without(&u.name, verdict, &format!("it is not read: {}", u.why))
    }));
    survey.files.sort_by(|a, b| a.name.cmp(&b.name));
    bar.finish_and_clear();
    Ok(survey)
}

/// What is wrong with a file is known before a run is begun; what happens while it is read is a failure.
fn failure(e: &FeedError) -> Failure {
    match e {
        FeedError::Read { .. } | FeedError::Write { .. } | FeedError::Changed { .. } => {
            Failure::Failed(e.to_string())
        }
        _ => Failure::Usage(e.to_string()),
    }
}

/// What is wrong with files before they are read.
fn opened(e: &FileError) -> Failure {
    match e {
        FileError::Feed(e) => failure(e),
        e => Failure::Usage(e.to_string()),
    }
}

fn as_json(files: &[FileSurvey]) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(files).map_err(|e| Failure::Failed(format!("encoding: {e}")))?;
    print(&(text + "\n"))
}

fn day(at: Option<Stamp>) -> String {
    at.map_or_else(String::new, |a| a.to_string().replace('T', " ").chars().take(16).collect())
}

fn list(files: &[FileSurvey]) -> Result<(), Failure> {
    let mut table = TextTable::new(5, &["file", "format", "instruments", "from", "to", "rows"]);
    for f in files {
        let what = match f.instruments.as_slice() {
            [] => f.notes.first().cloned().unwrap_or_default(),
            [one] => one.clone(),
            [one, ..] => format!("{one} and {} more", f.instrument_count - 1),
        };
        table.row([
            f.name.clone(),
            f.format.map_or_else(|| f.verdict.text().to_owned(), |format| format.text().to_owned()),
            short(&what, 48),
            day(f.from),
            day(f.to),
            f.rows.to_string(),
        ]);
    }
    let mut text = String::new();
    table.render(&mut text).map_err(|e| Failure::Failed(e.to_string()))?;
    let known = files.iter().filter(|f| f.format.is_some()).count();
    let _ = writeln!(text, "{} files, {known} of them known", files.len());
    print(&text)
}

fn check(survey: &Survey, json: bool) -> Result<(), Failure> {
    let files = &survey.files;
    if json {
        as_json(files)?;
    } else {
        let mut text = String::new();
        for f in files {
            describe(f, &mut text);
        }
        let sum = |of: fn(&FileSurvey) -> u64| files.iter().map(of).sum::<u64>();
        let _ = writeln!(
            text,
            "{} files, {} rows: {} cannot be used, {} duplicates, {} out of order, {} gaps, {} absurd prices",
            files.len(),
            sum(|f| f.rows),
            sum(|f| f.findings.bad.count),
            sum(|f| f.findings.duplicates.count),
            sum(|f| f.findings.unsorted.count),
            sum(|f| f.findings.gaps.count),
            sum(|f| f.findings.absurd.count),
        );
        print(&text)?;
    }
    let of =
        |verdict: FileVerdict| files.iter().filter(move |f| f.verdict == verdict).map(|f| f.name.as_str());
    let unusable: u64 = files.iter().map(|f| f.findings.bad.count).sum();
    let said = |n: usize, what: &str, first: &str| {
        Err(Failure::Failed(format!("{n} files {what}, the first: {first}")))
    };
    if let Some(first) = of(FileVerdict::Refused).next() {
        return said(of(FileVerdict::Refused).count(), "have to be decided", first);
    }
    if let Some(first) = of(FileVerdict::Unknown).next() {
        return said(of(FileVerdict::Unknown).count(), "cannot be read", first);
    }
    if unusable > 0 { Err(Failure::Failed(format!("{unusable} rows cannot be used"))) } else { Ok(()) }
}

fn describe(f: &FileSurvey, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{}: {}{}",
        f.name,
        f.verdict.text(),
        f.format.map_or_else(String::new, |format| format!(
            ", {format}, {} rows, {} to {}",
            f.rows,
            day(f.from),
            day(f.to)
        ))
    );
    let found: [(&str, &SurveyNote); 5] = [
        ("cannot be used", &f.findings.bad),
        ("duplicates", &f.findings.duplicates),
        ("out of order", &f.findings.unsorted),
        ("gaps", &f.findings.gaps),
        ("absurd prices", &f.findings.absurd),
    ];
    for (what, found) in found.into_iter().filter(|(_, f)| f.count > 0) {
        let _ = writeln!(out, "  {what}: {}", found.count);
        for one in &found.first {
            let _ = writeln!(out, "    {one}");
        }
    }
    for note in &f.notes {
        let _ = writeln!(out, "  {note}");
    }
}

fn import(
    mut settings: ImportSettings,
    paths: &[PathBuf],
    out: &Path,
    reading: &Reading,
) -> Result<(), Failure> {
    let bar = reading.bar();
    let found = find(paths, &bar)?;
    // One that was named and is not known is refused below, with the formats that are.
    let (files, notes) = if settings.format.is_none() {
        files::known(found, &settings.choices).map_err(|e| opened(&e))?
    } else {
        (found.files, Vec::new())
    };
    output::tell(&notes);
    settings.notes = files::first_unread(notes);
    // Looking at them was counted too.
    bar.reset();
    bar.set_length(2 * files.iter().map(|f| f.size).sum::<u64>());
    bar.set_message("reading");
    let mut sources = sources(files);
    if sources.is_empty() {
        return Err(Failure::Usage(format!(
            "there is no file of a known format; known are {}",
            ImportFormat::known()
        )));
    }
    let survey = import::survey(&settings, &mut sources).map_err(|e| failure(&e))?;
    bar.set_message("writing");
    let part = {
        let mut name = out.as_os_str().to_owned();
        name.push(".part");
        PathBuf::from(name)
    };
    let done = write(&survey, &sources, &part);
    bar.finish_and_clear();
    let written = match done {
        Ok(written) => written,
        Err(why) => {
            // Half a tape is of no use; that it cannot be removed changes nothing about why.
            let _ = std::fs::remove_file(&part);
            return Err(why);
        }
    };
    std::fs::rename(&part, out)
        .map_err(|e| Failure::Failed(format!("renaming {} to {}: {e}", part.display(), out.display())))?;
    tell(out, &survey, &written, reading.json)
}

fn write(survey: &Survey, sources: &[Box<dyn SourceFile>], part: &Path) -> Result<WrittenTape, Failure> {
    let refused = |e: std::io::Error| {
        Failure::Usage(format!("--out {}: {e}; name a file in a folder that can be written", part.display()))
    };
    // What an import that died left, or a link that somebody put there, which is not followed.
    match std::fs::remove_file(part) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(refused(e)),
        _ => {}
    }
    let file = BufWriter::new(File::create_new(part).map_err(refused)?);
    let (written, packer) =
        survey.write(sources, GzEncoder::new(file, Compression::fast())).map_err(|e| failure(&e))?;
    let failed = |e: std::io::Error| Failure::Failed(format!("writing {}: {e}", part.display()));
    let mut file = packer.finish().map_err(failed)?;
    file.flush().map_err(failed)?;
    file.get_ref().sync_all().map_err(failed)?;
    Ok(written)
}

fn tell(out: &Path, survey: &Survey, written: &WrittenTape, json: bool) -> Result<(), Failure> {
    let universe = &written.header.universe;
    let report = &written.report;
    if json {
        let value = json!({
            "tape": out.display().to_string(),
            "hash": written.hash,
            "data_hash": written.data_hash,
            "events": written.events,
            "from": written.from.map(|t| t.to_string()),
            "to": written.to.map(|t| t.to_string()),
            "assets": universe.assets.iter().map(|a| &a.name).collect::<Vec<_>>(),
            "instruments": universe.instruments.iter().map(|i| json!({
                "symbol": i.symbol,
                "kind": i.kind.text(),
                "venue": i.venue,
                "asset": universe.name(i.asset),
                "quote": i.quote.map(|q| universe.name(q)),
            })).collect::<Vec<_>>(),
            "files": survey.files,
            "report": report,
            "notes": written.header.notes,
        });
        let text =
            serde_json::to_string_pretty(&value).map_err(|e| Failure::Failed(format!("encoding: {e}")))?;
        return print(&(text + "\n"));
    }
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}: {} events of {} instruments ({} assets), {} to {}",
        out.display(),
        written.events,
        universe.instruments.len(),
        universe.assets.len(),
        day(written.from),
        day(written.to)
    );
    let _ = writeln!(
        text,
        "{} files, {} rows; {} rows cannot be used, {} duplicates are left out, {} gaps, {} absurd prices",
        written.header.files.len(),
        report.rows,
        report.bad_rows,
        report.duplicates,
        report.gaps,
        report.jumps
    );
    for bad in &report.first_bad {
        let _ = writeln!(text, "  {bad}");
    }
    for note in &written.header.notes {
        let _ = writeln!(text, "  {note}");
    }
    let _ = writeln!(text, "run it with: hive backtest --feed tape:{}", out.display());
    print(&text)
}
