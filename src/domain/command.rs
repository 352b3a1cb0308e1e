//! The command: one vocabulary for keys, the `:` line, HTTP and scenarios.
//!
//! A command is a line of text. Whatever a key does is such a line, so that what was explored by
//! hand can be typed, scripted and replayed. [`Display`](std::fmt::Display) prints a line that parses to the same command.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    duration,
    fault::{Rule, RuleError},
    protocol::Options,
};

/// One thing that a user can ask of voltergeist.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `arm RULE [as LABEL]`: the rule acts from now on. With `--dry-run` it is only held against the journal.
    Arm {
        /// The rule.
        rule: Rule,
        /// A name by which to disarm it; one that is armed under it is replaced.
        label: Option<String>,
        /// Tell which calls it would have hit, and arm nothing.
        dry_run: bool,
    },
    /// `disarm LABEL|ID|all`: the rule ends at once and lets go what it holds.
    Disarm(Target),
    /// `release [SEQ|all]`: a waiting call gets its natural answer.
    Release(Released),
    /// `seed N`: chance is drawn from another seed.
    Seed(u64),
    /// `forget VOL`: the volume is gone behind the engine's back.
    Forget(String),
    /// `restore VOL`: a forgotten volume is back.
    Restore(String),
    /// `conjure VOL [k=v …]`: a volume that the engine did not create.
    Conjure {
        /// Its name.
        name: String,
        /// Its options.
        options: Options,
    },
    /// `wipe`: every volume and its files are gone.
    Wipe,
    /// `unmount VOL`: all open mounts of the volume end, unasked.
    Unmount(String),
    /// `down KIND [for DUR]`: the driver cannot be reached.
    Down {
        /// In which way.
        kind: Outage,
        /// Until it comes up by itself.
        lasting: Option<Duration>,
    },
    /// `up`: the driver can be reached again.
    Up,
    /// `crash keep|lose`: the driver dies and is back at once.
    Crash {
        /// Whether it still knows its volumes and mounts.
        keep: bool,
    },
    /// `reset`: counters and journal start anew.
    Reset,
    /// `note TEXT`: a remark in the journal.
    Note(String),
    /// `save PATH`: the journal as JSON lines in a file.
    Save(String),
    /// `quit`: the end.
    Quit,
}

/// Which rules to disarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// By its number.
    Id(u32),
    /// By its label.
    Label(String),
    /// All of them.
    All,
}

/// Which waiting calls to let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// The one that has waited longest.
    Oldest,
    /// The one whose waiting has this sequence number.
    Seq(u64),
    /// All of them.
    All,
}

/// The ways of being unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outage {
    /// The socket file is there and nobody listens: connecting is refused.
    Refuse,
    /// The socket file and the registration are gone.
    Unlink,
    /// Connecting succeeds, and nothing is ever answered.
    Blackhole,
    /// Connecting succeeds, and each request is met with a reset.
    Reset,
}

impl Outage {
    /// All of them, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::Refuse, Self::Unlink, Self::Blackhole, Self::Reset];

    /// The word for it in commands and on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Unlink => "unlink",
            Self::Blackhole => "blackhole",
            Self::Reset => "reset",
        }
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The first words of all commands with the forms that follow them, for help and completion.
pub const FORMS: [(&str, &str, &str); 16] = [
    ("arm", "RULE [as LABEL]", "make calls fail as the rule says"),
    ("disarm", "LABEL|ID|all", "end a rule at once and let go what it holds"),
    ("release", "[SEQ|all]", "give a waiting call its natural answer"),
    ("seed", "N", "draw chance from another seed"),
    ("forget", "VOL", "lose a volume behind the engine's back"),
    ("restore", "VOL", "bring a forgotten volume back"),
    ("conjure", "VOL [k=v …]", "make a volume that the engine did not create"),
    ("wipe", "", "lose every volume with its files"),
    ("unmount", "VOL", "end all open mounts of a volume, unasked"),
    ("down", "refuse|unlink|blackhole|reset [for DUR]", "make the driver unreachable"),
    ("up", "", "make the driver reachable again"),
    ("crash", "keep|lose", "let the driver die and come back at once"),
    ("reset", "", "start counters and journal anew"),
    ("note", "TEXT", "put a remark into the journal"),
    ("save", "PATH", "write the journal as JSON lines to a file"),
    ("quit", "", "end voltergeist"),
];

