//! Forwarding to another plugin: what it gets, what the caller gets, and how connections end.

use std::{io::ErrorKind, sync::Arc};

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::Notify,
};
use voltergeist::domain::model::{
    entry::{Body, Outcome},
    origin::Origin,
    protocol::Operation,
};

use crate::{
    fixture::{Fixture, Peer, http, kept_alive, place, request, tcp, until, within},
    recorded_plugin::{Answer, Event, RecordedPlugin},
};

async fn in_front_of(plugin: &RecordedPlugin) -> Fixture {
    let fixture = Fixture::in_front_of(&plugin.address, |_| {});
    // It connects once, to learn which process listens.
    plugin.wait_for(&Event::Ended, 1).await;
    plugin.forget_events();
    fixture
}

/// The head and the decoded body of a message.
fn parts(bytes: &[u8]) -> (String, Vec<u8>) {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let text = String::from_utf8(bytes[..head].to_vec()).expect("a head of text");
    let mut rest = &bytes[head..];
    if !text.to_lowercase().contains("transfer-encoding: chunked") {
        return (text, rest.to_vec());
    }
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").expect("the length of a chunk");
        let length = std::str::from_utf8(&rest[..line]).expect("a length is text");
        let length = usize::from_str_radix(length, 16).expect("a length is a number");
        rest = &rest[line + 2..];
        if length == 0 {
            assert_eq!(rest, b"\r\n");
            return (text, body);
        }
        body.extend_from_slice(&rest[..length]);
        rest = &rest[length + 2..];
    }
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size.max(1)) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

#[derive(Clone, Debug)]
enum Framing {
    Length,
    Chunks(usize),
    Close,
}

/// A message after its first line: headers, framing and body.
#[derive(Clone, Debug)]
struct Message {
    headers: Vec<(String, String)>,
    framing: Framing,
    body: Vec<u8>,
}

impl Message {
    fn bytes(&self, first_line: &str) -> Vec<u8> {
        let mut lines = vec![first_line.to_owned()];
        for (index, (name, value)) in self.headers.iter().enumerate() {
            // Headers of the same name may be merged, so there are none.
            lines.push(format!("{name}{index}: {value}"));
        }
        match self.framing {
            Framing::Length => lines.push(format!("CONTENT-length: {}", self.body.len())),
            Framing::Chunks(_) => lines.push("Transfer-Encoding: chunked".to_owned()),
            Framing::Close => {}
        }
        let head = lines.join("\r\n");
        let body = match self.framing {
            Framing::Chunks(size) => chunked(&self.body, size),
            _ => self.body.clone(),
        };
        [format!("{head}\r\n\r\n").into_bytes(), body].concat()
    }
}

fn message(framing: impl Strategy<Value = Framing>) -> impl Strategy<Value = Message> {
    let header = ("[A-Za-z][A-Za-z-]{0,12}-x", "[!-~]([ -~]{0,18}[!-~])?");
    let body = prop_oneof![vec(any::<u8>(), 0..200), vec(any::<u8>(), 15_000..40_000), Just(Vec::new())];
    (vec(header, 0..5), framing, body).prop_map(|(headers, framing, body)| Message { headers, framing, body })
}

