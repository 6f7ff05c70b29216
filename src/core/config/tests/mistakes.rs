//! Every kind of mistake, with its place and the way out.

use super::*;
use crate::agents::families;
use crate::domain::FamilyId;

#[test]
fn ten_mistakes_are_ten_problems_with_their_lines_and_hints() {
    let all = problems(TEN);
    let expected = [
        ("f.toml:5:11: capital in [hive] must be an amount in quotes", "quote it: \"100000\""),
        ("f.toml:8:10: decide in [clock] is \"4x\"", "use 45s, 30m, 4h, 3d or 2w"),
        ("f.toml:11:1: unknown key \"patiense\" in [desk]", "did you mean \"patience\"?"),
        ("f.toml:12:8: band in [desk] is 1.5, out of bounds", "from 0 to 1 (fraction of the larger)"),
        ("f.toml:15:10: group \"majors\" has no members", "like majors = [\"BTC\", \"ETH\"]"),
        ("f.toml:25:10: unknown family \"trnd\" in [[agent]] \"Mira\"", "did you mean \"trend\"?"),
        ("f.toml:33:10: assets in [[agent]] \"Otto\": \"top:8\"", "use \"top:8:volume\""),
        (
            "f.toml:43:12: unknown trait \"sociabilty\" in traits of [[agent]] \"Ruth\"",
            "did you mean \"sociability\"?",
        ),
        ("f.toml:46:8: there are two agents \"Otto\"", "the first is in line 31; rename one"),
        ("f.toml:58:31: fast and slow of [[agent]] \"Kofi\" contradict", "so that they do not overlap"),
    ];
    assert_eq!(all.len(), expected.len(), "{all:#?}");
    for (problem, (start, hint)) in all.iter().zip(expected) {
        assert!(problem.starts_with(start), "{problem:?} is not {start:?}");
        assert!(problem.ends_with(hint), "{problem:?} does not end in {hint:?}");
    }
}

#[test]
fn text_that_is_no_toml_is_one_problem_where_it_is() {
    let all = problems(NO_TOML);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert!(all[0].starts_with("f.toml:4:16: this is not TOML"), "{}", all[0]);
    says(&only("funded = true\nfunded = true\n"), &["duplicate key"]);
}

#[test]
fn a_slip_in_the_name_of_a_section_makes_no_problems_of_what_refers_to_it() {
    let all = problems(SECTIONS);
    assert_eq!(all.len(), 6, "{all:#?}");
    says(&all[0], &[":4:2:", "unknown section \"dsk\"", "did you mean \"desk\"?"]);
    says(&all[1], &[":7:11:", "no manager \"big_mony\"", "did you mean"]);
    says(&all[2], &[":9:2:", "unknown section \"group\"", "\"groups\""]);
    says(&all[3], &["unknown section \"personalty\"", "\"personality\""]);
    says(&all[4], &["unknown goal \"lowrisk\" in [preset]", "\"low_risk\""]);
    says(&all[5], &[":18:1:", "unknown key \"famly\"", "\"family\""]);
}

#[test]
fn lines_and_columns_hold_with_both_line_ends_and_any_letters() {
    let unix = "config_version = 1\n[hive]\nname = \"bläue\"\n\"größe\" = 1\ncapital = 5\n";
    for text in [unix.to_owned(), unix.replace('\n', "\r\n"), format!("\u{feff}{unix}")] {
        let all = problems(&text);
        let places: Vec<&str> = all.iter().filter_map(|p| p.split(": ").next()).collect();
        // The missing agents, the key, the number without quotes.
        assert_eq!(places, ["f.toml:1:1", "f.toml:4:1", "f.toml:5:11"], "{all:#?}");
    }
    let all = problems("config_version = 1\nagent = []\nhive = { name = \"äöü\", \"ö\" = 1 }\n");
    assert!(all[0].starts_with("f.toml:3:24: unknown key \"ö\""), "{all:#?}");
}

#[test]
fn an_agent_must_say_who_it_is_and_what_for() {
    let all = problems("config_version = 1\n\n[[agent]]\nname = \"A\"\n\n[[agent]]\n");
    assert_eq!(all.len(), 9, "{all:#?}");
    for key in ["family", "assets", "goal", "personality"] {
        let missing = format!("f.toml:3:1: [[agent]] \"A\" has no {key};");
        assert!(all.iter().any(|p| p.starts_with(&missing)), "{missing}");
    }
    assert!(all.iter().any(|p| p.starts_with("f.toml:6:1: [[agent]] number 2 has no name;")));
    let all = problems("");
    says(&all[0], &["no config_version", "config_version = 1"]);
    says(&all[1], &["no [[agent]]"]);
    assert_eq!(all.len(), 2);
    says(&problems(&SMALLEST.replace("= 1", "= 2"))[0], &["config_version is \"2\""]);
}

