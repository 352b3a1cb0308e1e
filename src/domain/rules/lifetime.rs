//! The lifetime: how long a rule acts.

use std::time::Duration;

/// How long a rule acts. Without any limit: until it is disarmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// `once` or `until N`: at most N calls.
    pub fires: Option<u64>,
    /// `flap UP DOWN`: alternately inactive and active.
    pub flap: Option<Flap>,
    /// `for DUR`: until this time has passed.
    pub lasting: Option<Duration>,
}

impl Lifetime {
    /// The keywords.
    pub const WORDS: [&str; 4] = ["once", "until", "for", "flap"];
}

/// Like a flapping link: the rule is inactive for a time, then active for a time, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flap {
    /// How long the rule is inactive.
    pub up: Duration,
    /// How long the rule is active.
    pub down: Duration,
}

impl Flap {
    /// Whether the rule is active at a time after arming.
    pub fn is_active(self, elapsed: Duration) -> bool {
        self.phase(elapsed) >= self.up
    }

    /// When it next becomes active or inactive, as time after arming.
    pub fn next_turn(self, elapsed: Duration) -> Duration {
        let phase = self.phase(elapsed);
        let turn = if phase < self.up { self.up } else { self.up.saturating_add(self.down) };
        elapsed.saturating_add(turn.saturating_sub(phase))
    }

    /// How far into its period it is.
    fn phase(self, elapsed: Duration) -> Duration {
        let period = self.up.saturating_add(self.down).as_nanos().max(1);
        Duration::from_nanos(u64::try_from(elapsed.as_nanos() % period).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flapping_rule_is_inactive_first_and_then_active() {
        let seconds = Duration::from_secs;
        let flap = Flap { up: seconds(10), down: seconds(5) };
        for (elapsed, down, turn) in [
            (0, false, 10),
            (9, false, 10),
            (10, true, 15),
            (14, true, 15),
            (15, false, 25),
            (29, true, 30),
            (30, false, 40),
        ] {
            assert_eq!(flap.is_active(seconds(elapsed)), down, "at {elapsed} s");
            assert_eq!(flap.next_turn(seconds(elapsed)), seconds(turn), "at {elapsed} s");
        }
    }
}
