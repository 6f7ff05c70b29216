//! The log with every kind of message, gone on with from anywhere, hurt in every way, and asked.

use super::block::{self, BLOCK_MESSAGES, Packing};
use super::head::{NameTable, TalkHead};
use super::write::BlockWriter;
use super::{
    Deeds, FilterBound, KindCounts, TalkError, TalkFile, TalkFilter, TalkLog, message_fields, tail_of,
};
use crate::domain::condition::Target;
use crate::domain::message::{
    Adjustment, CarryQuote, EmergenceReading, Factor, GoalReading, Knob, PackedMessage, PendingEntry,
    Receipt, Service, StanceVerb, Wait, WorkQuote,
};
use crate::domain::{
    Action, AgentId, AssetId, Cause, Comparison, Condition, Goal, Hedge, HedgeKind, Indicator, InstrumentId,
    IntentId, MakerLeg, ManagerId, Message, MessageId, MessageKind, OfferTerms, Outcome, Plan, ReEntry,
    Reason, Span, Speaker, SpokenBy, Stamp, Stance, StructureLeg, Swayed, Term, Verb,
};
use crate::view::cockpit::TopicKind;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn indicator() -> impl Strategy<Value = Indicator> {
    use Indicator::*;
    let windowed: Vec<fn(u16) -> Indicator> = vec![
        Ema, Mean, ZScore, Return, Score, Highest, Lowest, Sigma, Efficiency, PivotHigh, PivotLow, Activity,
        Node, Rank, Residual,
    ];
    let others = vec![
        Gain, Spread, Imbalance, Edge, Basis, Carry, Implied, Forecast, Rich, Inventory, Hours, Away, Way,
        Mispriced, Lead,
    ];
    prop_oneof![(select(windowed), any::<u16>()).prop_map(|(of, n)| of(n)), select(others)]
}

fn term() -> BoxedStrategy<Term> {
    let x = any::<f64>;
    prop_oneof![
        Just(Term::Close),
        x().prop_map(Term::Level),
        x().prop_map(Term::Trail),
        Just(Term::Held),
        indicator().prop_map(Term::Of),
        (x(), indicator()).prop_map(|(x, i)| Term::Times(x, i)),
        Just(Term::Minutes),
        x().prop_map(Term::Back),
        x().prop_map(Term::Entry),
    ]
    .boxed()
}

fn condition() -> BoxedStrategy<Condition> {
    (term(), select(vec![Comparison::Below, Comparison::Above]), term())
        .prop_map(|(left, op, right)| Condition { left, op, right })
        .boxed()
}

fn targets() -> BoxedStrategy<Vec<Target>> {
    vec((condition(), any::<f64>()).prop_map(|(when, fraction)| Target { when, fraction }), 0..4).boxed()
}

fn reentry() -> BoxedStrategy<ReEntry> {
    let terms = (any::<f64>(), condition(), targets());
    let terms = terms.prop_map(|(size, stop, targets)| OfferTerms { size, stop, targets });
    (any::<(f64, u32, u32, bool)>(), condition(), condition(), option::of(terms))
        .prop_map(|((side, not_before, within, minutes), when, unless, terms)| ReEntry {
            side,
            when,
            unless,
            not_before,
            within,
            minutes,
            terms,
        })
        .boxed()
}

fn plan() -> BoxedStrategy<Plan> {
    let leg = any::<(u16, f64)>().prop_map(|(n, ratio)| StructureLeg { instrument: InstrumentId(n), ratio });
    let how = prop_oneof![
        any::<f64>().prop_map(HedgeKind::Reduce),
        any::<(u16, f64)>().prop_map(|(n, ratio)| HedgeKind::Opposite { instrument: InstrumentId(n), ratio }),
    ];
    let hedge = (condition(), how).prop_map(|(when, how)| Hedge { when, how });
    let closing = (vec(leg, 0..4), condition(), option::of(condition()), condition(), condition());
    let sizing =
        (targets(), option::of((condition(), any::<f64>())), option::of(hedge), option::of(reentry()));
    let maker = any::<(u16, i64)>()
        .prop_map(|(n, within)| MakerLeg { instrument: InstrumentId(n), within: Span(within) });
    (closing, sizing, option::of(maker))
        .prop_map(|((legs, stop, trail, exit, expire), (targets, add, hedge, reenter), maker)| Plan {
            legs,
            maker,
            stop,
            trail,
            exit,
            expire,
            targets,
            add,
            hedge,
            reenter,
        })
        .boxed()
}

