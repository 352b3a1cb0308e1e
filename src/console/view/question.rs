//! The question before something that cannot be undone.

use ratatui::{
    buffer::Buffer,
    text::{Line, Span},
    widgets::Block,
};

use crate::{
    console::{
        layout::picker::centered,
        model::{fault_list, mode::Question},
        view::canvas::{View, put},
    },
    domain::{lang::command::Command, text},
};

/// Draws it over everything else.
pub fn render(view: &View<'_>, question: &Question, buffer: &mut Buffer) {
    let screen = buffer.area;
    let styles = &view.theme.styles;
    let width = screen.width.min(64);
    let words = words(view, question);
    let lines: Vec<String> = words
        .iter()
        .flat_map(|line| text::wrap(&text::clean(line), usize::from(width).saturating_sub(4)))
        .collect();
    let height = (lines.len() as u16 + 4).min(screen.height);
    let area = centered(screen, width, height);
    let inner = view.popup(area, Block::bordered(), buffer);
    for (row, line) in lines.iter().enumerate() {
        let style = if row == 0 { styles.bold } else { styles.text };
        put(buffer, inner, row as u16, &Line::styled(format!(" {line}"), style));
    }
    let last = inner.height.saturating_sub(1);
    if let Question::Wipe { typed } = question {
        let typed = view.fit(&text::clean(typed), usize::from(inner.width).saturating_sub(4));
        let line = vec![Span::styled(" > ", styles.key), Span::raw(format!("{typed}_"))];
        return put(buffer, inner, last, &Line::from(line));
    }
    let answers: Vec<_> = answers(question)
        .iter()
        .flat_map(|(key, answer)| {
            [Span::styled(format!(" {key}"), styles.key), format!(" {answer}   ").into()]
        })
        .collect();
    put(buffer, inner, last, &Line::from(answers));
}

/// The keys that answer a question.
pub fn answers(question: &Question) -> &'static [(&'static str, &'static str)] {
    match question {
        Question::Wipe { .. } => &[("Enter", "delete"), ("Esc", "cancel")],
        Question::SendInvalid { .. } => &[("y", "send"), ("e", "edit again"), ("n", "keep holding")],
        _ => &[("y", "yes"), ("n", "no")],
    }
}

fn words(view: &View<'_>, question: &Question) -> Vec<String> {
    let snapshot = view.snapshot;
    match question {
        Question::Leave => {
            let mut words = vec!["Quit?".to_owned()];
            if let Some(scenario) = snapshot.scenario.under_way() {
                words.push(format!("{scenario} is running; it is stopped and cleaned up first."));
            }
            if let Some(line) = &view.app.shell_line {
                words.push(format!("$ {line} is running; quitting ends it."));
            }
            let armed = fault_list::armed(snapshot).count() as u64;
            if armed > 0 {
                words.push(format!(
                    "{} armed; quitting disarms {}.",
                    text::counted(armed, "rule"),
                    them(armed)
                ));
            }
            let held = snapshot.held.len() as u64;
            if held > 0 {
                words.push(format!(
                    "{} held; quitting releases {}.",
                    text::counted(held, "call"),
                    them(held)
                ));
            }
            if snapshot.volumes.open_mounts() > 0 {
                words.push(format!(
                    "{}; running containers keep their files, but the engine cannot unmount while the driver is away.",
                    text::counted(snapshot.volumes.open_mounts(), "open mount")
                ));
            }
            words
        }
        Question::Suspend => vec![
            "Suspend voltergeist (Ctrl-Z)?".into(),
            "The driver stops too: docker waits for replies until `fg` resumes it.".into(),
        ],
        Question::Wipe { .. } => vec![
            "Wipe?".into(),
            consequence(&Command::Wipe).into(),
            format!("Type {} and Enter to do it; Esc cancels.", snapshot.driver.name),
        ],
        Question::SendInvalid { edit, problem } => {
            vec![
                format!("Send the edited reply to call {}?", edit.call),
                format!("It is not JSON: {problem}"),
            ]
        }
        Question::Run(command) => {
            let title = |name| snapshot.catalog.get(name).map(|scenario| scenario.title.as_str());
            let scenario = match &**command {
                Command::Play { scenario, .. } => title(scenario),
                _ => None,
            };
            let shows = scenario.map(|title| format!("It shows: {title}."));
            [sentence(command), consequence(command).into()].into_iter().chain(shows).collect()
        }
    }
}

const fn them(number: u64) -> &'static str {
    if number == 1 { "it" } else { "them" }
}

/// The command as a question, without the options that answer it.
fn sentence(command: &Command) -> String {
    let line = command.to_string().replace(" --yes", "").replace(" --dangerous", "");
    let (first, rest) = line.split_at(1);
    format!("{}{rest}?", first.to_uppercase())
}

fn consequence(command: &Command) -> &'static str {
    match command {
        Command::Reset => "Resets all counters and the list of calls. Volumes and armed rules stay.",
        Command::Wipe => "Deletes every volume with all its files.",
        Command::Crash { keep: false } => "The driver loses all volumes and mounts; the files stay.",
        Command::Arm { .. } => {
            "A null entry in List crashes a running dockerd, and with it everything that waits for it."
        }
        Command::Play { .. } => "The scenario can harm the engine, or what else runs on it.",
        _ => "This cannot be undone.",
    }
}
