//! `hive lab`: does talking help on this market? Runs the ladder of systems and the controls over seeds on
//! all cores, says what came out with intervals, and writes it as JSON and HTML.

mod company;
mod feeds;
mod output;
mod walk;

use self::output::{progress, write};
use crate::agents::declaration::{Declaration, Scouting, Selector};
use crate::agents::personality::Traits;
use crate::cli::checkpoint::stop_on_signals;
use crate::cli::experiments::{market, open};
use crate::cli::failure::Failure;
use crate::cli::options::{self, Budget, RunOptions};
use crate::cli::output::print;
use crate::config::setup;
use crate::config::{self, Config, ON_BARS};
use crate::domain::{FamilyId, Goal, SideRule, Stamp};
use crate::fills::Costs;
use crate::fills::fine::FillPrices;
use crate::lab::against;
use crate::lab::designed::{self, DataOverlap};
use crate::lab::joint::{MarketRun, joint};
use crate::lab::reactions;
use crate::lab::report::{Other, Sample, StudyFacts, report};
use crate::lab::result_cache::ResultFolder;
use crate::lab::study::{StudyError, Tracks};
use crate::lab::{
    HIVE, LabWorld, LadderStudy, Report, arms, bystanders, explain, goaltables, html, services, tables,
};
use crate::lab::{across, hires};
use crate::runtime::feeds::open as open_feed;
use clap::{Args as ClapArgs, Subcommand};
use std::path::{Path, PathBuf};

/// Arguments of `hive lab`.
#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub struct LabArgs {
    #[command(subcommand)]
    what: Option<LabCommand>,
    #[command(flatten)]
    options: LabOptions,
}

#[derive(Debug, Subcommand)]
enum LabCommand {
    /// What the last run showed, in plain words
    Explain {
        /// The state folder of that run
        #[arg(long, value_name = "DIR", env = "HIVE_STATE", hide_env_values = true)]
        state: Option<PathBuf>,
    },
}

/// Arms beside those of the ladder.
#[derive(Clone, Debug, ClapArgs)]
struct FurtherArms {
    /// Division of labour: agents that choose the instrument and work the orders, beside the same families in
    /// accounts of their own and in one that knows all. Best with history:PERPS,SPOT,FUNDING
    #[arg(long, conflicts_with = "against")]
    services: bool,
    /// What answering is worth: money on open lives that live by none of the reactions, each alone, all but each and
    /// all of them, and by all that hear wrong words; corrected for how many there are
    #[arg(long, conflicts_with_all = ["against", "services"])]
    reactions: bool,
    /// What hearing across assets is worth: the same voices with what is said of all assets taken off and without, and by
    /// accounts that take off what must not help. Scouts watch every asset: 105 of them where --scouts says nothing
    #[arg(long, conflicts_with_all = ["against", "services", "reactions"])]
    across: bool,
}

