//! The text of a scenario file.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::domain::{
    analysis::traced_calls::TracedCall,
    lang::{command::Command, lexer::quote},
    model::scenario::StepKey,
    text::clean,
};

/// What is in a file.
#[derive(Default)]
pub struct Draft {
    pub title: String,
    /// Keys that say what engine it needs.
    pub needs: Vec<String>,
    /// Whether podman sent the calls.
    pub is_podman: bool,
    /// Notes at the beginning.
    pub remarks: Vec<String>,
    pub steps: Vec<DraftStep>,
    /// Whether the steps make other calls too than those that were seen, or not all of them.
    pub is_partial: bool,
    /// All calls of the steps.
    pub calls: Vec<TracedCall>,
    /// The open mounts at the end, by volume.
    pub open_mounts: BTreeMap<String, u32>,
}

/// One step.
pub struct DraftStep {
    /// Notes before it.
    pub remarks: Vec<String>,
    pub say: Option<String>,
    pub key: StepKey,
    pub text: String,
    pub background: Option<String>,
    /// The docker command fails, with this text.
    pub fails_with: Option<String>,
    /// Whether it fails is not known.
    pub may_fail: bool,
    /// Its calls, if they are known for sure.
    pub calls: Option<Vec<String>>,
}

impl DraftStep {
    pub fn new(key: StepKey, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            remarks: Vec::new(),
            say: None,
            key,
            text,
            background: None,
            fails_with: None,
            may_fail: false,
            calls: None,
        }
    }

    /// Whether a scenario with it needs `dangerous`.
    fn is_dangerous(&self) -> bool {
        match self.key {
            StepKey::Docker => {
                self.text.starts_with("systemctl ")
                    || ["docker plugin disable", "docker plugin enable"]
                        .iter()
                        .any(|it| self.text.starts_with(it))
            }
            StepKey::Command => matches!(
                self.text.parse(),
                Ok(Command::Wipe | Command::Crash { keep: false } | Command::Arm { confirmed: true, .. })
            ),
            StepKey::Sleep | StepKey::WaitFor | StepKey::StillRunning => false,
        }
    }
}

/// The whole file.
pub fn text(draft: &Draft) -> String {
    let mut text = String::new();
    for remark in &draft.remarks {
        let _ = writeln!(text, "# {}", clean(remark));
    }
    let _ = writeln!(text, "title = {}", quote(&draft.title));
    text.push_str("description = \"Made from a run: its commands, with the calls that were seen.\"\n");
    let is_fresh = draft.needs.iter().any(|need| need.starts_with("fresh_engine"));
    if is_fresh || draft.steps.iter().any(DraftStep::is_dangerous) {
        text.push_str("dangerous = true\n");
    }
    for key in &draft.needs {
        let _ = writeln!(text, "{key}");
    }
    if draft.is_podman {
        text.push_str("on = \"podman\"\n");
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for call in &draft.calls {
        *counts.entry(call.operation.as_str()).or_default() += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(operation, count)| format!("{operation} = {count}")).collect();
    if !counts.is_empty() && !draft.is_partial {
        let _ = writeln!(text, "call_counts = {{ {} }}", counts.join(", "));
    }
    let last = draft.steps.len() - 1;
    for (index, step) in draft.steps.iter().enumerate() {
        text.push_str(&self::step(step));
        if index == last && !draft.open_mounts.is_empty() {
            let mounts = draft.open_mounts.iter().map(|(volume, open)| format!("{} = {open}", quote(volume)));
            let _ = writeln!(text, "open_mounts = {{ {} }}", mounts.collect::<Vec<_>>().join(", "));
        }
    }
    text
}

fn step(step: &DraftStep) -> String {
    let mut text = "\n".to_owned();
    for remark in &step.remarks {
        let _ = writeln!(text, "# {}", clean(remark));
    }
    text.push_str("[[step]]\n");
    let texts = [
        ("say", step.say.as_deref()),
        (step.key.as_str(), Some(step.text.as_str())),
        ("background", step.background.as_deref()),
        ("fails_with", step.fails_with.as_deref()),
    ];
    for (key, value) in texts.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        let _ = writeln!(text, "{key} = {}", quote(value));
    }
    if step.may_fail {
        text.push_str("may_fail = true\n");
    }
    match step.calls.as_deref() {
        None => {}
        Some([]) => text.push_str("calls = []\n"),
        Some(calls) => {
            let lines = calls.iter().map(|call| format!("    {},\n", quote(call)));
            let _ = writeln!(text, "calls = [\n{}]", lines.collect::<String>());
        }
    }
    text
}
