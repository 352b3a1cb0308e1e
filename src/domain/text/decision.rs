//! What a rule decided about a call, in words.

use crate::domain::model::entry::{Condition, Decision, Share};

/// Why a rule did not act on a call, or what it did.
pub fn decision(decision: &Decision) -> String {
    match decision {
        Decision::Spent => "spent".to_owned(),
        Decision::Expired => "expired".to_owned(),
        Decision::Paused => "paused by flap".to_owned(),
        Decision::NoMatch { selector } => format!("no match: {selector}"),
        Decision::Skipped { by } => format!("skipped: rule {by} acted first"),
        Decision::Missed { drew, below } => {
            let (drew, below) = shares(*drew, *below);
            format!("drew {drew}, needed < {below}")
        }
        Decision::NotDue { count, condition } => match condition {
            Condition::Nth(nth) if count < nth => format!("call {count} of {nth}"),
            Condition::Nth(nth) => format!("call {count}, acts only on call {nth}"),
            Condition::First(first) => format!("call {count}, acts on the first {first}"),
            Condition::Every(every) => format!("call {count}, acts on every {every}"),
            Condition::After(after) => format!("call {count}, acts after {after}"),
            Condition::Steps(steps) => format!("call {count}, its chain is for {steps}"),
        },
        Decision::Passed => "let the call pass".to_owned(),
        Decision::Fired => "acted".to_owned(),
    }
}

/// Two shares with as few decimals as tell them apart, but at least two.
fn shares(drew: Share, below: Share) -> (String, String) {
    let text = |share: Share, decimals: usize| {
        let digits = format!("{:06}", share.0 % 1_000_000);
        format!("{}.{}", share.0 / 1_000_000, &digits[..decimals])
    };
    let is_exact = |decimals: usize| below.0.is_multiple_of(10_u32.pow(6 - decimals as u32));
    let decimals = (2..6).find(|at| is_exact(*at) && text(drew, *at) != text(below, *at)).unwrap_or(6);
    (text(drew, decimals), text(below, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_shown_with_as_many_decimals_as_it_needs() {
        for (drew, below, expected) in [
            (701_545, 500_000, "drew 0.70, needed < 0.50"),
            (500_300, 500_000, "drew 0.5003, needed < 0.5000"),
            (999_999, 5_000, "drew 0.999, needed < 0.005"),
            (500_000, 500_000, "drew 0.500000, needed < 0.500000"),
            (1, 0, "drew 0.000001, needed < 0.000000"),
        ] {
            let missed = Decision::Missed { drew: Share(drew), below: Share(below) };
            assert_eq!(decision(&missed), expected);
        }
    }
}
