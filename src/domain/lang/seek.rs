//! Places in a recording, as users write them: `4711`, `12:03:04`, `+30s`, `end`.

use std::{str::FromStr, time::Duration};

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

use super::duration;

/// A place in a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seek {
    /// The start of the run.
    Start,
    /// The end of the recording.
    End,
    /// An entry by its number.
    Entry(u64),
    /// A time.
    Time(Timestamp),
    /// The next or previous entry that a list shows.
    Step(Direction),
    /// The next or previous call that failed.
    Failure(Direction),
    /// The next or previous command.
    Command(Direction),
}

/// Forward or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To later entries.
    Forward,
    /// To earlier entries.
    Back,
}

/// A text that is no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; type an entry's number, a time such as 12:03:04, +30s, -5m, start or end", unknown_place(.0))]
pub struct SeekError(String);

fn unknown_place(text: &str) -> String {
    if text.is_empty() { "missing place".to_owned() } else { format!("{text:?} is no place in a recording") }
}

/// A place as it was typed. A time of day needs a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeekTarget {
    /// A place that needs nothing else.
    Place(Seek),
    /// A time of day.
    TimeOfDay(civil::Time),
    /// A time on a day.
    DateTime(civil::DateTime),
    /// A time from now.
    Relative(Direction, Duration),
}

impl FromStr for SeekTarget {
    type Err = SeekError;

    fn from_str(text: &str) -> Result<Self, SeekError> {
        let text = text.trim();
        let relative = |direction, rest: &str| {
            duration::parse(rest)
                .map(|lasting| Self::Relative(direction, lasting))
                .ok_or_else(|| SeekError(text.to_owned()))
        };
        match text {
            "start" => return Ok(Self::Place(Seek::Start)),
            "end" => return Ok(Self::Place(Seek::End)),
            _ => {}
        }
        if let Some(rest) = text.strip_prefix('+') {
            return relative(Direction::Forward, rest);
        }
        if let Some(rest) = text.strip_prefix('-') {
            return relative(Direction::Back, rest);
        }
        if let Ok(seq) = text.parse() {
            return Ok(Self::Place(Seek::Entry(seq)));
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self::Place(Seek::Time(at)));
        }
        let time = || text.contains(':').then(|| text.parse::<civil::Time>().ok()).flatten();
        let date = || text.parse::<civil::DateTime>().ok().filter(|_| text.contains(':'));
        if let Some(time) = time().filter(|_| !text.contains('-')) {
            return Ok(Self::TimeOfDay(time));
        }
        date().map(Self::DateTime).ok_or_else(|| SeekError(text.to_owned()))
    }
}

impl SeekTarget {
    /// The place that is meant while a time is shown in a zone. A time of day is one of the same day.
    pub fn resolve(self, now: Timestamp, zone: &TimeZone) -> Seek {
        let civil = match self {
            Self::Place(seek) => return seek,
            Self::Relative(direction, lasting) => {
                let lasting = SignedDuration::try_from(lasting).unwrap_or(SignedDuration::MAX);
                let at = match direction {
                    Direction::Forward => now.checked_add(lasting).unwrap_or(Timestamp::MAX),
                    Direction::Back => now.checked_sub(lasting).unwrap_or(Timestamp::MIN),
                };
                return Seek::Time(at);
            }
            Self::TimeOfDay(time) => zone.to_datetime(now).date().to_datetime(time),
            Self::DateTime(time) => time,
        };
        Seek::Time(zone.to_timestamp(civil).unwrap_or(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_people_write_them() {
        let now: Timestamp = "2026-03-14T15:41:07.5Z".parse().expect("a time");
        let place = |text: &str| text.parse::<SeekTarget>().map(|target| target.resolve(now, &TimeZone::UTC));
        let time = |text: &str| Ok(Seek::Time(text.parse().expect("a time")));
        assert_eq!(place("4711"), Ok(Seek::Entry(4711)));
        assert_eq!(place("start"), Ok(Seek::Start));
        assert_eq!(place(" end "), Ok(Seek::End));
        assert_eq!(place("12:03:04"), time("2026-03-14T12:03:04Z"));
        assert_eq!(place("12:03"), time("2026-03-14T12:03:00Z"));
        assert_eq!(place("12:03:04.25"), time("2026-03-14T12:03:04.25Z"));
        assert_eq!(place("2026-03-13T12:03:04"), time("2026-03-13T12:03:04Z"));
        assert_eq!(place("2026-03-13T12:03:04Z"), time("2026-03-13T12:03:04Z"));
        assert_eq!(place("+30s"), time("2026-03-14T15:41:37.5Z"));
        assert_eq!(place("-5m"), time("2026-03-14T15:36:07.5Z"));
        for text in ["", "x", "25:00:00", "+x", "-", "2026-03-13"] {
            assert_eq!(place(text), Err(SeekError(text.to_owned())), "{text}");
        }
    }
}
