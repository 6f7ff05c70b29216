//! Law 10: a limit on everything, with a name.

use crate::recorded::history;
use hive_domain::Span;
use hive_market::source::Window;
use hive_market::{Feed, FeedReport};

#[test]
fn law10_of_bad_rows_the_first_are_named_and_the_rest_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("BTC_USDT-1h.csv");
    let mut rows = String::from("timestamp,open,high,low,close,volume\n");
    for hour in 0..200 {
        let close = if hour % 4 == 3 { "nonsense" } else { "10" };
        rows += &[&(1_704_067_200 + hour * 3_600).to_string(), ",10,10,10,", close, ",5\n"].concat();
    }
    std::fs::write(&path, rows).unwrap();
    let mut feed = history(&path, None, None, Span::HOUR, Window::default());
    while feed.next().unwrap().is_some() {}
    let report = feed.report();
    assert_eq!((report.bad_rows, report.first_bad.len()), (50, FeedReport::NAMED));
}
