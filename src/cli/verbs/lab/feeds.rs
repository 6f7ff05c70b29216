//! The feeds of one experiment: the one of `--feed` with the options of the market, and those of `--and`, each with
//! days of its own if it names some.

use crate::cli::failure::Failure;
use crate::cli::options::RunOptions;

/// A feed as it was written, without the days that it names.
#[derive(Debug, Default, PartialEq)]
struct NamedFeed {
    feed: String,
    from: Option<String>,
    to: Option<String>,
}

/// Takes `from=DATE` and `to=DATE` out of `FEED?kind=margin&from=DATE&to=DATE`; what else is there is the feed's.
fn named(text: &str) -> NamedFeed {
    let Some((path, options)) = text.rsplit_once('?') else {
        return NamedFeed { feed: text.to_owned(), ..NamedFeed::default() };
    };
    let mut named = NamedFeed::default();
    let mut rest: Vec<&str> = Vec::new();
    for option in options.split('&') {
        match option.split_once('=') {
            Some(("from", date)) => named.from = Some(date.to_owned()),
            Some(("to", date)) => named.to = Some(date.to_owned()),
            _ => rest.push(option),
        }
    }
    named.feed = if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) };
    named
}

/// The options of a further feed: days where it names none, clock, costs and seeds are those of the first; what only
/// one kind of market takes goes where it belongs.
pub fn further(first: &RunOptions, text: &str) -> Result<RunOptions, Failure> {
    let NamedFeed { feed, from, to } = named(text);
    if feed.is_empty() {
        return Err(Failure::Usage("--and names no feed; write it as --feed takes it".to_owned()));
    }
    let synth = feed == "synth" || feed.starts_with("synth?");
    let to = to.or_else(|| first.to.clone());
    Ok(RunOptions {
        from: from.or_else(|| first.from.clone()),
        days: first.days.filter(|_| synth && to.is_none()),
        world: first.world.clone().filter(|_| synth),
        to,
        assets: None,
        funding: None,
        feed,
        ..first.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_may_carry_its_own_days() {
        let of = |feed: &str, from: Option<&str>, to: Option<&str>| NamedFeed {
            feed: feed.to_owned(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        };
        let day = Some("2021-04-04");
        for (text, wanted) in [
            ("history:a.csv.gz", of("history:a.csv.gz", None, None)),
            ("history:a.csv.gz?kind=margin", of("history:a.csv.gz?kind=margin", None, None)),
            ("history:a.csv.gz?kind=margin&from=2021-04-04", of("history:a.csv.gz?kind=margin", day, None)),
            ("history:a.csv.gz?from=2021-04-04&kind=perp", of("history:a.csv.gz?kind=perp", day, None)),
            ("tape:a.tape?from=2021-04-04&to=2022-01-01", of("tape:a.tape", day, Some("2022-01-01"))),
            ("synth?detail=5d&step=1m", of("synth?detail=5d&step=1m", None, None)),
        ] {
            assert_eq!(named(text), wanted, "{text}");
        }
    }
}
