//! What rules do to calls over real sockets: counts, barriers, replies that know the call, and who calls.

use std::{future::Future, path::Path, sync::Arc};

use serde_json::{Value, json};
use tempfile::TempDir;
use voltergeist::{
    app::{Config, Instance, InstanceScope},
    domain::{
        lang::command::Command,
        model::{
            entry::{EntryKind, RuleEvent},
            origin::Origin,
            protocol::{MAX_NAME_LEN, Operation},
        },
    },
    hub::Hub,
    net::{Address, Upstream},
};

use crate::fixture::{Fixture, http, kept_alive, place, request, until};

fn body(volume: &str, id: &str) -> String {
    json!({ "Name": volume, "ID": id }).to_string()
}

#[tokio::test]
async fn the_first_mounts_of_each_volume_fail() {
    let fixture = Fixture::unix();
    fixture.command("arm mount first 2 per volume: fail \"device busy\" as json500").await;
    for volume in ["db1", "db2"] {
        fixture.ask(Operation::Create, &body(volume, "")).await;
    }
    let mut statuses = Vec::new();
    for _ in 0..3 {
        for volume in ["db1", "db2"] {
            statuses.push(fixture.call(Operation::Mount, &body(volume, "7f")).await.status());
        }
    }
    let (failed, mounted) = (Some(500), Some(200));
    assert_eq!(statuses, [failed, failed, failed, failed, mounted, mounted]);
    let call = serde_json::to_value(fixture.last_call()).expect("a call is JSON");
    let expected = json!([{ "id": 1, "decision": "not_due", "count": 3, "condition": { "first": 2 } }]);
    assert_eq!(call["evaluation"], expected);
    fixture.end().await;
}

#[tokio::test]
async fn a_barrier_holds_calls_until_there_are_enough() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, &body("v", "")).await;
    fixture.command("arm mount: hold until 3 within 30s").await;
    let [first, second, third] = ["1", "2", "3"].map(|id| body("v", id));
    let last = async {
        fixture.until("two calls wait", |now| now.held.len() == 2).await;
        fixture.call(Operation::Mount, &third).await
    };
    let (one, two, three) =
        tokio::join!(fixture.call(Operation::Mount, &first), fixture.call(Operation::Mount, &second), last);
    assert_eq!([one.status(), two.status(), three.status()], [Some(200); 3]);
    let (entries, _) = fixture.hub.entries_after(0, usize::MAX);
    let released = entries.iter().filter(|entry| matches!(entry.kind, EntryKind::Released(_)));
    let by = released.map(|entry| serde_json::to_value(&**entry).expect("an entry is JSON")["by"].clone());
    assert_eq!(by.collect::<Vec<_>>(), vec![json!("barrier"); 3]);

    fixture.command("disarm all").await;
    fixture.command("arm mount: hold until 2 within 20ms").await;
    let alone = fixture.call(Operation::Mount, &body("v", "4")).await;
    assert_eq!(alone.status(), Some(200), "its time is over");
    fixture.end().await;
}

#[tokio::test]
async fn a_reply_knows_the_call() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        let create = json!({ "Name": "v\"1", "Opts": { "tier": "gold" } }).to_string();
        fixture.ask(Operation::Create, &create).await;
        let mountpoint = fixture.mountpoint("v\"1").display().to_string();
        let original = fixture.ask(Operation::Get, &body("v\"1", "")).await;
        let description = |change: &dyn Fn(&mut Value)| {
            let mut reply = original.clone();
            change(&mut reply["Volume"]);
            reply
        };
        for (call, action, expected) in [
            (
                Operation::Mount,
                r#"reply {"Err":"{volume} {id} {opt.tier}{opt.none}","Mountpoint":"{mountpoint}"}"#,
                json!({ "Err": "v\"1 7f gold", "Mountpoint": mountpoint }),
            ),
            (Operation::Get, r#"reply "[{original},{original}]""#, json!([original, original])),
            (
                Operation::Get,
                "set Volume.Status.x=1",
                description(&|volume| volume["Status"]["x"] = json!(1)),
            ),
            (
                Operation::Get,
                r#"set Volume.Name="other-{volume}""#,
                description(&|volume| volume["Name"] = json!("other-v\"1")),
            ),
            (
                Operation::Get,
                "unset Volume.Mountpoint",
                description(&|volume| drop(volume.as_object_mut().and_then(|all| all.remove("Mountpoint")))),
            ),
            (Operation::Unmount, "set Err=busy", json!({ "Err": "busy" })),
        ] {
            fixture.command(&format!("arm {call}: {action} as one")).await;
            assert_eq!(fixture.ask(call, &body("v\"1", "7f")).await, expected, "{call}: {action}");
        }
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_fault_that_finds_nothing_to_alter_in_a_reply_is_recorded_as_such() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, &body("v", "")).await;
    for (action, volume, unaltered) in [
        ("mountpoint /etc", "v", false),
        ("mountpoint /etc", "none", true),
        ("rename other", "none", true),
        ("unset Volume.Mountpoint", "none", true),
        ("set Err=other", "none", false),
        ("empty", "none", false),
    ] {
        fixture.command(&format!("arm get: {action} once")).await;
        fixture.ask(Operation::Get, &body(volume, "")).await;
        let fault = fixture.last_call().fault.expect("the rule applies");
        assert_eq!(fault.unaltered, unaltered, "{action} {volume}");
    }
    fixture.end().await;
}

