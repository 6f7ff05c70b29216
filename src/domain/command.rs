//! What the operator may ask of a running swarm: one row a command. The rows are read by the wire, `hive ctl`, the
//! cockpit's keys, `:` line, palette, dialogs and undo, and by the manual page, so that none of them can know a word
//! that another does not. What a command does stands in one arm of `operator_commands.rs` of the engine.
//!
//! # Invariants
//!
//! 1. A row is only ever appended: the order of the variants is how journals, snapshots and clients read them.
//! 2. Every command is idempotent: asked again, or of an agent that is not there or has no such life, it changes
//!    nothing.
//! 3. An inverse is a word with a row for the same scope, and a command that says it can be taken back has one.

use super::{AgentId, ManagerId};
use serde::{Deserialize, Serialize};

/// How much a command may do, and so what is asked of the operator before it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// It only shows something.
    Look,
    /// It can be taken back: it is done at once, and `u` undoes it for ten seconds.
    Reversible,
    /// It moves the money of one agent: a dialog shows before and after, and Cancel is the default.
    Money,
    /// It moves everybody's money or ends something: its word has to be typed.
    Broad,
    /// It only removes risk: a chord and no dialog, latched until it is reset.
    Halt,
}

/// Whom a command is about, and how it is made.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    /// One agent, named after the word.
    Agent(fn(AgentId) -> Command),
    /// One manager, named after the word.
    Manager(fn(ManagerId) -> Command),
    /// The whole swarm.
    All(Command),
    /// The process that the swarm runs in; it is no event of the market, so the engine never sees it.
    Process,
}

impl Scope {
    /// Whether the word has to be followed by an agent.
    pub fn is_agent(&self) -> bool {
        matches!(self, Scope::Agent(_))
    }

    /// Whether the word has to be followed by a manager.
    pub fn is_manager(&self) -> bool {
        matches!(self, Scope::Manager(_))
    }
}

/// One command in words.
#[derive(Clone, Copy, Debug)]
pub struct CommandRow {
    /// What is typed after `hive ctl` and after the cockpit's colon.
    pub word: &'static str,
    /// Whom it is about.
    pub scope: Scope,
    /// How much it may do.
    pub danger: Danger,
    /// The word that takes it back, for the same scope.
    pub inverse: Option<&'static str>,
    /// What it will do, as a phrase for help, dialogs and the manual page.
    pub help: &'static str,
    /// What was done, with `{agent}` where the name of the agent or the manager belongs.
    pub done: &'static str,
}

macro_rules! scope {
    ($variant:ident, agent) => {
        Scope::Agent(Command::$variant)
    };
    ($variant:ident, manager) => {
        Scope::Manager(Command::$variant)
    };
    ($variant:ident) => {
        Scope::All(Command::$variant)
    };
}

macro_rules! id_of {
    (agent) => {
        AgentId
    };
    (manager) => {
        ManagerId
    };
}

macro_rules! agent_of {
    (agent, $id:expr) => {
        Some($id)
    };
    (manager, $id:expr) => {{
        let _: ManagerId = $id;
        None
    }};
}

macro_rules! inverse {
    (none) => {
        None
    };
    ($word:literal) => {
        Some($word)
    };
}

macro_rules! commands {
    ($($variant:ident $(($agent:ident))? = $word:literal, $danger:ident, inverse $inverse:tt, $help:literal, done $done:literal;)*) => {
        /// What the operator can ask the engine for; [`COMMANDS`] says each in words.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Command {
            $(#[doc = concat!("`", $word, "`: ", $help, ".")] $variant $((id_of!($agent)))?,)*
        }

        /// All commands to the engine, in the order of [`Command`].
        pub const COMMANDS: &[CommandRow] = &[$(CommandRow {
            word: $word,
            scope: scope!($variant $(, $agent)?),
            danger: Danger::$danger,
            inverse: inverse!($inverse),
            help: $help,
            done: $done,
        },)*];

        /// Of each variant its place in [`COMMANDS`].
        #[derive(Clone, Copy)]
        enum Ordinal {
            $($variant,)*
        }

        impl Command {
            fn ordinal(self) -> usize {
                (match self {
                    $(Command::$variant { .. } => Ordinal::$variant,)*
                }) as usize
            }

            /// The agent it is about; none where it is about the whole.
            pub fn agent(self) -> Option<AgentId> {
                match self {
                    $(Command::$variant $(($agent))? => None $(.or(agent_of!($agent, $agent)))?,)*
                }
            }
        }
    };
}

