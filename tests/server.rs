//! The plugin server and its control API, over their real sockets.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
};

use tokio_util::sync::CancellationToken;
use voltergeist::{
    domain::journal::Bounds,
    hub::Hub,
    server::{Address, Disk, Plan, Server},
};

fn exchange(socket: &Path, request: &str, body: &str) -> String {
    let mut stream = UnixStream::connect(socket).expect("the server listens");
    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the request is sent");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("the server answers");
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_answered_counted_and_seen_in_the_state() {
    let place = tempfile::tempdir().expect("a place for the test");
    let (disk, volumes) = Disk::open(&place.path().join("volumes")).expect("the root opens");
    let hub = Hub::new(0, volumes, Box::new(disk.clone()), Bounds::default());
    let (plugin, control) = (place.path().join("plugin.sock"), place.path().join("control.sock"));
    let plan = Plan {
        listen: Address::Unix(Some(plugin.clone())),
        control: Address::Unix(Some(control.clone())),
        ..Plan::new("test")
    };
    let server = Server::bind(&hub, disk, plan).expect("the sockets are free");
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(server.run(shutdown.clone()));

    let state = tokio::task::spawn_blocking(move || {
        let reply =
            exchange(&plugin, "POST /VolumeDriver.Create", r#"{"Name":"db1","Opts":{"tier":"gold"}}"#);
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.ends_with("\r\n\r\n{}\n"), "{reply}");
        let reply = exchange(&plugin, "POST /VolumeDriver.Mount", r#"{"Name":"db1","ID":"7f"}"#);
        assert!(reply.contains(r#"/volumes/db1"}"#), "{reply}");
        let reply = exchange(&control, "POST /v1/commands", "forget db1");
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
        exchange(&control, "GET /v1/state", "")
    })
    .await
    .expect("the client does not panic");
    let (_, state) = state.split_once("\r\n\r\n").expect("a head and a body");
    let state: serde_json::Value = serde_json::from_str(state).expect("the state is JSON");
    assert_eq!(state["counters"]["mount"], 1);
    assert_eq!(state["volumes"][0]["mounts"], serde_json::json!(["7f"]));
    assert_eq!(state["volumes"][0]["known"], false);

    shutdown.cancel();
    running.await.expect("the server ends");
    assert!(!place.path().join("plugin.sock").exists());
}
