//! A hub's picture made by hand, at fixed times, and the screen that the console makes of it.

use std::{sync::Arc, time::Duration};

use crossterm::event::KeyCode;
use jiff::{SignedDuration, Timestamp};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};
use unicode_width::UnicodeWidthStr as _;
use voltergeist::{
    console::{
        app::{App, Effect, Event},
        key::{Chord, Keymap},
        theme::Theme,
        view,
    },
    domain::{
        model::lint::Lint,
        lang::command::{Command, Outage, Target},
        model::{
            entry::{
                AppliedFault, Call, CommandRun, Entry, EntryKind, Headers, HeldCall, OriginalReply, Outcome,
            },
            protocol::{Caller, Operation, Options},
            scenario::ScenarioState,
            speed::DemoSpeed,
            volume::{Change, Volumes},
        },
        rules::{DryRun, PRESETS, Rule, RuleSet, dry_run},
        state::{
            counters::Counters,
            journal::{Bounds, Journal},
        },
    },
    state::{Driver, DriverState, DriverStatus, Snapshot},
};

pub struct Stage {
    pub now: Timestamp,
    pub journal: Journal,
    tally: Tally,
    volumes: Volumes,
    rules: RuleSet,
    pub driver: Driver,
    driver_state: DriverState,
    waiting: Vec<Arc<Entry>>,
    number: u64,
    pub scenarios: ScenarioState,
    pub speed: Option<DemoSpeed>,
}

/// A call by docker that went well, to be changed from there.
pub fn call(operation: Operation, volume: &str) -> Call {
    let body = if volume.is_empty() { String::new() } else { format!("{{\"Name\":\"{volume}\"}}\n") };
    let headers = [
        ("host", ""),
        ("user-agent", "Go-http-client/1.1"),
        ("accept", "application/vnd.docker.plugins.v1.2+json"),
    ];
    Call {
        number: 0,
        operation: Some(operation),
        request_line: None,
        caller: Caller::Docker,
        volume: (!volume.is_empty()).then(|| volume.into()),
        id: None,
        mounted: false,
        headers: Headers(headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect()),
        body: body.into_bytes().into(),
        fault: None,
        outcome: Outcome::Ok,
        status: Some(200),
        error: None,
        reply: b"{}\n".to_vec().into(),
        duration: Duration::from_micros(240),
        changes: Vec::new(),
        lints: Vec::new(),
        waited: None,
    }
}

pub fn fault(id: u32, label: Option<&str>, action: &str) -> AppliedFault {
    AppliedFault { id, label: label.map(Arc::from), action: action.into() }
}

impl Stage {
    /// A driver that is registered and has heard nothing.
    pub fn empty() -> Self {
        Self {
            now: "2026-03-14T15:41:07.214Z".parse().expect("a time"),
            journal: Journal::new(Bounds::default()),
            tally: Tally::default(),
            volumes: Volumes::default(),
            rules: RuleSet::new(7),
            driver: Driver {
                name: "voltergeist".into(),
                address: "unix:///run/docker/plugins/voltergeist.sock".into(),
                registration: "registered".into(),
                fix_command: None,
            },
            driver_state: DriverState { status: DriverStatus::Up, life: 0, quitting: false },
            waiting: Vec::new(),
            number: 0,
            scenarios: ScenarioState::default(),
            speed: None,
        }
    }

    pub fn pass(&mut self, millis: i64) {
        self.now = self.now.checked_add(SignedDuration::from_millis(millis)).expect("not that late");
    }

    pub fn push(&mut self, kind: EntryKind) -> Arc<Entry> {
        self.pass(1);
        let entry = self.journal.push(self.now, kind);
        self.tally.count(&entry);
        for change in entry.changes() {
            self.volumes.apply(change);
        }
        if let EntryKind::Scenario(event) = &entry.kind {
            self.scenarios.apply(event);
        }
        entry
    }

    pub fn call(&mut self, call: Call) -> Arc<Entry> {
        self.number += 1;
        self.push(EntryKind::Call(Box::new(Call { number: self.number, ..call })))
    }

