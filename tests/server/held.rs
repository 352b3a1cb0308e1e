//! Calls that a rule keeps waiting: the ways out, as bytes on the wire, as work done, and as the journal has it.

use std::io::ErrorKind;

use voltergeist::domain::model::{
    entry::{Cause, EntryKind},
    fault::ReleasedBy,
    origin::Origin,
    protocol::Operation,
};

use crate::fixture::{Fixture, Heard, request};

/// What the caller hears: status and body, or how the connection ends without them.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// The original reply.
    OriginalReply,
    Answer(u16, &'static str),
    End(Result<(), ErrorKind>),
}
use Outcome::{Answer, End, OriginalReply};

/// The rule, what follows `release N`, what the caller hears, and how often the volume is mounted at the end.
const WAYS_OUT: [(&str, &str, Outcome, u32); 19] = [
    ("hold", "", OriginalReply, 1),
    ("hold", ": pass", OriginalReply, 1),
    ("hold", ": fail \"no\"", Answer(500, "no\n"), 0),
    ("hold once", ": fail \"no\" as json500", Answer(500, "{\"Err\":\"no\"}\n"), 0),
    ("hold", ": fail \"no\" as inband after", Answer(200, "{\"Err\":\"no\"}\n"), 1),
    ("hang", ": empty", Answer(200, "{}\n"), 0),
    ("hang", ": mountpoint /etc", Answer(200, "{\"Mountpoint\":\"/etc\"}\n"), 1),
    ("hold", ": reply {\n  \"Mountpoint\" : \"/etc\"\n}", Answer(200, "{\"Mountpoint\":\"/etc\"}\n"), 0),
    ("hold", ": reply {\"Mountpoint\":\"/etc\"} after", Answer(200, "{\"Mountpoint\":\"/etc\"}\n"), 1),
    ("hold", ": reply {\"Err\":\"no\"} as json500 before", Answer(500, "{\"Err\":\"no\"}\n"), 1),
    ("hold", ": reply \"half {\\\"Mou\"", Answer(200, "half {\"Mou"), 0),
    ("hold", ": reply \"gone\\n\" as http404", Answer(404, "gone\n"), 0),
    ("hold", ": reply \"\"", Answer(200, ""), 0),
    // What was done before the wait stays done, and is not done again.
    ("hold after", ": fail \"late\"", Answer(500, "late\n"), 1),
    ("hold after", ": null twice", Answer(200, "null\n"), 1),
    ("hold twice", ": pass", OriginalReply, 2),
    ("delay 1h", ": eof", End(Ok(())), 0),
    ("hold once", ": reset", End(Err(ErrorKind::ConnectionReset)), 0),
    ("delay 1h", ": reset after", End(Err(ErrorKind::ConnectionReset)), 1),
];

const MOUNT: &str = r#"{"Name":"v","ID":"7f"}"#;

/// A call that the one armed rule holds, its number, and what its caller hears in the end.
async fn held(fixture: &Fixture, then: impl AsyncFnOnce(u64)) -> Heard {
    let release = async {
        fixture.until("the call waits", |now| now.held.len() == 1).await;
        then(fixture.snapshot().held[0].call_number().expect("it is a call")).await;
    };
    tokio::join!(fixture.call(Operation::Mount, MOUNT), release).0
}

async fn check(fixture: &Fixture, (rule, how, expected, mounts): (&str, &str, Outcome, u32)) {
    let case = format!("mount: {rule}; release{how}");
    fixture.command("conjure v").await;
    fixture.command(&format!("arm mount: {rule}")).await;
    let (mut number, mut seq) = (0, 0);
    let heard = held(fixture, async |call| {
        (number, seq) = (call, fixture.snapshot().held[0].seq);
        fixture.command(&format!("release {call}{how}")).await;
    })
    .await;

    let original_body = format!("{{\"Mountpoint\":\"{}\"}}\n", fixture.mountpoint("v").display());
    let (status, body, end) = match expected {
        OriginalReply => (Some(200), original_body.as_str(), Ok(())),
        Answer(status, body) => (Some(status), body, Ok(())),
        End(end) => (None, "", end),
    };
    assert_eq!((heard.status(), heard.body(), heard.end), (status, body, end), "{case}: {heard:?}");
    let call = fixture.last_call();
    assert_eq!((call.number, call.held_seq), (number, Some(seq)), "{case}");
    assert_eq!((call.status, &*call.reply.text()), (status, body), "{case}");
    assert_eq!(call.changes.len(), mounts as usize, "{case}");
    assert_eq!(fixture.snapshot().volumes.open_mounts(), u64::from(mounts), "{case}");
    let fault = call.fault.expect("a rule acted");
    assert_eq!(fault.released.as_ref().map(|release| release.by), Some(ReleasedBy::Command), "{case}");
    let fault = fault.to_string();
    let waits = rule.trim_end_matches(" once");
    let release_action = how.trim_start_matches(": ");
    if how.contains('\n') {
        assert_eq!(fault, "hold then reply {\"Mountpoint\":\"/etc\"}");
    } else if how.is_empty() {
        assert_eq!(fault, waits);
    } else {
        assert_eq!(fault, format!("{waits} then {release_action}"));
    }
    let (entries, _) = fixture.hub.entries_after(seq - 1, 1);
    let EntryKind::Held(waiting) = &entries[0].kind else { panic!("{case}: {:?}", entries[0]) };
    let original = waiting.original.as_ref().expect("its answer is still open");
    assert_eq!((original.status, &*original.body.text()), (200, original_body.as_str()), "{case}");
    fixture.command("disarm all").await;
    fixture.command("wipe").await;
}

