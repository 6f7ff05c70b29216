//! Which live market is asked for: `binance:usdm?assets=BTC,ETH`.

use crate::domain::Span;
use std::fmt;

/// Assets where none are named: those that have been traded most, and longest.
const ASSETS: [&str; 8] = ["BTC", "ETH", "SOL", "XRP", "BNB", "DOGE", "ADA", "LINK"];
/// Days of history where none are asked for: enough for every indicator of the rosters that are shipped.
const DAYS: u32 = 180;
/// Most days of history.
const DAYS_MAX: u32 = 3_650;
/// Most assets: what a venue lets one machine subscribe to with room to spare.
const ASSETS_MAX: usize = 64;

/// A venue whose market is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveVenue {
    /// Binance, perpetual futures that are settled in USDT.
    BinanceUsdm,
}

impl LiveVenue {
    /// All of them.
    pub const ALL: [LiveVenue; 1] = [LiveVenue::BinanceUsdm];

    /// How a feed names it.
    pub fn text(self) -> &'static str {
        match self {
            LiveVenue::BinanceUsdm => "binance:usdm",
        }
    }

    /// Where it listens: its sockets, and its requests.
    pub fn urls(self) -> (&'static str, &'static str) {
        match self {
            LiveVenue::BinanceUsdm => ("wss://fstream.binance.com", "https://fapi.binance.com"),
        }
    }

    /// What its prices are in, and is taken for the account's currency.
    pub fn quote(self) -> &'static str {
        match self {
            LiveVenue::BinanceUsdm => "USDT",
        }
    }

    /// Lengths of bars that it has, longest first.
    pub fn bars(self) -> &'static [Span] {
        const BARS: [Span; 12] = [
            Span(Span::DAY.0),
            Span(12 * Span::HOUR.0),
            Span(8 * Span::HOUR.0),
            Span(6 * Span::HOUR.0),
            Span(4 * Span::HOUR.0),
            Span(2 * Span::HOUR.0),
            Span(Span::HOUR.0),
            Span::seconds(30 * 60),
            Span::seconds(15 * 60),
            Span::seconds(5 * 60),
            Span::seconds(3 * 60),
            Span::seconds(60),
        ];
        &BARS
    }
}

impl fmt::Display for LiveVenue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// A live market.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveSpec {
    /// Where it is.
    pub venue: LiveVenue,
    /// Assets that are followed, sorted by name.
    pub assets: Vec<String>,
    /// Days of history before now.
    pub days: u32,
    /// How often quotes and marks are told.
    pub quotes: Span,
    /// Where the venue listens instead of where it does: sockets, requests.
    pub urls: (Option<String>, Option<String>),
    /// Seconds at the venue in a second here; other than 1 for simulated venues alone.
    pub rate: f64,
}

impl Eq for LiveSpec {}

impl LiveSpec {
    /// Reads `binance:usdm?assets=BTC,ETH&days=90`; none if it is of no venue that is known here.
    pub fn parse(text: &str) -> Option<Result<Self, String>> {
        let (name, options) = text.split_once('?').unwrap_or((text, ""));
        let venue = LiveVenue::ALL.into_iter().find(|v| v.text() == name)?;
        Some(Self::with_options(venue, options))
    }

    fn with_options(venue: LiveVenue, options: &str) -> Result<Self, String> {
        let assets = ASSETS.iter().map(|a| (*a).to_owned()).collect();
        let quotes = Span::seconds(1);
        let mut spec = LiveSpec { venue, assets, days: DAYS, quotes, urls: (None, None), rate: 1.0 };
        for option in options.split('&').filter(|o| !o.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            match key {
                "assets" => spec.assets = value.split([',', '+']).map(|a| a.trim().to_uppercase()).collect(),
                "days" => {
                    let days = value.parse().ok().filter(|d| (1..=DAYS_MAX).contains(d));
                    spec.days = days.ok_or_else(|| format!("days={value}: write 1 to {DAYS_MAX}"))?;
                }
                "quotes" => {
                    let every = Span::parse(value).filter(|s| s.0 > 0);
                    spec.quotes = every.ok_or_else(|| format!("quotes={value}: write a time, such as 1s"))?;
                }
                "sockets" => spec.urls.0 = Some(value.to_owned()),
                "requests" => spec.urls.1 = Some(value.to_owned()),
                "rate" => {
                    let rate = value.strip_suffix('x').unwrap_or(value).parse().ok();
                    let rate = rate.filter(|r: &f64| r.is_finite() && (1.0..=3_600.0).contains(r));
                    spec.rate = rate.ok_or_else(|| format!("rate={value}: write 1x to 3600x"))?;
                }
                _ => {
                    return Err(format!(
                        "{option:?} is no option of it; there are assets=BTC,ETH, days=180, quotes=1s, sockets=URL, \
                         requests=URL and, for simulated venues, rate=60x"
                    ));
                }
            }
        }
        spec.assets.sort();
        spec.assets.dedup();
        let is_name = |a: &String| !a.is_empty() && a.chars().all(|c| c.is_ascii_alphanumeric());
        if let Some(bad) = spec.assets.iter().find(|a| !is_name(a)) {
            return Err(format!("{bad:?} is no name of an asset; write assets=BTC,ETH"));
        }
        if spec.assets.len() > ASSETS_MAX {
            return Err(format!(
                "{} assets are more than the {ASSETS_MAX} that are followed",
                spec.assets.len()
            ));
        }
        Ok(spec)
    }

