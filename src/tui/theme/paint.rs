//! A picture of the screen as a file: with escape sequences for a terminal, or as SVG for everything else.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use std::fmt::Write;

/// Width and height of a cell in an SVG.
const CELL: (f64, f64) = (8.4, 17.0);
/// What the sixteen colours are in an SVG, and the two of the terminal itself.
const DEFAULT: ([u8; 3], [u8; 3]) = ([204, 204, 204], [16, 18, 22]);

fn sgr(colour: Color, behind: bool) -> String {
    let plain = |n: u8| (u16::from(n) + if behind { 40 } else { 30 }).to_string();
    let light = |n: u8| (u16::from(n) + if behind { 100 } else { 90 }).to_string();
    let long = if behind { 48 } else { 38 };
    match colour {
        Color::Reset => if behind { "49" } else { "39" }.to_owned(),
        Color::Rgb(r, g, b) => format!("{long};2;{r};{g};{b}"),
        Color::Indexed(n) => format!("{long};5;{n}"),
        Color::Black => plain(0),
        Color::Red => plain(1),
        Color::Green => plain(2),
        Color::Yellow => plain(3),
        Color::Blue => plain(4),
        Color::Magenta => plain(5),
        Color::Cyan => plain(6),
        Color::Gray => plain(7),
        Color::DarkGray => light(0),
        Color::LightRed => light(1),
        Color::LightGreen => light(2),
        Color::LightYellow => light(3),
        Color::LightBlue => light(4),
        Color::LightMagenta => light(5),
        Color::LightCyan => light(6),
        Color::White => light(7),
    }
}

fn codes(style: Style) -> String {
    let mut text = "0".to_owned();
    for (modifier, code) in [
        (Modifier::BOLD, "1"),
        (Modifier::DIM, "2"),
        (Modifier::ITALIC, "3"),
        (Modifier::UNDERLINED, "4"),
        (Modifier::REVERSED, "7"),
    ] {
        if style.add_modifier.contains(modifier) {
            text += ";";
            text += code;
        }
    }
    for (colour, behind) in [(style.fg, false), (style.bg, true)] {
        if let Some(c) = colour.filter(|c| *c != Color::Reset) {
            text += ";";
            text += &sgr(c, behind);
        }
    }
    text
}

/// A line with its escape sequences.
pub fn line(line: &Line<'_>) -> String {
    let mut text = String::new();
    for span in &line.spans {
        let codes = codes(line.style.patch(span.style));
        // Writing to a string cannot fail.
        let _ = if codes == "0" {
            write!(text, "{}", span.content)
        } else {
            write!(text, "\x1b[{codes}m{}\x1b[0m", span.content)
        };
    }
    text
}

fn rows(buffer: &Buffer) -> impl Iterator<Item = &[Cell]> {
    buffer.content().chunks(usize::from(buffer.area.width).max(1))
}

/// The screen for `cat` in a terminal.
pub fn ansi(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in rows(buffer) {
        let mut last = String::new();
        for cell in row {
            let codes = codes(cell.style());
            if codes != last {
                let _ = write!(text, "\x1b[{codes}m");
                last = codes;
            }
            text += cell.symbol();
        }
        text += "\x1b[0m\n";
    }
    text
}

fn rgb(colour: Option<Color>, other: [u8; 3]) -> [u8; 3] {
    match colour {
        Some(Color::Rgb(r, g, b)) => [r, g, b],
        Some(Color::Indexed(n)) if n >= 16 => indexed(n),
        Some(c) => {
            super::SIXTEEN.iter().find(|(s, _)| *s == c || Some(*s) == ansi_of(c)).map_or(other, |(_, v)| *v)
        }
        None => other,
    }
}

/// The colour that stands for one of the first sixteen numbers.
fn ansi_of(colour: Color) -> Option<Color> {
    let Color::Indexed(n) = colour else { return None };
    super::SIXTEEN.get(usize::from(n)).map(|(c, _)| *c)
}

fn indexed(n: u8) -> [u8; 3] {
    if n >= 232 {
        return [8 + 10 * (n - 232); 3];
    }
    let n = n - 16;
    [n / 36, n / 6 % 6, n % 6].map(|i| super::CUBE[usize::from(i)])
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The screen as a drawing.
pub fn svg(buffer: &Buffer) -> String {
    let (w, h) = (f64::from(buffer.area.width) * CELL.0, f64::from(buffer.area.height) * CELL.1);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{h:.0}\" viewBox=\"0 0 {w:.1} {h:.1}\" \
         font-family=\"DejaVu Sans Mono,Menlo,Consolas,monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
        hex(DEFAULT.1)
    );
    for (y, row) in rows(buffer).enumerate() {
        let mut x = 0;
        while x < row.len() {
            let style = row[x].style();
            // Cells of one style are one piece.
            let run = row[x..].iter().take_while(|c| c.style() == style).count();
            let piece: String = row[x..x + run].iter().map(Cell::symbol).collect();
            let (mut ink, mut paper) = (rgb(style.fg, DEFAULT.0), rgb(style.bg, DEFAULT.1));
            if style.add_modifier.contains(Modifier::REVERSED) {
                (ink, paper) = (paper, ink);
            }
            let at = (x as f64 * CELL.0, y as f64 * CELL.1);
            // Writing to a string cannot fail.
            if paper != DEFAULT.1 {
                let _ = writeln!(
                    text,
                    "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{}\" fill=\"{}\"/>",
                    at.0,
                    at.1,
                    run as f64 * CELL.0,
                    CELL.1,
                    hex(paper)
                );
            }
            if !piece.trim().is_empty() {
                let bold =
                    if style.add_modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
                let dim = if style.add_modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
                let _ = writeln!(
                    text,
                    "<text x=\"{:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" fill=\"{}\"{bold}{dim} xml:space=\"preserve\">{}</text>",
                    at.0,
                    at.1 + 0.78 * CELL.1,
                    run as f64 * CELL.0,
                    hex(ink),
                    escaped(&piece)
                );
            }
            x += run;
        }
    }
    text + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    fn screen() -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 2));
        buffer.set_string(0, 0, "a<b", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        buffer.set_string(0, 1, "▲ 1", Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Indexed(16)));
        buffer
    }

    #[test]
    fn a_terminal_shows_again_what_was_on_the_screen() {
        let size = |n: u16| n.try_into().unwrap();
        let mut parser = vt100::Parser::new(size(2), size(8), 0);
        parser.process(ansi(&screen()).replace('\n', "\r\n").trim_end().as_bytes());
        let shown = parser.screen();
        assert_eq!(shown.contents().lines().map(str::trim_end).collect::<Vec<_>>(), ["a<b", "▲ 1"]);
        let (a, b) = (shown.cell(0, 0).unwrap(), shown.cell(1, 0).unwrap());
        assert!(a.bold() && a.fgcolor() == vt100::Color::Idx(1));
        assert_eq!((b.fgcolor(), b.bgcolor()), (vt100::Color::Rgb(1, 2, 3), vt100::Color::Idx(16)));
    }

    #[test]
    fn a_drawing_has_every_piece_and_is_well_formed() {
        let text = svg(&screen());
        assert!(
            text.contains(">a&lt;b<")
                && text.contains("#cd3131")
                && text.contains("#010203")
                && text.contains("▲ 1")
        );
        let count = |what: &str| text.matches(what).count();
        assert_eq!(count("<text"), count("</text>"));
        assert!(text.starts_with("<svg") && text.ends_with("</svg>\n"));
    }
}