#[tokio::test]
async fn open_connections_are_shown_by_peer_so_that_a_leak_is_seen() {
    let fixture = Fixture::unix();
    let mut open = Vec::new();
    for _ in 0..5 {
        let mut caller = fixture.plugin.connect().await.expect("the server listens");
        caller.say(&kept_alive(Operation::List, "{}")).await;
        caller.hear_one().await;
        open.push(caller);
    }
    let state = async || {
        fixture.control.exchange(&http("GET", "/v1/state", "Connection: close\r\n", "")).await.json()
    };
    let seen = state().await;
    let pid = std::process::id();
    assert_eq!(seen["connections"], 5);
    assert_eq!(seen["peers"][0]["process"]["pid"], pid);
    assert_eq!(seen["peers"][0]["connections"], 5);
    let name = seen["peers"][0]["peer"].as_str().expect("a text").to_owned();
    assert!(name.ends_with(&format!("[{pid}]")), "{name}");
    let metrics = fixture.control.exchange(&http("GET", "/metrics", "Connection: close\r\n", "")).await;
    let line = format!("voltergeist_open_connections{{peer=\"{name}\"}} 5\n");
    assert!(metrics.body().contains(&line), "{}", metrics.body());
    let calls = fixture.calls();
    assert_eq!(calls.iter().filter(|call| call.first_contact).count(), 1);
    drop(open);
    fixture.until("they are closed", |now| now.connections.is_empty()).await;
    fixture.end().await;
}

#[tokio::test]
async fn a_rule_can_be_for_one_peer_one_connection_or_a_first_contact() {
    let fixture = Fixture::tcp();
    let mut one = fixture.plugin.connect().await.expect("the server listens");
    let mut other = fixture.plugin.connect().await.expect("the server listens");
    fixture.command("arm any where first-contact: fail \"first\" as json500").await;
    fixture.command("arm list where connection=2 and peer=127.0.0.1: fail \"two\" as json500").await;
    fixture.command("arm get where unknown and peer=10.*: eof").await;
    fixture.command("arm get where unknown: fail \"unknown\" as json500").await;
    let mut said = Vec::new();
    let list = kept_alive(Operation::List, "{}");
    let get = kept_alive(Operation::Get, &body("v", ""));
    for (is_one, text) in [(true, &list), (true, &list), (false, &list), (false, &get)] {
        let caller = if is_one { &mut one } else { &mut other };
        caller.say(text).await;
        said.push(caller.hear_one().await.json()["Err"].clone());
    }
    assert_eq!(said, [json!("first"), Value::Null, json!("two"), json!("unknown")]);
    fixture.end().await;
}

