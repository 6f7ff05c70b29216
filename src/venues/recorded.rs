//! Messages that stand in files: taken out of the ways in which projects keep them, and given to the codecs. So a codec can be
//! held against what venues have really sent, also by who has new recordings.
//!
//! | file | how messages stand in it |
//! |---|---|
//! | `.txt` | a script: `>` is sent, `<` answered, `=` said; or method, path, whether signed, and the answer of REST |
//! | `.tsv` | a name, a tab and a message a line |
//! | `.yaml` | requests and answers of HTTP, as a cassette |
//! | `.json` | one message, one a line, or answers by path |
//! | `.gz` (given unpacked) | `address -> seconds: answer`, `seconds: message`, or `nanoseconds message` a line |
//!
//! Answers to what is asked here are read by the codec; of others it is held that they are JSON whose numbers can all be kept.
//! What no codec reads is on a list (`refusals.tsv`) with the reason, and the list is short: see [`REFUSED_SHARE_MAX`].

use crate::domain::{Span, Stamp};
use crate::venues::binance::{BinanceCodec, BinanceMarket};
use crate::venues::codec::{Codec, RestAsk};
use crate::venues::deribit::DeribitCodec;
use crate::venues::event::PublicEvent;
use crate::venues::hyperliquid::HyperliquidCodec;
use crate::venues::num;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// Files with a message that is refused, of all files: not more than this.
pub const REFUSED_SHARE_MAX: f64 = 0.05;
/// The files that hold a message which is refused on purpose, and why, a line each.
const REFUSALS: &str = include_str!("refusals.tsv");

/// A file that a list names: of a venue that is built, and public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Name of the venue.
    pub venue: String,
    /// Behind the folder of the list.
    pub path: String,
}

/// The public files of the built venues on a list of recordings: one with the file in its first column and the side of the
/// API in its fourth (`SOURCES.tsv`), or with the venue first and the file last (`MESSAGES.tsv`).
pub fn listed(list: &str) -> Vec<ListedFile> {
    let by_venue = list.starts_with("venue\t");
    let of = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let side = cells.get(3)?;
        // Of a file without a message the list says so: scripts that only test what is heard at once.
        if !side.contains("public") || side.contains("private") || cells.get(4) == Some(&"0") {
            return None;
        }
        let path = if by_venue { cells.last() } else { cells.first() }?;
        let venue = if by_venue { Some(*cells.first()?) } else { venue_of(path) }?;
        codec_of(venue)?;
        Some(ListedFile { venue: venue.to_owned(), path: (*path).to_owned() })
    };
    list.lines().skip(1).filter_map(of).collect()
}

/// The venue that a path names with one of its parts: `binance.tsv`, `hyperliquid-sdk`.
fn venue_of(path: &str) -> Option<&str> {
    let stem = |part: &'static str| move |p: &&str| p.split(['.', '-']).next() == Some(part);
    ["binance", "hyperliquid", "deribit"].into_iter().find(|venue| path.split('/').any(|p| stem(venue)(&p)))
}

/// A message that no codec reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedMessage {
    /// The file it stands in.
    pub file: String,
    /// Which of the file's messages, from 1; 0 where there is none to be taken out.
    pub number: usize,
    /// Why it was refused.
    pub why: String,
    /// Whether the file is on the list of those that are refused on purpose.
    pub listed: bool,
}

/// What was read, and what not.
#[derive(Clone, Debug, Default)]
pub struct MessageCheck {
    /// Files that were looked at.
    pub looked_at: Vec<String>,
    /// Messages in them.
    pub messages: usize,
    /// Messages that were understood whole.
    pub understood: usize,
    /// Messages that were read and are made nothing of, by what the venue calls them.
    pub passed_over: BTreeMap<String, usize>,
    /// Messages by venue.
    pub venues: BTreeMap<String, usize>,
    /// Messages that were refused.
    pub refused: Vec<RefusedMessage>,
}

