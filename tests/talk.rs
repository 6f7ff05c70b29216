//! All seventeen families talk: one message of each kind that a family says, as a person reads it, is held
//! in `tests/snapshots/talk/`. The messages are of real runs: the shipped roster on bars, the full house on
//! the embedded market in detail, and, where a family finds nothing there, markets made by hand.
//!
//! `cargo insta review` shows what is said otherwise than before and keeps it, once it has been read;
//! `INSTA_UPDATE=always cargo test --test hive-tests talk::` does without the tool and leaves the reading to `git diff`.

use crate::common::{Run, Tape, scenes, shipped};
use hive::domain::{FamilyId, Message, MessageKind, Speaker, SpokenBy, Verb};
use hive::engine::{Engine, Outputs};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// All that may be said of a trade, in the order of its life.
const KINDS: [&str; 10] = [
    "open long",
    "open short",
    "increase long",
    "increase short",
    "decrease long",
    "decrease short",
    "close long",
    "close short",
    "outcome",
    "stance",
];

const NO_VOICE: &str = "a structure is no voice: nobody listens to it in size, and it listens to nobody";
const NEVER_ADDS: &str = "its plan has no add: see the family";

/// What a family never says, and why.
fn never(family: FamilyId, kind: &str) -> Option<&'static str> {
    use FamilyId::*;
    match (family, kind) {
        (f, "stance") if f.is_structured() => Some(NO_VOICE),
        (Scalp | MarketMaking | Triangular | Options | Move | Defi, "increase long" | "increase short") => {
            Some(NEVER_ADDS)
        }
        (Triangular, "decrease long" | "decrease short") => {
            Some("a round trip is all or nothing: half of it back would only cost fees")
        }
        (Defi, "open short" | "decrease short" | "close short") => {
            Some("what is in a pool is owned: it is never short")
        }
        _ => None,
    }
}

fn kind(body: &MessageKind) -> Option<&'static str> {
    Some(match body {
        MessageKind::Action(a) => {
            let place = match a.verb {
                Verb::Open => 0,
                Verb::Increase => 2,
                Verb::Decrease => 4,
                Verb::Close => 6,
                Verb::Amend => return None,
            };
            KINDS[place + usize::from(a.side() < 0.0)]
        }
        MessageKind::Outcome(_) => "outcome",
        MessageKind::Stance(_) => "stance",
        _ => return None,
    })
}

/// The first message of each kind and family: where it was said, and the text.
#[derive(Default)]
struct Heard(BTreeMap<(FamilyId, &'static str), (String, String)>);

impl Heard {
    fn take(&mut self, engine: &Engine, scene: &str, messages: &[Message]) {
        let cast = engine.cast();
        for m in messages {
            let Speaker::Agent(id) = m.from else { continue };
            // What company makes of an open life is no family's own.
            if m.life == SpokenBy::Open {
                continue;
            }
            let Some(agent) = cast.agents[..cast.declared].get(id.index()) else { continue };
            let Some(kind) = kind(&m.body) else { continue };
            self.0
                .entry((agent.family, kind))
                .or_insert_with(|| (scene.to_owned(), hive::recorder::full(engine, &m.body)));
        }
    }

    fn bars(&mut self) {
        let tape = Tape::market(400);
        let mut run = Run::start(&shipped(), &tape.universe);
        run.play(&tape.events);
        self.take(&run.engine, "shipped roster, embedded bars", &run.messages);
    }

    fn scenes(&mut self) {
        for mut scene in scenes::ALL.map(|make| make(&scenes::as_it_is)) {
            let mut out = Outputs::default();
            while let Some(event) = scene.event() {
                scene.engine.step(&event, &mut out);
                self.take(&scene.engine, scene.name, &out.messages);
            }
        }
    }

    /// A family's page: a sentence a line.
    fn page(&self, family: FamilyId) -> String {
        let mut page = format!("{family}\n");
        for kind in KINDS {
            let (scene, text) = match (self.0.get(&(family, kind)), never(family, kind)) {
                (Some((scene, text)), _) => (scene.as_str(), text.as_str()),
                (None, Some(why)) => ("never", why),
                (None, None) => ("missing", ""),
            };
            write!(page, "\n[{kind}] {scene}\n  {}\n", text.replace("; ", "\n  ")).unwrap();
        }
        page
    }
}

/// Where the pages are kept, one a family.
fn pages() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/talk");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

#[test]
fn all_seventeen_talk_and_their_conditions_are_sentences() {
    let mut heard = Heard::default();
    heard.bars();
    heard.scenes();
    let (mut wrong, mut changed) = (String::new(), Vec::new());
    for family in FamilyId::ALL.iter().copied() {
        for kind in KINDS {
            let said = heard.0.contains_key(&(family, kind));
            match (said, never(family, kind)) {
                (true, Some(why)) => writeln!(wrong, "{family} says {kind}, but: {why}").unwrap(),
                (false, None) => writeln!(wrong, "{family} never says {kind}, and nobody says why").unwrap(),
                _ => {}
            }
        }
        let now = heard.page(family);
        for sign in [" < ", " > ", "NaN", "inf ", "-0 "] {
            assert!(!now.contains(sign), "{family}: {sign:?} is no word: {now}");
        }
        // Every family that speaks otherwise is told, not only the first.
        let keeps = || pages().bind(|| insta::assert_snapshot!(family.text(), now));
        if std::panic::catch_unwind(keeps).is_err() {
            changed.push(family.text());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(changed.is_empty(), "these speak otherwise than before: {}", changed.join(", "));
}
