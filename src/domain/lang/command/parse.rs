//! How a line becomes a command. Every error says in which column what is wrong, and what the form is.

use std::str::FromStr;

use super::{Command, FORMS, Outage, ReleaseTarget, ScenarioControl, Target};
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
    rules::{ReleaseAction, Rule, RuleError},
};

/// Why a line is no command. Each says what would be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The first word is none of the commands.
    #[error("column 1: {found:?} is no command{}; one of: {}", did_you_mean(.found, words()), words().join(" "))]
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

fn words() -> [&'static str; FORMS.len()] {
    FORMS.map(|(word, ..)| word)
}

/// The flags of `arm`.
const FLAGS: [&str; 2] = ["--dry-run", "--yes"];

fn form(word: &str) -> String {
    FORMS
        .iter()
        .find(|(known, ..)| *known == word)
        .map_or_else(String::new, |(word, rest, _)| format!("{word} {rest}").trim().to_owned())
}

type Parsed<T> = Result<T, CommandError>;

/// A line whose first word is read.
struct Line<'l> {
    word: &'static str,
    lexer: Lexer<'l>,
}

impl FromStr for Command {
    type Err = CommandError;

    fn from_str(line: &str) -> Parsed<Self> {
        let mut lexer = Lexer::new(line);
        let found = lexer.word(&[':']);
        let Some(word) = words().into_iter().find(|word| *word == found) else {
            return Err(CommandError::Unknown { found: found.to_owned() });
        };
        let mut line = Line { word, lexer };
        let command = line.command()?;
        line.end().map(|()| command)
    }
}

impl<'l> Line<'l> {
    fn wrong<T>(&self, column: usize, problem: impl Into<String>) -> Parsed<T> {
        Err(CommandError::Form { column, problem: problem.into(), word: self.word })
    }

    /// The next word with its column.
    fn need(&mut self, what: &str) -> Parsed<(usize, &'l str)> {
        let column = self.lexer.column();
        match self.lexer.word(&[]) {
            "" => self.wrong(column, format!("{what} is missing")),
            word => Ok((column, word)),
        }
    }

    /// All that is left.
    fn text(&mut self, what: &str) -> Parsed<String> {
        let column = self.lexer.column();
        match self.lexer.take_rest().trim_end() {
            "" => self.wrong(column, format!("{what} is missing")),
            text => Ok(text.to_owned()),
        }
    }

    /// A text in quotes, if one begins here.
    fn quoted(&mut self) -> Parsed<Option<String>> {
        let column = self.lexer.column();
        match self.lexer.quoted() {
            Some(Err(())) => self.wrong(column, "the quoted text does not end well"),
            text => Ok(text.and_then(Result::ok)),
        }
    }

    /// One word. One with spaces or an odd beginning stands in double quotes.
    fn word_or_quoted(&mut self, what: &str) -> Parsed<String> {
        let quoted = self.quoted()?;
        quoted.map_or_else(|| self.need(what).map(|(_, word)| word.to_owned()), Ok)
    }

    fn volume(&mut self) -> Parsed<String> {
        self.word_or_quoted("the volume's name")
    }

    fn end(&mut self) -> Parsed<()> {
        if self.lexer.is_at_end() {
            return Ok(());
        }
        let (column, extra) = self.need("")?;
        self.wrong(column, format!("{extra:?} is too much"))
    }

