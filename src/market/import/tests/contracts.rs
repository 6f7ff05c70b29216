//! Chains that are snapshots, continuous futures, closes of another market, bars of one length.

use super::*;
use std::fmt::Write as _;

const HEAD: &str = "instrument_name,timestamp,underlying_price,index_price,mark_price,mark_iv,best_bid_price,best_bid_amount,best_ask_price,best_ask_amount\n";

fn quotes(made: &ImportedFiles, symbol: &str) -> Vec<(i64, f64)> {
    let id = made.id(symbol, InstrumentKind::Option);
    let quote = |e: &MarketEvent| match *e {
        MarketEvent::Quote { instrument, at, bid, .. } if instrument == id => {
            Some((at.0 / 1_000_000_000 - 1_590_103_000, bid))
        }
        _ => None,
    };
    made.events.iter().filter_map(quote).collect()
}

#[test]
fn a_snapshot_of_a_chain_is_told_when_it_is_whole_and_stands_for_a_second() {
    let rows = "BTC-22MAY20-9000-C,1590103100000,9096,9095,0.0212,85,0.02,9,0.023,8\n\
                BTC-22MAY20-9000-P,1590103160000,9097,9095,0.0212,85,0.03,9,0.033,8\n";
    let made = import(&[("btc_chain.csv", &format!("{HEAD}{rows}"))]);
    assert_eq!(quotes(&made, "BTC-22MAY20-9000-C"), [(160, 0.02), (161, 0.02)]);
    assert_eq!(quotes(&made, "BTC-22MAY20-9000-P"), [(160, 0.03), (161, 0.03)]);
    assert_eq!((made.files[0].rows, made.files[0].findings.unsorted.count), (2, 0));
    let notes = &made.written.header.notes;
    assert!(notes.iter().any(|n| n.contains("each option stands once, read within 1m")), "{notes:?}");
}

#[test]
fn a_chain_whose_options_come_again_is_told_row_by_row() {
    let rows = "BTC-22MAY20-9000-C,1590103100000,9096,9095,0.0212,85,0.02,9,0.023,8\n\
                BTC-22MAY20-9000-P,1590103101000,9097,9095,0.0212,85,0.03,9,0.033,8\n\
                BTC-22MAY20-9000-C,1590103160000,9096,9095,0.0212,85,0.021,9,0.023,8\n\
                BTC-22MAY20-9000-P,1590103161000,9097,9095,0.0212,85,0.031,9,0.033,8\n";
    let made = import(&[("btc_chain.csv", &format!("{HEAD}{rows}"))]);
    assert_eq!(quotes(&made, "BTC-22MAY20-9000-C"), [(100, 0.02), (160, 0.021)]);
    assert_eq!(quotes(&made, "BTC-22MAY20-9000-P"), [(101, 0.03), (161, 0.031)]);
}

#[test]
fn a_continuous_future_is_its_contracts_beside_the_closes_of_spot() {
    let future = "Date,Adj Close\n2018-01-24,11100\n2018-01-25,11200\n2018-01-26,10925.37\n2018-01-29,11170\n\
                  2018-01-30,-5\n2018-03-12,9000\n";
    // Hours around 15:00 in Chicago: 21:00 UTC in winter, 20:00 in summer.
    let mut spot = String::from("date,open,high,low,close,volume\n");
    let days =
        [("2018-01-24", 11_000), ("2018-01-25", 11_100), ("2018-01-27", 11_050), ("2018-03-12", 8_900)];
    for (day, price) in days {
        for hour in 18..22 {
            let (low, high) = (price - 9, price + 9);
            let _ = writeln!(spot, "{day} {hour}:00:00,{price},{high},{low},{},7", price + hour - 20);
        }
    }
    let settings =
        ImportSettings { name: "carry".to_owned(), closes: Some(Closes::Cme), ..ImportSettings::default() };
    let made = made(&settings, &[("x/BTC_F.csv", future), ("x/BTCUSDT_1h.csv", &spot)]).unwrap();
    let id = |month: &str| made.id(month, InstrumentKind::Future);
    let [january, february, march] = ["BTC201801", "BTC201802", "BTC201803"].map(id);
    let expiry = t("2018-01-26T16:00:00Z");
    assert_eq!(made.universe().instruments[january.index()].terms, ContractTerms::Future { expiry });
    assert_eq!(made.universe().instruments[january.index()].venue, "cme");
    let stamps = |id| made.bars(id).into_iter().map(|(at, b)| (at, b.open, b.close)).collect::<Vec<_>>();
    assert_eq!(
        stamps(january),
        [(t("2018-01-24T21:00:00Z"), 11_100.0, 11_100.0), (t("2018-01-25T21:00:00Z"), 11_200.0, 11_200.0)]
    );
    assert_eq!(stamps(february), [(t("2018-01-29T21:00:00Z"), 11_170.0, 11_170.0)]);
    assert_eq!(stamps(march), [(t("2018-03-12T20:00:00Z"), 9_000.0, 9_000.0)]);
    // The final settlement is the row of the last day, once; of the others no price is near their end.
    let settled: Vec<&MarketEvent> =
        made.events.iter().filter(|e| matches!(e, MarketEvent::Settled { .. })).collect();
    assert_eq!(settled, [&MarketEvent::Settled { instrument: january, at: expiry, price: 10_925.37 }]);
    // Of spot what closes then, the bar of 20:00 in winter and of 19:00 in summer, as one price; on a Saturday CME settles nothing.
    let btc = made.id("BTCUSDT", InstrumentKind::Margin);
    assert_eq!(
        stamps(btc),
        [
            (t("2018-01-24T21:00:00Z"), 11_000.0, 11_000.0),
            (t("2018-01-25T21:00:00Z"), 11_100.0, 11_100.0),
            (t("2018-03-12T20:00:00Z"), 8_899.0, 8_899.0),
        ]
    );
    // With all that was traded since: three hours of the first day, four and four of the days after it.
    let volumes: Vec<f64> = made.bars(btc).into_iter().map(|(_, b)| b.volume).collect();
    assert_eq!(volumes, [21.0, 28.0, 7.0 * (1.0 + 4.0 + 2.0)]);
    assert_eq!(made.written.report.bad_rows, 1);
    let why = super::made(&settings, &[("x/CL_F.csv", future)]).unwrap_err().to_string();
    assert!(why.contains("CL_F") && why.contains("known is BTC_F"), "{why}");
}

#[test]
fn of_a_folder_with_bars_of_two_lengths_one_is_taken() {
    let hours = "date,close\n2021-01-01 00:00:00,1\n2021-01-01 01:00:00,1\n2021-01-01 02:00:00,1\n";
    let days = "date,close\n2021-01-01,1\n2021-01-02,1\n2021-01-03,1\n";
    let files = [("BTCUSDT_1h.csv", hours), ("BTCUSDT_1d.csv", days), ("ETHUSDT_1h.csv", hours)];
    for (bar, symbols, count) in
        [(Span::DAY, vec!["BTCUSDT"], 3), (Span::HOUR, vec!["BTCUSDT", "ETHUSDT"], 6)]
    {
        let settings = ImportSettings { bar: Some(bar), ..ImportSettings::default() };
        let made = made(&settings, &files).unwrap();
        let named: Vec<&str> = made.universe().instruments.iter().map(|i| i.symbol.as_str()).collect();
        assert_eq!((named, made.events.len()), (symbols, count));
        let left = made.files.iter().filter(|f| f.notes.iter().any(|n| n.contains("left out"))).count();
        assert_eq!(left, 3 - made.written.header.files.len());
    }
}
