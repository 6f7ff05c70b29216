//! Identities. Each is a small index given out once at start (assets, instruments, agents) or a
//! sequence number given out by one room (messages, orders), so that equal runs give equal ids.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl $name {
            /// The id as a place in a table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// What agents have views on. Numbered in the order of the [`Universe`](super::Universe).
    AssetId(u16)
);
id!(
    /// What is listed and traded.
    InstrumentId(u16)
);
id!(
    /// Where instruments are traded, in the order in which a [`Universe`](super::Universe) names venues first.
    VenueId(u16)
);
id!(
    /// An agent; funded agents come first, scouts after them.
    AgentId(u32)
);
id!(
    /// A manager: those for the four goals first, in the order of [`Goal::ALL`](super::Goal::ALL), then that of assets,
    /// then those of teams in the order of the file.
    ManagerId(u8)
);

impl ManagerId {
    /// The asset manager.
    pub const ASSETS: ManagerId = ManagerId(4);
    /// Names of the managers that there may be in every hive, in their order.
    pub const NAMES: [&'static str; 5] = ["low_risk", "big_money", "fast", "automated", "asset"];

    /// The manager for a goal.
    pub fn of_goal(goal: super::Goal) -> Self {
        ManagerId(goal.index() as u8)
    }

    /// The manager of the n-th team.
    pub fn of_team(n: usize) -> Self {
        ManagerId((Self::NAMES.len() + n).min(usize::from(u8::MAX)) as u8)
    }

    /// Which team it manages, if it is a team's.
    pub fn team(self) -> Option<usize> {
        self.index().checked_sub(Self::NAMES.len())
    }
}

id!(
    /// The number of a message in the order of delivery.
    MessageId(u64)
);
id!(
    /// An order of the desk, in the order of decision.
    OrderId(u64)
);

/// One intent, from its opening to its outcome: who, on what, and the how-manieth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IntentId {
    /// Agent whose intent it is.
    pub agent: AgentId,
    /// On which asset.
    pub asset: AssetId,
    /// Counts the agent's intents on that asset from 1.
    pub number: u32,
}
