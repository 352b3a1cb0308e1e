//! Parses a command line. Every error has a column and the usage of the command.

use std::str::FromStr;

use super::{Command, FORMS, Outage, ReleaseTarget, Target};
use crate::domain::{
    lang::{
        duration,
        filter::{Filter, FilterError},
        lexer::Lexer,
        suggest::did_you_mean,
    },
    model::{
        protocol::Options,
        speed::{DemoSpeed, SpeedChange},
    },
    rules::{Action, Calls, ReleaseAction, Rule, RuleError},
};

/// Why a line is not a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum CommandError {
    #[error("column 1: unknown command {found:?}{}", if *is_rule { RULES.to_owned() } else { unknown(.found) })]
    Unknown {
        found: String,
        /// Whether the line begins like a rule.
        is_rule: bool,
    },
    #[error("column {column}: {problem}; usage: {}", usage(word))]
    Form {
        /// The column, from 1, in characters.
        column: usize,
        problem: String,
        word: &'static str,
    },
    /// The rule or the action in it is wrong.
    #[error("{0}")]
    Rule(RuleError),
}

/// What is said of a line that begins like a rule.
const RULES: &str = "; rules begin with arm: arm mount: fail once";

/// What is said of an unknown first word.
fn unknown(found: &str) -> String {
    if ["status", "state"].contains(&found) {
        return "; GET /v1/state of the control API has the state, and voltergeist attach shows it"
            .to_owned();
    }
    format!("{}; commands: {}", did_you_mean(found, words()), words().join(" "))
}

/// Whether a line begins like a rule, or like its action: with an operation, the word of an action, or a word before a colon.
fn is_rule(found: &str, rest: &mut Lexer<'_>) -> bool {
    let is_calls = found.split(',').next().is_some_and(|word| word.parse::<Calls>().is_ok());
    is_calls || Action::WORDS.contains(&found) || (!found.is_empty() && rest.take(':'))
}

fn words() -> [&'static str; FORMS.len()] {
    FORMS.map(|(word, ..)| word)
}

/// The flags of `arm`.
const FLAGS: [&str; 2] = ["--dry-run", "--yes"];

fn usage(word: &str) -> String {
    FORMS
        .iter()
        .find(|(known, ..)| *known == word)
        .map_or_else(String::new, |(word, rest, _)| format!("{word} {rest}").trim().to_owned())
}

type Parsed<T> = Result<T, CommandError>;

/// Parses a line after its first word.
struct CommandParser<'l> {
    word: &'static str,
    lexer: Lexer<'l>,
}

impl FromStr for Command {
    type Err = CommandError;

    fn from_str(line: &str) -> Parsed<Self> {
        let mut lexer = Lexer::new(line);
        let found = lexer.word(&[':']);
        let Some(word) = words().into_iter().find(|word| *word == found) else {
            let is_rule = is_rule(found, &mut lexer);
            return Err(CommandError::Unknown { found: found.to_owned(), is_rule });
        };
        let mut parser = CommandParser { word, lexer };
        let command = parser.command()?;
        parser.end().map(|()| command)
    }
}

impl Command {
    /// Parses `[--yes] RULE [as LABEL]`, as after `arm`: a setting, or a line in a file of rules.
    pub fn parse_arm(text: &str) -> Parsed<Self> {
        let mut parser = CommandParser { word: "arm", lexer: Lexer::new(text) };
        let command = parser.arm()?;
        match command {
            Self::Arm { dry_run: true, .. } => parser.wrong(1, "--dry-run arms nothing; leave it out"),
            command => Ok(command),
        }
    }
}

impl<'l> CommandParser<'l> {
    fn wrong<T>(&self, column: usize, problem: impl Into<String>) -> Parsed<T> {
        Err(CommandError::Form { column, problem: problem.into(), word: self.word })
    }

    fn expected<T>(&self, (column, found): (usize, &str), what: &str, words: &[&str]) -> Parsed<T> {
        let meant = did_you_mean(found, words.iter().copied());
        let comma = if meant.is_empty() { "," } else { ";" };
        self.wrong(column, format!("found {found:?}{meant}{comma} expected {what}"))
    }

    /// The next word with its column, or an error that `what` is missing.
    fn need(&mut self, what: &str) -> Parsed<(usize, &'l str)> {
        let column = self.lexer.column();
        match self.lexer.word(&[]) {
            "" => self.wrong(column, format!("missing {what}")),
            word => Ok((column, word)),
        }
    }

    /// The rest of the line.
    fn text(&mut self, what: &str) -> Parsed<String> {
        let column = self.lexer.column();
        match self.lexer.take_rest().trim_end() {
            "" => self.wrong(column, format!("missing {what}")),
            text => Ok(text.to_owned()),
        }
    }