#[derive(Clone, Debug, ClapArgs)]
struct LabOptions {
    /// Where the market comes from: synth, or history:PATH[?kind=perp|spot|margin]
    #[arg(long, value_name = "FEED", default_value = "synth", env = "HIVE_FEED", hide_env_values = true)]
    feed: String,
    /// A further feed, with a report of its own, and one figure for all feeds on the same calendar days. It may
    /// carry its days: 'history:spot_1h.csv.gz?kind=margin&from=2021-04-04&to=2023-06-30'
    #[arg(long, value_name = "FEED", conflicts_with_all = ["against", "services"])]
    and: Vec<String>,
    /// The hive's file; without it agents.toml here, or the one that is built in
    #[arg(long, value_name = "FILE", env = "HIVE_AGENTS", hide_env_values = true)]
    agents: Option<PathBuf>,
    /// How many seeds, each a redraw of parameters, personalities and assets
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=200))]
    seeds: u32,
    /// The first seed [default: the file's]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Only these systems and controls, beside those that every report needs: net-hrp,time-shifted
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    arms: Option<Vec<String>>,
    /// The hive of another file beside this one, paired by seed and day: what the one is worth over the other
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    #[command(flatten)]
    also: FurtherArms,
    /// Whether the swarm gets stronger as it goes on: scouts taken in by what each adds to the rest, by their own record and by
    /// chance, and the run part by part beside how many intents were closed
    #[arg(long, conflicts_with_all = ["against", "services", "reactions", "across"])]
    hires: bool,
    #[command(flatten)]
    company: company::AxisArgs,
    /// Report before and from this day apart as well
    #[arg(long, value_name = "DATE")]
    split: Option<String>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as one HTML page with pictures
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Where finished results and looks are kept [default: the user's state folder]
    #[arg(long, value_name = "DIR", env = "HIVE_STATE", hide_env_values = true)]
    state: Option<PathBuf>,
    /// Run everything anew, whatever is kept
    #[arg(long)]
    fresh: bool,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: Option<u32>,
    /// No progress bar and no report on the screen
    #[arg(long)]
    quiet: bool,
    /// First day or moment of the market
    #[arg(long, value_name = "DATE", help_heading = "Market")]
    from: Option<String>,
    /// Last day (it is included), or the moment at which the market ends
    #[arg(long, value_name = "DATE", help_heading = "Market")]
    to: Option<String>,
    /// Only these assets of a history: BTC,ETH
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Market")]
    assets: Option<Vec<String>>,
    /// Funding of the perps of a history: a file of timestamp, symbol, rate
    #[arg(long, value_name = "FILE", help_heading = "Market")]
    funding: Option<PathBuf>,
    /// Which embedded market: market (the default), or random-walk, in which nobody has an edge
    #[arg(long, value_name = "WORLD", help_heading = "Market")]
    world: Option<String>,
    /// Days of the embedded market [default: 730]
    #[arg(long, value_name = "N", conflicts_with = "to", help_heading = "Market")]
    days: Option<u32>,
    /// The decision clock: 1h, 4h, 1d; several, 1d,4h,1h, ask what company is worth on each
    #[arg(long, visible_aliases = ["bar", "clocks"], value_name = "SPAN", help_heading = "Settings of the file")]
    clock: Option<String>,
    /// A flat charge a side instead of fill level B: 7bp, or off
    #[arg(long, value_name = "BP", help_heading = "Settings of the file")]
    costs: Option<String>,
    /// Scouts beside the declared agents: voices without funds
    #[arg(long, value_name = "N", help_heading = "Settings of the file")]
    scouts: Option<u32>,
}

impl LabOptions {
    /// The same market and settings as `hive backtest` would take.
    fn as_run(&self) -> RunOptions {
        let o = self.clone();
        RunOptions {
            venue_url: Vec::new(),
            faults: false,
            feed: o.feed,
            agents: o.agents,
            seed: o.seed,
            deaf: false,
            speed: None,
            until_end: true,
            state: None,
            state_budget: Budget::default(),
            fresh: false,
            replay: false,
            talk: None,
            summary: None,
            quiet: o.quiet,
            from: o.from,
            to: o.to,
            assets: o.assets,
            funding: o.funding,
            world: o.world,
            days: o.days,
            clock: o.clock,
            costs: o.costs,
            fills: None,
            scouts: o.scouts,
        }
    }
}

/// Runs `hive lab`: an experiment, or the explanation of the last one.
pub fn run(args: &LabArgs) -> Result<(), Failure> {
    match &args.what {
        Some(LabCommand::Explain { state }) => explain_last(state.as_deref()),
        None => experiment(&args.options),
    }
}

fn explain_last(state: Option<&Path>) -> Result<(), Failure> {
    let none = || Failure::Usage("there is no last run to explain; run hive lab first".to_owned());
    let text = open(state)?.last().ok_or_else(none)?;
    let last: Report = serde_json::from_str(&text)
        .map_err(|e| Failure::Failed(format!("the last report cannot be read ({e}); run hive lab again")))?;
    print(&explain::explain(&last))
}

/// Another experiment on the same market: what company is worth.
fn companies(o: &LabOptions) -> Result<(), Failure> {
    let given = [
        ("--arms", o.arms.is_some()),
        ("--against", o.against.is_some()),
        ("--services", o.also.services),
        ("--reactions", o.also.reactions),
        ("--across", o.also.across),
        ("--hires", o.hires),
        ("--split", o.split.is_some()),
    ];
    if let Some((flag, _)) = given.iter().find(|g| g.1) {
        return Err(Failure::Usage(format!(
            "{flag} is for the ladder; it does not go with an axis of company"
        )));
    }
    company::experiment(&company::Asked {
        run: o.as_run(),
        and: &o.and,
        axis: &o.company,
        seeds: o.seeds,
        threads: threads(o),
        state: o.state.as_deref(),
        json: o.json.as_ref(),
        html: o.html.as_ref(),
    })
}

/// A market that is read, and the hive that is to live in it.
struct Ready {
    run: RunOptions,
    config: Config,
    world: LabWorld,
}

/// What came of a market.
struct MarketResult {
    report: Report,
    arms: Vec<arms::Arm>,
    tracks: Tracks,
}

