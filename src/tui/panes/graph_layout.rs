//! Where everybody stands: a force-directed layout (Fruchterman and Reingold, 1991). Agents push each
//! other away, influence pulls them together, families keep company. It cools, and then places stay;
//! later voices find a place beside those they moved without disturbing anybody.
//!
//! # Invariants
//!
//! 1. The same pictures give the same places: no chance is involved.
//! 2. Places are finite, in −1 … 1 both ways.

use crate::domain::{AgentId, FamilyId};
use crate::view::Cockpit;
use std::collections::BTreeMap;
use std::f64::consts::TAU;

/// Places that are kept: the declared agents and the scouts that were heard.
const PLACES_MAX: usize = 1_200;
/// Agents beyond which pushing each other costs too much; they stay on their ring.
const FORCED_MAX: usize = 400;
/// Steps at the first picture that has edges.
const FIRST: usize = 160;
/// Steps at each picture of a history that flies by.
const EACH: usize = 3;
/// How far a step may go at first; it cools by this factor a step.
const HEAT: f64 = 0.12;
const COOL: f64 = 0.975;
/// Below this nothing moves any more.
const COLD: f64 = 0.002;

#[derive(Clone, Copy, Debug)]
struct Node {
    id: AgentId,
    family: FamilyId,
    x: f64,
    y: f64,
}

/// Where the agents stand in the picture of who moves whom.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    nodes: Vec<Node>,
    positions: BTreeMap<AgentId, (f64, f64)>,
    heat: f64,
    /// Counts the changes, for those who keep something made from it.
    pub version: u64,
}

impl Layout {
    /// Takes a picture: places who has none, and lets the forces act while there is heat.
    pub fn see(&mut self, c: &Cockpit) {
        let known = self.nodes.len() == c.agents.len();
        if !known {
            self.begin(c);
        }
        if self.heat > COLD && !c.edges.is_empty() && self.nodes.len() <= FORCED_MAX {
            let steps = if self.heat >= HEAT { FIRST } else { EACH };
            for _ in 0..steps {
                self.step(c);
            }
            // While history flies by, places may still follow; then they stay.
            self.heat = if c.progress.is_some() { self.heat.max(COLD * 4.0) } else { 0.0 };
            self.spread();
        }
        self.seat_scouts(c);
    }

    /// Where somebody stands.
    pub fn at(&self, id: AgentId) -> Option<(f64, f64)> {
        self.positions.get(&id).copied()
    }

    /// On a ring, family by family.
    fn begin(&mut self, c: &Cockpit) {
        let mut order: Vec<_> = c.agents.iter().map(|a| (a.family, a.id)).collect();
        order.sort();
        let n = order.len().max(1) as f64;
        let seat = |(i, (family, id)): (usize, &(FamilyId, AgentId))| {
            let angle = TAU * i as f64 / n;
            // Not quite a ring, or neighbours would hold each other in place.
            let radius = 0.55 + 0.35 * (i as f64 * 0.618_033_988_749_895 % 1.0);
            Node { id: *id, family: *family, x: radius * angle.sin(), y: radius * angle.cos() }
        };
        self.nodes = order.iter().enumerate().map(seat).collect();
        self.positions.clear();
        self.heat = HEAT;
        self.spread();
    }

    fn step(&mut self, c: &Cockpit) {
        let n = self.nodes.len();
        let near = (4.0 / n.max(1) as f64).sqrt() * 0.75;
        let mut push = vec![(0.0, 0.0); n];
        for i in 0..n {
            for j in 0..i {
                let (dx, dy) = (self.nodes[i].x - self.nodes[j].x, self.nodes[i].y - self.nodes[j].y);
                let d2 = (dx * dx + dy * dy).max(1e-4);
                let kin = self.nodes[i].family == self.nodes[j].family;
                // Push k²/d; kin pull d²/k a little as well.
                let force = near * near / d2 - if kin { 0.10 * d2.sqrt() / near } else { 0.0 };
                push[i].0 += dx * force;
                push[i].1 += dy * force;
                push[j].0 -= dx * force;
                push[j].1 -= dy * force;
            }
        }
        let index: BTreeMap<AgentId, usize> = self.nodes.iter().enumerate().map(|(i, n)| (n.id, i)).collect();
        for e in &c.edges {
            let (Some(&i), Some(&j)) = (index.get(&e.from), index.get(&e.to)) else { continue };
            let (dx, dy) = (self.nodes[j].x - self.nodes[i].x, self.nodes[j].y - self.nodes[i].y);
            let pull = (dx * dx + dy * dy).sqrt() / near * e.share.clamp(0.0, 1.0);
            push[i].0 += dx * pull;
            push[i].1 += dy * pull;
            push[j].0 -= dx * pull;
            push[j].1 -= dy * pull;
        }
        for (node, (mut fx, mut fy)) in self.nodes.iter_mut().zip(push) {
            fx -= 0.4 * node.x;
            fy -= 0.4 * node.y;
            let length = (fx * fx + fy * fy).sqrt();
            if length > 0.0 && length.is_finite() {
                let way = length.min(self.heat) / length;
                node.x = (node.x + fx * way).clamp(-1.0, 1.0);
                node.y = (node.y + fy * way).clamp(-1.0, 1.0);
            }
        }
        self.heat *= COOL;
    }

