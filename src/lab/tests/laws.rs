//! What an account with services has more than one without, beside what its receipts say.

use crate::common::Tape;
use crate::common::served::{config, paired};
use hive_core::engine::speak::{Speak, StepOutput};
use hive_domain::Event;
use hive_lab::account::ArmAccount;
use hive_lab::arms::Follows;
use hive_lab::record::pooled;
use hive_lab::service_flags::ServiceFlags;
use std::sync::Arc;

/// Two accounts on the same aims at once, without services and with these: by how much the one with them did
/// better, what its receipts say, and the most that a bar's two are apart, as fractions of equity.
fn two_accounts(tape: &Tape, liquidity: bool, flow: bool) -> (f64, f64, f64) {
    let config = config(true);
    let settings = hive_core::config::setup::settings(&config);
    let cast = Arc::new(hive_core::agents::cast::cast(&config.roster, &tape.universe, 1));
    let (spec, mut speak) = Speak::start(Arc::clone(&cast), &tape.universe, settings.clone());
    let weights = vec![1.0 / cast.agents.len() as f64; cast.agents.len()];
    let mut accounts = [ServiceFlags::NONE, ServiceFlags { liquidity, flow, ..ServiceFlags::ALL }]
        .map(|parts| ArmAccount::served(&tape.universe, &Follows::AtOnce.settings(&settings), parts));
    let (mut said, mut aims) = (StepOutput::default(), vec![0.0; tape.universe.assets.len()]);
    let mut before = [(settings.capital, 0.0); 2];
    let (mut more, mut told, mut apart) = (0.0, 0.0, 0.0_f64);
    for event in &tape.events {
        speak.step(&spec, event, &mut said);
        for account in &mut accounts {
            account.hear(&cast, event.at(), &said);
            match event {
                Event::Barrier(at) => {
                    pooled(&cast, &speak, &weights, settings.listening.holds, &mut aims);
                    account.barrier(*at, &speak, &aims);
                }
                _ => account.market(event, &speak),
            }
        }
        let Event::Barrier(_) = event else { continue };
        let now = [0, 1].map(|i| {
            let (carry, liquidity) = accounts[i].receipts();
            (accounts[i].equity(), carry + liquidity)
        });
        let gained = |i: usize| (now[i].0 - before[i].0) / before[i].0;
        let receipt = (now[1].1 - before[1].1) / before[1].0;
        more += gained(1) - gained(0);
        told += receipt;
        apart = apart.max((gained(1) - gained(0) - receipt).abs());
        before = now;
    }
    (more, told, apart)
}

// At once: with them what is held depends on the path of the equity, which services change.
#[test]
fn an_account_with_services_has_what_its_receipts_say_more_than_one_without() {
    let tape = paired(260, 0);
    let mut carry = 0.0;
    for flow in [false, true] {
        let (more, told, apart) = two_accounts(&tape, false, flow);
        carry = told;
        assert!(told > 0.1, "the carry earned something: {told}");
        // What an order costs grows with it: that of the larger account a little more.
        assert!((more - told).abs() < 0.005 * told && apart < 1e-4, "{more} {told} {apart}");
    }
    // Worked orders are measured as they are filled. What was given up before that is in no receipt, and bars
    // differ by what is held later.
    let (more, told, _) = two_accounts(&tape, true, true);
    assert!((more - told).abs() < 0.01, "{more} {told}");
    assert!((carry - told).abs() > 0.1, "of which working was no small part: {carry} {told}");
}