fn intent() -> impl Strategy<Value = IntentId> {
    any::<(u32, u16, u32)>().prop_map(|(a, b, number)| IntentId {
        agent: AgentId(a),
        asset: AssetId(b),
        number,
    })
}

fn reason() -> impl Strategy<Value = Reason> {
    use Reason::*;
    select(vec![
        Signal, ReEntry, Add, Target, Hedge, Stop, Trail, Exit, Expired, Delisted, Missed, Settled,
        Liquidated, Heard,
    ])
}

fn action() -> BoxedStrategy<MessageKind> {
    let verb = select(vec![Verb::Open, Verb::Increase, Verb::Decrease, Verb::Close, Verb::Amend]);
    (verb, intent(), reason(), any::<[f64; 4]>(), plan())
        .prop_map(|(verb, intent, reason, [before, after, delta, price], plan)| {
            let plan = Arc::new(plan);
            MessageKind::Action(Action { verb, intent, reason, before, after, delta, price, plan })
        })
        .boxed()
}

fn stance() -> BoxedStrategy<MessageKind> {
    use StanceVerb::*;
    let verb = select(vec![Keeps, Opens, Increases, Decreases, StandsAside, Hedges]);
    let x = any::<f64>;
    let factor = prop_oneof![
        x().prop_map(Factor::Own),
        x().prop_map(Factor::Listens),
        x().prop_map(Factor::Consensus),
        x().prop_map(Factor::Common),
        x().prop_map(Factor::SideClip),
        Just(Factor::NoFlip),
        x().prop_map(Factor::FollowLimit),
    ];
    let because = any::<[Option<u64>; 3]>().prop_map(|all| all.map(|id| id.map(MessageId)));
    (verb, any::<(f64, f64)>(), proptest::array::uniform7(option::of(factor)), because)
        .prop_map(|(verb, (own, result), factors, because)| {
            MessageKind::Stance(Stance { verb, own, result, factors, because })
        })
        .boxed()
}

fn goal() -> impl Strategy<Value = Goal> {
    select(Goal::ALL.to_vec())
}

fn body() -> BoxedStrategy<MessageKind> {
    use Knob::*;
    let knob = select(vec![RiskScale, GrossCap, Width, Voice, Unit, Limit]);
    prop_oneof![
        4 => action(),
        1 => (intent(), reason(), any::<(f64, f64, u32, bool, f64)>()).prop_map(|(intent, reason, x)| {
            let (r, pnl, held, minutes, points) = x;
            MessageKind::Outcome(Outcome { intent, reason, r, pnl, held, minutes, points })
        }),
        1 => stance(),
        1 => (goal(), any::<[f64; 3]>()).prop_map(|(goal, [score, value, target])| {
            MessageKind::Goal(GoalReading { goal, score, value, target })
        }),
        1 => (knob, any::<Option<u32>>(), any::<[f64; 3]>()).prop_map(|(knob, agent, [from, to, because])| {
            MessageKind::Adjustment(Adjustment { knob, agent: agent.map(AgentId), from, to, because })
        }),
        1 => (any::<[f64; 9]>(), any::<u32>()).prop_map(|(x, days)| {
            let [sharpe, low, high, more, less, over_net_eq, netting, listening, services] = x;
            MessageKind::Emergence(EmergenceReading {
                sharpe, low, high, days, more, less, over_net_eq, netting, listening, services,
            })
        }),
        1 => any::<[f64; 4]>().prop_map(|[value, days, hurdle, most]| {
            MessageKind::Carry(CarryQuote { value, days, hurdle, most })
        }),
        1 => (select(Service::ALL.to_vec()), any::<[f64; 2]>()).prop_map(|(service, [saved, notional])| {
            MessageKind::Receipt(Receipt { service, saved, notional })
        }),
        1 => any::<(f64, u32, f64)>().prop_map(|(distance, rests, fee_bps)| {
            MessageKind::Work(WorkQuote { distance, rests, fee_bps })
        }),
        1 => (intent(), any::<(f64, f64, u32)>(), plan()).prop_map(|(intent, (after, limit, within), plan)| {
            MessageKind::Rest(PendingEntry { intent, after, limit, within, plan: Arc::new(plan) })
        }),
        1 => any::<(i64, f64)>().prop_map(|(until, without)| MessageKind::Wait(Wait { until: Stamp(until), without })),
    ]
    .boxed()
}