commands! {
    Mute(agent) = "mute", Reversible, inverse "unmute",
        "the agent is not heard; it still hears",
        done "{agent} is muted";
    Unmute(agent) = "unmute", Reversible, inverse "mute",
        "the agent is heard again",
        done "{agent} is heard again";
    ResetBreaker = "reset-breaker", Broad, inverse none,
        "releases the drawdown breaker alone; a kill stays latched",
        done "the drawdown breaker is released";
    Pause(agent) = "pause", Reversible, inverse "resume",
        "takes no new real risk; speaks on",
        done "{agent} takes no new risk";
    Resume(agent) = "resume", Reversible, inverse "pause",
        "ends pause and drain: takes real risk again",
        done "{agent} goes on";
    Drain(agent) = "drain", Reversible, inverse "resume",
        "its real position may only shrink, and runs off",
        done "{agent} only reduces its real position";
    Deafen(agent) = "deafen", Reversible, inverse "undeafen",
        "the agent hears nothing; it is still heard",
        done "{agent} hears nothing";
    Undeafen(agent) = "undeafen", Reversible, inverse "deafen",
        "the agent hears again",
        done "{agent} hears again";
    Fund(agent) = "fund", Money, inverse "unfund",
        "gets funds by its points",
        done "{agent} gets funds by its points";
    Unfund(agent) = "unfund", Money, inverse "fund",
        "its funds go back to the treasury; its open life goes on",
        done "{agent} gives its funds back";
    PauseAll = "pause", Broad, inverse "resume",
        "nobody takes new real risk",
        done "nobody takes new risk";
    ResumeAll = "resume", Broad, inverse "pause",
        "everybody takes real risk again; ends every pause and drain, and flatten",
        done "everybody goes on";
    DrainAll = "drain", Broad, inverse "resume",
        "every real position may only shrink, and runs off",
        done "real positions may only shrink";
    Flatten = "flatten", Broad, inverse "resume",
        "closes every real position now, until all are resumed",
        done "everything is closed, and stays closed until all are resumed";
    Kill = "kill", Halt, inverse "reset",
        "kill switch: halts, lets only reductions pass; latched until reset",
        done "killed: only reductions pass until it is reset";
    Reset = "reset", Broad, inverse none,
        "releases kill switch and drawdown breaker: new risk again",
        done "kill switch and breaker are released";
    Recheck = "recheck", Broad, inverse none,
        "compares positions with the venue again; a halt that a difference caused ends if there is none any more",
        done "positions were compared again";
    MuteManager(manager) = "mute", Reversible, inverse "unmute",
        "the manager's adjustments are heard by nobody's reactions; they act",
        done "{agent} is muted";
    UnmuteManager(manager) = "unmute", Reversible, inverse "mute",
        "the manager is heard again",
        done "{agent} is heard again";
    PauseManager(manager) = "pause", Reversible, inverse "resume",
        "the manager's knobs go home and rest there",
        done "{agent} rests, its knobs are at home";
    ResumeManager(manager) = "resume", Reversible, inverse "pause",
        "the manager looks again at the end of the day",
        done "{agent} manages again";
}

/// Ends the process of the swarm. It is the one row that is no event of the engine.
pub const STOP: CommandRow = CommandRow {
    word: "stop",
    scope: Scope::Process,
    danger: Danger::Broad,
    inverse: None,
    help: "ends the swarm's process; positions stay, and nobody watches them",
    done: "the swarm ends",
};

/// Every row there is: those of the engine, then [`STOP`].
pub fn rows() -> impl Iterator<Item = &'static CommandRow> + Clone {
    COMMANDS.iter().chain(std::iter::once(&STOP))
}

/// The row of a word for one agent, or for the whole.
pub fn find(word: &str, for_agent: bool) -> Option<&'static CommandRow> {
    rows().find(|r| r.word == word && !r.scope.is_manager() && r.scope.is_agent() == for_agent)
}

/// The row of a word for one manager.
pub fn find_for_manager(word: &str) -> Option<&'static CommandRow> {
    rows().find(|r| r.word == word && r.scope.is_manager())
}

/// Every word once, in the order of the rows.
pub fn words() -> Vec<&'static str> {
    let mut words: Vec<&'static str> = Vec::new();
    rows().for_each(|r| words.extend((!words.contains(&r.word)).then_some(r.word)));
    words
}

