//! What venues say in public, in one vocabulary. Prices and quantities are exact; what they become is decided by who
//! hears them.

use crate::domain::{ContractTerms, Decimal, InstrumentKind, PriceStep, Span, Stamp};

/// A price, and the quantity that stands or stood there.
pub type PriceLevel = (Decimal, Decimal);

/// One thing that a venue has said. Quantities are as the venue counts them: base units, or its contracts where
/// [`InstrumentRules::contract`] is not 1.
#[derive(Clone, Debug, PartialEq)]
pub enum PublicEvent {
    /// A bar, whole or still growing.
    Kline(Kline),
    /// Somebody took what another had offered.
    Trade(PublicTrade),
    /// The best bid and offer.
    Quote(BestQuote),
    /// What margin and funding are computed with.
    Mark(MarkPrice),
    /// A settlement of funding that has happened.
    Funding(FundingSettlement),
    /// A book, whole or what has changed of it.
    Book(BookUpdate),
    /// An option, quoted in volatility.
    Implied(ImpliedQuote),
    /// An index of implied volatility.
    VolatilityIndex {
        /// Of which asset, in capitals.
        asset: String,
        /// When it was published.
        at: Stamp,
        /// Per year, as a fraction.
        value: Decimal,
    },
    /// The trading rules of instruments.
    Rules(Vec<InstrumentRules>),
    /// A request was accepted. Binance acknowledges streams too that its path does not carry.
    Ack {
        /// The request's number, as text; empty where the venue repeats the request instead.
        id: String,
    },
    /// A request was refused.
    Refused {
        /// The request's number, as text; empty where there is none.
        id: String,
        /// The venue's number for the reason.
        code: i64,
        /// The venue's words, at most [`TEXT_MAX`] characters of them.
        text: String,
    },
    /// The answer to an own ping in the venue's own words.
    Pong,
    /// The venue asks whether somebody is there, and cuts the link if it hears nothing.
    TestRequest,
    /// The venue's clock.
    ServerTime(Stamp),
    /// The venue is about to cut this link: connect anew at once.
    Shutdown,
    /// Something that nothing here is made of.
    Other {
        /// What the venue calls it.
        kind: String,
    },
}

/// Most characters of a venue's own words that are kept.
pub const TEXT_MAX: usize = 200;

/// A bar as the venue counts it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kline {
    /// As the venue writes it, such as `BTCUSDT`.
    pub symbol: String,
    /// Length of the bar; zero where it is a month, which has none.
    pub interval: Span,
    /// The open of the bar: its first moment.
    pub open_at: Stamp,
    /// When it was said: the event's own stamp, or of history the moment at which the bar ends.
    pub at: Stamp,
    /// First price of the bar.
    pub open: Decimal,
    /// Highest price of the bar.
    pub high: Decimal,
    /// Lowest price of the bar.
    pub low: Decimal,
    /// Last price so far.
    pub close: Decimal,
    /// Base units that were traded (contracts where the venue counts those).
    pub volume: Decimal,
    /// Quote currency that was traded, where the venue says so.
    pub quote_volume: Option<Decimal>,
    /// Whether it is whole. A venue without such a word (Hyperliquid) leaves it to the clock of who hears it: false.
    pub closed: bool,
}

/// A trade that everybody sees.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicTrade {
    /// As the venue writes it.
    pub symbol: String,
    /// When it was made.
    pub at: Stamp,
    /// At this price.
    pub price: Decimal,
    /// What changed hands.
    pub size: Decimal,
    /// Whether the taker bought.
    pub buys: bool,
    /// Of no other trade of the symbol.
    pub id: u64,
}

/// The best bid and offer. A side of which nothing is left has neither price nor size.
#[derive(Clone, Debug, PartialEq)]
pub struct BestQuote {
    /// As the venue writes it.
    pub symbol: String,
    /// When it was quoted; none where the venue does not say (Binance spot).
    pub at: Option<Stamp>,
    /// Best bid with its size.
    pub bid: Option<PriceLevel>,
    /// Best offer with its size.
    pub ask: Option<PriceLevel>,
    /// Number of the update of the book that it belongs to, where the venue says so (Binance `u`).
    pub update: Option<u64>,
}