    fn command(&mut self) -> Parsed<Command> {
        Ok(match self.word {
            "arm" => self.arm()?,
            "disarm" => Command::Disarm(match self.need("what to disarm")? {
                (_, "all") => Target::All,
                (_, target) => target.parse().map_or_else(|_| Target::Label(target.to_owned()), Target::Id),
            }),
            "release" => self.release()?,
            "seed" => {
                let (column, seed) = self.need("the number")?;
                match seed.parse() {
                    Ok(seed) => Command::Seed(seed),
                    Err(_) => return self.wrong(column, format!("{seed:?} is no whole number")),
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
                (column, other) => {
                    return self.wrong(column, format!("expected keep or lose, found {other:?}"));
                }
            },
            "reset" => Command::Reset,
            "note" => Command::Note(self.text("the text")?),
            "save" => self.save()?,
            "play" => self.play()?,
            "pace" => Command::Speed(self.speed()?),
            _ => Command::Quit,
        })
    }

    /// `pause|next|go|stop`, or `CARD [--step] [--dangerous]`. A card in quotes is one, whatever its name.
    fn play(&mut self) -> Parsed<Command> {
        let scenario = if let Some(scenario) = self.quoted()? {
            scenario
        } else {
            let (_, word) = self.need("the card")?;
            if let Some(direction) = ScenarioControl::from_keyword(word) {
                return Ok(Command::ControlScenario(direction));
            }
            word.to_owned()
        };
        let (mut stepwise, mut dangerous) = (false, false);
        while !self.lexer.is_at_end() {
            match self.need("")? {
                (_, "--step") => stepwise = true,
                (_, "--dangerous") => dangerous = true,
                (column, other) => {
                    return self.wrong(column, format!("expected --step or --dangerous, found {other:?}"));
                }
            }
        }
        Ok(Command::Play { scenario, stepwise, dangerous })
    }

    fn speed(&mut self) -> Parsed<SpeedChange> {
        let (column, word) = self.need("how fast")?;
        match (word, word.parse()) {
            ("pause", _) => Ok(SpeedChange::Pause),
            ("go", _) => Ok(SpeedChange::Go),
            (_, Ok(times)) if DemoSpeed::RANGE.contains(&times) => Ok(SpeedChange::Times(times)),
            _ => {
                let (least, most) = (DemoSpeed::RANGE.start(), DemoSpeed::RANGE.end());
                self.wrong(
                    column,
                    format!("{word:?} is neither pause nor go nor a number from {least} to {most}"),
                )
            }
        }
    }

    /// `[--dry-run] [--yes] RULE [as LABEL]`. The flags can also stand at the end, where one adds them to a line.
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
            return self.wrong(column, format!("{first:?} is no flag{}", did_you_mean(first, FLAGS)));
        }
        let mut text = self.text("the rule")?;
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
            return self.wrong(column + before, format!("{last:?} is no flag{meant}"));
        }
        let (rule, label) =
            Rule::parse_labelled(&text).map_err(|error| CommandError::Rule(error.shifted(column - 1)))?;
        Ok(Command::Arm { rule, label, dry_run, confirmed })
    }

    /// `[--yes] [SEQ|all] [: ENDING]`.
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
                Err(_) => return self.wrong(column, format!("{which:?} is neither a number nor \"all\"")),
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

    /// `PATH [where FILTER]`. A path with spaces stands in double quotes.
    fn save(&mut self) -> Parsed<Command> {
        let column = self.lexer.column();
        let path = self.word_or_quoted("the path")?;
        if path.is_empty() {
            return self.wrong(column, "the path is missing");
        }
        if self.lexer.is_at_end() {
            return Ok(Command::Save { path, which: Filter::default() });
        }
        match self.need("")? {
            (_, "where") => {}
            (column, word) => {
                let problem =
                    format!("expected \"where\", found {word:?}; a path with spaces stands in double quotes");
                return self.wrong(column, problem);
            }
        }
        let column = self.lexer.column();
        let filter = self.text("the filter")?;
        match filter.parse::<Filter>() {
            Ok(which) => Ok(Command::Save { path, which }),
            Err(FilterError { column: within, problem }) => self.wrong(column + within - 1, problem),
        }
    }

    /// `k=v …`. Either side can stand in double quotes.
    fn options(&mut self) -> Parsed<Options> {
        let mut options = Options::new();
        while !self.lexer.is_at_end() {
            let column = self.lexer.column();
            let key = self.quoted()?.unwrap_or_else(|| self.lexer.word(&['=']).to_owned());
            if !self.lexer.take_adjacent('=') {
                return self.wrong(column, format!("{key:?} is no k=v"));
            }
            let value = if self.lexer.is_at_space() { Some(String::new()) } else { self.quoted()? };
            let value = value.unwrap_or_else(|| self.lexer.word(&[]).to_owned());
            options.insert(key, value);
        }
        Ok(options)
    }

    fn down(&mut self) -> Parsed<Command> {
        let (column, kind) = self.need("the kind")?;
        let Some(kind) = Outage::ALL.into_iter().find(|outage| outage.as_str() == kind) else {
            let meant = did_you_mean(kind, Outage::ALL.map(Outage::as_str));
            return self.wrong(column, format!("{kind:?} is no kind of outage{meant}"));
        };
        if self.lexer.is_at_end() {
            return Ok(Command::Down { kind, lasting: None });
        }
        let (column, word) = self.need("")?;
        if word != "for" {
            return self.wrong(column, format!("expected \"for\", found {word:?}"));
        }
        let (column, text) = self.need("the duration")?;
        match duration::parse(text) {
            Some(lasting) => Ok(Command::Down { kind, lasting: Some(lasting) }),
            None => self.wrong(column, format!("{text:?} is no duration, as 200ms, 15s or 2m are")),
        }
    }
}
