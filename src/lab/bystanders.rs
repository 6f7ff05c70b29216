//! Agents that stand by because the market has not what they need: nobody is to take a smaller hive for the whole.

use super::study::LabWorld;
use crate::agents::cast::cast;

/// What casting says of each agent that stands by and of each name that the feed lacks, over all seeds: a sentence
/// each, with in how many seeds it holds where that is not all.
pub fn notices(world: &LabWorld, seeds: &[u64]) -> Vec<String> {
    let mut all: Vec<(String, usize)> = Vec::new();
    for seed in seeds {
        let mut said = cast(&world.roster, &world.universe, *seed).notices;
        said.sort();
        said.dedup();
        for notice in said {
            match all.iter_mut().find(|(known, _)| *known == notice) {
                Some((_, times)) => *times += 1,
                None => all.push((notice, 1)),
            }
        }
    }
    let told = |(notice, times): (String, usize)| {
        if times == seeds.len() { notice } else { format!("{notice} (in {times} of {} seeds)", seeds.len()) }
    };
    all.into_iter().map(told).collect()
}

/// Those who stand by for the same reason together: the reason, and who.
pub fn grouped(notices: &[String]) -> Vec<(String, Vec<&str>)> {
    let mut all: Vec<(String, Vec<&str>)> = Vec::new();
    for notice in notices {
        let (who, why) = notice.split_once(" stands by: ").unwrap_or(("", notice));
        match all.iter_mut().find(|(known, _)| known == why) {
            Some((_, of)) => of.push(who),
            None => all.push((why.to_owned(), vec![who])),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_by_for_the_same_reason_is_named_together() {
        let notices = ["Mira stands by: no BTC", "Kai stands by: no BTC", "Zoë: X is not on this feed"];
        let notices = notices.map(str::to_owned);
        let all = grouped(&notices);
        assert_eq!(all[0], ("no BTC".to_owned(), vec!["Mira", "Kai"]));
        assert_eq!(all[1], ("Zoë: X is not on this feed".to_owned(), vec![""]));
    }
}