impl MessageCheck {
    /// Looks at a file.
    pub fn file(&mut self, file: &ListedFile, text: &str) {
        self.looked_at.push(file.path.clone());
        let Some(codec) = codec_of(&file.venue) else { return };
        let listed = purpose(&file.path).is_some();
        let mut refuse = |number, why| {
            self.refused.push(RefusedMessage { file: file.path.clone(), number, why, listed });
        };
        let found = match messages(&file.path, text) {
            Ok(found) => found,
            Err(why) => {
                refuse(0, why);
                return;
            }
        };
        self.messages += found.len();
        *self.venues.entry(codec.venue().to_owned()).or_default() += found.len();
        for (i, message) in found.iter().enumerate() {
            match outcome(codec.as_ref(), message) {
                RecordedOutcome::Understood => self.understood += 1,
                RecordedOutcome::PassedOver(kind) => *self.passed_over.entry(kind).or_default() += 1,
                RecordedOutcome::Refused(why) => refuse(i + 1, why),
            }
        }
    }

    /// Messages that were read.
    pub fn parsed(&self) -> usize {
        self.understood + self.passed_over.values().sum::<usize>()
    }

    /// Messages that were refused and are not on the list.
    pub fn unlisted(&self) -> impl Iterator<Item = &RefusedMessage> {
        self.refused.iter().filter(|r| !r.listed)
    }

    /// Files on the list of which nothing was refused, of those that were looked at.
    pub fn unneeded(&self) -> Vec<&str> {
        let refused = |file: &str| self.refused.iter().any(|r| r.file == file);
        let looked_at = self.looked_at.iter().map(String::as_str);
        looked_at.filter(|file| purpose(file).is_some() && !refused(file)).collect()
    }

    /// Files with a message that was refused, of all that were looked at.
    pub fn refused_share(&self) -> f64 {
        let files: BTreeSet<&str> = self.refused.iter().map(|r| r.file.as_str()).collect();
        files.len() as f64 / self.looked_at.len().max(1) as f64
    }
}

/// Why a file is refused on purpose, if it is.
pub fn purpose(path: &str) -> Option<&'static str> {
    REFUSALS
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .find(|(file, _)| *file == path)
        .map(|(_, why)| why)
}

/// A message as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedMessage {
    /// Of an answer of REST what was asked: its path, or a name with it inside; none of a socket's.
    pub asked: Option<String>,
    /// The message as it stands.
    pub text: String,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedOutcome {
    /// Everything it says was understood.
    Understood,
    /// It is read, and nothing here is made of some of it: what the venue calls that.
    PassedOver(String),
    /// It could not be read.
    Refused(String),
}

/// The codec of a venue by the name in a list or in a path; none where it is not built.
pub fn codec_of(venue: &str) -> Option<Box<dyn Codec>> {
    Some(match venue {
        // Both markets of Binance say the same words, so one reads the other's.
        "binance" | "binance_futures" => Box::new(BinanceCodec::new(BinanceMarket::UsdM)),
        "hyperliquid" => Box::new(HyperliquidCodec),
        "deribit" => Box::new(DeribitCodec),
        _ => return None,
    })
}

/// Takes the messages out of a file, by the ending of its name.
pub fn messages(name: &str, text: &str) -> Result<Vec<RecordedMessage>, String> {
    let found = match name.rsplit('.').next().unwrap_or_default() {
        "txt" if text.starts_with('>') => script(text),
        "txt" => answer_script(text)?,
        "tsv" => text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(test, message)| of_name(name, test, message))
            .collect(),
        "yaml" => cassette(text)?,
        "gz" => text.lines().filter_map(logged).collect(),
        _ => documents(name, text),
    };
    if found.is_empty() { Err("there is no message in it".to_owned()) } else { Ok(found) }
}

/// Reads a message by a codec.
pub fn outcome(codec: &dyn Codec, message: &RecordedMessage) -> RecordedOutcome {
    let bytes = message.text.as_bytes();
    let mut events = Vec::new();
    let read = match &message.asked {
        None => codec.decode(bytes, &mut events).map_err(|e| e.to_string()),
        Some(asked) => {
            if let Some(ask) = ask_of(asked) {
                codec.decode_answer(&ask, bytes, &mut events).map_err(|e| e.to_string())
            } else {
                events.push(PublicEvent::Other { kind: format!("answer: {}", place_of(asked)) });
                Ok(())
            }
        }
    };
    // What nobody reads must at least be numbers that could be kept.
    let read = read.and_then(|()| num::all_exact(bytes));
    let other = events.iter().find_map(|e| match e {
        PublicEvent::Other { kind } => Some(kind.clone()),
        _ => None,
    });
    match (read, other) {
        (Err(why), _) => RecordedOutcome::Refused(why),
        (Ok(_), Some(kind)) => RecordedOutcome::PassedOver(kind),
        (Ok(_), None) => RecordedOutcome::Understood,
    }
}

