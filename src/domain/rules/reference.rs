//! Reference of the rule language for completion and help: keywords with short meanings, and example rules.
//! `docs/faults.md` is the long form.

/// The keywords of one part of a rule.
#[derive(Clone, Copy, Debug)]
pub struct KeywordGroup {
    /// Its title.
    pub title: &'static str,
    /// Keywords and meanings.
    pub words: &'static [(&'static str, &'static str)],
}

/// All groups, in their order in a rule.
pub const KEYWORD_GROUPS: [KeywordGroup; 12] = [
    KeywordGroup {
        title: "which calls",
        words: &[
            ("activate", "handshake"),
            ("capabilities", "the driver's scope"),
            ("create", "create a volume"),
            ("get", "look up one volume"),
            ("list", "list all volumes"),
            ("path", "mountpoint of a volume"),
            ("mount", "a container starts using a volume"),
            ("unmount", "a container stops using it"),
            ("remove", "delete a volume"),
            ("reads", "get, list, path and capabilities"),
            ("writes", "create, mount, unmount and remove"),
            ("any", "all nine"),
            ("NetworkDriver.GetCapabilities", "any method of another interface"),
        ],
    },
    KeywordGroup {
        title: "where",
        words: &[
            ("volume", "=GLOB: volume name matches GLOB"),
            ("opt", ".KEY or .KEY=GLOB: volume has the option"),
            ("id", "=PREFIX: mount ID starts with PREFIX"),
            ("by", "=CALLER: who sent the request"),
            ("peer", "=GLOB: process or address that connected"),
            ("connection", "=N: number of the connection"),
            ("first-contact", "first call of its process or address"),
            ("known", "the driver knows the volume"),
            ("unknown", "the driver does not know the volume"),
            ("mounted", "volume has an open mount"),
            ("unmounted", "volume has no open mount"),
            ("retry", "docker's retry: the request body is empty"),
        ],
    },
    KeywordGroup {
        title: "caller",
        words: &[
            ("docker", "dockerd or the simulated daemon"),
            ("podman", "podman"),
            ("simulated", "only the simulated daemon"),
            ("other", "anything else"),
        ],
    },
    KeywordGroup {
        title: "when",
        words: &[
            (":", "the action follows"),
            ("where", "only calls that match the conditions"),
            ("and", "another condition"),
            ("50%", "random: N% of the calls"),
            ("nth", "N: only the Nth call, of all volumes together; per volume counts each"),
            ("first", "N: the first N calls"),
            ("every", "N: every Nth call"),
            ("after", "N: all calls after the first N"),
            ("per", "volume, id or connection: counted apart"),
        ],
    },
    KeywordGroup {
        title: "per",
        words: &[
            ("volume", "each volume has its own count"),
            ("id", "each mount ID has its own count"),
            ("connection", "each connection has its own count"),
        ],
    },
    KeywordGroup {
        title: "action",
        words: &[
            ("pass", "the original reply; later rules are skipped"),
            ("fail", "\"MESSAGE\": an error; without a message, \"the volume is haunted\""),
            ("reply", "JSON: a custom reply"),
            ("empty", "the reply {}"),
            ("null", "the reply null"),
            ("garbage", "an HTML page"),
            ("truncate", "the first half of the original reply"),
            ("wrong-type", "the original reply in an array"),
            ("two-bodies", "the original reply and a second document"),
            ("reset", "reset the connection"),
            ("eof", "close the connection"),
            ("hang", "no reply until the rule ends"),
            ("delay", "200ms or 200ms..800ms: a late reply"),
            ("drip", "5s: the reply byte by byte"),
            ("mountpoint", "a wrong mountpoint"),
            ("rename", "NAME: a wrong volume name"),
            ("scope", "SCOPE: another driver scope"),
            ("implements", "NAMES: other interfaces"),
            ("bad-time", "a CreatedAt that docker cannot parse"),
            ("null-entry", "a null among the volumes; crashes dockerd"),
            ("stale", "the reply before the last change"),
            ("lie", "success without doing the work"),
            ("set", "FIELD=VALUE: one field of the original reply"),
            ("unset", "FIELD: the original reply without a field"),
            ("hold", "a breakpoint: no reply until release"),
        ],
    },
    KeywordGroup {
        title: "mountpoint",
        words: &[
            ("empty", "an empty path"),
            ("missing", "a path that does not exist"),
            ("relative", "the original path without its leading slash"),
        ],
    },
    KeywordGroup {
        title: "error format",
        words: &[
            ("inband", "200 with Err, as in the protocol"),
            ("json500", "500 with Err, like go-plugins-helpers"),
            ("text500", "500 with a text; the default"),
            ("http404", "404 with a text"),
            ("http400", "400 with a text"),
        ],
    },
    KeywordGroup {
        title: "the driver does its work",
        words: &[
            ("before", "the fault comes first, then the work"),
            ("after", "the work comes first, then the fault"),
            ("twice", "the work is done twice, then the fault"),
        ],
    },
    KeywordGroup { title: "barrier", words: &[("within", "30s: after hold until N, wait at most 30 s")] },
    KeywordGroup { title: "chain", words: &[("then", "the action for the calls after those")] },
    KeywordGroup {
        title: "lifetime",
        words: &[
            ("once", "stop after one call"),
            ("until", "N: stop after N calls; after hold, until N calls wait"),
            ("for", "30s: stop after 30 seconds"),
            ("flap", "20s 5s: alternate 20 s inactive, 5 s active"),
        ],
    },
];

