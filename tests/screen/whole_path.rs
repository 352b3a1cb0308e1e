//! The whole path: an HTTP request in at the plugin's socket, text on the screen out, and a key's effect on the next answer.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};
use voltergeist::net::{Address, Paths};

use super::{instance::TestInstance, live::Live};

async fn post(socket: &std::path::Path, path: &str, body: &str) -> String {
    let mut stream = UnixStream::connect(socket).await.expect("the server listens");
    let head = "Host: x\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\nConnection: close";
    let request = format!("POST {path} HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.expect("the request is sent");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.expect("the server answers");
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_seen_and_a_key_decides_the_next_reply() {
    let place = tempfile::tempdir().expect("a place for the test");
    let socket = place.path().join("plugin.sock");
    let listen = Address::Unix(Some(socket.clone()));
    let instance = TestInstance::start("whole", &place.path().join("volumes"), listen, Paths::default());
    let mut live = Live::start_on(Arc::clone(&instance.hub), false);
    live.shows("--volume-driver whole").await;

    let reply = post(&socket, "/VolumeDriver.Create", r#"{"Name":"db1","Opts":{"tier":"gold"}}"#).await;
    assert!(reply.ends_with("{}\n"), "{reply}");
    live.shows("create 1").await;
    live.shows("tier=gold").await;
    live.shows("docker     create        db1").await;

    live.press("m");
    live.shows("MOUNTS FAIL").await;
    let reply = post(&socket, "/VolumeDriver.Mount", r#"{"Name":"db1","ID":"7f3a"}"#).await;
    assert!(reply.starts_with("HTTP/1.1 500 ") && reply.ends_with("the volume is haunted\n"), "{reply}");
    live.shows("fired 1 of 1 call").await;
    live.shows("✗ 500 the volume is haunted").await;

    live.press("m");
    live.shows(": disarm fail-mounts").await;
    let reply = post(&socket, "/VolumeDriver.Mount", r#"{"Name":"db1","ID":"7f3a"}"#).await;
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    live.shows("mounted 1").await;

    live.press("q y");
    live.release_action().await;
    instance.end().await;
}
