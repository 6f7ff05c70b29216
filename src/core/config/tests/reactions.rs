//! The language of reactions: what is taken, in which order it holds, what is refused, and what the hash knows of it.

use super::*;
use crate::domain::reaction::{REACTION_NAME_MAX, REACTIONS_MAX};
use crate::domain::{
    AnnouncedLevel, FamilyId, Goal, HeardOn, HeardSide, Hearing, Hears, Reaction, ReactionEffect, Reason,
    Service, Span, Whom,
};
use proptest::prelude::*;

/// Another agent for the smallest file.
const OTTO: &str = "
[[agent]]
name = \"Otto\"
family = \"range\"
assets = \"any\"
goal = \"automated\"
personality = \"plain\"
";

/// The smallest file with Otto and, of Mira, a reaction of these parts.
fn with(hears: &str, then: &str) -> String {
    let rule =
        format!("[[agent.reacts]]\nname = \"rule\"\nhears = {{ {hears} }}\nthen = {{ {then} }}\n{OTTO}");
    format!("{SMALLEST}{rule}")
}

fn taken(hears: &str, then: &str) -> Reaction {
    let text = with(hears, then);
    let config = parse("f.toml", &text).unwrap_or_else(|p| panic!("{p}\n{text}"));
    config.roster.agents[0].reacts[0].clone()
}

#[track_caller]
fn refused(hears: &str, then: &str, parts: &[&str]) {
    let all = problems(&with(hears, then));
    assert_eq!(all.len(), 1, "{all:#?}");
    says(&all[0], parts);
}

const ANY: &str = "what = \"opened\"";
const WAIT: &str = "wait = \"2d\"";

#[test]
fn what_is_left_out_is_anyone_on_the_own_asset_on_either_side_within_a_day() {
    let hears = Hears {
        what: Hearing::Opened,
        who: Whom::Anyone,
        on: HeardOn::Mine,
        side: HeardSide::Either,
        at_least: 1,
        within: Span::DAY,
    };
    let then = ReactionEffect::Wait(Span(2 * Span::DAY.0));
    assert_eq!(taken(ANY, WAIT), Reaction { name: "rule".to_owned(), hears, then });
}

