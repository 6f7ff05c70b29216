//! What each of the operator's verbs does to the voice and the three lives, and what it leaves alone.

use crate::common::{Run, Tape, hash, shipped};
use hive_core::config::Config;
use hive_core::engine::Outputs;
use hive_core::treasury::Mode;
use hive_domain::{AgentId, Command, Decimal, Event, InstrumentId, MessageKind, Speaker};

const DAYS: u32 = 240;
/// Barriers before the operator acts, and before it takes that back.
const ACTS: usize = 800;
const BACK: usize = 1_100;
const FIRST: usize = 12;

fn all(command: impl Fn(AgentId) -> Command) -> Vec<Command> {
    (0..FIRST as u32).map(|i| command(AgentId(i))).collect()
}

/// The shipped roster, whose open lives hear of no goal: what the operator does to money moves the goals, and so open lives
/// that react to their readings.
fn without_reactions() -> Config {
    let mut config = shipped();
    config.listening.reactions = false;
    config
}

/// A run in which commands are given, with a look at every event between `ACTS` and the end.
struct Watched {
    run: Run,
    tape: Tape,
}

impl Watched {
    fn new() -> Self {
        let tape = Tape::market(DAYS);
        let mut run = Run::start(&without_reactions(), &tape.universe);
        run.play(&tape.events[..tape.after(ACTS)]);
        Watched { run, tape }
    }

    fn command(&mut self, commands: &[Command]) -> &mut Self {
        let at = self.run.engine.now().unwrap();
        let before = self.run.engine.respond.interventions;
        let events: Vec<_> = commands.iter().map(|c| Event::Command(at, *c)).collect();
        self.run.play(&events);
        let after = self.run.engine.respond.interventions;
        assert_eq!(after - before, commands.len() as u64, "each is counted once");
        let hash = self.run.engine.state_hash();
        self.run.play(&events);
        assert_eq!(self.run.engine.state_hash(), hash, "asked again, it changes nothing");
        self
    }

    fn play(&mut self, from: usize, to: usize, mut look: impl FnMut(&Event, &Run)) -> &mut Self {
        let (from, to) = (self.tape.after(from), self.tape.after(to));
        let mut out = Outputs::default();
        for event in &self.tape.events[from..to] {
            self.run.step(event, &mut out);
            look(event, &self.run);
        }
        self.run.engine.balances().unwrap();
        assert_eq!(self.run.engine.respond.real.account.halted, None);
        self
    }

    fn held(&self, agents: usize) -> Vec<i64> {
        held(&self.run, agents)
    }
}

/// What each slot of the first agents holds in real, in atoms.
fn held(run: &Run, agents: usize) -> Vec<i64> {
    let cast = run.engine.cast();
    let slots = 0..cast.agents[agents - 1].slots.end;
    run.engine.respond.real.execution.desk.parts[slots].iter().map(|p| p.held).collect()
}

fn net(run: &Run) -> Vec<i64> {
    let n = run.engine.respond.real.account.marks.len() as u16;
    (0..n).map(|i| run.engine.respond.real.execution.desk.held(InstrumentId(i))).collect()
}

/// What the listeners hear of every voice, on every asset. Not the numbers of the messages: managers
/// speak in between, and what they say follows the real account.
fn heard(run: &Run) -> Vec<f64> {
    let (cast, consensus) = (run.engine.cast(), &run.engine.respond.consensus);
    (0..cast.slots.len()).map(|slot| consensus.heard(cast, slot)).collect()
}

fn opens(run: &Run) -> Vec<hive_core::fills::books::Patient> {
    run.engine.respond.ears.iter().map(|e| e.open).collect()
}

/// Speak, the open lives, and what was said, at the end of a run that nobody touched.
fn free() -> Watched {
    let mut free = Watched::new();
    free.play(ACTS, BACK, |_, _| {});
    free
}