/// Example rules with their meanings.
pub const EXAMPLES: [(&str, &str); 7] = [
    ("mount: fail \"device busy\"", "every mount fails with this error"),
    ("get where volume=db*: empty once", "the next get of a volume named db… gets {}"),
    ("any 20%: delay 200ms..800ms for 2m", "for two minutes, a random fifth of the calls is late"),
    ("mount nth 3: reset after", "the third mount is done, then the connection is reset"),
    ("create, remove where opt.tier=gold: lie", "for gold volumes, both report success and do nothing"),
    ("unmount: hang for 30s", "unmounts get no reply for 30 seconds"),
    ("mount: 2x fail \"busy\" then pass", "two mounts fail, later ones succeed"),
];

/// The meaning of a keyword. If it has several, `beside` has the other words that are possible in its place.
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
        rules::{Action, Calls, ErrorForm, Lifetime, Mountpoint, Per, Phase, Rule, Selector, Trigger},
    };

    #[test]
    fn every_keyword_has_a_meaning_in_its_group() {
        let words = |title: &str| -> Vec<&str> {
            let part = KEYWORD_GROUPS.iter().find(|part| part.title == title).expect(title);
            part.words.iter().map(|(word, _)| *word).collect()
        };
        assert_eq!(words("which calls"), Calls::WORDS);
        assert_eq!(words("where"), Selector::WORDS);
        assert_eq!(words("action"), Action::WORDS);
        assert_eq!(words("lifetime"), Lifetime::WORDS);
        assert_eq!(words("when")[4..8], Trigger::WORDS);
        assert_eq!(words("per"), Per::ALL.map(Per::as_str));
        assert_eq!(words("error format"), ErrorForm::ALL.map(ErrorForm::as_str));
        assert_eq!(words("the driver does its work"), Phase::KEYWORDS.map(Phase::as_str));
        assert_eq!(words("mountpoint"), Mountpoint::NAMED.each_ref().map(Mountpoint::as_str));
        let callers = words("caller");
        assert!(Caller::ALL.iter().all(|caller| callers.contains(&caller.as_str())));
    }

    #[test]
    fn a_keyword_with_several_meanings_is_explained_by_its_alternatives() {
        for (word, beside, expected) in [
            ("after", &["nth", "every"][..], "N: all calls after the first N"),
            ("after", &["before", "once"], "the work comes first, then the fault"),
            ("empty", &["pass", "fail"], "the reply {}"),
            ("empty", &["missing"], "an empty path"),
        ] {
            assert_eq!(meaning(word, beside), Some(expected), "{word} {beside:?}");
        }
        assert_eq!(meaning("nonsense", &["pass"]), None);
    }

    #[test]
    fn each_example_is_a_rule_in_printed_form() {
        for (example, _) in EXAMPLES {
            let rule: Rule = example.parse().unwrap_or_else(|error| panic!("{example}: {error}"));
            assert_eq!(rule.to_string(), example);
        }
    }
}