fn message() -> BoxedStrategy<Message> {
    let from = prop_oneof![
        any::<u32>().prop_map(|n| Speaker::Agent(AgentId(n % 400))),
        goal().prop_map(Speaker::Tracker),
        goal().prop_map(Speaker::Manager),
        select(vec![Speaker::Desk, Speaker::Netting, Speaker::Gauge, Speaker::Team(ManagerId::of_team(2))]),
    ];
    let life = select(vec![SpokenBy::Both, SpokenBy::Alone, SpokenBy::Open]);
    let cause = any::<(u64, f64)>().prop_map(|(id, part)| Cause { message: MessageId(id), part });
    let swayed = (any::<u8>(), vec(cause, 0..5)).prop_map(|(reaction, causes)| Swayed { reaction, causes });
    (from, option::of(any::<u16>()), life, vec(swayed, 0..3), 0_i64..1 << 60, body())
        .prop_map(|(from, asset, life, swayed, at, body)| {
            let (since, asset) = (Span(at), asset.map(AssetId));
            let packed = PackedMessage { since, from, asset, life, swayed, body };
            packed.unpack(MessageId(0), Stamp(0))
        })
        .boxed()
}

/// As they are delivered: numbered, and in the order of their time.
fn numbered(mut all: Vec<Message>, first: u64) -> Vec<Message> {
    let mut times: Vec<Stamp> = all.iter().map(|m| m.at).collect();
    times.sort_unstable();
    for ((m, id), at) in all.iter_mut().zip(first..).zip(times) {
        (m.id, m.at) = (MessageId(id), at);
    }
    all
}

/// To the last bit, which comparing numbers that are none would not tell.
fn bits(messages: &[Message]) -> Vec<u8> {
    postcard::to_stdvec(messages).unwrap()
}

proptest! {
    #[test]
    fn every_kind_of_message_comes_back_to_the_last_bit(all in vec(message(), 1..60), first in 1_u64..1 << 40) {
        let all = numbered(all, first);
        let raw = block::raw(&all).unwrap();
        let bytes = block::encode(&all, &raw, Packing::Short).unwrap();
        let block::Found::Head(head, size) = block::look(&bytes[..], bytes.len() as u64).unwrap() else {
            panic!("no block");
        };
        prop_assert_eq!(size + head.body(), bytes.len());
        prop_assert_eq!((head.first, head.count, head.from, head.to), (first, all.len() as u64, all[0].at, all[all.len() - 1].at));
        let unpacked = block::unpack(&head, &bytes[size..]).unwrap();
        let back = block::messages(&head, &unpacked).unwrap();
        prop_assert_eq!(bits(&back), bits(&all));
        // What a question looks for is in the head of the block that has it.
        for m in &all {
            let asked = TalkFilter {
                from: Some(FilterBound::Time(m.at)),
                to: Some(FilterBound::Number(m.id.0)),
                speakers: vec![m.from],
                kinds: vec![TopicKind::of(&m.body)],
                ..TalkFilter::default()
            };
            prop_assert!(asked.fits(m) && asked.wants(&head));
            prop_assert!(TopicKind::ALL.contains(&TopicKind::of(&m.body)), "it has a row in every table");
        }
    }

    #[test]
    fn no_flip_of_a_bit_and_no_bytes_are_believed(all in vec(message(), 1..9), at in any::<prop::sample::Index>()) {
        let all = numbered(all, 1);
        let mut bytes = block::encode(&all, &block::raw(&all).unwrap(), Packing::Quick).unwrap();
        let bit = at.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let length = bytes.len() as u64;
        if let block::Found::Head(head, size) = block::look(&bytes[..], length).unwrap() {
            prop_assert!(block::unpack(&head, &bytes[size..]).is_err());
        }
    }

    #[test]
    fn a_field_for_every_part_of_every_condition(m in message()) {
        let json = serde_json::Value::Object(message_fields(&NameTable::default(), &m));
        // What JSON has no number for is text, so that nothing is lost.
        let text = json.to_string();
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&back["kind"], TopicKind::of(&m.body).text());
        prop_assert_eq!(back["swayed"].as_array().unwrap().len(), m.swayed.len());
        let MessageKind::Action(a) = &m.body else { return Ok(()) };
        let plan = &back["action"]["plan"];
        prop_assert_eq!(plan["targets"].as_array().unwrap().len(), a.plan.targets.len());
        prop_assert_eq!(plan["legs"].as_array().unwrap().len(), a.plan.legs.len());
        for (name, there) in [
            ("stop", true), ("exit", true), ("expire", true), ("trail", a.plan.trail.is_some()),
            ("add", a.plan.add.is_some()), ("hedge", a.plan.hedge.is_some()), ("reenter", a.plan.reenter.is_some()),
        ] {
            prop_assert_eq!(plan[name].is_object(), there, "{}", name);
        }
        if let Term::Level(x) = a.plan.stop.right {
            let value = &json["action"]["plan"]["stop"]["right"]["value"];
            // As it is written, since not every reader comes to the last bit.
            let same = value.to_string().parse::<f64>().ok().map(f64::to_bits) == Some(x.to_bits());
            prop_assert!(same || (!x.is_finite() && value.is_string()), "{} is {}", x, value);
        }
    }
}

