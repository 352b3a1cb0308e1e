//! Every view at every size, in colour and without: one snapshot a view. A new view is one line in [`VIEWS`].
//!
//! A snapshot has the screen's text once for each size, since the themes must say the same, and below it the style of
//! every cell, in the default theme and in mono.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use ratatui::{
    buffer::{Buffer, Cell},
    style::Color,
};
use voltergeist::domain::{
    lang::command::Outage,
    model::{
        driver::OtherPlugin,
        entry::{Call, ConnectionEvent, EntryKind, Outcome, UpstreamReply},
        peer::Peer,
        protocol::{Operation, Options},
        volume::{Change, Mask},
    },
};

use super::{
    fixture::{Fixture, TestConsole, call, fault, text_of},
    groups, scenarios,
};

const SIZES: [(u16, u16); 3] = [(200, 50), (80, 24), (40, 10)];

/// A view: its name, what has happened, and how one gets there, as [`TestConsole::run_script`] has it.
type View = (&'static str, fn() -> Fixture, &'static str);

const VIEWS: &[View] = &[
    ("calls", Fixture::busy, ""),
    ("calls_filtered", Fixture::busy, "/ `op:mount,unmount` enter"),
    ("calls_paused", Fixture::busy, "space +3 up up"),
    ("call", Fixture::busy, "up up up enter"),
    ("call_waiting", Fixture::busy, "enter"),
    ("volumes", Fixture::busy, "tab"),
    ("volume_history", Fixture::busy, "tab down enter"),
    ("faults", Fixture::busy, "tab tab"),
    ("line_completion", Fixture::busy, ": `arm get: ` tab tab"),
    ("line_marks", Fixture::busy, ": `arm get where volume=db1: empty`"),
    ("line_palette", Fixture::busy, ": `co`"),
    ("line_wrong", Fixture::busy, ": `arm mont: empty`"),
    ("rule_editor", several_rules, "tab tab end enter"),
    ("filter_typed", Fixture::busy, "/ `op:mount,`"),
    ("filter_bad", Fixture::busy, "/ `op:mount vold:db`"),
    ("help", Fixture::busy, "?"),
    ("help_end", Fixture::busy, "? end"),
    ("help_found", Fixture::busy, "tab tab ? / `rule`"),
    ("groups", groups::commands, "z"),
    ("groups_expanded", groups::commands, "z up enter"),
    ("groups_busy", Fixture::busy, "z"),
    ("group", groups::commands, "z up i"),
    ("call_retrying", groups::commands, "enter"),
    ("present_retrying", groups::commands, "p"),
    ("sequence", Fixture::busy, "s"),
    ("sequence_retrying", groups::commands, "s"),
    ("present", Fixture::busy, "p"),
    ("present_sequence", Fixture::busy, "p s"),
    ("question_quit", Fixture::busy, "q"),
    ("question_reset", Fixture::busy, "R"),
    ("question_suspend", Fixture::busy, "ctrl-z"),
    ("first_minute", Fixture::empty, ""),
    ("not_registered", not_registered, ""),
    ("not_registered_busy", not_registered_busy, ""),
    ("not_registered_help", not_registered_busy, "?"),
    ("forgotten_while_mounted", forgotten_while_mounted, "tab"),
    ("driver_down", driver_down, ""),
    ("driver_blackhole", driver_blackhole, ""),
    ("columns", Fixture::busy, "o down down down space"),
    ("columns_sorted", Fixture::busy, "o down down down space down down down space down enter esc"),
    ("columns_of_volumes", Fixture::busy, "tab o down down space down space down enter"),
    ("several_rules", several_rules, ""),
    ("scenarios", scenarios::offering, "P"),
    ("scenarios_filtered", scenarios::offering, "P `label`"),
    ("scenario_running", scenarios::playing, ""),
    ("scenario_failed", scenarios::failed, ""),
    ("said", Fixture::busy, "up up Y"),
    ("other_plugins", beside_other_plugins, ""),
    ("upstream_first_minute", in_front_of_a_plugin_without_calls, ""),
    ("upstream", in_front_of_a_plugin, ""),
    ("upstream_call", in_front_of_a_plugin, "enter"),
    ("upstream_volume", in_front_of_a_plugin, "tab down enter"),
];

fn not_registered() -> Fixture {
    unregister(Fixture::empty())
}

fn not_registered_busy() -> Fixture {
    unregister(Fixture::busy())
}

