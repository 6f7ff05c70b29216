//! The rosters that are built in, by name: what `hive agents new NAME` writes, and what runs where no file is named.

/// A roster that is built in.
#[derive(Clone, Copy, Debug)]
pub struct ReadyRoster {
    /// What it is asked for by.
    pub name: &'static str,
    /// What its agents are picked by, in a line.
    pub idea: &'static str,
    /// The whole text, comments and all.
    pub text: &'static str,
}

/// What runs on the embedded market where no file is named: all families of agents.
pub const DEFAULT: ReadyRoster = ReadyRoster {
    name: "default",
    idea: "all seventeen families, with managers: the swarm of bars, and agents on quotes, contracts and pools",
    text: include_str!("../../../assets/rosters/default.toml"),
};

/// What runs on every other market where no file is named.
pub const ON_BARS: ReadyRoster = ReadyRoster {
    name: "bars",
    idea: "the eight families that decide on bars, 72 agents with managers: what runs on recorded bars",
    text: include_str!("../../../assets/rosters/bars.toml"),
};

/// How the seed of [`DEFAULT`] was chosen. `assets/seeds/seeds.sh` does it again.
pub const SEED_RULE: &str = "the median of seeds 1 to 100 by real Sharpe ratio after two years, on the build of assets/seeds/seeds.tsv";

/// All of them, in the order in which they are listed.
pub const READY: [ReadyRoster; 7] = [
    DEFAULT,
    ON_BARS,
    ReadyRoster {
        name: "by-goal",
        idea: "agents picked and tuned for what they are to reach, whatever their strategy; no manager",
        text: include_str!("../../../assets/rosters/by-goal.toml"),
    },
    ReadyRoster {
        name: "by-strategy",
        idea: "two agents of each family of bars with neutral goals, to compare families; no manager",
        text: include_str!("../../../assets/rosters/by-strategy.toml"),
    },
    ReadyRoster {
        name: "by-goal-and-strategy",
        idea: "both: every goal has agents of several families, and managers are set over the whole",
        text: include_str!("../../../assets/rosters/by-goal-and-strategy.toml"),
    },
    ReadyRoster {
        name: "by-asset",
        idea: "a long and a short agent for each asset, each with a view of its own, who hear each other",
        text: include_str!("../../../assets/rosters/by-asset.toml"),
    },
    ReadyRoster {
        name: "full-house",
        idea: "all seventeen families in equal parts, two or three agents each, with managers",
        text: include_str!("../../../assets/rosters/full-house.toml"),
    },
];
