//! The kinds of records that a run writes into its journal.

/// What is journalled. The journal itself treats all alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum RecordKind {
    /// What a run was begun with.
    Config = 1,
    /// A command of the operator, written before it acts.
    Command = 2,
    /// The full state.
    Checkpoint = 3,
    /// How far the market was read.
    Cursor = 4,
    /// The feed ended.
    End = 5,
    /// Stands for a frame that is not kept any more; its payload is the link of that frame, its version that frame's kind.
    Dropped = 6,
}

impl RecordKind {
    /// The name of a kind, also of one that is not known here.
    pub fn name(kind: u16) -> String {
        let all = [
            RecordKind::Config,
            RecordKind::Command,
            RecordKind::Checkpoint,
            RecordKind::Cursor,
            RecordKind::End,
            RecordKind::Dropped,
        ];
        let known = all.iter().find(|k| **k as u16 == kind);
        known.map_or_else(|| format!("kind {kind}"), |k| format!("{k:?}").to_lowercase())
    }
}
