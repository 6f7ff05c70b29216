//! What the desk has at the venue: orders that may still fill, and below them the last fills, the newest first.

use crate::domain::{Decimal, OrderStatus, Stamp, money};
use crate::tui::action::UserAction;
use crate::tui::context::{Hint, PaneContext, PaneId, moved};
use crate::tui::pane::{ENDS, LEAP, Pane, PaneOutcome, SCROLL, block, step_of};
use crate::tui::table::{self, Column};
use crate::tui::theme::StyleRole;
use crate::tui::{moment, words};
use crate::view::Cockpit;
use crate::view::orders::{FillRow, OrderRow, state};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Cells from which on the last column is written.
const NOTE: usize = 5;
/// Cells of a symbol: least, most, and most where there is room.
const WHAT_CELLS: (usize, usize, usize) = (8, 12, 14);
/// From so many cells there is.
const WIDE: u16 = 98;

/// The title of the column that is there where there are several.
const VENUE: &str = "venue";
const WHAT: &str = "what";

/// A line: an order or a fill, as it is written.
struct OrderLine {
    id: u64,
    at: Stamp,
    venue: String,
    symbol: String,
    quantity: Decimal,
    price: (String, StyleRole),
    state: (String, StyleRole),
    note: Vec<String>,
    /// In place of the note where there is no room for its first part.
    short: String,
}

/// In the order in which they stand.
const COLUMNS: &[Column<OrderLine>] = &[
    Column { title: "order", width: 7, right: true, rank: 2, of: |e| (format!("#{}", e.id), StyleRole::Dim) },
    Column {
        title: "when",
        width: 11,
        right: false,
        rank: 4,
        of: |e| (words::moment(e.at).get(5..).unwrap_or_default().to_owned(), StyleRole::Dim),
    },
    Column {
        title: VENUE,
        width: 9,
        right: false,
        rank: 6,
        of: |e| (if e.venue.is_empty() { "paper".to_owned() } else { e.venue.clone() }, StyleRole::Dim),
    },
    Column { title: WHAT, width: 10, right: false, rank: 0, of: |e| (e.symbol.clone(), StyleRole::Title) },
    Column { title: "side", width: 4, right: false, rank: 0, of: |e| side(e.quantity) },
    Column {
        title: "quantity",
        width: 11,
        right: true,
        rank: 0,
        of: |e| (words::decimal(e.quantity.abs()), StyleRole::Text),
    },
    Column { title: "price", width: 9, right: true, rank: 1, of: |e| e.price.clone() },
    Column { title: "state", width: 11, right: false, rank: 3, of: |e| e.state.clone() },
];

fn side(quantity: Decimal) -> (String, StyleRole) {
    if quantity.is_sign_negative() {
        ("sell".to_owned(), StyleRole::Bad)
    } else {
        ("buy".to_owned(), StyleRole::Good)
    }
}

fn order(c: &Cockpit, o: &OrderRow) -> OrderLine {
    let age = c.market_time.map(|now| now.since(o.at)).filter(|a| a.0 > 0).map(moment::stretch);
    let worked = if o.maker.is_empty() { String::new() } else { format!(", worked by {}", o.maker) };
    let done = money::to_estimate(o.filled) / money::to_estimate(o.quantity);
    let role = match o.state {
        OrderStatus::Unknown | OrderStatus::Rejected => StyleRole::Bad,
        OrderStatus::Pending | OrderStatus::CancelSent => StyleRole::Warn,
        _ => StyleRole::Open,
    };
    let text = match o.state {
        OrderStatus::PartlyFilled => format!("{:.0} % filled", 100.0 * done),
        other => state(other).to_owned(),
    };
    let parts = [age.map_or_else(|| "new".to_owned(), |a| format!("{a} old")), worked];
    OrderLine {
        id: o.id,
        at: o.at,
        venue: o.venue.clone(),
        symbol: o.symbol.clone(),
        quantity: o.quantity,
        price: o.limit.map_or_else(
            || ("market".to_owned(), StyleRole::Dim),
            |l| (words::paid(money::to_estimate(l)), StyleRole::Text),
        ),
        state: (text, role),
        note: parts.into_iter().filter(|p| !p.is_empty()).collect(),
        short: String::new(),
    }
}