fn head() -> TalkHead {
    TalkHead { run: vec![("seed".to_owned(), "1".to_owned())], names: NameTable::default() }
}

/// Waits of one agent; some are deeds that name the first message.
fn said(from: u64, to: u64) -> Vec<Message> {
    let packed = |id: u64| PackedMessage {
        since: Span(1_000_000 * id as i64),
        from: Speaker::Agent(AgentId(id as u32 % 7)),
        asset: Some(AssetId(id as u16 % 3)),
        life: SpokenBy::Open,
        swayed: match id % 500 {
            0 => vec![Swayed { reaction: 0, causes: vec![Cause { message: MessageId(1), part: 0.5 }; 2] }],
            _ => Vec::new(),
        },
        body: match id % 2 {
            0 => MessageKind::Wait(Wait { until: Stamp(id as i64), without: 1.0 / id as f64 }),
            _ => MessageKind::Carry(CarryQuote { value: id as f64, days: 7.0, hurdle: 1.0, most: 0.25 }),
        },
    };
    let one = |id: u64| packed(id).unpack(MessageId(id), Stamp(0));
    (from..=to).map(one).collect()
}

struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Scene { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("talk")
    }

    /// Goes on behind `said`, says so many more, and is over or is killed.
    fn goes(&self, from: u64, to: u64, ends: bool) -> Result<Vec<String>, TalkError> {
        let mut log = TalkLog::open(&self.path(), &head(), from)?;
        said(from + 1, to).chunks(37).for_each(|step| log.hear(step));
        if ends {
            log.end();
        } else {
            log.keep().wait();
        }
        log.check()?;
        Ok(log.news())
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn read(path: &Path) -> Result<Vec<u64>, TalkError> {
    let mut ids = Vec::new();
    TalkFile::open(path)?.read(
        |_| true,
        |m| -> Result<(), TalkError> {
            ids.push(m.id.0);
            Ok(())
        },
    )?;
    Ok(ids)
}

/// What a run writes that nobody killed.
fn whole(to: u64) -> Vec<u8> {
    let scene = Scene::new();
    scene.goes(0, to, true).unwrap();
    assert!(!tail_of(&scene.path()).exists(), "nothing is left beside it");
    bytes(&scene.path())
}

#[test]
fn a_run_that_goes_on_from_anywhere_writes_the_same_bytes() {
    let whole = whole(5_000);
    for (kept, died) in [(1, 1), (1_023, 1_024), (1_024, 1_024), (1_025, 4_000), (2_048, 2_049), (700, 5_000)]
    {
        let scene = Scene::new();
        // It died further on than what it goes on from, and the checkpoint had what was said until then on disk.
        assert!(scene.goes(0, kept, false).unwrap().is_empty());
        assert!(scene.goes(kept, died, false).unwrap().is_empty());
        assert_eq!(read(&scene.path()).unwrap(), (1..=died).collect::<Vec<_>>(), "read while it goes on");
        let news = scene.goes(kept, 5_000, true).unwrap();
        assert!(news.is_empty(), "{news:?}");
        assert!(bytes(&scene.path()) == whole, "{kept} {died}");
        // Once more from its end: nothing is left to say.
        assert!(scene.goes(5_000, 5_000, true).unwrap().is_empty());
        assert!(bytes(&scene.path()) == whole, "{kept} {died}");
    }
}

#[test]
fn a_run_that_was_over_and_goes_on_is_no_other_for_it() {
    let scene = Scene::new();
    scene.goes(0, 1_500, true).unwrap();
    assert!(scene.goes(1_500, 3_000, true).unwrap().is_empty());
    assert!(bytes(&scene.path()) == whole(3_000));
}

#[test]
fn what_is_missing_is_told_and_said_again_by_a_replay() {
    let whole = whole(4_000);
    let scene = Scene::new();
    let news = scene.goes(1_500, 4_000, true).unwrap().join("\n");
    assert!(
        news.contains("messages 1 to 1500 were said and are not in") && news.contains("--replay"),
        "{news}"
    );
    assert_eq!(read(&scene.path()).unwrap(), (1_501..=4_000).collect::<Vec<_>>());
    assert!(scene.goes(0, 4_000, true).unwrap().is_empty());
    assert!(bytes(&scene.path()) == whole);
}

#[test]
fn other_words_than_before_are_refused_and_nothing_is_changed() {
    let scene = Scene::new();
    scene.goes(0, 3_000, true).unwrap();
    let before = bytes(&scene.path());
    let mut log = TalkLog::open(&scene.path(), &head(), 1_500).unwrap();
    let mut other = said(1_501, 3_000);
    other[3].asset = None;
    log.hear(&other);
    log.end();
    let why = log.check().unwrap_err();
    assert!(matches!(why, TalkError::Differs { first: 1_025, count: 1_024, .. }), "{why}");
    assert!(bytes(&scene.path()) == before);
}

#[test]
fn damage_is_refused_with_file_and_byte_and_a_torn_end_is_none() {
    let scene = Scene::new();
    scene.goes(0, 3_000, true).unwrap();
    let (path, good) = (scene.path(), bytes(&scene.path()));
    let begin = head().encode().len();
    let mut last = 0;
    for at in (0..good.len()).step_by(97) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        std::fs::write(&path, &bad).unwrap();
        match read(&path) {
            Err(TalkError::Damaged { file, offset, .. }) => {
                assert_eq!(file, path);
                assert!(offset <= at as u64 && offset >= last, "{offset} of {at}");
                last = if at < begin { 0 } else { offset };
            }
            Err(TalkError::Strange { .. } | TalkError::Version { .. }) if at < begin => {}
            other => panic!("byte {at} of {} is believed: {other:?}", good.len()),
        }
    }
    let why = read(&path).unwrap_err().to_string();
    assert!(why.contains("damaged at byte") && why.contains("--replay"), "{why}");
    // A write that goes on or was cut short is no damage.
    for length in (begin..good.len()).step_by(1_009) {
        std::fs::write(&path, &good[..length]).unwrap();
        let ids = read(&path).unwrap();
        assert!(ids.len().is_multiple_of(BLOCK_MESSAGES as usize), "whole blocks: {}", ids.len());
    }
    // Who goes on keeps what was damaged beside, and a replay writes what it had.
    let mut bad = good.clone();
    let second = begin + (good.len() - begin) / 2;
    bad[begin + 1] ^= 1;
    std::fs::write(&path, &bad).unwrap();
    let news = scene.goes(0, 3_000, true).unwrap().join("\n");
    assert!(second > begin && news.contains("damaged at byte"), "{news}");
    assert!(bytes(&path) == good && bytes(&path.with_extension("damaged")) == bad);
}