/// What was asked, of what is asked here too.
fn ask_of(asked: &str) -> Option<RestAsk> {
    let symbol = || "SYMBOL".to_owned();
    // Bars of the mark or of an index have no volume, and nobody asks for them.
    let place = place_of(asked).to_lowercase().replace(['_', ' '], "");
    // Converting has a list of pairs of its own under a name that others use too.
    let ends = |names: &[&str]| !place.contains("convert") && names.iter().any(|name| place.ends_with(name));
    let (from, to) = (Stamp(0), Stamp(i64::MAX));
    Some(if ends(&["/klines", "candlesnapshot", "gettradingviewchartdata"]) {
        RestAsk::Klines { symbol: symbol(), interval: Span::MINUTE, from, to, limit: 1 }
    } else if ends(&["/fundingrate", "fundinghistory", "getfundingratehistory"]) {
        RestAsk::Fundings { symbol: symbol(), from, to, limit: 1 }
    } else if ends(&["/exchangeinfo", "/meta", "getinstruments", "getinstrument"]) {
        RestAsk::Rules { asset: String::new() }
    } else if ends(&["/depth", "l2book", "getorderbook"]) {
        RestAsk::Depth { symbol: symbol() }
    } else if ends(&["/premiumindex", "metaandassetctxs"]) {
        RestAsk::Marks
    } else if ends(&["/time", "gettime"]) {
        RestAsk::ServerTime
    } else {
        return None;
    })
}

/// A path without what follows the question mark.
fn place_of(asked: &str) -> &str {
    asked.split('?').next().unwrap_or_default()
}

/// A message of a test: its name says what was asked where it is one of REST.
fn of_name(file: &str, test: &str, message: &str) -> RecordedMessage {
    let asked = file.contains("rest_api").then(|| format!("test/{test}"));
    RecordedMessage { asked, text: message.trim().to_owned() }
}

/// Numbers that a script leaves open.
fn filled(text: &str) -> String {
    let mut parts = text.split('|');
    let mut out = parts.next().unwrap_or_default().to_owned();
    while let Some(name) = parts.next() {
        out.push_str(if name == "1" || name == "*" || name == "id" { "1" } else { name });
        out.push_str(parts.next().unwrap_or_default());
    }
    out
}

/// What is answered and said in a script. A message goes on until the next mark at the start of a line.
fn script(text: &str) -> Vec<RecordedMessage> {
    let mut found: Vec<RecordedMessage> = Vec::new();
    let mut heard = false;
    for line in text.lines() {
        if let Some(mark) = line.chars().next().filter(|c| matches!(c, '>' | '<' | '=')) {
            heard = mark != '>';
            if heard {
                found.push(RecordedMessage { asked: None, text: String::new() });
            }
            // Of several sockets the mark is followed by the number of one.
            let rest = line[1..].trim_start_matches(|c: char| c.is_ascii_digit());
            if let (true, Some(last)) = (heard, found.last_mut()) {
                last.text.push_str(&filled(rest));
            }
        } else if let (true, Some(last)) = (heard, found.last_mut()) {
            last.text.push('\n');
            last.text.push_str(&filled(line));
        }
    }
    for message in &mut found {
        message.text = message.text.trim().to_owned();
    }
    found.retain(|message| !message.text.is_empty());
    found
}