    pub fn create(&mut self, name: &str, options: &[(&str, &str)]) {
        let options: Options = options.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let created = Change::Created { name: name.into(), options, at: self.now };
        self.call(Call { changes: vec![created], ..call(Operation::Create, name) });
    }

    pub fn mount(&mut self, name: &str, id: &str) {
        let mounted = Change::Mounted { name: name.into(), id: id.into(), at: self.now };
        self.call(Call { id: Some(id.into()), changes: vec![mounted], ..call(Operation::Mount, name) });
    }

    pub fn command(&mut self, line: &str, effect: &str, changes: Vec<Change>) {
        self.push(EntryKind::Command(CommandRun { line: line.into(), effect: effect.into(), changes }));
    }

    pub fn arm(&mut self, line: &str) {
        let Ok(Command::Arm { rule, label, .. }) = line.parse() else { panic!("{line:?} arms nothing") };
        let (armed, _) = self.rules.arm(rule, label.as_deref(), self.now);
        let effect = format!("armed rule {}: {}", armed.id, armed.text);
        self.command(line, &effect, Vec::new());
    }

    pub fn disarm_all(&mut self) {
        self.rules.disarm(&Target::All);
    }

    pub fn wait(&mut self, operation: Operation, volume: &str, action: &str) {
        self.number += 1;
        let waiting = HeldCall {
            number: self.number,
            operation,
            caller: Caller::Docker,
            volume: Some(volume.into()),
            id: None,
            retry: false,
            fault: fault(9, None, action),
            original: Some(OriginalReply { status: 200, body: b"{}\n".to_vec().into() }),
        };
        let entry = self.push(EntryKind::Held(waiting));
        self.waiting.push(entry);
    }

    pub fn down(&mut self, kind: Outage, seconds: Option<i64>) {
        let until =
            seconds.map(|seconds| self.now.checked_add(SignedDuration::from_secs(seconds)).expect("soon"));
        self.driver_state.status = DriverStatus::Down { kind, until };
        self.command(&format!("down {kind}"), &format!("the driver is down: {kind}"), Vec::new());
    }

    /// A driver in the middle of a busy afternoon: two engines, faults, oddities and a waiting call.
    pub fn busy() -> Self {
        let mut stage = Self::empty();
        let id = "7f3a9c0d5e1b".repeat(5);
        stage.call(call(Operation::Activate, ""));
        stage.call(call(Operation::Capabilities, ""));
        stage.call(Call {
            outcome: Outcome::Error,
            error: Some("no such volume".into()),
            reply: b"{\"Err\":\"no such volume\"}\n".to_vec().into(),
            ..call(Operation::Get, "db1")
        });
        stage.create("db1", &[("tier", "gold"), ("size", "5G")]);
        stage.call(call(Operation::Get, "db1"));
        stage.mount("db1", &id);
        stage.create("cache", &[]);
        stage.create("ghost", &[("ninja", "")]);
        stage.create("größe 東京", &[("note", "wide\u{1b}[31m")]);
        stage.call(Call { caller: Caller::Podman, ..call(Operation::List, "") });
        let line = format!("arm {} as {}", PRESETS[1].rule, PRESETS[1].label);
        stage.arm(&line);
        stage.call(Call {
            fault: Some(fault(1, Some("empty-get"), "empty")),
            outcome: Outcome::Error,
            error: Some("an empty object".into()),
            ..call(Operation::Get, "db1")
        });
        stage.command(
            "forget cache",
            "\"cache\" is forgotten; its files are kept",
            vec![Change::Forgotten { name: "cache".into() }],
        );
        stage.call(Call {
            outcome: Outcome::Error,
            status: Some(500),
            error: Some("invalid argument".into()),
            reply: b"invalid argument\n".to_vec().into(),
            lints: vec![Lint::MountOfUnknownVolume],
            ..call(Operation::Mount, "cache")
        });
        stage.call(Call {
            operation: None,
            request_line: Some("GET /metrics".into()),
            caller: Caller::Other,
            outcome: Outcome::Error,
            status: Some(404),
            error: Some("404 page not found".into()),
            ..call(Operation::Get, "")
        });
        stage.push(EntryKind::Note { text: "a task panicked: boom\u{7}".into() });
        stage.call(Call {
            outcome: Outcome::Cancelled,
            status: None,
            duration: Duration::from_secs(60),
            fault: Some(fault(2, None, "hang for 2m")),
            ..call(Operation::Unmount, "db1")
        });
        stage.wait(Operation::Unmount, "db1", "hold");
        stage.pass(12_400);
        stage
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            at: self.now,
            driver: self.driver.clone(),
            driver_state: self.driver_state,
            tally: self.tally.clone(),
            entries: Vec::new(),
            kept: self.journal.first()..self.journal.next(),
            dropped: self.journal.dropped(),
            volumes: self.volumes.iter().cloned().collect(),
            volume_count: self.volumes.len(),
            open_mounts: self.volumes.iter().map(|volume| u64::from(volume.open_mounts())).sum(),
            faults: self.rules.iter().cloned().collect(),
            waiting: self.waiting.clone(),
            scenarios: self.scenarios.clone(),
            speed: self.speed,
            seed: self.rules.seed(),
        }
    }

    /// Which calls a rule would have hit.
    pub fn rehearse(&self, rule: &Rule) -> DryRun {
        dry_run(rule, self.rules.seed(), &self.volumes, self.journal.after(0).map(Arc::as_ref))
    }

    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.journal.after(0).cloned().collect()
    }
}

