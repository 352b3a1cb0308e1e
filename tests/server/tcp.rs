//! What a TCP port lets nobody do: a web page, another machine, another user.

use std::fs;

use voltergeist::{domain::model::protocol::Operation, net::Address};

use crate::fixture::{Fixture, Heard, http, place, tcp};

async fn command(fixture: &Fixture, line: &str) -> Heard {
    fixture.control.exchange(&http("POST", "/v1/commands", "Connection: close\r\n", line)).await
}

#[tokio::test]
async fn a_web_page_reaches_no_tcp_port_of_the_plugin() {
    let body = r#"{"Name":"v"}"#;
    let length = body.len();
    let post = |headers: &str| {
        format!(
            "POST /VolumeDriver.Create HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    let foreign = [
        "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\nContent-Type: text/plain\r\n",
        "Host: 127.0.0.1\r\nOrigin: null\r\n",
        "Host: 127.0.0.1\r\nSec-Fetch-Site: cross-site\r\n",
        "Host: evil.example\r\n",
        "Host: evil.example:7000\r\n",
    ];
    let fixture = Fixture::tcp();
    for headers in foreign {
        let heard = fixture.plugin.exchange(&post(headers)).await;
        assert_eq!(heard.status(), Some(403), "{headers}: {heard:?}");
        let call = fixture.last_call();
        assert_eq!((call.operation, call.status), (Some(Operation::Create), Some(403)), "it is recorded");
    }
    assert!(fixture.snapshot().volumes.is_empty());
    for headers in
        ["Host: 127.0.0.1:7000\r\n", "Host: localhost\r\n", "Host: \r\n", "Host: plugin.moby.localhost\r\n"]
    {
        assert_eq!(fixture.plugin.exchange(&post(headers)).await.status(), Some(200), "{headers}");
    }
    fixture.end().await;
    // No web page reaches a Unix socket.
    let fixture = Fixture::unix();
    assert_eq!(fixture.plugin.exchange(&post(foreign[3])).await.status(), Some(200));
    fixture.end().await;
}

#[tokio::test]
async fn a_port_that_other_machines_reach_is_warned_about() {
    let exposed = || Address::Tcp("0.0.0.0:0".into());
    let fixture = Fixture::with(|plan| plan.listen = exposed());
    let notes = fixture.notes();
    assert!(
        notes.iter().any(|note| note.starts_with("warning: the plugin listens on 0.0.0.0:")),
        "{notes:?}"
    );
    fixture.end().await;
    let fixture = Fixture::with(|plan| plan.listen = tcp());
    assert!(fixture.notes().is_empty());
    fixture.end().await;
}

#[tokio::test]
async fn over_tcp_files_are_saved_in_one_directory_only() {
    let place = place();
    let outside = place.path().join("outside.md").display().to_string();
    let directory = place.path().join("saved");
    fs::create_dir(&directory).expect("the place is writable");
    for (save_directory, name, status) in [
        (None, "run.md", 400),
        (None, &*outside, 400),
        (Some(directory.clone()), &*outside, 400),
        (Some(directory.clone()), "../outside.md", 400),
        (Some(directory.clone()), "run.md", 200),
    ] {
        let fixture = Fixture::with(|plan| {
            plan.control = tcp();
            plan.save_directory = save_directory;
        });
        let heard = command(&fixture, &format!("save {name}")).await;
        assert_eq!(heard.status(), Some(status), "{name}: {heard:?}");
        assert_eq!(command(&fixture, "play /etc/x.toml").await.status(), Some(400));
        fixture.end().await;
    }
    assert!(directory.join("run.md").exists() && !place.path().join("outside.md").exists());
}
