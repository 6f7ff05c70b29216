//! What changed between two pictures of the cockpit, so that a slow line carries a few hundred bytes and
//! not a hundred thousand.
//!
//! A list is compared row by row, after as many old rows at its front were dropped as its ring lost;
//! everything else (the head: account, goals, times) is small and goes whole. A list added to [`Cockpit`]
//! and not named here goes with the head: right, only larger.
//!
//! # Invariants
//!
//! 1. [`Delta::apply`] to the old picture gives the new one, to the bit, or an error.
//! 2. It allocates no more rows than a picture may have.

use super::cockpit::{AgentRow, Cockpit, Curves, EdgeRow, MessageLine};
use super::orders::{FillRow, OrderRow};
use super::services::ServiceRow;
use serde::{Deserialize, Serialize};

/// Most rows of any list: what is longer was not made by this program.
const ROWS_MAX: u32 = 4_096;

/// A list as a change of an older one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct RowsDelta<T> {
    /// Old rows that are gone at the front.
    dropped: u32,
    /// Rows of the new list.
    len: u32,
    /// Rows that are not what the old one has there.
    set: Vec<(u32, T)>,
}

impl<T: Clone + PartialEq + Serialize> RowsDelta<T> {
    fn between(old: &[T], new: &[T], dropped: usize) -> Self {
        let kept = old.get(dropped..).unwrap_or_default();
        let differs = |(i, row): &(usize, &T)| !kept.get(*i).is_some_and(|old| same(old, *row));
        let set = new.iter().enumerate().filter(differs).map(|(i, row)| (i as u32, row.clone())).collect();
        RowsDelta { dropped: dropped as u32, len: new.len() as u32, set }
    }

    fn apply(self, old: &mut Vec<T>) -> Result<(), DeltaError> {
        if self.len > ROWS_MAX {
            return Err(DeltaError);
        }
        old.drain(..old.len().min(self.dropped as usize));
        old.truncate(self.len as usize);
        for (i, row) in self.set {
            match i as usize {
                i if i < old.len() => old[i] = row,
                i if i == old.len() && i < self.len as usize => old.push(row),
                _ => return Err(DeltaError),
            }
        }
        if old.len() == self.len as usize { Ok(()) } else { Err(DeltaError) }
    }
}

/// What has changed from one picture to a later one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    /// The new picture without its lists.
    head: Cockpit,
    agents: RowsDelta<AgentRow>,
    edges: RowsDelta<EdgeRow>,
    messages: RowsDelta<MessageLine>,
    curves: [RowsDelta<f64>; 4],
    services: RowsDelta<ServiceRow>,
    orders: RowsDelta<OrderRow>,
    fills: RowsDelta<FillRow>,
}

/// The change does not belong to this picture: the whole has to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the change does not belong to the picture that is here")]
pub struct DeltaError;

impl Delta {
    /// The change from one picture to a later one.
    pub fn between(old: &Cockpit, new: &Cockpit) -> Self {
        // Messages are a ring: what the new one begins with tells how many the old one lost.
        let first = new.messages.first().map(|m| m.id);
        let dropped = old.messages.iter().position(|m| Some(m.id) == first).unwrap_or(old.messages.len());
        let first = new.fills.first().map(|f| (f.order, f.number));
        let filled =
            old.fills.iter().position(|f| Some((f.order, f.number)) == first).unwrap_or(old.fills.len());
        let curve = |of: fn(&Curves) -> &Vec<f64>| RowsDelta::between(of(&old.curves), of(&new.curves), 0);
        Delta {
            agents: RowsDelta::between(&old.agents, &new.agents, 0),
            edges: RowsDelta::between(&old.edges, &new.edges, 0),
            messages: RowsDelta::between(&old.messages, &new.messages, dropped),
            curves: [curve(|c| &c.alone), curve(|c| &c.open), curve(|c| &c.real), curve(|c| &c.drawdown)],
            services: RowsDelta::between(&old.services, &new.services, 0),
            orders: RowsDelta::between(&old.orders, &new.orders, 0),
            fills: RowsDelta::between(&old.fills, &new.fills, filled),
            head: head(new),
        }
    }

    /// Makes the new picture of the old one.
    pub fn apply(self, old: Cockpit) -> Result<Cockpit, DeltaError> {
        let mut new = self.head;
        (new.agents, new.edges, new.messages) = (old.agents, old.edges, old.messages);
        (new.services, new.orders, new.fills) = (old.services, old.orders, old.fills);
        let from = new.curves.from;
        new.curves = Curves { from, ..old.curves };
        self.agents.apply(&mut new.agents)?;
        self.edges.apply(&mut new.edges)?;
        self.messages.apply(&mut new.messages)?;
        self.services.apply(&mut new.services)?;
        self.orders.apply(&mut new.orders)?;
        self.fills.apply(&mut new.fills)?;
        let curves = &mut new.curves;
        let all = [&mut curves.alone, &mut curves.open, &mut curves.real, &mut curves.drawdown];
        self.curves.into_iter().zip(all).try_for_each(|(change, curve)| change.apply(curve))?;
        Ok(new)
    }
}

