//! A run that can be reached from outside: its socket, and what those who attach are told beside the
//! engine's own state.

use super::endpoint::{EndpointArgs, refused};
use super::failure::Failure;
use super::output::say;
use crate::config::Config;
use crate::domain::Stamp;
use crate::market::feed::{Feed, FeedMode};
use crate::recorder;
use crate::runtime::logs::one_line;
use crate::runtime::pace::{BarPace, Speed};
use crate::runtime::service::RunScenery;
use crate::view::cockpit::MarketMode;
use crate::view::operator;
use crate::wire::Hub;
use crate::wire::hub::Results;
use crate::wire::queue::OrderQueue;
use std::sync::Arc;

/// Takes the place: from here on the kill switch is heard.
pub fn open(reach: &EndpointArgs) -> Result<(Hub, OrderQueue), Failure> {
    // Those who are refused or let go.
    let log = move |line: &str| {
        tracing::warn!("{}", one_line(line));
        say(line);
    };
    Hub::open(&reach.place()?, Arc::new(log)).map_err(refused)
}

/// The run is up: it is served, and that is said.
pub fn begin(hub: &Hub, reach: &EndpointArgs, results: Option<Results>) -> Result<(), Failure> {
    let socket = reach.place()?.path;
    hub.begin(results);
    tracing::info!(socket = %socket.display(), "serving");
    say(&format!("serving {}; hive attach, hive ctl status, hive ctl stop", socket.display()));
    Ok(())
}

/// What is known of a run beside the engine.
pub fn scenery(
    config: &Config,
    feed: &dyn Feed,
    reach: &EndpointArgs,
    pace: BarPace,
    from: Stamp,
) -> RunScenery {
    let info = feed.info();
    let speed = match pace.speed {
        Speed::Max if info.mode == FeedMode::Live => "live".to_owned(),
        Speed::Max => "as fast as it goes".to_owned(),
        Speed::Times(times) => {
            format!("{} every {:.1} s", info.clock, info.clock.0 as f64 / 1e9 / times)
        }
    };
    RunScenery {
        status: operator::RunInfo {
            hive: config.name.clone(),
            name: reach.name().to_owned(),
            market: info.mode.to_string(),
            feed: info.name.clone(),
            currency: config.currency.clone(),
            speed: speed.clone(),
            pid: std::process::id(),
        },
        cockpit: recorder::RecordedRun {
            hive: config.name.clone(),
            currency: config.currency.clone(),
            mode: match info.mode {
                FeedMode::Synth => MarketMode::Synth,
                FeedMode::History => MarketMode::History,
                FeedMode::Live => MarketMode::Paper,
            },
            feed: info.name.clone(),
            ..recorder::RecordedRun::default()
        },
        speed,
        history: pace.seam.map(|seam| (from, seam)),
        stays: false,
    }
}
