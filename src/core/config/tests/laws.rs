//! What holds for any text and any value.

use super::*;
use proptest::prelude::*;

/// Text that is nearly a file: lines of the real one, shuffled with junk.
fn nearly() -> impl Strategy<Value = String> {
    let lines: Vec<&'static str> = SHIPPED.lines().chain(TEN.lines()).collect();
    let line = prop_oneof![
        6 => proptest::sample::select(lines).prop_map(str::to_owned),
        1 => "[\\[\\]a-z=\"{}., 0-9é]{0,20}",
    ];
    proptest::collection::vec(line, 0..40).prop_map(|l| l.join("\n"))
}

fn places_lie_in_the_text(text: &str) -> Result<(), TestCaseError> {
    if let Err(all) = parse("f", text) {
        prop_assert!(!all.0.is_empty());
        for problem in &all.0 {
            prop_assert!(problem.line <= text.split('\n').count());
            let line = text.split('\n').nth(problem.line.max(1) - 1).unwrap_or_default();
            prop_assert!(problem.column <= line.chars().count() + 1, "{problem}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        places_lie_in_the_text(&text)?;
    }

    #[test]
    fn no_text_that_is_nearly_a_file_makes_it_panic(text in nearly()) {
        places_lie_in_the_text(&text)?;
    }

    #[test]
    fn no_value_of_a_setting_makes_it_panic(i in 0..SETTINGS.len(), value in "[-+.0-9a-zé]{0,30}") {
        let (variable, path) = (SETTINGS[i].variable(), SETTINGS[i].path);
        match load(SHIPPED_FILE, SHIPPED, [(variable.clone(), value)], &[]) {
            Ok((config, origins)) => {
                prop_assert_eq!(origins.of(path), Origin::Variable(variable.clone()));
                let shown = show(&config, &origins);
                let printed = shown.iter().find(|(p, ..)| *p == path).map(|(_, v, _)| v.clone());
                let printed = printed.unwrap_or_default();
                let again = load(SHIPPED_FILE, SHIPPED, [(variable, printed)], &[]);
                prop_assert_eq!(again.map(|(c, _)| c), Ok(config));
            }
            Err(all) => prop_assert!(all.0.iter().all(|p| p.file == variable), "{}", all),
        }
    }
}
