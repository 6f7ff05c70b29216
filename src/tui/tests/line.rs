//! The lines that are typed after `:` and `/`, key by key, as they stand on the screen.

use super::{CommandLine, LogLayer, app, press, screen, write};
use crate::tui::app::App;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

fn last(app: &mut App) -> String {
    screen(app, 100, 30).lines().last().unwrap().trim_end().to_owned()
}

fn ctrl(app: &mut App, c: char) {
    assert_eq!(app.key(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)), None);
}

#[test]
fn a_command_is_put_right_where_it_is_wrong() {
    let mut app = app();
    write(&mut app, ":stats now");
    ctrl(&mut app, 'w');
    assert!(last(&mut app).starts_with(" :stats ▏"), "{}", last(&mut app));
    assert!(last(&mut app).contains("↑ brings back"));
    for code in [KeyCode::Home, KeyCode::Right, KeyCode::Right] {
        press(&mut app, code);
    }
    assert!(last(&mut app).starts_with(" :st▏ats "), "{}", last(&mut app));
    press(&mut app, KeyCode::Delete);
    write(&mut app, "a");
    press(&mut app, KeyCode::Enter);
    assert!(app.cx.stats_shown && app.layer::<CommandLine>().is_none());
}

#[test]
fn commands_come_back_and_what_was_typed_after_them() {
    let mut app = app();
    for command in [":stats", ":log"] {
        write(&mut app, command);
        press(&mut app, KeyCode::Enter);
    }
    assert!(app.cx.stats_shown && app.layer::<LogLayer>().is_some());
    write(&mut app, ":mu");
    for (code, shown) in
        [(KeyCode::Up, "log"), (KeyCode::Up, "stats"), (KeyCode::Down, "log"), (KeyCode::Down, "mu")]
    {
        press(&mut app, code);
        assert_eq!(app.layer::<CommandLine>().unwrap().text(), shown);
    }
    press(&mut app, KeyCode::Up);
    press(&mut app, KeyCode::Enter);
    assert!(app.layer::<LogLayer>().is_none(), "what came back is sent as it was");
}

#[test]
fn a_filter_is_changed_in_its_middle_and_opens_at_its_end() {
    let mut app = app();
    write(&mut app, "/ira");
    press(&mut app, KeyCode::Home);
    write(&mut app, "m");
    assert_eq!(app.cx.agent_filter, "mira");
    app.paste("ad\nmore");
    assert_eq!(app.cx.agent_filter, "madira", "what is pasted comes in at the cursor");
    press(&mut app, KeyCode::Enter);
    write(&mut app, "/x");
    assert_eq!(app.cx.agent_filter, "madirax");
    ctrl(&mut app, 'u');
    assert_eq!(app.cx.agent_filter, "");
    press(&mut app, KeyCode::Backspace);
    assert!(app.layer::<CommandLine>().is_none(), "deleting nothing leaves");
}

#[test]
fn the_help_names_the_keys_of_a_line() {
    let mut app = app();
    press(&mut app, KeyCode::Char('?'));
    let help = screen(&mut app, 160, 100);
    for word in ["tab completes", "earlier ones", "ctrl-w"] {
        assert!(help.contains(word), "{word}");
    }
}
