//! A state made of entries at fixed times, and the screen that the console makes of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::{SignedDuration, Timestamp};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};
use unicode_width::UnicodeWidthStr as _;
use voltergeist::{
    console::{
        input::keymap::{Chord, Keymap},
        model::{App, Effect, Event},
        theme::Theme,
        view,
    },
    domain::{
        lang::command::{Command, Target},
        model::{
            driver::{DriverEvent, DriverInfo, DriverReason, DriverStatus, Outage},
            entry::{
                Call, Cause, CommandRun, Decision, Entry, EntryKind, Evaluation, Headers, HeldCall,
                OriginalReply, Outcome, ReleasedCall, RuleDecision, RuleEvent, RuleText, Session,
                VolumeChange,
            },
            fault::{AppliedFault, FaultSource, Phase, Release, ReleasedBy},
            lint::Lint,
            origin::Origin,
            protocol::{Caller, Operation, Options},
            scenario::ScenarioCatalog,
            speed::{DemoSpeed, EngineSpeed},
            volume::{Change, Volumes},
        },
        rules::{DryRun, PRESETS, Rule, TrackedRule, dry_run},
        state::{State, journal::Bounds},
    },
    hub::Snapshot,
};

/// What has happened: entries, and the state that they add up to.
#[derive(Clone)]
pub struct Fixture {
    pub now: Timestamp,
    entries: Vec<Arc<Entry>>,
    bounds: Bounds,
    state: State,
    pub catalog: ScenarioCatalog,
    last_call: u64,
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
        connection: 1,
        peer: None,
        first_contact: false,
        volume: (!volume.is_empty()).then(|| volume.into()),
        mount_id: None,
        known: false,
        mounted: false,
        id_mounted: false,
        headers: Headers(headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect()),
        request: body.into_bytes().into(),
        fault: None,
        evaluation: None,
        outcome: Outcome::Ok,
        status: Some(200),
        error: None,
        reply: b"{}\n".to_vec().into(),
        duration: Duration::from_micros(240),
        changes: Vec::new(),
        lints: Vec::new(),
        held_seq: None,
        upstream: None,
    }
}

pub fn fault(id: u32, label: Option<&str>, action: &str) -> AppliedFault {
    let phase = [Phase::Before, Phase::After, Phase::Twice]
        .into_iter()
        .find(|phase| action.ends_with(phase.as_str()));
    AppliedFault {
        source: FaultSource::Rule { id, label: label.map(Arc::from) },
        action: action.into(),
        phase: phase.unwrap_or(Phase::Instead),
        released: None,
        unaltered: false,
    }
}

impl Fixture {
    /// A driver that is registered and has heard nothing.
    pub fn empty() -> Self {
        let bounds = Bounds::default();
        let mut fixture = Self {
            now: "2026-03-14T15:41:07.214Z".parse().expect("a time"),
            entries: Vec::new(),
            bounds,
            state: State::new(bounds),
            catalog: ScenarioCatalog::default(),
            last_call: 0,
        };
        fixture.push(EntryKind::Session(Box::new(Session::new(7, Volumes::default()))));
        fixture.register(|_| ());
        fixture
    }

    /// Changes where engines find the driver.
    pub fn register(&mut self, change: impl FnOnce(&mut DriverInfo)) {
        let mut info = self.state.driver().clone();
        if info.name.is_empty() {
            info = DriverInfo {
                name: "voltergeist".into(),
                address: "unix:///run/docker/plugins/voltergeist.sock".into(),
                registration: "registered".into(),
                fix_command: None,
                upstream: None,
                others: Vec::new(),
            };
        }
        change(&mut info);
        self.push(EntryKind::Registration(Box::new(info)));
    }

