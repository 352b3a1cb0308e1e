//! `docs/keys.md` is made from the tables that the console itself runs on. After a change of those:
//! `UPDATE_DOCS=1 cargo test --test screen manual`.

use std::{fmt::Write as _, fs};

use voltergeist::{
    console::{
        column::{Column, ColumnChoice},
        input::action::{HelpSection, KeyScope},
        input::bindings::KEY_BINDINGS,
        input::complete::forms,
        input::keymap::Chord,
        model::Pane,
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
        "\n## Columns\n\n\
         `o` opens the columns of the calls, or of the volumes where these have the keys. Space shows a column or hides it, \
         Enter sorts by it, or reverses the order if it does already. A click on a column header does the \
         same, and so does `:sort COLUMN [reverse]`; `:sort` alone restores the usual order. The largest `took`, `bytes` \
         and `last-used` come first, of all others the smallest; rows without a value come last. A sorted list stays \
         at its first row while calls come, until another row is selected. Groups and the sequence keep the order of time. \
         A chosen column is shown where there is room for it. The choice is kept for the next run, in \
         `voltergeist/console.json` in your state directory (`~/.local/state`), as moved borders and typed lines are. \
         The demo, a driver, attached instances and recordings each keep their own choice: a list that was sorted in a \
         recording does not sort the calls of a running driver.\n\n\
         | column | of | shows | at first |\n|---|---|---|---|\n",
    );
    for column in Column::ALL {
        let whose = if column.pane() == Pane::Volumes { "volumes" } else { "calls" };
        let at_first = match (column.is_fixed(), ColumnChoice::default().shows(column)) {
            (true, _) => "always",
            (false, true) => "yes",
            (false, false) => "no",
        };
        let _ = writeln!(page, "| `{}` | {whose} | {} | {at_first} |", column.name(), column.help());
    }
    page.push_str(
        "\n## Marks, after `\'`\n\n\
         A mark stays on its call while the list is filtered, paused, grouped or sorted, and also when a held call ends. It \
         ends with the entry: at a reset, when the journal drops the entry, and with the program. In a recording, \
         marks stay wherever you go in it.\n",
    );
    page.push_str(
        "\n## Filters, after `/`\n\n\
         Terms side by side must all hold; `-` before one negates it. A bare word is looked for in everything \
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
