//! Chance, drawn so that a run can be repeated: a draw is a function of the seed, the rule and the
//! call's number, and of nothing else. No draw shifts another, and every version draws alike.

/// What a draw is for, so that one call can have several.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Whether `N%` hits.
    Probability = 0,
    /// How long `delay A..B` takes.
    Time = 1,
}

/// A whole number below `sides`.
pub(super) fn draw(seed: u64, rule: &str, call: u64, purpose: Purpose, sides: u64) -> u64 {
    let mixed = mix(mix(mix(seed.wrapping_add(purpose as u64)) ^ fnv1a(rule)) ^ call);
    // The high half of the product: as even as taking a remainder is not.
    ((u128::from(mixed) * u128::from(sides)) >> 64) as u64
}

/// FNV-1a, 64 bits: the printed rule as a number.
fn fnv1a(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// One step of `SplitMix64`.
fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_those_of_their_inventors() {
        // http://www.isthe.com/chongo/tech/comp/fnv and Vigna's splitmix64.c, seeded with 0.
        assert_eq!((fnv1a(""), fnv1a("foobar")), (0xcbf2_9ce4_8422_2325, 0x8594_4171_f739_67e8));
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn no_version_may_draw_otherwise() {
        let drawn = |seed, rule, call, purpose| draw(seed, rule, call, purpose, 1_000_000);
        assert_eq!(
            [
                drawn(0, "any 20%: hang", 1, Purpose::Probability),
                drawn(7, "any 20%: hang", 1, Purpose::Probability),
                drawn(7, "any 21%: hang", 1, Purpose::Probability),
                drawn(7, "any 20%: hang", 2, Purpose::Probability),
                drawn(7, "any 20%: hang", 2, Purpose::Time),
            ],
            [88_675, 640_237, 733_164, 397_463, 795_154]
        );
    }

    #[test]
    fn draws_are_even() {
        let mut hits = [0_u32; 10];
        for call in 0..100_000 {
            hits[usize::try_from(draw(1, "any: pass", call, Purpose::Probability, 10))
                .expect("below ten")] += 1;
        }
        // Six standard deviations of a fair die with ten sides.
        assert!(hits.iter().all(|hits| hits.abs_diff(10_000) < 570), "{hits:?}");
    }
}
