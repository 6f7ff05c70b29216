//! An arm that listens: the engine's own second half, under the settings of the arm. The shipped arm is
//! the very `respond` of a headless run, so their decision hashes are equal.

use super::account::NO_BREAKER;
use super::arms::{ArmKind, NO_LIMIT};
use super::controls::{MessageRewrite, Tape};
use super::reaction_controls::WordRewrite;
use super::service_controls::{self, Corruption};
use super::service_flags::ServiceFlags;
use super::stream::{ArmMeter, ArmTrack};
use crate::agents::Population;
use crate::domain::{Event, InstrumentId, Universe, money};
use crate::engine::respond::{CompanyShare, Respond, RespondSpec};
use crate::engine::speak::{Speak, StepOutput};
use crate::engine::{Outputs, Settings};
use crate::hive::across::AcrossAssets;
use crate::hive::settings::{Managers, MoneyFollows};
use std::sync::Arc;

/// An arm that listens, as it is stepped through a run.
pub struct Listener {
    spec: RespondSpec,
    respond: Respond,
    out: Outputs,
    meter: ArmMeter,
    rewrite: Option<MessageRewrite>,
    reword: Option<WordRewrite>,
    misserved: Option<service_controls::QuoteRewrite>,
}

impl Listener {
    /// `tape` is of the whole run and is needed by the time-shifted control.
    pub fn new(
        kind: ArmKind,
        cast: &Arc<Population>,
        universe: &Universe,
        settings: &Settings,
        tape: Option<&Tape>,
    ) -> Self {
        let (cast, settings) = under(kind, cast, settings);
        let meter = ArmMeter::new(settings.capital, settings.clock.decide);
        let mut spec = RespondSpec::new(Arc::clone(&cast), universe, settings);
        let mut rewrite = None;
        if let ArmKind::Control(control) = kind {
            spec.misled = control.misled(&cast);
            rewrite = Some(MessageRewrite::new(control, &cast, tape));
        }
        spec.real.services.misled = kind == ArmKind::Misserved(Corruption::Side);
        let misserved = match kind {
            ArmKind::Misserved(wrong) => Some(service_controls::QuoteRewrite::new(wrong, &cast)),
            _ => None,
        };
        let reword = match kind {
            ArmKind::Reacting(rules) => {
                rules.control().map(|c| WordRewrite::new(c, &cast, tape.and_then(Tape::words)))
            }
            _ => None,
        };
        Listener {
            respond: Respond::new(&spec),
            spec,
            out: Outputs::default(),
            meter,
            rewrite,
            reword,
            misserved,
        }
    }

    /// An event comes, and the stamp before it was judged: lives with money decide on the same market.
    pub fn begin(&mut self, speak: &Speak, said: &StepOutput) {
        self.out.messages.clear();
        self.out.fills.clear();
        self.out.alarms.clear();
        self.respond.begin(&self.spec, speak, said, &mut self.out);
    }

    /// Takes an event and what was said at it, and what the twins of all said where an arm hears those.
    pub fn step(
        &mut self,
        event: &Event,
        speak: &Speak,
        said: &StepOutput,
        (cast, tape, twins): (&Population, Option<&Tape>, Option<&StepOutput>),
    ) {
        let heard = self.heard(event, speak, said, (cast, tape, twins));
        self.respond.step(&self.spec, event, speak, heard.as_ref().unwrap_or(said), &mut self.out);
        self.meter.fills(&self.out.fills);
        if let Event::Barrier(at) = event {
            self.meter.serve(*at, &self.respond.real, &self.spec.real);
            self.meter.mark(*at, money::to_estimate(self.respond.real.account.equity()));
        }
    }

