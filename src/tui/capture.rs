//! What leaves the screen: text for the clipboard, and pictures of the screen for a file. The loop brings both where
//! they belong, once the screen is drawn.

use super::context::PaneContext;
use super::theme::StyleRole;
use super::words;
use std::path::Path;

/// Bytes that are copied: terminals that take OSC 52 take at least so many.
const COPY_MAX: usize = 64 << 10;

/// What the loop is to bring away.
#[derive(Debug, Default)]
pub struct Capture {
    /// Text for the clipboard.
    pub copied: Option<String>,
    /// The file into which the screen is to be written.
    pub shot: Option<String>,
}

impl Capture {
    /// Text that was under the cursor.
    pub(super) fn copy(&mut self, cx: &mut PaneContext, text: Option<String>) {
        let Some(mut text) = text else {
            return cx.say("there is nothing to copy here".to_owned(), StyleRole::Dim);
        };
        if text.len() > COPY_MAX {
            let end = (0..=COPY_MAX).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(0);
            text.truncate(end);
        }
        let first = text.lines().next().unwrap_or_default();
        cx.say(format!("copied: {}", words::cut(first, 60)), StyleRole::Dim);
        self.copied = Some(text);
    }

    /// The screen is to be written into a file once it is drawn without the `:` line.
    pub(super) fn take_shot(&mut self, cx: &mut PaneContext, name: &str) {
        let time = cx.cockpit.as_ref().and_then(|c| c.market_time).map(words::moment).unwrap_or_default();
        let name = if name.is_empty() {
            format!("hive-{}.svg", time.replace([' ', ':'], "-"))
        } else {
            name.to_owned()
        };
        if is_kind(&name, "svg") || is_kind(&name, "ansi") {
            (self.shot, cx.toast) = (Some(name), None);
        } else {
            cx.say(format!("{name}: write a name that ends in .svg or .ansi"), StyleRole::Warn);
        }
    }
}

/// Whether a file's name ends so.
pub(super) fn is_kind(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::panes::agents::ID;
    use crate::tui::sample::picture;
    use crate::tui::theme::Theme;

    #[test]
    fn a_picture_of_the_screen_has_a_name_that_says_its_kind() {
        let mut cx = PaneContext::new(Theme::shipped("terminal", true).unwrap(), true, ID);
        cx.cockpit = Some(picture(1));
        let mut capture = Capture::default();
        capture.take_shot(&mut cx, "");
        assert_eq!(capture.shot.take().as_deref(), Some("hive-2023-12-31-20-00.svg"));
        capture.take_shot(&mut cx, "x.png");
        assert!(capture.shot.is_none() && cx.toast.as_ref().unwrap().0.contains(".svg or .ansi"));
    }
}
