//! Layers, what is shown of them, and the hash.

use super::*;
use crate::fills::BarCosts;
use std::collections::BTreeSet;

#[test]
fn flags_beat_variables_beat_the_file_beat_defaults() {
    let text = format!("{SMALLEST}\n[hive]\nseed = 5\n\n[desk]\nband = 0.3\n");
    let set = variables(&[("HIVE_SEED", "6"), ("HIVE_DESK_PATIENCE", "0.2"), ("PATH", "/bin")]);
    let flags = [Override::flag("--seed", "hive.seed", "7")];
    let (config, origins) = load("f.toml", &text, set, &flags).unwrap();
    assert_eq!((config.seed, config.desk.patience, config.desk.band), (7, 0.2, 0.3));
    let shown = show(&config, &origins);
    let line = |path: &str| {
        let (_, value, origin) = shown.iter().find(|(p, ..)| *p == path).unwrap();
        format!("{value} {origin}")
    };
    assert_eq!(line("hive.seed"), "7 flag --seed");
    assert_eq!(line("desk.patience"), "0.2 variable HIVE_DESK_PATIENCE");
    assert_eq!(line("desk.band"), "0.3 f.toml:19");
    assert_eq!(line("clock.decide"), "4h default");
    assert_eq!(line("listening.lambda"), "humility default");
    assert_eq!(line("costs.taker_bp.spot"), "10 default");
    assert!(shown.iter().all(|(p, ..)| !p.starts_with("managers.")), "none are set");
}

#[test]
fn a_later_layer_can_take_a_flat_charge_and_give_it_up() {
    let flat = |value| [Override::flag("--costs", "costs.flat_bp", value)];
    let (config, origins) = load(SHIPPED_FILE, SHIPPED, [], &flat("7")).unwrap();
    assert_eq!(config.costs, Costs::Flat(0.0007));
    let shown = show(&config, &origins);
    let costs: Vec<_> = shown.iter().filter(|(p, ..)| p.starts_with("costs.")).collect();
    assert_eq!(costs.len(), 1);
    assert_eq!(costs[0].1, "7");
    let text = format!("{SMALLEST}\n[costs]\nflat_bp = 7\n");
    assert_eq!(parse("f", &text).unwrap().costs, Costs::Flat(0.0007));
    let (config, _) = load("f", &text, [], &flat("off")).unwrap();
    assert_eq!(config.costs, Costs::Bars(BarCosts::default()));
}

