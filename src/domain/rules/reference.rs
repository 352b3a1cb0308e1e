//! The words of the rule language with their meanings in a few words, and rules to learn it from.
//!
//! Completion and the help of the console say what is here; `docs/faults.md` says it at length.

/// A part of a rule.
#[derive(Clone, Copy, Debug)]
pub struct KeywordGroup {
    /// What it says.
    pub title: &'static str,
    /// The words that can stand in it, with their meanings.
    pub words: &'static [(&'static str, &'static str)],
}

/// All parts, in the order in which they stand in a rule.
pub const KEYWORD_GROUPS: [KeywordGroup; 10] = [
    KeywordGroup {
        title: "which calls",
        words: &[
            ("activate", "the handshake"),
            ("capabilities", "what the driver can do: its scope"),
            ("create", "a volume is made"),
            ("get", "one volume is asked for"),
            ("list", "all volumes are asked for"),
            ("path", "where a volume is"),
            ("mount", "a container begins to use a volume"),
            ("unmount", "a container stops using it"),
            ("remove", "a volume is deleted"),
            ("reads", "get, list, path and capabilities"),
            ("writes", "create, mount, unmount and remove"),
            ("any", "all nine"),
        ],
    },
    KeywordGroup {
        title: "only those where",
        words: &[
            ("volume", "=GLOB: the volume's name is like this"),
            ("opt", ".KEY or .KEY=GLOB: the volume has the option"),
            ("id", "=PREFIX: the mount ID begins so"),
            ("by", "=CALLER: who calls"),
            ("mounted", "the volume has an open mount"),
            ("unmounted", "the volume has none"),
            ("retry", "the body is empty, as docker retries"),
        ],
    },
    KeywordGroup {
        title: "called by",
        words: &[
            ("docker", "dockerd, or the simulated one"),
            ("podman", "podman"),
            ("simulated", "the simulated daemon alone"),
            ("other", "anything else"),
        ],
    },
    KeywordGroup {
        title: "when",
        words: &[
            (":", "what is to happen comes next"),
            ("where", "only the calls for which this holds"),
            ("and", "and this must hold too"),
            ("50%", "by chance: N% of them"),
            ("nth", "N: on the Nth"),
            ("first", "N: up to the Nth"),
            ("every", "N: on the Nth, the 2Nth, the 3Nth"),
            ("after", "N: from the one behind the Nth"),
        ],
    },
    KeywordGroup {
        title: "what",
        words: &[
            ("pass", "the natural answer; no later rule is asked"),
            ("fail", "\"MESSAGE\": an error"),
            ("reply", "JSON: this answer"),
            ("empty", "the answer {}"),
            ("null", "the answer null"),
            ("garbage", "an HTML page"),
            ("truncate", "the natural answer, cut off in the middle"),
            ("wrong-type", "the natural answer in an array"),
            ("two-bodies", "the natural answer, and a second document"),
            ("reset", "the connection is reset"),
            ("eof", "the connection is closed"),
            ("hang", "no answer until the rule ends"),
            ("delay", "200ms or 200ms..800ms: the answer is late"),
            ("drip", "5s: the answer byte by byte"),
            ("mountpoint", "another mountpoint"),
            ("rename", "NAME: another volume's name"),
            ("scope", "SCOPE: capabilities with another scope"),
            ("implements", "NAMES: other interfaces"),
            ("bad-time", "a CreatedAt that docker cannot read"),
            ("null-entry", "a null among the volumes: it ends dockerd"),
            ("stale", "the answer of an earlier moment"),
            ("lie", "success without the work"),
            ("hold", "a breakpoint: no answer until release"),
        ],
    },
    KeywordGroup {
        title: "a mountpoint can be",
        words: &[
            ("empty", "an empty text"),
            ("missing", "a path at which there is nothing"),
            ("relative", "the natural one without its leading slash"),
        ],
    },
    KeywordGroup {
        title: "an error can go out as",
        words: &[
            ("inband", "200 with an Err: the protocol's own"),
            ("json500", "500 with an Err, as go-plugins-helpers has it"),
            ("text500", "500 with a text; so it is if nothing is said"),
            ("http404", "404 with a text"),
            ("http400", "400 with a text"),
        ],
    },
    KeywordGroup {
        title: "the driver's own work is done",
        words: &[
            ("before", "although the fault comes first"),
            ("after", "first; then comes the fault"),
            ("twice", "two times first"),
        ],
    },
    KeywordGroup { title: "and then", words: &[("then", "another action for the calls behind those")] },
    KeywordGroup {
        title: "how long",
        words: &[
            ("once", "one call"),
            ("until", "N: so many calls"),
            ("for", "30s: so long"),
            ("flap", "20s 5s: well for so long, then broken for so long"),
        ],
    },
];

