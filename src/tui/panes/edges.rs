//! What the network's cursor steps through: who serves the desk, and who moved whom; and what an edge says in
//! words.

use crate::domain::{AgentId, MessageId, Service};
use crate::tui::context::{PaneContext, moved};
use crate::tui::theme::StyleRole;
use crate::tui::words;
use crate::view::Cockpit;
use crate::view::cockpit::EdgeRow;
use crate::view::services::ServiceRow;
use ratatui::text::{Line, Span};

/// An edge by its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EdgeKey {
    /// An agent is worth something to the desk.
    Serves(AgentId, Service),
    /// A voice moved a listener on an asset: by a rule that it lives by, or none.
    Moves(AgentId, AgentId, String, String),
}

/// Whether a worth is more than nothing as it is written: else there is no line between an agent and the desk.
pub fn is_drawn(value: f64) -> bool {
    words::fine(value) != "0"
}

/// Those that serve the desk, whoever was worth most first.
fn services(c: &Cockpit) -> Vec<&ServiceRow> {
    let mut rows: Vec<&ServiceRow> = c.services.iter().filter(|s| is_drawn(s.total)).collect();
    rows.sort_by(|a, b| b.total.abs().total_cmp(&a.total.abs()));
    rows
}

fn key(e: &EdgeRow) -> EdgeKey {
    EdgeKey::Moves(e.from, e.to, e.asset.clone(), e.rule.clone())
}

/// The edges of influence that are stepped through: those with a message, newest decision first.
pub fn influence(cx: &PaneContext) -> Vec<&EdgeRow> {
    let Some(c) = &cx.cockpit else { return Vec::new() };
    let mut edges: Vec<&EdgeRow> = c.edges.iter().filter(|e| e.message.0 > 0).collect();
    edges.sort_by(|a, b| b.decision.cmp(&a.decision).then(b.share.total_cmp(&a.share)));
    edges
}

/// All that the cursor steps through: the desk's servants above the newest decision.
fn edge_keys(cx: &PaneContext) -> Vec<EdgeKey> {
    let Some(c) = &cx.cockpit else { return Vec::new() };
    let serves = services(c).into_iter().map(|s| EdgeKey::Serves(s.agent, s.service));
    serves.chain(influence(cx).into_iter().map(key)).collect()
}

impl EdgeKey {
    /// The edge of influence that it names, where it is one that the picture has.
    pub fn influence<'a>(&self, cx: &'a PaneContext) -> Option<&'a EdgeRow> {
        let EdgeKey::Moves(from, to, asset, rule) = self else { return None };
        let c = cx.cockpit.as_ref()?;
        let is_it = |e: &&EdgeRow| (e.from, e.to) == (*from, *to) && (&e.asset, &e.rule) == (asset, rule);
        c.edges.iter().find(is_it)
    }

    /// The edge to the desk that it names, where it is one that the picture has.
    pub fn service<'a>(&self, cx: &'a PaneContext) -> Option<&'a ServiceRow> {
        let EdgeKey::Serves(agent, service) = self else { return None };
        let c = cx.cockpit.as_ref()?;
        c.services.iter().find(|s| s.agent == *agent && s.service == *service)
    }

    /// The newest decision, so that enter means something; where nobody listens, whoever serves the desk.
    pub fn first(cx: &PaneContext) -> Option<EdgeKey> {
        influence(cx).first().map(|e| key(e)).or_else(|| edge_keys(cx).into_iter().next())
    }

    /// The edge after a step from `at`.
    pub fn step(at: Option<&EdgeKey>, cx: &PaneContext, down: bool, by: usize) -> Option<EdgeKey> {
        let keys = edge_keys(cx);
        let first = || influence(cx).first().and_then(|e| keys.iter().position(|k| *k == key(e)));
        let next = match at.and_then(|e| keys.iter().position(|k| k == e)) {
            Some(at) => moved(at, down, by, keys.len()),
            None => first().unwrap_or(0),
        };
        keys.into_iter().nth(next)
    }

    /// Whose page it opens, and at which decision.
    pub fn behind(&self, cx: &PaneContext) -> Option<(AgentId, Option<MessageId>)> {
        let moved = self.influence(cx).map(|e| (e.to, Some(e.decision)));
        moved.or_else(|| self.service(cx).map(|s| (s.agent, None)))
    }

    /// As text, to be copied.
    pub fn text(&self, cx: &PaneContext) -> Option<String> {
        let name = |id| cx.row(id).map(|a| a.name.clone()).unwrap_or_default();
        let moved = self.influence(cx).map(|e| {
            let (to, message, decision) = (name(e.to), e.message.0, e.decision.0);
            let what = if e.rule.is_empty() { "decision".to_owned() } else { format!("{}, deed", e.rule) };
            format!("{} → {to} {} #{message} {what} #{decision}", e.from_name, e.asset)
        });
        moved.or_else(|| {
            let s = self.service(cx)?;
            Some(format!("{} {}", name(s.agent), parts(s).map(|p| p.0).concat()))
        })
    }

    /// What it says, in so many cells: who did what for whom, what it was worth, the newest receipt, and what enter
    /// opens.
    pub fn line<'a>(&self, cx: &PaneContext, width: usize) -> Option<Line<'a>> {
        self.service(cx)
            .map(|s| service_line(cx, s, width))
            .or_else(|| self.influence(cx).map(|e| influence_line(cx, e, width)))
    }
}

