//! The help: every key and what it does, made from the one table.

use ratatui::{
    buffer::Buffer,
    style::Style,
    text::{Line, Span},
    widgets::Block,
};

use crate::{
    console::{
        input::{
            action::{HelpSection, KeyAction, KeyBinding, KeyScope},
            bindings::KEY_BINDINGS,
            complete,
            keymap::Keymap,
        },
        model::{
            app::App,
            mode::{HelpRun, HelpState, Mode},
            obstacle::obstacle,
        },
        theme::Theme,
        view::canvas::{View, mark},
    },
    domain::{
        model::lint::Lint,
        rules::{EXAMPLES, KEYWORD_GROUPS},
        text,
    },
    hub::Snapshot,
};

/// Rows around the text: the frame.
const FRAME: u16 = 2;

/// Draws it over everything else.
pub fn render(view: &View<'_>, reading: &HelpState, buffer: &mut Buffer) {
    let area = buffer.area;
    let styles = &view.theme.styles;
    let HelpPage { lines, rows } =
        page(view.app, view.snapshot, reading, usize::from(area.width.saturating_sub(FRAME)));
    let height = usize::from(area.height.saturating_sub(FRAME));
    let more = lines.len() > reading.top + height;
    let find = view.key(KeyAction::Filter);
    let find = match (reading.is_typing, reading.wanted.as_str()) {
        (false, "") => format!(" {find} finds "),
        (is_typing, wanted) => {
            format!(" {find} {}{} ", text::clean(wanted), if is_typing { "_" } else { "" })
        }
    };
    let back = if reading.is_typing || !reading.wanted.is_empty() { "Esc shows all " } else { "Esc closes " };
    let back = format!(" {} runs  {back}", view.key(KeyAction::Open));
    let block = Block::bordered()
        .title(" voltergeist: help ")
        .title(Line::from(if more { " more below " } else { "" }).right_aligned())
        .title_bottom(find)
        .title_bottom(Line::from(back).right_aligned());
    let inner = view.popup(area, block, buffer);
    for (row, line) in lines.iter().skip(reading.top).take(height).enumerate() {
        view.put_fitted(buffer, inner, row as u16, line);
    }
    let selected = rows.get(reading.selected).and_then(|(row, _)| row.checked_sub(reading.top));
    if let Some(row) = selected.filter(|row| *row < height && !reading.is_typing) {
        mark(buffer, inner, row as u16, styles.selection);
    }
}

/// The rows that can be run, and what each does.
pub fn rows(app: &App, snapshot: &Snapshot) -> Vec<(usize, HelpRun)> {
    let Mode::Help(reading) = &app.mode else { return Vec::new() };
    page(app, snapshot, reading, usize::from(app.size.0.saturating_sub(FRAME))).rows
}

/// The furthest that it can be scrolled.
pub fn last_top(app: &App, snapshot: &Snapshot) -> usize {
    let Mode::Help(reading) = &app.mode else { return 0 };
    let lines = page(app, snapshot, reading, usize::from(app.size.0.saturating_sub(FRAME))).lines;
    lines.len().saturating_sub(app.size.1.saturating_sub(FRAME).into())
}

/// All lines, and which of them can be run.
struct HelpPage {
    lines: Vec<Line<'static>>,
    rows: Vec<(usize, HelpRun)>,
}

