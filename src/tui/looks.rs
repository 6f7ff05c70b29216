//! Which theme is worn: the next one, one by its name, or the same again after its file has changed.

use super::context::PaneContext;
use super::theme::{StyleRole, Theme};

/// The next of the themes that there are.
pub fn next_theme(cx: &mut PaneContext) {
    let names = cx.wardrobe.names();
    let at = names.iter().position(|n| n == cx.theme.name()).unwrap_or(0);
    if let Some(next) = names.get((at + 1) % names.len().max(1)) {
        apply_theme(cx, next);
    }
}

/// A theme by its name.
pub fn apply_theme(cx: &mut PaneContext, name: &str) {
    match cx.wardrobe.apply(name) {
        Ok(next) => {
            wear(cx, &next);
            cx.say(format!("theme {name}"), StyleRole::Dim);
        }
        Err(e) => cx.say(e.to_string(), StyleRole::Warn),
    }
}

/// Looks whether the file of the theme has changed.
pub fn follow_theme(cx: &mut PaneContext) {
    match cx.wardrobe.reload() {
        None => {}
        Some(Ok(next)) => {
            wear(cx, &next);
            cx.say(format!("theme {} was read again", cx.theme.name()), StyleRole::Dim);
        }
        Some(Err(e)) => cx.say(format!("{e}; the old one stays"), StyleRole::Warn),
    }
}

/// In the colours that the terminal has.
fn wear(cx: &mut PaneContext, next: &Theme) {
    cx.theme = cx.depth.map_or(next.clone(), |d| next.clone().quantised(d));
}
