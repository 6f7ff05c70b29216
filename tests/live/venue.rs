//! A venue on this machine: Binance's futures as anybody sees them, over real sockets. It is written from the venue's
//! documentation and shares no code with what is tested: prices, requests, answers and messages are its own text.
//!
//! Its market is a function of symbol and moment, so that whoever asks can be told what every bar was.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept_hdr};

/// Where the venue's time begins: 2026-06-01T00:00:00Z, in milliseconds.
const BEGIN: i64 = 1_780_272_000_000;
/// Settlements of funding every so many minutes.
pub const FUNDING_MINUTES: i64 = 10;
const MINUTE: i64 = 60_000;

/// What goes wrong, in milliseconds of the venue's time after it was opened, or in what is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// All sockets are cut.
    Flap(i64),
    /// Nothing is sent or read on a path from … to, and nobody is told.
    HalfOpen(&'static str, i64, i64),
    /// A symbol is not spoken of from … to.
    SilentSymbol(usize, i64, i64),
    /// The close of the bar of a symbol that ends at this minute is not told.
    LostClose(usize, i64),
    /// Every close is told twice from … to.
    Repeats(i64, i64),
    /// The bid of a symbol is above its offer from … to.
    Crossed(usize, i64, i64),
    /// The venue says that it shuts down, and cuts.
    Shutdown(i64),
    /// Requests are answered with this status from … to; 0: the link is cut.
    Requests(u16, i64, i64),
    /// Messages come byte by byte from … to.
    Bytes(i64, i64),
    /// A message of eight megabytes.
    Oversized(i64),
    /// Something that is no message.
    Garbage(i64),
    /// A symbol is first listed then: it has no bars before, and nobody speaks of it.
    ListedAt(usize, i64),
}

/// The venue.
pub struct Venue {
    inner: Arc<Inner>,
    sockets: SocketAddr,
    requests: SocketAddr,
}

struct Inner {
    begun: Instant,
    /// Milliseconds of the venue's time in one here.
    rate: f64,
    symbols: usize,
    faults: Vec<Fault>,
    stop: AtomicBool,
    /// Grows with each cut of all sockets.
    cuts: AtomicU64,
    /// Requests by path, and what was refused.
    asked: Mutex<BTreeMap<String, u64>>,
}

