//! The report as one page.

use super::Report;
use super::arms::Arm;
use super::study::Tracks;

/// The page.
pub fn page(_r: &Report, _arms: &[Arm], _tracks: &Tracks) -> String {
    String::new()
}
