//! What comes from outside has no word in what happens here: rows that are none, names that a terminal would act on, what a
//! server says, folders that others may enter, and links and files where ours should be.

use crate::cli::hand::{Desk, Ran, bars, long, ran};
use crate::kill::life::Life;
use crate::wire::served::{PATIENCE, command};
use flate2::Compression;
use flate2::write::GzEncoder;
use hive::wire::hub::Hub;
use hive::wire::{ServerAnswer, SocketPath};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::Instant;

/// Two symbols over so many hours.
fn panel(hours: u32) -> String {
    long(&[bars(Some("BTCUSDT"), 1, hours, |_| true), bars(Some("ETHUSDT"), 2, hours, |_| true)])
}

/// Whether a text has nothing that a terminal would act on.
fn is_clean(text: &str) -> bool {
    text.chars().all(|c| c == '\n' || !(c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn a_stray_quote_costs_its_row_and_no_other() {
    let desk = Desk::new();
    let whole = panel(960);
    let rows = whole.lines().count() - 1;
    let mut lines: Vec<String> = whole.lines().map(str::to_owned).collect();
    lines[500] = lines[500].replacen(',', ",\"", 1);
    desk.write("stray.csv", &(lines.join("\n") + "\n"));
    desk.write("whole.csv", &whole);
    let bars_of = |file: &str| {
        let feed = format!("history:{file}");
        let summary = desk.summary(&["backtest", "--feed", &feed, "--clock", "1h", "--scouts", "0"]);
        (summary["bars"].as_u64().unwrap(), summary["notes"].to_string())
    };
    let (all, _) = bars_of("whole.csv");
    let (left, notes) = bars_of("stray.csv");
    assert_eq!((all as usize, left), (rows, all - 1), "{notes}");
    assert!(notes.contains("left out: 1 rows") && notes.contains("a quote is not closed"), "{notes}");
    let said = desk.run(&["data", "check", "stray.csv"]);
    assert!(said.out.len() < 4_000, "not the whole file is shown: {} bytes", said.out.len());
    // Quotes that are closed are none of a cell.
    let quoted: Vec<String> = whole.lines().map(|l| format!("\"{}\"", l.replace(',', "\",\""))).collect();
    desk.write("quoted.csv", &quoted.join("\n"));
    assert_eq!(bars_of("quoted.csv").0, all);
}

#[test]
fn a_line_that_never_ends_is_refused_with_its_line() {
    let desk = Desk::new();
    let mut packed =
        GzEncoder::new(fs::File::create(desk.path("zeros.csv.gz")).unwrap(), Compression::fast());
    packed.write_all(panel(10).as_bytes()).unwrap();
    for _ in 0..60 {
        packed.write_all(&vec![b'0'; 1 << 20]).unwrap();
    }
    packed.finish().unwrap();
    let said = desk.run(&["backtest", "--feed", "history:zeros.csv.gz"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    for word in ["zeros.csv.gz", "near line", "a line is longer than 65536 bytes"] {
        assert!(said.err.contains(word), "{word} is not in {}", said.err);
    }
    // One letter too many for a name is none of an asset.
    desk.write("long.csv", &panel(200).replace("ETHUSDT", &"E".repeat(60_000)));
    let said = desk.run(&["backtest", "--feed", "history:long.csv", "--clock", "1h", "--scouts", "0"]).well();
    assert!(
        said.out.contains("too long for a symbol") && said.out.len() < 20_000,
        "{} bytes",
        said.out.len()
    );
}

#[test]
fn a_pipe_is_no_file_and_holds_up_nothing() {
    let desk = Desk::new();
    let pipe = desk.path("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let asked = Instant::now();
    let mut life = Life::start(desk.command(&["backtest", "--feed", "history:pipe.csv"]));
    let ended = life.ends_within(PATIENCE).expect("it waits for ever");
    assert_eq!(ended.code(), Some(2), "{:?}", asked.elapsed());
    assert!(life.rest().contains("pipe.csv") && life.rest().contains("is no file"), "{}", life.rest());
}

#[test]
fn nothing_that_is_said_acts_on_the_terminal() {
    let desk = Desk::new();
    let hostile = "\u{1b}]0;owned\u{7}\u{202e}\u{9b}2J";
    let check = |said: &Ran, word: &str| {
        assert!(is_clean(&said.err) && is_clean(&said.out), "{said:?}");
        assert!(said.err.contains(word) || said.out.contains(word), "{word} is not in {said:?}");
    };
    desk.write("header.csv", &format!("timestamp,{hostile},open\n1,2,3\n"));
    check(&desk.run(&["backtest", "--feed", "history:header.csv"]), "\\u001b]0;owned");
    desk.write("symbol.csv", &panel(200).replace("ETHUSDT", hostile));
    check(
        &desk.run(&["backtest", "--feed", "history:symbol.csv", "--clock", "1h", "--scouts", "0"]),
        "is no symbol",
    );
    check(&desk.run(&["backtest", "--feed", "history:symbol.csv", "--assets", "XRP"]), "XRP");
    let named = format!("a{hostile}.csv");
    desk.write(&named, "timestamp,close\nx,y\n");
    check(&desk.run(&["data", "check", &named]), "u202e");
    check(&desk.run(&["data", "list", &named]), "u202e");
    check(&desk.run(&["backtest", "--feed", &format!("history:{hostile}")]), "u202e");
    // The shipped file with a name of that kind in it.
    desk.write("agents.toml", &format!("[hive]\nname = \"{hostile}\"\nnonsense{hostile} = 1\n"));
    let said = desk.run(&["config", "show"]);
    assert!(is_clean(&said.err) && is_clean(&said.out), "{said:?}");
}

#[test]
fn what_a_server_says_does_not_act_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    let socket = folder.path().join("hostile.sock");
    let place = SocketPath::find("hostile", Some(&socket), None, |_| None).unwrap();
    let (hub, queue) = Hub::open(&place, std::sync::Arc::new(|_: &str| {})).unwrap();
    hub.begin(None);
    let hostile = "no \u{1b}]52;c;cm0gLXJm\u{7}\u{202e}\u{9b}2J";
    let ask = |args: &[&str]| {
        let mut ctl = command(args);
        ctl.arg("--socket").arg(&socket);
        std::thread::spawn(move || ran(ctl.output().unwrap()))
    };
    let asked = ask(&["ctl", "kill"]);
    queue.take_within(PATIENCE).unwrap().answer(ServerAnswer::Refused(hostile.to_owned()));
    let said = asked.join().unwrap();
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(is_clean(&said.err) && said.err.contains("\\u001b]52"), "{said:?}");
    let asked = ask(&["ctl", "pause"]);
    let _waits = queue.take_within(PATIENCE).unwrap();
    hub.close(hostile);
    let said = asked.join().unwrap();
    assert!(is_clean(&said.err) && said.code != Some(0), "{said:?}");
}

#[test]
fn a_state_folder_that_is_open_to_others_is_closed_or_refused() {
    let desk = Desk::new();
    let kept = ["--no-tui", "--until-end", "--days", "30", "--scouts", "0", "--quiet", "--state"];
    let run = |dir: &str| desk.run(&[&kept[..], &[dir]].concat());
    run("state").well();
    assert_eq!(mode(&desk.path("state")), 0o700);
    fs::set_permissions(desk.path("state"), Permissions::from_mode(0o755)).unwrap();
    let said = run("state").well();
    assert!(said.err.contains("was open to others (mode 755); it is closed now"), "{}", said.err);
    assert_eq!(mode(&desk.path("state")), 0o700);
    // An empty one is ours to close; one with other things in it is not.
    fs::create_dir(desk.path("empty")).unwrap();
    fs::set_permissions(desk.path("empty"), Permissions::from_mode(0o777)).unwrap();
    run("empty").well();
    assert_eq!(mode(&desk.path("empty")), 0o700);
    desk.write("mine/photo.jpg", "mine");
    fs::set_permissions(desk.path("mine"), Permissions::from_mode(0o755)).unwrap();
    let said = run("mine");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        said.err.contains("mode 755, and holds other things") && said.err.contains("--state"),
        "{}",
        said.err
    );
    assert_eq!((mode(&desk.path("mine")), fs::read_dir(desk.path("mine")).unwrap().count()), (0o755, 1));
}

#[test]
fn no_link_is_followed_and_nothing_is_removed_that_is_no_socket() {
    let desk = Desk::new();
    let mine = desk.write("mine", "mine");
    let left = || assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
    let short = ["--no-tui", "--until-end", "--days", "30", "--scouts", "0", "--quiet"];
    fs::create_dir(desk.path("state")).unwrap();
    symlink(&mine, desk.path("state/lock")).unwrap();
    let said = desk.run(&[&short[..], &["--state", "state"]].concat());
    assert!(said.code != Some(0) && said.err.contains("is a link, which is not followed"), "{said:?}");
    left();
    symlink(&mine, desk.path("sum.json.part")).unwrap();
    let said = desk.run(&[&short[..], &["--summary", "sum.json"]].concat());
    assert_eq!(said.code, Some(2), "{said:?}");
    left();
    fs::create_dir(desk.path("run")).unwrap();
    fs::set_permissions(desk.path("run"), Permissions::from_mode(0o700)).unwrap();
    let plain = desk.write("run/hive.sock", "mine");
    let said = desk.run(&[&short[..], &["--serve", "--socket", "run/hive.sock"]].concat());
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("no socket, and is left as it is"), "{}", said.err);
    assert_eq!(fs::read_to_string(plain).unwrap(), "mine");
}
