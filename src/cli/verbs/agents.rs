//! `hive agents`: the families and their parameters, what an agent lives by, and the check of a file.

mod show;

use crate::agents::declaration::{DrawnNumber, ParamSpec, Selector};
use crate::agents::families;
use crate::cli::failure::Failure;
use crate::cli::options;
use crate::cli::output::print;
use crate::config::team::whom;
use crate::config::{DEFAULT, READY};
use crate::domain::{FamilyId, Goal};
use clap::{Parser, Subcommand};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Arguments of `hive agents`.
#[derive(Debug, Parser)]
pub struct AgentsArgs {
    #[command(subcommand)]
    verb: AgentsCommand,
}

#[derive(Debug, Subcommand)]
enum AgentsCommand {
    /// The ready rosters, the families with their parameters, units, defaults and bounds, and the agents of a file
    List {
        /// The hive's file
        #[arg(long, value_name = "FILE", env = "HIVE_AGENTS", hide_env_values = true)]
        agents: Option<PathBuf>,
        /// The families as JSON
        #[arg(long)]
        json: bool,
    },
    /// All that an agent lives by: family, assets, goal, character, parameters, and its reactions as sentences
    Show {
        /// The agent's name
        #[arg(value_name = "NAME")]
        name: String,
        /// The hive's file
        #[arg(long, value_name = "FILE", env = "HIVE_AGENTS", hide_env_values = true)]
        agents: Option<PathBuf>,
        /// The same as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a ready roster to start from
    New {
        /// Which: default, bars, by-goal, by-strategy, by-goal-and-strategy, by-asset, full-house; hive agents
        /// list says what each is
        #[arg(value_name = "NAME")]
        name: String,
        /// The file to write; one that is there is left alone
        #[arg(value_name = "FILE", default_value = "agents.toml")]
        file: PathBuf,
    },
    /// All mistakes of a file at once, or that there are none
    Check {
        /// The hive's file; without it agents.toml here, or the one that is built in
        #[arg(value_name = "FILE", env = "HIVE_AGENTS", hide_env_values = true)]
        file: Option<PathBuf>,
    },
}

/// Runs `hive agents`, and prints what was asked for.
pub fn run(args: &AgentsArgs) -> Result<(), Failure> {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = match &args.verb {
        AgentsCommand::List { json: true, .. } => families(&mut out)?,
        AgentsCommand::List { agents, .. } => list(&mut out, agents.as_ref())?,
        AgentsCommand::Show { name, agents, json } => show::show(&mut out, name, agents.as_ref(), *json)?,
        AgentsCommand::New { name, file } => scaffold(&mut out, name, file)?,
        AgentsCommand::Check { file } => check(&mut out, file.as_ref())?,
    };
    print(&out)
}

fn list(out: &mut String, file: Option<&PathBuf>) -> Result<std::fmt::Result, Failure> {
    let (config, _) = options::load(file, &DEFAULT, &[])?;
    Ok((|| {
        writeln!(out, "rosters, written by hive agents new NAME")?;
        for roster in READY {
            writeln!(out, "  {:<22}{}", roster.name, roster.idea)?;
        }
        writeln!(out)?;
        writeln!(out, "families")?;
        for family in FamilyId::ALL {
            writeln!(out, "  {family}: {}", families::info(*family).idea)?;
            writeln!(out, "      needs {}", families::info(*family).needs)?;
            for p in families::info(*family).params {
                writeln!(
                    out,
                    "      {:<10} {:<6} default {:<12} allowed {:<14} {}",
                    p.name,
                    p.unit,
                    span(p.default),
                    span(p.bounds),
                    p.what
                )?;
            }
        }
        writeln!(out, "\nagents ({} scouts beside them)", config.roster.scouts)?;
        for a in &config.roster.agents {
            let assets: Vec<String> = a.assets.iter().map(selector).collect();
            writeln!(
                out,
                "  {:<10}{:<20}{:<12}{:<7}{:<12}{:<15}{}",
                a.name,
                a.family,
                a.goal,
                a.side,
                a.personality,
                reactions(a.reacts.len()),
                assets.join(", ")
            )?;
        }
        for m in &config.roster.managers {
            let over: Vec<String> = m.over.iter().map(whom).collect();
            let (what, turns) = (m.watches.text(), format!("{} → {}", m.above, m.release));
            writeln!(
                out,
                "  {:<10}manager of {} for {}: {what} {turns}, size {}",
                m.name,
                over.join(", "),
                m.goal,
                m.size
            )?;
        }
        Ok(())
    })())
}

fn scaffold(out: &mut String, name: &str, file: &Path) -> Result<std::fmt::Result, Failure> {
    let Some(roster) = READY.iter().find(|r| r.name == name) else {
        let known: Vec<&str> = READY.iter().map(|r| r.name).collect();
        let why = format!("there is no roster {name:?}; choose one of {}", known.join(", "));
        return Err(Failure::Usage(why));
    };
    let text = roster.text;
    let refused = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::Usage(format!(
            "{} is there already and is left alone; name another file or move it away",
            file.display()
        )),
        _ => Failure::Usage(format!(
            "writing {}: {e}; name a file in a folder that can be written",
            file.display()
        )),
    };
    let mut new = std::fs::OpenOptions::new().write(true).create_new(true).open(file).map_err(refused)?;
    std::io::Write::write_all(&mut new, text.as_bytes()).map_err(refused)?;
    Ok(writeln!(
        out,
        "{} written; change what you like, then: hive agents check {0} · hive --agents {0}",
        file.display()
    ))
}

