//! The top: who it is, how engines find it, how busy it is, and the nine counters.

use std::time::Duration;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
};

use crate::{
    console::{
        glyphs::Glyphs,
        input::action::KeyAction,
        layout::{
            SPARK,
            counters::{Counter, LINTS, counter_lines},
        },
        view::{
            canvas::{View, put, put_right},
            timeline,
        },
    },
    domain::{
        model::{
            protocol::Caller,
            source_status::{Connection, ConnectionState, SourceStatus},
        },
        text,
    },
    hub::{DriverStatus, Snapshot},
};

/// From here on an instance is said to be behind.
const MIN_LAG: Duration = Duration::from_millis(100);

/// How many cells the reason of a lost connection may take.
const MAX_PROBLEM: usize = 50;

/// How many cells of an address are worth showing.
const ADDRESS: usize = 16;

/// Stands before the address of an upstream, which is not that of the driver.
const FORWARDS: &str = "forwards to ";

/// The first row of the live state.
fn render_live(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let (styles, driver) = (&view.theme.styles, &view.snapshot.driver);
    let load = load(view);
    let room = usize::from(area.width);
    let status = view.snapshot.driver_state.status;
    let (glyph, style, registration) = match (status, &*driver.registration) {
        (DriverStatus::Down { .. }, _) => (view.theme.glyphs.idle, styles.warning, status.to_string().into()),
        (DriverStatus::Up, "registered") => (view.theme.glyphs.mounted, styles.good, "registered".into()),
        (DriverStatus::Up, other) => (view.theme.glyphs.idle, styles.warning, text::clean(other)),
    };
    let registration = Span::styled(format!("{glyph} {registration}"), style);
    let mut name = Line::from(Span::styled(" voltergeist", styles.bold));
    if let SourceStatus::Remote(connection) = &view.snapshot.source {
        name.spans.extend(remote(view, connection));
    }
    let (plugin, address) = match &driver.upstream {
        None => (None, driver.address.clone()),
        Some(upstream) => match upstream.split_once(" at ") {
            Some((plugin, address)) => (Some(plugin), format!("{FORWARDS}{address}")),
            None => (Some(&**upstream), driver.address.clone()),
        },
    };
    if let Some(plugin) = plugin {
        // It says whose volumes these are, so it goes before the program's name.
        let plugin = format!("in front of {}", text::clean(plugin));
        let left = room.saturating_sub(name.width() + registration.width() + 7);
        if text::width(&plugin) <= left {
            name.spans.push(Span::styled(format!("  {plugin}"), styles.dim));
        } else {
            let left = room.saturating_sub(registration.width() + 6);
            name.spans[0] = Span::styled(format!(" {}", view.fit(&plugin, left)), styles.bold);
        }
    }
    // Name and registration stay; the load takes what it needs of the rest, and the address what is left then.
    let taken = name.width() + registration.width() + 5;
    let load = load.iter().find(|load| taken + load.width() <= room);
    let left = room.saturating_sub(taken + load.map_or(0, Line::width) + 2);
    let mut spans = name.spans;
    spans.push("  ".into());
    let words = if address.starts_with(FORWARDS) { FORWARDS.len() } else { 0 };
    if left >= ADDRESS + words {
        spans.push(Span::styled(view.fit(&text::clean(&address), left), styles.dim));
        spans.push("  ".into());
    }
    spans.push(registration);
    let line = Line::from(spans);
    view.put_fitted(buffer, area, 0, &line);
    if let Some(load) = load {
        put_right(buffer, area, 0, line.width(), load);
    }
}

/// Whether an instance answers: a symbol, its style, and words.
pub fn connection_state(view: &View<'_>, connection: &Connection) -> (&'static str, Style, String) {
    let (styles, glyphs) = (&view.theme.styles, view.theme.glyphs);
    match &connection.state {
        ConnectionState::Connected => {
            let lag = connection.lag.filter(|lag| *lag >= MIN_LAG);
            let lag = lag.map_or_else(String::new, |lag| format!(", {} behind", text::took(lag)));
            (glyphs.mounted, styles.good, format!("connected{lag}"))
        }
        ConnectionState::Lost(problem) => {
            let problem = view.fit(&text::clean(problem), MAX_PROBLEM);
            (glyphs.idle, styles.bad, format!("connecting{} {problem}", glyphs.ellipsis))
        }
    }
}

/// The instance that is shown, and whether it answers.
fn remote(view: &View<'_>, connection: &Connection) -> Vec<Span<'static>> {
    let styles = &view.theme.styles;
    let (glyph, style, state) = connection_state(view, connection);
    let mut spans = vec![
        Span::styled(format!("  {}  ", text::clean(&connection.name)), styles.bold),
        Span::styled(format!("{glyph} {state}"), style),
    ];
    if connection.missed > 0 {
        let missed = text::counted(connection.missed, "entry");
        spans.push(Span::styled(format!("  {missed} missed"), styles.warning));
    }
    if connection.read_only {
        spans.push(Span::styled("  read-only", styles.warning));
    }
    spans
}

/// Draws header and counters.
pub fn render(view: &View<'_>, buffer: &mut Buffer) {
    let (styles, driver) = (&view.theme.styles, &view.snapshot.driver);
    let area = view.screen.header;
    match &view.snapshot.source {
        SourceStatus::Local | SourceStatus::Remote(_) => render_live(view, area, buffer),
        // Each has its own place there: see `connections`.
        SourceStatus::Nodes => {}
        SourceStatus::Recording(recording) => timeline::render(view, recording, area, buffer),
    }
    if let Some(fix_command) = &driver.fix_command {
        let line = Line::from(vec![
            Span::styled(" to register it: ", styles.warning),
            Span::styled(text::clean(fix_command).into_owned(), styles.bold),
        ]);
        render_fix_command(
            view,
            &line,
            Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area },
            buffer,
        );
    }
    let rows = counter_lines(
        view.snapshot,
        view.screen.counters.width.into(),
        view.screen.counters.height.into(),
        view.theme.glyphs.ellipsis,
    );
    for (row, counters) in rows.iter().enumerate() {
        let mut spans = Vec::new();
        for counter in &counters.shown {
            let (label, digits) = match counter {
                Counter { odd: true, .. } => (styles.warning, styles.warning),
                Counter { number: 0, .. } => (styles.dim, styles.dim),
                _ => (styles.text, styles.bold),
            };
            spans.push(Span::raw(if spans.is_empty() { " " } else { counters.gap }));
            spans.push(Span::styled(format!("{} ", counter.name), label));
            spans.push(Span::styled(counter.digits.clone(), digits));
        }
        put(buffer, view.screen.counters, row as u16, &Line::from(spans));
    }
}