/// Rules to learn the language from, each with what it says.
pub const EXAMPLES: [(&str, &str); 7] = [
    ("mount: fail \"device busy\"", "every mount fails with this error"),
    ("get where volume=db*: empty once", "the next get of a volume named db… is answered with {}"),
    ("any 20%: delay 200ms..800ms for 2m", "for two minutes every fifth call is late, by chance"),
    ("mount nth 3: reset after", "the third mount is done, and the connection breaks before the answer"),
    (
        "create, remove where opt.tier=gold: lie",
        "for gold volumes both say that all went well, and do nothing",
    ),
    ("unmount: hang for 30s", "unmounts get no answer for half a minute"),
    ("mount: 2x fail \"busy\" then pass", "two mounts fail, then all go well"),
];

/// What a word means. Where it has several meanings, those that can stand beside it tell which.
pub fn meaning(word: &str, beside: &[impl AsRef<str>]) -> Option<&'static str> {
    let known = |part: &KeywordGroup, word: &str| part.words.iter().any(|(known, _)| *known == word);
    let parts = KEYWORD_GROUPS.iter().filter(|part| known(part, word));
    let part = parts.max_by_key(|part| beside.iter().filter(|other| known(part, other.as_ref())).count())?;
    part.words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        model::protocol::Caller,
        rules::{Action, Calls, ErrorShape, Lifetime, Mountpoint, Phase, Rule, Selector, Trigger},
    };

    #[test]
    fn every_word_of_the_language_has_a_meaning_in_its_part() {
        let words = |title: &str| -> Vec<&str> {
            let part = KEYWORD_GROUPS.iter().find(|part| part.title == title).expect(title);
            part.words.iter().map(|(word, _)| *word).collect()
        };
        assert_eq!(words("which calls"), Calls::all().map(Calls::as_str).collect::<Vec<_>>());
        assert_eq!(words("only those where"), Selector::WORDS);
        assert_eq!(words("what"), Action::WORDS);
        assert_eq!(words("how long"), Lifetime::WORDS);
        assert_eq!(words("when")[4..], Trigger::WORDS);
        assert_eq!(words("an error can go out as"), ErrorShape::ALL.map(ErrorShape::as_str));
        assert_eq!(words("the driver's own work is done"), Phase::SAID.map(Phase::as_str));
        assert_eq!(words("a mountpoint can be"), Mountpoint::NAMED.each_ref().map(Mountpoint::as_str));
        let callers = words("called by");
        assert!(Caller::ALL.iter().all(|caller| callers.contains(&caller.as_str())));
    }

    #[test]
    fn a_word_means_what_it_does_beside_those_that_can_stand_there() {
        for (word, beside, expected) in [
            ("after", &["nth", "every"][..], "N: from the one behind the Nth"),
            ("after", &["before", "once"], "first; then comes the fault"),
            ("empty", &["pass", "fail"], "the answer {}"),
            ("empty", &["missing"], "an empty text"),
        ] {
            assert_eq!(meaning(word, beside), Some(expected), "{word} {beside:?}");
        }
        assert_eq!(meaning("nonsense", &["pass"]), None);
    }

    #[test]
    fn each_example_is_a_rule_as_it_is_printed() {
        for (example, _) in EXAMPLES {
            let rule: Rule = example.parse().unwrap_or_else(|error| panic!("{example}: {error}"));
            assert_eq!(rule.to_string(), example);
        }
    }
}