/// A picture without its lists.
fn head(new: &Cockpit) -> Cockpit {
    Cockpit {
        agents: Vec::new(),
        edges: Vec::new(),
        messages: Vec::new(),
        services: Vec::new(),
        orders: Vec::new(),
        fills: Vec::new(),
        curves: Curves { from: new.curves.from, ..Curves::default() },
        ..new.clone()
    }
}

/// Equal to the bit: 0 and -0 are equal numbers, and other bytes in the hash of a view.
fn same<T: PartialEq + Serialize>(a: &T, b: &T) -> bool {
    a == b && matches!((postcard::to_stdvec(a), postcard::to_stdvec(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::super::cockpit::TopicKind;
    use super::*;
    use crate::domain::{AgentId, Decimal, FamilyId, MessageId, OrderStatus, Service, Stamp};
    use proptest::prelude::*;

    fn message(id: u64, acted_on: u32) -> MessageLine {
        MessageLine {
            id: MessageId(id),
            at: Stamp(id as i64),
            from: "Yuki".into(),
            agent: Some(AgentId(1)),
            asset: "BTC".into(),
            kind: TopicKind::Open,
            text: format!("message {id}"),
            acted_on,
        }
    }

    fn edge(n: u32, share: f64) -> EdgeRow {
        EdgeRow {
            from: AgentId(n),
            from_name: format!("a{n}"),
            from_family: FamilyId::Trend,
            to: AgentId(n + 1),
            asset: "ETH".into(),
            share,
            value: share,
            message: MessageId(u64::from(n)),
            decision: MessageId(0),
            rule: String::new(),
        }
    }

    fn fill(order: u64) -> FillRow {
        FillRow {
            order,
            number: 1,
            at: Stamp(order as i64),
            venue: String::new(),
            symbol: "BTCUSDT".into(),
            quantity: Decimal::new(order as i64, 3),
            price: Decimal::new(42_000, 0),
            fee: Decimal::ONE,
        }
    }

    fn open(id: u64) -> OrderRow {
        OrderRow {
            id,
            at: Stamp(0),
            venue: "binance".into(),
            symbol: "BTCUSDT".into(),
            quantity: Decimal::ONE,
            filled: Decimal::ZERO,
            limit: None,
            state: OrderStatus::Working,
            maker: String::new(),
        }
    }

    fn served(n: u32, seq: u64) -> ServiceRow {
        ServiceRow {
            agent: AgentId(n),
            service: Service::Carry,
            what: "1.2 BTC".into(),
            notional: 1.0,
            today: seq as f64,
            total: 2.0,
            receipt: MessageId(seq),
        }
    }

    fn pictures() -> impl Strategy<Value = Cockpit> {
        let numbers =
            || prop::collection::vec(prop_oneof![Just(0.0), Just(-0.0), Just(f64::NAN), -9.0..9.0], 0..20);
        let messages = (1_u64..50, prop::collection::vec(0_u32..3, 0..20));
        let edges = prop::collection::vec((0_u32..5, 0.0..1.0), 0..12);
        let trades = (1_u64..50, 0_u64..20);
        (any::<u64>(), messages, edges, numbers(), numbers(), (".{0,8}", trades)).prop_map(
            |(seq, (first, acted), edges, alone, real, (speed, (order, fills)))| Cockpit {
                seq,
                speed,
                messages: (first..).zip(acted).map(|(id, n)| message(id, n)).collect(),
                edges: edges.into_iter().map(|(n, share)| edge(n, share)).collect(),
                curves: Curves { alone, real, ..Curves::default() },
                fills: (order..order + fills).map(fill).collect(),
                orders: (order..order + fills / 2).map(open).collect(),
                services: (0..fills as u32 / 3).map(|n| served(n, seq)).collect(),
                ..Cockpit::default()
            },
        )
    }

    proptest! {
        #[test]
        fn a_change_makes_the_new_picture_of_the_old(old in pictures(), new in pictures()) {
            let bytes = postcard::to_stdvec(&Delta::between(&old, &new)).unwrap();
            let change: Delta = postcard::from_bytes(&bytes).unwrap();
            let made = change.apply(old).unwrap();
            prop_assert_eq!(made.view_hash(), new.view_hash());
            prop_assert_eq!(made.seq, new.seq);
        }

        #[test]
        fn of_another_picture_it_makes_an_error_or_a_bounded_picture(a in pictures(), b in pictures(), c in pictures()) {
            if let Ok(made) = Delta::between(&a, &b).apply(c) {
                prop_assert!(made.messages.len() <= ROWS_MAX as usize);
            }
        }
    }

    #[test]
    fn a_ring_that_moved_on_sends_only_what_is_new() {
        let old = Cockpit { messages: (1..=200).map(|i| message(i, 0)).collect(), ..Cockpit::default() };
        let new = Cockpit { messages: (6..=205).map(|i| message(i, 0)).collect(), ..Cockpit::default() };
        let change = Delta::between(&old, &new);
        assert_eq!((change.messages.dropped, change.messages.set.len()), (5, 5));
    }

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        let far = RowsDelta { dropped: 0, len: ROWS_MAX + 1, set: vec![] };
        assert_eq!(far.apply(&mut vec![1]), Err(DeltaError));
        let hole = RowsDelta { dropped: 0, len: 3, set: vec![(2, 9)] };
        assert_eq!(hole.apply(&mut vec![1]), Err(DeltaError));
    }
}
