//! Selectors of assets: `BTC`, `@majors`, `top:8:volume`, `random:2`, `any`.

use super::problem::quoted;
use crate::agents::declaration::Selector;

/// Most assets that one selector counts out; no feed here has more.
pub const ASSETS_COUNTED_MAX: u16 = 1_000;
/// Longest symbol of an asset.
const SYMBOL_CHARS_MAX: usize = 20;

/// The forms a selector may have, for hints.
pub(super) const FORMS: &str = "use \"BTC\", \"@group\", \"top:8:volume\", \"random:2\" or \"any\"";

/// Whether this can be the symbol of an asset, as `BTC`, `1000SHIB` or `BRK.B`.
pub(super) fn is_symbol(text: &str) -> bool {
    (1..=SYMBOL_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"._-".contains(&b))
        && text.bytes().any(|b| b.is_ascii_alphanumeric())
}

/// Reads a selector; whether its group exists is not looked at. On failure, what is wrong and the way out.
pub(super) fn parse(text: &str) -> Result<Selector, (String, String)> {
    let bad = |why: &str, hint: String| Err((format!("{} is no selector: {why}", quoted(text)), hint));
    if text == "any" {
        return Ok(Selector::Any);
    }
    if let Some(group) = text.strip_prefix('@') {
        return Ok(Selector::Group(group.to_owned()));
    }
    let mut parts = text.split(':');
    let form = (parts.next(), parts.next(), parts.next(), parts.next());
    match form {
        (Some("top"), Some(n), Some("volume"), None) => match count(n) {
            Some(n) => Ok(Selector::Top(n)),
            None => bad("how many?", count_hint("top:8:volume")),
        },
        (Some("random"), Some(n), None, None) => match count(n) {
            Some(n) => Ok(Selector::Random(n)),
            None => bad("how many?", count_hint("random:2")),
        },
        (Some("top"), Some(n), None, None) if count(n).is_some() => {
            bad("top by what?", format!("use \"top:{n}:volume\""))
        }
        (Some(name), None, ..) if is_symbol(name) => Ok(Selector::Name(name.to_owned())),
        (Some(name), None, ..) if is_symbol(&name.to_ascii_uppercase()) => {
            bad("symbols of assets are in capitals", format!("use \"{}\"", name.to_ascii_uppercase()))
        }
        _ => bad("no form that is known", FORMS.to_owned()),
    }
}

fn count(text: &str) -> Option<u16> {
    let n = text.parse().ok()?;
    (1..=ASSETS_COUNTED_MAX).contains(&n).then_some(n)
}

fn count_hint(example: &str) -> String {
    format!("a whole number from 1 to {ASSETS_COUNTED_MAX}, like \"{example}\"")
}

/// The selector as it is written.
pub(super) fn print(selector: &Selector) -> String {
    match selector {
        Selector::Name(name) => name.clone(),
        Selector::Group(group) => format!("@{group}"),
        Selector::Top(n) => format!("top:{n}:volume"),
        Selector::Random(n) => format!("random:{n}"),
        Selector::Any => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back_as_written() {
        for text in ["BTC", "1000SHIB", "BRK.B", "@majors", "top:8:volume", "random:2", "any"] {
            assert_eq!(print(&parse(text).unwrap()), text);
        }
    }

    #[test]
    fn bad_forms_say_the_way_out() {
        let hint = |text: &str| parse(text).unwrap_err().1;
        assert_eq!(hint("top:8"), "use \"top:8:volume\"");
        assert_eq!(hint("btc"), "use \"BTC\"");
        for text in ["top:0:volume", "random:-1", "random:x", "random:1001"] {
            assert!(hint(text).starts_with("a whole number from 1 to 1000"), "{text}");
        }
        for text in ["", "top:8:fame", "random:2:3", "a b", "é", "random", "..."] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
