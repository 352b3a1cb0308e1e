use proptest::prelude::*;

use super::*;

fn ctrl_c() -> Event {
    Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL))
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

/// What is typed, one byte at a time or all at once, with a long pause at the end.
fn typed(bytes: &[u8]) -> Vec<Event> {
    let mut events = [Vec::new(), Vec::new()];
    for (events, size) in events.iter_mut().zip([1, bytes.len().max(1)]) {
        let mut decoder = Decoder::default();
        for part in bytes.chunks(size) {
            decoder.push(part, events);
        }
        while decoder.timeout().is_some() {
            decoder.pause(events);
        }
    }
    let [events, at_once] = events;
    assert_eq!(events, at_once, "{:?}", bytes.escape_ascii().to_string());
    events
}

#[test]
fn keys_pastes_and_the_mouse_are_read() {
    use KeyCode::{Backspace, Char, Enter, Esc, F, Up};
    let (none, alt) = (KeyModifiers::NONE, KeyModifiers::ALT);
    for (bytes, expected) in [
        (&b"a"[..], key(Char('a'), none)),
        ("é".as_bytes(), key(Char('é'), none)),
        ("\x1bé".as_bytes(), key(Char('é'), alt)),
        (b"\x1b", key(Esc, none)),
        (b"\x1b[", key(Char('['), alt)),
        (b"\x1bO", key(Char('O'), alt)),
        (b"\x1b]", key(Char(']'), alt)),
        (b"\x1bx", key(Char('x'), alt)),
        (b"\x1b\r", key(Enter, alt)),
        (b"\r", key(Enter, none)),
        (b"\x7f", key(Backspace, none)),
        (b"\x1b[A", key(Up, none)),
        (b"\x1bOA", key(Up, none)),
        (b"\x1b[1;3A", key(Up, alt)),
        (b"\x1b[15~", key(F(5), none)),
        (b"\x1b[[A", key(F(1), none)),
        (b"\x1b[99;5u", ctrl_c()),
        (b"\x03", ctrl_c()),
        (b"\x1b[I", Event::FocusGained),
        (b"\x1b[200~a\nb\x1b[20\x1b[201~", Event::Paste("a\nb\x1b[20".into())),
        // Ctrl-C is a part of what is pasted if the paste has an end.
        (b"\x1b[200~a\x03b\x1b[201~", Event::Paste("a\x03b".into())),
        // A paste without an end.
        (b"\x1b[200~ab", Event::Paste("ab".into())),
    ] {
        assert_eq!(typed(bytes), [expected], "{:?}", bytes.escape_ascii().to_string());
    }
    assert!(matches!(typed(b"\x1b[<35;10;20M")[..], [Event::Mouse(mouse)] if mouse.column == 9));
    assert!(matches!(typed(b"\x1b[M !!")[..], [Event::Mouse(_)]));
    assert_eq!(typed(b"\x1b\x1b").len(), 2);
}

#[test]
fn what_is_no_key_is_left_out() {
    for bytes in [
        &b"\x1b]11;rgb:0000/0000/0000\x07"[..],
        b"\x1b]11;rgb:0000/0000/0000\x1b\\",
        b"\x1bP1$r0m\x1b\\",
        b"\x1b[?1u",
        b"\x1b[12;",
        b"\x1b]11;rgb",
        b"\xff",
        b"\xf0\x9f",
    ] {
        assert_eq!(typed(bytes), [], "{:?}", bytes.escape_ascii().to_string());
    }
}

#[test]
fn ctrl_c_is_a_key_after_every_beginning_of_a_sequence() {
    for begin in [
        "\x1b",
        "\x1b[",
        "\x1b[<35;1",
        "\x1b[M",
        "\x1b[M ",
        "\x1b[[",
        "\x1bO",
        "\x1b]",
        "\x1b]11;rgb:00",
        "\x1bP1$r",
        "\x1b_G",
        "\x1b[200",
        "\x1b[200~",
        "\x1b[200~half of it",
        "\x1b[200~half\x1b[20",
        "\x1b[1;2;3;4",
    ] {
        for ctrl_c_bytes in ["\x03", "\x1b[99;5u"] {
            let events = typed(format!("{begin}{ctrl_c_bytes}").as_bytes());
            assert_eq!(events.last(), Some(&ctrl_c()), "{begin:?} {ctrl_c_bytes:?}: {events:?}");
        }
    }
    let events = typed(b"\xe2\x82\x03");
    assert_eq!(events, [ctrl_c()]);
}

proptest! {
    #[test]
    fn whatever_came_before_ctrl_c_is_a_key_after_a_pause(
        pieces in prop::collection::vec(
            prop_oneof![
                any::<u8>().prop_map(|byte| vec![byte]),
                prop::sample::select(vec![
                    b"\x1b[".to_vec(), b"\x1b]".to_vec(), b"\x1bO".to_vec(), b"\x1b[200~".to_vec(),
                    b"\x1b[201~".to_vec(), b"\x1b[M".to_vec(), b";1".to_vec(),
                ]),
            ],
            0..12,
        ),
    ) {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        decoder.push(&pieces.concat(), &mut events);
        events.clear();
        decoder.push(b"\x03", &mut events);
        if decoder.timeout().is_some() {
            decoder.pause(&mut events);
        }
        prop_assert_eq!(events.last(), Some(&ctrl_c()));
        prop_assert_eq!(decoder.timeout(), None);
    }

    #[test]
    fn the_parts_in_which_bytes_come_do_not_matter(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        typed(&bytes);
    }
}

#[test]
fn ctrl_c_within_a_pasted_text_is_text_although_its_rest_comes_late() {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    decoder.push(b"\x1b[200~a\x03b", &mut events);
    assert_eq!(decoder.timeout(), Some(PASTE_PAUSE));
    decoder.push(b"c\x1b[201~", &mut events);
    assert_eq!((events, decoder.timeout()), (vec![Event::Paste("a\x03bc".into())], None));
}

#[test]
fn a_mouse_outside_of_the_screen_means_nothing() {
    for bytes in ["\x1b[<0;0;7M", "\x1b[<0;7;0m", "\x1b[<0;00;+0M", "\x1b[32;0;1M"] {
        assert_eq!(typed(bytes.as_bytes()), [], "{}", bytes.escape_default());
    }
    assert_eq!(typed(b"\x1b[<0;1;1M").len(), 1);
}