#[test]
fn a_log_of_another_run_is_moved_aside() {
    let scene = Scene::new();
    std::fs::write(
        scene.path(),
        b"something else that is longer than any head of this test could ever be, by far: \
        it goes on and on and on and on",
    )
    .unwrap();
    let news = scene.goes(0, 10, true).unwrap().join("\n");
    assert!(news.contains("of another run or program"), "{news}");
    assert_eq!(read(&scene.path()).unwrap(), (1..=10).collect::<Vec<_>>());
    let strange = read(&scene.path().with_extension("other")).unwrap_err();
    assert!(matches!(strange, TalkError::Strange { .. }), "{strange}");
}

#[test]
fn while_it_is_held_nothing_is_written_and_then_all_of_it() {
    let scene = Scene::new();
    let mut writer = BlockWriter::open(&scene.path(), &head(), 0).unwrap().writer;
    writer.hold(true).unwrap();
    let begun = bytes(&scene.path());
    for first in [1, 1_025, 2_049] {
        writer.seal(&said(first, first + 1_023)).unwrap();
        writer.show(&said(first + 1_024, first + 1_030), true).unwrap();
    }
    assert!(bytes(&scene.path()) == begun && !tail_of(&scene.path()).exists());
    writer.hold(false).unwrap();
    writer.end(&said(3_073, 3_100)).unwrap();
    assert!(bytes(&scene.path()) == whole(3_100));
}