    /// A quoted text, if one starts here.
    fn quoted(&mut self) -> Parsed<Option<String>> {
        let column = self.lexer.column();
        match self.lexer.quoted() {
            Some(Err(())) => self.wrong(column, "invalid quoted text; end it with \" and escape as in JSON"),
            text => Ok(text.and_then(Result::ok)),
        }
    }

    /// One word. With spaces it must be quoted.
    fn word_or_quoted(&mut self, what: &str) -> Parsed<String> {
        let quoted = self.quoted()?;
        quoted.map_or_else(|| self.need(what).map(|(_, word)| word.to_owned()), Ok)
    }

    fn volume(&mut self) -> Parsed<String> {
        self.word_or_quoted("volume name")
    }

    fn end(&mut self) -> Parsed<()> {
        if self.lexer.is_at_end() {
            return Ok(());
        }
        let (column, extra) = self.need("")?;
        self.wrong(column, format!("unexpected {extra:?}"))
    }

    fn command(&mut self) -> Parsed<Command> {
        Ok(match self.word {
            "arm" => self.arm()?,
            "disarm" => Command::Disarm(match self.need("label, ID or \"all\"")? {
                (_, "all") => Target::All,
                (_, target) => target.parse().map_or_else(|_| Target::Label(target.to_owned()), Target::Id),
            }),
            "move" => self.move_rule()?,
            "load" => {
                let confirmed = self.lexer.peek(&[]) == "--yes";
                if confirmed {
                    self.lexer.word(&[]);
                }
                Command::Load { path: self.word_or_quoted("path")?, confirmed }
            }
            "release" => self.release()?,
            "seed" => {
                let (column, seed) = self.need("number")?;
                match seed.parse() {
                    Ok(seed) => Command::Seed(seed),
                    Err(_) => return self.wrong(column, format!("invalid number {seed:?}")),
                }
            }
            "forget" => Command::Forget(self.volume()?),
            "restore" => Command::Restore(self.volume()?),
            "conjure" => Command::Conjure { name: self.volume()?, options: self.options()? },
            "wipe" => Command::Wipe,
            "unmount" => Command::Unmount(self.volume()?),
            "down" => self.down()?,
            "up" => Command::Up,
            "crash" => match self.need("keep or lose")? {
                (_, "keep") => Command::Crash { keep: true },
                (_, "lose") => Command::Crash { keep: false },
                found => return self.expected(found, "keep or lose", &["keep", "lose"]),
            },
            "reset" => Command::Reset,
            "note" => Command::Note(self.text("text")?),
            "save" => self.save()?,
            "play" => self.play()?,
            "speed" => Command::Speed(self.speed()?),
            _ => Command::Quit,
        })
    }

    /// `pause|next|continue|stop`, or `SCENARIO [--step] [--dangerous]`. A quoted name is always a scenario.
    fn play(&mut self) -> Parsed<Command> {
        let scenario = if let Some(scenario) = self.quoted()? {
            scenario
        } else {
            let (_, word) = self.need("scenario")?;
            if let Ok(control) = word.parse() {
                return Ok(Command::ControlScenario(control));
            }
            word.to_owned()
        };
        let (mut stepwise, mut dangerous) = (false, false);
        while !self.lexer.is_at_end() {
            match self.need("")? {
                (_, "--step") => stepwise = true,
                (_, "--dangerous") => dangerous = true,
                found => {
                    let flags = ["--step", "--dangerous"];
                    return self.expected(found, "--step or --dangerous", &flags);
                }
            }
        }
        Ok(Command::Play { scenario, stepwise, dangerous })
    }

    /// `RULE before RULE`.
    fn move_rule(&mut self) -> Parsed<Command> {
        let rule = self.rule("rule: its number or label")?;
        let (column, word) = self.need("\"before\" and another rule")?;
        if word != "before" {
            return self.expected((column, word), "\"before\" and another rule", &["before"]);
        }
        Ok(Command::Move { rule, before: self.rule("rule after \"before\": its number or label")? })
    }

    /// One rule by its number or label.
    fn rule(&mut self, what: &str) -> Parsed<Target> {
        let (column, word) = self.need(what)?;
        if word == "all" {
            return self.wrong(column, "found \"all\", expected one rule by its number or label");
        }
        Ok(word.parse().map_or_else(|_| Target::Label(word.to_owned()), Target::Id))
    }

    fn speed(&mut self) -> Parsed<SpeedChange> {
        let (column, word) = self.need("speed")?;
        match (word, word.parse()) {
            ("pause", _) => Ok(SpeedChange::Pause),
            ("continue", _) => Ok(SpeedChange::Continue),
            (_, Ok(times)) if DemoSpeed::RANGE.contains(&times) => Ok(SpeedChange::Times(times)),
            _ => {
                let (min, max) = (DemoSpeed::RANGE.start(), DemoSpeed::RANGE.end());
                let what = format!("pause, continue or a number from {min} to {max}");
                self.expected((column, word), &what, &["pause", "continue"])
            }
        }
    }

