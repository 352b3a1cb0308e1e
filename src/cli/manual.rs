//! What the help and the manual page say beside commands and options.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::{
    Man,
    roff::{Roff, bold, italic, roman},
};

/// Headings, and lines that an indented page of 80 columns has room for.
const SECTIONS: [(&str, &str); 5] = [
    (
        "Examples",
        "\
sudo voltergeist                       the console, registered with Docker
docker volume create -d voltergeist v  a first call, in another window
voltergeist demo                       try it without Docker
sudo voltergeist serve | jq .          entries as JSON lines, no screen
sudo voltergeist command 'arm mount first 2: fail \"device busy\"'",
    ),
    (
        "More commands",
        "\
voltergeist man                        the manual page
voltergeist completions SHELL          completions: bash, zsh or fish",
    ),
    (
        "Environment",
        "\
VOLTERGEIST_NAME, …         the same as --name, …
NO_COLOR                    no colour, if set
LC_ALL, LC_CTYPE, LANG      whether to draw with ASCII only
XDG_CONFIG_HOME             directory of the config file; default ~/.config
XDG_STATE_HOME              directory of a user's volumes; default ~/.local/state
XDG_RUNTIME_DIR             directory of a user's sockets; default /tmp",
    ),
    (
        "Files",
        "\
~/.config/voltergeist/config.toml  settings; see --print-config
~/.config/voltergeist/scenarios/   your own scenarios
/run/docker/plugins/NAME.sock      where Docker finds the plugin
/etc/docker/plugins/NAME.spec      the same, for a plugin on TCP
/run/voltergeist/NAME.sock         the control API
/var/lib/voltergeist/volumes       the volumes",
    ),
    (
        "Exit status",
        "\
0      success
1      failure
2      invalid option or config file
128+N  ended by signal N: 130 by Ctrl-C, 143 by kill",
    ),
];

/// What stands below the options in the long help.
pub fn after_help() -> String {
    let sections = SECTIONS.map(|(heading, text)| format!("{heading}:\n  {}", text.replace('\n', "\n  ")));
    sections.join("\n\n")
}

/// Writes the manual page of the whole command line.
pub fn write(command: Command, out: &mut impl Write) -> io::Result<()> {
    let mut command = command.override_usage("voltergeist [OPTIONS] [COMMAND]");
    command.build();
    let man = Man::new(command.clone()).source(format!("voltergeist {}", env!("CARGO_PKG_VERSION")));
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    commands(&command).to_writer(out)?;
    man.render_options_section(out)?;
    let mut sections = Roff::new();
    for (heading, text) in SECTIONS {
        sections.control("SH", [heading.to_uppercase().as_str()]).control("nf", []);
        for line in text.lines() {
            sections.text([roman(line)]);
        }
        sections.control("fi", []);
    }
    sections.to_writer(out)
}

/// The commands. There are no pages of their own to point to.
fn commands(command: &Command) -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["COMMANDS"]);
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        let mut usage = vec![bold(command.get_name())];
        for argument in command.get_positionals() {
            let name = argument.get_value_names().unwrap_or_default().join(" ");
            let name = if argument.is_required_set() { name } else { format!("[{name}]") };
            usage.extend([roman(" "), italic(name)]);
        }
        section.control("TP", []).text(usage);
        let about = command.get_long_about().or_else(|| command.get_about());
        for line in about.map(ToString::to_string).unwrap_or_default().lines() {
            match line {
                "" => section.control("IP", []),
                line => section.text([roman(line)]),
            };
        }
    }
    section
}