fn beside_other_plugins() -> Fixture {
    let mut fixture = Fixture::empty();
    fixture.register(|driver| {
        let other = |name: &str, kind: &str, path: &str, address: &str| OtherPlugin {
            name: name.into(),
            kind: kind.into(),
            path: path.into(),
            address: address.into(),
            tls: address.starts_with("https:"),
            listening: Some(!matches!(name, "old" | "left")),
            remedy: match name {
                "old" => Some(format!("start it, or sudo rm {path}")),
                "left" => {
                    Some(format!("a voltergeist was killed in front of it: sudo voltergeist restore {path}"))
                }
                _ => None,
            },
        };
        let (rclone, old) = ("/run/docker/plugins/rclone.sock", "/run/docker/plugins/old.sock");
        let left = "/run/docker/plugins/left.sock";
        driver.others = vec![
            other("rclone", "socket", rclone, &format!("unix://{rclone}")),
            other("old", "socket", old, &format!("unix://{old}")),
            other("left", "socket", left, &format!("unix://{left}")),
            other("nas", "spec", "/etc/docker/plugins/nas.spec", "tcp://nas:4000"),
            other("safe", "json", "/etc/docker/plugins/safe.json", "https://safe:4000"),
        ];
    });
    fixture
}

fn put_in_front_of_rclone(fixture: &mut Fixture) {
    fixture.register(|driver| {
        driver.name = "rclone".into();
        driver.address = "unix:///run/docker/plugins/rclone.sock".into();
        driver.upstream = Some("rclone at unix:///run/docker/plugins/.rclone.voltergeist".into());
    });
}

fn in_front_of_a_plugin_without_calls() -> Fixture {
    let mut fixture = Fixture::empty();
    put_in_front_of_rclone(&mut fixture);
    let text = "1 earlier connection to the plugin ended, so that the engine connects to voltergeist".into();
    fixture.push(EntryKind::Note { text });
    fixture
}

fn in_front_of_a_plugin() -> Fixture {
    let mut fixture = Fixture::busy();
    put_in_front_of_rclone(&mut fixture);
    let at = fixture.now;
    let masked = Change::Masked { name: "db1".into(), mask: Mask::Forgotten, options: Options::new(), at };
    fixture.command("forget db1", "masked \"db1\"", vec![masked]);
    let upstream = |body: &str, masked| {
        let reply = Some(body.as_bytes().to_vec().into());
        Some(Box::new(UpstreamReply { status: 200, duration: Duration::from_millis(3), reply, masked }))
    };
    fixture.call(Call {
        outcome: Outcome::Error,
        error: Some("no such volume".into()),
        reply: b"{\"Err\":\"no such volume\"}\n".to_vec().into(),
        duration: Duration::from_micros(3210),
        upstream: upstream("{\"Volume\":{\"Name\":\"db1\",\"Mountpoint\":\"/var/lib/rclone/db1\"}}\n", true),
        ..call(Operation::Get, "db1")
    });
    fixture.call(Call {
        fault: Some(fault(1, None, "mountpoint /etc").into()),
        reply: b"{\"Mountpoint\":\"/etc\"}\n".to_vec().into(),
        duration: Duration::from_micros(3240),
        upstream: upstream("{\"Mountpoint\":\"/var/lib/rclone/db1\"}\n", false),
        ..call(Operation::Mount, "db1")
    });
    fixture
}

fn unregister(mut fixture: Fixture) -> Fixture {
    fixture.register(|driver| {
        driver.registration = "not registered: no rights for /run/docker/plugins".into();
        driver.fix_command = Some(
            "echo unix:///run/user/1000/voltergeist.sock | sudo tee /etc/docker/plugins/voltergeist.spec"
                .into(),
        );
    });
    fixture
}

fn forgotten_while_mounted() -> Fixture {
    let mut fixture = Fixture::busy();
    fixture.command("forget db1", "\"db1\" is forgotten", vec![Change::Forgotten { name: "db1".into() }]);
    fixture
}

fn driver_down() -> Fixture {
    let mut fixture = Fixture::busy();
    fixture.arm("arm mount: fail \"the volume is haunted\" as fail-mounts");
    fixture.arm("arm any: hang");
    fixture.down(Outage::Blackhole, Some(41));
    fixture
}

/// Two commands wait for replies that never come, and one of an engine that is gone again does not.
fn driver_blackhole() -> Fixture {
    let mut fixture = Fixture::busy();
    fixture.disarm_all();
    let peer = Peer::Process { pid: 1234, uid: 0, user: None, name: Some("dockerd".into()) };
    let peer = Some(Arc::new(peer));
    for connection in 7..10 {
        let opened = ConnectionEvent::Opened { connection, peer: peer.clone(), first: false };
        fixture.push(EntryKind::Connection(opened));
    }
    fixture.push(EntryKind::Connection(ConnectionEvent::Closed { connection: 8 }));
    fixture.down(Outage::Blackhole, Some(30));
    fixture.pass(12_400);
    fixture
}

