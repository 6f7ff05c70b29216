//! What is kept of what was said lately, word by word: which of it counts for whom, and when.

use crate::common::{Tape, engine, shipped};
use hive_core::agents::reactions::{AgentReaction, ListensOn, ListensTo};
use hive_core::engine::Engine;
use hive_core::hive::heard::{CauseChain, HeardCauses, ReactionListener, RecentWords};
use hive_core::hive::relations::Audible;
use hive_domain::{
    AgentId, AssetId, HeardOn, HeardSide, Hearing, Hears, IntentId, MessageId, MessageKind, Outcome,
    Reaction, ReactionEffect, Reason, Span, Speaker, Stamp, Whom,
};

/// Where all this is said.
const ASSET: AssetId = AssetId(0);

/// Two losses on the holder's side within a day make it wait.
fn rule(on: HeardOn) -> AgentReaction {
    let (who, side, within) = (Whom::Anyone, HeardSide::With, Span::DAY);
    let listens = if on == HeardOn::Mine { ListensOn::Mine } else { ListensOn::Others };
    let hears = Hears { what: Hearing::Lost(None), who, on, side, at_least: 2, within };
    let rule = Reaction { name: "rule".to_owned(), hears, then: ReactionEffect::Wait(Span::DAY) };
    AgentReaction { rule, who: ListensTo::Anyone, on: listens }
}

/// Words of agents of the shipped roster, as they come.
struct Words {
    engine: Engine,
    kept: RecentWords,
    said: u64,
}

impl Words {
    fn new() -> Words {
        let engine = engine(&shipped(), &Tape::market(1).universe);
        let kept = RecentWords::new(engine.cast());
        Words { engine, kept, said: 0 }
    }

    /// An agent has lost on this side; an open life says so with the chain of its causes.
    fn lost(&mut self, who: u32, asset: AssetId, side: i8, open: Option<CauseChain>) -> MessageId {
        self.said += 1;
        let message = MessageId(self.said);
        let intent = IntentId { agent: AgentId(who), asset, number: 1 };
        let (reason, minutes) = (Reason::Stop, false);
        let outcome = Outcome { intent, reason, r: -1.0, pnl: -0.01, held: 3, minutes, points: 0.0 };
        let body = MessageKind::Outcome(outcome);
        self.kept.said((AgentId(who), asset), (Stamp(0), message), (&body, side), open);
        message
    }

    /// What agent 0 hears of it with a long position.
    fn heard(&self, rule: &AgentReaction, on_news: bool) -> Option<HeardCauses> {
        let listener = ReactionListener {
            agent: AgentId(0),
            asset: ASSET,
            side: 1.0,
            speakers: 0.0,
            now: Stamp(Span::HOUR.0),
            since: Stamp(i64::MIN),
            news: on_news.then(|| self.kept.heard_by_all()),
            close: 100.0,
            sigma: 0.01,
        };
        let audible = Audible { consensus: &self.engine.respond.consensus, trusted: None };
        self.kept.heard(self.engine.cast(), audible, rule, &listener)
    }
}

fn numbers(heard: &HeardCauses) -> Vec<MessageId> {
    heard.messages.iter().map(|(message, _)| *message).collect()
}

#[test]
fn who_acts_on_news_acts_on_a_word_that_is() {
    let (mut words, rule) = (Words::new(), rule(HeardOn::Mine));
    let (first, second) = (words.lost(1, ASSET, 1, None), words.lost(2, ASSET, 1, None));
    assert_eq!(numbers(&words.heard(&rule, true).unwrap()), [second, first]);
    words.kept.age();
    assert!(words.heard(&rule, true).is_none(), "both were heard before");
    assert!(words.heard(&rule, false).is_some(), "who enters looks back");
    // The same kind is fresh, and none of the words that count is: it is of the other side.
    words.lost(3, ASSET, -1, None);
    assert!(words.kept.is_newer(&rule, ASSET, words.kept.heard_by_all()));
    assert!(words.heard(&rule, true).is_none());
    let fresh = words.lost(4, ASSET, 1, None);
    assert_eq!(numbers(&words.heard(&rule, true).unwrap()), [fresh, second, first]);
}

#[test]
fn news_on_one_asset_counts_however_much_was_said_on_others_before() {
    let (mut words, rule) = (Words::new(), rule(HeardOn::Others));
    for who in 1..=9 {
        words.lost(who, AssetId(1), 1, None);
    }
    words.kept.age();
    // Nine have spoken before it, of whom a deed names eight; one of them says it again elsewhere.
    let fresh = words.lost(1, AssetId(2), 1, None);
    let heard = numbers(&words.heard(&rule, true).unwrap());
    assert_eq!((heard.len(), heard[0]), (8, fresh));
}

#[test]
fn who_says_so_alone_too_is_no_echo() {
    let (mut words, mut rule) = (Words::new(), rule(HeardOn::Mine));
    rule.rule.hears.at_least = 1;
    let chain = || CauseChain { depth: 1, agents: vec![AgentId(5)] };
    words.lost(1, ASSET, 1, Some(chain()));
    assert!(words.heard(&rule, false).is_none(), "what an open life says takes two");
    let alone = words.lost(2, ASSET, 1, None);
    words.lost(2, ASSET, 1, Some(chain()));
    let both = words.heard(&rule, false).unwrap();
    assert_eq!(both.messages[0], (alone, Speaker::Agent(AgentId(2))));
    // An echo of the listener's own is none of its speaker's alone word.
    let mut words = Words::new();
    let alone = words.lost(2, ASSET, 1, None);
    for agents in [vec![AgentId(0)], vec![AgentId(5)]] {
        words.lost(2, ASSET, 1, Some(CauseChain { depth: 1, agents }));
        assert_eq!(numbers(&words.heard(&rule, false).unwrap()), [alone]);
    }
}
