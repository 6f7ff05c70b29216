//! A frame of the cockpit at three sizes, with forty agents and with a thousand: milliseconds, and bytes to the
//! terminal. Typical is what most frames are: nothing but pulses on their way. Idle is a turn of the loop in which
//! nothing moved: no frame and no byte.

// A bench that cannot start has nothing better to do than to say so and stop.
#![allow(clippy::expect_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use hive::config::setup::settings;
use hive::domain::{AgentId, Event};
use hive::engine::{Engine, Outputs};
use hive::market::Feed;
use hive::market::synth::{SynthFeed, SynthSettings};
use hive::recorder::{RecordedRun, Recorder};
use hive::tui::app::App;
use hive::tui::painter::Painter;
use hive::tui::theme::Theme;
use hive::view::Cockpit;
use hive::view::link::News;
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
            seen.push(recorder.picture(&engine, &RecordedRun::default()));
            let old = seen.len().saturating_sub(8);
            seen.drain(..old);
        }
    }
    seen
}

/// The same picture with so many agents: those that there are again and again, under names of their own, and the
/// edges between all of them.
fn crowd(picture: &Cockpit, many: u32) -> Cockpit {
    let mut crowd = picture.clone();
    let there = picture.agents.len() as u32;
    if many <= there {
        return crowd;
    }
    let again = (there..many).map(|n| {
        let mut row = picture.agents[(n % there) as usize].clone();
        (row.id, row.name) = (AgentId(n), format!("Agent{n:04}"));
        row
    });
    crowd.agents.extend(again);
    for (n, edge) in crowd.edges.iter_mut().enumerate() {
        edge.to = AgentId((edge.to.0 + there * n as u32) % many);
    }
    crowd
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
    fn new((width, height): (u16, u16)) -> Self {
        let bytes = Count::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
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

    /// A turn of the cockpit's loop: time goes on, and what changed is drawn, if anything did; its bytes.
    fn turn(&mut self, later: Duration) -> usize {
        self.now += later;
        self.app.tick(self.now, Some(Duration::ZERO));
        if self.app.is_dirty() { self.frame(Duration::ZERO) } else { 0 }
    }

    /// Until all pulses have arrived and the last of them was wiped away.
    fn settle(&mut self) {
        for _ in 0..300 {
            self.turn(Duration::from_millis(33));
        }
        assert!(!self.app.is_dirty() && !self.app.is_moving(), "something moves for ten seconds");
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
    for size in [(80, 24), (160, 50), (240, 70)] {
        for many in [40, 1_000] {
            let crowd: Vec<Cockpit> = pictures.iter().map(|p| crowd(p, many)).collect();
            of(c, &crowd, size);
        }
    }
}

fn of(c: &mut Criterion, pictures: &[Cockpit], size: (u16, u16)) {
    let name = format!("{}x{} {} agents", size.0, size.1, pictures[0].agents.len());
    let each = Duration::from_millis(33);
    let mut stage = Stage::new(size);
    stage.hear(&pictures[0]);
    let full = stage.frame(each);
    let mut moves = Vec::new();
    let mut typical = Vec::new();
    for picture in &pictures[1..] {
        stage.hear(picture);
        moves.push(stage.frame(each));
        typical.extend((0..29).map(|_| stage.frame(each)));
    }
    stage.settle();
    let (frames, idle) = (stage.drawn, (0..300).map(|_| stage.turn(each)).sum::<usize>());
    assert_eq!(
        (stage.drawn - frames, idle),
        (0, 0),
        "frames and bytes of ten seconds in which nothing moved"
    );
    let mean = |v: &[usize]| v.iter().sum::<usize>() / v.len().max(1);
    println!(
        "{name}: full redraw {full} B, idle {idle} B, typical frame {} B (most {}), everything moves {} B",
        mean(&typical),
        typical.iter().max().copied().unwrap_or_default(),
        mean(&moves)
    );
    let mut group = c.benchmark_group(format!("frame {name}"));
    group.bench_function("full redraw", |b| {
        b.iter(|| {
            let mut fresh = Stage::new(size);
            fresh.hear(&pictures[0]);
            fresh.frame(Duration::ZERO)
        });
    });
    group.bench_function("idle", |b| {
        stage.settle();
        let drawn = stage.drawn;
        b.iter(|| stage.turn(each));
        assert_eq!(stage.drawn, drawn, "nothing moved, and it was drawn");
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