#[test]
fn words_that_are_not_known_are_named_with_the_nearest() {
    says(&only("\n[desk]\ntrades = \"zoen\"\n"), &["trades in [desk] is \"zoen\"", "zone"]);
    says(&only("\n[listening]\nholds = \"quantities\"\n"), &["holds in [listening]", "quantity"]);
    says(&only("\n[funds]\ndrawdown_by = \"rsk\"\n"), &["drawdown_by in [funds]", "risk"]);
    says(&only("\n[desk]\ntrade = \"zone\"\n"), &["trade", "[desk]", "trades"]);
    says(&only("\n[desks]\ntrades = \"zone\"\n"), &["desk"]);
}

#[test]
fn settings_that_are_gone_say_so_and_what_to_do() {
    for (path, hint) in table::REMOVED {
        let (section, key) = path.rsplit_once('.').unwrap();
        let all = problems(&format!("{SMALLEST}\n[{section}]\n{key} = true\n"));
        assert_eq!(all.len(), 1, "{path}: {all:#?}");
        says(&all[0], &[&format!("\"{key}\" in [{section}] is a setting no more; {hint}")]);
        assert!(table::setting(path).is_none(), "{path} is a setting");
    }
    says(&only("\n[desk]\nstead = true\n"), &["unknown key \"stead\""]);
}

#[test]
fn wrong_types_say_what_is_wanted() {
    says(&only("\n[desk]\npatience = \"fast\"\n"), &["patience in [desk] must be a number, not text"]);
    says(&only("\n[hive]\nscouts = 2.5\n"), &["scouts in [hive] is 2.5", "a whole number from 0 to 10000"]);
    says(&only("\n[hive]\nname = 7\n"), &["must be text in quotes, not a number"]);
    says(&only("\n[clock]\ndecide = 4\n"), &["must be a length of time in quotes"]);
    says(&only("\n[funds]\nby_points = \"yes\"\n"), &["must be true or false, not text"]);
    says(
        &only("\n[costs]\ntaker_bp = 5\n"),
        &["[costs.taker_bp] must be a table", "taker_bp = { spot = …, perp = … }"],
    );
    says(&only("\n[listening]\nlambda = \"pride\"\n"), &["\"pride\"", "a number, or \"humility\""]);
    says(&only("funded = 1\n"), &["funded in [[agent]] \"Mira\" must be true or false"]);
    says(&only("traits = 3\n"), &["traits of [[agent]] \"Mira\" must be a table"]);
    says(&only("traits = { no_flip = 1 }\n"), &["no_flip in", "must be true or false"]);
    says(&only("params = { fast = \"8\" }\n"), &["must be a number or a range, not text"]);
    says(&only("\n[groups]\nmajors = \"BTC\"\n"), &["group \"majors\" must be a list, not text"]);
    says(&problems("config_version = 1\n[agent]\nname = \"A\"\n")[0], &["write [[agent]] with two brackets"]);
    says(&problems(&SMALLEST.replace("\"any\"", "5"))[0], &["assets in", "text in quotes", "\"5\""]);
}

#[test]
fn numbers_out_of_bounds_are_told_bounds_and_unit() {
    says(&only("\n[desk]\npatience = 0\n"), &["out of bounds", "from 0.001 to 1 (share of the way a bar)"]);
    says(&only("\n[desk]\npatience = nan\n"), &["patience in [desk] is nan"]);
    says(&only("\n[desk]\ngross_max = inf\n"), &["is inf"]);
    says(&only("\n[hive]\nseed = -1\n"), &["seed in [hive] is -1"]);
    says(&only("\n[clock]\ndecide = \"1s\"\n"), &["out of bounds", "from 1m to 7d"]);
    says(&only("traits = { sociability = 0.6 }\n"), &["sociability", "is 0.6", "from -1 to 0.5"]);
    says(&only("params = { fast = 1 }\n"), &["fast of [[agent]] \"Mira\" is 1", "from 2 to 2000 (bars)"]);
    says(&only("params = { fast = 8.5 }\n"), &["8.5, not a whole number of bars"]);
    says(&only("\n[preset.fast]\nunit = 9\n"), &["unit in [preset.fast] is 9", "from 0.1 to 3"]);
    says(&only("\n[preset.fast]\nadds = 1.5\n"), &["adds in [preset.fast] is 1.5, not a whole number"]);
}

