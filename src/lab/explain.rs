//! What the last run showed, in plain words, without a number that is not in the report.

use super::Report;
use super::designed::DataOverlap;
use super::report::Uplift;
use super::verdict::not_communication;
use super::words;
use super::{acrosstables, hiretables, reactiontables};

/// A paragraph each: what was done, what came out, why, and what not to believe.
pub fn explain(r: &Report) -> String {
    let mut lines = setting(r);
    let rungs = [
        ("vs_alone", "the same agents, each about its own business"),
        ("vs_strong", "the same agents deaf, but netted, patient and at the same risk"),
        ("vs_all", "one account that holds all voices"),
        ("vs_tsmom6", "one simple momentum rule"),
    ];
    lines.extend(rungs.iter().filter_map(|(key, what)| rung(r.uplift.get(*key)?, what)));
    lines.push(why(r));
    lines.extend(r.reactions.as_ref().and_then(reactiontables::explain));
    lines.extend(acrosstables::explain(r));
    lines.extend(hiretables::explain(r));
    lines.extend(voices(r));
    lines.extend(joint(r));
    lines.extend(reasons(r));
    lines.extend(
        r.notes
            .iter()
            .filter(|n| {
                n.contains("variants")
                    || n.starts_with("Without numbers")
                    || n.starts_with("Not everybody")
                    || n.contains("halted")
                    || n.starts_with("Against")
            })
            .cloned(),
    );
    lines.push(r.verdict.clone());
    lines.join("\n\n") + "\n"
}

/// What was run, and what the data is to the mechanism.
fn setting(r: &Report) -> Vec<String> {
    let f = &r.facts;
    let mut lines = vec![format!(
        "{} agents and {} scouts without funds, {} voices in all, lived through {} from {} to {}, {} times with other personalities. \
         Every system below heard the same things, paid the same costs ({}) and was brought to {:.0} % volatility per year.",
        f.agent_count,
        f.voice_count.saturating_sub(f.agent_count),
        f.voice_count,
        f.feed,
        f.from,
        f.to,
        f.seeds,
        f.costs,
        100.0 * f.target_vol
    )];
    if f.reproduction {
        lines.push(
            "The mechanism was designed on this data. What follows repeats a measurement; it proves nothing about days to come."
                .to_owned(),
        );
    }
    if f.known == DataOverlap::SameDays {
        lines.push(
            "The mechanism was designed on other data, but of the same days. Markets move together, so what follows is weak evidence."
                .to_owned(),
        );
    }
    lines
}

/// Whether it is what is said that counts.
fn why(r: &Report) -> String {
    match not_communication(r) {
        Some(why) => format!("The uplift is not attributable to communication: {why}."),
        None if r.controls.is_empty() => {
            "No control was run, so nothing can be said about why; run it again without --arms.".to_owned()
        }
        None => "With wrong messages (shifted in time, scrambled, on the wrong asset, turned round) less than half of the uplift is left, so it is what is said that counts, not merely that something is heard.".to_owned(),
    }
}

/// Where an uplift could come from at all.
fn reasons(r: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(agents), Some(voices)) = (r.company.get("agents"), r.company.get("voices")) {
        lines.push(format!(
            "One agent on its own has a Sharpe ratio of {:.2} on average. The {:.0} agents spread risk like {:.1} independent ones, all {:.0} voices like {:.1}: only as far as the second is above the first, and the others are as good, is there anything to gain from hearing them.",
            agents.sharpe, agents.members, agents.independent, voices.members, voices.independent
        ));
    }
    if let Some(i) = r.identity.as_ref().filter(|i| i.holds) {
        lines.push(format!(
            "When everybody follows the consensus entirely and nothing else is on, the hive is the account that holds all voices (largest difference of a day {:.0e}). Talk creates no knowledge: it lets agents without a centre hold what a centre would.",
            i.largest_difference.max(1e-16)
        ));
    }
    if !r.not_run.is_empty() {
        lines.push(format!("Not run, and so not claimed: {} (hive lab --services).", r.not_run.join(", ")));
    }
    lines
}

/// What several markets say together.
fn joint(r: &Report) -> Option<String> {
    let j = r.joint.as_ref()?;
    let held = j.compared.iter().filter(|c| c.ours == super::HIVE);
    let each: Vec<String> =
        held.map(|c| format!("{} {}", c.theirs, words::between(c.sharpe, 1.0, 2))).collect();
    let feeds: Vec<&str> = j.markets.iter().map(|m| m.feed.as_str()).collect();
    Some(format!(
        "Over {} feeds together ({}), on the same {} calendar days, of which all have {}, the mean difference of the Sharpe ratio is: {}.",
        feeds.len(),
        feeds.join(", "),
        j.days,
        j.shared_days,
        each.join(", ")
    ))
}

/// What more voices did on this market, whichever way it went.
fn voices(r: &Report) -> Option<String> {
    let (first, last) = (r.voices.first()?, r.voices.last()?);
    // What the others add is beyond what the funded agents have by themselves.
    let funded = r.arms.get(super::STRONG)?.metrics.sharpe?;
    let (few, all) = (first.sharpe?, last.sharpe?);
    let more = match all - funded {
        d if d > 0.05 => "the voices without funds made it stronger",
        d if d < -0.05 => "the voices without funds made it weaker: they are not as good as those with funds",
        _ => "the voices without funds made next to no difference",
    };
    Some(format!(
        "In one account {} voices drawn at random have a Sharpe ratio of {:.2}, the {} funded agents {:.2}, all {} voices {:.2}: {more}. From personality to personality the first varies by {} and the last by {}.",
        first.m,
        few,
        r.facts.agent_count,
        funded,
        last.m,
        all,
        words::plain(first.seed_sd, 2),
        words::plain(last.seed_sd, 2)
    ))
}

fn rung(u: &Uplift, what: &str) -> Option<String> {
    let (s, won) = u.sharpe.zip(u.seeds_won)?;
    let sure = if s.lo > 0.0 {
        "the interval is above zero: more than luck of the days"
    } else if s.hi < 0.0 {
        "the interval is below zero: it is worse, and not by luck"
    } else {
        "the interval covers zero: it cannot be told from luck"
    };
    let fall = u.max_drawdown_change.map_or_else(String::new, |c| {
        let word = if c < 0.0 { "smaller" } else { "larger" };
        format!(" deepest drawdown {:.0} % {word},", 100.0 * c.abs())
    });
    Some(format!(
        "Against {what}: Sharpe ratio {:+.2} (between {:+.2} and {:+.2}; {sure}),{fall} ahead in {:.0} % of the personalities.",
        s.mean,
        s.lo,
        s.hi,
        100.0 * won
    ))
}
