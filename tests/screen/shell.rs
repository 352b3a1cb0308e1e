//! Commands in the user's shell, run from a console: their entries, their end, and what they leave.

use std::{path::Path, time::Duration};

use voltergeist::{
    console::ExitReason,
    domain::model::entry::{EntryKind, ShellEvent, ShellResult},
};

use super::live::Live;

fn results(live: &Live) -> Vec<ShellResult> {
    let entries = live.hub.all_entries();
    let finished = entries.iter().filter_map(|entry| match &entry.kind {
        EntryKind::Shell(ShellEvent::Finished(result)) => Some((**result).clone()),
        _ => None,
    });
    finished.collect()
}

/// Waits until a process is gone, or is there.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waiting).await.expect(what);
}

#[tokio::test]
async fn a_shell_command_leaves_its_output_and_its_exit_status() {
    let mut live = Live::start();
    live.press("! e c h o space h e l l o ; e c h o space w o r l d > & 2 ; e x i t space 3 enter");
    live.shows("exit status 3: hello").await;
    let [result] = &results(&live)[..] else { panic!("one command has ended") };
    assert_eq!((result.exit, &*result.output.text()), (Some(3), "hello\nworld\n"));
    live.press("enter");
    live.shows("hello").await;
    live.shows("exit status 3 after").await;
}

#[tokio::test]
async fn a_key_ends_a_shell_command_and_leaving_ends_it_too() {
    for leaves in [false, true] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("pid").display().to_string();
        let mut live = Live::start();
        live.press("!");
        for letter in format!("echo $$ >{path}; sleep 1000; true").chars() {
            live.press(&if letter == ' ' { "space".to_owned() } else { letter.to_string() });
        }
        live.press("enter");
        live.shows("running").await;
        until("it has started", || std::fs::read_to_string(&path).is_ok_and(|pid| pid.ends_with('\n'))).await;
        let pid = std::fs::read_to_string(&path).expect("its number");
        let process = format!("/proc/{}/stat", pid.trim());
        // A process that has ended and was not waited for yet is there as a zombie.
        let is_gone = || {
            let stat = std::fs::read_to_string(Path::new(&process)).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        if leaves {
            live.press("q");
            live.shows("quitting ends it").await;
            live.press("y");
            assert_eq!(live.release_action().await, ExitReason::Quit);
        } else {
            live.press("X");
            live.shows("ended by signal 15").await;
            assert_eq!(results(&live)[0].signal, Some(15));
        }
        until("it is gone", is_gone).await;
    }
}

#[tokio::test]
async fn what_stays_in_the_background_does_not_hold_a_command_up() {
    let mut live = Live::start();
    live.press("! s l e e p space 3 0 & enter");
    live.shows("exit status 0").await;
}