#[test]
fn every_word_of_the_language_is_taken_for_what_it_says() {
    let what = |text: &str| taken(text, WAIT).hears.what;
    assert_eq!(what("what = \"closed\""), Hearing::Closed);
    assert_eq!(what("what = \"won\""), Hearing::Won);
    assert_eq!(what("what = \"lost\""), Hearing::Lost(None));
    assert_eq!(what("what = \"lost\", reason = \"trailing_stop\""), Hearing::Lost(Some(Reason::Trail)));
    assert_eq!(what("what = \"near\", level = \"stop\""), Hearing::Near(AnnouncedLevel::Stop, 1.0));
    assert_eq!(what("what = \"near\", level = \"add\", sigmas = 2"), Hearing::Near(AnnouncedLevel::Add, 2.0));
    let (goal, met) = (Goal::BigMoney, Some(Goal::LowRisk));
    assert_eq!(
        what("what = \"goal\", goal = \"big_money\", below = 0.5, met = \"low_risk\""),
        Hearing::Goal { goal, below: true, score: 0.5, met }
    );
    assert_eq!(
        what("what = \"goal\", goal = \"big_money\", above = 0"),
        Hearing::Goal { goal, below: false, score: 0.0, met: None }
    );
    for (word, meaning) in [
        ("added", Hearing::Added),
        ("reduced", Hearing::Reduced),
        ("amended", Hearing::Amended),
        ("waited", Hearing::Waited),
        ("rested", Hearing::Rested),
        ("doubted", Hearing::Doubted),
        ("confirmed", Hearing::Confirmed),
        ("tightened", Hearing::Turned { less: true }),
        ("loosened", Hearing::Turned { less: false }),
        ("carry", Hearing::Carry { above: 0.0 }),
        ("saved", Hearing::Served { saved: true, service: None }),
        ("cost", Hearing::Served { saved: false, service: None }),
    ] {
        assert_eq!(what(&format!("what = \"{word}\"")), meaning);
    }
    assert_eq!(what("what = \"carry\", above = 0.1"), Hearing::Carry { above: 0.1 });
    assert_eq!(what("what = \"fee\", below = 2"), Hearing::Fee { below: true, bps: 2.0 });
    assert_eq!(what("what = \"fee\", above = 5"), Hearing::Fee { below: false, bps: 5.0 });
    let service = Some(Service::Liquidity);
    assert_eq!(what("what = \"cost\", service = \"liquidity\""), Hearing::Served { saved: false, service });
    let manager = taken("what = \"loosened\", who = \"manager:big_money\"", WAIT).hears.who;
    assert_eq!(manager, Whom::Manager(Goal::BigMoney));
    let who = |text: &str| taken(&format!("{ANY}, who = \"{text}\""), WAIT).hears.who;
    assert_eq!(who("anyone"), Whom::Anyone);
    assert_eq!(who("Otto"), Whom::Agent("Otto".to_owned()));
    assert_eq!(who("family:range"), Whom::Family(FamilyId::Range));
    assert_eq!(who("goal:fast"), Whom::DeployedFor(Goal::Fast));
    let on = |text: &str| taken(&format!("{ANY}, on = \"{text}\""), WAIT).hears.on;
    assert_eq!(
        (on("mine"), on("others"), on("BTC")),
        (HeardOn::Mine, HeardOn::Others, HeardOn::Asset("BTC".to_owned()))
    );
    let hears = taken(&format!("{ANY}, side = \"against\", at_least = 3, within = \"4h\""), WAIT).hears;
    assert_eq!((hears.side, hears.at_least, hears.within), (HeardSide::Against, 3, Span(4 * Span::HOUR.0)));
    for (text, effect) in [
        ("enter = \"with\"", ReactionEffect::Enter(true)),
        ("enter = \"against\"", ReactionEffect::Enter(false)),
        ("size = 1.25", ReactionEffect::Size(1.25)),
        ("stop = 0.7", ReactionEffect::Stop(0.7)),
        ("target = 0.6", ReactionEffect::Target(0.6)),
        ("cut = 1", ReactionEffect::Cut(1.0)),
        ("hedge = 0.5", ReactionEffect::Hedge(0.5)),
    ] {
        assert_eq!(taken(ANY, text).then, effect);
    }
}

#[test]
fn an_agent_may_be_called_like_a_family() {
    let text = with("what = \"won\", who = \"trend\"", WAIT).replace("\"Otto\"", "\"trend\"");
    let config = parse("f.toml", &text).unwrap();
    assert_eq!(config.roster.agents[0].reacts[0].hears.who, Whom::Agent("trend".to_owned()));
    let all = problems(&SMALLEST.replace("\"Mira\"", "\"anyone\""));
    says(&all[0], &["f.toml:9:8: \"anyone\" is no name for an agent; reactions mean everybody by it"]);
    assert_eq!(all.len(), 1);
}

fn rule(table: &str, name: &str, then: &str) -> String {
    format!("\n[[{table}.reacts]]\nname = \"{name}\"\nhears = {{ what = \"lost\" }}\nthen = {{ {then} }}\n")
}

fn named(agent: &crate::agents::declaration::Declaration) -> Vec<(&str, ReactionEffect)> {
    agent.reacts.iter().map(|r| (r.name.as_str(), r.then)).collect()
}

#[test]
fn reactions_of_goal_personality_and_agent_hold_in_this_order_and_the_later_of_a_name() {
    let text = [
        SMALLEST.to_owned(),
        rule("agent", "b", "cut = 0.5"),
        rule("agent", "d", "cut = 0.6"),
        OTTO.to_owned(),
        rule("personality.plain", "b", "cut = 0.3"),
        rule("personality.plain", "c", "cut = 0.4"),
        rule("preset.automated", "a", "cut = 0.1"),
        rule("preset.automated", "c", "cut = 0.2"),
    ];
    let (config, origins) = load("f.toml", &text.concat(), [], &[]).unwrap();
    let [mira, otto] = &config.roster.agents[..] else { panic!("two") };
    let cut = ReactionEffect::Cut;
    assert_eq!(named(mira), [("a", cut(0.1)), ("c", cut(0.4)), ("b", cut(0.5)), ("d", cut(0.6))]);
    assert_eq!(named(otto), [("a", cut(0.1)), ("b", cut(0.3)), ("c", cut(0.4))]);
    let from = |name| {
        let all = origins.reactions(name).iter().map(|o| format!("{} {}", o.holder, o.place));
        all.collect::<Vec<_>>()
    };
    let expected =
        ["preset automated f.toml:43", "personality plain f.toml:38", "own f.toml:16", "own f.toml:21"];
    assert_eq!(from("Mira"), expected);
    assert_eq!(from("Otto").len(), 3);
    assert!(from("Nobody").is_empty());
}