/// Mark, index and the funding that is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkPrice {
    /// As the venue writes it.
    pub symbol: String,
    /// When it was marked; none where the venue does not say (Hyperliquid).
    pub at: Option<Stamp>,
    /// The venue's mark.
    pub mark: Decimal,
    /// The index behind it.
    pub index: Option<Decimal>,
    /// Fraction of notional that longs will pay to shorts at the next settlement, as of now.
    pub funding_rate: Option<Decimal>,
    /// When that is, where the venue says so.
    pub next_funding: Option<Stamp>,
}

/// Funding that was paid.
#[derive(Clone, Debug, PartialEq)]
pub struct FundingSettlement {
    /// As the venue writes it.
    pub symbol: String,
    /// When it was settled.
    pub at: Stamp,
    /// Fraction of notional that longs paid to shorts.
    pub rate: Decimal,
    /// The mark that it was computed with, where the venue says so.
    pub mark: Option<Decimal>,
}

/// A book, whole or what has changed of it. A size is what stands at the price now; zero: nothing any more.
#[derive(Clone, Debug, PartialEq)]
pub struct BookUpdate {
    /// As the venue writes it.
    pub symbol: String,
    /// When it changed; none where the venue does not say (a snapshot of Binance spot).
    pub at: Option<Stamp>,
    /// Number of the first change in it.
    pub first_id: u64,
    /// Number of the last change in it.
    pub last_id: u64,
    /// Number of the last change of the update before, where the venue says so.
    pub previous_id: Option<u64>,
    /// It is the whole book (or its best prices), not a change of one.
    pub snapshot: bool,
    /// Bids, best first in a snapshot.
    pub bids: Vec<PriceLevel>,
    /// Offers, best first in a snapshot.
    pub asks: Vec<PriceLevel>,
}

/// What an option is quoted at. Volatilities are per year, as fractions; prices in the instrument's own quote, which
/// of an inverse option is the asset.
#[derive(Clone, Debug, PartialEq)]
pub struct ImpliedQuote {
    /// As the venue writes it, such as `BTC-27DEC24-100000-C`.
    pub symbol: String,
    /// When it was quoted.
    pub at: Stamp,
    /// The venue's mark of its price.
    pub mark: Decimal,
    /// Volatility at the mark.
    pub mark_iv: Decimal,
    /// Volatility at the best bid, where there is one.
    pub bid_iv: Option<Decimal>,
    /// Volatility at the best offer, where there is one.
    pub ask_iv: Option<Decimal>,
    /// Price of the underlying at its expiry, that the volatilities are computed with.
    pub forward: Decimal,
    /// The index of the asset.
    pub index: Option<Decimal>,
    /// Best bid with its size.
    pub bid: Option<PriceLevel>,
    /// Best offer with its size.
    pub ask: Option<PriceLevel>,
    /// Contracts that are open.
    pub open_interest: Option<Decimal>,
}

/// The trading rules of an instrument.
#[derive(Clone, Debug, PartialEq)]
pub struct InstrumentRules {
    /// As the venue writes it.
    pub symbol: String,
    /// The asset, in the venue's own writing (`kPEPE` is a thousand of them).
    pub base: String,
    /// What prices are in.
    pub quote: String,
    /// How it is listed.
    pub kind: InstrumentKind,
    /// Its expiry and strike, where it has them.
    pub terms: ContractTerms,
    /// How its prices are stepped.
    pub tick: PriceStep,
    /// Smallest step of a quantity, as the venue counts it.
    pub lot: Decimal,
    /// Smallest order in quote currency; zero where the venue has no such rule.
    pub min_notional: Decimal,
    /// Base units in what the venue counts; of an inverse contract the quote currency in one (see `inverse`).
    pub contract: Decimal,
    /// Contracts are of so much quote currency and are paid in the asset.
    pub inverse: bool,
    /// Whether it can be traded.
    pub status: TradingStatus,
}

/// Whether an instrument can be traded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TradingStatus {
    /// Orders are taken.
    Trading,
    /// They are not, or not all of them, in the venue's word.
    Restricted(String),
}