/// The lines about one key, command or word, and what it does.
type HelpItem = (Vec<Line<'static>>, Option<HelpRun>);

/// All lines, or those that match the search: first the keys of the focused pane, then the sections.
fn page(app: &App, snapshot: &Snapshot, reading: &HelpState, width: usize) -> HelpPage {
    let (keymap, theme) = (&app.keymap, &app.theme);
    let wanted = reading.wanted.to_lowercase();
    let mut lines = if wanted.is_empty() { introduction(app, snapshot, width) } else { Vec::new() };
    let column = key_column(keymap, theme);
    let here = |binding: &&KeyBinding| binding.scope == app.focus.into();
    let item = |binding: &KeyBinding| -> HelpItem {
        let run = HelpRun::Action(binding.action);
        let not_here = obstacle(binding.action, snapshot);
        (binding_lines(binding, not_here, keymap, theme, (column, width)), Some(run))
    };
    let own = KEY_BINDINGS.iter().filter(here);
    let own = own.map(|binding| item(&KeyBinding { scope: KeyScope::Everywhere, ..*binding })).collect();
    let sections = HelpSection::ALL.into_iter().map(|section| {
        let others = KEY_BINDINGS.iter().filter(|binding| binding.section == section && !here(binding));
        (section.title(), others.map(item).collect())
    });
    let commands =
        complete::forms().map(|form| (form_lines(form, theme, width), Some(run_of(form)))).collect();
    let explained =
        |head: &str, meaning: &str| -> HelpItem { (form_lines((head, "", meaning), theme, width), None) };
    let examples = EXAMPLES
        .iter()
        .map(|(rule, meaning)| (explained(rule, meaning).0, Some(HelpRun::Begin(format!("arm {rule}")))));
    let parts = KEYWORD_GROUPS.iter().map(|part| {
        let words: Vec<_> = part.words.iter().map(|(word, _)| *word).collect();
        explained(part.title, &words.join(" "))
    });
    let oddities = Lint::ALL.map(|lint| explained(lint.as_str(), lint.meaning()));
    let pages = [
        ("Commands, after :", commands),
        ("Rules, after :arm", examples.collect()),
        ("Keywords of a rule, in order; Tab explains each", parts.collect()),
        ("Lints: protocol warnings on a call", oddities.into()),
    ];
    let sections: Vec<(&str, Vec<HelpItem>)> =
        [("In this pane", own)].into_iter().chain(sections).chain(pages).collect();
    let mut rows = Vec::new();
    for (title, mut items) in sections {
        items.retain(|(item, _)| !item.is_empty() && says(item, &wanted));
        if !items.is_empty() {
            if !lines.is_empty() {
                lines.push(Line::default());
            }
            lines.push(Line::styled(format!(" {title}"), theme.styles.bold));
            for (item, run) in items {
                rows.extend(run.map(|run| (lines.len(), run)));
                lines.extend(item);
            }
        }
    }
    if lines.is_empty() {
        lines.push(Line::raw(" no match"));
    }
    HelpPage { lines, rows }
}

/// A command that needs nothing more is run; any other is begun.
fn run_of((word, form, _): (&'static str, &str, &str)) -> HelpRun {
    if form.is_empty() { HelpRun::Line(word) } else { HelpRun::Begin(format!("{word} ")) }
}

/// Whether a part says what is wanted, or another form of it.
fn says(item: &[Line<'static>], wanted: &str) -> bool {
    let words: Vec<String> = item.iter().map(|line| line.to_string().to_lowercase()).collect();
    // However it was wrapped.
    let text = words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    forms_of(wanted).any(|form| text.contains(form))
}

/// A word, what it is without its ending, and its forms that are spelt differently.
fn forms_of(word: &str) -> impl Iterator<Item = &str> {
    const SPELT_DIFFERENTLY: [[&str; 2]; 4] =
        [["hold", "held"], ["lose", "lost"], ["run", "ran"], ["forget", "forgotten"]];
    const MIN_STEM: usize = 4;
    let stem = ["ing", "ed", "es", "s"].into_iter().find_map(|ending| word.strip_suffix(ending));
    let stem = stem.filter(|stem| stem.chars().count() >= MIN_STEM);
    let is_same = move |form: &&str| *form == word || Some(*form) == stem;
    let same = SPELT_DIFFERENTLY.into_iter().filter(move |forms| forms.iter().any(is_same));
    [word].into_iter().chain(stem).chain(same.flatten())
}

/// What it is all about, and what is to be done first if docker does not find the driver.
fn introduction(app: &App, snapshot: &Snapshot, width: usize) -> Vec<Line<'static>> {
    let styles = &app.theme.styles;
    let mut lines = Vec::new();
    let mut say = |text: &str, style: Style| {
        let wrapped = text::wrap(text, width.saturating_sub(2));
        lines.extend(wrapped.into_iter().map(|line| Line::styled(format!(" {line}"), style)));
    };
    if let Some(fix_command) = &snapshot.driver.fix_command {
        let copy = app.key_label(KeyAction::CopyJson);
        say(
            &format!("docker does not find this driver yet. Register it with ({copy} copies it):"),
            styles.warning,
        );
        say(&text::clean(fix_command), styles.bold);
        say("", styles.text);
    }
    say(
        "voltergeist is a volume driver. Every request from docker appears in the list of calls; faults make the \
         driver misbehave. Every key runs a command; its line is shown at the bottom and can be typed after `:`.",
        styles.text,
    );
    lines
}

/// A command's form, and what it does beside it or below.
fn form_lines((word, form, help): (&str, &str, &str), theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let head = format!(" {word} {form}");
    let room = width / 2;
    if text::width(&head) < room && width >= 72 {
        return columns(&head, help, (room, width), theme);
    }
    let head = text::wrap(head.trim(), width.saturating_sub(2));
    let help = text::wrap(help, width.saturating_sub(5));
    let head = head.into_iter().map(|line| Line::styled(format!(" {line}"), theme.styles.key));
    head.chain(help.into_iter().map(|line| Line::raw(format!("    {line}")))).collect()
}

/// The keys of a binding, as they are written in the help.
fn keys_of(binding: &KeyBinding, keymap: &Keymap, theme: &Theme) -> String {
    let keys: Vec<_> = keymap.keys(binding.action).iter().map(|key| key.label(theme.glyphs.ascii)).collect();
    keys.join(" ")
}

/// The columns that the longest keys need, with a gap on either side.
fn key_column(keymap: &Keymap, theme: &Theme) -> usize {
    let widths = KEY_BINDINGS.iter().map(|binding| text::width(&keys_of(binding, keymap, theme)));
    widths.max().unwrap_or(0) + 3
}

/// `columns` are those of the keys and of the whole line.
fn binding_lines(
    binding: &KeyBinding,
    not_here: Option<&str>,
    keymap: &Keymap,
    theme: &Theme,
    (column, width): (usize, usize),
) -> Vec<Line<'static>> {
    let keys = keys_of(binding, keymap, theme);
    if keys.is_empty() {
        return Vec::new();
    }
    let scope = match binding.scope {
        KeyScope::Everywhere => "",
        KeyScope::Calls => "calls: ",
        KeyScope::Volumes => "volumes: ",
        KeyScope::Faults => "faults: ",
    };
    let not_here = not_here.map_or_else(String::new, |why| format!(" (not here: {why})"));
    let help = format!("{scope}{}{not_here}", binding.help);
    let lines = columns(&format!(" {keys}"), &help, (column, width), theme);
    if not_here.is_empty() {
        return lines;
    }
    lines.into_iter().map(|line| line.patch_style(theme.styles.dim)).collect()
}

/// Two columns: what is typed, and what it does in as many lines as that needs.
fn columns(head: &str, help: &str, (column, width): (usize, usize), theme: &Theme) -> Vec<Line<'static>> {
    let help = text::wrap(help, width.saturating_sub(column + 1));
    help.into_iter()
        .enumerate()
        .map(|(index, help)| {
            let head = if index == 0 { head } else { "" };
            Line::from(vec![
                Span::styled(text::pad(head, column, theme.glyphs.ellipsis), theme.styles.key),
                Span::raw(help),
            ])
        })
        .collect()
}