#[test]
fn an_empty_list_takes_away_what_came_before_it() {
    let preset = rule("preset.automated", "a", "cut = 0.1");
    let hermit = SMALLEST.replace("[personality.plain]", "[personality.plain]\nreacts = []");
    let agents = |text: String| parse("f.toml", &text).unwrap().roster.agents;
    assert_eq!(named(&agents(format!("{hermit}{preset}"))[0]), []);
    let own = rule("agent", "b", "cut = 0.5");
    assert_eq!(named(&agents(format!("{hermit}{own}{preset}"))[0]), [("b", ReactionEffect::Cut(0.5))]);
    let none = format!("{SMALLEST}reacts = []\n{OTTO}{preset}");
    let of_both: Vec<usize> = agents(none).iter().map(|a| a.reacts.len()).collect();
    assert_eq!(of_both, [0, 1]);
}

#[test]
fn keys_and_words_that_are_not_known_are_told_the_nearest() {
    refused(
        "what = \"opend\"",
        WAIT,
        &[
            "f.toml:16:18: what of reaction \"rule\" of [[agent]] \"Mira\" is \"opend\"",
            "did you mean \"opened\"?",
        ],
    );
    refused(
        &format!("{ANY}, whom = \"Otto\""),
        WAIT,
        &["f.toml:16:28: unknown key \"whom\" in hears of reaction \"rule\"", "\"who\""],
    );
    refused("wat = \"lost\"", WAIT, &["unknown key \"wat\"", "did you mean \"what\"?"]);
    refused(
        "side = \"with\"",
        WAIT,
        &[
            "f.toml:16:9: hears of reaction \"rule\"",
            "has no what",
            "what = one of opened, added, closed, reduced, amended",
        ],
    );
    refused(&format!("{ANY}, side = \"agains\""), WAIT, &["side of reaction", "did you mean \"against\"?"]);
    refused(&format!("{ANY}, on = \"other\""), WAIT, &["on of reaction", "did you mean \"others\"?"]);
    refused(
        &format!("{ANY}, on = \"btc\""),
        WAIT,
        &["which is no asset; symbols of assets are in capitals: use \"BTC\""],
    );
    refused("what = \"lost\", reason = \"stopp\"", WAIT, &["reason of", "did you mean \"stop\"?"]);
    refused("what = \"near\", level = \"stops\"", WAIT, &["level of", "did you mean \"stop\"?"]);
    refused(
        "what = \"goal\", goal = \"lowrisk\", below = 0.5",
        WAIT,
        &["goal of", "did you mean \"low_risk\"?"],
    );
    refused("what = \"goal\", goal = \"fast\", belo = 0.5", WAIT, &["unknown key \"belo\"", "\"below\""]);
    refused("what = \"goal\", goal = \"fast\", below = 0.5, met = \"fats\"", WAIT, &["met of", "\"fast\""]);
    refused(ANY, "wiat = \"2d\"", &["f.toml:17:10: unknown effect \"wiat\" in then of reaction", "\"wait\""]);
    refused(ANY, "enter = \"wit\"", &["enter of reaction", "did you mean \"with\"?"]);
    says(
        &only(
            "[[agent.reacts]]\nname = \"x\"\nhears = { what = \"won\" }\nthen = { cut = 1 }\nside = \"with\"\n",
        ),
        &["f.toml:18:1: side in reaction \"x\"", "wrong place", "write hears = { side = … }"],
    );
    says(
        &only("[[agent.react]]\nname = \"x\"\n"),
        &["unknown key \"react\" in [[agent]] \"Mira\"", "\"reacts\""],
    );
    says(&only("traits = { reacts = [] }\n"), &["unknown trait \"reacts\" in traits of [[agent]] \"Mira\""]);
    says(
        &only("\n[[preset.automated.reacs]]\n"),
        &["unknown key \"reacs\" in [preset.automated]", "\"reacts\""],
    );
    says(
        &only("\n[[personality.plain.reacs]]\n"),
        &["unknown trait \"reacs\" in [personality.plain]", "\"reacts\""],
    );
}

