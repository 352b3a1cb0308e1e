//! A held call's reply on its way through an editor, and back.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::oneshot;
use voltergeist::{
    console::{
        ExitReason,
        editor::{EditFailed, Edited},
    },
    domain::model::{
        entry::{EntryKind, HeldCall, OriginalReply},
        origin::Origin,
        protocol::{Caller, Operation},
    },
    hub::{HeldCallGuard, Hub},
};

use super::live::Live;

type Result = std::result::Result<Edited, EditFailed>;

/// A console, and the editor that it runs: what it was given, and what ends it.
struct Desk {
    live: Live,
    given: Arc<Mutex<Vec<String>>>,
    ends: Arc<Mutex<Vec<oneshot::Sender<Result>>>>,
}

impl Desk {
    fn new() -> Self {
        let (given, ends): (Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<_>>>) = Default::default();
        let editing = Box::new({
            let (given, ends) = (Arc::clone(&given), Arc::clone(&ends));
            move |text: &str| {
                let (end, ended) = oneshot::channel();
                given.lock().expect("no test panics with it").push(text.to_owned());
                ends.lock().expect("no test panics with it").push(end);
                ended
            }
        });
        Self { live: Live::start_with(editing), given, ends }
    }

    /// A call that waits, and the console that has seen it.
    async fn held(&mut self, body: &str) -> HeldCallGuard {
        let ticket = held(&self.live.hub, 200, body);
        self.live.shows("1 CALL HELD").await;
        ticket
    }

    /// Opens the editor and ends it so.
    async fn edit(&mut self, result: Result) {
        self.open().await;
        self.close(result);
    }

    fn close(&self, result: Result) {
        let end = self.ends.lock().expect("no test panics with it").pop().expect("an editor is open");
        end.send(result).map_err(drop).expect("the console waits for its editor");
    }

    /// Opens the editor again from the question, and ends it so.
    async fn edit_again(&mut self, result: Result) {
        self.open_by("e").await;
        self.close(result);
    }

    async fn open(&mut self) {
        self.open_by("v").await;
    }

    async fn open_by(&mut self, key: &str) {
        self.live.press(key);
        let is_open = async {
            while self.ends.lock().expect("no test panics with it").is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), is_open).await.expect("the key opens the editor");
    }
}

fn held(hub: &Arc<Hub>, status: u16, body: &str) -> HeldCallGuard {
    hub.command_line("arm get: hold", Origin::Line).expect("it is armed");
    hub.record_held(HeldCall {
        number: hub.next_call(),
        connection: 1,
        peer: None,
        operation: Some(Operation::Get),
        request_line: None,
        caller: Caller::Docker,
        volume: Some("db1".into()),
        mount_id: None,
        retry: false,
        barrier: None,
        fault: super::fixture::fault(1, None, "hold"),
        original: Some(OriginalReply { status, body: body.as_bytes().to_vec().into() }),
    })
}

fn edited(text: &str) -> Edited {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("it can be written");
    Edited { text: text.into(), file }
}

async fn release_action(ticket: &mut HeldCallGuard) -> String {
    let released = tokio::time::timeout(Duration::from_secs(5), ticket.wait()).await;
    let wakeup = released.expect("the call is released").expect("it still waits");
    wakeup.action.expect("with another reply").to_string()
}

#[tokio::test]
async fn what_is_no_json_any_more_is_sent_only_after_a_question() {
    let invalid = "{\"Err\": \"no\"";
    let mut desk = Desk::new();
    let mut held = desk.held("{}\n").await;
    desk.edit(Ok(edited(invalid))).await;
    desk.live.shows("It is not JSON: EOF while parsing an object at line 1").await;
    // Neither Enter nor another key sends it; the editor has the text as it was left.
    desk.live.press("enter");
    desk.edit_again(Ok(edited(invalid))).await;
    assert_eq!(*desk.given.lock().expect("nobody holds it"), ["{}\n", invalid]);
    desk.live.shows("Send the edited reply to call 1?").await;
    desk.live.press("y");
    assert_eq!(release_action(&mut held).await, "reply \"{\\\"Err\\\": \\\"no\\\"\" after");

    let mut desk = Desk::new();
    let _held = desk.held("{}\n").await;
    desk.edit(Ok(edited(invalid))).await;
    desk.live.shows("It is not JSON").await;
    desk.live.press("n");
    desk.live.shows("was not sent, and is kept in").await;
    desk.live.shows("1 CALL HELD").await;
}