#[derive(Serialize)]
struct FamilyList {
    families: Vec<FamilyLine>,
}

#[derive(Serialize)]
struct FamilyLine {
    name: &'static str,
    idea: &'static str,
    instruments: &'static str,
    params: Vec<ParamLine>,
}

#[derive(Serialize)]
struct ParamLine {
    name: &'static str,
    unit: &'static str,
    default: [f64; 2],
    bounds: [f64; 2],
    what: &'static str,
}

fn families(out: &mut String) -> Result<std::fmt::Result, Failure> {
    let param = |p: &ParamSpec| ParamLine {
        name: p.name,
        unit: p.unit,
        default: [p.default.from, p.default.to],
        bounds: [p.bounds.from, p.bounds.to],
        what: p.what,
    };
    let line = |f: &FamilyId| FamilyLine {
        name: f.text(),
        idea: families::info(*f).idea,
        instruments: families::info(*f).needs,
        params: families::info(*f).params.iter().map(param).collect(),
    };
    let all = FamilyList { families: FamilyId::ALL.iter().map(line).collect() };
    let text = serde_json::to_string_pretty(&all).map_err(|e| Failure::Failed(format!("encoding: {e}")))?;
    Ok(writeln!(out, "{text}"))
}

fn check(out: &mut String, file: Option<&PathBuf>) -> Result<std::fmt::Result, Failure> {
    let (config, _) = options::load(file, &DEFAULT, &[])?;
    let count = |goal: &Goal| config.roster.agents.iter().filter(|a| a.goal == *goal).count();
    let goals: Vec<String> = Goal::ALL.iter().map(|g| format!("{} {g}", count(g))).collect();
    Ok(writeln!(
        out,
        "no mistakes: {} agents ({}) and {} scouts; roster {}",
        config.roster.agents.len(),
        goals.join(", "),
        config.roster.scouts,
        crate::config::roster_hash(&config)
    ))
}

fn reactions(count: usize) -> String {
    match count {
        0 => "no reactions".to_owned(),
        1 => "1 reaction".to_owned(),
        n => format!("{n} reactions"),
    }
}

fn span(r: DrawnNumber) -> String {
    if r.from == r.to { r.from.to_string() } else { format!("{} … {}", r.from, r.to) }
}

fn selector(s: &Selector) -> String {
    match s {
        Selector::Name(name) => name.clone(),
        Selector::Group(name) => format!("@{name}"),
        Selector::Top(n) => format!("top:{n}:volume"),
        Selector::Random(n) => format!("random:{n}"),
        Selector::Any => "any".to_owned(),
    }
}