#[test]
fn a_reaction_hears_somebody_who_is_there_and_never_itself() {
    let of = |who: &str| format!("{ANY}, who = \"{who}\"");
    refused(
        &of("Oto"),
        WAIT,
        &["f.toml:16:34: unknown agent \"Oto\" in who of reaction", "did you mean \"Otto\"?"],
    );
    refused(&of("trend"), WAIT, &["unknown agent \"trend\"", "use \"family:trend\""]);
    refused(&of("fast"), WAIT, &["unknown agent \"fast\"", "use \"goal:fast\""]);
    refused(
        &of("anybody else"),
        WAIT,
        &["use \"anyone\", an agent's name, \"family:trend\" or \"goal:low_risk\""],
    );
    refused(&of("Mira"), WAIT, &["is \"Mira\" itself", "name another agent"]);
    refused(&of("family:tremd"), WAIT, &["unknown family \"tremd\"", "\"trend\""]);
    refused(&of("goal:slow"), WAIT, &["unknown goal \"slow\"", "low_risk"]);
    refused(&of("team:red"), WAIT, &["is \"team:red\", which is no form"]);
    // By what it shares with others: told where it takes it on.
    let shared = "\n[[personality.plain.reacts]]\nname = \"x\"\nhears = { what = \"won\", who = \"Mira\" }\nthen = { cut = 1 }\n";
    says(
        &only(shared),
        &["f.toml:13:15: [[agent]] \"Mira\" would hear itself by reaction \"x\" of its personality"],
    );
    let own = rule("agent", "x", "cut = 1");
    assert_eq!(problems(&format!("{SMALLEST}{own}{shared}")), [""; 0], "its own stands in its place");
    // Who has no name may be whoever is meant.
    let nameless = with(&of("Oto"), WAIT).replace("name = \"Otto\"", "");
    assert_eq!(problems(&nameless).len(), 1, "{:#?}", problems(&nameless));
}

/// The smallest file, its agent of this family.
fn of_family(family: &str) -> String {
    SMALLEST.replace("family = \"trend\"", &format!("family = \"{family}\""))
}

#[test]
fn what_can_act_on_nothing_that_a_family_in_legs_does_is_refused_where_it_is_its_own() {
    let sides = ["scalp"];
    let adds = ["arbitrage", "cash_and_carry", "funding"];
    for family in FamilyId::ALL.iter().map(|f| f.text()) {
        let is_in_legs = FamilyId::parse(family).unwrap().is_structured();
        let said = |then: &str| problems(&format!("{}{}", of_family(family), rule("agent", "x", then)));
        for then in ["wait = \"2d\"", "size = 0.5", "stop = 0.5", "target = 2", "target = 0.5", "cut = 1"] {
            assert_eq!(said(then), [""; 0], "{family}: {then}");
        }
        for (then, may, way_out) in [
            ("enter = \"with\"", false, "use wait, size, stop, target or cut"),
            ("enter = \"against\"", false, "an edge of its own, which no word makes"),
            ("size = 1.25", adds.contains(&family), "use a size below 1, or a target above it"),
            ("hedge = 0.5", sides.contains(&family), "use cut"),
        ] {
            let all = said(then);
            assert_eq!(all.len(), usize::from(is_in_legs && !may), "{family}: {then}: {all:#?}");
            all.iter().for_each(|problem| {
                let name = format!("f.toml:18:8: reaction \"x\" of [[agent]] \"Mira\" rests: {family} ");
                says(problem, &[&name, way_out]);
            });
        }
    }
}