#[tokio::test]
async fn what_comes_out_of_the_editor_is_the_reply() {
    for (body, given, out, expected) in [
        (
            "{\"Mountpoint\":\"/a\"}\n",
            "{\n  \"Mountpoint\": \"/a\"\n}\n",
            "{\n  \"Mountpoint\": \"/b\"\n}\n",
            "reply {\"Mountpoint\":\"/b\"} after",
        ),
        ("not found", "not found", "gone", "reply \"gone\" after"),
        ("{}\n", "{}\n", "[ ]", "reply [] after"),
    ] {
        let mut desk = Desk::new();
        let mut ticket = desk.held(body).await;
        desk.edit(Ok(edited(out))).await;
        assert_eq!(release_action(&mut ticket).await, expected);
        assert_eq!(*desk.given.lock().expect("nobody holds it"), [given]);
        desk.live.shows(&format!("call {} released", ticket.call)).await;
        // Its entry, which may come later, is not taken for somebody else's.
        desk.live.hub.record(EntryKind::Note { text: "later".into() });
        desk.live.shows("# later").await;
        let screen = desk.live.screen();
        assert!(screen.contains("released") && !screen.contains("(by key v)"), "{screen}");
        desk.live.press("?");
        desk.live.shows("toggle: fail every Mount").await;
    }
}

#[tokio::test]
async fn a_reply_with_an_error_status_keeps_it() {
    let mut desk = Desk::new();
    let mut ticket = held(&desk.live.hub, 500, "invalid argument\n");
    desk.live.shows("1 CALL HELD").await;
    desk.edit(Ok(edited("device busy\n"))).await;
    assert_eq!(release_action(&mut ticket).await, "reply \"device busy\\n\" as text500 after");
}

#[tokio::test]
async fn nothing_happens_where_nothing_was_changed_or_the_editor_failed() {
    let failed = || EditFailed::Ended { how: "ended with status 1".into(), kept: None };
    let results: [(Result, &str); 4] = [
        (Ok(edited("\n")), "the reply is empty, so nothing is sent; call"),
        (Ok(edited("{ \"a\" : 1 }")), "no changes; call"),
        (Err(failed()), "the editor ended with status 1, so nothing is sent"),
        (Err(EditFailed::NoEditor), "no editor; set EDITOR"),
    ];
    for (result, said) in results {
        let mut desk = Desk::new();
        let mut ticket = desk.held("{\"a\":1}\n").await;
        desk.edit(result).await;
        desk.live.shows(said).await;
        desk.live.press("r");
        let released = tokio::time::timeout(Duration::from_secs(5), ticket.wait()).await;
        assert_eq!(released.expect("it waited still").map(|wakeup| wakeup.action), Some(None));
    }
}

#[tokio::test]
async fn what_was_written_is_kept_where_the_caller_has_given_up_meanwhile() {
    let mut desk = Desk::new();
    let ticket = desk.held("{}\n").await;
    desk.open().await;
    let call = ticket.call;
    drop(ticket);
    let out = edited("{\"Err\": \"late\"}");
    let path = out.file.path().to_owned();
    desk.close(Ok(out));
    desk.live.shows(&format!("call {call} is not held")).await;
    desk.live.shows(&format!("the edited reply to call {call} was not sent, and is kept in")).await;
    assert_eq!(std::fs::read_to_string(&path).expect("it is kept"), "{\"Err\": \"late\"}");
    std::fs::remove_file(path).expect("it can be removed");
}

#[tokio::test]
async fn the_end_of_the_program_does_not_wait_for_the_editor() {
    let mut desk = Desk::new();
    let _ticket = desk.held("{}\n").await;
    desk.open().await;
    desk.live.shutdown.cancel();
    assert_eq!(desk.live.release_action().await, ExitReason::Shutdown);
}