/// Why a line is no command. Each says what would be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The first word is none of the commands.
    #[error("column 1: {found:?} is no command{}; one of: {}", nearest(found), words())]
    Unknown {
        /// The word.
        found: String,
    },
    /// The rest of the line does not fit the command.
    #[error("column {column}: {problem}; the form is: {}", form(word))]
    Form {
        /// Where, from 1, in characters.
        column: usize,
        /// What is wrong.
        problem: String,
        /// The command's first word.
        word: &'static str,
    },
    /// The rule in it is not one.
    #[error("{0}")]
    Rule(RuleError),
}

fn words() -> String {
    FORMS.map(|(word, ..)| word).join(" ")
}

fn nearest(found: &str) -> String {
    FORMS
        .iter()
        .map(|(word, ..)| (strsim::damerau_levenshtein(found, word), word))
        .filter(|(distance, word)| *distance <= 2 && *distance < word.len())
        .min()
        .map_or_else(String::new, |(_, word)| format!(", did you mean {word:?}?"))
}

fn form(word: &str) -> String {
    FORMS
        .iter()
        .find(|(known, ..)| *known == word)
        .map_or_else(String::new, |(word, rest, _)| format!("{word} {rest}").trim().to_owned())
}

impl Command {
    /// The volume that the command is about.
    pub fn volume(&self) -> Option<&str> {
        match self {
            Self::Forget(name) | Self::Restore(name) | Self::Unmount(name) | Self::Conjure { name, .. } => {
                Some(name)
            }
            _ => None,
        }
    }

    /// Whether it destroys what cannot be had back, so that a key asks first.
    pub fn is_destructive(&self) -> bool {
        matches!(self, Self::Wipe | Self::Crash { keep: false })
    }
}

/// What is left of a line, and how far into it one is.
struct Words<'l> {
    line: &'l str,
    rest: &'l str,
    word: &'static str,
}

impl<'l> Words<'l> {
    fn column(&self) -> usize {
        self.line[..self.line.len() - self.rest.len()].chars().count() + 1
    }

    fn next(&mut self) -> Option<&'l str> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn wrong(&self, at: &str, problem: impl Into<String>) -> CommandError {
        let start = at.as_ptr() as usize - self.line.as_ptr() as usize;
        CommandError::Form {
            column: self.line[..start].chars().count() + 1,
            problem: problem.into(),
            word: self.word,
        }
    }

    fn need(&mut self, what: &str) -> Result<&'l str, CommandError> {
        self.next().ok_or_else(|| self.wrong(self.rest, format!("{what} is missing")))
    }

    /// A volume's name. One with spaces or an odd beginning stands in double quotes.
    fn volume(&mut self) -> Result<String, CommandError> {
        self.rest = self.rest.trim_start();
        if !self.rest.starts_with('"') {
            return self.need("the volume's name").map(str::to_owned);
        }
        let quoted = self.rest;
        let mut stream = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
        match stream.next() {
            Some(Ok(name)) => {
                self.rest = &quoted[stream.byte_offset()..];
                Ok(name)
            }
            _ => Err(self.wrong(quoted, "the quoted name does not end well")),
        }
    }

    fn end(&mut self) -> Result<(), CommandError> {
        self.next().map_or(Ok(()), |extra| Err(self.wrong(extra, format!("{extra:?} is too much"))))
    }
}

impl FromStr for Command {
    type Err = CommandError;