/// A price in cents, as text.
fn text(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// The price of a symbol at a moment, in cents: waves of its own, and a little chance.
fn price(symbol: usize, at: i64) -> i64 {
    let n = symbol as f64 + 1.0;
    let minutes = (at - BEGIN) as f64 / MINUTE as f64;
    let wave = 0.020 * (minutes / (37.0 + 3.0 * n)).sin() + 0.007 * (minutes / (7.3 + n)).sin();
    let mut z = (at as u64 / 500).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (symbol as u64) << 17;
    z = (z ^ (z >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let chance = ((z >> 40) % 1_001) as f64 / 1_000.0 - 0.5;
    (10_000.0 * n * (1.0 + wave + 0.001 * chance)) as i64
}

/// What a bar was: open, high, low, close in cents, and thousandths of units.
pub fn bar(symbol: usize, open_at: i64, length: i64) -> [i64; 5] {
    const PARTS: i64 = 12;
    let prices: Vec<i64> = (0..=PARTS).map(|i| price(symbol, open_at + length * i / PARTS)).collect();
    let volume = 1_000 + (open_at / MINUTE) % 977 + 31 * symbol as i64;
    [prices[0], *prices.iter().max().unwrap(), *prices.iter().min().unwrap(), prices[PARTS as usize], volume]
}

/// How an asset is called: A00, A01, …
pub fn asset(symbol: usize) -> String {
    format!("A{symbol:02}")
}

fn symbol_of(name: &str) -> Option<usize> {
    name.strip_prefix(['A', 'a'])?.get(..2)?.parse().ok().filter(|_| name.len() == 7)
}

impl Inner {
    fn now(&self) -> i64 {
        BEGIN + 400 * 24 * 60 * MINUTE + self.since()
    }

    /// Milliseconds since it was opened, by its own time.
    fn since(&self) -> i64 {
        (self.begun.elapsed().as_secs_f64() * 1e3 * self.rate) as i64
    }

    fn is(&self, what: impl Fn(&Fault) -> Option<(i64, i64)>) -> bool {
        let since = self.since();
        self.faults.iter().filter_map(what).any(|(from, to)| (from..to).contains(&since))
    }

    /// First moment at which a symbol is listed.
    fn listed(&self, symbol: usize) -> i64 {
        let opened = self.now() - self.since();
        let listed = self.faults.iter().find_map(|f| match f {
            Fault::ListedAt(s, at) if *s == symbol => Some(opened + at),
            _ => None,
        });
        listed.map_or(i64::MIN, |at| at.div_euclid(MINUTE) * MINUTE)
    }

    fn kline(&self, symbol: usize, open_at: i64, length: i64) -> Option<[i64; 5]> {
        (open_at >= self.listed(symbol)).then(|| bar(symbol, open_at, length))
    }
}

impl Venue {
    /// Opens a venue with so many symbols.
    pub fn open(symbols: usize, rate: f64, faults: Vec<Fault>) -> Venue {
        let inner = Arc::new(Inner {
            begun: Instant::now(),
            rate,
            symbols,
            faults,
            stop: AtomicBool::new(false),
            cuts: AtomicU64::new(0),
            asked: Mutex::default(),
        });
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (sockets, requests) = (listen(), listen());
        let addresses = (sockets.local_addr().unwrap(), requests.local_addr().unwrap());
        let of = Arc::clone(&inner);
        std::thread::spawn(move || each(&sockets, &of, speak));
        let of = Arc::clone(&inner);
        std::thread::spawn(move || each(&requests, &of, answer));
        let of = Arc::clone(&inner);
        std::thread::spawn(move || cut(&of));
        Venue { inner, sockets: addresses.0, requests: addresses.1 }
    }

    /// The feed that follows some of its assets.
    pub fn feed(&self, assets: &[usize], more: &str) -> String {
        let names: Vec<String> = assets.iter().map(|n| asset(*n)).collect();
        let (sockets, requests, rate) = (self.sockets, self.requests, self.inner.rate);
        format!(
            "binance:usdm?assets={}&sockets=ws://{sockets}&requests=http://{requests}&rate={rate}x{more}",
            names.join(",")
        )
    }

    /// Its time, in milliseconds.
    pub fn now(&self) -> i64 {
        self.inner.now()
    }

    /// When it was opened, by its own time.
    pub fn opened(&self) -> i64 {
        self.inner.now() - self.inner.since()
    }

    /// How often it was asked for a path.
    pub fn asked(&self, path: &str) -> u64 {
        self.inner.asked.lock().unwrap().get(path).copied().unwrap_or(0)
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        self.inner.stop.store(true, Ordering::Relaxed);
        // Whoever waits for the next link is let go.
        let _ = (TcpStream::connect(self.sockets), TcpStream::connect(self.requests));
    }
}

fn each(on: &TcpListener, inner: &Arc<Inner>, serve: fn(&Inner, &TcpStream)) {
    for stream in on.incoming().map_while(Result::ok) {
        if inner.stop.load(Ordering::Relaxed) {
            return;
        }
        let of = Arc::clone(inner);
        std::thread::spawn(move || serve(&of, &stream));
    }
}

/// Cuts all sockets when it is time.
fn cut(inner: &Inner) {
    let mut due: Vec<i64> =
        inner.faults.iter().filter_map(|f| if let Fault::Flap(at) = f { Some(*at) } else { None }).collect();
    due.sort_unstable();
    for at in due {
        while inner.since() < at && !inner.stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(2));
        }
        inner.cuts.fetch_add(1, Ordering::Relaxed);
    }
}

/// Requests of one link, one after the other.
fn answer(inner: &Inner, stream: &TcpStream) {
    let mut out = stream;
    let mut lines = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if lines.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut header = String::new();
        while lines.read_line(&mut header).unwrap_or(0) > 2 {
            header.clear();
        }
        let Some(target) = first.split(' ').nth(1) else { return };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        *inner.asked.lock().unwrap().entry(path.to_owned()).or_default() += 1;
        let broken = inner.faults.iter().find_map(|f| match f {
            Fault::Requests(status, from, to) if (*from..*to).contains(&inner.since()) => Some(*status),
            _ => None,
        });
        let (status, body) = match broken {
            Some(0) => return,
            Some(429) => (
                "429 Too Many Requests",
                r#"{"code":-1003,"msg":"Too many requests; current limit is 2400."}"#.to_owned(),
            ),
            Some(_) => (
                "503 Service Unavailable",
                r#"{"code":-1008,"msg":"Request throttled by system-level protection."}"#.to_owned(),
            ),
            None => match asked(inner, path, query) {
                Ok(body) => ("200 OK", body),
                Err(body) => ("400 Bad Request", body),
            },
        };
        let more = if status.starts_with("429") { "Retry-After: 1\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{more}Content-Length: {}\r\n\r\n",
            body.len()
        );
        if out.write_all(head.as_bytes()).and_then(|()| out.write_all(body.as_bytes())).is_err() {
            return;
        }
    }
}