    /// Half the place is where the forces left it, half its rank: the pane is used to its edges.
    fn spread(&mut self) {
        let ranks = |of: fn(&Node) -> f64| {
            let mut order: Vec<usize> = (0..self.nodes.len()).collect();
            order.sort_by(|a, b| of(&self.nodes[*a]).total_cmp(&of(&self.nodes[*b])));
            let mut rank = vec![0.0; order.len()];
            let last = (order.len().max(2) - 1) as f64;
            order.iter().enumerate().for_each(|(r, i)| rank[*i] = 2.0 * r as f64 / last - 1.0);
            rank
        };
        let (across, up) = (ranks(|n| n.x), ranks(|n| n.y));
        for ((node, x), y) in self.nodes.iter().zip(across).zip(up) {
            self.positions.insert(node.id, (0.4 * node.x + 0.6 * x, 0.4 * node.y + 0.6 * y));
        }
        self.version += 1;
    }

    /// A scout stands between the middle and the first whom it moved.
    fn seat_scouts(&mut self, c: &Cockpit) {
        for e in &c.edges {
            if self.positions.len() >= PLACES_MAX || self.positions.contains_key(&e.from) {
                continue;
            }
            let Some((x, y)) = self.at(e.to) else { continue };
            // Golden angles: no two on the same spot.
            let angle = TAU * (f64::from(e.from.0) * 0.618_033_988_749_895 % 1.0);
            let position = (0.6 * x + 0.3 * angle.cos(), 0.6 * y + 0.3 * angle.sin());
            self.positions.insert(e.from, position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample::picture;

    #[test]
    fn places_are_within_bounds_apart_and_the_same_for_the_same_picture() {
        let (mut a, mut b) = (Layout::default(), Layout::default());
        a.see(&picture(1));
        b.see(&picture(1));
        let agents = picture(1).agents;
        for agent in &agents {
            let (x, y) = a.at(agent.id).unwrap();
            assert!((-1.0..=1.0).contains(&x) && (-1.0..=1.0).contains(&y));
            assert_eq!(a.at(agent.id), b.at(agent.id));
            let others = agents.iter().filter(|o| o.id != agent.id).filter_map(|o| a.at(o.id));
            assert!(others.into_iter().all(|o| o != (x, y)));
        }
    }

    #[test]
    fn places_settle_and_stay() {
        let mut layout = Layout::default();
        layout.see(&picture(1));
        let (before, version) = (layout.positions.clone(), layout.version);
        layout.see(&picture(2));
        layout.see(&picture(3));
        assert_eq!(layout.version, version);
        assert!(before.iter().all(|(id, at)| layout.positions.get(id) == Some(at)));
    }

    #[test]
    fn those_who_move_each_other_stand_closer() {
        let mut c = picture(1);
        c.agents.iter_mut().for_each(|a| a.family = FamilyId::Trend);
        c.edges.retain(|e| e.to.0 < 2);
        for e in &mut c.edges {
            (e.from, e.to, e.share) = (AgentId(0), AgentId(20), 1.0);
        }
        let mut layout = Layout::default();
        layout.see(&c);
        let d = |a: u32, b: u32| {
            let ((x, y), (u, v)) = (layout.at(AgentId(a)).unwrap(), layout.at(AgentId(b)).unwrap());
            ((x - u).powi(2) + (y - v).powi(2)).sqrt()
        };
        let mean = (1..36).filter(|i| *i != 20).map(|i| d(0, i)).sum::<f64>() / 34.0;
        assert!(d(0, 20) < 0.6 * mean, "{} {mean}", d(0, 20));
    }
}
