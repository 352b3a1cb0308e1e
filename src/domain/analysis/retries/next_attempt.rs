//! What an engine does after a call, in words.

use std::{fmt, time::Duration};

use super::Attempt;
use crate::domain::text::clock_left;

/// What an engine does after a call, as a sentence goes on after its name: by [`Display`](fmt::Display).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAttempt {
    /// It was answered, and there is nothing left to do.
    Answered,
    /// It was answered with a failure, which is final.
    Final,
    /// It tries again.
    Retries {
        /// How many attempts were due since and have not arrived.
        missing: u32,
        /// In what time.
        due: Duration,
        /// Which attempt that will be.
        attempt: u32,
        /// How many there will be, if each ends at once.
        of: u32,
        /// In what time it gives up then.
        gives_up: Duration,
    },
    /// It tries again, and how often it has already is not known.
    RetriesSometime,
    /// It tried again.
    Retried {
        /// The attempt.
        by: Attempt,
        /// How long after the end of the one before.
        after: Duration,
        /// How many there are, if that is known.
        of: Option<u32>,
    },
    /// The last attempt got no reply either.
    GaveUp {
        /// How many attempts there were.
        attempts: u32,
        /// How long after the first one began.
        after: Duration,
    },
    /// More attempts were due, and none has arrived.
    Gone,
    /// It fails at once: this engine tries nothing twice.
    Fails,
    /// It waits for a reply, if there is a limit for so long.
    Waits(Option<Duration>),
    /// It waited as long as it ever does.
    TimedOut(Duration),
    /// It went away before its time limit.
    Left,
}

impl NextAttempt {
    /// Whether it is still to come.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Retries { .. } | Self::RetriesSometime | Self::Waits(Some(_)))
    }
}

impl fmt::Display for NextAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Answered => f.write_str("has its answer"),
            Self::Final => f.write_str("does not retry: an answer is final, whatever it says"),
            Self::Retries { missing, due, attempt, of, gives_up } => {
                // What is due is said in whole seconds, and counts down to 1.
                match due.as_millis().div_ceil(1000) {
                    0 => f.write_str("retries now")?,
                    seconds => write!(f, "retries in {seconds} s")?,
                }
                write!(f, ", attempt {attempt} of {of}")?;
                match missing {
                    0 => {}
                    1 => write!(f, " (attempt {} has not arrived)", attempt - 1)?,
                    _ => write!(f, " (attempts {} to {} have not arrived)", attempt - missing, attempt - 1)?,
                }
                write!(f, "; gives up in {}", clock_left(gives_up))
            }
            Self::RetriesSometime => {
                f.write_str("retries within 8 s, or has given up: earlier attempts may not have arrived")
            }
            Self::Retried { by, after, of } => {
                write!(f, "retried after {:.1} s with call {}", after.as_secs_f64(), by.call)?;
                of.map_or(Ok(()), |of| write!(f, ", attempt {} of {of}", by.number))
            }
            Self::GaveUp { attempts, after } => {
                write!(f, "gave up after {attempts} attempts in {:.1} s", after.as_secs_f64())
            }
            Self::Gone => f.write_str("has given up by now: no further attempt has arrived"),
            Self::Fails => f.write_str("does not retry"),
            Self::Waits(Some(left)) => write!(f, "gives up in {}, and does not retry", clock_left(left)),
            Self::Waits(None) => f.write_str("waits for ever"),
            Self::TimedOut(limit) => write!(f, "gave up after {}, its time limit", clock_left(limit)),
            Self::Left => f.write_str("went away before the answer"),
        }
    }
}