/// A console of some size and theme that has seen what is on a stage.
pub struct Seat {
    pub app: App,
    pub snapshot: Snapshot,
}

impl Seat {
    pub fn new(stage: &Stage, (width, height): (u16, u16), theme: &str, ascii: bool) -> Self {
        let theme = Theme::named(theme, ascii).expect("a shipped theme");
        let app = App::new((width, height), theme, Keymap::default(), jiff::tz::TimeZone::UTC);
        let mut seat = Self { app, snapshot: stage.snapshot() };
        seat.look(stage);
        seat
    }

    /// Takes in what is new on the stage.
    pub fn look(&mut self, stage: &Stage) {
        self.snapshot = stage.snapshot();
        let event = Event::Entries(stage.entries(), self.snapshot.kept.clone());
        self.app.update(event, &self.snapshot);
    }

    /// Presses keys in the user's notation, and returns what is to be done outside.
    pub fn press(&mut self, keys: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for key in keys.split_whitespace() {
            let chord: Chord = key.parse().expect("a key in the user's notation");
            effects.extend(self.update(Event::Key(chord.event())));
        }
        effects
    }

    /// Types a text, with a look at the stage after each letter, as the loop has it.
    pub fn type_text(&mut self, text: &str, stage: &Stage) -> Vec<Effect> {
        let mut effects = Vec::new();
        for c in text.chars() {
            effects = self.update(Event::Key(KeyCode::Char(c).into()));
            self.look(stage);
        }
        effects
    }

    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        self.app.update(event, &self.snapshot)
    }

    pub fn backend(&self) -> TestBackend {
        let (width, height) = self.app.size;
        let mut terminal =
            Terminal::new(TestBackend::new(width, height)).expect("a test backend cannot fail");
        terminal
            .draw(|frame| view::render(frame, &self.app, &self.snapshot, &self.app.theme))
            .expect("a test backend cannot fail");
        terminal.backend().clone()
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        text_of(self.backend().buffer())
    }
}

/// The rows of a screen, without what trails behind them.
pub fn text_of(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(buffer.area.width.into()).map(|cells| {
        let mut row = String::new();
        let mut hidden = 0;
        for cell in cells {
            if hidden == 0 {
                row.push_str(cell.symbol());
                hidden = cell.symbol().width();
            }
            hidden = hidden.saturating_sub(1);
        }
        row.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}
