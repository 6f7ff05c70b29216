//! Who hears whom: agents in groups, drawn by the seed.
//!
//! # Invariants
//!
//! 1. Agents are put in an order that the seed draws by their names. The finest partition cuts it into runs;
//!    each coarser one cuts the row of the finer one's groups into runs. So partitions are nested: who is
//!    together stays together.
//! 2. Of G groups cut from F, group f goes to ⌊f·G/F⌋: numbers differ by at most one.
//! 3. As many groups as there are agents means each alone; one means all together.

use crate::agents::Population;
use crate::domain::random;

/// The members' order: indices of `names`, as the seed draws them.
pub fn order(names: &[&str], seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    let key = |i: usize| random::key(seed, &[random::name("groups"), random::name(names[i])]);
    order.sort_by_key(|i| (key(*i), *i));
    order
}

/// By count, as given: each member's group. Counts beyond the members are as many as there are members.
pub fn partitions(names: &[&str], seed: u64, counts: &[usize]) -> Vec<Vec<u32>> {
    let n = names.len();
    let order = order(names, seed);
    let mut finest_first: Vec<usize> = counts.iter().map(|c| (*c).clamp(1, n.max(1))).collect();
    finest_first.sort_unstable_by(|a, b| b.cmp(a));
    finest_first.dedup();
    // Each member's group in the partition before; before the first, everybody is a group of its own.
    let mut last = vec![0; n];
    order.iter().enumerate().for_each(|(rank, member)| last[*member] = rank as u32);
    let (mut groups, mut made) = (n.max(1), Vec::with_capacity(finest_first.len()));
    for count in finest_first {
        last.iter_mut().for_each(|g| *g = (*g as usize * count / groups) as u32);
        groups = count;
        made.push((count, last.clone()));
    }
    let of = |count: &usize| {
        let count = (*count).clamp(1, n.max(1));
        made.iter().find(|m| m.0 == count).map_or_else(Vec::new, |m| m.1.clone())
    };
    counts.iter().map(of).collect()
}

/// Who is a member: the agents with funds, in the order of the cast.
pub fn members(cast: &Population) -> Vec<usize> {
    cast.agents.iter().filter(|a| a.funded).map(|a| a.id.index()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(groups: &[u32]) -> Vec<usize> {
        let most = groups.iter().copied().max().map_or(0, |m| m as usize + 1);
        (0..most).map(|g| groups.iter().filter(|x| **x as usize == g).count()).collect()
    }

    #[test]
    fn partitions_are_nested_and_even() {
        let names: Vec<String> = (0..36).map(|i| format!("agent {i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let counts = [1, 36, 18, 9, 4, 2];
        for seed in 1..20 {
            let all = partitions(&names, seed, &counts);
            for (count, groups) in counts.iter().zip(&all) {
                let sizes = sizes(groups);
                assert_eq!((sizes.len(), sizes.iter().sum::<usize>()), (*count, 36));
                assert!(sizes.iter().all(|s| *s > 0));
            }
            assert_eq!(sizes(&all[4]), [12, 8, 8, 8]);
            for (fine, coarse) in [(1, 2), (2, 3), (3, 4), (4, 5), (5, 0)] {
                for i in 0..36 {
                    for j in 0..36 {
                        let together = |p: usize| all[p][i] == all[p][j];
                        assert!(!together(fine) || together(coarse), "{fine} is not within {coarse}");
                    }
                }
            }
        }
        assert_ne!(partitions(&names, 1, &[4]), partitions(&names, 2, &[4]), "the seed draws");
    }

    #[test]
    fn more_groups_than_members_is_each_alone() {
        let all = partitions(&["a", "b", "c"], 1, &[9, 3, 1]);
        assert_eq!(all[0], all[1]);
        assert_eq!((sizes(&all[0]), sizes(&all[2])), (vec![1, 1, 1], vec![3]));
        assert_eq!(partitions(&[], 1, &[2]), [Vec::<u32>::new()]);
    }
}
