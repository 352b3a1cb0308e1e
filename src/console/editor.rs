//! The user's editor: it gets the terminal and a file, and what it leaves in the file is taken back.
//!
//! It runs as a shell runs a job in the foreground: in a process group of its own that has the terminal. So
//! Ctrl-C and Ctrl-Z, typed there, are the editor's alone; and voltergeist, for which docker may be waiting,
//! is neither ended nor stopped with it.

use std::{
    env, fs,
    io::{self, Write as _, stdin},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::Command,
    thread,
    time::Duration,
};

use nix::sys::signal::{SigSet, SigmaskHow, Signal as Masked};
use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, WaitStatus, kill_process_group, test_kill_process_group, waitpid},
    termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr, tcsetpgrp},
};
use tempfile::NamedTempFile;
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

/// How long an editor may take to end after a signal, as at the end of the program.
const ATTEMPT_TOLERANCE: Duration = Duration::from_secs(1);

/// How often it is looked whether it is gone.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// What came out of an editor.
#[derive(Debug)]
pub struct Edited {
    /// The text.
    pub text: String,
    /// The file that it is in. It is removed when this is dropped.
    pub file: NamedTempFile,
}

/// Why nothing came out of it.
#[derive(Debug, thiserror::Error)]
pub enum EditFailed {
    /// None is set, and none is known to be there.
    #[error("no editor; set EDITOR, as in EDITOR=nano voltergeist")]
    NoEditor,
    /// The file could not be made or read.
    #[error("the file to edit: {0}; see that {path} is there and can be written to", path = env::temp_dir().display())]
    File(#[source] io::Error),
    /// The editor could not be run.
    #[error("{editor} cannot be run: {error}; set EDITOR to one that can")]
    Run {
        /// The command.
        editor: String,
        /// What the system says.
        error: io::Error,
    },
    /// It failed, or was made to say that nothing shall come of it.
    #[error("the editor {how}, so nothing is sent")]
    Ended {
        /// How it ended, in words.
        how: String,
        /// Where its text is, if it wrote one.
        kept: Option<PathBuf>,
    },
    /// A command is a text.
    #[error("a reply that is not UTF-8 cannot be sent; write it as text")]
    NotText {
        /// Where it is.
        kept: Option<PathBuf>,
    },
}

impl EditFailed {
    /// Where what was written is.
    pub fn kept(self) -> Option<PathBuf> {
        match self {
            Self::Ended { kept, .. } | Self::NotText { kept } => kept,
            _ => None,
        }
    }
}

impl Edited {
    /// Keeps the file, and says where it is.
    pub fn keep(self) -> Option<PathBuf> {
        keep(self.file)
    }
}

fn keep(file: NamedTempFile) -> Option<PathBuf> {
    file.keep().ok().map(|(_, path)| path)
}

/// The editor to run, as a line for the shell: `$VISUAL`, else `$EDITOR`, else vi or nano if they are there.
pub fn find(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = ["VISUAL", "EDITOR"].into_iter().filter_map(&variable).find(|editor| !editor.trim().is_empty());
    set.or_else(|| {
        let path = variable("PATH")?;
        let is_there = |editor: &&str| env::split_paths(&path).any(|folder| folder.join(editor).is_file());
        ["vi", "nano"].into_iter().find(is_there).map(str::to_owned)
    })
}

/// Gives the terminal to an editor with a text, until it ends. If `stop` comes first, the editor is ended and what
/// `stop` says is returned.
pub async fn edit<E>(
    editor: Option<&str>,
    text: &str,
    stop: impl Future<Output = E>,
) -> Result<Result<Edited, EditFailed>, E> {
    let Some(editor) = editor else { return Ok(Err(EditFailed::NoEditor)) };
    let file = match write(text) {
        Ok(file) => file,
        Err(error) => return Ok(Err(EditFailed::File(error))),
    };
    let mut job = match Job::start(editor, file.path().into()) {
        Ok(job) => job,
        Err(error) => return Ok(Err(EditFailed::Run { editor: editor.into(), error })),
    };
    let ended = tokio::select! {
        biased;
        ended = &mut job.ended => ended,
        stopped = stop => {
            job.end().await;
            return Err(stopped);
        }
    };
    drop(job);
    Ok(read(file, text, ended.ok()))
}

fn write(text: &str) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("voltergeist-reply-").suffix(".json").tempfile()?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    Ok(file)
}

