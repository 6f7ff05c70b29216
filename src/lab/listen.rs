//! An arm that listens: the engine's own second half, under the settings of the arm. The shipped arm is
//! the very `respond` of a headless run, so their decision hashes are equal.

use super::account::NO_BREAKER;
use super::arms::{Kind, NO_LIMIT};
use super::controls::{Rewrite, Tape};
use super::misserved::{self, Wrong};
use super::parts::Parts;
use super::stream::{Meter, Track};
use crate::agents::Cast;
use crate::domain::{Event, InstrumentId, Universe, money};
use crate::engine::respond::{Respond, RespondSpec};
use crate::engine::speak::{Said, Speak};
use crate::engine::{Outputs, Settings};
use crate::hive::settings::{Balance, Managers};
use std::sync::Arc;

/// One arm.
pub struct Listener {
    spec: RespondSpec,
    respond: Respond,
    out: Outputs,
    meter: Meter,
    rewrite: Option<Rewrite>,
    misserved: Option<misserved::Rewrite>,
}

impl Listener {
    /// `tape` is of the whole run and is needed by the time-shifted control.
    pub fn new(
        kind: Kind,
        cast: &Arc<Cast>,
        universe: &Universe,
        settings: &Settings,
        tape: Option<&Tape>,
    ) -> Self {
        let (cast, settings) = under(kind, cast, settings);
        let meter = Meter::new(settings.capital, settings.clock.decide);
        let mut spec = RespondSpec::new(Arc::clone(&cast), universe, settings);
        let mut rewrite = None;
        if let Kind::Control(control) = kind {
            spec.misled = control.misled(&cast);
            rewrite = Some(Rewrite::new(control, &cast, tape));
        }
        spec.real.services.misled = kind == Kind::Misserved(Wrong::Side);
        let misserved = match kind {
            Kind::Misserved(wrong) => Some(misserved::Rewrite::new(wrong, &cast)),
            _ => None,
        };
        Listener { respond: Respond::new(&spec), spec, out: Outputs::default(), meter, rewrite, misserved }
    }

    /// Takes an event and what was said at it.
    pub fn step(&mut self, event: &Event, speak: &Speak, said: &mut Said, cast: &Cast, tape: Option<&Tape>) {
        self.out.messages.clear();
        self.out.fills.clear();
        self.out.alarms.clear();
        if let (Event::Barrier(_), Some(rewrite)) = (event, &mut self.rewrite) {
            rewrite.words(cast, speak, said, tape);
        }
        match &mut self.misserved {
            Some(wrong) if !said.structured.is_empty() => {
                let right = said.structured.clone();
                wrong.words(event.at(), said);
                self.respond.step(&self.spec, event, speak, said, &mut self.out);
                said.structured = right;
            }
            _ => self.respond.step(&self.spec, event, speak, said, &mut self.out),
        }
        said.misheard.clear();
        self.meter.fills(&self.out.fills);
        if let Event::Barrier(at) = event {
            self.meter.serve(*at, &self.respond.real, &self.spec.real);
            self.meter.mark(*at, money::to_estimate(self.respond.real.equity()));
        }
    }

    /// Equity at the last barrier.
    pub fn equity(&self) -> f64 {
        self.meter.equity()
    }

    /// Why it stands still, if it does.
    pub fn halted(&self) -> Option<&str> {
        self.respond.real.halted.as_deref()
    }

    /// What is left behind.
    pub fn finish(self) -> Track {
        let real = &self.respond.real;
        let turnover = (0..real.marks.len()).filter_map(|i| real.ledger.turnover(InstrumentId(i as u16)));
        let sums = turnover.fold((0.0, 0.0), |(crossed, traded), t| {
            (crossed + money::to_estimate(t.crossed), traded + money::to_estimate(t.traded))
        });
        let crossed = if sums.0 + sums.1 > 0.0 { sums.0 / (sums.0 + sums.1) } else { 0.0 };
        self.meter.finish(crossed, real.running_share(), &self.respond.decisions)
    }
}

/// The cast and the settings of an arm.
fn under(kind: Kind, cast: &Arc<Cast>, settings: &Settings) -> (Arc<Cast>, Settings) {
    let (mut cast, mut s) = (Arc::clone(cast), settings.clone());
    let fixed = |s: &mut Settings, lambda: f64, points: bool| {
        s.listening.enabled = true;
        s.listening.lambda = Some(lambda);
        s.listening.voice_by_points = points;
        s.funds.by_points = points;
        s.managers = Managers::default();
        s.services = Parts::NONE.settings(&s.services);
        s.breaker = NO_BREAKER;
    };
    match kind {
        Kind::Fixed(lambda) => fixed(&mut s, lambda, false),
        Kind::Points => fixed(&mut s, 1.0, true),
        Kind::Bare(_) | Kind::Served(_) | Kind::Misserved(_) => {
            let (lambda, parts) = match kind {
                Kind::Bare(lambda) => (lambda, Parts::NONE),
                Kind::Served(parts) => (1.0, parts),
                _ => (1.0, Parts::ALL),
            };
            fixed(&mut s, lambda, false);
            s.services = parts.settings(&s.services);
            s.listening.balance = Balance::Voices;
            s.funds.units_max = NO_LIMIT;
            s.funds.drawdown_max = NO_LIMIT;
            // Only `respond` reads these traits, so nobody says anything else for it.
            let mut bare = Cast::clone(&cast);
            for agent in &mut bare.agents {
                agent.traits.no_flip = false;
                agent.traits.max_follow = NO_LIMIT;
            }
            cast = Arc::new(bare);
        }
        Kind::Without(left) => {
            left.out(&mut s);
            s.breaker = NO_BREAKER;
        }
        Kind::Control(_) => s.breaker = NO_BREAKER,
        _ => {}
    }
    (cast, s)
}
