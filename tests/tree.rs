//! A folder as people have them: five hundred files of many kinds, some damaged, foreign, empty or there twice. Every one of them is
//! named with a verdict, what would change money is refused, and the rest is one market by both doors, in little memory.

use crate::cli::hand::program;
use crate::data::Ran;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Kilobytes of addresses that the program may have: the program itself, and what files make it hold.
const MEMORY_KB: u32 = 700_000;
const HOURS: i64 = 72;

struct Tree {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
    /// Names of all files that were written, below the folder.
    names: BTreeSet<String>,
}

impl Tree {
    fn write(&mut self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.folder.path().join("tree").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        assert!(self.names.insert(name.to_owned()), "{name} twice");
    }

    /// Runs the program in little memory.
    fn run(&self, args: &[&str]) -> Ran {
        let limited = format!("ulimit -v {MEMORY_KB}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("HIVE_")) {
            command.env_remove(name);
        }
        command.arg("-c").arg(limited).arg(program()).args(args);
        command.env("XDG_STATE_HOME", self.home.path()).current_dir(self.folder.path()).stdin(Stdio::null());
        let done = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: done.status.code(), out: text(done.stdout), err: text(done.stderr) }
    }

    fn run_of(&self, feed: &str) -> Value {
        let summary = self.home.path().join("s.json");
        let ran = self.run(&[
            "backtest",
            "--feed",
            feed,
            "--clock",
            "4h",
            "--scouts",
            "4",
            "--quiet",
            "--summary",
            summary.to_str().unwrap(),
        ]);
        assert_eq!(ran.code, Some(0), "{feed}: {ran:?}");
        serde_json::from_slice(&std::fs::read(summary).unwrap()).unwrap()
    }
}

fn moment(h: i64) -> i64 {
    1_704_067_200 + h * 3_600
}

fn bar(h: i64, n: i64) -> [String; 6] {
    let wave = |h: i64| (20 + n) as f64 * (1.0 + 0.05 * ((h + n) as f64 / 11.0).sin());
    let (open, close) = (wave(h), wave(h + 1));
    let (high, low) = (open.max(close) * 1.002, open.min(close) * 0.998);
    let price = |x: f64| format!("{x:.4}");
    [moment(h).to_string(), price(open), price(high), price(low), price(close), format!("{}", 1_000 + h % 7)]
}

fn bars(n: i64, separator: &str, head: &str) -> String {
    (0..HOURS)
        .fold(format!("{}\n", head.replace(',', separator)), |all, h| all + &bar(h, n).join(separator) + "\n")
}

fn lists(n: i64) -> String {
    let rows: Vec<String> = (0..HOURS).map(|h| format!("[{}]", bar(h, n).join(","))).collect();
    format!("[{}]", rows.join(","))
}