fn fill(f: &FillRow) -> OrderLine {
    let price = money::to_estimate(f.price);
    let notional = words::thousands(price * money::to_estimate(f.quantity).abs());
    let fee = format!("{:.2}", money::to_estimate(f.fee));
    OrderLine {
        id: f.order,
        at: f.at,
        venue: f.venue.clone(),
        symbol: f.symbol.clone(),
        quantity: f.quantity,
        price: (words::paid(price), StyleRole::Text),
        state: ("filled".to_owned(), StyleRole::Dim),
        note: vec![format!("fee {fee}"), format!(" of {notional}")],
        short: fee,
    }
}

/// How many lines there are.
fn count(c: &Cockpit) -> usize {
    c.orders.len() + c.fills.len()
}

/// A line by its place, orders first, then the newest fill.
fn entry(c: &Cockpit, n: usize) -> Option<OrderLine> {
    let below = |n: usize| c.fills.iter().rev().nth(n).map(fill);
    c.orders.get(n).map(|o| order(c, o)).or_else(|| below(n.checked_sub(c.orders.len())?))
}

/// A line as text, to be copied.
fn text(c: &Cockpit, n: usize) -> Option<String> {
    let e = entry(c, n)?;
    let (side, quantity) = (side(e.quantity).0, words::decimal(e.quantity.abs()));
    let venue = if e.venue.is_empty() { String::new() } else { format!(" on {}", e.venue) };
    let (state, price, note) = (e.state.0, e.price.0, e.note.concat());
    Some(format!("order #{}: {side} {quantity} {}{venue} at {price}, {state}, {note}", e.id, e.symbol))
}

/// Its name on the border and in layouts.
pub const ID: PaneId = PaneId("orders");

/// The table of orders and fills.
#[derive(Default)]
pub struct OrdersPane {
    /// The line under the cursor.
    pub cursor: usize,
    /// First line that is shown, as last drawn.
    top: usize,
}

impl Pane for OrdersPane {
    fn id(&self) -> PaneId {
        ID
    }

    fn keys(&self, _: &PaneContext) -> Vec<Hint> {
        vec![SCROLL, LEAP, ENDS, (&[UserAction::Open], "whose")]
    }

    fn on_action(&mut self, cx: &mut PaneContext, action: UserAction) -> PaneOutcome {
        let lines = cx.cockpit.as_ref().map_or(0, count);
        match step_of(action) {
            Some((down, by)) => {
                self.cursor = moved(self.cursor.min(lines.saturating_sub(1)), down, by, lines);
            }
            None => cx.say(
                "orders are the desk's: whom they are for is in the agents' pages".to_owned(),
                StyleRole::Dim,
            ),
        }
        PaneOutcome::Done
    }

    fn draw(&mut self, frame: &mut Frame<'_>, cx: &PaneContext, area: Rect) {
        if let Some(c) = &cx.cockpit {
            self.top = draw(frame, cx, c, area, (self.top, self.cursor));
        } else {
            frame.render_widget(block(cx, ID, Vec::new()), area);
        }
    }

    fn on_click(&mut self, cx: &mut PaneContext, row: usize) -> PaneOutcome {
        let lines = cx.cockpit.as_ref().map_or(0, count);
        self.cursor = (self.top + row).min(lines.saturating_sub(1));
        PaneOutcome::Done
    }

    fn copy(&self, cx: &PaneContext) -> Option<String> {
        text(cx.cockpit.as_ref()?, self.cursor)
    }
}