fn several_rules() -> Fixture {
    let mut fixture = Fixture::busy();
    fixture.arm("arm mount: fail \"the volume is haunted\" as fail-mounts");
    fixture.arm("arm create, remove where volume=db*: 2x fail \"busy\" then pass as stubborn");
    fixture.arm("arm any 20%: delay 200ms..800ms for 2m");
    fixture
}

impl TestConsole {
    /// Presses keys in the user's notation; a text in backquotes is typed, and `+3` lets three calls come in.
    fn run_script(&mut self, script: &str, fixture: &mut Fixture) {
        for (index, part) in script.split('`').enumerate() {
            if index % 2 == 1 {
                self.type_text(part, fixture);
                continue;
            }
            for word in part.split_whitespace() {
                if let Some(calls) = word.strip_prefix('+').and_then(|calls| calls.parse().ok()) {
                    (0..calls).for_each(|_: u32| drop(fixture.call(call(Operation::Get, "db1"))));
                } else {
                    let effects = self.press(word);
                    self.answer(effects, fixture);
                }
                self.look(fixture);
            }
        }
    }
}

/// The style of every cell: a letter for each style, and the runs of each row, once for rows alike. A dot stands for no
/// style; rows without any and the rest of a row are left out.
fn styles(buffer: &Buffer) -> String {
    let mut known: Vec<String> = Vec::new();
    let mut rows: Vec<(usize, String)> = Vec::new();
    for (number, row) in buffer.content.chunks(buffer.area.width.into()).enumerate() {
        let mut runs: Vec<(char, usize)> = Vec::new();
        for run in row.chunk_by(|one, next| style(one) == style(next)) {
            let words = style(&run[0]);
            let letter = if words.is_empty() {
                '.'
            } else {
                let index = known.iter().position(|style| *style == words).unwrap_or_else(|| {
                    known.push(words);
                    known.len() - 1
                });
                ('a'..='z').chain('A'..='Z').nth(index).expect("there are fewer styles")
            };
            runs.push((letter, run.len()));
        }
        runs.pop_if(|(letter, _)| *letter == '.');
        let runs: Vec<String> = runs.iter().map(|(letter, length)| format!("{letter}{length}")).collect();
        rows.push((number, runs.join(" ")));
    }
    let alike = rows.chunk_by(|(_, one), (_, next)| one == next).filter(|rows| !rows[0].1.is_empty());
    let rows = alike.fold(String::new(), |mut listed, rows| {
        let (first, last) = (rows[0].0, rows[rows.len() - 1].0);
        let numbers = if first == last { first.to_string() } else { format!("{first}-{last}") };
        let _ = writeln!(listed, "  {numbers:>5} {}", rows[0].1);
        listed
    });
    let legend = known.iter().zip(('a'..='z').chain('A'..='Z'));
    let legend: Vec<String> = legend.map(|(style, letter)| format!("{letter} {style}")).collect();
    format!("  {}\n{rows}", legend.join(", "))
}

fn style(cell: &Cell) -> String {
    let mut words = Vec::new();
    if cell.fg != Color::Reset {
        words.push(cell.fg.to_string());
    }
    if cell.bg != Color::Reset {
        words.push(format!("on {}", cell.bg));
    }
    words.extend(cell.modifier.iter_names().map(|(name, _)| name.to_lowercase()));
    words.join(" ")
}

/// A screen in a theme, by a way to it.
fn screen((_, fixture, script): View, size: (u16, u16), theme: &str) -> Buffer {
    let mut fixture = fixture();
    let mut console = TestConsole::new(&fixture, size, theme, false);
    console.run_script(script, &mut fixture);
    console.backend().buffer().clone()
}

#[test]
fn every_view_in_every_size_with_and_without_colour() {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("snapshots/views");
    settings.bind(|| {
        for view in VIEWS {
            let mut listed = String::new();
            for size in SIZES {
                let [default, mono] = ["default", "mono"].map(|theme| screen(*view, size, theme));
                let text = text_of(&default);
                assert_eq!(text, text_of(&mono), "{}: mono must say what the colours say", view.0);
                let coloured = mono.content.iter().find(|cell| {
                    cell.fg != Color::Reset || cell.bg != Color::Reset || cell.underline_color != Color::Reset
                });
                assert_eq!(coloured, None, "{} at {size:?} in mono", view.0);
                let unsafe_cell =
                    default.content.iter().find(|cell| cell.symbol().contains(char::is_control));
                assert_eq!(unsafe_cell, None, "{} at {size:?}", view.0);
                let (width, height) = size;
                let _ = write!(
                    listed,
                    "══ {width}×{height} ══\n{text}\n── default ──\n{}── mono ──\n{}\n",
                    styles(&default),
                    styles(&mono)
                );
            }
            insta::assert_snapshot!(view.0, listed);
        }
    });
}
