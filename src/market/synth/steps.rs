//! The detail of a run, step by step: the state of all that is quoted beside the bars.
//!
//! # Invariants
//!
//! 1. Detail of a step is what beta's perps say pulse by pulse and, stamped half a step before its end,
//!    trades; then quotes, marks, settlements, bars of a whole hour, pools (stamped its end), so stamps
//!    never fall.
//! 2. It walks its own copy of the path, eight hours ahead of what it tells: the premium that a settlement
//!    is made from is what the perp showed in the eight hours before. It draws nothing of the path anew, so
//!    the bars are those of a run without detail.
//! 3. Its memory is one settlement's hours of bars, one hour's prices, and the contracts that trade.

use super::detail::Detail;
use super::faults::{ALPHA, FaultCounts, FaultSchedule, Faults};
use super::listing::{Contract, EmbeddedListing, Ids, V2_PPM, V3_PPM, has_options};
use super::options::OptionListing;
use super::path::{Path, SETTLEMENT_HOURS};
use super::pools::{PoolsShared, SynthPool};
use super::sink::Sink;
use super::spec::ASSETS;
use super::triangle::Triangle;
use super::venues::DetailedAsset;
use crate::domain::{Bar, Event, MarketEvent, Span, Stamp, random};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// All that is told beside the bars.
pub(super) struct SynthSteps {
    seed: u64,
    detail: Detail,
    asset_indices: Vec<usize>,
    contracts: Vec<Contract>,
    has_funding: bool,
    state: StepsState,
}

/// What a step changes: all that is needed to go on from its end.
#[derive(Serialize, Deserialize)]
pub(super) struct StepsState {
    path: Path,
    lines: Vec<DetailedAsset>,
    desks: Vec<OptionListing>,
    triangle: Option<Triangle>,
    gas: PoolsShared,
    /// The line that the pools hold, and the pools.
    pools: Option<(usize, [SynthPool; 2])>,
    faults: Faults,
    /// How many contracts have been listed.
    listed: usize,
    /// Bars of the hours up to the next settlement.
    hours: VecDeque<[Bar; ASSETS.len()]>,
    /// The hour that is being told.
    hour: Option<[Bar; ASSETS.len()]>,
    /// Settlements of beta's perps since they were last asked for.
    settled: Vec<Event>,
    /// End of the last step.
    at: Stamp,
}

impl SynthSteps {
    /// The steps as they are at the start of the detail.
    pub fn start(seed: u64, detail: Detail, listed: EmbeddedListing, has_funding: bool) -> SynthSteps {
        let EmbeddedListing { lines, triangle, pools, contracts, mut path, realised } = listed;
        let (at, step) = (detail.from, detail.step);
        let premiums = path.premiums();
        let asset_indices: Vec<usize> = lines.iter().map(|l| l.0).collect();
        let desk = |&(asset_index, _): &(usize, Ids)| {
            let spec = &ASSETS[asset_index];
            OptionListing::start(seed, random::name(spec.name), step, at, has_options(spec))
        };
        let desks = lines.iter().map(desk).collect();
        let find = |name: &str| asset_indices.iter().position(|&i| ASSETS[i].name == name);
        let triangle = triangle
            .zip(find("BTC").zip(find("ETH")))
            .map(|(id, lines)| Triangle::start(seed, step, at, id, lines));
        let pools = pools.zip(find("ETH")).map(|([v2, v3], line)| {
            let index = path.price(asset_indices[line]) / (1.0 + premiums[asset_indices[line]]);
            let pool = |id, ppm, ranges| SynthPool::start(seed, (step, at), id, (ppm, ranges), index);
            (line, [pool(v2, V2_PPM, false), pool(v3, V3_PPM, true)])
        });
        let lines = lines
            .into_iter()
            .zip(realised)
            .map(|(line, r)| DetailedAsset::start(seed, step, at, line, r, premiums[line.0]))
            .collect();
        let state = StepsState {
            path,
            lines,
            desks,
            triangle,
            gas: PoolsShared::start(seed, step, at),
            pools,
            faults: Faults::new(detail.faults, seed, step),
            listed: 0,
            hours: VecDeque::new(),
            hour: None,
            settled: Vec::new(),
            at,
        };
        SynthSteps { seed, detail, asset_indices, contracts, has_funding, state }
    }

    /// What the steps until now left.
    pub fn state(&self) -> &StepsState {
        &self.state
    }

    /// Goes on from there.
    pub fn go_on_from(&mut self, state: StepsState) {
        self.state = state;
    }

    /// End of the last step.
    pub fn at(&self) -> Stamp {
        self.state.at
    }

    /// How often each fault began.
    pub fn faults(&self) -> FaultCounts {
        self.state.faults.counts
    }