#[test]
fn names_that_are_not_known_are_told_the_nearest() {
    let with = |from: &str, to: &str| {
        let all = problems(&SMALLEST.replace(from, to));
        assert_eq!(all.len(), 1, "{all:#?}");
        all[0].clone()
    };
    says(&with("\"trend\"", "\"Trend\""), &["unknown family", "did you mean \"trend\"?"]);
    says(&with("goal = \"automated\"", "goal = \"automatic\""), &["unknown goal", "\"automated\""]);
    says(&with("\"plain\"", "\"plane\""), &["unknown personality \"plane\"", "\"plain\""]);
    says(&with("\"any\"", "\"@major\""), &["unknown group \"major\"", "there are none"]);
    says(&only("side = \"down\"\n"), &["unknown side \"down\"", "known: both, long, short"]);
    says(&only("params = { fats = 8 }\n"), &["unknown parameter \"fats\"", "\"fast\""]);
    says(
        &only("params = { squeeze = 0.8 }\n"),
        &["is a parameter of volatility, not of trend", "trend takes fast, slow"],
    );
    says(&only("params = { fast = { from = 8, too = 9 } }\n"), &["unknown key \"too\"", "\"to\""]);
    says(&only("sociability = 0.1\n"), &["is a trait", "traits = { sociability = … }"]);
    says(
        &only("sociabilty = 0.1\n"),
        &["unknown key \"sociabilty\" in [[agent]] \"Mira\"; did you mean \"sociability\"?"],
    );
    says(
        &only("\n[personality.bold]\ngred = 1\n"),
        &["unknown trait \"gred\" in [personality.bold]", "\"greed\""],
    );
    says(&only("\n[preset.fast]\nunits = 1\n"), &["unknown key \"units\" in [preset.fast]", "\"unit\""]);
    says(
        &only("\n[costs]\ntaker_bp = { spt = 5 }\n"),
        &["unknown key \"spt\" in [costs.taker_bp]", "\"spot\""],
    );
    says(&only("\n[hive]\napi_secret = \"x\"\n"), &["keys of exchanges never belong into this file"]);
}

#[test]
fn assets_are_checked() {
    let with = |to: &str| problems(&SMALLEST.replace("\"any\"", to));
    says(&with("[]")[0], &["[[agent]] \"Mira\" has no assets", "\"top:8:volume\""]);
    says(&with("\"btc\"")[0], &["no selector", "use \"BTC\""]);
    assert_eq!(with("[\"btc\", \"random:0\", 3]").len(), 3);
    let few = SMALLEST.replace("\"trend\"", "\"relative_strength\"");
    says(&problems(&few.replace("\"any\"", "\"random:2\""))[0], &["needs at least 3"]);
    assert_eq!(problems(&few.replace("\"any\"", "[\"BTC\", \"random:2\"]")), [""; 0]);
    says(&only("\n[groups]\nmajors = [\"BTC\", \"BTC\"]\n"), &["twice"]);
    says(&only("\n[groups]\nmajors = [\"btc\"]\n"), &["no symbol of an asset"]);
    says(&only("\n[groups]\n\"a b\" = [\"BTC\"]\n"), &["\"a b\" in [groups] is no name"]);
}

#[test]
fn money_is_exact_or_refused() {
    says(&only("\n[hive]\ncapital = \"ten\"\n"), &["not a decimal number", "like \"100000\""]);
    says(&only("\n[hive]\ncapital = \"-5\"\n"), &["not above zero"]);
    says(&only("\n[hive]\ncapital = \"1e16\"\n"), &["larger than 1e15"]);
    says(&only("\n[hive]\ncapital = 2_500.5\n"), &["quote it: \"2_500.5\""]);
    let config = parse("f", &format!("{SMALLEST}\n[hive]\ncapital = \"2500.50\"\n")).unwrap();
    assert_eq!(config.capital.to_string(), "2500.50");
}

#[test]
fn ranges_that_contradict_are_refused() {
    says(
        &only("params = { fast = { from = 9, to = 8 } }\n"),
        &["from 9 to 8, which is empty", "from = 8, to = 9"],
    );
    says(&only("params = { fast = { from = 9 } }\n"), &["needs both ends", "the default is 8 to 40"]);
    says(&only("params = { fast = 60 }\n"), &["goes up to 60, and slow from 60 by default"]);
    says(
        &only("params = { fast = { from = 8, to = 90 }, slow = { from = 80, to = 200 } }\n"),
        &["contradict"],
    );
    assert_eq!(problems(&format!("{SMALLEST}params = {{ fast = 60, slow = 61 }}\n")), [""; 0]);
}

#[test]
fn the_defaults_of_every_family_are_in_order_themselves() {
    for family in FamilyId::ALL {
        for (low, high) in families::info(*family).ordered {
            let of = |n: &str| families::info(*family).params.iter().find(|p| p.name == n).unwrap();
            assert!(of(low).default.to < of(high).default.from, "{family}: {low}, {high}");
        }
    }
}