#[test]
fn variables_and_flags_are_checked_like_the_file() {
    let wrong = variables(&[
        ("HIVE_SEDE", "1"),
        ("HIVE_DESK_PATIENSE", "0.2"),
        ("HIVE_DESK_BAND", "wide"),
        ("HIVE_CLOCK_DECIDE", "4x"),
        ("HIVE_LISTENING_ENABLED", "perhaps"),
        ("HIVE_MANAGERS_FAST_WIDTH_MIN", "0.1"),
    ]);
    let flags = [Override::flag("--set", "desk.bnd", "1"), Override::flag("--seed", "hive.seed", "x")];
    let error = load("f", SMALLEST, wrong, &flags).unwrap_err();
    let lines: Vec<String> = error.0.iter().map(ToString::to_string).collect();
    let expected = [
        "HIVE_SEDE: no setting has this name; did you mean HIVE_SEED?",
        "HIVE_DESK_PATIENSE: no setting has this name; did you mean HIVE_DESK_PATIENCE?",
        "HIVE_DESK_BAND: band in [desk] must be a number, not text",
        "HIVE_CLOCK_DECIDE: decide in [clock] is \"4x\", which is no length of time; use 45s, 30m, 4h, 3d or 2w",
        "HIVE_LISTENING_ENABLED: enabled in [listening] must be true or false, not text",
        "HIVE_MANAGERS_FAST_WIDTH_MIN: width_min in [managers.fast] has no use: there is no such manager; add [managers.fast] to the file",
        "--set: unknown setting \"desk.bnd\"; did you mean \"desk.band\"?",
        "--seed: seed in [hive] must be a whole number, not text",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn variables_and_flags_of_settings_that_are_gone_are_refused() {
    let wrong = variables(&[
        ("HIVE_DESK_STEADY", "true"),
        ("HIVE_MANAGERS_FAST_PATIENCE_MIN", "0.5"),
        ("HIVE_DESK_STEADILY", "x"),
    ]);
    let error = load("f.toml", SMALLEST, wrong, &[Override::flag("--set", "desk.steady", "1")]).unwrap_err();
    let lines: Vec<String> = error.0.iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 3, "another's name is left alone: {lines:#?}");
    assert!(lines[0].starts_with("HIVE_DESK_STEADY: this is a setting no more; "), "{}", lines[0]);
    assert!(lines[1].ends_with("use width_min and width_max"), "{}", lines[1]);
    assert!(lines[2].starts_with("--set: \"desk.steady\" is a setting no more; "), "{}", lines[2]);
}

#[test]
fn every_word_of_a_choice_is_taken_and_shown_and_no_other_is() {
    let mut choices = 0;
    for setting in SETTINGS {
        let setting::SettingKind::OneOf(words) = setting.kind else { continue };
        let given = |word: &str| {
            load(SHIPPED_FILE, SHIPPED, [], &[Override::flag("--x", setting.path, word)])
                .map(|(config, _)| show(&config, &Origins::default()))
        };
        for word in words {
            let shown = given(word).unwrap();
            assert!(
                shown.iter().any(|(p, v, _)| *p == setting.path && v == word),
                "{} = {word}",
                setting.path
            );
            assert!(given(&word.to_uppercase()).is_err() || word.to_uppercase() == **word);
        }
        assert!(given("nothing").is_err(), "{}", setting.path);
        choices += 1;
    }
    assert!(choices >= 3, "{choices}");
}

#[test]
fn variables_of_others_are_left_alone() {
    let others = variables(&[
        ("HIVE_TEST_DATA", "/d"),
        ("HIVE_SOCKET", "/s"),
        ("HIVE_STATE", "/s"),
        ("HIVE_SPEED", "max"),
        ("HIVE_HOME", "/opt/hive"),
        ("HIVE_METASTORE_PORT", "9083"),
        ("SEED", "x"),
    ]);
    assert!(load("f", SMALLEST, others, &[]).is_ok());
}

#[test]
fn every_field_of_every_settings_type_has_its_row() {
    let config = shipped().unwrap();
    let json = serde_json::json!({
        "clock": config.clock,
        "desk": config.desk,
        "funds": config.funds,
        "risk": config.risk,
        "goals": config.goals,
        "listening": config.listening,
        "managers": config.managers,
        "services": config.services,
    });
    let mut fields = BTreeSet::new();
    leaves(&json, "", &mut fields);
    let rows: BTreeSet<String> = SETTINGS
        .iter()
        .map(|s| s.path.to_owned())
        // Scouts are part of the roster, whose fields the hash takes apart.
        .filter(|p| !["hive.", "costs.", "scouts."].iter().any(|s| p.starts_with(s)))
        .collect();
    assert_eq!(fields, rows);
    let mut costs = BTreeSet::new();
    leaves(&serde_json::json!(BarCosts::default()), "", &mut costs);
    // flat_bp and level are the choice between the two, fills is what either is charged at.
    assert_eq!(costs.len() + 3, SETTINGS.iter().filter(|s| s.path.starts_with("costs.")).count());
}

#[test]
fn what_came_later_is_in_the_hash_unless_it_is_as_it_always_was() {
    let shipped_hash = roster_hash(&shipped().unwrap());
    let defaults = show(&Config::default(), &Origins::default());
    let later: Vec<&Setting> = SETTINGS.iter().filter(|s| s.unsaid.is_some()).collect();
    assert!(!later.is_empty());
    for setting in later {
        let default = defaults.iter().find(|(p, ..)| *p == setting.path).map(|(_, v, _)| v.as_str());
        assert_eq!(default, setting.unsaid, "{} must be left out where it changes nothing", setting.path);
    }
    for (path, value) in [
        ("funds.drawdown_by", "funds"),
        ("desk.trades", "zone"),
        ("costs.fills", "fine"),
        ("desk.order_min", "0.002"),
        ("services.carry", "false"),
        ("services.through", "5"),
    ] {
        let flag = [Override::flag("--x", path, value)];
        let (config, _) = load(SHIPPED_FILE, SHIPPED, [], &flag).unwrap();
        assert_ne!(roster_hash(&config), shipped_hash, "{path} = {value}");
        let shown = show(&config, &Origins::default());
        assert!(shown.iter().any(|(p, v, _)| *p == path && v == value));
    }
}

fn leaves(value: &serde_json::Value, path: &str, out: &mut BTreeSet<String>) {
    match value.as_object() {
        Some(map) => {
            for (key, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{key}"), out);
            }
        }
        None => {
            out.insert(path.to_owned());
        }
    }
}

#[test]
fn every_setting_has_a_variable_of_its_own_and_reads_back_what_it_prints() {
    let names: BTreeSet<String> = SETTINGS.iter().map(Setting::variable).collect();
    assert_eq!(names.len(), SETTINGS.len());
    let config = shipped().unwrap();
    let shown = show(&config, &Origins::default());
    assert_eq!(shown.len(), SETTINGS.len());
    let all: Vec<(String, String)> =
        shown.iter().map(|(path, value, _)| (setting(path).unwrap().variable(), value.clone())).collect();
    let (again, origins) = load(SHIPPED_FILE, SHIPPED, all, &[]).unwrap();
    assert_eq!(again, config);
    for setting in SETTINGS {
        assert_eq!(origins.of(setting.path), Origin::Variable(setting.variable()));
    }
}

#[test]
fn the_hash_tells_apart_what_decides_and_nothing_else() {
    let hash = |pairs: &[(&str, &str)]| {
        let (config, _) = load(SHIPPED_FILE, SHIPPED, variables(pairs), &[]).unwrap();
        roster_hash(&config)
    };
    let base = hash(&[]);
    assert_eq!(base.len(), 64);
    let free = [("HIVE_NAME", "x"), ("HIVE_SEED", "9"), ("HIVE_CAPITAL", "5"), ("HIVE_CURRENCY", "EUR")];
    assert_eq!(hash(&free), base);
    let deciding = [
        ("HIVE_SCOUTS", "9"),
        ("HIVE_CLOCK_DECIDE", "1h"),
        ("HIVE_COSTS_FLAT_BP", "7"),
        ("HIVE_COSTS_IMPACT", "0.4"),
        ("HIVE_LISTENING_LAMBDA", "1"),
        ("HIVE_DESK_BAND", "0.3"),
        ("HIVE_FUNDS_CAP", "3"),
        ("HIVE_RISK_COLLAR", "0.4"),
        ("HIVE_GOALS_GROWTH", "0.3"),
        ("HIVE_MANAGERS_FAST_WIDTH_MAX", "1.5"),
        ("HIVE_LISTENING_HOLDS", "notional"),
        ("HIVE_LISTENING_HUMILITY_MOST", "0.6"),
    ];
    let mut seen = BTreeSet::from([base.clone()]);
    for pair in deciding {
        assert!(seen.insert(hash(&[pair])), "{pair:?} changes nothing");
    }
    let edits = [
        ("\"Mira\"", "\"Mara\""),
        ("slow = 120", "slow = 121"),
        ("sociability = -1.0", "sociability = -0.9"),
        ("stop = 0.7", "stop = 0.71"),
        ("\"DOT\"", "\"DOGE\""),
        ("side = \"short\"", "side = \"both\""),
    ];
    for (from, to) in edits {
        let text = SHIPPED.replacen(from, to, 1);
        assert_ne!(text, SHIPPED, "{from}");
        assert!(seen.insert(roster_hash(&parse("f", &text).unwrap())), "{from}");
    }
    let renamed = SHIPPED.replace("hermit", "recluse");
    assert_eq!(roster_hash(&parse("f", &renamed).unwrap()), base, "a label is no trait");
}

const VENUES: &str = "
[costs]
taker_bp = { spot = 8 }
[costs.venue.deribit]
taker_bp = { perp = 4 }
maker_bp = { perp = -1 }
option = { rate_bp = 2, cap = 0.1 }
fee_in_coins = false
[costs.venue.cme]
delivery_bp = 0
";

#[test]
fn a_venue_has_costs_of_its_own_over_those_of_all() {
    let text = format!("{SMALLEST}{VENUES}");
    let flags = [Override::flag("--set", "costs.taker_bp.spot", "9")];
    let (config, origins) = load("f.toml", &text, [], &flags).unwrap();
    let of = |venue: &str| match config.venues.get(venue) {
        Some(Costs::Bars(b)) => *b,
        other => panic!("{venue}: {other:?}"),
    };
    let (deribit, cme) = (of("deribit"), of("cme"));
    assert_eq!((deribit.taker.perp, deribit.maker.perp, deribit.option.rate), (0.0004, -0.0001, 0.0002));
    assert_eq!((deribit.option.cap, deribit.fee_in_coins, deribit.delivery), (0.1, false, 0.00025));
    // What it does not say is that of all venues, whoever said so last.
    assert_eq!((deribit.taker.spot, cme.taker.spot, cme.delivery), (0.0009, 0.0009, 0.0));
    let shown = show(&config, &origins);
    let line = |path: &str| {
        let (_, value, origin) = shown.iter().find(|(p, ..)| *p == path).unwrap();
        format!("{value} {origin}")
    };
    assert_eq!(line("costs.venue.cme.delivery_bp"), "0 f.toml:23");
    assert_eq!(line("costs.venue.deribit.option.rate_bp"), "2 f.toml:20");
    assert_eq!(line("costs.taker_bp.spot"), "9 flag --set");
    assert!(shown.iter().all(|(p, ..)| *p != "costs.venue.cme.taker_bp.perp"), "only what was said");
    // It decides, and is nothing where it is not there.
    let plain = parse("f.toml", &format!("{SMALLEST}\n[costs]\ntaker_bp = {{ spot = 9 }}\n")).unwrap();
    assert_ne!(roster_hash(&config), roster_hash(&plain));
    let mut without = config.clone();
    without.venues.clear();
    assert_eq!(roster_hash(&without), roster_hash(&plain));
    // A flat charge from the command line is the same everywhere.
    let (flat, _) = load("f.toml", &text, [], &[Override::flag("--costs", "costs.flat_bp", "7")]).unwrap();
    assert!(flat.venues.is_empty() && flat.tariff().is_flat());
}
