//! Law 10: a limit on everything, with a name.

use super::money::balanced;
use crate::common::{Run, Tape, actions, run, shipped};
use hive_core::config::{self, Override};
use hive_core::engine::Outputs;
use hive_core::fills::pace::{UNIT_MAX, unit};
use hive_domain::Verb;
use hive_market::synth::SynthWorld;

const DAYS: u32 = 250;

#[test]
fn law10_limits_of_the_configuration_hold() {
    let shipped = config::print_default();
    let agent = "[[agent]]\nname = \"A\"\nfamily = \"trend\"\nassets = \"BTC\"\ngoal = \"fast\"\npersonality = \"stoic\"\n";
    let mut many = shipped.to_owned();
    for i in 0..config::AGENTS_MAX {
        many.push_str(&agent.replace("\"A\"", &format!("\"A{i}\"")));
    }
    let refused = config::parse("a.toml", &many).unwrap_err().to_string();
    assert!(refused.contains(&format!("at most {}", config::AGENTS_MAX)), "{refused}");
    let long = format!("{shipped}{}", "#".repeat(config::TEXT_BYTES_MAX));
    let refused = config::parse("a.toml", &long).unwrap_err().to_string();
    assert!(refused.contains(&config::TEXT_BYTES_MAX.to_string()), "{refused}");
    let scouts = |n: u32| {
        let flag = Override::flag("--scouts", "hive.scouts", n.to_string());
        config::load("a.toml", shipped, [], &[flag]).map(|(c, _)| c.roster.scouts)
    };
    assert_eq!(scouts(config::SCOUTS_MAX).unwrap(), config::SCOUTS_MAX);
    assert!(scouts(config::SCOUTS_MAX + 1).is_err());
    let counted = |n: u16| config::parse("a.toml", &shipped.replace("random:2", &format!("random:{n}")));
    assert!(counted(config::ASSETS_COUNTED_MAX).is_ok());
    assert!(counted(config::ASSETS_COUNTED_MAX + 1).is_err());
}

#[test]
fn law10_a_unit_has_a_largest_size() {
    assert_eq!(unit(1e-9), UNIT_MAX);
    assert!((unit(0.02) - 0.5).abs() < 1e-12);
    // A market that hardly moves.
    let mut tape = Tape::synth(SynthWorld::RandomWalk, 4, 150);
    tape.change_after(hive_domain::Stamp(i64::MIN), |_, _, bar| {
        for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
            *price = 100.0 + (*price / 1_000.0).sin() * 1e-3;
        }
        (bar.high, bar.low) = (bar.open.max(bar.close), bar.open.min(bar.close));
    });
    let config = shipped();
    let run = run(&config, &tape);
    let opens: Vec<f64> =
        actions(&run.messages).filter(|(_, a)| a.verb == Verb::Open).map(|(_, a)| a.after.abs()).collect();
    assert!(opens.len() > 100);
    // Largest trait × largest preset × the largest unit.
    assert!(opens.iter().all(|x| *x <= 3.0 * 3.0 * UNIT_MAX));
    assert!(opens.iter().any(|x| *x >= UNIT_MAX), "the limit was met");
    let (gross, _) = run.engine.respond.real.account.exposure();
    assert!(gross <= config.risk.gross_fuse, "{gross}");
    balanced(&run.engine);
}

#[test]
fn law10_gross_exposure_stays_under_its_caps_all_along() {
    let tape = Tape::market(DAYS);
    let mut config = shipped();
    config.desk.target_vol = 1.0;
    config.managers = hive_core::hive::settings::Managers::default();
    let mut run = Run::start(&config, &tape.universe);
    let mut out = Outputs::default();
    let mut most = 0.0_f64;
    for event in &tape.events {
        run.step(event, &mut out);
        most = most.max(run.engine.respond.real.account.exposure().0);
    }
    assert!(most > 3.0, "the caps were asked for: {most}");
    // Between decision and mark prices move, so a little above the fuse is possible, twice of it is not.
    assert!(most < 1.25 * config.risk.gross_fuse, "{most}");
}