/// The answer of a script of REST.
fn answer_script(text: &str) -> Result<Vec<RecordedMessage>, String> {
    let mut lines = text.lines();
    let method = lines.next().unwrap_or_default().trim_start_matches('\u{feff}').trim();
    if !matches!(method, "GET" | "POST" | "PUT" | "DELETE") {
        return Err(format!("it begins with `{method}`, not with a method"));
    }
    let asked = lines.next().unwrap_or_default().trim().to_owned();
    let signed = lines.next().unwrap_or_default();
    if !matches!(signed.trim(), "true" | "false") {
        return Err("it does not say whether it is signed".to_owned());
    }
    let text = lines.collect::<Vec<_>>().join("\n");
    // The path of Hyperliquid says nothing: its answers are told apart by their shape.
    let asked = if asked == "/info" { info_of(&text).to_owned() } else { asked };
    Ok(vec![RecordedMessage { asked: Some(asked), text: text.trim().to_owned() }])
}

/// What was asked of Hyperliquid, by the shape of the answer.
fn info_of(answer: &str) -> &'static str {
    let has = |names: &[&str]| names.iter().all(|name| answer.contains(&format!("\"{name}\"")));
    match () {
        () if has(&["fundingRate", "premium"]) => "/info/fundingHistory",
        () if has(&["universe", "szDecimals"]) && !has(&["tokens"]) => "/info/meta",
        () if has(&["levels", "coin"]) => "/info/l2Book",
        () => "/info",
    }
}

/// What was asked of Hyperliquid.
#[derive(Deserialize)]
struct InfoAsked {
    #[serde(rename = "type")]
    kind: String,
}

/// The answers of a cassette, each with what was asked.
fn cassette(text: &str) -> Result<Vec<RecordedMessage>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, from_body)) = rest.split_once("    body: '") {
        let (sent, after) = quoted(from_body)?;
        let (_, from_answer) = after.split_once("      string: '").ok_or("a request without an answer")?;
        let (answer, after) = quoted(from_answer)?;
        let sent: InfoAsked = serde_json::from_str(&sent).map_err(|e| format!("a request: {e}"))?;
        found.push(RecordedMessage { asked: Some(format!("/info/{}", sent.kind)), text: answer });
        rest = after;
    }
    Ok(found)
}

/// A text in single quotes, up to the one that closes it: two are one, and a break of the line is a space.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut at = 0;
    loop {
        let next = text[at..].find('\'').ok_or("a text without an end")?;
        at += next;
        if !text[at + 1..].starts_with('\'') {
            break;
        }
        at += 2;
    }
    let lines = text[..at].lines().map(str::trim).collect::<Vec<_>>().join(" ");
    Ok((lines.replace("''", "'"), &text[at + 1..]))
}

/// A line of a log: an answer with its address, or a message of a socket with its moment.
fn logged(line: &str) -> Option<RecordedMessage> {
    if line.starts_with("http") {
        let (address, answer) = line.split_once(" -> ")?;
        let (_, text) = answer.split_once(": ")?;
        return Some(RecordedMessage { asked: Some(address.to_owned()), text: text.to_owned() });
    }
    let (moment, text) = line.split_once(' ')?;
    let is_moment = moment.trim_end_matches(':').parse::<f64>().is_ok();
    is_moment.then(|| RecordedMessage { asked: None, text: text.to_owned() })
}

/// A document, or one a line.
fn documents(name: &str, text: &str) -> Vec<RecordedMessage> {
    if let Ok(routes) = serde_json::from_str::<Routes>(text) {
        return routes.messages();
    }
    // The name says what was asked where the file is an answer.
    let file = name.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
    let asked = file.split_once("http_").map(|(_, rest)| {
        let kind = rest.trim_start_matches("json__").trim_end_matches("_response");
        let words = ["futures_market_", "spot_market_"];
        let kind = words.iter().find_map(|w| kind.strip_prefix(w)).unwrap_or(kind);
        match kind {
            "server_time" => "/time".to_owned(),
            _ if kind.contains("l2_book") => "/l2Book".to_owned(),
            _ if kind.starts_with("meta_") => "/meta".to_owned(),
            _ if kind.contains("combo") => format!("/{kind}"),
            _ if kind.starts_with("get_instrument") => "/get_instruments".to_owned(),
            _ => format!("/{kind}"),
        }
    });
    let is_one = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let of = |text: &str| RecordedMessage { asked: asked.clone(), text: text.trim().to_owned() };
    if is_one {
        return vec![of(text)];
    }
    text.lines().filter(|line| !line.trim().is_empty()).map(of).collect()
}