fn experiment(o: &LabOptions) -> Result<(), Failure> {
    if o.company.asked() || o.clock.as_ref().is_some_and(|c| c.contains(',')) {
        return companies(o);
    }
    let first = o.as_run();
    let mut runs = vec![first.clone()];
    for text in &o.and {
        runs.push(feeds::further(&first, text)?);
    }
    // All are read before the first is run: a mistake in the last is better known at once.
    let ready: Vec<Ready> = runs.into_iter().map(|run| prepare(o, run)).collect::<Result<_, _>>()?;
    let keep = open(o.state.as_deref())?;
    let mut done: Vec<MarketResult> = Vec::new();
    for one in &ready {
        done.push(run_one(o, one, &keep)?);
    }
    let joint = (done.len() > 1).then(|| {
        let of = |d| {
            let MarketResult { report, arms, tracks }: &MarketResult = d;
            MarketRun { facts: &report.facts, arms, tracks }
        };
        let markets: Vec<MarketRun<'_>> = done.iter().map(of).collect();
        joint(&markets, threads(o))
    });
    if let Some(joint) = joint.as_ref().filter(|_| !o.quiet) {
        print(&goaltables::joint(joint))?;
    }
    let mut done = done.into_iter();
    let Some(MarketResult { mut report, arms, tracks }) = done.next() else { return Ok(()) };
    report.and = done.map(|d| d.report).collect();
    report.joint = joint;
    written(o, &keep, &report, &html::page(&report, &arms, &tracks))
}

fn threads(o: &LabOptions) -> usize {
    o.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |n| n as usize)
}

/// Keeps the report and writes it where it was asked for.
fn written(o: &LabOptions, keep: &ResultFolder, report: &Report, page: &str) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(report)
        .map_err(|e| Failure::Failed(format!("encoding the report: {e}")))?
        + "\n";
    keep.report(&json).map_err(|e| Failure::Failed(format!("keeping the report: {e}")))?;
    for (path, text) in [(&o.json, json.as_str()), (&o.html, page)] {
        if let Some(path) = path {
            write(path, text)?;
        }
    }
    Ok(())
}

/// Reads a market.
fn prepare(o: &LabOptions, run: RunOptions) -> Result<Ready, Failure> {
    let (mut config, _) = options::load(o.agents.as_ref(), &ON_BARS, &run.overrides())?;
    if o.also.services {
        serve(&mut config);
    }
    if o.also.across {
        let roster = &mut config.roster;
        roster.scouting = Scouting { everywhere: true, mixed_clocks: true };
        roster.scouts = o.scouts.unwrap_or(across::SCOUTS);
    }
    if config.fills == FillPrices::Fine {
        let why =
            "an experiment is judged on the bars of the decision clock: leave costs.fills out of the roster";
        return Err(Failure::Usage(why.to_owned()));
    }
    let mut feed = open_feed(&run.feed(&config)?).map_err(|e| Failure::Usage(e.to_string()))?;
    let settings = setup::settings(&config);
    let world = LabWorld::read(feed.as_mut(), config.roster.clone(), settings)
        .map_err(|e| Failure::Failed(e.to_string()))?;
    Ok(Ready { run, config, world })
}

/// The arms of a market.
fn chosen(o: &LabOptions, world: &LabWorld) -> Result<Vec<arms::Arm>, Failure> {
    let roster = &world.roster;
    let mut all = arms::plan(roster.voices());
    if names_part(o.arms.as_deref()) {
        all.extend(arms::without());
    }
    let mut names = o.arms.clone();
    if o.also.services {
        let mut own = services::NEEDED.map(str::to_owned).to_vec();
        if names.is_none() {
            own.extend(services::plan().into_iter().map(|a| a.name));
        }
        all.extend(services::plan());
        names.get_or_insert_default().append(&mut own);
    }
    if o.also.reactions {
        let rules = reactions::names(roster);
        if rules.is_empty() {
            let why = "nobody in this file lives by a reaction: give somebody one ([[agent.reacts]], hive agents show NAME)";
            return Err(Failure::Usage(format!("--reactions: {why}")));
        }
        let own = reactions::plan(&rules);
        let needed = [reactions::NONE, reactions::ALL].map(str::to_owned);
        let whole = own.iter().map(|a| a.name.clone()).collect();
        names = Some(names.map_or(whole, |some| [&some[..], &needed[..]].concat()));
        all.extend(own);
    }
    if o.also.across {
        let assets = world.universe.assets.iter().filter(|a| !a.money_like).count();
        let own: Vec<arms::Arm> =
            across::plan(assets, roster.scouts as usize).into_iter().map(|(arm, _)| arm).collect();
        let plain = ["net-eq+zone", "net-all+zone", "tsmom6+zone", "tsmom6+split"].map(str::to_owned);
        let whole = own.iter().map(|a| a.name.clone());
        names = Some(names.unwrap_or_else(|| plain.into_iter().chain(whole).collect()));
        let new: Vec<arms::Arm> = own.into_iter().filter(|a| all.iter().all(|b| b.name != a.name)).collect();
        all.extend(new);
        all.extend(across::further());
    }
    if o.hires {
        if roster.scouts == 0 {
            let why = "there are no scouts to be taken in: --scouts says how many there are";
            return Err(Failure::Usage(format!("--hires: {why}")));
        }
        let own = hires::plan();
        names.get_or_insert_default().extend(own.iter().map(|a| a.name.clone()));
        all.extend(own);
    }
    let Some(names) = &names else { return Ok(all) };
    arms::choose(&all, names).map_err(|unknown| {
        let known: Vec<&str> = all.iter().map(|a| a.name.as_str()).collect();
        Failure::Usage(format!("--arms {unknown}: there is no such system; there are {}", known.join(", ")))
    })
}