#[test]
fn what_it_shares_with_others_rests_where_it_cannot_act_and_its_own_of_that_name_stands_in_its_place() {
    let shared = rule("personality.plain", "x", "enter = \"with\"");
    let also = rule("preset.automated", "y", "size = 1.25");
    let text = format!("{}{shared}{also}", of_family("options"));
    let resting = |text: &str| {
        let (config, origins) = load("f.toml", text, [], &[]).unwrap_or_else(|p| panic!("{p}"));
        let names: Vec<String> = origins.resting("Mira").iter().map(|r| r.name.clone()).collect();
        (names, config.roster.agents[0].reacts.len(), origins.reactions("Mira").len())
    };
    assert_eq!(resting(&text), (vec!["y".to_owned(), "x".to_owned()], 0, 0));
    let own = rule("agent", "x", "cut = 1");
    let text = format!("{}{own}{shared}{also}", of_family("options"));
    assert_eq!(resting(&text), (vec!["y".to_owned()], 1, 1));
    let text = format!("{SMALLEST}{shared}{also}");
    assert_eq!(resting(&text), (vec![], 2, 2), "at bars all of them act");
}

#[test]
fn numbers_and_times_of_reactions_have_bounds() {
    let more = |text: &str| format!("{ANY}, {text}");
    refused(
        &more("at_least = 0"),
        WAIT,
        &["at_least of reaction", "is 0, out of bounds", "a whole number from 1 to 8"],
    );
    refused(&more("at_least = 2.5"), WAIT, &["is 2.5, out of bounds"]);
    refused(&more("at_least = \"2\""), WAIT, &["at_least of", "must be a number, not text"]);
    refused(&more("at_least = 2, who = \"Otto\""), WAIT, &["is 2, but \"Otto\" is one speaker"]);
    refused(
        &more("within = \"61d\""),
        "enter = \"with\"",
        &["f.toml:16:37: within of reaction", "is 61d, out of bounds; from 1m to 60d"],
    );
    refused(&more("within = \"1x\""), WAIT, &["which is no length of time", "3d"]);
    refused(ANY, "wait = \"30s\"", &["wait of reaction", "from 1m to 60d"]);
    refused(ANY, "wait = 2", &["wait of", "must be text in quotes"]);
    refused(
        "what = \"near\", level = \"stop\", sigmas = 17",
        WAIT,
        &["sigmas of", "from 0.1 to 16 (volatilities of a bar)"],
    );
    refused("what = \"goal\", goal = \"fast\", below = 0", WAIT, &["below of", "from 0.01 to 1"]);
    refused("what = \"goal\", goal = \"fast\", above = 1", WAIT, &["above of", "from 0 to 0.99"]);
    refused(ANY, "size = 2.5", &["f.toml:17:17: size of reaction", "from 0.25 to 2 (times the own size)"]);
    refused(ANY, "stop = 1.1", &["stop of", "from 0.1 to 1 (of the stop's distance)"]);
    refused(ANY, "target = 0.4", &["target of", "from 0.5 to 2"]);
    refused(ANY, "cut = 0", &["cut of", "from 0.05 to 1 (of the position)"]);
    refused(ANY, "hedge = nan", &["hedge of", "is nan"]);
    for word in ["size", "stop", "target"] {
        refused(ANY, &format!("{word} = 1"), &["is 1, which changes nothing", "below 1 is"]);
    }
}

#[test]
fn a_rule_hears_one_thing_and_does_one_thing() {
    refused(
        ANY,
        "wait = \"2d\", stop = 0.5",
        &["f.toml:17:8: then of reaction", "has 2 effects: stop and wait", "write another one"],
    );
    refused(
        ANY,
        "",
        &["then of reaction", "does nothing", "one of wait, enter, size, stop, target, cut, hedge"],
    );
    refused("what = \"near\"", WAIT, &["is near, but to which level?", "level = \"stop\""]);
    refused("what = \"near\", levl = \"stop\"", WAIT, &["unknown key \"levl\""]);
    refused(
        &format!("{ANY}, level = \"stop\""),
        WAIT,
        &["level of", "says nothing of what = \"opened\"; it belongs to \"near\""],
    );
    refused(
        "what = \"won\", reason = \"stop\"",
        WAIT,
        &["says nothing of what = \"won\"; it belongs to \"lost\""],
    );
    refused(
        "what = \"near\", level = \"stop\", within = \"1d\"",
        WAIT,
        &["within of", "says nothing of what = \"near\""],
    );
    refused(
        "what = \"goal\", goal = \"fast\", above = 0.9, who = \"Otto\"",
        WAIT,
        &["who of", "says nothing of what = \"goal\""],
    );
    refused("what = \"goal\", below = 0.5", WAIT, &["is a goal, but which?", "low_risk"]);
    refused("what = \"goal\", goal = \"fast\"", WAIT, &["has neither below nor above"]);
    refused(
        "what = \"goal\", goal = \"fast\", below = 0.2, above = 0.9",
        WAIT,
        &["has both below and above"],
    );
    refused("what = \"goal\", goal = \"fast\", below = 0.2, met = \"fast\"", WAIT, &["is fast itself"]);
    refused(
        "what = \"goal\", goal = \"fast\", below = 0.2",
        "enter = \"with\"",
        &["f.toml:17:8: enter of", "has no side to take"],
    );
}