fn objects(n: i64, between: &str) -> String {
    let names = ["time", "open", "high", "low", "close", "volume"];
    let one = |h: i64| -> String {
        let cells: Vec<String> = names.iter().zip(bar(h, n)).map(|(k, v)| format!("\"{k}\":{v}")).collect();
        format!("{{{}}}", cells.join(","))
    };
    (0..HOURS).map(one).collect::<Vec<_>>().join(between)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

fn symbol(n: i64) -> String {
    let letter = |k: i64| char::from(b'A' + (k % 26) as u8);
    format!("{}{}{}Q", letter(n / 26), letter(n), letter(n * 7 + 3))
}

/// What can be read, in every way in which bars lie on disks.
fn readable(tree: &mut Tree) {
    const HEAD: &str = "time,open,high,low,close,volume";
    for n in 0..300 {
        let name = format!("bars/{}/{}USDT-1h", n % 7, symbol(n));
        match n % 8 {
            0 | 1 => tree.write(&format!("{name}.csv"), bars(n, ",", HEAD)),
            2 => tree.write(&format!("{name}.csv.gz"), gzip(&bars(n, ",", HEAD))),
            3 => tree.write(&format!("{name}.tsv"), bars(n, "\t", HEAD)),
            4 => tree.write(&format!("{name}.json"), lists(n)),
            5 => tree.write(&format!("{name}.jsonl"), objects(n, "\n")),
            6 => tree.write(&format!("{name}.json"), format!("{{\"data\":[{}]}}", objects(n, ", "))),
            _ => {
                let text = format!("\u{feff}{}", bars(n, ";", HEAD));
                let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                tree.write(&format!("{name}.txt"), wide);
            }
        }
    }
    for n in 0..20 {
        // The same rows once more, and newest first.
        let text = bars(n, ",", HEAD);
        let (head, rows) = text.split_once('\n').unwrap();
        let turned: Vec<&str> = rows.lines().rev().collect();
        tree.write(&format!("again/{}USDT-1h.csv", symbol(n)), format!("{head}\n{}\n", turned.join("\n")));
    }
    for n in 0..40 {
        let rows: String =
            (0..9).fold(String::new(), |all, k| all + &format!("{},0.000{}\n", moment(k * 8), 1 + k % 3));
        tree.write(
            &format!("paid/{}USDT-fundingRate-2024-01.csv", symbol(n)),
            format!("calc_time,last_funding_rate\n{rows}"),
        );
    }
    for n in 300..320 {
        let one = |h: i64| {
            let (at, price) = (moment(h) * 1_000_000_000, 20 + h % 5);
            format!(
                "{at} {{\"stream\":\"x@trade\",\"data\":{{\"s\":\"{}USDT\",\"p\":\"{price}\",\"q\":\"0.5\",\"m\":true}}}}\n",
                symbol(n)
            )
        };
        tree.write(&format!("logs/binance_spot_{n}.log"), (0..HOURS).map(one).collect::<String>());
    }
}

/// What cannot be read, or is none of a market.
fn unreadable(tree: &mut Tree) {
    for n in 0..20 {
        let whole = gzip(
            &(0..20).fold(String::new(), |all, _| all + &bars(n, ",", "time,open,high,low,close,volume")),
        );
        let cut = if n % 2 == 0 { whole.len() / 2 } else { 14 };
        tree.write(&format!("cut/{}BUSD-1h.csv.gz", symbol(n)), &whole[..cut]);
    }
    for n in 0..10 {
        tree.write(&format!("cut/{n}.zip"), b"PK\x03\x04 and nothing else");
        tree.write(&format!("cut/{n}.parquet"), b"PAR1 and nothing else PAR1");
        tree.write(&format!("cut/{n}.feather"), b"ARROW1\0\0 and nothing else");
        tree.write(&format!("empty/{n}.csv"), b"");
        tree.write(&format!("empty/head{n}USDT-1h.csv"), b"time,open,high,low,close,volume\n");
        tree.write(&format!("other/{n}.md"), b"# a text");
        tree.write(&format!("other/{n}.json"), br#"{"name": "x", "version": 1, "keywords": ["a", "b"]}"#);
        tree.write(&format!("other/{n}.csv"), b"what,is,this\n1,2,3\n");
        tree.write(&format!("other/{n}.xlsx"), b"\xd0\xcf\x11\xe0");
        tree.write(&format!("other/{n}.py"), b"print()");
    }
}

fn names_of(told: &Value) -> BTreeSet<String> {
    let name = |f: &Value| f["name"].as_str().unwrap().trim_start_matches("tree/").to_owned();
    told.as_array().unwrap().iter().map(name).collect()
}

/// Whether a name is that of a text or a program.
fn is_no_table(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|e| e == "md" || e == "py")
}

fn remove(folder: &Path, name: &str) {
    std::fs::remove_file(folder.join("tree").join(name)).unwrap();
}

#[test]
fn every_file_of_a_tree_has_a_verdict_and_the_rest_is_one_market() {
    let folder = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut tree = Tree { folder, home, names: BTreeSet::new() };
    readable(&mut tree);
    unreadable(&mut tree);
    // What would change money: rates in percent, a volume in dollars.
    let rates: String = (0..30).fold(String::new(), |all, k| all + &format!("{},0.01{k}\n", moment(k * 8)));
    tree.write("paid/ZZZUSDT_funding.csv", format!("time,rate\n{rates}"));
    let dollars = (0..HOURS).fold("time,open,high,low,close,volume\n".to_owned(), |all, h| {
        let [t, o, hi, l, c, _] = bar(h, 40_000);
        all + &format!("{t},{o},{hi},{l},{c},90000000\n")
    });
    tree.write("bars/ZZYUSDT-1h.csv", dollars);
    assert!(tree.names.len() >= 490, "{}", tree.names.len());

    let ran = tree.run(&["data", "check", "tree", "--json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(names_of(&told), tree.names);
    let verdict = |wanted: &str| -> BTreeSet<String> {
        let all = told.as_array().unwrap().iter().filter(|f| f["verdict"] == wanted);
        names_of(&Value::Array(all.cloned().collect()))
    };
    let refused: BTreeSet<String> =
        ["paid/ZZZUSDT_funding.csv", "bars/ZZYUSDT-1h.csv"].map(str::to_owned).into();
    assert_eq!(verdict("refused"), refused, "{}", ran.err);
    let none: BTreeSet<String> = verdict("no_data");
    assert!(none.iter().all(|n| is_no_table(n) || n.contains("head")), "{none:?}");
    assert!(verdict("unknown").iter().all(|n| ["cut/", "empty/", "other/"].iter().any(|d| n.starts_with(d))));
    // Nothing is told without saying why.
    let silent = told.as_array().unwrap().iter().find(|f| {
        f["verdict"] != "read"
            && f["notes"].as_array().unwrap().is_empty()
            && f["findings"]["duplicates"]["count"] == 0
            && f["findings"]["unsorted"]["count"] == 0
    });
    assert!(silent.is_none(), "{silent:?}");
    for args in [
        vec!["data", "import", "tree", "--out", "x.tape"],
        vec!["backtest", "--feed", "history:tree", "--clock", "4h", "--quiet"],
    ] {
        let ran = tree.run(&args);
        assert!(
            ran.code == Some(2) && (ran.err.contains("ZZZUSDT") || ran.err.contains("ZZYUSDT")),
            "{ran:?}"
        );
    }
    refused.iter().for_each(|name| remove(tree.folder.path(), name));

    let imported = tree.run(&["data", "import", "tree", "--out", "x.tape", "--json"]);
    assert_eq!(imported.code, Some(0), "{}", imported.err);
    let json: Value = serde_json::from_str(&imported.out).unwrap();
    let used = names_of(&json["files"]);
    for name in tree.names.difference(&refused).filter(|n| !is_no_table(n)) {
        assert!(used.contains(name) || imported.err.contains(name.as_str()), "{name} is not named");
    }
    let (given, by_tape) = (tree.run_of("history:tree"), tree.run_of("tape:x.tape"));
    for key in ["data_hash", "decision_hash", "bars"] {
        assert_eq!(given[key], by_tape[key], "{key}");
    }
    assert_eq!(given["data_hash"], json["data_hash"]);
    assert!(given["notes"].to_string().contains("more files are not read"), "{}", given["notes"]);
}