/// Runs a market and says what came of it.
fn run_one(o: &LabOptions, ready: &Ready, keep: &ResultFolder) -> Result<MarketResult, Failure> {
    let Ready { run, config, world } = ready;
    let split = o.split.as_deref().map(|s| {
        let bad = || Failure::Usage(format!("--split {s}: write a day as 2023-06-30"));
        Stamp::parse(s).map(day).ok_or_else(bad)
    });
    let voices = config.roster.voices();
    let arms = chosen(o, world)?;
    let seeds: Vec<u64> = (0..u64::from(o.seeds)).map(|i| config.seed + i).collect();
    let study = LadderStudy { world, seeds, arms, key: key(config, world) };
    let walk = ((o.arms.is_none() && !o.also.services && !o.also.reactions && !o.also.across && !o.hires)
        || o.arms.as_ref().is_some_and(|a| a.iter().any(|n| n == HIVE)))
    .then(|| walk::worlds(config, world, o.seeds))
    .transpose()?;
    let other = o.against.as_ref().map(|file| other(file, run, world)).transpose()?;
    let against = other.as_ref().map(|(world, known, key)| {
        let (seeds, key) = (study.seeds.clone(), key.clone());
        (LadderStudy { world, seeds, arms: against::arms(), key }, known)
    });
    let mut facts = facts(config, &study, keep, split.transpose()?)?;
    if let Some((_, known)) = &against {
        facts.variants_tried += 1;
        facts.against = Some((*known).clone());
    }
    if !o.quiet {
        print(&tables::facts(&facts))?;
    }
    let (threads, kept) = (threads(o), (!o.fresh).then_some(keep));
    let (tracks, walked, others) =
        run_all(&study, walk.as_ref(), against.as_ref().map(|(s, _)| s), kept, threads, o.quiet)?;
    let sample = Sample::new(&study.arms, &tracks, threads);
    let walk_arms = walk::arms_of(voices);
    let walk_sample = walked.as_ref().map(|t| Sample::new(&walk_arms, t, threads));
    let mut report = report(facts, &sample, walk_sample.as_ref());
    if let Some(others) = &others {
        against::compare(&mut report, &study.arms, &tracks, others, threads);
    }
    if !o.quiet {
        print(&(tables::results(&report) + if o.and.is_empty() { "" } else { "\n" }))?;
    }
    drop(sample);
    Ok(MarketResult { report, arms: study.arms, tracks })
}

/// Whether an arm that leaves a part out is asked for.
fn names_part(names: Option<&[String]>) -> bool {
    names.is_some_and(|names| arms::without().iter().any(|a| names.contains(&a.name)))
}

/// The roster with somebody for each service, if it has nobody; and the gross cap that full margin allows, the
/// same in every arm.
fn serve(config: &mut Config) {
    for (family, name) in [(FamilyId::Funding, "Carry"), (FamilyId::MarketMaking, "Maker")] {
        if !config.roster.agents.iter().any(|a| a.family == family) {
            config.roster.agents.push(Declaration {
                name: name.to_owned(),
                family,
                assets: vec![Selector::Any],
                side: SideRule::Both,
                goal: Goal::Automated,
                personality: "stoic".to_owned(),
                traits: Traits::default(),
                params: std::collections::BTreeMap::new(),
                funded: false,
                reacts: Vec::new(),
            });
        }
    }
    config.desk.gross_max = config.desk.gross_max.min(services::GROSS_MAX);
}