#[test]
fn what_could_never_act_is_refused_with_what_can() {
    refused(
        "what = \"near\", level = \"hedge\"",
        WAIT,
        &[
            "f.toml:16:",
            "level of reaction",
            "nobody announces at a price",
            "\"stop\", \"target\" or \"add\"",
        ],
    );
    let near = "what = \"near\", level = \"stop\"";
    refused(
        &format!("{near}, on = \"others\""),
        WAIT,
        &["f.toml:16:", "on of reaction", "no price is near to mine"],
    );
    refused(
        &format!("{near}, who = \"family:options\""),
        WAIT,
        &["who of reaction", "options, which announces no level at a price", "or \"anyone\""],
    );
    refused(
        "what = \"opened\", who = \"manager:fast\"",
        WAIT,
        &["who of reaction", "managers never say what = \"opened\"", "\"tightened\" or \"loosened\""],
    );
    refused(
        "what = \"tightened\", who = \"Otto\"",
        WAIT,
        &["who of reaction", "only managers say what = \"tightened\"", "\"manager:low_risk\""],
    );
    for what in ["amended", "waited", "doubted", "confirmed"] {
        let what = format!("what = \"{what}\"");
        refused(&what, "enter = \"with\"", &["rule", "can never act", "no ground for more risk"]);
        refused(&what, "size = 1.5", &["rule", "can never act", "no ground for more risk"]);
        refused(&format!("{what}, who = \"Otto\""), WAIT, &["of \"Otto\" alone it may be an echo"]);
        refused(&format!("{what}, at_least = 1"), WAIT, &["a whole number from 2 to 8"]);
        assert_eq!(taken(&what, WAIT).hears.at_least, 2);
    }
    for what in ["what = \"fee\", below = 1", "what = \"tightened\"", "what = \"cost\""] {
        refused(what, "enter = \"with\"", &["enter of reaction", "no side to take"]);
        refused(&format!("{what}, side = \"with\""), WAIT, &["side of reaction", "says nothing of"]);
    }
    let against = |side: &str| format!("{ANY}, side = \"{side}\"");
    refused(&against("against"), "enter = \"with\"", &["rule", "can never act", "write side = \"with\""]);
    refused(&against("with"), "enter = \"against\"", &["rule", "can never act", "write side = \"against\""]);
    for (side, enter) in [("with", "with"), ("against", "against"), ("either", "with"), ("either", "against")]
    {
        assert_eq!(
            taken(&against(side), &format!("enter = \"{enter}\"")).then,
            ReactionEffect::Enter(enter == "with")
        );
    }
}