#[tokio::test]
async fn a_held_call_ends_as_it_is_released_on_both_transports() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        for case in WAYS_OUT {
            check(&fixture, case).await;
        }
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_release_that_cannot_be_is_refused_and_the_call_waits_on() {
    let fixture = Fixture::unix();
    fixture.command("conjure v").await;
    let refused = |line: &str| fixture.hub.command_line(line, Origin::Line).expect_err(line).to_string();
    assert!(refused("release: fail \"no\"").starts_with("no call is held; arm a rule that holds one"));
    fixture.command("arm mount: hold").await;
    let heard = held(&fixture, async |call| {
        for (how, why) in [
            (format!("{}: empty", call + 1), format!("call {} is not held", call + 1)),
            (
                format!("{call}: scope local"),
                format!("\"scope\" does not apply to call {call}, a mount; fail"),
            ),
            ("all: bad-time".into(), format!("\"bad-time\" does not apply to call {call}")),
            (": null-entry".into(), "this crashes dockerd".into()),
            (format!("--yes {call}: null-entry"), format!("\"null-entry\" does not apply to call {call}")),
            (
                format!("{call}: reply {{\"Volumes\":[null]}} after"),
                "this crashes dockerd (a null entry in the reply to List); to do it anyway: \
                 release --yes "
                    .into(),
            ),
        ] {
            let error = refused(&format!("release {how}"));
            assert!(error.starts_with(&why), "{how}: {error}");
            assert_eq!(fixture.snapshot().held.len(), 1, "{how}");
        }
        fixture.command("release: fail \"now\"").await;
        assert!(
            refused(&format!("release {call}: fail \"again\""))
                .starts_with(&format!("call {call} is not held")),
            "the first one counts"
        );
    })
    .await;
    assert_eq!(heard.body(), "now\n");
    fixture.end().await;
}

#[tokio::test]
async fn a_reply_that_is_on_its_way_can_be_hurried_and_not_changed() {
    let fixture = Fixture::unix();
    fixture.command("arm list: drip 1h").await;
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    caller.say(&request(Operation::List, "{}")).await;
    fixture.until("the call waits", |now| now.held.len() == 1).await;
    let call = fixture.snapshot().held[0].call_number().expect("it is a call");
    let error =
        fixture.hub.command_line("release all: empty", Origin::Line).expect_err("it has begun").to_string();
    assert!(
        error.starts_with(&format!("the reply to call {call} is already being sent; release {call} sends"))
    );
    fixture.command(&format!("release {call}")).await;
    assert_eq!(caller.hear().await.body(), "{\"Volumes\":[]}\n");
    fixture.end().await;
}

#[tokio::test]
async fn all_waiting_calls_can_be_failed_at_once() {
    let fixture = Fixture::tcp();
    fixture.command("arm reads: hold").await;
    let release = async {
        fixture.until("both calls wait", |now| now.held.len() == 2).await;
        fixture.command("release all: fail \"closed\"").await;
    };
    let (get, list, ()) =
        tokio::join!(fixture.call(Operation::Get, MOUNT), fixture.call(Operation::List, "{}"), release);
    assert_eq!((get.body(), list.body()), ("closed\n", "closed\n"));
    fixture.end().await;
}

#[tokio::test]
async fn a_rule_can_reply_to_the_byte() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        fixture
            .command("arm get: reply {\"Volume\":{\"Name\":\"v\"}} then reply \"<html>\" as text500")
            .await;
        for (status, body, error) in
            [(200, "{\"Volume\":{\"Name\":\"v\"}}\n", None), (500, "<html>", Some("<html>"))]
        {
            let heard = fixture.call(Operation::Get, MOUNT).await;
            assert_eq!((heard.status(), heard.body()), (Some(status), body));
            assert_eq!(fixture.last_call().error.as_deref(), error);
        }
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_change_is_recorded_when_it_happens_and_not_when_the_reply_is_released() {
    let fixture = Fixture::unix();
    fixture.command("arm mount: hold after").await;
    let mut number = 0;
    held(&fixture, async |call| {
        number = call;
        let (entries, _) = fixture.hub.entries_after(0, usize::MAX);
        let kinds: Vec<_> = entries
            .iter()
            .filter_map(|entry| match &entry.kind {
                EntryKind::Volume(volume) => Some(("volume", volume.cause == Cause::Call(call))),
                EntryKind::Held(held) => Some(("held", held.number == call)),
                EntryKind::Call(_) => Some(("call", false)),
                _ => None,
            })
            .collect();
        assert_eq!(kinds, [("volume", true), ("held", true)]);
        assert_eq!(fixture.snapshot().volumes.open_mounts(), 1);
        fixture.command("release").await;
    })
    .await;
    assert_eq!((fixture.last_call().number, fixture.last_call().changes.len()), (number, 1));
    fixture.end().await;
}