    /// Takes the address of a venue in place of its own: `ws://` and `wss://` for its sockets, `http://` and `https://` for its
    /// requests.
    pub fn at(mut self, url: &str) -> Result<Self, String> {
        let place = match url.split_once("://") {
            Some(("ws" | "wss", _)) => &mut self.urls.0,
            Some(("http" | "https", _)) => &mut self.urls.1,
            _ => {
                return Err(format!(
                    "{url:?}: write wss://HOST for its sockets, https://HOST for its requests"
                ));
            }
        };
        *place = Some(url.to_owned());
        Ok(self)
    }

    /// Its name in reports and on its tape.
    pub fn name(&self) -> String {
        format!("{} {}", self.venue, self.assets.join(" "))
    }

    /// Length of the bars that are followed with a decision clock: the longest that it is made of.
    pub fn bar(&self, clock: Span) -> Option<Span> {
        self.venue.bars().iter().copied().find(|bar| bar.0 <= clock.0 && clock.0 % bar.0 == 0)
    }

    /// Where its sockets and its requests go.
    pub fn urls(&self) -> (String, String) {
        let (sockets, requests) = self.venue.urls();
        let or = |own: &Option<String>, venue: &str| own.clone().unwrap_or_else(|| venue.to_owned());
        (or(&self.urls.0, sockets), or(&self.urls.1, requests))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<LiveSpec, String> {
        LiveSpec::parse(text).expect("a venue that is known")
    }

    #[test]
    fn a_line_names_a_market() {
        let plain = read("binance:usdm").unwrap();
        assert_eq!((plain.days, plain.assets.len(), plain.rate), (180, 8, 1.0));
        let some = read("binance:usdm?assets=eth,BTC,ETH&days=30&quotes=5s").unwrap();
        assert_eq!((some.name().as_str(), some.days), ("binance:usdm BTC ETH", 30));
        assert_eq!(some.quotes, Span::seconds(5));
        assert_eq!(some.urls().0, "wss://fstream.binance.com");
        let other =
            read("binance:usdm?sockets=ws://127.0.0.1:9&requests=http://127.0.0.1:8&rate=60x").unwrap();
        assert_eq!(other.urls(), ("ws://127.0.0.1:9".to_owned(), "http://127.0.0.1:8".to_owned()));
        assert_eq!(other.rate, 60.0);
        let at =
            read("binance:usdm").unwrap().at("ws://127.0.0.1:9").unwrap().at("http://127.0.0.1:8").unwrap();
        assert_eq!(at.urls(), other.urls());
        assert!(at.at("127.0.0.1:9").unwrap_err().contains("wss://HOST"));
        assert!(LiveSpec::parse("history:x").is_none() && LiveSpec::parse("binance:spot").is_none());
    }

    #[test]
    fn what_it_does_not_know_is_named() {
        for (text, why) in [
            ("binance:usdm?asset=BTC", "assets=BTC,ETH"),
            ("binance:usdm?assets=", "no name"),
            ("binance:usdm?assets=BTC/USDT", "BTC/USDT"),
            ("binance:usdm?days=0", "1 to 3650"),
            ("binance:usdm?quotes=x", "such as 1s"),
            ("binance:usdm?rate=0.5x", "1x to 3600x"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn bars_are_the_longest_that_the_clock_is_made_of() {
        let spec = read("binance:usdm").unwrap();
        let hours = |n: i64| Span(n * Span::HOUR.0);
        for (clock, bar) in
            [(hours(4), hours(4)), (hours(3), hours(1)), (hours(24), hours(24)), (hours(48), hours(24))]
        {
            assert_eq!(spec.bar(clock), Some(bar), "{clock}");
        }
        assert_eq!(spec.bar(Span::seconds(30)), None);
    }
}