    fn from_str(line: &str) -> Result<Self, CommandError> {
        let mut words = Words { line, rest: line, word: "" };
        let first = words.next().unwrap_or_default();
        let Some((word, ..)) = FORMS.iter().find(|(word, ..)| *word == first) else {
            return Err(CommandError::Unknown { found: first.to_owned() });
        };
        words.word = word;
        let command = match *word {
            "arm" => return arm(&mut words),
            "note" => {
                let text = words.rest.trim();
                return if text.is_empty() {
                    Err(words.wrong(words.rest, "the text is missing"))
                } else {
                    Ok(Self::Note(text.to_owned()))
                };
            }
            "save" => {
                let path = words.rest.trim();
                return if path.is_empty() {
                    Err(words.wrong(words.rest, "the path is missing"))
                } else {
                    Ok(Self::Save(path.to_owned()))
                };
            }
            "disarm" => Self::Disarm(match words.need("what to disarm")? {
                "all" => Target::All,
                target => target.parse().map_or_else(|_| Target::Label(target.to_owned()), Target::Id),
            }),
            "release" => Self::Release(match words.next() {
                None => Released::Oldest,
                Some("all") => Released::All,
                Some(seq) => Released::Seq(
                    seq.parse()
                        .map_err(|_| words.wrong(seq, format!("{seq:?} is neither a number nor \"all\"")))?,
                ),
            }),
            "seed" => {
                let seed = words.need("the number")?;
                Self::Seed(
                    seed.parse().map_err(|_| words.wrong(seed, format!("{seed:?} is no whole number")))?,
                )
            }
            "forget" => Self::Forget(words.volume()?),
            "restore" => Self::Restore(words.volume()?),
            "unmount" => Self::Unmount(words.volume()?),
            "conjure" => {
                let name = words.volume()?;
                let mut options = Options::new();
                while let Some(option) = words.next() {
                    let (key, value) = option
                        .split_once('=')
                        .ok_or_else(|| words.wrong(option, format!("{option:?} is no k=v")))?;
                    options.insert(key.to_owned(), value.to_owned());
                }
                Self::Conjure { name, options }
            }
            "wipe" => Self::Wipe,
            "down" => {
                let kind = words.need("the kind")?;
                let known = Outage::ALL.into_iter().find(|outage| outage.word() == kind);
                let kind =
                    known.ok_or_else(|| words.wrong(kind, format!("{kind:?} is no kind of outage")))?;
                let lasting = match words.next() {
                    None => None,
                    Some("for") => {
                        let text = words.need("the duration")?;
                        Some(duration::parse(text).ok_or_else(|| {
                            words.wrong(text, format!("{text:?} is no duration, as 200ms, 15s or 2m are"))
                        })?)
                    }
                    Some(extra) => {
                        return Err(words.wrong(extra, format!("expected \"for\", found {extra:?}")));
                    }
                };
                Self::Down { kind, lasting }
            }
            "up" => Self::Up,
            "crash" => Self::Crash {
                keep: match words.need("keep or lose")? {
                    "keep" => true,
                    "lose" => false,
                    other => {
                        return Err(words.wrong(other, format!("expected keep or lose, found {other:?}")));
                    }
                },
            },
            "reset" => Self::Reset,
            _ => Self::Quit,
        };
        words.end().map(|()| command)
    }
}

/// `arm [--dry-run] RULE [as LABEL]`. The label stands at the end, and a rule may end with `as SHAPE`
/// itself, so `as` followed by a shape belongs to the rule.
fn arm(words: &mut Words<'_>) -> Result<Command, CommandError> {
    words.rest = words.rest.trim();
    let dry_run = words.rest.strip_prefix("--dry-run").filter(|rest| rest.starts_with(char::is_whitespace));
    if let Some(rest) = dry_run {
        words.rest = rest.trim_start();
    }
    if words.rest.is_empty() {
        return Err(words.wrong(words.rest, "the rule is missing"));
    }
    let offset = words.column() - 1;
    let (rule, label) =
        Rule::parse_labelled(words.rest).map_err(|error| CommandError::Rule(error.shifted(offset)))?;
    Ok(Command::Arm { rule, label, dry_run: dry_run.is_some() })
}

