//! Whose words are taken away together, and in which order.

use crate::domain::{FamilyId, Speaker, TopicKind};
use crate::engine::Engine;
use crate::hive::withheld::{Withheld, is_heard_by_anybody};
use crate::recorder;
use serde::{Deserialize, Serialize};

/// Whose words are taken away together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speakers {
    /// All agents of a family; the scouts; each tracker and manager by itself.
    #[default]
    Family,
    /// Each agent by itself; the scouts together.
    Agent,
}

/// Those whose words are taken away together.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub name: String,
    pub speakers: Vec<Speaker>,
}

/// A kind of words of a row.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// Number of its row.
    pub row: usize,
    pub kind: TopicKind,
    /// Messages of it in the run as it was.
    pub said: u64,
    /// Whether anybody can hear it at all.
    pub is_heard: bool,
}

/// The rows of a run, in the order in which they are taken away.
pub(super) fn rows(engine: &Engine, by: Speakers) -> Vec<Row> {
    let agents = &engine.cast().agents;
    let speakers = |is_meant: &dyn Fn(&crate::agents::Agent) -> bool| {
        agents.iter().filter(|a| is_meant(a)).map(|a| Speaker::Agent(a.id)).collect::<Vec<_>>()
    };
    let row = |name: &str, speakers| Row { name: name.to_owned(), speakers };
    let mut all = match by {
        Speakers::Agent => agents
            .iter()
            .filter(|a| !a.scout)
            .map(|a| row(&a.name, vec![Speaker::Agent(a.id)]))
            .collect::<Vec<_>>(),
        Speakers::Family => {
            let of = |family: &FamilyId| {
                row(&family.text().replace('_', " "), speakers(&|a| !a.scout && a.family == *family))
            };
            FamilyId::ALL.iter().map(of).collect()
        }
    };
    all.push(row("scouts", speakers(&|a| a.scout)));
    all.extend(Speaker::all(0).map(|from| row(&recorder::speaker(engine, from), vec![from])));
    all.retain(|row| !row.speakers.is_empty());
    all
}

/// Counts what was said, by speaker and kind.
#[derive(Clone, Debug, Default)]
pub(super) struct SaidCounts(Vec<[u64; TopicKind::ALL.len()]>);

impl SaidCounts {
    pub fn count(&mut self, from: Speaker, kind: TopicKind) {
        if self.0.len() <= from.index() {
            self.0.resize(from.index() + 1, Default::default());
        }
        self.0[from.index()][kind as usize] += 1;
    }

    fn of(&self, row: &Row, kind: TopicKind) -> u64 {
        row.speakers
            .iter()
            .filter_map(|from| self.0.get(from.index()))
            .map(|kinds| kinds[kind as usize])
            .sum()
    }
}

/// The pairs of which anything was said, row by row, each in the order of kinds.
pub(super) fn pairs(engine: &Engine, rows: &[Row], said: &SaidCounts) -> Vec<Pair> {
    let of = |(i, row): (usize, &Row)| {
        let pair = |kind| {
            let is_heard = row.speakers.iter().any(|from| is_heard_by_anybody(engine.cast(), *from, kind));
            Pair { row: i, kind, said: said.of(row, kind), is_heard }
        };
        TopicKind::ALL.map(pair)
    };
    rows.iter().enumerate().flat_map(of).filter(|pair| pair.said > 0).collect()
}

impl Row {
    /// Takes its words of a kind away as well.
    pub fn withhold(&self, from: &mut Withheld, kind: TopicKind) {
        self.speakers.iter().for_each(|speaker| from.withhold(*speaker, kind));
    }
}