/// None of it is larger than before, or on the other side; atoms that rounding leaves over aside.
fn shrinks(before: &[i64], now: &[i64], what: &str) {
    for (b, n) in before.iter().zip(now) {
        assert!(n.abs() <= b.abs() + 1 && n.signum() * b.signum() >= 0, "{what}: {b} became {n}");
    }
}

/// What was said and the lives that are not real are as if nothing had been asked.
fn only_real_differs(touched: &Watched, free: &Watched) {
    assert_eq!(hash(&touched.run.engine.speak), hash(&free.run.engine.speak), "speech and alone go on");
    assert_eq!(opens(&touched.run), opens(&free.run), "open goes on");
    assert_eq!(heard(&touched.run), heard(&free.run), "it is heard");
    assert_ne!(net(&touched.run), net(&free.run), "real differs");
}

/// Plays on with the parts of the first agents never growing; Σ|held| in the end.
fn shrinking(w: &mut Watched, agents: usize, what: &str) -> i64 {
    let mut last = w.held(agents);
    w.play(ACTS, BACK, |_, run| {
        let now = held(run, agents);
        shrinks(&last, &now, what);
        last = now;
    });
    last.iter().map(|n| n.abs()).sum()
}

fn size(held: &[i64]) -> i64 {
    held.iter().map(|n| n.abs()).sum()
}

#[test]
fn pausing_takes_no_new_risk_and_leaves_voice_alone_and_open_as_they_are() {
    let free = free();
    let mut w = Watched::new();
    let before = w.held(FIRST);
    assert!(size(&before) > 0, "they held something");
    w.command(&all(Command::Pause));
    shrinking(&mut w, FIRST, "paused");
    only_real_differs(&w, &free);
    // Taken back, they trade again.
    let paused = size(&w.held(FIRST));
    w.command(&all(Command::Resume));
    let mut grew = false;
    w.play(BACK, BACK + 250, |_, run| grew |= size(&held(run, FIRST)) > paused.max(1) * 2);
    assert!(grew, "who is resumed takes risk again");
}

#[test]
fn draining_runs_the_real_position_off_and_leaves_voice_alone_and_open_as_they_are() {
    let free = free();
    let mut w = Watched::new();
    let before = size(&w.held(FIRST));
    w.command(&all(Command::Drain));
    let left = shrinking(&mut w, FIRST, "drained");
    assert!(left * 20 < before, "it runs off: {before} became {left}");
    only_real_differs(&w, &free);
    w.command(&all(Command::Resume));
}

#[test]
fn unfunding_takes_the_money_back_and_funding_gives_it_again() {
    let free = free();
    let mut w = Watched::new();
    let before = size(&w.held(FIRST));
    let total = |w: &Watched| {
        let real = &w.run.engine.respond.real;
        real.account.ledger.total_equity(&real.account.marks).unwrap()
    };
    let (money, one) = (total(&w), AgentId(0));
    w.command(&all(Command::Unfund));
    assert_eq!(total(&w), money, "moving funds conserves the total");
    let real = &w.run.engine.respond.real;
    assert!((0..FIRST as u32).all(|i| real.account.funds.weight(AgentId(i)) == 0.0));
    assert!(
        real.account.ledger.equity(one, &real.account.marks).unwrap() < Decimal::ONE,
        "the treasury has it"
    );
    let left = shrinking(&mut w, FIRST, "unfunded");
    assert!(left * 20 < before, "without funds nothing stays: {before} became {left}");
    only_real_differs(&w, &free);
    w.command(&all(Command::Fund));
    let real = &w.run.engine.respond.real;
    assert!((0..FIRST as u32).all(|i| real.account.funds.weight(AgentId(i)) > 0.0));
    assert!(real.account.ledger.equity(one, &real.account.marks).unwrap() > Decimal::ONE);
    let mut grew = false;
    w.play(BACK, BACK + 250, |_, run| grew |= size(&held(run, FIRST)) > before / 4);
    assert!(grew, "with funds it trades again");
}

