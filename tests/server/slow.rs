//! Clients that are slow, leave early, or are too many.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    process::Command,
    time::Duration,
};

use rustix::io::ioctl_fionread;
use voltergeist::domain::model::{entry::Outcome, protocol::Operation};

use crate::{
    client,
    endings::Program,
    fixture::{Fixture, kept_alive, place, tcp, until},
};

const HEAD: &str = "POST /VolumeDriver.List HTTP/1.1\r\nHost: x\r\nX-";

#[tokio::test]
async fn a_head_that_is_never_finished_ends_its_connection_and_no_other() {
    for is_tcp in [false, true] {
        let fixture = Fixture::with(|plan| {
            plan.header_timeout = Some(Duration::from_millis(200));
            if is_tcp {
                (plan.listen, plan.control) = (tcp(), tcp());
            }
        });
        let state = "GET /v1/state HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut idle = fixture.plugin.connect().await.expect("the server listens");
        let mut used = fixture.plugin.connect().await.expect("the server listens");
        used.say(&kept_alive(Operation::List, "{}")).await;
        used.hear_one().await;
        let mut control = fixture.control.connect().await.expect("the control API listens");
        control.say(state).await;
        control.hear_one().await;
        for peer in [&fixture.plugin, &fixture.control] {
            let mut slow = peer.connect().await.expect("the server listens");
            slow.say(HEAD).await;
            assert_eq!(slow.hear().await.text, "", "{peer:?}");
        }
        // It has been idle for longer.
        for caller in [&mut idle, &mut used] {
            caller.say(&kept_alive(Operation::List, "{}")).await;
            assert_eq!(caller.hear_one().await.status(), Some(200));
        }
        control.say(state).await;
        assert_eq!(control.hear_one().await.status(), Some(200));
        let calls = fixture.calls();
        let late: Vec<_> = calls.iter().filter(|call| call.operation.is_none()).collect();
        let [late] = &late[..] else { panic!("one, not {late:?}") };
        assert_eq!((late.outcome, late.status), (Outcome::Error, None));
        assert!(late.error.as_deref().is_some_and(|error| error.contains("--header-timeout")), "{late:?}");
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_call_that_waits_and_a_body_that_is_late_are_no_heads() {
    let fixture = Fixture::with(|plan| plan.header_timeout = Some(Duration::from_millis(50)));
    fixture.command("arm list: delay 300ms").await;
    let mut waiting = fixture.plugin.connect().await.expect("the server listens");
    // The beginning of the next request comes meanwhile.
    waiting.say(&(kept_alive(Operation::List, "{}") + HEAD)).await;
    assert_eq!(waiting.hear_one().await.status(), Some(200));
    let mut late = fixture.plugin.connect().await.expect("the server listens");
    let request = kept_alive(Operation::Create, r#"{"Name":"v"}"#);
    let (head, body) = request.split_at(request.len() - 12);
    late.say(head).await;
    assert!(late.is_silent().await && late.is_silent().await);
    late.say(body).await;
    assert_eq!(late.hear_one().await.body(), "{}\n");
    fixture.end().await;
}

#[tokio::test]
async fn a_client_that_sends_two_requests_and_leaves_does_not_wait_any_more() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        fixture.command("arm mount: hold").await;
        let mut caller = fixture.plugin.connect().await.expect("the server listens");
        let mount = kept_alive(Operation::Mount, r#"{"Name":"v","ID":"7f"}"#);
        caller.say(&(mount.clone() + &mount)).await;
        fixture.until("the call is held", |now| now.held.len() == 1).await;
        drop(caller);
        fixture.until("it has ended", |now| now.counters.outcome(Outcome::Cancelled) == 1).await;
        fixture.until("nothing waits", |now| now.held.is_empty() && now.connections.is_empty()).await;
        fixture.end().await;
    }
}

#[tokio::test]
async fn without_a_free_descriptor_connections_wait_and_it_is_reported_once() {
    let place = place();
    let errors = place.path().join("errors");
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 64; exec \"$@\" 2>\"$0\""]).arg(&errors);
    limited.arg(env!("CARGO_BIN_EXE_voltergeist"));
    let _program = Program::start_as(limited, place.path(), &[]);
    let socket = place.path().join("plugin.sock");
    until("it listens", || UnixStream::connect(&socket).is_ok()).await;
    let reports =
        || fs::read_to_string(&errors).unwrap_or_default().matches("cannot accept connections").count();
    let state = || client::request(&place.path().join("control.sock"), "GET", "/v1/state", "");
    let create = |name: &str| {
        let body = format!("{{\"Name\":\"{name}\"}}");
        client::send(&socket, "POST", Operation::Create.path(), &body).expect("it connects")
    };
    assert_eq!(client::answer(create("before")).expect("it is answered").1, "{}\n");
    let long = "x".repeat(500_000);
    let arm = format!("arm list: reply \"{long}\"");
    let (status, answer) = client::request(&place.path().join("control.sock"), "POST", "/v1/commands", &arm)
        .expect("it is answered");
    assert_eq!(status, 200, "{answer}");
    let mut slow = UnixStream::connect(&socket).expect("it connects");
    let connections: Vec<_> = (0..100).map(|_| UnixStream::connect(&socket).expect("it waits")).collect();
    until("it has no descriptor left", || reports() == 1).await;
    // A reply for which there is no room is sent as soon as there is.
    slow.write_all(b"POST /VolumeDriver.List HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}").expect("it is sent");
    until("its buffer is full", || ioctl_fionread(&slow).is_ok_and(|unread| unread > 100_000)).await;
    let mut reply = String::new();
    slow.read_to_string(&mut reply).expect("the reply arrives");
    assert!(reply.contains(&long), "{} bytes", reply.len());
    let waiting = create("waiting");
    drop(connections);
    assert_eq!(client::answer(waiting).expect("it is answered").1, "{}\n");
    assert_eq!(reports(), 1, "{:?}", fs::read_to_string(&errors));
    let (_, state) = state().expect("the control API answers");
    assert!(state.contains("\"before\"") && state.contains("\"waiting\""), "{state}");
}