/// Draws the pane of orders and fills into its area, from the first line that was shown and the cursor; the first line
/// that is shown.
fn draw(
    frame: &mut Frame<'_>,
    cx: &PaneContext,
    c: &Cockpit,
    area: Rect,
    (was, cursor): (usize, usize),
) -> usize {
    let t = &cx.theme;
    let dim = t.of(StyleRole::Dim);
    let rows = count(c);
    let shown = usize::from(area.height.saturating_sub(3));
    let cursor = cursor.min(rows.saturating_sub(1));
    let top = table::top(was, cursor, rows, shown);
    let more = if c.more_orders > 0 { format!(" and {} more", c.more_orders) } else { String::new() };
    let title = format!(
        "{} working{more}, last {} fills{} ",
        c.orders.len(),
        c.fills.len(),
        table::more(top, rows, shown)
    );
    let pane = block(cx, ID, vec![Span::styled(title, dim)]);
    let inside = pane.inner(area);
    frame.render_widget(pane, area);
    if inside.height > 0 && rows == 0 {
        let text = " nothing is on order and nothing was filled since this swarm was started";
        let lines: Vec<Line<'_>> = words::wrap(text, usize::from(inside.width).saturating_sub(1))
            .into_iter()
            .map(|l| Line::raw(format!(" {l}")))
            .collect();
        frame.render_widget(Paragraph::new(lines).style(dim), inside);
    } else if inside.height > 0 {
        let venues = c.orders.iter().map(|o| &o.venue).chain(c.fills.iter().map(|f| &f.venue));
        let several = venues.into_iter().any(|v| !v.is_empty());
        let symbols = c.orders.iter().map(|o| &o.symbol).chain(c.fills.iter().map(|f| &f.symbol));
        let most = if inside.width < WIDE { WHAT_CELLS.1 } else { WHAT_CELLS.2 };
        let what = symbols.map(|s| s.chars().count()).max().unwrap_or_default().clamp(WHAT_CELLS.0, most);
        let all = COLUMNS.iter().filter(|c| several || c.title != VENUE).copied();
        let all = all.map(|c| if c.title == WHAT { Column { width: what, ..c } } else { c }).collect();
        let columns = table::fitting(all, usize::from(inside.width), |_| NOTE);
        let left = usize::from(inside.width).saturating_sub(table::width(&columns));
        let notes = ["age, or fee", "age/fee", "fee"].into_iter().find(|head| head.len() <= left);
        table::head(frame, t, &columns, notes.unwrap_or_default(), inside);
        for n in top..rows.min(top + shown) {
            let Some(e) = entry(c, n) else { continue };
            let at = Rect { y: inside.y + 1 + (n - top) as u16, height: 1, ..inside };
            let note = |e: &OrderLine, width: usize| {
                // Whole parts, as they fit: a number that is cut is another number.
                let join = |n: &usize| e.note[..*n].concat();
                let fits = (1..=e.note.len()).rev().find(|n| join(n).chars().count() <= width);
                let short =
                    Some(&e.short).filter(|s| s.chars().count() <= width).cloned().unwrap_or_default();
                (if width >= NOTE { fits.map_or(short, |n| join(&n)) } else { String::new() }, StyleRole::Dim)
            };
            table::row(frame, t, &columns, &e, at, note);
            if n == cursor {
                table::mark(frame, t, at, cx.focus == ID && cx.open.is_none());
            }
        }
    }
    top
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample::picture;

    #[test]
    fn a_fee_that_is_large_is_told_without_its_word_where_that_is_too_long() {
        use ratatui::{Terminal, backend::TestBackend};
        let theme = crate::tui::theme::Theme::shipped("hive-dark", true).unwrap();
        let mut cx = PaneContext::new(theme, true, ID);
        let mut c = picture(1);
        c.fills.last_mut().unwrap().fee = "1234.56".parse().unwrap();
        cx.cockpit = Some(c);
        let seen = |cx: &PaneContext, width: u16| {
            let mut terminal = Terminal::new(TestBackend::new(width, 24)).unwrap();
            terminal.draw(|f| OrdersPane::default().draw(f, cx, f.area())).unwrap();
            terminal.backend().to_string()
        };
        assert!(seen(&cx, 120).contains("fee 1234.56 of "));
        let narrow = seen(&cx, 78);
        assert!(narrow.contains(" 1234.56") && !narrow.contains("fee 1234.56"), "{narrow}");
    }

    #[test]
    fn orders_come_first_and_then_the_newest_fill() {
        let c = picture(1);
        let newest = c.fills.last().unwrap().order;
        assert_eq!(entry(&c, c.orders.len()).unwrap().id, newest);
        assert!(entry(&c, count(&c)).is_none());
        let first = text(&c, 0).unwrap();
        assert!(first.starts_with("order #") && first.contains("worked by"), "{first}");
    }
}
