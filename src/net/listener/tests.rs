use super::*;

#[tokio::test]
async fn connections_that_wait_in_the_queue_are_accepted_without_waiting() {
    let place = tempfile::tempdir().expect("a temporary directory can be made");
    let path = place.path().join("x.sock");
    let unix = Listener::unix(&path, 0o600).expect("it can be bound");
    let tcp = Listener::tcp("127.0.0.1:0").expect("a port is free");
    let port = tcp.address().replace("tcp://", "");
    let _unix_clients = [0; 2].map(|_| std::os::unix::net::UnixStream::connect(&path).expect("it is open"));
    let _tcp_clients = [0; 2].map(|_| std::net::TcpStream::connect(&port).expect("it is open"));
    for listener in [unix, tcp] {
        assert_eq!(iter::from_fn(|| listener.accept_queued()).count(), 2, "{}", listener.address());
    }
}