fn read(file: NamedTempFile, before: &str, status: Option<WaitStatus>) -> Result<Edited, EditFailed> {
    // By its name: an editor may have put another file in its place.
    let bytes = fs::read(file.path()).map_err(EditFailed::File)?;
    let how = match status.map(|status| (status.exit_status(), status.terminating_signal())) {
        Some((Some(0), _)) => {
            return match String::from_utf8(bytes) {
                Ok(text) => Ok(Edited { text, file }),
                Err(_) => Err(EditFailed::NotText { kept: keep(file) }),
            };
        }
        Some((Some(127), _)) => "was not found (status 127); set EDITOR to one that is there".to_owned(),
        Some((Some(status), _)) => format!("ended with status {status}"),
        Some((_, Some(signal))) => format!("was ended by signal {signal}"),
        _ => "is gone".to_owned(),
    };
    let kept = if bytes == before.as_bytes() { None } else { keep(file) };
    Err(EditFailed::Ended { how, kept })
}

/// An editor that runs and has the terminal.
struct Job {
    group: Pid,
    ended: oneshot::Receiver<WaitStatus>,
    _loan: TerminalLoan,
}

impl Job {
    /// Through a shell, as git does it, so that the command may have arguments.
    fn start(editor: &str, file: PathBuf) -> io::Result<Self> {
        let loan = TerminalLoan::before();
        let mut command = Command::new("sh");
        // It begins when it has the terminal: until then, Ctrl-C would end voltergeist.
        let line = format!("kill -s STOP $$; {editor} \"$@\"");
        command.arg("-c").arg(line).arg(editor).arg(file).process_group(0);
        let child = command.spawn()?;
        let group = Pid::from_child(&child);
        loan.to(group);
        let (sender, ended) = oneshot::channel();
        thread::spawn(move || {
            loop {
                match waitpid(Some(group), WaitOptions::UNTRACED) {
                    // Only this program can continue it, and there is no prompt for that.
                    Ok(Some((_, status))) if status.stopped() => go_on(group),
                    Ok(Some((_, status))) => {
                        let _ = sender.send(status);
                        return;
                    }
                    Ok(None) | Err(Errno::INTR) => {}
                    Err(_) => return,
                }
            }
        });
        Ok(Self { group, ended, _loan: loan })
    }

    /// Ends it, in good order if it is quick, and waits until nothing of it is left: what the shell ran may still be
    /// putting the terminal in order.
    async fn end(self) {
        let is_there = || test_kill_process_group(self.group).is_ok();
        for signal in [Signal::TERM, Signal::KILL] {
            let _ = kill_process_group(self.group, signal);
            let gone = async {
                while is_there() {
                    sleep(BETWEEN_LOOKS).await;
                }
            };
            if timeout(ATTEMPT_TOLERANCE, gone).await.is_ok() {
                return;
            }
        }
    }
}

fn go_on(group: Pid) {
    let _ = kill_process_group(group, Signal::CONT);
}

/// The terminal while a job has it: who had it before, and how it was set. Dropping this gives it back so.
struct TerminalLoan {
    owner: Option<Pid>,
    settings: Option<Termios>,
}

impl TerminalLoan {
    fn before() -> Self {
        Self { owner: tcgetpgrp(stdin()).ok(), settings: tcgetattr(stdin()).ok() }
    }

    fn to(&self, group: Pid) {
        if self.owner.is_some() {
            set_foreground(group);
        }
    }
}

impl Drop for TerminalLoan {
    fn drop(&mut self) {
        if let Some(owner) = self.owner {
            set_foreground(owner);
        }
        if let Some(settings) = &self.settings {
            let _ = tcsetattr(stdin(), OptionalActions::Now, settings);
        }
    }
}

/// Makes a group the one in the foreground. Who asks for that from the background is stopped by SIGTTOU, unless it
/// is blocked. An error means that there is no such group, or no terminal any more.
fn set_foreground(group: Pid) {
    let blocked = SigSet::from(Masked::SIGTTOU).thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let _ = tcsetpgrp(stdin(), group);
    if let Ok(before) = blocked {
        let _ = before.thread_set_mask();
    }
}
