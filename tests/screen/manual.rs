//! `docs/keys.md` is made from the tables that the console itself runs on. After a change of those:
//! `UPDATE_DOCS=1 cargo test --test screen manual`.

use std::{fmt::Write as _, fs};

use voltergeist::{
    console::{
        input::action::{HelpSection, KeyScope},
        input::bindings::KEY_BINDINGS,
        input::complete::forms,
        input::keymap::Chord,
    },
    domain::lang::filter,
};

fn page() -> String {
    let mut page = String::from(
        "# Keys\n\n\
         Every key of the console, made from the table in [`src/console/input/bindings.rs`](../src/console/input/bindings.rs), \
         from which its help (`?`) and its hints come too. What a key does to the driver is a command line; it \
         is echoed at the bottom of the screen, and can be typed after `:` again.\n",
    );
    for section in HelpSection::ALL {
        let _ = write!(page, "\n## {}\n\n| key | name | does |\n|---|---|---|\n", section.title());
        for binding in KEY_BINDINGS.iter().filter(|binding| binding.section == section) {
            let keys: Vec<_> = binding
                .keys
                .iter()
                .map(|key| key.parse::<Chord>().expect("a key of the table"))
                .map(|chord| format!("`{}`", chord.label(false)))
                .collect();
            let place = match binding.scope {
                KeyScope::Everywhere => "",
                KeyScope::Calls => "in the calls: ",
                KeyScope::Volumes => "in the volumes: ",
                KeyScope::Faults => "in the faults: ",
            };
            let help = binding.help.replace('|', "\\|").replace('*', "\\*");
            let _ = writeln!(page, "| {} | `{}` | {place}{help} |", keys.join(" "), binding.name);
        }
    }
    page.push_str(
        "\nThe name is what a line after `:` calls it, and what the config file calls it to give it other keys.\n\
         A letter's case matters; `ctrl-`, `alt-` and `shift-` stand before a key; `space`, `enter`, `esc`, `tab`, \
         `up`, `pagedown` and `f1` are keys with names.\n\n\
         ## Commands, after `:`\n\n\
         `Tab` completes commands, rules, labels and names of volumes; the arrows bring back earlier lines. While a \
         rule is typed, the calls that it would have hit are marked. [Faults](faults.md) has the language of rules.\n\n\
         | command | does |\n|---|---|\n",
    );
    for (word, form, help) in forms() {
        let line = format!("{word} {form}").trim().replace('|', "\\|");
        let _ = writeln!(page, "| `{line}` | {help} |");
    }
    page.push_str(
        "\n## Filters, after `/`\n\n\
         Terms side by side must all hold; `-` before one turns it round. A bare word is looked for in everything \
         that an entry says. With `=` in place of the colon, a text is compared as a whole, as in a rule: `volume=db1`.\n\n| term | asks about |\n|---|---|\n",
    );
    for (key, help) in filter::TERMS {
        let _ = writeln!(page, "| `{key}` | {} |", help.replace('*', "\\*"));
    }
    page
}

#[test]
fn the_page_about_keys_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &page).expect("the page can be written");
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/keys.md is old; UPDATE_DOCS=1 cargo test --test screen manual");
}
