//! Bytes of a terminal: whatever they are, they mean the same however they are cut, no key panics, and Ctrl-C is a key.

use std::time::Instant;

use bolero::check;
use crossterm::event::{Event as Typed, KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend};
use voltergeist::{
    console::{
        input::{decoder::Decoder, keymap::Keymap},
        model::{App, Event},
        theme::Theme,
        view,
    },
    domain::{
        model::{entry::Session, origin::Origin, volume::Volumes},
        state::journal::Bounds,
    },
    hub::{Hub, InMemoryStore},
};

use crate::{
    MAX_INPUT,
    corpus::{Corpus, run},
    sequence,
};

const PIECES: [&str; 48] = [
    "\x1b",
    "\x1b[",
    "\x1b]",
    "\x1bP",
    "\x1bO",
    "\x1b[200~",
    "\x1b[201~",
    "\x1b[A",
    "\x1b[B",
    "\x1b[5~",
    "\x1b[6~",
    "\x1b[1;5C",
    "\x1b[27u",
    "\x1b[<0;10;20M",
    "\x1b[<0;90;7m",
    "\x1b[<32;40;20M",
    "\x1b[<64;40;20M",
    "\x1b[M",
    "\x1b[I",
    "\x1b[O",
    "\x1b[15~",
    "\x1b[[A",
    "\r",
    "\t",
    "\x7f",
    "\x03",
    "\x07",
    "?",
    ":",
    "/",
    "!",
    "m",
    "d",
    "x",
    "y",
    "g",
    "z",
    "s",
    "o",
    "'a",
    "p",
    " ",
    "arm get: hang",
    "play ",
    "99999999999",
    ";",
    "~",
    "M",
];

fn corpus() -> Corpus {
    Corpus::escaped("terminal.txt", &PIECES)
}

/// An entry of the corpus with a few edits, or pieces in any order, and now and then one that is no UTF-8.
fn typed(corpus: &Corpus, input: &[u8]) -> Vec<u8> {
    if input.first().is_some_and(|selector| selector.is_multiple_of(2)) {
        return corpus.edited(input);
    }
    input
        .iter()
        .flat_map(|byte| match byte {
            224..=239 => vec![byte.wrapping_mul(31)],
            _ => sequence(&[*byte], &PIECES).into_bytes(),
        })
        .collect()
}

fn decoded(bytes: &[u8], part: usize) -> Vec<Typed> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for part in bytes.chunks(part) {
        decoder.push(part, &mut events);
    }
    while decoder.timeout().is_some() {
        decoder.pause(&mut events);
    }
    events
}

#[test]
fn bytes_of_a_terminal_mean_the_same_however_they_come() {
    let corpus = corpus();
    let test = |bytes: &[u8]| {
        let events = decoded(bytes, usize::MAX);
        for part in [1, 3] {
            assert_eq!(decoded(bytes, part), events, "{}", bytes.escape_ascii());
        }
        let (mut decoder, mut last) = (Decoder::default(), Vec::new());
        decoder.push(bytes, &mut last);
        decoder.push(b"\x03", &mut last);
        if decoder.timeout().is_some() {
            decoder.pause(&mut last);
        }
        let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(last.last(), Some(&Typed::Key(ctrl_c)), "{}", bytes.escape_ascii());
    };
    corpus.each(test);
    check!().with_max_len(MAX_INPUT).for_each(|input: &[u8]| run(&typed(&corpus, input), test));
}

#[test]
fn no_key_is_too_much_for_the_console() {
    let hub = Hub::new(Session::new(0, Volumes::default()), Box::new(InMemoryStore), Bounds::default());
    for line in
        ["conjure db1", "conjure db2 size=1", "arm get where volume=db*: empty", "note look", "forget db2"]
    {
        hub.command_line(line, Origin::Line).expect("it is a command");
    }
    let (theme, keymap) = (Theme::named("default", false).expect("it is shipped"), Keymap::default());
    let snapshot = hub.snapshot();
    let (entries, _) = hub.entries_after(0, usize::MAX);
    let now = Instant::now();
    let corpus = corpus();
    let test = |bytes: &[u8]| {
        let mut app = App::new((100, 30), theme.clone(), keymap.clone(), jiff::tz::TimeZone::UTC);
        app.update(Event::Entries(entries.clone(), snapshot.kept.clone()), &snapshot);
        for typed in decoded(bytes, usize::MAX) {
            let event = match typed {
                Typed::Key(key) => Event::Key(key),
                Typed::Paste(text) => Event::Paste(text),
                Typed::Mouse(mouse) => Event::Mouse(mouse, now),
                Typed::Resize(..) | Typed::FocusGained | Typed::FocusLost => continue,
            };
            view::prepare(&mut app, &event, &snapshot);
            app.update(event, &snapshot);
        }
        let mut terminal = Terminal::new(TestBackend::new(100, 30)).expect("it is in memory");
        terminal.draw(|frame| view::render(frame, &app, &snapshot, &app.theme)).expect("it is in memory");
    };
    corpus.each(test);
    check!().with_max_len(MAX_INPUT).for_each(|input: &[u8]| run(&typed(&corpus, input), test));
}
