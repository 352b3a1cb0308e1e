//! A panic of the console itself gives the terminal back before its message is printed. The console that
//! panics is this very test program, started once more in a terminal of its own.

use std::{io::Read as _, num::NonZero, time::Duration};

use portable_pty::{CommandBuilder, NativePtySystem, PtySize, PtySystem as _};
use tokio_util::sync::CancellationToken;
use voltergeist::{
    console::{self, ConsoleOptions},
    domain::{
        model::{entry::Session, volume::Volumes},
        state::journal::Bounds,
    },
    hub::{Hub, InMemoryStore},
    source::LocalSource,
};

#[test]
#[ignore = "the other test here runs it in a terminal of its own"]
fn a_console_that_panics() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let hub = Hub::new(Session::new(7, Volumes::default()), Box::new(InMemoryStore), Bounds::default());
    runtime.block_on(async {
        tokio::select! {
            release_action = console::run(LocalSource::new(hub), ConsoleOptions::default(), CancellationToken::new()) => {
                panic!("the console ended by itself: {release_action:?}");
            }
            // Within the branch: what stands after the arrow runs when the console is gone already.
            () = async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                panic!("the console itself is haunted");
            } => {}
        }
    });
}

#[test]
fn a_panic_of_the_console_gives_the_terminal_back_and_shows_its_message() {
    let size = PtySize { rows: 50, cols: 120, ..PtySize::default() };
    let pty = NativePtySystem::default().openpty(size).expect("a terminal can be made");
    let settings = || format!("{:?}", pty.master.get_termios().expect("the terminal has settings"));
    let before = settings();
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = CommandBuilder::new(program);
    command.args(["panic::a_console_that_panics", "--exact", "--ignored", "--nocapture"]);
    command.env("TERM", "xterm-256color");
    command.env("RUST_BACKTRACE", "0");
    let mut child = pty.slave.spawn_command(command).expect("this program starts again");
    drop(pty.slave);
    let mut output = pty.master.try_clone_reader().expect("the terminal can be read");
    let reading = std::thread::spawn(move || {
        let (rows, columns) = (const { NonZero::new(50).unwrap() }, const { NonZero::new(120).unwrap() });
        let mut screen = vt100::Parser::new(rows, columns, 0);
        let (mut written, mut chunk) = (Vec::new(), [0; 4096]);
        while let Ok(read @ 1..) = output.read(&mut chunk) {
            screen.process(&chunk[..read]);
            written.extend_from_slice(&chunk[..read]);
        }
        (String::from_utf8_lossy(&written).into_owned(), screen)
    });
    assert!(!child.wait().expect("the program ends").success());
    assert_eq!(settings(), before, "the terminal's settings were left changed");
    let (written, screen) = reading.join().expect("the reader does not panic");
    let screen = screen.screen();
    // Once each: a second return would put the cursor back to where it was, onto the message.
    for (sequence, what) in [("\x1b[?1049h", "taken"), ("\x1b[?1049l", "given back")] {
        assert_eq!(written.matches(sequence).count(), 1, "the screen is {what} once:\n{}", screen.contents());
    }
    assert!(!screen.alternate_screen() && !screen.hide_cursor());
    let text = screen.contents();
    let line = |wanted: &str| text.lines().position(|line| line.trim_end() == wanted);
    let (message, what_follows) = (line("the console itself is haunted"), line("failures:"));
    assert!(message.is_some() && message < what_follows, "{text}");
}
