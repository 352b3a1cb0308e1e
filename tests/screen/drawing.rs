//! The running loop on a hub: when it draws, how it hears keys, and how it ends.

use std::{io, sync::PoisonError, time::Duration};

use voltergeist::{
    console::{ExitReason, FRAMES_PER_SECOND, layout},
    domain::{
        model::{
            entry::{EntryKind, Session},
            origin::Origin,
            protocol::Operation,
            volume::Volumes,
        },
        state::journal::Bounds,
    },
    hub::{Hub, InMemoryStore},
};

use super::{fixture::call, live::Live};

#[tokio::test(start_paused = true)]
async fn nothing_is_drawn_while_nothing_changes() {
    let mut live = Live::start();
    live.shows("No calls yet").await;
    let before = live.frames();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(live.frames(), before);
}

#[tokio::test(start_paused = true)]
async fn after_a_call_it_draws_once_a_second_until_the_sparkline_is_flat() {
    let mut live = Live::start();
    live.shows("0/s").await;
    live.hub.record(EntryKind::Call(Box::new(call(Operation::Get, "db1"))));
    live.shows("db1").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let flat = live.frames();
    assert!(flat <= layout::SPARK + 5, "{flat} frames for one call");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(live.frames(), flat);
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_drawn_thirty_times_a_second() {
    let mut live = Live::start();
    live.shows("0/s").await;
    let before = live.frames();
    for _ in 0..2000 {
        live.hub.record(EntryKind::Call(Box::new(call(Operation::Get, "db1"))));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let frames = live.frames() - before;
    let most = 2 * FRAMES_PER_SECOND as usize + 2;
    assert!((most / 2..=most).contains(&frames), "{frames} frames in two seconds");
    live.shows("get 2 000").await;
}

#[tokio::test(start_paused = true)]
async fn a_frozen_list_whose_entries_are_gone_can_still_be_filtered() {
    let bounds = Bounds { entries: 20, ..Bounds::default() };
    let hub = Hub::new(Session::new(7, Volumes::default()), Box::new(InMemoryStore), bounds);
    let mut live = Live::start_on(hub, false);
    live.hub.record(EntryKind::Call(Box::new(call(Operation::Get, "early"))));
    live.shows("early").await;
    live.press("space");
    live.shows("PAUSED +0").await;
    for _ in 0..50 {
        live.hub.record(EntryKind::Call(Box::new(call(Operation::Get, "late"))));
    }
    live.shows("PAUSED +50").await;
    live.press("/ g e t enter");
    live.shows("No entry matches").await;
    live.press("esc esc");
    live.shows("late").await;
}

#[tokio::test(start_paused = true)]
async fn every_key_is_heard_even_one_at_a_time() {
    let mut live = Live::start();
    live.shows("No calls yet").await;
    for _ in 0..3 {
        live.press("?");
        live.shows("voltergeist: help").await;
        live.press("esc");
        live.shows("No calls yet").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_commands_the_hub_and_is_echoed_as_its_line() {
    let mut live = Live::start();
    live.press("e");
    live.shows(": arm get: empty as empty-get").await;
    live.shows("GET ANSWERS EMPTY").await;
    live.press("e e");
    live.shows("armed rule 2").await;
    live.press("d");
    live.shows("DRIVER DOWN").await;
    live.press("d");
    live.shows("the driver is up").await;
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_refused_says_why() {
    let mut live = Live::start();
    live.press(": f o r g e t space n o n e enter");
    live.shows("unknown volume \"none\"").await;
    live.shows(" : forget none").await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_elsewhere_becomes_a_note() {
    let mut live = Live::start();
    live.panics.send("a task panicked: boom".into()).expect("the loop listens");
    live.shows("# a task panicked: boom").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_copied_leaves_the_console() {
    let mut live = Live::start();
    live.hub.register(voltergeist::hub::DriverInfo { name: "haunted".into(), ..Default::default() });
    live.shows("--volume-driver haunted").await;
    live.press("y");
    live.shows("copied the docker command").await;
    let copied = live.copied.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(copied, ["docker run --rm -v demo:/data --volume-driver haunted busybox touch /data/hello"]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_by_key_by_command_with_the_program_and_with_the_terminal() {
    let live = Live::start();
    live.press("q");
    assert_eq!(live.release_action().await, ExitReason::Quit);

    let live = Live::start();
    live.hub.command_line("quit", Origin::Line).expect("a command");
    assert_eq!(live.release_action().await, ExitReason::Quit);

    let live = Live::start();
    live.shutdown.cancel();
    assert_eq!(live.release_action().await, ExitReason::Shutdown);

    let live = Live::start();
    live.keys.push(Err(io::ErrorKind::UnexpectedEof.into()));
    assert_eq!(live.release_action().await, ExitReason::TerminalGone);

    assert_eq!(
        Live::start_on(
            Hub::new(Session::new(7, Volumes::default()), Box::new(InMemoryStore), Bounds::default()),
            true
        )
        .release_action()
        .await,
        ExitReason::TerminalGone
    );
}