    /// Settlements of beta's perps since the last call.
    pub fn settlements(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.state.settled)
    }

    /// Tells the next step.
    pub fn step(&mut self, queue: &mut VecDeque<Event>) {
        let (start, step) = (self.state.at, self.detail.step);
        if start.floor(Span::HOUR) == start {
            self.hour(start);
        }
        let at = start.after(step);
        self.state.at = at;
        let k = (start.since(start.floor(Span::HOUR)).0 / step.0) as usize;
        let eight = Span(SETTLEMENT_HOURS * Span::HOUR.0);
        let share = (Stamp(at.0 - 1).since(start.floor(eight)).0 + 1) as f64 / eight.0 as f64;
        let weather = self.state.faults.weather(at);
        let half = start.after(Span(step.0 / 2));
        let mut sink = Sink { queue, seed: self.seed, at: half, silent: false };
        for line in &mut self.state.lines {
            line.advance(k, at, share, &weather, &mut self.state.faults);
        }
        self.pulses(start, (start, half), &weather, &mut sink);
        sink.at = half;
        for line in &mut self.state.lines {
            line.trades(&mut sink, &weather);
        }
        sink.silent = weather.silent[ALPHA];
        if let Some(triangle) = &self.state.triangle {
            triangle.trades(&mut sink, &self.state.lines);
        }
        self.pulses(start, (half, at), &weather, &mut sink);
        sink.at = at;
        for (line, desk) in self.state.lines.iter_mut().zip(&mut self.state.desks) {
            line.quotes(&mut sink, &weather, &mut self.state.faults);
            desk.observe(at, line.now.index);
            sink.silent = weather.silent[ALPHA];
            desk.step(self.seed, at, line, &mut sink);
        }
        if let Some(triangle) = &mut self.state.triangle {
            triangle.quotes(&mut sink, &self.state.lines);
        }
        // The hour's bar of the perps that the desk trades, for orders that are worked.
        if let Some(bars) = self.state.hour.filter(|_| at.floor(Span::HOUR) == at) {
            for (line, &asset_index) in self.state.lines.iter().zip(&self.asset_indices) {
                sink.push(MarketEvent::Inside {
                    instrument: line.ids.perp_alpha,
                    at,
                    bar: bars[asset_index],
                });
            }
        }
        sink.silent = false;
        let gas = self.state.gas.step(at);
        if let Some((line, pools)) = &mut self.state.pools {
            for pool in pools {
                pool.step(self.state.lines[*line].now.index, gas, weather.absent, &mut sink);
            }
        }
    }

    /// What beta's perps say within the step that begins at `start`, after `span.0` up to `span.1`.
    fn pulses(&mut self, start: Stamp, span: (Stamp, Stamp), weather: &FaultSchedule, sink: &mut Sink<'_>) {
        let Some(first) = self.state.lines.first() else { return };
        for k in 1..=first.pulses() {
            sink.at = self.state.lines[0].pulse_at(start, k);
            if sink.at <= span.0 || sink.at > span.1 {
                continue;
            }
            for line in &mut self.state.lines {
                line.pulse(k, start, sink, weather);
            }
        }
    }

    /// What an hour begins with: bars, settlements of beta, and at midnight new contracts.
    fn hour(&mut self, start: Stamp) {
        if start.floor(Span(SETTLEMENT_HOURS * Span::HOUR.0)) == start {
            for _ in 0..SETTLEMENT_HOURS {
                self.state.hours.push_back(self.state.path.step());
            }
            let premiums = self.state.path.premiums();
            for (line, &asset_index) in self.state.lines.iter_mut().zip(&self.asset_indices) {
                let settled = line.settlement(premiums[asset_index]);
                if let Some((rate, mark)) = settled.filter(|_| self.has_funding) {
                    let instrument = line.ids.perp_beta;
                    self.state.settled.push(Event::Market(MarketEvent::Funding {
                        instrument,
                        at: start,
                        rate,
                        mark,
                    }));
                }
            }
        }
        // The block above keeps the hours of a whole settlement in stock.
        self.state.hour = self.state.hours.pop_front();
        if let Some(bars) = self.state.hour {
            for (line, &asset_index) in self.state.lines.iter_mut().zip(&self.asset_indices) {
                line.hour(start, bars[asset_index]);
            }
        }
        if start.floor(Span::DAY) == start {
            let new = self.contracts[self.state.listed..].partition_point(|c| c.listed <= start);
            let new = &self.contracts[self.state.listed..self.state.listed + new];
            for (i, (line, desk)) in self.state.lines.iter().zip(&mut self.state.desks).enumerate() {
                let own: Vec<Contract> = new.iter().filter(|c| c.line == i).copied().collect();
                desk.list(&own, start);
                desk.observe(start, line.now.index);
            }
            self.state.listed += new.len();
        }
    }
}