    /// The same run as a demo, or with other bounds of the journal.
    pub fn again(&mut self, speed: Option<DemoSpeed>, bounds: Bounds) {
        (self.state, self.bounds) = (State::new(bounds), bounds);
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if index == 0 {
                let session = Session::new(7, Volumes::default()).with_speed(speed);
                *entry = Arc::new(Entry { kind: EntryKind::Session(Box::new(session)), ..(**entry).clone() });
            }
            self.state.apply(entry);
        }
    }

    /// The same run as a demo.
    pub fn demo(&mut self, speed: DemoSpeed) {
        self.again(Some(speed), self.bounds);
    }

    pub fn pass(&mut self, millis: i64) {
        self.now = self.now.checked_add(SignedDuration::from_millis(millis)).expect("not that late");
    }

    /// What a list shows takes a millisecond.
    pub fn push(&mut self, kind: EntryKind) -> Arc<Entry> {
        let mut entry = Entry::new(self.state.journal().next_seq(), self.now, kind);
        if !entry.is_redundant() {
            self.pass(1);
            entry.at = self.now;
        }
        let entry = Arc::new(entry);
        self.state.apply(&entry);
        self.entries.push(Arc::clone(&entry));
        entry
    }

    fn change(&mut self, cause: Cause, changes: &[Change]) {
        for change in changes {
            self.push(EntryKind::Volume(Box::new(VolumeChange { cause, change: change.clone() })));
        }
    }

    /// Arms a rule without a command, unless it is armed.
    fn ensure_armed(&mut self, fault: &AppliedFault, operation: Operation) -> bool {
        let Some(id) = fault.rule().filter(|id| self.state.rules().get(*id).is_none()) else { return false };
        let text = format!("{operation}: {}", fault.action).into();
        let rule = RuleText { id, label: fault.label().map(Arc::from), text };
        self.push(EntryKind::Rule(Box::new(RuleEvent::Armed {
            rule,
            until: None,
            speed: EngineSpeed::REAL,
        })));
        true
    }

    fn evaluated(&mut self, call: u64, operation: Operation, volume: Option<&str>, fault: &AppliedFault) {
        let Some(id) = fault.rule() else { return };
        let rules = vec![RuleDecision { id, decision: Decision::Fired }];
        let volume = volume.map(Into::into);
        let evaluation = Evaluation {
            call,
            operation: Some(operation),
            request_line: None,
            volume,
            mount_id: None,
            connection: 1,
            rules,
        };
        self.push(EntryKind::Rule(Box::new(RuleEvent::Evaluated(evaluation))));
    }

    /// A call from its arrival to its end. A rule that acts on it and is not armed is armed just for it.
    pub fn call(&mut self, call: Call) -> Arc<Entry> {
        self.last_call += 1;
        let number = self.last_call;
        let mut armed = false;
        if let (Some(fault), Some(operation)) = (&call.fault, call.operation) {
            armed = self.ensure_armed(fault, operation);
            self.evaluated(number, operation, call.volume.as_deref(), fault);
        }
        self.change(Cause::Call(number), &call.changes);
        let rule = call.fault.as_deref().and_then(AppliedFault::rule).filter(|_| armed);
        let entry = self.push(EntryKind::Call(Box::new(Call { number, ..call })));
        if let Some(rule) = rule {
            self.disarm(&Target::Id(rule));
        }
        entry
    }

    /// The end of the oldest held call.
    pub fn end_held(&mut self, call: Call) {
        let (entry, held) = self.state.held().next().expect("a call is held");
        let fault = call.fault.as_ref().map(|_| held.fault.clone().into());
        let (number, held_seq) = (held.number, Some(entry.seq));
        self.push(EntryKind::Call(Box::new(Call { number, held_seq, fault, ..call })));
    }

    pub fn create(&mut self, name: &str, options: &[(&str, &str)]) {
        let options: Options = options.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let created = Change::Created { name: name.into(), options, at: self.now };
        self.call(Call { changes: vec![created], ..call(Operation::Create, name) });
    }

    pub fn mount(&mut self, name: &str, id: &str) {
        let mounted = Change::Mounted { name: name.into(), id: id.into(), at: self.now };
        self.call(Call { mount_id: Some(id.into()), changes: vec![mounted], ..call(Operation::Mount, name) });
    }

    pub fn command(&mut self, line: &str, effect: &str, changes: Vec<Change>) {
        self.change(Cause::Command, &changes);
        let origin = Box::new(Origin::Line);
        let run = CommandRun { command: line.into(), result: effect.into(), origin, changes };
        self.push(EntryKind::Command(run.into()));
    }

    pub fn arm(&mut self, line: &str) {
        let Ok(Command::Arm { rule, label, .. }) = line.parse() else { panic!("{line:?} arms nothing") };
        let event = self.state.rules().arming(&rule, label.as_deref(), self.now, EngineSpeed::REAL);
        let armed = event.rule().expect("it arms a rule").clone();
        self.push(EntryKind::Rule(event.into()));
        self.command(line, &format!("armed rule {}: {}", armed.id, armed.text), Vec::new());
    }

    pub fn disarm(&mut self, target: &Target) {
        let rules: Vec<_> = self.state.rules().targets(target).map(TrackedRule::as_text).collect();
        for rule in rules {
            self.push(EntryKind::Rule(Box::new(RuleEvent::Disarmed(rule))));
        }
        let state = &self.state;
        let orphans = state.held().filter(|(_, held)| !state.rule_in_force(held.fault.rule(), self.now));
        for call in orphans.map(|(_, held)| held.number).collect::<Vec<_>>() {
            let release = Release { by: ReleasedBy::RuleEnded, action: None };
            self.push(EntryKind::Released(ReleasedCall { call, release }));
        }
    }

    pub fn disarm_all(&mut self) {
        self.disarm(&Target::All);
    }

    /// A call that a rule holds.
    pub fn wait(&mut self, operation: Operation, volume: &str, action: &str) {
        self.last_call += 1;
        let rules = self.state.rules();
        let text = format!("{operation}: {action}");
        let armed = rules.iter().find(|rule| *rule.text == *text).map(|rule| rule.id);
        let next = rules
            .arming(&text.parse().expect("a rule"), None, self.now, EngineSpeed::REAL)
            .rule()
            .map_or(1, |rule| rule.id);
        let fault = fault(armed.unwrap_or(next), None, action);
        self.ensure_armed(&fault, operation);
        self.held_by(fault, operation, volume);
    }

    /// A call that an armed rule holds.
    pub fn hold(&mut self, rule: u32, operation: Operation, volume: &str) {
        self.last_call += 1;
        self.held_by(fault(rule, None, "hold"), operation, volume);
    }

    fn held_by(&mut self, fault: AppliedFault, operation: Operation, volume: &str) {
        self.evaluated(self.last_call, operation, Some(volume), &fault);
        self.push(EntryKind::Held(Box::new(HeldCall {
            number: self.last_call,
            operation: Some(operation),
            request_line: None,
            caller: Caller::Docker,
            connection: 1,
            peer: None,
            volume: Some(volume.into()),
            mount_id: None,
            retry: false,
            barrier: None,
            fault,
            original: Some(OriginalReply { status: 200, body: b"{}\n".to_vec().into() }),
        })));
    }

    pub fn down(&mut self, kind: Outage, seconds: Option<i64>) {
        let until =
            seconds.map(|seconds| self.now.checked_add(SignedDuration::from_secs(seconds)).expect("soon"));
        let status = DriverStatus::Down { kind, until };
        self.push(EntryKind::Driver(Box::new(DriverEvent {
            status,
            generation: 0,
            reason: DriverReason::Command,
        })));
        self.command(&format!("down {kind}"), &format!("the driver is down: {kind}"), Vec::new());
    }

    /// A driver in the middle of a busy afternoon: two engines, faults, oddities and a waiting call.
    pub fn busy() -> Self {
        let mut fixture = Self::empty();
        let id = "7f3a9c0d5e1b".repeat(5);
        fixture.call(call(Operation::Activate, ""));
        fixture.call(call(Operation::Capabilities, ""));
        fixture.call(Call {
            outcome: Outcome::Error,
            error: Some("no such volume".into()),
            reply: b"{\"Err\":\"no such volume\"}\n".to_vec().into(),
            ..call(Operation::Get, "db1")
        });
        fixture.create("db1", &[("tier", "gold"), ("size", "5G")]);
        fixture.call(call(Operation::Get, "db1"));
        fixture.mount("db1", &id);
        fixture.create("cache", &[]);
        fixture.create("ghost", &[("ninja", "")]);
        fixture.create("größe 東京", &[("note", "wide\u{1b}[31m")]);
        fixture.call(Call { caller: Caller::Podman, ..call(Operation::List, "") });
        let line = format!("arm {} as {}", PRESETS[1].rule, PRESETS[1].label);
        fixture.arm(&line);
        fixture.call(Call {
            fault: Some(fault(1, Some("empty-get"), "empty").into()),
            outcome: Outcome::Error,
            error: Some("an empty object".into()),
            ..call(Operation::Get, "db1")
        });
        fixture.command(
            "forget cache",
            "forgot \"cache\"; its files are kept",
            vec![Change::Forgotten { name: "cache".into() }],
        );
        fixture.call(Call {
            outcome: Outcome::Error,
            status: Some(500),
            error: Some("invalid argument".into()),
            reply: b"invalid argument\n".to_vec().into(),
            lints: vec![Lint::MountOfUnknownVolume],
            ..call(Operation::Mount, "cache")
        });
        fixture.call(Call {
            operation: None,
            request_line: Some("GET /metrics".into()),
            caller: Caller::Other,
            outcome: Outcome::Error,
            status: Some(404),
            error: Some("404 page not found".into()),
            ..call(Operation::Get, "")
        });
        fixture.push(EntryKind::Note { text: "a task panicked: boom\u{7}".into() });
        fixture.call(Call {
            outcome: Outcome::Cancelled,
            status: None,
            duration: Duration::from_secs(60),
            fault: Some(fault(2, None, "hang").into()),
            ..call(Operation::Unmount, "db1")
        });
        fixture.wait(Operation::Unmount, "db1", "hold");
        fixture.pass(12_400);
        fixture
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.state, self.now, self.catalog.clone())
    }

    /// Which calls a rule would have hit.
    pub fn dry_run(&self, rule: &Rule) -> DryRun {
        let entries = self.state.journal().after(0).map(Arc::as_ref);
        dry_run(rule, self.state.rules().seed(), self.state.volumes(), entries)
    }

    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.state.journal().after(0).cloned().collect()
    }
}

