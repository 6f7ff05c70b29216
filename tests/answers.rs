//! What agents make of each other, with the shipped characters: who is silenced is missed, who is everybody else is
//! nobody, and the story of the README.

use crate::common::{Run, SCOUTS, Tape, run, shipped};
use hive::config::{self, Config};
use hive::domain::{
    Action, AgentId, AssetId, Command, Event, Knob, Message, MessageCounts, MessageKind, Reason, Span,
    Speaker, SpokenBy, Stamp, Stance, Verb,
};
use hive::engine::Engine;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
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

fn action(m: &Message) -> Option<&Action> {
    if let MessageKind::Action(a) = &m.body { Some(a) } else { None }
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
        for reaction in agent.reacts.iter().filter(|r| cast.is_heard_by(r, Speaker::Agent(of))) {
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
    /// By agent without a voice.
    each: Vec<Missed>,
}

/// What is another where one has no voice.
struct Missed {
    /// Whose deeds are others.
    by: BTreeSet<AgentId>,
    /// What [`Pair::deeds`] found.
    led: (usize, usize, Vec<Message>),
}

/// A run an agent, which two tests look at.
static SILENCED: LazyLock<Silenced> = LazyLock::new(|| {
    let mut config = shipped();
    config.roster.scouts = 0;
    let tape = Tape::market(DAYS);
    let whole = run(&config, &tape);
    let before = deeds(&whole.messages);
    let one = |silenced| {
        let run = without_voice_of(&config, &tape, silenced);
        let mut runs = [Told::new(&whole.messages), Told::new(&run.messages)];
        runs[0].compare(&run.messages);
        runs[1].compare(&whole.messages);
        // Its own deeds may be others too, by what it hears of those who miss it.
        let by = others_than(&before, &deeds(&run.messages));
        Missed { by, led: Pair { runs, silenced }.deeds() }
    };
    let each = (0..whole.engine.cast().declared as u32).map(AgentId).map(one).collect();
    Silenced { whole, each }
});

#[test]
fn whoever_is_silenced_is_missed_by_those_who_hear_it() {
    let Silenced { whole, each } = &*SILENCED;
    let (mut shares, mut named_all, mut named_other) = (Vec::new(), 0, 0);
    for (agent, Missed { by: other, .. }) in (0..).map(AgentId).zip(each) {
        let (named, all) = hearers(&whole.engine, agent);
        if all.is_empty() {
            continue;
        }
        let is_other = |set: &BTreeSet<AgentId>| set.iter().filter(|who| other.contains(who)).count();
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

/// Whether both lives of an agent begin an intent with this word, so that nothing that parted them before counts any more.
fn is_joined(m: &Message) -> bool {
    m.life == SpokenBy::Both && matches!(&m.body, MessageKind::Action(a) if a.verb == Verb::Open)
}

/// Whether it is a word of a life.
fn is_word(m: &Message) -> bool {
    matches!(
        m.body,
        MessageKind::Action(_) | MessageKind::Outcome(_) | MessageKind::Wait(_) | MessageKind::Rest(_)
    )
}

/// What listening made of an intent, if it is that.
fn stance(m: &Message) -> Option<&Stance> {
    if let MessageKind::Stance(s) = &m.body { Some(s) } else { None }
}

/// The numbers of what moved a deed, or a stance.
fn causes(m: &Message) -> impl Iterator<Item = u64> {
    let swayed = m.swayed.iter().flat_map(|s| &s.causes).map(|c| c.message.0);
    swayed.chain(stance(m).into_iter().flat_map(|s| s.because).flatten().map(|n| n.0))
}

/// Whether two runs say the same; numbers of messages go their own way.
fn is_same(a: &Message, b: &Message) -> bool {
    let bare = |s: &Stance| Stance { because: [None; 3], ..*s };
    match (stance(a), stance(b)) {
        (Some(a), Some(b)) => bare(a) == bare(b),
        _ => a.body == b.body,
    }
}

/// Whether it is read of the account, which holds what everybody has said.
fn is_read(m: &Message) -> bool {
    matches!(m.body, MessageKind::Goal(_) | MessageKind::Adjustment(_) | MessageKind::Receipt(_))
}

/// What open lives said in one of two runs of a market.
struct Told<'a> {
    messages: &'a [Message],
    /// By voice: what its open life said, in order.
    own: HashMap<(Speaker, Option<AssetId>), Vec<usize>>,
    /// Where a manager silenced somebody, or had it heard again.
    hushes: Vec<usize>,
    /// Numbers of words, and of readings, that were not said in the other run.
    lacks: BTreeSet<u64>,
    /// Those, and those that came about otherwise there: through others, so that others may hear them.
    other: BTreeSet<u64>,
    /// By number, that of the same word in the other run.
    twins: HashMap<u64, u64>,
}

impl<'a> Told<'a> {
    fn new(messages: &'a [Message]) -> Self {
        let mut own: HashMap<_, Vec<usize>> = HashMap::new();
        for (i, m) in messages.iter().enumerate().filter(|(_, m)| m.life != SpokenBy::Alone) {
            if is_word(m) {
                own.entry((m.from, m.asset)).or_default().push(i);
            }
        }
        let is_hush = |m: &Message| matches!(m.body, MessageKind::Adjustment(a) if a.knob == Knob::Voice);
        let hushes = (0..messages.len()).filter(|i| is_hush(&messages[*i])).collect();
        Told { messages, own, hushes, lacks: BTreeSet::new(), other: BTreeSet::new(), twins: HashMap::new() }
    }

    /// Notes what the other run lacks, or what came about otherwise there.
    fn compare(&mut self, with: &[Message]) {
        let mut said: HashMap<_, Vec<&Message>> = HashMap::new();
        for m in with.iter().filter(|m| m.life != SpokenBy::Alone) {
            said.entry((m.at, m.from, m.asset)).or_default().push(m);
        }
        let from = |of: &[Message], m: &Message| -> Vec<_> {
            causes(m).map(|n| &of[n as usize - 1]).map(|m| (m.at, m.from, m.life)).collect()
        };
        // Who went another way carries that along while it is apart.
        let mut parted = HashSet::new();
        for m in self.messages.iter().filter(|m| m.life != SpokenBy::Alone) {
            let there = said.get(&(m.at, m.from, m.asset)).into_iter().flatten();
            let same: Vec<_> = there.filter(|o| is_same(o, m)).collect();
            match same.first() {
                Some(twin) => _ = self.twins.insert(m.id.0, twin.id.0),
                None => _ = self.lacks.insert(m.id.0),
            }
            let is_heard = |o: &&&Message| o.life == m.life && from(with, o) == from(self.messages, m);
            // The same words from the same speakers, of whom one said so for another reason: nobody hears its own echo, and
            // whose echo it is goes with that.
            let mut through = causes(m).filter(|n| !is_read(&self.messages[*n as usize - 1]));
            let is_other = !same.iter().any(is_heard) || through.any(|n| self.other.contains(&n));
            let voice = (m.from, m.asset);
            if is_joined(m) {
                parted.remove(&voice);
            }
            // A stance is of the open life's own intent.
            let goes_along = m.life == SpokenBy::Open || stance(m).is_some();
            if is_other || (goes_along && parted.contains(&voice)) {
                self.other.insert(m.id.0);
                if is_word(m) && !is_joined(m) {
                    parted.insert(voice);
                }
            }
        }
    }

    /// What the open life of a voice said until a moment that was not said in the other run, newest first, since it last
    /// began an intent as its alone one did.
    fn apart(&self, voice: (Speaker, Option<AssetId>), until: Stamp) -> impl Iterator<Item = &'a Message> {
        let (messages, own) = (self.messages, self.own.get(&voice).map_or(&[][..], Vec::as_slice));
        let words = own.iter().rev().map(|i| &messages[*i]).skip_while(move |m| m.at > until);
        words.take_while(|m| !is_joined(m)).filter(|m| self.other.contains(&m.id.0))
    }
}

/// A run with everybody, and one in which one has no voice.
struct Pair<'a> {
    runs: [Told<'a>; 2],
    silenced: AgentId,
}

impl Pair<'_> {
    /// The chain of message numbers from a word of a run (0 with everybody) back to the silenced one: through what was heard
    /// that the other run lacks, what the own life did otherwise before and, if asked for, what is read of the account or of the
    /// pool, which hold what the silenced one said before.
    fn chain(
        &self,
        (run, word): (usize, &Message),
        by_account: bool,
        seen: &mut BTreeSet<(usize, u64)>,
    ) -> Option<Vec<u64>> {
        if !seen.insert((run, word.id.0)) {
            return None;
        }
        let on = |chain: Vec<u64>| Some(chain.into_iter().chain([word.id.0]).collect());
        let told = &self.runs[run];
        for cause in causes(word) {
            let said = &told.messages[cause as usize - 1];
            if run == 0 && said.from == Speaker::Agent(self.silenced) {
                return on(vec![said.id.0]);
            }
            let is_read = is_read(said);
            let read = || if is_word(said) { self.hushed(said.from, word.at) } else { Some((run, said)) };
            if let Some(chain) = by_account.then(read).flatten().and_then(|read| self.account(read)) {
                return on(chain);
            }
            // What was said in both runs may have come about through others in one of them alone.
            let twin =
                told.twins.get(&said.id.0).map(|n| (1 - run, &self.runs[1 - run].messages[*n as usize - 1]));
            for (there, said) in [(run, said)].into_iter().chain(twin).filter(|_| !is_read) {
                if self.runs[there].other.contains(&said.id.0)
                    && let Some(chain) = self.chain((there, said), by_account, seen)
                {
                    return on(chain);
                }
            }
        }
        if let Some(kept) = self.kept_out(run, word) {
            return on(vec![kept]);
        }
        for there in [run, 1 - run] {
            for before in self.runs[there].apart((word.from, word.asset), word.at) {
                if (there != run || before.id < word.id)
                    && let Some(chain) = self.chain((there, before), by_account, seen)
                {
                    return on(chain);
                }
            }
        }
        None
    }

    /// What the silenced one said to the pool before something was read of it or of the account, if that is another without it.
    fn account(&self, (run, read): (usize, &Message)) -> Option<Vec<u64>> {
        let told = &self.runs[0].messages;
        let before = told[..told.partition_point(|m| m.at <= read.at)].iter().rev();
        let is_pooled = |m: &&Message| m.from == Speaker::Agent(self.silenced) && m.life != SpokenBy::Open;
        let said = before.filter(is_pooled).find(|m| action(m).is_some());
        // Who has said nothing yet is flat, and the pool counts that: nobody's stance is what it would be with one voice less.
        let is_meant = said.is_some() || stance(read).is_some();
        let chain = || said.map(|m| m.id.0).into_iter().chain([read.id.0]).collect();
        (is_meant && self.runs[run].other.contains(&read.id.0)).then(chain)
    }

    /// The word of the manager by which a speaker was last silenced, or heard again, in one of the runs alone.
    fn hushed(&self, speaker: Speaker, until: Stamp) -> Option<(usize, &Message)> {
        [0, 1].into_iter().find_map(|run| {
            let told = &self.runs[run];
            let all = told.hushes.iter().rev().map(|i| &told.messages[*i]);
            let is_of = |m: &&Message| matches!(&m.body, MessageKind::Adjustment(a) if a.agent.map(Speaker::Agent) == Some(speaker));
            let mut of_it = all.filter(|m| m.at < until && told.other.contains(&m.id.0)).filter(is_of);
            of_it.next().map(|m| (run, m))
        })
    }

    /// Where it is asked in on both sides it stays out, and says nothing of that: what the silenced one said against an entry
    /// that was made without it.
    fn kept_out(&self, run: usize, word: &Message) -> Option<u64> {
        let entered =
            action(word).filter(|a| run == 1 && (a.verb, a.reason) == (Verb::Open, Reason::Heard))?;
        let within = |m: &&Message| m.at <= word.at && word.at.since(m.at) <= Span::DAY;
        let is_against = |m: &&Message| {
            let a = action(m).filter(|a| matches!(a.verb, Verb::Open | Verb::Increase));
            a.is_some_and(|a| a.side() != entered.side())
        };
        let theirs = self.runs[0].messages.iter().filter(within);
        let mut theirs = theirs.filter(|m| m.from == Speaker::Agent(self.silenced) && m.asset == word.asset);
        theirs.find(is_against).map(|m| m.id.0)
    }

    /// How many swayed deeds go with the voice and lead back to it, how many to what it did to a goal, and the others.
    fn deeds(&self) -> (usize, usize, Vec<Message>) {
        let (mut by_word, mut by_account, mut stray) = (0, 0, Vec::new());
        let told = &self.runs[0];
        let is_deed = |m: &&Message| !m.swayed.is_empty() && told.lacks.contains(&m.id.0);
        for deed in told.messages.iter().filter(is_deed) {
            if self.chain((0, deed), false, &mut BTreeSet::new()).is_some() {
                by_word += 1;
            } else if self.chain((0, deed), true, &mut BTreeSet::new()).is_some() {
                by_account += 1;
            } else {
                stray.push(deed.clone());
            }
        }
        (by_word, by_account, stray)
    }
}

#[test]
fn each_deed_that_goes_with_a_voice_has_a_chain_of_messages_back_to_it() {
    let each = &SILENCED.each;
    let by_word: usize = each.iter().map(|m| m.led.0).sum();
    let by_account: usize = each.iter().map(|m| m.led.1).sum();
    let stray: Vec<&Message> = each.iter().flat_map(|m| &m.led.2).collect();
    println!(
        "{by_word} deeds lead back to the voice, {by_account} through what was read of the account or pooled, {} nowhere",
        stray.len()
    );
    assert!(by_word >= 1_000, "{by_word}");
    assert!(stray.is_empty(), "{} of no chain, such as {:?}", stray.len(), &stray[..stray.len().min(3)]);
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