fn refused(code: i32, what: &str) -> String {
    format!(r#"{{"code":{code},"msg":"{what}"}}"#)
}

fn asked(inner: &Inner, path: &str, query: &str) -> Result<String, String> {
    let of = |key: &str| {
        let mut pairs = query.split('&').filter_map(|p| p.split_once('='));
        pairs.find(|(k, _)| *k == key).map(|(_, v)| v.to_owned())
    };
    let number = |key: &str| of(key).and_then(|v| v.parse::<i64>().ok());
    let symbol = || {
        let known = of("symbol").as_deref().and_then(symbol_of).filter(|n| *n < inner.symbols);
        known.ok_or_else(|| refused(-1121, "Invalid symbol."))
    };
    match path {
        "/fapi/v1/time" => Ok(format!(r#"{{"serverTime":{}}}"#, inner.now())),
        "/fapi/v1/exchangeInfo" => Ok(listing(inner)),
        "/fapi/v1/klines" => {
            let n = symbol()?;
            if of("interval").as_deref() != Some("1m") {
                return Err(refused(-1120, "Invalid interval."));
            }
            let limit = number("limit").unwrap_or(500);
            if !(1..=1_500).contains(&limit) {
                return Err(refused(-1130, "Data sent for parameter 'limit' is not valid."));
            }
            let first =
                (number("startTime").unwrap_or(0).max(inner.listed(n)) + MINUTE - 1).div_euclid(MINUTE);
            let last = number("endTime").unwrap_or(i64::MAX).min(inner.now()).div_euclid(MINUTE);
            let rows = (first..=last).take(limit as usize).filter_map(|m| {
                let ([open, high, low, close, volume], at) =
                    (inner.kline(n, m * MINUTE, MINUTE)?, m * MINUTE);
                Some(format!(
                    r#"[{at},"{}","{}","{}","{}","{}.{:03}",{},"0.0",7,"0.0","0.0","0"]"#,
                    text(open),
                    text(high),
                    text(low),
                    text(close),
                    volume / 1_000,
                    volume % 1_000,
                    at + MINUTE - 1
                ))
            });
            Ok(format!("[{}]", rows.collect::<Vec<_>>().join(",")))
        }
        "/fapi/v1/fundingRate" => {
            let n = symbol()?;
            let every = FUNDING_MINUTES * MINUTE;
            let first = (number("startTime").unwrap_or(0).max(inner.listed(n)) + every - 1).div_euclid(every);
            let last = number("endTime").unwrap_or(i64::MAX).min(inner.now()).div_euclid(every);
            let limit = number("limit").unwrap_or(100).min(1_000);
            let rows = (first..=last).take(limit as usize).map(|k| {
                let at = k * every;
                let mark = text(price(n, at));
                format!(r#"{{"symbol":"{}USDT","fundingTime":{at},"fundingRate":"0.00001000","markPrice":"{mark}"}}"#, asset(n))
            });
            Ok(format!("[{}]", rows.collect::<Vec<_>>().join(",")))
        }
        _ => Err(refused(-5000, "Path is invalid")),
    }
}

fn listing(inner: &Inner) -> String {
    let symbol = |n: usize| {
        let name = asset(n);
        format!(
            r#"{{"symbol":"{name}USDT","pair":"{name}USDT","contractType":"PERPETUAL","deliveryDate":4133404800000,"onboardDate":1569398400000,"status":"TRADING","baseAsset":"{name}","quoteAsset":"USDT","marginAsset":"USDT","pricePrecision":2,"quantityPrecision":3,"underlyingType":"COIN","filters":[{{"filterType":"PRICE_FILTER","minPrice":"0.01","maxPrice":"1000000","tickSize":"0.01"}},{{"filterType":"LOT_SIZE","minQty":"0.001","maxQty":"1000","stepSize":"0.001"}},{{"filterType":"MARKET_LOT_SIZE","minQty":"0.001","maxQty":"120","stepSize":"0.001"}},{{"filterType":"MIN_NOTIONAL","notional":"5"}}],"orderTypes":["LIMIT","MARKET"],"timeInForce":["GTC","IOC","FOK","GTX"]}}"#
        )
    };
    let symbols: Vec<String> = (0..inner.symbols).map(symbol).collect();
    format!(
        r#"{{"timezone":"UTC","serverTime":{},"futuresType":"U_MARGINED","rateLimits":[],"exchangeFilters":[],"assets":[],"symbols":[{}]}}"#,
        inner.now(),
        symbols.join(",")
    )
}

/// A link that is written to byte by byte where that is wanted.
struct Wire {
    stream: TcpStream,
    in_bytes: Arc<AtomicBool>,
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.stream.read(into)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.in_bytes.load(Ordering::Relaxed) {
            return self.stream.write(&bytes[..bytes.len().min(1)]);
        }
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

/// One socket: what is subscribed is spoken of until it is cut.
fn speak(inner: &Inner, stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let in_bytes = Arc::new(AtomicBool::new(false));
    let wire = Wire { stream: stream.try_clone().unwrap(), in_bytes: Arc::clone(&in_bytes) };
    let mut path = String::new();
    // The shape of the callback is the library's.
    #[allow(clippy::result_large_err)]
    let seen = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        request.uri().path().clone_into(&mut path);
        if ["/public/stream", "/market/stream"].contains(&path.as_str()) {
            return Ok(response);
        }
        let mut none = ErrorResponse::new(None);
        *none.status_mut() = tokio_tungstenite::tungstenite::http::StatusCode::NOT_FOUND;
        Err(none)
    };
    let Ok(mut socket) = accept_hdr(wire, seen) else { return };
    let _ = stream.set_read_timeout(Some(Duration::from_millis(4)));
    let mut speaker = Speaker { inner, path, streams: Vec::new(), told: inner.now(), once: Vec::new() };
    let cuts = inner.cuts.load(Ordering::Relaxed);
    while !inner.stop.load(Ordering::Relaxed) && inner.cuts.load(Ordering::Relaxed) == cuts {
        let is_deaf = inner.is(|f| match f {
            Fault::HalfOpen(on, from, to) if speaker.path.starts_with(on) => Some((*from, *to)),
            _ => None,
        });
        if is_deaf {
            speaker.told = inner.now();
            std::thread::sleep(Duration::from_millis(4));
            continue;
        }
        in_bytes.store(
            inner.is(|f| if let Fault::Bytes(from, to) = f { Some((*from, *to)) } else { None }),
            Ordering::Relaxed,
        );
        if !speaker.hear(&mut socket) || !speaker.tell(&mut socket) {
            break;
        }
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

struct Speaker<'a> {
    inner: &'a Inner,
    path: String,
    /// Symbol and kind: `kline_1m`, `bookTicker`, `markPrice@1s`.
    streams: Vec<(usize, String)>,
    /// Until when everything was told.
    told: i64,
    /// Faults that come once and came.
    once: Vec<Fault>,
}

impl Speaker<'_> {
    /// Reads what is asked; false where the link is over.
    fn hear(&mut self, socket: &mut WebSocket<Wire>) -> bool {
        let text = match socket.read() {
            Ok(Message::Text(text)) => text.to_string(),
            Ok(Message::Close(_)) => return false,
            Ok(_) => return true,
            Err(tokio_tungstenite::tungstenite::Error::Io(e))
                if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                return true;
            }
            Err(_) => return false,
        };
        let Ok(asked) = serde_json::from_str::<serde_json::Value>(&text) else { return false };
        for param in asked["params"].as_array().into_iter().flatten().filter_map(|p| p.as_str()) {
            let Some((symbol, kind)) = param.split_once('@') else { continue };
            // What a path does not carry is acknowledged too, and silent.
            let carried =
                if self.path.starts_with("/public") { kind == "bookTicker" } else { kind != "bookTicker" };
            if let (Some(n), true) = (symbol_of(symbol).filter(|n| *n < self.inner.symbols), carried) {
                self.streams.push((n, kind.to_owned()));
            }
        }
        socket.send(Message::text(format!(r#"{{"result":null,"id":{}}}"#, asked["id"]))).is_ok()
    }

    /// Tells what has happened since it was told last; false where the link is over.
    fn tell(&mut self, socket: &mut WebSocket<Wire>) -> bool {
        let (now, since) = (self.inner.now(), self.inner.since());
        if now - self.told < 500 {
            return true;
        }
        let from = std::mem::replace(&mut self.told, now);
        for fault in self.inner.faults.iter().filter(|f| !self.once.contains(f)).cloned().collect::<Vec<_>>()
        {
            let passed = |at: i64| at <= since && at > since - 30_000;
            let sent = match fault {
                Fault::Shutdown(at) if passed(at) => {
                    let _ = socket.send(Message::text(format!(r#"{{"e":"serverShutdown","E":{now}}}"#)));
                    let _ = socket.close(None);
                    let _ = socket.flush();
                    return false;
                }
                Fault::Oversized(at) if passed(at) => socket.send(Message::text("x".repeat(8 << 20))),
                Fault::Garbage(at) if passed(at) => socket.send(Message::text("{\"e\":\"kline\",\"k\":[}")),
                _ => continue,
            };
            self.once.push(fault);
            if sent.is_err() {
                return false;
            }
        }
        let mut all = Vec::new();
        for (n, kind) in &self.streams {
            let n = *n;
            let is_silent = self.inner.is(|f| match f {
                Fault::SilentSymbol(s, from, to) if *s == n => Some((*from, *to)),
                _ => None,
            });
            if !is_silent && now >= self.inner.listed(n) {
                self.messages(n, kind, (from, now), &mut all);
            }
        }
        all.into_iter().all(|text| socket.send(Message::text(text)).is_ok())
    }

    fn messages(&self, n: usize, kind: &str, (from, now): (i64, i64), into: &mut Vec<String>) {
        let (name, lower) = (format!("{}USDT", asset(n)), format!("{}usdt", asset(n).to_lowercase()));
        let wrapped = |data: String| format!(r#"{{"stream":"{lower}@{kind}","data":{data}}}"#);
        match kind {
            "bookTicker" => {
                let mid = price(n, now);
                let is_crossed = self.inner.is(|f| match f {
                    Fault::Crossed(s, from, to) if *s == n => Some((*from, *to)),
                    _ => None,
                });
                let (bid, ask) = if is_crossed { (mid + 50, mid - 50) } else { (mid - 1, mid + 1) };
                into.push(wrapped(format!(
                    r#"{{"e":"bookTicker","u":{now},"s":"{name}","b":"{}","B":"5.000","a":"{}","A":"6.000","T":{now},"E":{now}}}"#,
                    text(bid), text(ask)
                )));
            }
            "markPrice@1s" => {
                let next = (now / (FUNDING_MINUTES * MINUTE) + 1) * FUNDING_MINUTES * MINUTE;
                let mark = text(price(n, now));
                into.push(wrapped(format!(
                    r#"{{"e":"markPriceUpdate","E":{now},"s":"{name}","p":"{mark}","i":"{mark}","P":"{mark}","r":"0.00001000","T":{next}}}"#
                )));
            }
            _ => {
                let (closed, open) = (now.div_euclid(MINUTE) * MINUTE, from.div_euclid(MINUTE) * MINUTE);
                if closed > open {
                    let since = self.inner.since();
                    let minute = (closed - (now - since)) / MINUTE;
                    let is_lost = self.inner.faults.contains(&Fault::LostClose(n, minute));
                    let repeats = self
                        .inner
                        .is(|f| if let Fault::Repeats(from, to) = f { Some((*from, *to)) } else { None });
                    for _ in 0..if is_lost { 0 } else { 1 + usize::from(repeats) } {
                        into.push(wrapped(candle(n, &name, closed - MINUTE, true, now)));
                    }
                }
                into.push(wrapped(candle(n, &name, closed, false, now)));
            }
        }
    }
}

fn candle(n: usize, name: &str, open_at: i64, is_closed: bool, now: i64) -> String {
    let [open, high, low, close, volume] = if is_closed {
        bar(n, open_at, MINUTE)
    } else {
        let (first, last) = (price(n, open_at), price(n, now));
        [first, first.max(last), first.min(last), last, 500]
    };
    let mut text_of = String::new();
    let _ = write!(
        text_of,
        r#"{{"e":"kline","E":{now},"s":"{name}","k":{{"t":{open_at},"T":{},"s":"{name}","i":"1m","f":100,"L":200,"o":"{}","c":"{}","h":"{}","l":"{}","v":"{}.{:03}","n":100,"x":{is_closed},"q":"1.0","V":"0.5","Q":"0.5","B":"0"}}}}"#,
        open_at + MINUTE - 1,
        text(open),
        text(close),
        text(high),
        text(low),
        volume / 1_000,
        volume % 1_000
    );
    text_of
}
