//! What agents make of each other, with the shipped characters: who is silenced is missed, who is everybody else is
//! nobody, and the story of the README.

use crate::common::{Run, SCOUTS, Tape, run, shipped};
use hive::config::{self, Config};
use hive::domain::{
    Action, AgentId, AssetId, Command, Event, Message, MessageCounts, MessageKind, Speaker, SpokenBy, Stamp,
    Verb,
};
use hive::engine::Engine;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const DAYS: u32 = 300;

/// What an open life did at a barrier: verb and size.
type Deed = (Stamp, Verb, f64);

/// By agent and asset, what its open life did.
fn deeds(messages: &[Message]) -> BTreeMap<(AgentId, AssetId), Vec<Deed>> {
    let mut all: BTreeMap<_, Vec<Deed>> = BTreeMap::new();
    for m in messages.iter().filter(|m| m.life != SpokenBy::Alone) {
        if let (Speaker::Agent(agent), Some(asset), MessageKind::Action(a)) = (m.from, m.asset, &m.body) {
            all.entry((agent, asset)).or_default().push((m.at, a.verb, a.after));
        }
    }
    all
}

/// A run in which one agent has no voice from the first bar on.
fn without_voice_of(config: &Config, tape: &Tape, agent: AgentId) -> Run {
    let mut run = Run::start(config, &tape.universe);
    run.play(&[Event::Command(tape.events[0].at(), Command::Mute(agent))]).play(&tape.events);
    run
}

/// Those of an engine's agents whose open lives did another verb, at another barrier, or another size by a tenth.
fn others_than(
    a: &BTreeMap<(AgentId, AssetId), Vec<Deed>>,
    b: &BTreeMap<(AgentId, AssetId), Vec<Deed>>,
) -> BTreeSet<AgentId> {
    let same =
        |a: &Deed, b: &Deed| (a.0, a.1) == (b.0, b.1) && (a.2 - b.2).abs() <= 0.1 * a.2.abs().max(b.2.abs());
    let alike = |x: &Vec<Deed>, y: &Vec<Deed>| x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y));
    let keys: BTreeSet<_> = a.keys().chain(b.keys()).copied().collect();
    let none = Vec::new();
    let differ = |k: &(AgentId, AssetId)| !alike(a.get(k).unwrap_or(&none), b.get(k).unwrap_or(&none));
    keys.into_iter().filter(differ).map(|(agent, _)| agent).collect()
}

/// The agents with a reaction that names this one, or its family; and all who may hear it.
fn hearers(engine: &Engine, of: AgentId) -> (BTreeSet<AgentId>, BTreeSet<AgentId>) {
    use hive::agents::reactions::ListensTo;
    let cast = engine.cast();
    let speaker = &cast.agents[of.index()];
    let own: BTreeSet<AssetId> = speaker.slots.clone().map(|s| cast.slots[s].asset).collect();
    let (mut named, mut all) = (BTreeSet::new(), BTreeSet::new());
    for agent in cast.agents[..cast.declared].iter().filter(|a| a.id != of) {
        // Who looks at none of its assets has nothing to hear from it.
        let meets = agent.slots.clone().any(|s| own.contains(&cast.slots[s].asset));
        for reaction in agent.reacts.iter().filter(|r| cast.is_heard_by(r, of)) {
            let elsewhere = reaction.on != hive::agents::reactions::ListensOn::Mine;
            let is_word = !matches!(reaction.rule.hears.what, hive::domain::Hearing::Goal { .. });
            if is_word && (meets || elsewhere) {
                all.insert(agent.id);
                if matches!(reaction.who, ListensTo::Agent(_) | ListensTo::Family(_)) {
                    named.insert(agent.id);
                }
            }
        }
    }
    (named, all)
}

/// A run of everybody, and what is another in each run in which one of them has no voice.
struct Silenced {
    whole: Run,
    /// By agent without a voice: whose deeds are others, each with those of them that were swayed.
    each: Vec<BTreeMap<AgentId, Vec<Message>>>,
}

/// The deeds of an agent's open life that others swayed.
fn swayed_of(messages: &[Message], who: AgentId) -> Vec<Message> {
    let is_own = |m: &&Message| m.from == Speaker::Agent(who) && !m.swayed.is_empty();
    messages.iter().filter(is_own).cloned().collect()
}