#[tokio::test]
async fn a_set_of_rules_is_saved_loaded_and_put_in_order() {
    let fixture = Fixture::unix();
    let file = fixture.place.path().join("my.rules").display().to_string();
    for rule in ["get: empty as one", "list nth 2: eof", "any: pass once as three"] {
        fixture.command(&format!("arm {rule}")).await;
    }
    fixture.command("move three before one").await;
    fixture.command(&format!("save {file}")).await;
    fixture.command("disarm all").await;
    fixture.command(&format!("load {file}")).await;
    let rules = |fixture: &Fixture| -> Vec<String> {
        fixture.snapshot().rules.iter().map(|rule| rule.text.to_string()).collect()
    };
    assert_eq!(rules(&fixture), ["any: pass once", "get: empty", "list nth 2: eof"]);
    std::fs::write(&file, "get: empty\n\n# a remark\nget: emtpy\n").expect("it can be written");
    let run = voltergeist::export::run_line(&fixture.hub, &format!("load {file}"), Origin::default());
    let error = run.expect_err("a line is wrong").to_string();
    assert!(
        error.starts_with(&format!("{file}:4: column 6: found \"emtpy\", did you mean \"empty\"?")),
        "{error}"
    );
    assert_eq!(rules(&fixture).len(), 3, "nothing of it is armed");
    fixture.end().await;
}

#[tokio::test]
async fn a_rule_can_name_a_method_of_another_interface() {
    let fixture = Fixture::unix();
    let ask = || http("POST", "/NetworkDriver.GetCapabilities", "Connection: close\r\n", "[]");
    let original = fixture.plugin.exchange(&ask()).await;
    assert_eq!((original.status(), original.body()), (Some(404), "404 page not found\n"));
    fixture.command("arm IpamDriver.GetCapabilities: eof").await;
    fixture.command("arm NetworkDriver.GetCapabilities nth 1: reply {\"Scope\":\"local\"}").await;
    fixture.command("arm NetworkDriver.GetCapabilities: hold once").await;
    let replied = fixture.plugin.exchange(&ask()).await;
    assert_eq!((replied.status(), replied.body()), (Some(200), "{\"Scope\":\"local\"}\n"));
    let call = fixture.last_call();
    assert_eq!(call.operation, None);
    assert_eq!(call.request_line.as_deref(), Some("POST /NetworkDriver.GetCapabilities"));
    let text = ask();
    let held = fixture.plugin.exchange(&text);
    let release = async {
        fixture.until("the call is held", |now| now.held.len() == 1).await;
        let refused =
            fixture.hub.command_line("release: lie", Origin::Line).expect_err("no volume").to_string();
        assert!(refused.contains("does not apply to call 3, a NetworkDriver.GetCapabilities"), "{refused}");
        fixture.command("release: fail \"no\"").await;
    };
    let (held, ()) = tokio::join!(held, release);
    assert_eq!((held.status(), held.body()), (Some(500), "no\n"));
    let now = fixture.snapshot();
    assert_eq!(now.counters.unknown_requests, 3);
    assert_eq!(now.rules.iter().map(|rule| rule.fired).collect::<Vec<_>>(), [0, 1, 1]);
    fixture.end().await;
}

#[tokio::test]
async fn a_command_says_where_it_came_from() {
    let fixture = Fixture::unix();
    let post = http("POST", "/v1/commands", "Connection: close\r\n", "note from a script");
    fixture.control.exchange(&post).await;
    let (entries, _) = fixture.hub.entries_after(0, usize::MAX);
    let run = entries.iter().find_map(|entry| match &entry.kind {
        EntryKind::Command(run) => Some(serde_json::to_value(run).expect("it is JSON")),
        _ => None,
    });
    let origin = run.expect("the command is recorded")["origin"].clone();
    assert_eq!(origin["from"], "api");
    assert_eq!(origin["peer"]["process"]["pid"], std::process::id());
    assert!(
        origin["peer"]["process"]["name"].is_string() && origin["peer"]["process"]["uid"].is_u64(),
        "{origin}"
    );
    fixture.end().await;
}

fn config(place: &Path, commands: &[&str]) -> Config {
    Config {
        name: "ghost".into(),
        root: Some(place.join("volumes")),
        listen: Some(Address::Unix(Some(place.join("ghost.sock")))),
        control: Some(Address::Unix(Some(place.join("control.sock")))),
        commands: commands.iter().map(|line| line.parse().expect(line)).collect(),
        keep_rules: true,
        ..Config::default()
    }
}

fn open(place: &Arc<TempDir>, commands: &[&str]) -> Instance {
    Instance::open(InstanceScope::Isolated, &config(place.path(), commands), |_| ()).expect("it starts")
}

