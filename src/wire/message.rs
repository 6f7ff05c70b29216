//! What is in the frames. Variants and fields are only ever appended, and [`super::VERSION`] is raised
//! when a field is: the golden bytes below stand for what clients out there can read.

use crate::domain::{AgentId, Command, MessageId, Stamp};
use crate::view::AgentPage;
use crate::view::lab::LabPage;
use crate::view::operator::{AgentSwitches, Status};
use crate::view::past::{Past, When};
use serde::{Deserialize, Serialize};

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientQuestion {
    /// How the hive is.
    Status,
    /// How each agent is.
    Agents,
    /// A command to the engine.
    Command(Command),
    /// End the process.
    Stop,
    /// One agent in full.
    Page(AgentId),
    /// The lab's last result.
    Lab,
    /// A moment that is kept, and an agent in full as it was then.
    Past(When, Option<AgentId>),
    /// The last messages in full, and where all of them are kept.
    Talk,
    /// What hearing a message was worth.
    Without(MessageId),
}

/// A question with the number that its answer will carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The client's own count.
    pub id: u32,
    /// The question to be answered.
    pub ask: ClientQuestion,
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ServerAnswer {
    /// How the hive is.
    Status(Box<Status>),
    /// How each agent is.
    Agents(Vec<AgentSwitches>),
    /// The engine took the command.
    Done {
        /// Whether it changed anything.
        changed: bool,
        /// The market's time at which it acts.
        at: Stamp,
        /// Number of the step.
        seq: u64,
    },
    /// It will not be done: why, and what to do.
    Refused(String),
    /// The process ends.
    Stopping,
    /// The agent that was asked for.
    Page(Box<AgentPage>),
    /// The lab's last result, as it is kept now.
    Lab(Box<LabPage>),
    /// The moment that was asked for.
    Past(Box<Past>),
    /// It is being read from the journal: how far, in per cent. Ask again in a moment.
    Fetching(u8),
    /// What was said.
    Talk {
        /// The last messages, as a talk log has them.
        last: Vec<u8>,
        /// The log of all of them; none where the run is not kept.
        log: Option<String>,
    },
    /// What was asked for, in words.
    Told(String),
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ServerFrame {
    /// To a call.
    Answer {
        /// The call's number.
        id: u32,
        /// The answer to that call.
        answer: ServerAnswer,
    },
    /// The whole view.
    Snapshot {
        /// Number of the step it shows.
        seq: u64,
        /// Equal for equal views.
        view_hash: String,
        /// The view, encoded by those who make it.
        view: Vec<u8>,
    },
    /// What changed in the view.
    Delta {
        /// Of the view it starts from.
        base: u64,
        /// Of the view it makes.
        seq: u64,
        /// Of the view it makes.
        view_hash: String,
        /// The change, encoded by those who make it.
        change: Vec<u8>,
    },
    /// The hive ends, and why.
    Bye(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Cockpit;
    use proptest::prelude::*;

    fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
        postcard::to_stdvec(value).unwrap()
    }

    /// What clients out there send and read. A change here breaks them: append, never reorder.
    #[test]
    fn golden_calls() {
        use Command::*;
        let one = AgentId(1);
        let commands = [
            Mute(one),
            Unmute(one),
            ResetBreaker,
            Pause(one),
            Resume(one),
            Drain(one),
            Deafen(one),
            Undeafen(one),
            Fund(one),
            Unfund(one),
            PauseAll,
            ResumeAll,
            DrainAll,
            Flatten,
            Kill,
            Reset,
            Recheck,
        ];
        let asks = [ClientQuestion::Status, ClientQuestion::Agents, ClientQuestion::Stop];
        assert_eq!(asks.map(|ask| bytes(&Call { id: 7, ask })), [[7, 0], [7, 1], [7, 3]]);
        assert_eq!(bytes(&Call { id: 7, ask: ClientQuestion::Page(one) }), [7, 4, 1]);
        assert_eq!(bytes(&Call { id: 7, ask: ClientQuestion::Lab }), [7, 5]);
        let step = When::Step { seq: 300, by: -2 };
        assert_eq!(
            bytes(&Call { id: 7, ask: ClientQuestion::Past(step, Some(one)) }),
            [7, 6, 0, 0xac, 2, 3, 1, 1]
        );
        assert_eq!(
            bytes(&Call { id: 7, ask: ClientQuestion::Past(When::At(Stamp(5)), None) }),
            [7, 6, 1, 10, 0]
        );
        assert_eq!(bytes(&Call { id: 7, ask: ClientQuestion::Without(MessageId(300)) }), [7, 8, 0xac, 2]);
        let with_agent = [0, 1, 3, 4, 5, 6, 7, 8, 9];
        for (n, command) in commands.into_iter().enumerate() {
            let mut golden = vec![7, 2, n as u8];
            golden.extend(with_agent.contains(&n).then_some(1));
            assert_eq!(bytes(&Call { id: 7, ask: ClientQuestion::Command(command) }), golden, "{command:?}");
        }
    }

    #[test]
    fn golden_answers() {
        let answer = |answer| bytes(&ServerFrame::Answer { id: 300, answer });
        assert_eq!(
            answer(ServerAnswer::Done { changed: true, at: Stamp(-2), seq: 5 }),
            [0, 0xac, 2, 2, 1, 3, 5]
        );
        assert_eq!(answer(ServerAnswer::Refused("no".into())), [0, 0xac, 2, 3, 2, b'n', b'o']);
        assert_eq!(answer(ServerAnswer::Stopping), [0, 0xac, 2, 4]);
        assert_eq!(answer(ServerAnswer::Agents(vec![])), [0, 0xac, 2, 1, 0]);
        let lab = LabPage { command: "c".into(), ..LabPage::default() };
        assert_eq!(answer(ServerAnswer::Lab(Box::new(lab))), [0, 0xac, 2, 6, 1, b'c', 0, 0]);
        let past = Past {
            view: Cockpit::default(),
            page: None,
            place: 1,
            kept: 2,
            from: Stamp(-1),
            to: Stamp(1),
            journal: true,
        };
        let said = answer(ServerAnswer::Past(Box::new(past)));
        assert_eq!((&said[..4], &said[said.len() - 6..]), (&[0, 0xac, 2, 7][..], &[0, 1, 2, 1, 2, 1][..]));
        assert_eq!(answer(ServerAnswer::Fetching(42)), [0, 0xac, 2, 8, 42]);
        assert_eq!(answer(ServerAnswer::Told("no".into())), [0, 0xac, 2, 10, 2, b'n', b'o']);
        let view = ServerFrame::Snapshot { seq: 3, view_hash: "h".into(), view: vec![9] };
        assert_eq!(bytes(&view), [1, 3, 1, b'h', 1, 9]);
        let delta = ServerFrame::Delta { base: 2, seq: 3, view_hash: "h".into(), change: vec![9] };
        assert_eq!(bytes(&delta), [2, 2, 3, 1, b'h', 1, 9]);
        assert_eq!(bytes(&ServerFrame::Bye("b".into())), [3, 1, b'b']);
    }

    proptest! {
        #[test]
        fn views_come_back(seq: u64, base: u64, view_hash in ".*", view in prop::collection::vec(any::<u8>(), 0..99)) {
            for say in [
                ServerFrame::Snapshot { seq, view_hash: view_hash.clone(), view: view.clone() },
                ServerFrame::Delta { base, seq, view_hash: view_hash.clone(), change: view },
                ServerFrame::Bye(view_hash),
            ] {
                prop_assert_eq!(postcard::from_bytes::<ServerFrame>(&bytes(&say)).unwrap(), say);
            }
        }

        #[test]
        fn garbage_is_an_error_or_a_message_and_never_a_panic(junk in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = postcard::from_bytes::<Call>(&junk);
            let _ = postcard::from_bytes::<ServerFrame>(&junk);
        }
    }
}