fn influence_line<'a>(cx: &PaneContext, e: &EdgeRow, width: usize) -> Line<'a> {
    let t = &cx.theme;
    let to = cx.row(e.to).map(|a| a.name.clone()).unwrap_or_default();
    let text = format!("{} → {to} {} #{} {:.0} % ", e.from_name, e.asset, e.message.0, 100.0 * e.share);
    // What a deed was worth nobody measures: by which rule it was done is what there is to say.
    let is_deed = !e.rule.is_empty();
    let gain = if is_deed { format!("{} ", e.rule) } else { format!("{} ", words::gain(e.value)) };
    let role = if is_deed { StyleRole::Open } else { words::sign(e.value) };
    let rest = width.saturating_sub(text.chars().count() + gain.chars().count());
    let what = if is_deed { "deed" } else { "decision" };
    let long = if e.decision.0 > 0 { format!("{what} #{} · enter", e.decision.0) } else { String::new() };
    let short = if e.decision.0 > 0 { format!("enter #{}", e.decision.0) } else { String::new() };
    let why = [long, short].into_iter().find(|w| w.chars().count() <= rest).unwrap_or_default();
    Line::from(vec![
        Span::styled(words::cut(&text, width), t.of(StyleRole::Focus)),
        Span::styled(gain, t.of(role)),
        Span::styled(why, t.of(StyleRole::Dim)),
    ])
}

fn service_line<'a>(cx: &PaneContext, s: &ServiceRow, width: usize) -> Line<'a> {
    let t = &cx.theme;
    let name = cx.row(s.agent).map(|a| a.name.clone()).unwrap_or_default();
    let [deed, value, today, receipt] = parts(s);
    let ways: [Vec<(String, StyleRole)>; 4] = [
        vec![(format!("{name} "), StyleRole::Focus), deed, value.clone(), today.clone(), receipt.clone()],
        vec![(format!("{name} → desk"), StyleRole::Focus), value.clone(), today, receipt.clone()],
        vec![(format!("{name} → desk"), StyleRole::Focus), value.clone(), receipt],
        vec![(format!("{name} → desk"), StyleRole::Focus), value],
    ];
    let enter = (" · enter".to_owned(), StyleRole::Dim);
    let cells = |way: &[(String, StyleRole)]| way.iter().map(|p| p.0.chars().count()).sum::<usize>();
    let fits = ways.iter().find(|w| cells(w) + enter.0.chars().count() <= width);
    let mut way = fits.unwrap_or(&ways[3]).clone();
    if fits.is_some() {
        way.push(enter);
    }
    Line::from(way.into_iter().map(|(text, role)| Span::styled(text, t.of(role))).collect::<Vec<_>>())
}

/// What was done for the desk, what it was worth, today's part of it, and the message that says so.
fn parts(s: &ServiceRow) -> [(String, StyleRole); 4] {
    // A maker's worth is what taking would have cost; the others' is what their books won.
    let verb = if s.service == Service::Liquidity { "saved" } else { "earned" };
    let receipt = if s.receipt.0 > 0 { format!(" · receipt #{}", s.receipt.0) } else { String::new() };
    [
        (s.deed(), StyleRole::Focus),
        (format!(" · {verb} {}", words::gain_fine(s.total)), words::sign_fine(s.total)),
        (format!(", today {}", words::fine(s.today)), StyleRole::Dim),
        (receipt, StyleRole::Dim),
    ]
}
