//! What an experiment shows while it runs, and how its reports are written.

use crate::cli::failure::Failure;
use crate::lab::result_cache;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::path::Path;

/// The bar of an experiment of so much work; hidden where it is to be quiet or nobody could see it.
pub fn progress(work: u64, quiet: bool) -> ProgressBar {
    let shown = !quiet && std::io::stderr().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(work), target);
    // The template is a constant of this program; a typing mistake in it shows as a plain bar.
    let style = ProgressStyle::with_template("lab {wide_bar} {percent:>3} %  {elapsed} gone, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// A file is written beside and renamed; what is no file (`/dev/stdout`) as it is.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::Failed(format!("writing {}: {e}", path.display()));
    if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        return std::fs::File::create(path).and_then(|mut f| f.write_all(text.as_bytes())).map_err(failed);
    }
    result_cache::write(path, text.as_bytes()).map_err(failed)
}
