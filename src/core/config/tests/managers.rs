//! `[[manager]]`, and how much of what all assets have in common is heard.

use super::*;
use crate::agents::declaration::{TeamMembers, TeamReading};
use crate::domain::{FamilyId, Goal};
use crate::hive::across::AcrossAssets;

const KEEL: &str = "\n[[manager]]\nname = \"Keel\"\ngoal = \"low_risk\"\nover = [\"family:trend\", \"goal:fast\", \"all\"]\n\
                    watches = \"drawdown\"\nabove = 0.06\nrelease = 0.02\nsize = 0.5\n";

#[test]
fn a_manager_of_a_team_is_what_its_table_says_and_changes_the_hash_of_the_roster() {
    let plain = parse("f.toml", SMALLEST).unwrap();
    let managed = parse("f.toml", &format!("{SMALLEST}{KEEL}")).unwrap();
    let [keel] = &managed.roster.managers[..] else { panic!("{:?}", managed.roster.managers) };
    assert_eq!((keel.name.as_str(), keel.goal, keel.watches), ("Keel", Goal::LowRisk, TeamReading::Drawdown));
    assert_eq!((keel.above, keel.release, keel.size), (0.06, 0.02, 0.5));
    let over = [TeamMembers::Family(FamilyId::Trend), TeamMembers::DeployedFor(Goal::Fast), TeamMembers::All];
    assert_eq!(keel.over, over);
    assert_ne!(roster_hash(&plain), roster_hash(&managed));
    let other = parse("f.toml", &format!("{SMALLEST}{}", KEEL.replace("0.5", "0.4"))).unwrap();
    assert_ne!(roster_hash(&other), roster_hash(&managed));
}

#[test]
fn what_no_manager_can_be_is_told_with_the_way_out() {
    for (from, to, parts) in [
        ("name = \"Keel\"\n", "", &["[[manager]] number 1 has no name", "like name"] as &[&str]),
        ("\"Keel\"", "\"low_risk\"", &["\"low_risk\" is the name of somebody else", "choose another"]),
        ("\"Keel\"", "\"a b\"", &["is no name for a manager", "letters, digits"]),
        ("goal = \"low_risk\"", "goal = \"low\"", &["goal in [[manager]] \"Keel\" is \"low\""]),
        ("family:trend", "family:trnd", &["unknown family \"trnd\"", "did you mean \"trend\"?"]),
        ("goal:fast", "goal:fats", &["unknown goal \"fats\"", "did you mean \"fast\"?"]),
        ("\"all\"", "\"Nobody\"", &["names \"Nobody\", and there is no such agent"]),
        ("goal:fast", "asset:BTC", &["which is no form", "\"family:trend\""]),
        ("\"drawdown\"", "\"weather\"", &["watches in [[manager]] \"Keel\" is \"weather\""]),
        (
            "above = 0.06",
            "above = 0.01",
            &["release in [[manager]] \"Keel\" is 0.02, above its above = 0.01"],
        ),
        ("size = 0.5", "size = 1.5", &["size in [[manager]] \"Keel\" is 1.5, out of bounds"]),
        ("size = 0.5", "size = 0.5\nsizes = 1", &["unknown key \"sizes\"", "did you mean \"size\"?"]),
    ] {
        assert!(KEEL.contains(from), "{from}");
        says(&only(&KEEL.replace(from, to)), parts);
    }
    says(&only(&format!("{KEEL}{KEEL}")), &["there are two managers \"Keel\"", "rename one"]);
    says(
        &only("\n[manager]\nname = \"Keel\"\n"),
        &["manager must be a list", "[[manager]] with two brackets"],
    );
}

#[test]
fn across_is_a_word_or_a_part_and_nothing_else() {
    let read = |value: &str| {
        let text = format!("{SMALLEST}\n[listening]\nacross = {value}\n");
        parse("f.toml", &text).unwrap().listening.across
    };
    assert_eq!(parse("f.toml", SMALLEST).unwrap().listening.across, AcrossAssets::Off);
    assert_eq!(read("\"equal-risk\""), AcrossAssets::EqualRisk);
    assert_eq!(read("0.25"), AcrossAssets::Fixed(0.25));
    let wrong = |value: &str| only(&format!("\n[listening]\nacross = {value}\n"));
    says(&wrong("\"on\""), &["across in [listening] is \"on\"", "\"off\"", "\"equal-risk\""]);
    says(&wrong("-1"), &["across in [listening] is -1, out of bounds"]);
}