    /// `[--dry-run] [--yes] RULE [as LABEL]`. The flags can also be added at the end of a line.
    fn arm(&mut self) -> Parsed<Command> {
        let (mut dry_run, mut confirmed) = (false, false);
        let mut is_flag = |word: &str| {
            match word {
                "--dry-run" => dry_run = true,
                "--yes" => confirmed = true,
                _ => return false,
            }
            true
        };
        while is_flag(self.lexer.peek(&[])) {
            self.lexer.word(&[]);
        }
        let column = self.lexer.column();
        let first = self.lexer.peek(&[]);
        if first.starts_with("--") {
            return self.wrong(column, format!("unknown flag {first:?}{}", did_you_mean(first, FLAGS)));
        }
        let mut text = self.text("rule")?;
        while let Some((rest, last)) = text.rsplit_once(char::is_whitespace) {
            if !is_flag(last) {
                break;
            }
            text = rest.trim_end().to_owned();
        }
        let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
        let meant = did_you_mean(last, FLAGS);
        if last.starts_with("--") && !last.contains('"') && !meant.is_empty() {
            let before = text.chars().count() - last.chars().count();
            return self.wrong(column + before, format!("unknown flag {last:?}{meant}"));
        }
        let (rule, label) =
            Rule::parse_labelled(&text).map_err(|error| CommandError::Rule(error.shifted(column - 1)))?;
        Ok(Command::Arm { rule, label, dry_run, confirmed })
    }

    /// `[--yes] [CALL|all] [: ACTION]`.
    fn release(&mut self) -> Parsed<Command> {
        let confirmed = self.lexer.peek(&[':']) == "--yes";
        if confirmed {
            self.lexer.word(&[':']);
        }
        let column = self.lexer.column();
        let which = match self.lexer.word(&[':']) {
            "" => ReleaseTarget::Oldest,
            "all" => ReleaseTarget::All,
            which => match which.parse() {
                Ok(call) => ReleaseTarget::Call(call),
                Err(_) => return self.expected((column, which), "a call number or \"all\"", &["all"]),
            },
        };
        let release_action = if self.lexer.take(':') { Some(self.release_action()?) } else { None };
        Ok(Command::Release { which, release_action, confirmed })
    }

    fn release_action(&mut self) -> Parsed<ReleaseAction> {
        let column = self.lexer.column();
        let release_action = self.lexer.take_rest().parse();
        release_action.map_err(|error: RuleError| CommandError::Rule(error.shifted(column - 1)))
    }

    /// `PATH [where FILTER]`. A path with spaces must be quoted.
    fn save(&mut self) -> Parsed<Command> {
        let column = self.lexer.column();
        let path = self.word_or_quoted("path")?;
        if path.is_empty() {
            return self.wrong(column, "missing path");
        }
        if self.lexer.is_at_end() {
            return Ok(Command::Save { path, which: Filter::default() });
        }
        match self.need("")? {
            (_, "where") => {}
            (column, word) => {
                let problem = format!("found {word:?}, expected \"where\"; quote a path with spaces");
                return self.wrong(column, problem);
            }
        }
        let column = self.lexer.column();
        let filter = self.text("filter")?;
        match filter.parse::<Filter>() {
            Ok(which) => Ok(Command::Save { path, which }),
            Err(FilterError { column: within, problem }) => self.wrong(column + within - 1, problem),
        }
    }

    /// `k=v …`. Both sides can be quoted.
    fn options(&mut self) -> Parsed<Options> {
        let mut options = Options::new();
        while !self.lexer.is_at_end() {
            let column = self.lexer.column();
            let key = self.quoted()?.unwrap_or_else(|| self.lexer.word(&['=']).to_owned());
            if !self.lexer.take_adjacent('=') {
                return self.wrong(column, format!("found {key:?}, expected k=v"));
            }
            let value = if self.lexer.is_at_space() { Some(String::new()) } else { self.quoted()? };
            let value = value.unwrap_or_else(|| self.lexer.word(&[]).to_owned());
            options.insert(key, value);
        }
        Ok(options)
    }

    fn down(&mut self) -> Parsed<Command> {
        let (column, kind) = self.need("outage type")?;
        let Some(kind) = Outage::ALL.into_iter().find(|outage| outage.as_str() == kind) else {
            let kinds = Outage::ALL.map(Outage::as_str);
            return self.expected((column, kind), "an outage type", &kinds);
        };
        if self.lexer.is_at_end() {
            return Ok(Command::Down { kind, lasting: None });
        }
        let (column, word) = self.need("")?;
        if word != "for" {
            return self.wrong(column, format!("found {word:?}, expected \"for\""));
        }
        let (column, text) = self.need("duration")?;
        match duration::parse(text) {
            Some(lasting) => Ok(Command::Down { kind, lasting: Some(lasting) }),
            None => self.wrong(column, format!("invalid duration {text:?}; examples: 200ms 15s 2m")),
        }
    }
}
