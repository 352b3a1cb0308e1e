//! Durations as users write them: `200ms`, `15s`, `2m`, `1h`, with a decimal point where that helps.

use std::time::Duration;

const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

/// Reads a number with its unit. The finest step is a millisecond.
pub fn parse(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit);
    let (_, scale) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let fraction = match fraction {
        "" if number.contains('.') => return None,
        "" => 0,
        digits => {
            digits.parse::<u64>().ok()?.checked_mul(scale)?
                / 10_u64.checked_pow(u32::try_from(digits.len()).ok()?)?
        }
    };
    Some(Duration::from_millis(whole.checked_add(fraction)?))
}

/// Prints a duration of whole milliseconds in the largest unit that needs no fraction.
pub fn print(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (unit, scale) = UNITS
        .into_iter()
        .rev()
        .find(|(_, scale)| millis > 0 && millis.is_multiple_of(*scale))
        .unwrap_or(("s", 1000));
    format!("{}{unit}", millis / scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_duration_is_a_number_with_a_unit() {
        for (text, millis) in
            [("200ms", 200), ("15s", 15_000), ("1.5s", 1500), ("2m", 120_000), ("0.25h", 900_000), ("0s", 0)]
        {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in
            ["", "5", "s", "5 s", "-5s", "5d", "1.s", "1.2.3s", "99999999999999999999s", "9999999999999999h"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_duration_is_the_duration_again(millis in 0_u64..100_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&print(duration)), Some(duration));
        }
    }
}