#[test]
fn a_list_of_reactions_is_a_list_of_named_rules() {
    says(
        &only("reacts = \"none\"\n"),
        &["reacts of [[agent]] \"Mira\" must be a list, not text", "reacts = [] for none"],
    );
    says(&only("[agent.reacts]\nname = \"x\"\n"), &["must be a list, not a table", "two brackets"]);
    says(&only("reacts = [3]\n"), &["a reaction of [[agent]] \"Mira\" must be a table"]);
    let all = problems(&format!("{SMALLEST}[[agent.reacts]]\n"));
    assert_eq!(all.len(), 3, "{all:#?}");
    for (problem, key) in all.iter().zip(["name", "hears", "then"]) {
        says(problem, &[&format!("f.toml:14:1: reaction number 1 of [[agent]] \"Mira\" has no {key}")]);
    }
    let twice = [rule("agent", "x", "cut = 1"), rule("agent", "x", "cut = 0.5")].concat();
    says(
        &only(&twice),
        &["f.toml:21:8: there are two reactions \"x\"", "the first is in line 16; rename one"],
    );
    for name in ["", " x", "a=b", "a\\nb", &"x".repeat(REACTION_NAME_MAX + 1)] {
        says(&only(&rule("agent", name, "cut = 1")), &["is no name for a reaction", "1 to 40 letters"]);
    }
    // Every mistake of a rule at once, each in its place.
    let all = problems(&with(
        "what = \"near\", level = \"x\", who = \"Y\", on = \"z z\", side = \"u\", at_least = 0, within = \"1d\"",
        "cut = 3, wait = \"1\"",
    ));
    assert_eq!(all.len(), 9, "{all:#?}");
}

#[test]
fn there_is_a_limit_on_reactions() {
    let many = |table: &str, from: usize, n: usize| -> String {
        (from..from + n).map(|i| rule(table, &format!("r{i}"), "cut = 1")).collect()
    };
    let most = many("agent", 0, REACTIONS_MAX);
    assert_eq!(problems(&format!("{SMALLEST}{most}")), [""; 0]);
    says(
        &only(&many("agent", 0, REACTIONS_MAX + 1)),
        &["[[agent]] \"Mira\" has 33 reactions; an agent lives by at most 32"],
    );
    says(
        &only(&format!("{most}{}", many("personality.plain", 100, 1))),
        &["f.toml:8:1: [[agent]] \"Mira\" has 33 reactions, those of its goal and personality included"],
    );
}

#[test]
fn the_hash_knows_reactions_where_there_are_any() {
    let hash = |text: &str| roster_hash(&parse("f", text).unwrap());
    let one = |then: &str| hash(&format!("{SMALLEST}{}", rule("agent", "x", then)));
    let plain = hash(SMALLEST);
    assert_eq!(plain, hash(&format!("{SMALLEST}reacts = []\n")));
    let all = [plain.clone(), one("cut = 1"), one("cut = 0.5"), one("hedge = 0.5")];
    for (i, a) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|b| a != b), "{all:?}");
    }
    let shared = hash(&format!("{SMALLEST}{}", rule("personality.plain", "x", "cut = 1")));
    assert_eq!(one("cut = 1"), shared, "what acts counts, not where it stands");
    assert_ne!(one("cut = 1"), hash(&format!("{SMALLEST}{}", rule("agent", "y", "cut = 1"))));
}