/// A run an agent, which two tests look at.
static SILENCED: LazyLock<Silenced> = LazyLock::new(|| {
    let mut config = shipped();
    config.roster.scouts = 0;
    let tape = Tape::market(DAYS);
    let whole = run(&config, &tape);
    let before = deeds(&whole.messages);
    let one = |agent| {
        let silenced = without_voice_of(&config, &tape, agent);
        // Its own deeds may be others too, by what it hears of those who miss it.
        let other = others_than(&before, &deeds(&silenced.messages));
        other.into_iter().map(|who| (who, swayed_of(&silenced.messages, who))).collect()
    };
    let each = (0..whole.engine.cast().declared as u32).map(AgentId).map(one).collect();
    Silenced { whole, each }
});

#[test]
fn whoever_is_silenced_is_missed_by_those_who_hear_it() {
    let Silenced { whole, each } = &*SILENCED;
    let (mut shares, mut named_all, mut named_other) = (Vec::new(), 0, 0);
    for (agent, other) in (0..).map(AgentId).zip(each) {
        let (named, all) = hearers(&whole.engine, agent);
        if all.is_empty() {
            continue;
        }
        let is_other = |set: &BTreeSet<AgentId>| set.iter().filter(|who| other.contains_key(who)).count();
        named_all += named.len();
        named_other += is_other(&named);
        shares.push(is_other(&all) as f64 / all.len() as f64);
    }
    shares.sort_by(f64::total_cmp);
    let median = shares[shares.len() / 2];
    println!("named {named_other} of {named_all}; hearers: median {median:.2} of {}", shares.len());
    assert!(
        named_all >= 4 && 2 * named_other >= named_all,
        "{named_other} of {named_all} of those who name it"
    );
    assert!(median >= 0.05, "{median}: {shares:?}");
}

/// The chain of message numbers from a deed back to this speaker, through the deeds of others.
fn leads_to(messages: &[Message], deed: &Message, speaker: AgentId, depth: usize) -> bool {
    deed.swayed.iter().flat_map(|s| &s.causes).any(|cause| {
        let said = &messages[cause.message.0 as usize - 1];
        said.from == Speaker::Agent(speaker) || (depth > 0 && leads_to(messages, said, speaker, depth - 1))
    })
}

#[test]
fn a_deed_that_goes_with_a_voice_has_a_chain_of_messages_back_to_it() {
    let Silenced { whole, each } = &*SILENCED;
    let mut looked = 0;
    for (agent, swayed) in (0..).map(AgentId).zip(each) {
        for (who, theirs) in swayed {
            // The first swayed deed that is another. It leads back to the voice, or to others who were one too few without it.
            let mine = swayed_of(&whole.messages, *who);
            let theirs = theirs.iter().map(Some).chain(std::iter::repeat(None));
            let is_other = |(x, y): &(&Message, Option<&Message>)| {
                y.is_none_or(|y| (x.at, x.asset, &x.body) != (y.at, y.asset, &y.body))
            };
            let first = mine.iter().zip(theirs).find(is_other);
            looked += usize::from(first.is_some_and(|(deed, _)| leads_to(&whole.messages, deed, agent, 4)));
        }
    }
    println!("{looked} deeds lead back");
    assert!(looked >= 20, "{looked} deeds lead back to whom they go with");
}

/// Σ of the eight counts of what open lives did less what alone lives did.
fn eight(run: &Run) -> [f64; 8] {
    let bus = &run.engine.respond.bus;
    let of = |c: MessageCounts| {
        [
            c.open_long,
            c.open_short,
            c.increase_long,
            c.increase_short,
            c.decrease_long,
            c.decrease_short,
            c.close_long,
            c.close_short,
        ]
    };
    let (open, alone) = (of(bus.open_counts()), of(bus.alone_counts()));
    std::array::from_fn(|i| open[i] as f64 - alone[i] as f64)
}