#[test]
fn the_deaf_follow_their_own_intent_and_are_still_heard() {
    let free = free();
    let mut w = Watched::new();
    w.command(&all(Command::Deafen));
    let cast = w.run.engine.cast().clone();
    let own = 0..cast.agents[FIRST - 1].slots.end;
    w.play(ACTS, BACK, |_, _| {});
    for m in w.run.messages.iter().rev().take_while(|m| m.at > w.tape.events[w.tape.after(ACTS)].at()) {
        let (Speaker::Agent(a), MessageKind::Stance(s)) = (m.from, &m.body) else { continue };
        assert!(a.index() >= FIRST || s.because.iter().all(Option::is_none), "moved a deaf agent: {m:?}");
    }
    let ears = &w.run.engine.respond.ears[own.clone()];
    let reference = 1.0 / cast.declared as f64;
    for (ear, slot) in ears.iter().zip(&cast.slots[own.clone()]) {
        let agent = &cast.agents[slot.agent.index()];
        let listing = &w.run.engine.speak.market.instruments[slot.asset.index()];
        let own = reference * ear.own.at(listing.last().close, w.run.engine.settings().listening.holds);
        assert!((ear.stance - own).abs() < 1e-12, "{}: {} {own}", agent.name, ear.stance);
    }
    assert_eq!(hash(&w.run.engine.speak), hash(&free.run.engine.speak));
    assert_eq!(heard(&w.run), heard(&free.run), "they are heard");
    let (deaf, heard) = (opens(&w.run), opens(&free.run));
    assert_ne!(deaf[own.clone()], heard[own.clone()], "open is another");
    assert_eq!(deaf[own.end..], heard[own.end..], "the others' ears are open");
    w.command(&all(Command::Undeafen));
}

#[test]
fn muting_takes_the_voice_and_leaves_ears_and_funds() {
    let free = free();
    let mut w = Watched::new();
    let funds = w.run.engine.respond.real.account.funds.clone();
    w.command(&all(Command::Mute));
    assert_eq!(w.run.engine.respond.real.account.funds, funds);
    w.play(ACTS, BACK, |_, _| {});
    assert_eq!(hash(&w.run.engine.speak), hash(&free.run.engine.speak));
    let cast = w.run.engine.cast();
    // Control groups are no voices from the start.
    let heard = cast.agents[FIRST..].iter().filter(|a| a.heard).count();
    assert_eq!(w.run.engine.respond.consensus.voices() as usize, heard);
    assert!(size(&w.held(FIRST)) > 0, "they trade on");
    w.command(&all(Command::Unmute));
}

#[test]
fn flattening_closes_everything_until_it_is_resumed() {
    let free = free();
    let mut w = Watched::new();
    w.command(&[Command::Flatten]);
    assert_eq!(w.run.engine.respond.real.account.mode(), Mode::Reducing);
    let mut last = net(&w.run);
    w.play(ACTS, BACK, |_, run| {
        let now = net(run);
        shrinks(&last, &now, "flat");
        last = now;
    });
    assert_eq!(size(&last), 0, "everything is closed and stays so");
    only_real_differs(&w, &free);
    w.command(&[Command::ResumeAll]);
    w.play(BACK, BACK + 100, |_, _| {});
    assert!(size(&net(&w.run)) > 0);
}

