//! `hive agents show NAME`: all that an agent lives by, its reactions as sentences.

use super::{selector, span};
use crate::agents::declaration::{Declaration, DrawnNumber};
use crate::agents::families;
use crate::agents::personality::{Preset, Traits};
use crate::cli::failure::Failure;
use crate::cli::options;
use crate::config::{Config, DEFAULT, Origins};
use serde::Serialize;
use std::fmt::{self, Write};
use std::path::PathBuf;

/// All that an agent lives by, as JSON has it.
#[derive(Serialize)]
struct AgentCharacter {
    name: String,
    family: &'static str,
    assets: Vec<String>,
    side: &'static str,
    goal: &'static str,
    preset: Preset,
    personality: String,
    traits: Traits,
    funded: bool,
    params: Vec<ParamRange>,
    reactions: Vec<ReactionLine>,
    resting: Vec<RestingLine>,
}

/// A parameter with what it is drawn from.
#[derive(Serialize)]
struct ParamRange {
    name: &'static str,
    unit: &'static str,
    /// The ends of the range; equal where it is a number.
    from: f64,
    to: f64,
    /// Whether the file sets it; else it is the family's own range.
    set: bool,
    what: &'static str,
}

/// A reaction in words, and where it stands.
#[derive(Serialize)]
struct ReactionLine {
    name: String,
    sentence: String,
    /// Whether it can only take risk away.
    cautious: bool,
    /// Its goal's preset, its personality, or its own.
    from: String,
    /// File and line.
    place: String,
}

/// A reaction of its goal or personality that can act on nothing it does.
#[derive(Serialize)]
struct RestingLine {
    name: String,
    from: String,
    why: String,
}

impl AgentCharacter {
    fn of(config: &Config, origins: &Origins, agent: &Declaration) -> Self {
        let params = families::info(agent.family).params.iter().map(|spec| {
            let set = agent.params.get(spec.name);
            let DrawnNumber { from, to } = set.copied().unwrap_or(spec.default);
            ParamRange { name: spec.name, unit: spec.unit, from, to, set: set.is_some(), what: spec.what }
        });
        let reactions = agent.reacts.iter().zip(origins.reactions(&agent.name));
        let reactions = reactions.map(|(rule, origin)| ReactionLine {
            name: rule.name.clone(),
            sentence: rule.to_string(),
            cautious: rule.then.is_cautious(),
            from: origin.holder.to_string(),
            place: origin.place.to_string(),
        });
        let resting = origins.resting(&agent.name).iter().map(|r| RestingLine {
            name: r.name.clone(),
            from: r.holder.to_string(),
            why: format!("{} {}", agent.family, r.why),
        });
        AgentCharacter {
            name: agent.name.clone(),
            family: agent.family.text(),
            assets: agent.assets.iter().map(selector).collect(),
            side: agent.side.text(),
            goal: agent.goal.text(),
            preset: config.roster.presets[agent.goal.index()],
            personality: agent.personality.clone(),
            traits: agent.traits,
            funded: agent.funded,
            params: params.collect(),
            reactions: reactions.collect(),
            resting: resting.collect(),
        }
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "{}", self.name)?;
        writeln!(out, "  family       {}", self.family)?;
        writeln!(out, "  assets       {}", self.assets.join(", "))?;
        writeln!(out, "  side         {}", self.side)?;
        writeln!(out, "  funded       {}", if self.funded { "yes" } else { "no" })?;
        let p = &self.preset;
        writeln!(out, "  goal         {}", self.goal)?;
        writeln!(
            out,
            "      unit {} · stop {} · target {} · hold {} · horizon {} · pause {}",
            p.unit, p.stop, p.target, p.hold, p.horizon, p.pause
        )?;
        writeln!(out, "      adds {} of {} · take {} · trail {}", p.adds, p.add_size, p.take, p.trail)?;
        let t = &self.traits;
        writeln!(out, "  personality  {}", self.personality)?;
        writeln!(
            out,
            "      aggression {} · patience {} · caution {} · greed {} · conviction {}",
            t.aggression, t.patience, t.caution, t.greed, t.conviction
        )?;
        writeln!(
            out,
            "      sociability {} · max_follow {} · no_flip {}",
            t.sociability, t.max_follow, t.no_flip
        )?;
        writeln!(out, "  parameters   (those of the family where the file sets none)")?;
        for p in &self.params {
            let range = span(DrawnNumber { from: p.from, to: p.to });
            let whose = if p.set { "set" } else { "" };
            writeln!(out, "      {:<10} {:<6} {range:<14} {whose:<4} {}", p.name, p.unit, p.what)?;
        }
        match self.reactions.len() {
            0 => writeln!(out, "  reactions    none")?,
            n => writeln!(out, "  reactions    {n}")?,
        }
        for r in &self.reactions {
            writeln!(out, "      {} ({}, {})", r.name, r.from, r.place)?;
            writeln!(out, "          {}", r.sentence)?;
        }
        for r in &self.resting {
            writeln!(out, "      {} ({}) rests", r.name, r.from)?;
            writeln!(out, "          {}", r.why)?;
        }
        Ok(())
    }
}

/// Writes what the agent of this name lives by.
pub(super) fn show(
    out: &mut String,
    name: &str,
    file: Option<&PathBuf>,
    json: bool,
) -> Result<fmt::Result, Failure> {
    let (config, origins) = options::load(file, &DEFAULT, &[])?;
    let agents = &config.roster.agents;
    let Some(agent) = agents.iter().find(|a| a.name.eq_ignore_ascii_case(name)) else {
        let nearest = options::nearest(name, agents.iter().map(|a| a.name.as_str()));
        return Err(Failure::Usage(format!(
            "there is no agent {name:?}; did you mean {nearest}? hive agents list names all"
        )));
    };
    let character = AgentCharacter::of(&config, &origins, agent);
    if !json {
        return Ok(character.write(out));
    }
    let text =
        serde_json::to_string_pretty(&character).map_err(|e| Failure::Failed(format!("encoding: {e}")))?;
    Ok(writeln!(out, "{text}"))
}