#[test]
fn settings_that_contradict_are_refused_where_the_last_word_was_spoken() {
    says(
        &only("\n[listening]\nhumility_least = 0.6\n"),
        &[
            "f.toml:16:18:",
            "humility_least in [listening] is 0.6",
            "at most humility_most in [listening], which is 0.5 (default)",
        ],
    );
    says(&only("\n[funds]\nfloor = 0.9\ncap = 0.8\n"), &["floor in [funds] is 0.9 and must be at most cap"]);
    says(&only("\n[managers.fast]\ncost_share_low = 0.35\n"), &["must be below cost_share_high"]);
    says(&only("\n[desk]\ngross_max = 9\n"), &["gross_fuse in [risk], which is 7"]);
    says(&only("\n[clock]\ndecide = \"1d\"\ndelist_after = \"12h\"\n"), &["delisted between two bars"]);
    says(&only("\n[costs]\nflat_bp = 7\nimpact = 0.5\n"), &["impact in [costs] contradicts flat_bp"]);
    let set = variables(&[("HIVE_CLOCK_DECIDE", "1w")]);
    let error = load("f", SMALLEST, set, &[]).unwrap_err();
    assert!(error.to_string().starts_with("HIVE_CLOCK_DECIDE: decide in [clock] is 7d"), "{error}");
    // A value that was not taken is one problem, not two.
    only("\n[listening]\nhumility_least = 3\nhumility_most = 0.001\n");
}

#[test]
fn a_goal_that_is_used_needs_its_preset() {
    let all = problems(&SMALLEST.replace("goal = \"automated\"", "goal = \"fast\""));
    assert_eq!(all.len(), 1);
    says(&all[0], &["f.toml:12:8:", "no [preset.fast]", "add [preset.fast]"]);
}

#[test]
fn there_is_a_limit_on_agents_scouts_text_and_problems() {
    let agent = SMALLEST.split("[[agent]]").nth(1).unwrap();
    let more = (1..=AGENTS_MAX).map(|i| agent.replace("Mira", &format!("A{i}")));
    let all = problems(&format!("{SMALLEST}[[agent]]{}", more.collect::<Vec<_>>().join("[[agent]]")));
    assert_eq!(all.len(), 1);
    says(&all[0], &["1001 agents, but at most 1000"]);
    says(&only("\n[hive]\nscouts = 10001\n"), &["from 0 to 10000 (agents)"]);
    says(&problems(&"#".repeat(TEXT_BYTES_MAX + 1))[0], &["at most 1048576 are read"]);
    let other: Vec<String> = (0..1_500).map(|i| format!("line{i} = {i}\n")).collect();
    let all = problems(&other.concat());
    assert_eq!(all.len(), 1_001);
    // No version and no agents are among them.
    assert_eq!(all[1_000], "f.toml: and 502 more; is this the right file?");
}

#[test]
fn costs_of_a_venue_are_checked_like_those_of_all() {
    for (text, parts) in [
        (
            "[costs.venue.x]\ntaker_bpp = { perp = 5 }",
            vec!["unknown key \"taker_bpp\" in [costs.venue.x]", "\"taker_bp\""],
        ),
        (
            "[costs.venue.x]\ntaker_bp = { prp = 5 }",
            vec!["unknown key \"prp\" in [costs.venue.x.taker_bp]", "\"perp\""],
        ),
        (
            "[costs.venue.x]\ntaker_bp = { perp = 5000 }",
            vec!["taker_bp.perp in [costs.venue.x] is 5000, out of bounds"],
        ),
        (
            "[costs.venue.x]\ntaker_bp = 5",
            vec!["[costs.venue.x.taker_bp] must be a table", "taker_bp = { spot = …"],
        ),
        ("[costs.venue.x]\nlevel = \"B\"", vec!["unknown key \"level\" in [costs.venue.x]"]),
        ("[costs.venue.x]\nfee_in_coins = 1", vec!["fee_in_coins in [costs.venue.x] must be true or false"]),
        ("[costs.venue]\nx = 5", vec!["[costs.venue.x] must be a table"]),
        ("[costs]\nvenue = 5", vec!["[costs.venue] must be a table"]),
        ("[costs.venue.\"a b\"]\ndelivery_bp = 1", vec!["\"a b\" is no name of a venue"]),
        ("[costs]\nvenues = 5", vec!["unknown key \"venues\" in [costs]", "\"venue\""]),
        (
            "[costs]\nflat_bp = 7\n[costs.venue.x]\ndelivery_bp = 1",
            vec!["venue in [costs] contradicts flat_bp"],
        ),
    ] {
        let problem = only(&format!("\n{text}\n"));
        says(&problem, &parts);
        assert!(problem.starts_with("f.toml:"), "{problem}");
    }
}