#[test]
fn the_kill_switch_takes_no_new_risk_lets_reductions_pass_and_stays_until_it_is_reset() {
    let free = free();
    let mut w = Watched::new();
    let before = size(&net(&w.run));
    w.command(&[Command::Kill]);
    let (mut lasts, mut parts) = (net(&w.run), held(&w.run, w.run.engine.cast().declared));
    let declared = w.run.engine.cast().declared;
    w.play(ACTS, BACK, |_, run| {
        assert_eq!(run.engine.respond.real.account.mode(), Mode::Halted);
        let (now, mine) = (net(run), held(run, declared));
        shrinks(&lasts, &now, "killed");
        shrinks(&parts, &mine, "killed");
        (lasts, parts) = (now, mine);
    });
    assert!(size(&lasts) < before, "reductions pass");
    only_real_differs(&w, &free);
    // Resuming is not resetting.
    let at = w.run.engine.now().unwrap();
    w.run.play(&[Event::Command(at, Command::ResumeAll)]);
    assert_eq!(w.run.engine.respond.real.account.mode(), Mode::Halted);
    w.command(&[Command::Reset]);
    assert_eq!(w.run.engine.respond.real.account.mode(), Mode::Running);
    w.play(BACK, BACK + 250, |_, _| {});
    assert!(size(&net(&w.run)) > size(&lasts));
}

#[test]
fn killed_and_flattened_everything_is_closed() {
    let mut w = Watched::new();
    w.command(&[Command::Kill, Command::Flatten]);
    w.play(ACTS, ACTS + 100, |_, _| {});
    assert_eq!(size(&net(&w.run)), 0);
    assert_eq!(w.run.engine.respond.real.account.mode(), Mode::Halted);
}

#[test]
fn everybody_paused_or_drained_at_once_is_the_same_as_one_by_one() {
    for (at_once, each) in
        [(Command::PauseAll, Command::Pause as fn(AgentId) -> Command), (Command::DrainAll, Command::Drain)]
    {
        let (mut one, mut other) = (Watched::new(), Watched::new());
        one.command(&[at_once]);
        let declared = other.run.engine.cast().declared as u32;
        let commands: Vec<_> = (0..declared).map(|i| each(AgentId(i))).collect();
        other.command(&commands);
        one.play(ACTS, ACTS + 100, |_, _| {});
        other.play(ACTS, ACTS + 100, |_, _| {});
        assert_eq!(net(&one.run), net(&other.run));
        assert_eq!(one.run.engine.respond.real.execution.desk, other.run.engine.respond.real.execution.desk);
        one.command(&[Command::ResumeAll]);
    }
}

#[test]
fn what_is_asked_of_nobody_changes_nothing() {
    let mut w = Watched::new();
    let at = w.run.engine.now().unwrap();
    // The first command of a run notes on the desk who has no funds from the start: a control group.
    w.run.play(&[Event::Command(at, Command::ResumeAll)]);
    let before = w.run.engine.state_hash();
    let nobody = AgentId(99_999);
    // A scout has neither funds nor ears.
    let scout = AgentId(w.run.engine.cast().declared as u32);
    for agent in [nobody, scout] {
        for verb in [
            Command::Pause,
            Command::Resume,
            Command::Drain,
            Command::Deafen,
            Command::Undeafen,
            Command::Fund,
            Command::Unfund,
            Command::Unmute,
        ] {
            w.run.play(&[Event::Command(at, verb(agent))]);
        }
    }
    w.run.play(&[Command::Mute(nobody), Command::ResumeAll, Command::Reset].map(|c| Event::Command(at, c)));
    assert_eq!(w.run.engine.state_hash(), before);
}

#[test]
fn operator_states_survive_a_snapshot() {
    let mut w = Watched::new();
    w.command(&[
        Command::Pause(AgentId(0)),
        Command::Drain(AgentId(1)),
        Command::Deafen(AgentId(2)),
        Command::Unfund(AgentId(3)),
        Command::Mute(AgentId(4)),
        Command::Kill,
    ]);
    let bytes = w.run.engine.snapshot().unwrap();
    let mut again = Run::start(&without_reactions(), &w.tape.universe);
    again.engine.restore(&bytes).unwrap();
    assert_eq!(again.engine.state_hash(), w.run.engine.state_hash());
    let (from, to) = (w.tape.after(ACTS), w.tape.after(ACTS + 60));
    again.play(&w.tape.events[from..to]);
    w.play(ACTS, ACTS + 60, |_, _| {});
    assert_eq!(again.engine.state_hash(), w.run.engine.state_hash());
}
