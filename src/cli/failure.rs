//! Why a verb did not do what was asked, and the exit code that says so.

/// Why a verb did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line or the configuration is wrong.
    #[error("{0}")]
    Usage(String),
    /// The configuration is wrong, shown with its lines, which may be coloured: fit for a terminal as it is.
    #[error("{0}")]
    Mistakes(String),
    /// It was tried and failed.
    #[error("{0}")]
    Failed(String),
    /// It was refused for safety.
    #[error("{0}")]
    Refused(String),
    /// There is no such hive.
    #[error("{0}")]
    NotRunning(String),
}

impl Failure {
    /// The process's exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Failed(_) => 1,
            Failure::Usage(_) | Failure::Mistakes(_) => 2,
            Failure::Refused(_) => 3,
            Failure::NotRunning(_) => 4,
        }
    }
}