/// The hive of another file on the same tape, what is known of it, and the key of its results.
fn other(file: &PathBuf, run: &RunOptions, world: &LabWorld) -> Result<(LabWorld, Other, String), Failure> {
    let (config, _) = options::load(Some(file), &ON_BARS, &run.overrides())?;
    let settings = setup::settings(&config);
    let named = file.display().to_string();
    against::fits(&world.settings, &settings)
        .map_err(|why| Failure::Usage(format!("--against {named}: {why}")))?;
    let known = Other {
        file: named,
        roster_hash: config::roster_hash(&config),
        agent_count: config.roster.agents.len(),
        voice_count: config.roster.voices(),
    };
    let key = key(&config, world);
    Ok((against::world(world, config.roster, settings), known, key))
}

/// The study, the random walks beside it, and another hive.
fn run_all(
    study: &LadderStudy<'_>,
    walk: Option<&Vec<LabWorld>>,
    against: Option<&LadderStudy<'_>>,
    keep: Option<&ResultFolder>,
    threads: usize,
    quiet: bool,
) -> Result<(Tracks, Option<Tracks>, Option<Tracks>), Failure> {
    let stop = stop_on_signals()?;
    let walks = |worlds: &Vec<LabWorld>| -> Vec<(u64, u64)> {
        worlds.iter().zip(&study.seeds).map(|(w, s)| (w.barriers, *s)).collect()
    };
    let beside: u64 = walk.map_or(0, |w| walks(w).iter().map(|(b, _)| b / crate::lab::trial::TICK * 2).sum());
    let beside = beside + against.map_or(0, LadderStudy::work);
    let bar = progress(study.work() + beside, quiet);
    let tick = |n: u64| bar.inc(n);
    let failed = |e: StudyError| match (&e, keep) {
        (StudyError::Stopped, None) => Failure::Failed("stopped; --fresh keeps nothing".to_owned()),
        _ => Failure::Failed(e.to_string()),
    };
    let tracks = study.run(keep, threads, &stop, &tick).map_err(failed);
    let walked = match (&tracks, walk) {
        (Ok(_), Some(worlds)) => Some(walk::run(study, worlds, keep, threads, &stop, &tick).map_err(failed)),
        _ => None,
    };
    let others = match (&tracks, against) {
        (Ok(_), Some(other)) => Some(other.run(keep, threads, &stop, &tick).map_err(failed)),
        _ => None,
    };
    bar.finish_and_clear();
    Ok((tracks?, walked.transpose()?, others.transpose()?))
}

/// Everything that decides a result, the program itself included.
fn key(config: &Config, world: &LabWorld) -> String {
    let program =
        std::env::current_exe().and_then(std::fs::read).map(|b| blake3::hash(&b).to_hex().to_string());
    format!(
        "{} {} {} {} {} {} {}",
        program.unwrap_or_else(|_| env!("CARGO_PKG_VERSION").to_owned()),
        world.info.data_hash,
        config::roster_hash(config),
        world.info.from,
        world.info.to,
        config.capital,
        world
            .universe
            .instruments
            .iter()
            .map(|i| format!("{}/{:?}", i.symbol, i.kind))
            .collect::<Vec<_>>()
            .join(",")
    )
}

fn facts(
    config: &Config,
    study: &LadderStudy<'_>,
    keep: &ResultFolder,
    split: Option<String>,
) -> Result<StudyFacts, Failure> {
    let (info, settings) = (&study.world.info, &study.world.settings);
    let looks = keep
        .look_at(info, &config::roster_hash(config))
        .map_err(|e| Failure::Failed(format!("counting a look at held-out data: {e}")))?;
    let known = designed::known(info, &study.world.universe, &study.world.events);
    Ok(StudyFacts {
        data_hash: info.data_hash.clone(),
        roster_hash: config::roster_hash(config),
        variants_tried: crate::lab::tries() + study.arms.len(),
        looks,
        reproduction: known == DataOverlap::DesignedOn,
        known,
        standing_by: bystanders::notices(study.world, &study.seeds),
        feed: market(info),
        bar: config.clock.decide.to_string(),
        from: day(info.from),
        to: day(Stamp(info.to.0 - 1)),
        assets: study.world.universe.assets.iter().map(|a| a.name.clone()).collect(),
        seeds: study.seeds.len(),
        seed_list: study.seeds.clone(),
        costs_bp: match config.costs {
            Costs::Flat(charge) => Some(libm::rint(charge * 1e8) / 1e4),
            Costs::Bars(_) => None,
        },
        costs: config.tariff().to_string(),
        voice_count: config.roster.voices(),
        agent_count: config.roster.agents.len(),
        target_vol: settings.desk.target_vol,
        split,
        against: None,
    })
}

fn day(at: Stamp) -> String {
    at.to_string().get(..10).unwrap_or_default().to_owned()
}