/// Answers by path and method.
#[derive(Deserialize)]
struct Routes {
    routes: BTreeMap<String, BTreeMap<String, Vec<RouteAnswer>>>,
}

#[derive(Deserialize)]
struct RouteAnswer {
    data: Option<Box<RawValue>>,
}

impl Routes {
    fn messages(self) -> Vec<RecordedMessage> {
        let mut found = Vec::new();
        for (path, methods) in self.routes {
            for answer in methods.into_values().flatten().filter_map(|answer| answer.data) {
                found.push(RecordedMessage { asked: Some(path.clone()), text: answer.get().to_owned() });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(name: &str, text: &str) -> Vec<(Option<String>, String)> {
        messages(name, text).unwrap().into_iter().map(|m| (m.asked, m.text)).collect()
    }

    #[test]
    fn a_script_has_what_is_heard_and_not_what_is_sent() {
        let text = "> {\"id\": \"|1|\"}\n< { \"result\": null, \"id\": |1| }\n= \n{\n  \"stream\": \"x\",\n\"data\": 1\n}\n>2 {}\n=2 {\"id\": |*|}\n";
        let found = texts("a.txt", text);
        assert_eq!(
            found.iter().map(|(_, t)| t.as_str()).collect::<Vec<_>>(),
            ["{ \"result\": null, \"id\": 1 }", "{\n  \"stream\": \"x\",\n\"data\": 1\n}", "{\"id\": 1}"]
        );
        let answer = texts("a.txt", "GET\n/fapi/v1/time\nfalse\n{\n}\n");
        assert_eq!(answer, [(Some("/fapi/v1/time".to_owned()), "{\n}".to_owned())]);
        assert!(messages("a.txt", "TAKE\n/x\nfalse\n{}").unwrap_err().contains("TAKE"));
    }

    #[test]
    fn a_cassette_has_answers_with_what_was_asked() {
        let text = "- request:\n    body: '{\"type\": \"meta\",\n      \"x\": 1}'\n  response:\n    body:\n      string: '{\"a\": \"it''s\"}'\n";
        assert_eq!(texts("a.yaml", text), [(Some("/info/meta".to_owned()), "{\"a\": \"it's\"}".to_owned())]);
    }

    #[test]
    fn a_log_has_addresses_and_moments() {
        let text = "https://x/api/v3/depth?symbol=A -> 1.5: {\"a\":1}\nwss://x <- 1.5: {}\n1633998512.06: {\"b\":2}\n1723161255030314667 {\"c\":3}\nconfiguration: {}\n";
        let found = texts("a.gz", text);
        assert_eq!(found[0], (Some("https://x/api/v3/depth?symbol=A".to_owned()), "{\"a\":1}".to_owned()));
        assert_eq!(found[1..], [(None, "{\"b\":2}".to_owned()), (None, "{\"c\":3}".to_owned())]);
        assert_eq!(
            ask_of(found[0].0.as_deref().unwrap()),
            Some(RestAsk::Depth { symbol: "SYMBOL".to_owned() })
        );
        assert_eq!(ask_of("/fapi/v1/markPriceKlines"), None);
    }

    #[test]
    fn what_is_read_is_told_from_what_is_passed_over_and_refused() {
        let codec = codec_of("binance").unwrap();
        let of = |asked: Option<&str>, text: &str| {
            outcome(
                codec.as_ref(),
                &RecordedMessage { asked: asked.map(str::to_owned), text: text.to_owned() },
            )
        };
        assert_eq!(of(Some("/api/v3/time"), "{\"serverTime\":1}"), RecordedOutcome::Understood);
        assert_eq!(
            of(Some("/api/v3/avgPrice"), "{\"x\":1}"),
            RecordedOutcome::PassedOver("answer: /api/v3/avgPrice".to_owned())
        );
        assert!(matches!(of(Some("/api/v3/avgPrice"), "{\"x\":1e40}"), RecordedOutcome::Refused(_)));
        assert!(matches!(of(Some("/api/v3/time"), "{}"), RecordedOutcome::Refused(_)));
        assert_eq!(of(None, "{\"result\":null,\"id\":3}"), RecordedOutcome::Understood);
        assert!(codec_of("mtgox").is_none());
    }
}
