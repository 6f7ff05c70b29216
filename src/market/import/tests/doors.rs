//! The law of the door: a market is the same by both ways in, and as one file, cut in time or by symbol. Every format is played.

use super::*;
use crate::domain::Event;
use crate::market::Feed;
use crate::market::history::{self, HistorySettings};
use crate::market::tape::{TapeFeed, TapeSettings};

/// A file of a sample: its name, what stands before its rows, and the rows, each with the part that it goes to when the file is
/// cut by symbol.
struct SampleFile {
    name: &'static str,
    head: &'static str,
    rows: Vec<(u8, String)>,
}

/// A market of one format, and how its files can be cut.
struct DoorSample {
    file: SampleFile,
    /// What stands beside it, whole.
    beside: Option<(&'static str, String)>,
    clock: Span,
    in_time: bool,
    by_symbol: bool,
}

impl SampleFile {
    fn text(&self, rows: &[&String]) -> String {
        let lines: Vec<&str> = rows.iter().map(|r| r.as_str()).collect();
        if self.name.contains(".json") {
            return format!("[{}]", lines.join(","));
        }
        format!("{}{}\n", self.head, lines.join("\n"))
    }
}

impl DoorSample {
    /// The ways in which it can lie on a disk; first the plain one.
    fn sets(&self) -> Vec<Vec<(String, String)>> {
        let file = &self.file;
        let rows: Vec<&(u8, String)> = file.rows.iter().collect();
        let of = |rows: &[&(u8, String)]| file.text(&rows.iter().map(|r| &r.1).collect::<Vec<_>>());
        let two = |one: &[&(u8, String)], other: &[&(u8, String)]| {
            vec![(format!("a/{}", file.name), of(one)), (format!("b/{}", file.name), of(other))]
        };
        let mut sets = vec![vec![(format!("a/{}", file.name), of(&rows))]];
        if self.in_time {
            let (early, late) = rows.split_at(rows.len() / 2);
            sets.push(two(early, late));
            sets.push(two(late, early));
        }
        if self.by_symbol {
            let (one, other): (Vec<_>, Vec<_>) = rows.iter().copied().partition(|r| r.0 == 0);
            sets.push(two(&one, &other));
            sets.push(two(&other, &one));
        }
        for set in &mut sets {
            set.extend(self.beside.iter().map(|(name, text)| ((*name).to_owned(), text.clone())));
        }
        sets
    }
}

/// Hours or days, of two symbols each.
fn two(n: i64, every: Span, row: impl Fn(Stamp, u8, f64) -> String) -> Vec<(u8, String)> {
    let one = |k: i64, part: u8| {
        let price = f64::from(1 + part) * (100.0 + 8.0 * libm::sin(k as f64 / 9.0));
        (part, row(t("2024-01-01").after(Span(k * every.0)), part, price))
    };
    (0..n).flat_map(|k| [one(k, 0), one(k, 1)]).collect()
}

fn one(rows: Vec<(u8, String)>) -> Vec<(u8, String)> {
    rows.into_iter().filter(|r| r.0 == 0).collect()
}

const COINS: [&str; 2] = ["BTC", "ETH"];
const BARS: &str = "timestamp,symbol,open,high,low,close,volume\n";

fn bars() -> Vec<(u8, String)> {
    two(60, Span::HOUR, |at, part, p| {
        format!(
            "{at},{}USDT,{p},{},{},{},{}",
            COINS[usize::from(part)],
            p * 1.01,
            p * 0.99,
            p * 1.002,
            10.0 + p
        )
    })
}

fn text_of(head: &str, rows: &[(u8, String)]) -> String {
    rows.iter().fold(head.to_owned(), |all, (_, row)| all + row + "\n")
}

fn ms(at: Stamp) -> i64 {
    at.0 / 1_000_000
}

// A table of samples, one a format.
#[allow(clippy::too_many_lines)]
fn sample(format: ImportFormat) -> DoorSample {
    use ImportFormat::*;
    let of = |name, head, rows, in_time, by_symbol| DoorSample {
        file: SampleFile { name, head, rows },
        beside: None,
        clock: Span(4 * Span::HOUR.0),
        in_time,
        by_symbol,
    };
    let coin = |part: u8| COINS[usize::from(part)];
    match format {
        Ohlcv => of("panel_1h.csv", BARS, bars(), true, true),
        Funding => DoorSample {
            beside: Some(("c/perp_1h.csv", text_of(BARS, &bars()))),
            ..of(
                "funding.csv",
                "timestamp,symbol,rate\n",
                two(7, Span(8 * Span::HOUR.0), |at, part, p| format!("{at},{}USDT,{}", coin(part), p * 1e-6)),
                true,
                true,
            )
        },
        SpotPerp => of(
            "okx_SOL_1h.csv",
            "timestamp,open_perp_okx,high_perp_okx,low_perp_okx,close_perp_okx,volume_perp_okx,open_spot_okx,high_spot_okx,\
             low_spot_okx,close_spot_okx,volume_spot_okx,mark_price_okx,funding_rate_raw_okx\n",
            one(two(48, Span::HOUR, |at, _, p| {
                format!("{at},{p},{p},{p},{p},8,{p},{p},{p},{p},9,{p},0.0001")
            })),
            true,
            false,
        ),
        LeanTrades => of(
            "future_cme_hour/es_trade_202406.csv",
            "",
            one(two(48, Span::HOUR, |at, _, p| {
                let text = at.to_string();
                format!("{} {},{p},{p},{p},{p},5", text[..10].replace('-', ""), &text[11..16])
            })),
            true,
            false,
        ),
        LeanQuotes => of(
            "future_cme_hour/es_quote_202406.csv",
            "",
            one(two(48, Span::HOUR, |at, _, p| {
                let text = at.to_string();
                let (day, ask) = (text[..10].replace('-', ""), p + 1.0);
                format!("{day} {},{p},{p},{p},{p},3,{ask},{ask},{ask},{ask},4", &text[11..16])
            })),
            true,
            false,
        ),
        LeanOptions => DoorSample {
            clock: Span::DAY,
            ..of(
                "option_usa_universes_aapl_20240109.csv",
                "#expiry,strike,right,open,high,low,close,volume,open_interest,implied_volatility\n",
                [
                    ",,,92,93,91,92.5,100,,",
                    "20240613,90,C,3,3.5,2.5,3,7,1,0.25",
                    "20240613,85,P,1,1,1,1,0,,0.4",
                ]
                .map(|row| (0, row.to_owned()))
                .into(),
                // Each day is a file of its own, and has its underlying in it.
                false,
                false,
            )
        },
        BinanceMessages => of(
            "binance/spot.log",
            "",
            one(two(40, Span::HOUR, |at, part, p| {
                let s = coin(part);
                let buys = ms(at) % 2 == 0;
                format!(
                    "{} {{\"stream\":\"x@trade\",\"data\":{{\"e\":\"trade\",\"E\":1,\"s\":\"{s}USDT\",\"t\":1,\"p\":\"{p}\",\"q\":\"0.5\",\"T\":1,\"m\":{buys},\"M\":true}}}}",
                    at.0
                )
            })),
            true,
            // A recording is of one symbol.
            false,
        ),
        HyperliquidMessages => of(
            "hl.log",
            "",
            two(40, Span::HOUR, |at, part, p| {
                format!(
                    "{} {{\"channel\":\"l2Book\",\"data\":{{\"coin\":\"{}\",\"time\":1,\"levels\":[[{{\"n\":5,\"px\":\"{p}\",\"sz\":\"3\"}}],[{{\"n\":1,\"px\":\"{}\",\"sz\":\"2\"}}]]}}}}",
                    at.0,
                    coin(part),
                    p + 1.0
                )
            }),
            true,
            true,
        ),
        TardisTrades => of(
            "trades.csv",
            "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n",
            two(40, Span::HOUR, |at, part, p| {
                let us = at.0 / 1_000;
                format!(
                    "binance,{}USDT,{us},{},7,{},{p},0.5",
                    coin(part),
                    us + 5_000,
                    ["buy", "sell"][usize::from(part)]
                )
            }),
            true,
            true,
        ),
        TardisQuotes => of(
            "quotes.csv",
            "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n",
            two(40, Span::HOUR, |at, part, p| {
                let us = at.0 / 1_000;
                format!("binance-futures,{}USDT,{us},{},3,{},{p},2", coin(part), us + 5_000, p + 1.0)
            }),
            true,
            true,
        ),
        TardisBooks => of(
            "book_snapshot_5.csv",
            "exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,asks[1].price,\
             asks[1].amount,bids[1].price,bids[1].amount\n",
            two(40, Span::HOUR, |at, part, p| {
                let us = at.0 / 1_000;
                format!("binance,{}USDT,{us},{},{},3,{p},2,{},4,,", coin(part), us + 5_000, p + 1.0, p + 2.0)
            }),
            true,
            true,
        ),
        DeribitChain => of(
            "chain.csv",
            "instrument_name,timestamp,underlying_price,index_price,mark_price,mark_iv,best_bid_price,best_bid_amount,best_ask_price,best_ask_amount\n",
            two(1, Span::HOUR, |at, part, _| {
                format!("{}-22MAY26-9250-P,{},9096,9095,0.0212,85,0.02,9,0.023,8", coin(part), ms(at))
            }),
            // A snapshot is a file.
            false,
            true,
        ),
        DeribitSummary => of(
            "options/summary.csv",
            "mid_price,creation_timestamp,estimated_delivery_price,underlying_price,mark_price,ask_price,bid_price,instrument_name\n",
            two(1, Span::HOUR, |at, part, _| {
                format!("0.0007,{},2200,2241,0.00085,0.001,0.0004,{}-26JAN26-1200-P", ms(at), coin(part))
            }),
            false,
            true,
        ),
        Front => DoorSample {
            clock: Span::DAY,
            ..of(
                "BTC_F.csv",
                "Date,Adj Close\n",
                one(two(24, Span::DAY, |at, _, p| format!("{},{p}", &at.to_string()[..10]))),
                true,
                false,
            )
        },
        Dvol => DoorSample {
            beside: Some(("c/panel_1h.csv", text_of(BARS, &bars()))),
            ..of(
                "dvol_btc.json",
                "",
                one(two(6, Span::DAY, |at, _, p| format!("[{}, {p}]", ms(at)))),
                true,
                false,
            )
        },
        PoolMinutes => of(
            "polygon-0x45dda9cb7c25131df268515131f647d726f50608-2024-01-01.minute.csv",
            "timestamp,netAmount0,netAmount1,closeTick,inAmount0,inAmount1,currentLiquidity\n",
            one(two(90, Span(Span::MINUTE.0), |at, _, p| {
                format!("{at},0,0,20{:04},1000000000,1000000000000000000,2402545990706448841", p as i64)
            })),
            true,
            false,
        ),
        Gas => DoorSample {
            beside: Some((
                "c/ethereum-0x82c427adfdf2d245ec51d8046b41c4ee87f0d29c-2024-01-01.minute.csv",
                text_of(
                    "timestamp,closeTick,inAmount0,inAmount1,currentLiquidity\n",
                    &one(two(90, Span(Span::MINUTE.0), |at, _, _| {
                        format!("{at},29256.0,0,0,3457417610809793205050")
                    })),
                ),
            )),
            ..of(
                "gas_price.csv",
                "block_timestamp,gas_price\n",
                one(two(90, Span(Span::MINUTE.0), |at, _, p| format!("{at},{p}"))),
                true,
                false,
            )
        },
        Prices => DoorSample {
            clock: Span(15 * Span::MINUTE.0),
            ..of(
                "price_weth_usdc.csv",
                ",WETH,USDC\n",
                one(two(90, Span(Span::MINUTE.0), |at, _, p| format!("{at},{p},1"))),
                true,
                false,
            )
        },
        Swaps => {
            let (weth, usdc) =
                ("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48");
            let rows = two(60, Span(Span::MINUTE.0), |at, part, p| {
                let block = 12_634_825 + at.since(t("2024-01-01")).0 / Span::MINUTE.0;
                format!("UniswapV2Pair,{block}.0,0x{part}abcdef0123,{usdc},{}000000,{weth},1e18,", p as i64)
            });
            of(
                "swaps.csv",
                "abi_name,block_number,contract_address,token_in_address,token_in_amount,token_out_address,token_out_amount,error\n",
                rows,
                true,
                true,
            )
        }
        PoolDays => DoorSample {
            clock: Span::DAY,
            ..of(
                "pool_data.csv",
                "date,tvlUSD,volumeUSD,feesUSD,pool_id,pool_name\n",
                two(20, Span::DAY, |at, part, p| {
                    let pool = ["BUSD_USDC_05", "USDT_USDC_05"][usize::from(part)];
                    format!(
                        "{},400000,{}000,75,0x{part}0cef0386ed94d738c8f8a74e8bfd0376926d24c,{pool}",
                        &at.to_string()[..10],
                        p as i64
                    )
                }),
                true,
                true,
            )
        },
    }
}

/// What is played, and what it is known by.
fn played_by(mut feed: TapeFeed) -> (String, Universe, Vec<Event>) {
    let events = std::iter::from_fn(|| feed.next().unwrap()).collect();
    (feed.info().data_hash.clone(), feed.universe().clone(), events)
}

#[test]
fn a_market_is_the_same_by_both_doors_whole_and_in_parts() {
    for format in ImportFormat::ALL {
        let sample = sample(*format);
        let mut right = None;
        for set in sample.sets() {
            let names: Vec<&str> = set.iter().map(|f| f.0.as_str()).collect();
            let files = || -> Vec<Box<dyn SourceFile>> {
                set.iter().map(|(n, t)| Box::new(Text::new(n, t.as_bytes())) as Box<dyn SourceFile>).collect()
            };
            let settings =
                HistorySettings { name: "x".to_owned(), clock: sample.clock, ..HistorySettings::default() };
            let by_history = history::open(&settings, files(), None, Box::new(Vec::new()))
                .unwrap_or_else(|e| panic!("{format} {names:?}: {e}"));
            let mut sources = files();
            let settings = ImportSettings { name: "x".to_owned(), ..ImportSettings::default() };
            let found = survey(&settings, &mut sources).unwrap();
            assert!(found.files.iter().any(|f| f.format == Some(*format)), "{format} {names:?}");
            let (written, bytes) = found.write(&sources, Vec::new()).unwrap();
            let settings = TapeSettings { clock: sample.clock, window: Window::default() };
            let by_tape = TapeFeed::open(&settings, &Text::new("x.tape", bytes)).unwrap();
            assert_eq!(by_tape.info().data_hash, written.data_hash, "{format}");
            let (by_history, by_tape) = (played_by(by_history), played_by(by_tape));
            assert!(by_history.2.len() > 4, "{format}: {:?}", by_history.2);
            assert!(by_history == by_tape, "{format} {names:?} by both doors");
            let right = right.get_or_insert_with(|| by_history.clone());
            assert_eq!(by_history.1, right.1, "{format} {names:?}");
            let differs = by_history.2.iter().zip(&right.2).find(|(one, other)| one != other);
            assert_eq!((differs, by_history.2.len()), (None, right.2.len()), "{format} {names:?}");
            assert_eq!(by_history.0, right.0, "{format} {names:?}");
        }
    }
}

#[test]
fn other_data_has_another_hash() {
    let hash = |text: String| {
        let source: Box<dyn SourceFile> = Box::new(Text::new("panel_1h.csv", text.into_bytes()));
        let settings =
            HistorySettings { name: "x".to_owned(), clock: Span::HOUR, ..HistorySettings::default() };
        history::open(&settings, vec![source], None, Box::new(Vec::new())).unwrap().info().data_hash.clone()
    };
    let rows = bars();
    let right = hash(text_of(BARS, &rows));
    assert_eq!(right, hash(text_of(BARS, &rows).replace("timestamp,symbol", "Date,Ticker")));
    for n in [0, 1, 59, rows.len() - 1] {
        let mut other = rows.clone();
        let (row, volume) = other[n].1.rsplit_once(',').unwrap();
        other[n].1 = format!("{row},{}", volume.parse::<f64>().unwrap() + 1.0);
        assert_ne!(hash(text_of(BARS, &other)), right, "row {n}");
        other.remove(n);
        assert_ne!(hash(text_of(BARS, &other)), right, "without row {n}");
    }
    assert_ne!(hash(text_of(BARS, &rows).replace("ETHUSDT", "SOLUSDT")), right);
}