#[test]
fn characters_differ_in_what_they_make_of_others() {
    let tape = Tape::market(DAYS);
    let text = config::ON_BARS.text;
    let first = "personality = \"";
    let all_as = |who: &str| {
        let lines = text.lines().map(|line| match line.find(first) {
            Some(at) if !line.trim_start().starts_with('#') => format!("{}{first}{who}\"", &line[..at]),
            _ => line.to_owned(),
        });
        let mut config = config::parse("agents.toml", &lines.collect::<Vec<_>>().join("\n")).unwrap();
        config.roster.scouts = SCOUTS;
        config
    };
    let own = eight(&run(&shipped(), &tape));
    let one = eight(&run(&all_as("stoic"), &tape));
    let moved = own.iter().zip(&one).filter(|(a, b)| (*a - *b).abs() > 0.05 * a.abs().max(1.0)).count();
    println!("as they are {own:?}, all as one {one:?}");
    assert!(moved >= 6, "{moved} of eight: {own:?} {one:?}");
}

#[test]
fn company_share_of_the_shipped_roster_is_a_tenth_or_more_and_nothing_for_a_hermit() {
    let run = run(&shipped(), &Tape::market(DAYS));
    let cast = run.engine.cast();
    let shares = cast.agents[..cast.declared].iter().zip(&run.engine.respond.company);
    let mut all: Vec<f64> =
        shares.clone().filter(|(a, _)| !a.slots.is_empty()).map(|(_, c)| c.share()).collect();
    all.sort_by(f64::total_cmp);
    println!(
        "company share: median {:.3}, least {:.3}, most {:.3}",
        all[all.len() / 2],
        all[0],
        all[all.len() - 1]
    );
    assert!(all[all.len() / 2] >= 0.10, "{all:?}");
    let hermits: Vec<_> = shares.filter(|(a, _)| a.reacts.is_empty()).collect();
    assert!(!hermits.is_empty() && hermits.iter().all(|(_, c)| c.share() == 0.0));
}

/// Two agents on one asset, one that only buys and one that only sells; each takes the other's opening for a warning.
const TWINS: &str = r#"
config_version = 1
[hive]
name = "twins"
scouts = 0
[preset.automated]
[personality.plain]

[[agent]]
name = "Bea"
family = "trend"
assets = "BTC"
side = "long"
goal = "automated"
personality = "plain"
[[agent.reacts]]
name = "the other side opened"
hears = { what = "opened", who = "Sid", side = "against" }
then = { stop = 0.6 }
[[agent.reacts]]
name = "give up half"
hears = { what = "opened", who = "Sid", side = "against" }
then = { cut = 0.5 }

[[agent]]
name = "Sid"
family = "range"
assets = "BTC"
side = "short"
goal = "automated"
personality = "plain"
[[agent.reacts]]
name = "the other side opened"
hears = { what = "opened", who = "Bea", side = "against" }
then = { stop = 0.6 }
"#;

/// What the two said from the first deed that one swayed of the other: a line a message, without conditions.
fn story() -> String {
    let config = config::parse("twins.toml", TWINS).unwrap();
    let run = run(&config, &Tape::market(DAYS));
    let headline = |a: &Action| format!("{} ({})", a.headline(), a.reason);
    let mut lines = Vec::new();
    for m in &run.messages {
        let said = match &m.body {
            MessageKind::Action(a) => headline(a),
            MessageKind::Outcome(o) => format!("ends {:+.2} R ({})", o.r, o.reason),
            _ => continue,
        };
        let life = match m.life {
            SpokenBy::Both => "",
            SpokenBy::Alone => "alone ",
            SpokenBy::Open => "open ",
        };
        let because: Vec<String> =
            m.swayed.iter().flat_map(|s| &s.causes).map(|c| format!("#{}", c.message.0)).collect();
        let because =
            if because.is_empty() { String::new() } else { format!(", because of {}", because.join(", ")) };
        let from = hive::recorder::speaker(&run.engine, m.from);
        lines.push((m.swayed.is_empty(), format!("{} #{} {from}: {life}{said}{because}", m.at, m.id.0)));
    }
    let first = lines.iter().position(|(is_own, _)| !is_own).unwrap();
    lines[first - 2..].iter().take(10).map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_story_of_the_readme_is_what_they_said() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let story = story();
    println!("{story}");
    assert!(readme.contains(&story), "the README tells another story than:\n{story}");
}
