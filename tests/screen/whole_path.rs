//! The whole path: an HTTP request in at the plugin's socket, text on the screen out, and a key's effect on the next answer.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};
use tokio_util::sync::CancellationToken;
use voltergeist::{
    domain::journal::Bounds,
    hub::Hub,
    server::{Address, Disk, Plan, Server},
};

use super::live::Live;

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
async fn a_request_is_seen_and_a_key_decides_the_next_answer() {
    let place = tempfile::tempdir().expect("a place for the test");
    let (disk, volumes) = Disk::open(&place.path().join("volumes")).expect("the root opens");
    let hub = Hub::new(0, volumes, Box::new(disk.clone()), Bounds::default());
    let socket = place.path().join("plugin.sock");
    let plan = Plan {
        listen: Address::Unix(Some(socket.clone())),
        control: Address::Unix(Some(place.path().join("control.sock"))),
        ..Plan::new("whole")
    };
    let shutdown = CancellationToken::new();
    let server = Server::bind(&hub, disk, plan).expect("the sockets are free");
    let serving = tokio::spawn(server.run(shutdown.clone()));
    let mut live = Live::start_on(hub, false);
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
    live.ending().await;
    shutdown.cancel();
    serving.await.expect("the server ends in order");
}