/// A volume's name as [`Words::volume`] reads it.
fn quoted(name: &str) -> String {
    let plain = !name.is_empty() && !name.starts_with('"') && !name.contains(char::is_whitespace);
    if plain { name.to_owned() } else { serde_json::Value::from(name).to_string() }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arm { rule, label, dry_run } => {
                let dry_run = if *dry_run { "--dry-run " } else { "" };
                write!(f, "arm {dry_run}{rule}")?;
                label.as_ref().map_or(Ok(()), |label| write!(f, " as {label}"))
            }
            Self::Disarm(Target::Id(id)) => write!(f, "disarm {id}"),
            Self::Disarm(Target::Label(label)) => write!(f, "disarm {label}"),
            Self::Disarm(Target::All) => f.write_str("disarm all"),
            Self::Release(Released::Oldest) => f.write_str("release"),
            Self::Release(Released::Seq(seq)) => write!(f, "release {seq}"),
            Self::Release(Released::All) => f.write_str("release all"),
            Self::Seed(seed) => write!(f, "seed {seed}"),
            Self::Forget(name) => write!(f, "forget {}", quoted(name)),
            Self::Restore(name) => write!(f, "restore {}", quoted(name)),
            Self::Unmount(name) => write!(f, "unmount {}", quoted(name)),
            Self::Conjure { name, options } => {
                write!(f, "conjure {}", quoted(name))?;
                options.iter().try_for_each(|(key, value)| write!(f, " {key}={value}"))
            }
            Self::Wipe => f.write_str("wipe"),
            Self::Down { kind, lasting: None } => write!(f, "down {kind}"),
            Self::Down { kind, lasting: Some(lasting) } => {
                write!(f, "down {kind} for {}", duration::print(*lasting))
            }
            Self::Up => f.write_str("up"),
            Self::Crash { keep: true } => f.write_str("crash keep"),
            Self::Crash { keep: false } => f.write_str("crash lose"),
            Self::Reset => f.write_str("reset"),
            Self::Note(text) => write!(f, "note {text}"),
            Self::Save(path) => write!(f, "save {path}"),
            Self::Quit => f.write_str("quit"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_command_is_the_command_again() {
        for line in [
            "arm get: empty as ghost",
            "arm --dry-run mount: fail \"no\"",
            "disarm 3",
            "disarm ghost",
            "disarm all",
            "release",
            "release 12",
            "release all",
            "seed 7",
            "forget db1",
            "forget \"two words\"",
            "restore \"\\\"quoted\\\"\"",
            "conjure cache",
            "conjure cache size=5 tier=gold",
            "wipe",
            "unmount db1",
            "down refuse",
            "down blackhole for 15s",
            "up",
            "crash keep",
            "crash lose",
            "reset",
            "note look  here",
            "save /tmp/a b.jsonl",
            "quit",
        ] {
            let command: Command = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(command.to_string().parse(), Ok(command), "{line}");
        }
    }

    #[test]
    fn a_wrong_line_is_told_where_and_what() {
        for (line, expected) in [
            ("", "column 1: \"\" is no command; one of: arm"),
            ("dwon refuse", "column 1: \"dwon\" is no command, did you mean \"down\"?"),
            ("down", "column 5: the kind is missing; the form is: down refuse|"),
            ("down sideways", "column 6: \"sideways\" is no kind of outage"),
            ("down refuse for ever", "column 17: \"ever\" is no duration"),
            ("up now", "column 4: \"now\" is too much; the form is: up"),
            ("seed x", "column 6: \"x\" is no whole number"),
            ("forget", "column 7: the volume's name is missing"),
            ("forget \"open", "column 8: the quoted name does not end well"),
            ("conjure v size", "column 11: \"size\" is no k=v"),
            ("note  ", "column 5: the text is missing"),
            ("arm", "column 4: the rule is missing"),
        ] {
            let error = line.parse::<Command>().expect_err(line).to_string();
            assert!(error.starts_with(expected), "{line}: {error}");
        }
    }
}