/// What a word does in one phrase: for an agent, and for all where it may be said of either.
pub fn help(word: &str) -> String {
    let [agent, all] = [true, false].map(|for_agent| find(word, for_agent).map(|r| r.help));
    let manager = find_for_manager(word).map(|r| format!("; of a manager: {}", r.help)).unwrap_or_default();
    match (agent, all) {
        (Some(agent), Some(all)) => format!("{agent}; of all: {all}{manager}"),
        (one, other) => format!("{}{manager}", one.or(other).unwrap_or_default()),
    }
}

impl CommandRow {
    /// What was done, to whom; the name is not used where it is about the whole.
    pub fn done(&self, agent: &str) -> String {
        self.done.replace("{agent}", agent)
    }
}

impl Command {
    /// The row of the table that says it in words.
    pub fn row(self) -> &'static CommandRow {
        &COMMANDS[self.ordinal()]
    }

    /// What takes it back, of the same agent or of all; none where nothing does.
    pub fn inverse(self) -> Option<Command> {
        let inverse = self.row().inverse?;
        if let Some(manager) = self.manager() {
            let Scope::Manager(make) = find_for_manager(inverse)?.scope else { return None };
            return Some(make(manager));
        }
        let agent = self.agent();
        match (find(inverse, agent.is_some())?.scope, agent) {
            (Scope::Agent(make), Some(agent)) => Some(make(agent)),
            (Scope::All(command), None) => Some(command),
            _ => None,
        }
    }

    /// The manager it is about; none where it is about agents.
    pub fn manager(self) -> Option<ManagerId> {
        match self {
            Command::MuteManager(id)
            | Command::UnmuteManager(id)
            | Command::PauseManager(id)
            | Command::ResumeManager(id) => Some(id),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_the_one_of_its_command_and_what_can_be_taken_back_is_taken_back_by_a_row() {
        for (n, row) in COMMANDS.iter().enumerate() {
            let command = match row.scope {
                Scope::Agent(make) => make(AgentId(7)),
                Scope::Manager(make) => make(ManagerId(2)),
                Scope::All(command) => command,
                Scope::Process => unreachable!("{} is no command of the engine", row.word),
            };
            assert_eq!(command.ordinal(), n, "{command:?}");
            assert_eq!(command.row().word, row.word);
            assert_eq!(command.agent(), row.scope.is_agent().then_some(AgentId(7)));
            assert_eq!(command.manager(), row.scope.is_manager().then_some(ManagerId(2)));
            assert_eq!(
                command.inverse().is_some(),
                row.inverse.is_some(),
                "{}: no row of its inverse",
                row.word
            );
            assert!(row.danger != Danger::Reversible || row.inverse.is_some(), "{}", row.word);
            // Journals are read by the order of the variants.
            assert_eq!(postcard::to_stdvec(&command).unwrap()[0] as usize, n);
        }
        assert_eq!(Command::Drain(AgentId(3)).inverse(), Some(Command::Resume(AgentId(3))));
        assert_eq!(Command::PauseAll.inverse(), Some(Command::ResumeAll));
        assert_eq!(Command::Reset.inverse(), None);
        let paused = Command::PauseManager(ManagerId(1));
        assert_eq!(paused.inverse(), Some(Command::ResumeManager(ManagerId(1))));
    }

    #[test]
    fn no_word_means_two_things_of_one_scope_and_each_explains_itself() {
        let all: Vec<&CommandRow> = rows().collect();
        for (n, row) in all.iter().enumerate() {
            let whom = |r: &CommandRow| (r.scope.is_agent(), r.scope.is_manager());
            let same = |r: &&&CommandRow| r.word == row.word && whom(r) == whom(row);
            assert_eq!(all[..n].iter().filter(same).count(), 0, "{}", row.word);
            assert!(row.help.len() > 10 && row.done.len() > 10, "{}", row.word);
            let of_one = row.scope.is_agent() || row.scope.is_manager();
            assert_eq!(row.done.contains("{agent}"), of_one, "{}", row.word);
        }
        assert!(help("drain").contains("of all: every real position"), "{}", help("drain"));
        assert!(help("mute").starts_with("the agent is not heard"));
        assert_eq!(words().iter().filter(|w| **w == "pause").count(), 1);
        assert_eq!(words().last(), Some(&"stop"));
    }
}