/// What a click on a counter does: that of the lints leads to them.
pub fn action_at(view: &View<'_>, at: Position) -> Option<KeyAction> {
    let area = view.screen.counters;
    if !area.contains(at) {
        return None;
    }
    let rows =
        counter_lines(view.snapshot, area.width.into(), area.height.into(), view.theme.glyphs.ellipsis);
    let line = rows.get(usize::from(at.y - area.y))?;
    let mut right = usize::from(area.x);
    let counter = line.shown.iter().enumerate().find(|(index, counter)| {
        right += if *index == 0 { 1 } else { line.gap.len() };
        right += counter.name.len() + 1 + text::width(&counter.digits);
        usize::from(at.x) < right
    });
    counter.filter(|(_, counter)| counter.name == LINTS).map(|_| KeyAction::Lint)
}

/// The command that registers the driver, and the key that shows it whole if it does not fit.
fn render_fix_command(view: &View<'_>, line: &Line<'_>, area: Rect, buffer: &mut Buffer) {
    if line.width() <= area.width.into() || area.height == 0 {
        return put(buffer, area, 0, line);
    }
    let where_else = Line::raw(format!(" [{}] shows all ", view.key(KeyAction::Help)));
    let room = area.width.saturating_sub(where_else.width() as u16);
    view.put_fitted(buffer, Rect { width: room, ..area }, 0, line);
    put(buffer, Rect { x: area.x + room, width: area.width - room, ..area }, 0, &where_else);
}

/// The load, in forms from long to short.
pub fn load(view: &View<'_>) -> Vec<Line<'static>> {
    let (snapshot, styles) = (view.snapshot, &view.theme.styles);
    let rate = snapshot.counters.rate(snapshot.at);
    let last = rate.len().checked_sub(2).map_or(0, |index| rate[index]);
    let callers: Vec<_> = Caller::ALL
        .into_iter()
        .filter(|one| snapshot.counters.caller(*one) > 0)
        .map(Caller::as_str)
        .collect();
    let caller = (!callers.is_empty())
        .then(|| Span::styled(format!("clients: {}  ", callers.join(", ")), styles.text));
    let per_second = Span::styled(format!("{last}/s "), styles.bold);
    let spark = Span::styled(sparkline(&rate, view.theme.glyphs), styles.graph);
    let percentile = |share: f64| {
        let took = text::took(std::time::Duration::from_micros(snapshot.counters.latency(share)?));
        Some(Span::styled(format!("  p{} {took}", share * 100.0), styles.text))
    };
    let rate = [per_second.clone(), spark];
    // It explains the rate, so it is kept longer.
    let speed = speed(snapshot);
    let only = speed.iter().map(|speed| Span::styled(format!("{speed} "), styles.bold)).collect();
    let speed = speed.map(|speed| Span::styled(format!("demo {speed} "), styles.bold));
    let (most, end) = (percentile(0.99), Span::raw(" "));
    let shares = [0.5, 0.9, 0.99].map(percentile);
    let all: Vec<_> = shares.into_iter().flatten().collect();
    let forms: [Vec<Span<'static>>; 7] = [
        caller.iter().chain(&speed).chain(&rate).chain(&all).chain([&end]).cloned().collect(),
        speed.iter().chain(&rate).chain(&all).chain([&end]).cloned().collect(),
        caller.iter().chain(&speed).chain(&rate).chain(&most).chain([&end]).cloned().collect(),
        speed.iter().chain(&rate).chain(&most).chain([&end]).cloned().collect(),
        speed.iter().chain([&per_second]).cloned().collect(),
        speed.into_iter().collect(),
        only,
    ];
    forms.into_iter().filter(|spans| !spans.is_empty()).map(Line::from).collect()
}

/// The speed of the demo, if this is one.
fn speed(snapshot: &Snapshot) -> Option<String> {
    let speed = snapshot.speed?;
    // It is paused while a scenario runs.
    Some(if snapshot.scenario.play_request.is_some() { "paused".into() } else { speed.to_string() })
}

fn sparkline(rate: &[u32], glyphs: &Glyphs) -> String {
    let latest = &rate[rate.len().saturating_sub(SPARK)..];
    let most = latest.iter().copied().max().unwrap_or(0).max(1);
    let missing = std::iter::repeat_n(&0, SPARK - latest.len());
    // Whatever happened at all gets the first step, so that one call among thousands is seen.
    missing.chain(latest).map(|count| glyphs.spark[(*count as usize * 8).div_ceil(most as usize)]).collect()
}

/// The style of a count that may be nothing.
pub fn count_style(number: u64, view: &View<'_>) -> Style {
    if number == 0 { view.theme.styles.dim } else { view.theme.styles.bold }
}