fn exchange() -> impl Strategy<Value = (String, Message, String, Message, usize)> {
    let path = prop_oneof![
        select(Operation::ALL.map(|operation| operation.path().to_owned()).to_vec()),
        "/[A-Za-z.]{1,20}(/[a-z%20]{0,5})?([?][a-z=&]{0,9})?",
        Just("/NetworkDriver.GetCapabilities".to_owned()),
    ];
    let method = select(vec!["POST", "GET", "PUT", "DELETE", "OPTIONS"]);
    let request_line = (method, path).prop_map(|(method, path)| format!("{method} {path} HTTP/1.1"));
    let sent = prop_oneof![Just(Framing::Length), (1_usize..5000).prop_map(Framing::Chunks)];
    let replied =
        prop_oneof![Just(Framing::Length), (1_usize..5000).prop_map(Framing::Chunks), Just(Framing::Close)];
    let status =
        select(vec!["200 OK", "200 Fine", "404 Not Found", "500 Internal Server Error", "201 Made", "418 "]);
    let status_line = status.prop_map(|status| format!("HTTP/1.1 {status}"));
    (request_line, message(sent), status_line, message(replied), 1_usize..4000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn requests_and_replies_pass_unchanged(exchanges in vec(exchange(), 1..5)) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let plugin = RecordedPlugin::start();
            let fixture = in_front_of(&plugin).await;
            let mut caller = fixture.plugin.connect().await.expect("the server listens");
            for (index, (request_line, request, status_line, reply, piece)) in exchanges.iter().enumerate() {
                let sent = request.bytes(request_line);
                let replied = reply.bytes(status_line);
                let pieces = replied.chunks(*piece).map(<[u8]>::to_vec).collect();
                let closes = matches!(reply.framing, Framing::Close);
                plugin.answer(if closes { Answer::SendAndClose(pieces) } else { Answer::Send(pieces) });
                caller.say_bytes(&sent).await;
                let heard = if closes { caller.hear_bytes().await } else { caller.hear_message().await };
                let got = plugin.requests().pop().expect("the plugin got a request");
                assert_eq!(parts(&got), parts(&sent));
                assert_eq!(parts(&heard), parts(&replied));
                let entry = fixture.last_call();
                assert_eq!(entry.reply.length, reply.body.len());
                assert_eq!(*entry.reply.bytes, reply.body[..reply.body.len().min(Body::KEPT)]);
                assert_eq!(entry.request.length, request.body.len());
                assert!(entry.upstream.is_some_and(|upstream| upstream.reply.is_none()));
                assert_eq!(fixture.calls().len(), index + 1);
                if closes {
                    break;
                }
            }
            assert_eq!(plugin.count(&Event::Connected), 1);
            drop(caller);
            plugin.wait_for(&Event::Ended, 1).await;
            fixture.end().await;
        });
    }
}

/// As dockerd 20.10.24 and newer ones send it, and podman.
#[tokio::test]
async fn what_engines_send_reaches_the_plugin_byte_by_byte() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    let replied = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.plugins.v1.1+json\r\n\
        Date: Thu, 26 Nov 2026 04:25:19 GMT\r\nContent-Length: 3\r\n\r\n{}\n";
    let docker = "User-Agent: Go-http-client/1.1\r\nContent-Length: ";
    let accept = "Accept: application/vnd.docker.plugins.v1.2+json\r\n\r\n";
    for sent in [
        format!(
            "POST /VolumeDriver.Create HTTP/1.1\r\nHost: \r\n{docker}26\r\n{accept}{{\"Name\":\"v1\",\"Opts\":null}}\n"
        ),
        // A retry has lost its body.
        format!("POST /VolumeDriver.Create HTTP/1.1\r\nHost: plugin.moby.localhost\r\n{docker}0\r\n{accept}"),
        format!(
            "POST /NetworkDriver.GetCapabilities HTTP/1.1\r\nHost: plugin.moby.localhost\r\n{docker}0\r\n{accept}"
        ),
        format!(
            "POST /VolumeDriver.Get HTTP/1.1\r\nHost: plugin\r\n{docker}13\r\nContent-Type: \
             application/vnd.docker.plugins.v1.1+json\r\nAccept-Encoding: gzip\r\n\r\n{{\"Name\":\"v1\"}}"
        ),
    ] {
        plugin.answer(Answer::Send(vec![replied.to_vec()]));
        caller.say(&sent).await;
        let heard = String::from_utf8(caller.hear_message().await).expect("it is text");
        assert_eq!(heard.as_bytes(), replied, "{heard}");
        let got = String::from_utf8(plugin.requests().pop().expect("it came")).expect("it is text");
        // The one difference: there is no space after the colon of a header without a value.
        assert_eq!(got.replace("Host:\r\n", "Host: \r\n"), sent);
    }
    fixture.end().await;
}