    /// What this arm hears where it is not what was said: a copy, since the other arms hear the same words.
    fn heard(
        &mut self,
        event: &Event,
        speak: &Speak,
        said: &StepOutput,
        (cast, tape, twins): (&Population, Option<&Tape>, Option<&StepOutput>),
    ) -> Option<StepOutput> {
        if let (Event::Barrier(_), Some(rewrite)) = (event, &mut self.rewrite) {
            let misheard = rewrite.misheard(cast, speak, &said.utterances, tape);
            return Some(StepOutput { misheard, ..said.clone() });
        }
        if let (Event::Barrier(_), Some(reword)) = (event, &mut self.reword) {
            let truly = if reword.hears_twins() { twins.unwrap_or(said) } else { said };
            let reheard = reword.reheard(cast, speak, &truly.utterances, tape.and_then(Tape::words));
            return Some(StepOutput { reheard: Some(reheard), ..said.clone() });
        }
        let wrong = self.misserved.as_mut().filter(|_| !said.structured.is_empty())?;
        Some(StepOutput { structured: wrong.heard(event.at(), &said.structured), ..said.clone() })
    }

    /// What is left behind.
    pub fn finish(self) -> ArmTrack {
        let real = &self.respond.real;
        let turnover = (0..real.account.marks.len())
            .filter_map(|i| real.account.ledger.turnover(InstrumentId(i as u16)));
        let sums = turnover.fold((0.0, 0.0), |(crossed, traded), t| {
            (crossed + money::to_estimate(t.crossed), traded + money::to_estimate(t.traded))
        });
        let shares = self.respond.company.iter().map(CompanyShare::share);
        let apart = shares.sum::<f64>() / self.respond.company.len().max(1) as f64;
        let crossed = if sums.0 + sums.1 > 0.0 { sums.0 / (sums.0 + sums.1) } else { 0.0 };
        let track = self.meter.finish(crossed, real.account.running_share(), &self.respond.decisions);
        ArmTrack { deeds: self.respond.bus.deeds() as f64, apart, ..track }
    }
}

/// The cast and the settings of an arm.
fn under(kind: ArmKind, cast: &Arc<Population>, settings: &Settings) -> (Arc<Population>, Settings) {
    let (mut cast, mut s) = (Arc::clone(cast), settings.clone());
    let fixed = |s: &mut Settings, lambda: f64, points: bool| {
        s.listening.enabled = true;
        s.listening.lambda = Some(lambda);
        s.listening.voice_by_points = points;
        s.funds.by_points = points;
        s.managers = Managers::default();
        s.services = ServiceFlags::NONE.settings(&s.services);
        s.breaker = NO_BREAKER;
    };
    match kind {
        ArmKind::Fixed(lambda) => fixed(&mut s, lambda, false),
        ArmKind::Points => fixed(&mut s, 1.0, true),
        ArmKind::Bare(_) | ArmKind::Served(_) | ArmKind::Misserved(_) | ArmKind::Reacting(_) => {
            let (lambda, parts) = match kind {
                ArmKind::Bare(lambda) => (lambda, ServiceFlags::NONE),
                ArmKind::Reacting(_) => (0.0, ServiceFlags::NONE),
                ArmKind::Served(parts) => (1.0, parts),
                _ => (1.0, ServiceFlags::ALL),
            };
            fixed(&mut s, lambda, false);
            s.services = parts.settings(&s.services);
            s.funds.units_max = NO_LIMIT;
            s.funds.drawdown_max = NO_LIMIT;
            // Only `respond` reads these traits, so nobody says anything else for it.
            let mut bare = Population::clone(&cast);
            for agent in &mut bare.agents {
                agent.traits.no_flip = false;
                agent.traits.max_follow = NO_LIMIT;
            }
            if let ArmKind::Reacting(rules) = kind {
                rules.keep(&mut bare);
                (s.listening.reactions, s.listening.money) = (true, MoneyFollows::Open);
            }
            cast = Arc::new(bare);
        }
        ArmKind::Without(left) => {
            left.out(&mut s);
            s.breaker = NO_BREAKER;
        }
        ArmKind::Control(_) => s.breaker = NO_BREAKER,
        ArmKind::ShippedOpen => s.listening.money = MoneyFollows::Open,
        ArmKind::ShippedAcross => s.listening.across = AcrossAssets::EqualRisk,
        _ => {}
    }
    (cast, s)
}
