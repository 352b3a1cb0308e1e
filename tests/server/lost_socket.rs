//! A socket file that something else removes or replaces.

use std::fs;

use crate::fixture::{Fixture, Heard, http, until};

async fn command(fixture: &Fixture, line: &str) -> Heard {
    fixture.control.exchange(&http("POST", "/v1/commands", "Connection: close\r\n", line)).await
}

#[tokio::test]
async fn a_socket_file_that_was_removed_is_noticed_and_created_again_by_a_command() {
    for line in ["up", "crash keep"] {
        let fixture = Fixture::unix();
        fs::remove_file(fixture.place.path().join("plugins/ghost.sock")).expect("it is there");
        let is_lost = |registration: &str| registration.starts_with("not registered: the socket file");
        fixture.until("it is noticed", |now| is_lost(&now.driver.registration)).await;
        let driver = fixture.hub.driver();
        assert_eq!(driver.fix_command.as_deref(), Some("voltergeist command --name ghost up"));
        assert!(fixture.plugin.connect().await.is_err() && fixture.hub.bind_error().is_some());
        assert_eq!(command(&fixture, line).await.status(), Some(200), "{line}");
        fixture.until("it is registered", |now| now.driver.registration == "registered").await;
        assert!(fixture.plugin.connect().await.is_ok() && fixture.hub.bind_error().is_none());
        assert_eq!(command(&fixture, "up").await.status(), Some(400), "it is up already");
        fixture.end().await;
    }
}

#[tokio::test]
async fn up_does_not_claim_a_socket_that_is_taken() {
    let fixture = Fixture::unix();
    let socket = fixture.place.path().join("plugins/ghost.sock");
    fixture.command("down unlink").await;
    fs::write(&socket, "another file").expect("the place is writable");
    let heard = command(&fixture, "up").await;
    assert_eq!(heard.status(), Some(409), "{heard:?}");
    assert!(heard.body().starts_with("the driver is not reachable: "), "{heard:?}");
    assert_eq!(fs::read_to_string(&socket).expect("it is there"), "another file");
    fs::remove_file(&socket).expect("it is there");
    until("it listens", || fixture.hub.bind_error().is_none()).await;
    assert!(fixture.plugin.connect().await.is_ok());
    fixture.end().await;
}

#[tokio::test]
async fn a_request_that_is_no_http_is_a_call_too() {
    let fixture = Fixture::unix();
    let long = format!("POST / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(500));
    for (number, (request, status)) in [("no request\r\n\r\n", 400), (&*long, 431)].into_iter().enumerate() {
        let heard = fixture.plugin.exchange(request).await;
        assert_eq!(heard.status(), Some(status));
        fixture.until("it is counted", |now| now.counters.unknown_requests == number as u64 + 1).await;
        assert_eq!(fixture.last_call().status, Some(status));
    }
    fixture.end().await;
}