#[tokio::test]
async fn each_connection_has_one_to_the_upstream_that_ends_with_it() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    let mut callers = Vec::new();
    for number in 1..=3 {
        let mut caller = fixture.plugin.connect().await.expect("the server listens");
        for _ in 0..2 {
            plugin.answer(Answer::json("{}"));
            caller.say(&kept_alive(Operation::List, "{}")).await;
            assert_eq!(caller.hear_one().await.body(), "{}");
        }
        assert_eq!(plugin.count(&Event::Connected), number);
        callers.push(caller);
    }
    assert_eq!(plugin.count(&Event::Ended), 0);
    callers.pop();
    plugin.wait_for(&Event::Ended, 1).await;
    assert_eq!(plugin.count(&Event::Ended), 1);
    // The upstream closes one while no call is on its way.
    let mut caller = callers.pop().expect("two are left");
    plugin.answer(Answer::SendAndClose(vec![b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec()]));
    plugin.forget_events();
    caller.say(&kept_alive(Operation::List, "{}")).await;
    let heard = caller.hear().await;
    assert_eq!((heard.body(), heard.end), ("{}", Ok(())));
    // After the end it is looked whether the plugin still listens.
    let before_the_end = plugin.events().into_iter().take_while(|event| *event != Event::Ended);
    assert_eq!(before_the_end.filter(|event| *event == Event::Connected).count(), 0);
    fixture.end().await;
}