/// Any reaction that Mira may have beside Otto.
fn any_reaction() -> impl Strategy<Value = Reaction> {
    let spans = || (1_i64..60 * 24 * 60).prop_map(|m| Span(m * Span::MINUTE.0));
    let level =
        prop_oneof![Just(AnnouncedLevel::Stop), Just(AnnouncedLevel::Target), Just(AnnouncedLevel::Add)];
    let goals = || proptest::sample::select(Goal::ALL);
    let plain = proptest::sample::select(vec![
        Hearing::Opened,
        Hearing::Added,
        Hearing::Closed,
        Hearing::Reduced,
        Hearing::Amended,
        Hearing::Waited,
        Hearing::Rested,
        Hearing::Won,
        Hearing::Lost(None),
        Hearing::Doubted,
        Hearing::Confirmed,
        Hearing::Turned { less: true },
        Hearing::Turned { less: false },
    ]);
    let service = proptest::option::of(proptest::sample::select(Service::ALL.to_vec()));
    let what = prop_oneof![
        plain,
        proptest::sample::select(vec![Reason::Stop, Reason::Trail, Reason::Expired, Reason::Liquidated])
            .prop_map(|r| Hearing::Lost(Some(r))),
        (0.0..10.0).prop_map(|above| Hearing::Carry { above }),
        (any::<bool>(), 0.0..100.0).prop_map(|(below, bps)| Hearing::Fee { below, bps }),
        (any::<bool>(), service).prop_map(|(saved, service)| Hearing::Served { saved, service }),
        (level, 0.1..16.0).prop_map(|(level, sigmas)| Hearing::Near(level, sigmas)),
        (goals(), any::<bool>(), 0.01..0.99, proptest::option::of(goals())).prop_map(
            |(goal, below, score, met)| Hearing::Goal { goal, below, score, met: met.filter(|m| *m != goal) }
        ),
    ];
    let who = prop_oneof![
        Just(Whom::Anyone),
        Just(Whom::Agent("Otto".to_owned())),
        proptest::sample::select(FamilyId::ALL).prop_map(Whom::Family),
        goals().prop_map(Whom::DeployedFor),
    ];
    let on =
        prop_oneof![Just(HeardOn::Mine), Just(HeardOn::Others), Just(HeardOn::Asset("1000SHIB".to_owned()))];
    let side = prop_oneof![Just(HeardSide::With), Just(HeardSide::Against), Just(HeardSide::Either)];
    let then = prop_oneof![
        spans().prop_map(ReactionEffect::Wait),
        any::<bool>().prop_map(ReactionEffect::Enter),
        (0.25..2.0).prop_map(ReactionEffect::Size),
        (0.1..1.0).prop_map(ReactionEffect::Stop),
        (0.5..2.0).prop_map(ReactionEffect::Target),
        (0.05..1.0).prop_map(ReactionEffect::Cut),
        (0.05..1.0).prop_map(ReactionEffect::Hedge),
    ];
    let hears = (what, who, on, side, 1_u32..=8, spans());
    let hears = hears.prop_map(|(what, who, on, side, at_least, within)| {
        // A goal is nobody's, and what is announced has no age.
        if matches!(what, Hearing::Goal { .. }) {
            let (who, on, side) = (Whom::Anyone, HeardOn::Mine, HeardSide::Either);
            return Hears { what, who, on, side, at_least: 1, within: Span::DAY };
        }
        let is_turned = matches!(what, Hearing::Turned { .. });
        let who = match who {
            Whom::DeployedFor(goal) if is_turned => Whom::Manager(goal),
            _ if is_turned => Whom::Anyone,
            Whom::Agent(_) if what.is_of_company() => Whom::Anyone,
            who => who,
        };
        let least = if what.is_of_company() { 2 } else { 1 };
        let is_one = matches!(who, Whom::Agent(_) | Whom::Manager(_));
        let at_least = if is_one { 1 } else { at_least.max(least) };
        let on = if what.is_of_asset() { on } else { HeardOn::Mine };
        let side = if what.has_side() { side } else { HeardSide::Either };
        let near = matches!(what, Hearing::Near(..));
        let within = if near { Span::DAY } else { within };
        let on = if near && on == HeardOn::Others { HeardOn::Mine } else { on };
        let who =
            if near && matches!(who, Whom::Family(f) if f.is_structured()) { Whom::Anyone } else { who };
        Hears { what, who, on, side, at_least, within }
    });
    ("[A-Za-zé0-9_][-A-Za-z _]{0,30}[a-z]", hears, then).prop_map(|(name, hears, then)| {
        // What has no side is nobody's to enter with, and open words are no ground for more risk.
        let enters = matches!(then, ReactionEffect::Enter(_));
        let then = match then {
            then if hears.what.is_of_company() && !then.is_cautious() => ReactionEffect::Cut(0.5),
            _ if enters && !hears.what.has_side() => ReactionEffect::Size(1.5),
            then => then,
        };
        let then = match (then, hears.side) {
            (ReactionEffect::Enter(_), HeardSide::With) => ReactionEffect::Enter(true),
            (ReactionEffect::Enter(_), HeardSide::Against) => ReactionEffect::Enter(false),
            (then, _) => then,
        };
        Reaction { name, hears, then }
    })
}

proptest! {
    #[test]
    fn a_reaction_reads_back_as_it_is_printed(reaction in any_reaction()) {
        let printed = super::super::reaction::print(&reaction);
        let text = format!("{SMALLEST}reacts = [{printed}]\n{OTTO}");
        let config = parse("f", &text);
        prop_assert!(config.is_ok(), "{printed}: {config:?}");
        prop_assert_eq!(&config.unwrap().roster.agents[0].reacts, &[reaction]);
    }
}
