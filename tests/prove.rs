//! `hive prove`, by the real program: values that add up between two ends which are runs of their own, a certificate that
//! comes out again byte for byte and is refused with a byte of it or of the journal turned, and one message by its number.

use crate::cli::hand::Desk;
use crate::wire::served::{PATIENCE, Served, command};
use hive::domain::MessageId;
use hive::wire::{Client, ClientQuestion, ClientRole, ServerAnswer, SocketPath};
use rust_decimal::Decimal;
use serde_json::Value;
use std::fs;
use std::process::Stdio;
use std::time::Instant;

/// A market that is over in a moment, with few to speak in it.
const MARKET: [&str; 6] = ["--days", "50", "--scouts", "6", "--seed", "3"];

fn with<'a>(market: &[&'a str], args: &[&'a str]) -> Vec<&'a str> {
    market.iter().chain(args).copied().collect()
}

fn proven(desk: &Desk, args: &[&str]) -> Value {
    serde_json::from_str(&desk.run(&with(&["prove", "--json"], args)).well().out).unwrap()
}

fn money(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

/// What a plain run decided and gained: by its account, and by its open lives.
fn plain(desk: &Desk, args: &[&str]) -> (Value, Decimal, Decimal) {
    let s = desk.summary(&with(&["backtest"], args));
    let gain = |of: &Value| money(of) - money(&s["capital"]);
    (s["decision_hash"].clone(), gain(&s["equity"]["real"]), gain(&s["equity"]["open"]))
}

#[test]
fn the_values_add_up_to_what_two_runs_of_their_own_differ_by() {
    let desk = Desk::new();
    for (seed, by) in [("1", "family"), ("2", "family"), ("3", "agent")] {
        let market = ["--days", "50", "--scouts", "6", "--seed", seed];
        let c = &proven(&desk, &with(&market, &["--by", by]))["certificate"];
        let end = |end: &Value| (end["decisions"].clone(), money(&end["real"]), money(&end["open"]));
        let (all, none) = (end(&c["all"]), end(&c["none"]));
        assert_eq!(all, plain(&desk, &market));
        assert_eq!(none, plain(&desk, &with(&market, &["--deaf"])));
        let values = c["values"].as_array().unwrap();
        for order in 0..2 {
            let sum = |of: &str| values.iter().map(|v| money(&v[of][order])).sum::<Decimal>();
            let ends = |i: usize| money(&c["rest"][i]) + money(&c["ears"][i]);
            assert_eq!(sum("real") + ends(0), all.1 - none.1, "seed {seed}, order {order}");
            assert_eq!(sum("open") + ends(1), all.2 - none.2, "seed {seed}, order {order}");
        }
        let moved = |of: &str| values.iter().filter(|v| !money(&v[of][0]).is_zero()).count();
        assert!(moved("real") > 5 && moved("open") > moved("real"), "{} {}", moved("real"), moved("open"));
        let heard = values.iter().filter(|v| v["is_heard"] == true).count();
        assert!(heard < values.len() && values.iter().any(|v| v["real"][0] != v["real"][1]));
        // Money follows alone lives here: what only reactions hear is worth nothing to it.
        let to_reactions = values.iter().filter(|v| v["kind"] == "stance" || v["kind"] == "outcome");
        assert!(to_reactions.clone().count() > 5 && to_reactions.clone().all(|v| v["real"][0] == "0"));
        let agents = values.iter().filter(|v| v["speaker"] == "Mira").count();
        assert_eq!(agents > 0, by == "agent");
    }
}

#[test]
fn a_certificate_comes_out_again_and_is_refused_with_a_byte_of_it_turned() {
    let desk = Desk::new();
    let made = desk.run(&with(&["prove", "--out", "a.json"], &MARKET)).well();
    assert!(
        made.out.contains("a proven zero, in both orders") && made.out.contains("no causes"),
        "{}",
        made.out
    );
    assert!(made.out.lines().all(|l| l.chars().count() <= 100), "{}", made.out);
    desk.run(&with(&["prove", "--quiet", "--out", "b.json"], &MARKET)).well();
    let bytes = fs::read(desk.path("a.json")).unwrap();
    assert!(bytes == fs::read(desk.path("b.json")).unwrap(), "the same bytes twice");
    let said = desk.run(&with(&["prove", "--check", "a.json"], &MARKET)).well();
    assert_eq!(said.out, "a.json: proven again, byte for byte\n");
    for place in (0..bytes.len()).step_by(bytes.len() / 40) {
        let mut turned = bytes.clone();
        turned[place] ^= 1;
        fs::write(desk.path("c.json"), turned).unwrap();
        let said = desk.run(&with(&["prove", "--check", "c.json"], &MARKET));
        assert!(said.code != Some(0) && said.err.contains("c.json"), "byte {place}: {said:?}");
    }
    let other = desk.run(&["prove", "--check", "a.json", "--days", "50", "--scouts", "6", "--seed", "4"]);
    assert!(other.code == Some(1) && other.err.contains("its seed is 3, not 4"), "{}", other.err);
}

#[test]
fn a_value_that_somebody_made_up_does_not_come_out_again() {
    let desk = Desk::new();
    desk.run(&with(&["prove", "--quiet", "--out", "a.json"], &MARKET)).well();
    let mut c: hive::runtime::prove::Certificate = {
        let text = fs::read_to_string(desk.path("a.json")).unwrap();
        hive::runtime::prove::Certificate::parse(&text).unwrap()
    };
    // Sealed anew, and it still adds up.
    c.values[0].real[0] += Decimal::ONE;
    c.values[1].real[0] -= Decimal::ONE;
    fs::write(desk.path("b.json"), c.text().unwrap()).unwrap();
    let said = desk.run(&with(&["prove", "--check", "b.json"], &MARKET));
    assert!(said.code == Some(1) && said.err.contains("values[0].real[0] is"), "{}", said.err);
    // Another build is told of, and what it comes to decides.
    let text = fs::read_to_string(desk.path("a.json")).unwrap();
    let mut c = hive::runtime::prove::Certificate::parse(&text).unwrap();
    c.build.program = "another".to_owned();
    fs::write(desk.path("b.json"), c.text().unwrap()).unwrap();
    let said = desk.run(&with(&["prove", "--check", "b.json"], &MARKET)).well();
    assert!(said.out.contains("every value, by another build"), "{}", said.out);
}

#[test]
fn a_run_that_is_kept_is_proven_by_its_journal_and_not_with_a_byte_of_it_turned() {
    let desk = Desk::new();
    desk.run(&with(&["backtest", "--quiet", "--state", "run"], &MARKET)).well();
    let kept = desk.run(&with(&["prove", "run", "--json"], &MARKET)).well().out;
    assert!(
        kept == desk.run(&with(&["prove", "--json"], &MARKET)).well().out,
        "the same run, the same bytes"
    );
    fs::write(desk.path("a.json"), &kept).unwrap();
    desk.run(&with(&["prove", "run", "--check", "a.json"], &MARKET)).well();
    let segment = desk.path("run/journal/00000001.seg");
    let bytes = fs::read(&segment).unwrap();
    let last = bytes.len() - 1;
    for place in (0..bytes.len()).step_by(bytes.len() / 12).chain([last]) {
        let mut turned = bytes.clone();
        turned[place] ^= 1;
        fs::write(&segment, turned).unwrap();
        let said = desk.run(&with(&["prove", "run"], &MARKET));
        assert!(said.code == Some(1) || said.code == Some(3), "byte {place}: {said:?}");
        assert!(
            said.err.contains("journal") || said.err.contains("00000001.seg"),
            "byte {place}: {}",
            said.err
        );
    }
    // Nothing was changed: whole again, it is proven again.
    fs::write(&segment, &bytes).unwrap();
    assert!(desk.run(&with(&["prove", "run", "--json"], &MARKET)).well().out == kept);
}

#[test]
fn one_message_is_worth_the_same_from_a_checkpoint_and_from_the_beginning() {
    let desk = Desk::new();
    let market = ["--days", "200", "--scouts", "6", "--seed", "3"];
    desk.run(&with(&["backtest", "--quiet", "--state", "run"], &market)).well();
    let said = desk.run(&["talk", "run", "--kind", "open", "--json", "--from", "2022-06-01"]).well().out;
    let message: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    let number = message["id"].to_string();
    let from_journal = proven(&desk, &with(&market, &["run", "--message", &number]));
    let anew = proven(&desk, &with(&market, &["--message", &number]));
    assert_eq!(from_journal, anew);
    assert_eq!((&anew["at"], &anew["text"]), (&message["at"], &message["text"]));
    assert_ne!(anew["decisions"][0], anew["decisions"][1], "somebody heard it");
    let told = desk.run(&with(&["prove", "run", "--message", &number], &market)).well().out;
    assert!(told.contains(&format!("hearing #{number} was worth")) && told.contains("no cause"), "{told}");
    // Without its talk nobody knows when it was said, and all of the run is lived through.
    fs::remove_file(desk.path("run/talk")).unwrap();
    assert_eq!(proven(&desk, &with(&market, &["run", "--message", &number])), anew);
    // The last reading of the gauge is heard by nobody.
    let gauge = proven(&desk, &with(&market, &["--message", "1"]));
    assert_eq!(gauge["message"], 1);
}

#[test]
fn mistakes_are_named_with_the_way_out() {
    let desk = Desk::new();
    desk.run(&with(&["backtest", "--quiet", "--state", "run"], &MARKET)).well();
    let refused = |args: &[&str], names: &[&str]| desk.run(&with(&["prove"], args)).refused(names);
    refused(&with(&MARKET, &["nowhere"]), &["nowhere: there is no such folder", "--state"]);
    refused(&with(&MARKET, &["--deaf"]), &["nobody listens in this run", "--deaf"]);
    refused(&with(&MARKET, &["--deaf", "--message", "3"]), &["nobody listens in this run"]);
    refused(&with(&MARKET, &["--message", "99999999"]), &["there is no message 99999999", "the run said"]);
    refused(&with(&MARKET, &["--message", "0"]), &["there is no message 0"]);
    refused(&with(&MARKET, &["--fresh"]), &["--fresh is for a run"]);
    refused(&with(&MARKET, &["--check", "none.json"]), &["none.json", "hive prove --out"]);
    fs::write(desk.path("x.json"), "{}").unwrap();
    let said = desk.run(&with(&["prove", "--check", "x.json"], &MARKET));
    assert!(said.code == Some(1) && said.err.contains("no certificate of hive prove"), "{}", said.err);
    let other = desk.run(&["prove", "run", "--days", "50", "--scouts", "6", "--seed", "9"]);
    assert!(other.code == Some(3) && other.err.contains("its seed is 3, not 9"), "{}", other.err);
    assert!(other.err.contains("--feed, --agents, --seed"), "{}", other.err);
    fs::create_dir(desk.path("empty")).unwrap();
    let said = desk.run(&with(&["prove", "empty"], &MARKET));
    assert!(
        said.code == Some(3) && said.err.contains("its journal is not whole: there is none"),
        "{}",
        said.err
    );
}

/// Asks a hive that runs, until it has said what it found out, or why not.
fn asked(client: &mut Client, message: u64) -> Result<String, String> {
    let end = Instant::now() + PATIENCE;
    loop {
        match client.ask(ClientQuestion::Without(MessageId(message))).unwrap() {
            ServerAnswer::Told(text) => return Ok(text),
            ServerAnswer::Refused(why) => return Err(why),
            said => assert_eq!(said, ServerAnswer::Fetching(0)),
        }
        assert!(Instant::now() < end, "it is never found out");
        std::thread::yield_now();
    }
}

#[test]
fn a_hive_that_runs_finds_it_out_beside_the_run_where_that_is_kept() {
    let hive = Served::start();
    let mut client = hive.client(ClientRole::Ctl);
    let told = asked(&mut client, 1).unwrap();
    assert!(told.starts_with("hearing #1 was worth "), "{told}");
    let why = asked(&mut client, 1 << 40).unwrap_err();
    assert!(why.contains("there is no message") && why.contains("the run said"), "{why}");
    // Where nothing is kept nothing can be lived again, and the way out is named.
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("run/a.sock");
    let mut child = command(&["--until-end", "--serve", "--days", "40", "--quiet", "--scouts", "8"])
        .args(["--speed", "28800x", "--socket"])
        .arg(&socket)
        .env("XDG_STATE_HOME", folder.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (place, end) = (SocketPath { path: socket }, Instant::now() + PATIENCE);
    let why = loop {
        let answer = Client::attach(&place, ClientRole::Ctl, 0).map(|mut c| asked(&mut c, 1));
        match answer {
            Ok(Err(why)) if !why.contains("ask again") => break why,
            _ => assert!(Instant::now() < end, "it never answers"),
        }
        std::thread::yield_now();
    };
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(why.contains("this run is not kept") && why.contains("hive prove --message"), "{why}");
}