#[tokio::test]
async fn a_call_is_not_lost_if_the_upstream_closes_the_idle_connection_while_it_is_held() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    fixture.command("arm mount: hold").await;
    let close = Arc::new(Notify::new());
    plugin.answer(Answer::SendAndCloseLater("{}", Arc::clone(&close)));
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    caller.say(&kept_alive(Operation::Get, r#"{"Name":"v"}"#)).await;
    assert_eq!(caller.hear_one().await.body(), "{}");
    caller.say(&kept_alive(Operation::Mount, r#"{"Name":"v","ID":"a"}"#)).await;
    fixture.until("the call is held", |snapshot| !snapshot.held.is_empty()).await;
    close.notify_one();
    // The closed connection is noticed: it is looked whether the plugin still listens.
    plugin.wait_for(&Event::Connected, 2).await;
    plugin.answer(Answer::json(r#"{"Mountpoint":"/mnt/v"}"#));
    fixture.command("release all").await;
    let heard = caller.hear().await;
    assert_eq!((heard.body(), heard.end), (r#"{"Mountpoint":"/mnt/v"}"#, Ok(())), "then it closes");
    fixture.end().await;
}

#[tokio::test]
async fn both_calls_of_twice_reach_an_upstream_that_closes_after_each_reply() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    fixture.command("arm mount: empty twice").await;
    for calls in 1..=50 {
        for _ in 0..2 {
            let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec();
            plugin.answer(Answer::SendAndClose(vec![reply]));
        }
        assert_eq!(fixture.ask(Operation::Mount, r#"{"Name":"v","ID":"a"}"#).await, json!({}));
        assert_eq!(plugin.requests().len(), 2 * calls);
    }
    fixture.end().await;
}

#[tokio::test]
async fn twice_is_not_three_times_if_the_second_call_has_no_reply() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    fixture.command("arm mount: empty twice").await;
    plugin.answer(Answer::json("{}"));
    plugin.answer(Answer::SendAndClose(Vec::new()));
    plugin.answer(Answer::json("{}"));
    fixture.call(Operation::Mount, r#"{"Name":"v","ID":"a"}"#).await;
    assert_eq!(plugin.requests().len(), 2);
    fixture.end().await;
}

#[tokio::test]
async fn a_close_of_the_upstream_without_a_reply_passes_through() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    plugin.answer(Answer::SendAndClose(Vec::new()));
    let heard = fixture.call(Operation::Get, r#"{"Name":"v"}"#).await;
    assert_eq!((heard.text.as_str(), heard.end), ("", Ok(())));
    let call = fixture.last_call();
    assert_eq!((call.outcome, call.status), (Outcome::Error, None));
    assert_eq!(call.error.as_deref(), Some("the upstream closed the connection without a reply"));
    fixture.end().await;
}

const WITHIN_A_REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"Vol";

/// Sends something once a request has come, most of which stays unread: the end of the connection resets it then.
async fn reset_after(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), sent: &[u8]) {
    // Who only connects sends no request.
    if stream.read_u8().await.is_ok() {
        stream.write_all(sent).await.expect("it is taken");
    }
}

/// A plugin that sends something and resets the connection.
async fn resetting_plugin(sent: &'static [u8]) -> [(String, impl Sized); 2] {
    let place = place();
    let path = place.path().join("plugin.sock");
    let unix = UnixListener::bind(&path).expect("the plugin binds");
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("the plugin binds");
    let address = tcp.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = unix.accept().await {
            reset_after(&mut stream, sent).await;
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            reset_after(&mut stream, sent).await;
        }
    });
    [(format!("unix:{}", path.display()), Some(place)), (format!("tcp://{address}"), None)]
}

#[tokio::test]
async fn a_reset_of_the_upstream_resets_the_caller() {
    for sent in [b"" as &[u8], WITHIN_A_REPLY] {
        for (address, _place) in resetting_plugin(sent).await {
            for on_tcp in [false, true] {
                let fixture = Fixture::in_front_of(&address, |plan| {
                    if on_tcp {
                        plan.listen = tcp();
                    }
                });
                let heard = fixture.plugin.exchange(&kept_alive(Operation::Get, r#"{"Name":"v"}"#)).await;
                assert_eq!(
                    heard.end,
                    Err(ErrorKind::ConnectionReset),
                    "{address} {on_tcp} {heard:?} {:?}",
                    fixture.last_call().error
                );
                let error = fixture.last_call().error.expect("an error");
                let expected =
                    if sent.is_empty() { "the upstream reset the connection" } else { "within its reply" };
                assert!(error.contains(expected), "{error}");
                fixture.end().await;
            }
        }
    }
}

#[tokio::test]
async fn a_reset_of_the_caller_resets_the_upstream() {
    let plugin = RecordedPlugin::on_tcp().await;
    let fixture = Fixture::in_front_of(&plugin.address, |plan| plan.listen = tcp());
    let Peer::Tcp(address) = &fixture.plugin else { panic!("it listens on TCP") };
    let reset = async |caller: TcpStream| {
        caller.set_zero_linger().expect("it can be set");
        drop(caller);
    };
    // While a call is on its way, and then between two calls.
    plugin.answer(Answer::Silence);
    let mut caller = TcpStream::connect(address).await.expect("the server listens");
    caller.write_all(kept_alive(Operation::List, "{}").as_bytes()).await.expect("it is taken");
    until("the plugin has the request", || plugin.requests().len() == 1).await;
    reset(caller).await;
    plugin.wait_for(&Event::Reset, 1).await;
    plugin.answer(Answer::json("{}"));
    let mut caller = TcpStream::connect(address).await.expect("the server listens");
    caller.write_all(kept_alive(Operation::List, "{}").as_bytes()).await.expect("it is taken");
    let mut reply = Vec::new();
    while !reply.ends_with(b"{}") {
        within(caller.read_buf(&mut reply)).await.expect("the reply comes");
    }
    reset(caller).await;
    plugin.wait_for(&Event::Reset, 2).await;
    assert_eq!(plugin.count(&Event::Ended), 0);
    fixture.end().await;
}

#[tokio::test]
async fn a_caller_on_a_unix_socket_that_leaves_a_reply_unread_resets_the_upstream() {
    let plugin = RecordedPlugin::on_tcp().await;
    let fixture = Fixture::in_front_of(&plugin.address, |_| {});
    let Peer::Unix(path) = &fixture.plugin else { panic!("it listens on a Unix socket") };
    plugin.answer(Answer::json("{}"));
    let mut caller = UnixStream::connect(path).await.expect("the server listens");
    caller.write_all(kept_alive(Operation::List, "{}").as_bytes()).await.expect("it is taken");
    within(caller.readable()).await.expect("the reply comes");
    drop(caller);
    plugin.wait_for(&Event::Reset, 1).await;
    assert_eq!(plugin.count(&Event::Ended), 0);
    fixture.end().await;
}

#[tokio::test]
async fn a_reply_that_breaks_off_breaks_off_for_the_caller() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    plugin.answer(Answer::SendAndClose(vec![b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"Vol".to_vec()]));
    let heard = fixture.call(Operation::Get, r#"{"Name":"v"}"#).await;
    assert_eq!((heard.promised(), heard.body()), (Some(9), "{\"Vol"));
    let call = fixture.last_call();
    assert_eq!((call.outcome, call.status), (Outcome::Error, Some(200)));
    assert_eq!(call.error.as_deref(), Some("the upstream ended the connection within its reply"));
    fixture.end().await;
}

#[tokio::test]
async fn a_caller_that_gives_up_ends_the_request_to_the_upstream() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    plugin.answer(Answer::Silence);
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    caller.say(&request(Operation::Mount, r#"{"Name":"v","ID":"a"}"#)).await;
    until("the plugin has the request", || plugin.requests().len() == 1).await;
    drop(caller);
    plugin.wait_for(&Event::Ended, 1).await;
    until("the call is recorded", || !fixture.calls().is_empty()).await;
    assert_eq!(fixture.last_call().outcome, Outcome::Cancelled);
    fixture.end().await;
}

#[tokio::test]
async fn an_upstream_that_does_not_listen_is_an_error_that_says_so() {
    let fixture = Fixture::in_front_of("unix:/nonexistent/plugin.sock", |plan| plan.listen = tcp());
    let heard = fixture.call(Operation::Get, r#"{"Name":"v"}"#).await;
    assert_eq!(heard.text, "");
    let error = fixture.last_call().error.expect("an error");
    assert!(
        error.starts_with("cannot connect to the upstream at unix:///nonexistent/plugin.sock"),
        "{error}"
    );
    fixture.end().await;
}

#[tokio::test]
async fn a_long_reply_and_a_long_request_stream() {
    const LENGTH: usize = 64 * 1024 * 1024;
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    plugin.answer(Answer::Long(LENGTH));
    let body = "y".repeat(3 * 1024 * 1024);
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    caller.say(&http("POST", "/VolumeDriver.Get", "", &body)).await;
    // As long as nobody reads, the plugin cannot send the rest: what is between is bounded.
    let blocked = || {
        plugin.events().into_iter().find_map(|event| match event {
            Event::Blocked(sent) => Some(sent),
            _ => None,
        })
    };
    until("the plugin is blocked", || blocked().is_some()).await;
    assert!(blocked() < Some(4 * 1024 * 1024), "{:?} bytes are kept between", blocked());
    let mut received = 0;
    while received < LENGTH {
        received += within(caller.read_some()).await;
    }
    let call = fixture.last_call();
    assert_eq!((call.reply.length, call.reply.bytes.len()), (LENGTH, Body::KEPT));
    assert_eq!((call.request.length, call.request.bytes.len()), (body.len(), Body::KEPT));
    assert!(plugin.requests()[0].ends_with(body.as_bytes()));
    fixture.end().await;
}

#[tokio::test]
async fn masks_alter_get_and_list_and_nothing_else() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    let exchange = async |operation, body: &str, reply: serde_json::Value| {
        plugin.answer(Answer::json(&reply.to_string()));
        fixture.ask(operation, body).await
    };
    let get = json!({ "Volume": { "Name": "a", "Mountpoint": "/mnt/a", "Status": { "x": 1 } } });
    let list = json!({ "Volumes": [{ "Name": "a", "Mountpoint": "/mnt/a" }, { "Name": "b" }], "More": 1 });
    exchange(Operation::Get, r#"{"Name":"a"}"#, get.clone()).await;
    fixture.command("forget a").await;
    fixture.command("conjure c tier=gold").await;
    assert_eq!(exchange(Operation::Get, r#"{"Name":"a"}"#, get.clone()).await["Err"], "no such volume");
    let call = fixture.last_call();
    let upstream = call.upstream.expect("the call was forwarded");
    assert!(upstream.masked && upstream.reply.is_some_and(|reply| reply.text().contains("/mnt/a")));
    let listed = exchange(Operation::List, "{}", list.clone()).await;
    let names: Vec<_> =
        listed["Volumes"].as_array().expect("a list").iter().map(|one| one["Name"].clone()).collect();
    assert_eq!((names, &listed["More"]), (vec![json!("b"), json!("c")], &json!(1)));
    let conjured = exchange(Operation::Get, r#"{"Name":"c"}"#, json!({ "Err": "unknown" })).await;
    assert_eq!(conjured["Volume"]["Name"], "c");
    let mounted =
        exchange(Operation::Mount, r#"{"Name":"a","ID":"1"}"#, json!({ "Mountpoint": "/mnt/a" })).await;
    assert_eq!(mounted["Mountpoint"], "/mnt/a");
    fixture.command("restore a").await;
    fixture.command("forget c").await;
    assert_eq!(exchange(Operation::Get, r#"{"Name":"a"}"#, get.clone()).await, get);
    assert_eq!(exchange(Operation::List, "{}", list.clone()).await, list);

    // Once the engine has created it, the plugin would know it.
    fixture.command("forget a").await;
    exchange(Operation::Create, r#"{"Name":"a"}"#, json!({})).await;
    assert_eq!(exchange(Operation::Get, r#"{"Name":"a"}"#, get.clone()).await, get);
    for line in ["wipe", "crash lose", "unmount a"] {
        let error = fixture.hub.command_line(line, Origin::default()).expect_err("it is refused").to_string();
        assert!(
            error.starts_with(&format!(
                "{} is refused in front of another plugin",
                line.trim_end_matches(" a")
            )),
            "{error}"
        );
    }
    fixture.command("crash keep").await;
    fixture.end().await;
}

#[tokio::test]
async fn a_rule_acts_on_a_method_of_another_interface_that_is_forwarded() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    fixture.command("arm NetworkDriver.GetCapabilities first 1: set Scope=global").await;
    fixture.command("arm NetworkDriver.GetCapabilities first 1: fail \"no\"").await;
    let ask = || http("POST", "/NetworkDriver.GetCapabilities", "Connection: close\r\n", "[1]");
    plugin.answer(Answer::json(r#"{"Scope":"local"}"#));
    assert_eq!(fixture.plugin.exchange(&ask()).await.json(), json!({ "Scope": "global" }));
    assert!(plugin.requests()[0].ends_with(b"[1]"));
    assert_eq!(fixture.plugin.exchange(&ask()).await.status(), Some(500));
    assert_eq!(plugin.requests().len(), 1, "it was answered without the plugin");
    plugin.answer(Answer::json(r#"{"Scope":"local"}"#));
    assert_eq!(fixture.plugin.exchange(&ask()).await.body(), r#"{"Scope":"local"}"#);
    fixture.end().await;
}

#[tokio::test]
async fn rules_act_on_the_real_replies_in_each_phase() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    let mount = r#"{"Name":"a","ID":"1"}"#;
    let real = json!({ "Mountpoint": "/mnt/a" });
    let sent = || plugin.requests().len();
    for (rule, expected, requests) in [
        ("mount: mountpoint /etc", json!({ "Mountpoint": "/etc" }), 1),
        ("mount: mountpoint missing", json!({ "Mountpoint": "/nonexistent/voltergeist/mnt/a" }), 1),
        ("mount: empty", json!({}), 0),
        ("mount: delay 1ms before", real.clone(), 1),
        ("mount: delay 1ms after", real.clone(), 1),
        ("mount: delay 1ms twice", real.clone(), 2),
        ("mount: reply {\"Err\":\"no\"}", json!({ "Err": "no" }), 0),
        ("mount: lie", real.clone(), 0),
        ("mount: drip 2ms", real.clone(), 1),
    ] {
        fixture.command(&format!("arm {rule}")).await;
        let before = sent();
        for _ in 0..requests {
            plugin.answer(Answer::json(&real.to_string()));
        }
        assert_eq!(fixture.ask(Operation::Mount, mount).await, expected, "{rule}");
        assert_eq!(sent() - before, requests, "{rule}");
        fixture.command("disarm all").await;
    }
    let get = |path: &str| json!({ "Volume": { "Name": "a", "Mountpoint": path } });
    plugin.answer(Answer::json(&json!({ "Err": "unknown" }).to_string()));
    fixture.ask(Operation::Get, r#"{"Name":"a"}"#).await;
    plugin.answer(Answer::json(&get("/mnt/a").to_string()));
    fixture.ask(Operation::Get, r#"{"Name":"a"}"#).await;
    fixture.command("arm get: stale").await;
    plugin.answer(Answer::json(&get("/mnt/a").to_string()));
    assert_eq!(fixture.ask(Operation::Get, r#"{"Name":"a"}"#).await, json!({ "Err": "unknown" }));
    fixture.command("disarm all").await;
    fixture.command("arm get: rename other").await;
    plugin.answer(Answer::json(&get("/mnt/a").to_string()));
    assert_eq!(fixture.ask(Operation::Get, r#"{"Name":"a"}"#).await["Volume"]["Name"], "other");
    fixture.end().await;
}

#[tokio::test]
async fn volumes_and_mounts_are_learnt_from_calls_and_replies() {
    let plugin = RecordedPlugin::start();
    let fixture = in_front_of(&plugin).await;
    let known = || {
        let volumes = fixture.snapshot().volumes;
        volumes.iter().map(|volume| (volume.name.clone(), volume.open_mounts())).collect::<Vec<_>>()
    };
    let exchange = async |operation, body: &str, reply: serde_json::Value| {
        plugin.answer(Answer::json(&reply.to_string()));
        fixture.ask(operation, body).await;
    };
    exchange(Operation::Create, r#"{"Name":"a","Opts":{"tier":"gold"}}"#, json!({})).await;
    exchange(Operation::Mount, r#"{"Name":"b","ID":"1"}"#, json!({ "Mountpoint": "/mnt/b" })).await;
    assert_eq!(known(), [("a".into(), 0), ("b".into(), 1)]);
    let volumes = fixture.snapshot().volumes;
    assert_eq!(volumes.known("a").expect("it is learnt").options["tier"], "gold");
    let listed =
        json!({ "Volumes": [{ "Name": "b" }, { "Name": "c", "CreatedAt": "2026-01-02T03:04:05Z" }] });
    exchange(Operation::List, "{}", listed).await;
    assert_eq!(known(), [("b".into(), 1), ("c".into(), 0)]);
    exchange(Operation::Unmount, r#"{"Name":"b","ID":"1"}"#, json!({ "Err": "busy" })).await;
    assert_eq!(known()[0], ("b".into(), 1), "an error changes nothing");
    exchange(Operation::Unmount, r#"{"Name":"b","ID":"1"}"#, json!({})).await;
    exchange(Operation::Remove, r#"{"Name":"b"}"#, json!({})).await;
    assert_eq!(known(), [("c".into(), 0)]);
    fixture.end().await;
}