/// A console of some size and theme that has seen what is on a fixture.
pub struct TestConsole {
    pub app: App,
    pub snapshot: Snapshot,
    /// When the mouse was used last.
    clock: Instant,
}

impl TestConsole {
    pub fn new(fixture: &Fixture, (width, height): (u16, u16), theme: &str, ascii: bool) -> Self {
        let theme = Theme::named(theme, ascii).expect("a shipped theme");
        let app = App::new((width, height), theme, Keymap::default(), jiff::tz::TimeZone::UTC);
        let mut console = Self { app, snapshot: fixture.snapshot(), clock: Instant::now() };
        console.look(fixture);
        console
    }

    /// Takes in what is new on the fixture.
    pub fn look(&mut self, fixture: &Fixture) {
        self.snapshot = fixture.snapshot();
        let event = Event::Entries(fixture.entries(), self.snapshot.kept.clone());
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

    /// Types a text. After each letter the dry runs end and new entries are taken in, as in the event loop.
    pub fn type_text(&mut self, text: &str, fixture: &Fixture) {
        for c in text.chars() {
            let effects = self.update(Event::Key(KeyCode::Char(c).into()));
            self.answer(effects, fixture);
            self.look(fixture);
        }
    }

    /// Hands the results of dry runs back until none is under way.
    pub fn answer(&mut self, mut effects: Vec<Effect>, fixture: &Fixture) {
        while let Some(effect) = effects.pop() {
            if let Effect::DryRun { number, rule } = effect {
                let result = Ok(fixture.dry_run(&rule));
                effects.extend(self.update(Event::DryRunDone { number, result }));
            }
        }
    }

    /// Uses the mouse, so long after it was used before.
    pub fn mouse(&mut self, kind: MouseEventKind, (column, row): (u16, u16), after: Duration) -> Vec<Effect> {
        self.clock += after;
        let mouse = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        self.update(Event::Mouse(mouse, self.clock))
    }

    /// Where a text is on the screen; the last of them, if it is there more than once.
    pub fn find(&self, text: &str) -> (u16, u16) {
        let screen = self.screen();
        let found = screen.lines().enumerate().filter(|(_, line)| line.contains(text)).last();
        let (row, line) = found.unwrap_or_else(|| panic!("no {text:?} in\n{screen}"));
        let column = line[..line.find(text).expect("it was found")].width();
        (u16::try_from(column).expect("on the screen"), u16::try_from(row).expect("on the screen"))
    }

    /// Clicks on a text, a while after any other click.
    pub fn click(&mut self, text: &str) -> Vec<Effect> {
        let (column, row) = self.find(text);
        let kind = MouseEventKind::Down(MouseButton::Left);
        self.mouse(kind, (column + 1, row), Duration::from_secs(5))
    }

    /// Clicks twice on a text, as fast as people do. Returns the effects of each click.
    pub fn double_click(&mut self, text: &str) -> [Vec<Effect>; 2] {
        let (column, row) = self.find(text);
        let kind = MouseEventKind::Down(MouseButton::Left);
        [5000, 200].map(|millis| self.mouse(kind, (column + 1, row), Duration::from_millis(millis)))
    }

    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        view::prepare(&mut self.app, &event, &self.snapshot);
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

/// The rows of a screen, without trailing spaces.
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