#[test]
fn deeds_are_counted_and_not_mentions() {
    let scene = Scene::new();
    scene.goes(0, 2_100, true).unwrap();
    let mut file = TalkFile::open(&scene.path()).unwrap();
    let deeds = Deeds::read(&mut file).unwrap();
    assert_eq!((deeds.of(1), deeds.of(2)), (&[500, 1_000, 1_500, 2_000][..], &[][..]));
    let mut counts = KindCounts::default();
    let each = |m: &Message| -> Result<(), TalkError> {
        counts.count(m, deeds.of(m.id.0));
        Ok(())
    };
    file.read(|_| true, each).unwrap();
    let of =
        |kind| counts.rows().find(|(k, _)| *k == kind).map(|(_, row)| (row.said, row.acted_on, row.deeds));
    assert_eq!(of(TopicKind::Carry), Some((1_050, 1, 4)));
    assert_eq!((of(TopicKind::Wait), of(TopicKind::Open)), (Some((1_050, 0, 0)), Some((0, 0, 0))));
}

#[test]
fn blocks_that_cannot_have_an_answer_are_passed_by() {
    let scene = Scene::new();
    scene.goes(0, 5_000, true).unwrap();
    let asked = |filter: TalkFilter| {
        let (mut looked, mut found) = (0, Vec::new());
        let mut file = TalkFile::open(&scene.path()).unwrap();
        let wants = |head: &super::BlockHead| {
            let wanted = filter.wants(head);
            looked += u32::from(wanted);
            wanted
        };
        let each = |m: &Message| -> Result<(), TalkError> {
            found.extend(filter.fits(m).then_some(m.id.0));
            Ok(())
        };
        file.read(wants, each).unwrap();
        (looked, found)
    };
    let number = |from, to| TalkFilter {
        from: Some(FilterBound::Number(from)),
        to: Some(FilterBound::Number(to)),
        ..TalkFilter::default()
    };
    assert_eq!(asked(number(2_000, 2_002)), (1, vec![2_000, 2_001, 2_002]));
    let time = TalkFilter { from: Some(FilterBound::Time(Stamp(4_999_000_000))), ..TalkFilter::default() };
    assert_eq!(asked(time), (1, vec![4_999, 5_000]));
    let nobody = TalkFilter { speakers: vec![Speaker::Desk], ..TalkFilter::default() };
    assert_eq!(asked(nobody), (0, vec![]));
    let kind = TalkFilter { kinds: vec![TopicKind::Open], ..TalkFilter::default() };
    assert_eq!(asked(kind), (0, vec![]));
    let few =
        TalkFilter { speakers: vec![Speaker::Agent(AgentId(3))], assets: vec![AssetId(1)], ..number(1, 60) };
    assert_eq!(asked(few), (1, vec![10, 31, 52]));
    let life = TalkFilter { life: Some(SpokenBy::Alone), ..TalkFilter::default() };
    assert!(asked(life).1.is_empty());
}
