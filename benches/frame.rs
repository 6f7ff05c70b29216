//! A frame of the cockpit at 160×50: milliseconds, and bytes to the terminal. Typical is what most frames
//! are: nothing but pulses on their way.

// A bench that cannot start has nothing better to do than to say so and stop.
#![allow(clippy::expect_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use hive::domain::Event;
use hive::engine::{Engine, Outputs};
use hive::market::Feed;
use hive::market::synth::{SynthFeed, SynthSettings};
use hive::runtime::setup::settings;
use hive::tui::app::App;
use hive::tui::painter::Painter;
use hive::tui::theme::Theme;
use hive::view::link::News;
use hive::view::recorder::Scene;
use hive::view::{Cockpit, Recorder};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::cell::Cell;
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

#[derive(Clone, Default)]
struct Count(Rc<Cell<usize>>);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The last pictures of 200 days of the embedded market.
fn pictures() -> Vec<Cockpit> {
    let config = hive::config::shipped().expect("the shipped file has no mistakes");
    let mut feed =
        SynthFeed::new(SynthSettings { bars_days: 200, ..SynthSettings::default() }).expect("settings");
    let mut engine = Engine::new(&config.roster, feed.universe(), &settings(&config), config.seed);
    let (mut recorder, mut out, mut seen) = (Recorder::new(&engine), Outputs::default(), Vec::new());
    while let Some(event) = feed.next().expect("the embedded market does not fail") {
        engine.step(&event, &mut out);
        recorder.observe(&engine, &event, &out);
        if matches!(event, Event::Barrier(_)) && engine.now().is_some_and(|t| t.day() >= 0) {
            seen.push(recorder.picture(&engine, &Scene::default()));
            let old = seen.len().saturating_sub(8);
            seen.drain(..old);
        }
    }
    seen
}

struct Stage {
    app: App,
    painter: Painter<CrosstermBackend<Count>>,
    bytes: Count,
    now: Duration,
    heard: u64,
    drawn: u64,
}

impl Stage {
    fn new() -> Self {
        let bytes = Count::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, 160, 50));
        let backend = CrosstermBackend::new(bytes.clone());
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport });
        Stage {
            app: App::new(Theme::shipped("hive-dark", true).expect("it is shipped"), true),
            painter: Painter::new(terminal.expect("memory")),
            bytes,
            now: Duration::ZERO,
            heard: 0,
            drawn: 0,
        }
    }

    /// Draws a frame; its bytes.
    fn frame(&mut self, later: Duration) -> usize {
        self.now += later;
        self.app.tick(self.now, Some(Duration::ZERO));
        self.drawn += u64::from(self.app.is_dirty());
        let before = self.bytes.0.get();
        self.painter.draw(&mut self.app).expect("memory");
        self.bytes.0.get() - before
    }

    /// Hears a picture whose decisions are new, as they are in a life: they make the pulses.
    fn hear(&mut self, picture: &Cockpit) {
        let mut picture = picture.clone();
        self.heard += 1;
        picture.seq = self.heard;
        picture.edges.iter_mut().for_each(|e| e.decision.0 += 10_000_000 * self.heard);
        self.app.hear(News::Cockpit(Box::new(picture)));
    }
}

fn frame(c: &mut Criterion) {
    let pictures = pictures();
    let each = Duration::from_millis(33);
    let mut stage = Stage::new();
    stage.hear(&pictures[0]);
    let full = stage.frame(each);
    let mut moves = Vec::new();
    let mut typical = Vec::new();
    for picture in &pictures[1..] {
        stage.hear(picture);
        moves.push(stage.frame(each));
        typical.extend((0..29).map(|_| stage.frame(each)));
    }
    let mean = |v: &[usize]| v.iter().sum::<usize>() / v.len().max(1);
    println!(
        "160×50: full redraw {full} B, typical frame {} B (most {}), everything moves {} B",
        mean(&typical),
        typical.iter().max().copied().unwrap_or_default(),
        mean(&moves)
    );
    let mut group = c.benchmark_group("frame 160x50");
    group.bench_function("full redraw", |b| {
        b.iter(|| {
            let mut fresh = Stage::new();
            fresh.hear(&pictures[0]);
            fresh.frame(Duration::ZERO)
        });
    });
    let mut n = 0;
    group.bench_function("typical", |b| {
        b.iter(|| {
            // A new picture once a second, pulses in between.
            n += 1;
            if n % 30 == 1 {
                stage.hear(&pictures[n / 30 % pictures.len()]);
            }
            let drawn = stage.drawn;
            let bytes = stage.frame(each);
            // What is not drawn would flatter the mean.
            assert!(stage.drawn > drawn, "pulses ran out");
            bytes
        });
    });
    group.bench_function("everything moves", |b| {
        b.iter(|| {
            n += 1;
            stage.hear(&pictures[n % pictures.len()]);
            stage.frame(each)
        });
    });
    group.finish();
}

criterion_group!(benches, frame);
criterion_main!(benches);
