//! The rules with a key of their own.

/// A rule with a label, ready to be armed with one key.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The label under which it is armed.
    pub label: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// Its name on the screen.
    pub title: &'static str,
}

/// Mounts fail; the reply to `Get` is empty. (The other two faults with a key are the commands `forget` and `down`.)
pub const PRESETS: [Preset; 2] = [
    Preset { label: "fail-mounts", rule: "mount: fail \"the volume is haunted\"", title: "mounts fail" },
    Preset { label: "empty-get", rule: "get: empty", title: "Get answers empty" },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lang::command::Command;

    #[test]
    fn each_preset_is_a_rule_with_a_label_in_printed_form() {
        for preset in PRESETS {
            let line = format!("arm {} as {}", preset.rule, preset.label);
            let command: Command = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(command.to_string(), line);
        }
    }
}