fn rules(hub: &Hub) -> Vec<(String, u64, &'static str)> {
    let rules = hub.snapshot().rules;
    let state = |rule: &voltergeist::domain::rules::TrackedRule| match serde_json::to_value(rule.state) {
        Ok(Value::String(word)) if word == "armed" => "armed",
        _ => "ended",
    };
    rules.iter().map(|rule| (rule.text.to_string(), rule.evaluated, state(rule))).collect()
}

/// Runs in a runtime of its own, so that nothing of it is left behind.
fn as_a_process<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

#[test]
fn rules_survive_a_restart_in_front_of_another_plugin() {
    let place = place();
    let address = Address::Unix(Some(place.path().join("nobody.sock")));
    let upstream = Some(Upstream { name: "nobody".parse().expect("a name"), address });
    for commands in [&["arm get: null"][..], &[]] {
        as_a_process(async {
            let config = Config { upstream: upstream.clone(), ..config(place.path(), commands) };
            let instance = Instance::open(InstanceScope::Isolated, &config, |_| ()).expect("it starts");
            assert_eq!(rules(&instance.hub), [("get: null".to_owned(), 0, "armed")]);
            instance.close().await.expect("it ends in order");
        });
    }
}

#[test]
fn rules_survive_a_restart_with_their_counts() {
    let place = place();
    let lines =
        ["arm get nth 3: fail \"third\" as json500", "arm mount first 1 per volume: fail \"no\" as n"];
    let peer = |instance: &Instance| crate::fixture::Peer::at(&instance.hub.snapshot().driver.address);
    let before = as_a_process(async {
        let instance = open(&place, &lines);
        for _ in 0..2 {
            peer(&instance).exchange(&request(Operation::Get, &body("v", ""))).await;
        }
        peer(&instance).exchange(&request(Operation::Mount, &body("v", "7f"))).await;
        instance
            .hub
            .command(&"arm list: null once".parse::<Command>().expect("a command"), Origin::default())
            .expect("armed");
        peer(&instance).exchange(&request(Operation::List, "{}")).await;
        let before = (rules(&instance.hub), instance.seed);
        instance.close().await.expect("it ends");
        before
    });
    as_a_process(async {
        let instance = open(&place, &lines);
        assert_eq!((rules(&instance.hub), instance.seed), before);
        let third = peer(&instance).exchange(&request(Operation::Get, &body("v", ""))).await;
        assert_eq!(third.status(), Some(500));
        let mounts = ["v", "w"].map(|volume| request(Operation::Mount, &body(volume, "7f")));
        let mut statuses = Vec::new();
        for mount in &mounts {
            statuses.push(peer(&instance).exchange(mount).await.status());
        }
        assert_eq!(statuses, [Some(200), Some(500)], "the mount of v was counted before the restart");
        let ended: Vec<_> = rules(&instance.hub).into_iter().map(|(_, _, state)| state).collect();
        assert_eq!(ended, ["ended", "armed", "ended"]);
        instance.close().await.expect("it ends");
    });
}

#[tokio::test]
async fn a_late_driver_has_no_socket_until_its_time() {
    let place = place();
    let socket = place.path().join("ghost.sock");
    let instance = open(&place, &["arm get: empty", "down unlink for 300ms"]);
    assert!(!socket.exists());
    until("it listens", || socket.exists()).await;
    let peer = crate::fixture::Peer::at(&instance.hub.snapshot().driver.address);
    let heard = peer.exchange(&request(Operation::Get, &body("v", ""))).await;
    assert_eq!(heard.body(), "{}\n", "the rule is armed before the first request");
    instance.close().await.expect("it ends");
}

#[tokio::test]
async fn an_entry_of_a_rule_has_no_longer_name_than_that_of_a_call() {
    let fixture = Fixture::unix();
    fixture.command("arm get: empty").await;
    fixture.call(Operation::Get, &body(&"ö".repeat(100_000), "7f")).await;
    let (entries, _) = fixture.hub.entries_after(0, usize::MAX);
    let evaluated = entries.iter().find_map(|entry| match &entry.kind {
        EntryKind::Rule(event) => match &**event {
            RuleEvent::Evaluated(evaluation) => evaluation.volume.clone(),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(evaluated.expect("it has a name").len(), MAX_NAME_LEN);
    assert_eq!(fixture.last_call().volume.expect("it has a name").len(), MAX_NAME_LEN);
}
