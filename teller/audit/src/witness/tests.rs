//! A witness's file: what contradicts, what is merely late, and what a later run makes of it.

use std::{fs, path::PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use shared_events::evidence::{ChainEnds, Hash256, SigningKey, StatedEnd, origin_of};

use super::*;
use crate::file::anchors;

/// Keys of tests: PKCS #8 of a seed.
const KEYS: [&str; 2] = [
    "MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH",
    "MC4CAQAwBQYDK2VwBCIEIAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI",
];

fn key(number: usize) -> SigningKey {
    let key = KEYS[number];
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
    SigningKey::from_pem(&pem).expect("a key")
}

/// A folder with a witness's file and the public key of both services.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("bankwire-witness-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        let folder = Self(folder);
        folder.put_keys(&[0]);
        folder
    }

    fn put_keys(&self, numbers: &[usize]) {
        let pem: String =
            numbers.iter().map(|number| key(*number).verifying_key().to_string()).collect();
        fs::write(self.0.join("pub.pem"), pem).expect("a file");
    }

    fn keys(&self, services: &[&str]) -> WitnessKeys {
        let file = self.0.join("pub.pem").display().to_string();
        let files = services.iter().map(|service| format!("{service}={file}").parse());
        WitnessKeys::new(files.collect::<Result<_, _>>().expect("services with chains"))
    }

    fn file(&self) -> PathBuf {
        self.0.join("heard.jsonl")
    }

    fn open(&self) -> Result<Witness, WitnessError> {
        Witness::open(&self.file(), self.keys(&["ledger", "accounts"]))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

/// A statement of a service, signed by a key: the chains' places and the bytes of their hashes.
fn heard_by(number: usize, service: &str, seconds: i64, ends: &[(i64, u8)]) -> Heard {
    let ends = (0..).zip(ends).map(|(chain, (place, first))| {
        let hash = Hash256([*first; 32]);
        StatedEnd { chain, place: *place, hash }
    });
    let stated = ChainEnds::new(service, at(seconds), ends.collect());
    let note = key(number).sign(&origin_of(service), &stated.to_string());
    Heard { heard_at: at(seconds), kind: format!("{service}.chains.signed.v1"), note }
}

fn heard(seconds: i64, ends: &[(i64, u8)]) -> Heard {
    heard_by(0, "ledger", seconds, ends)
}

fn why(result: Result<impl Sized, WitnessError>) -> String {
    match result {
        Err(WitnessError::Contradiction(found)) => found.why,
        Err(other) => panic!("{other}"),
        Ok(_) => String::new(),
    }
}

/// What the second or third of some statements contradicts; empty: nothing.
fn judged(statements: &[Heard]) -> String {
    let folder = Folder::new(&format!("judged-{:?}", std::thread::current().id()));
    let mut witness = folder.open().expect("a new file");
    let mut judged = String::new();
    for statement in statements {
        judged = why(witness.hear(statement));
    }
    judged
}

#[test]
fn chains_grow_and_a_place_has_one_hash() {
    type Ends<'a> = &'a [(i64, u8)];
    let table: [(i64, Ends<'_>, &str); 12] = [
        (60, &[(10, 1), (5, 1)], ""),
        (60, &[(11, 2), (5, 1)], ""),
        (60, &[(10, 1), (5, 1), (0, 0)], ""),
        (60, &[(10, 2), (5, 1)], "chain 0 has another record at place 10"),
        (60, &[(11, 2), (5, 2)], "chain 1 has another record at place 5"),
        (60, &[(11, 2), (4, 1)], "chain 1 became shorter: it had 5 records at"),
        (60, &[(11, 2)], "chain 1 was there at"),
        (2, &[(9, 1), (5, 1)], ""),
        (-2, &[(11, 2), (5, 1)], ""),
        (-60, &[(9, 1), (5, 1)], ""),
        (-60, &[(11, 2), (5, 1)], "chain 0 became shorter: it had 11 records at"),
        (-60, &[(10, 2), (5, 1)], "chain 0 has another record at place 10"),
    ];
    for (seconds, ends, expected) in table {
        let found = judged(&[heard(0, &[(10, 1), (5, 1)]), heard(seconds, ends)]);
        let is_expected = found.starts_with(expected) && expected.is_empty() == found.is_empty();
        assert!(is_expected, "{seconds} {ends:?}: {found:?}");
    }
    // What a statement of the same seconds has said about a longer chain counts.
    let three = [heard(0, &[(10, 1)]), heard(2, &[(9, 1)]), heard(60, &[(10, 2)])];
    assert!(judged(&three).starts_with("chain 0 has another record at place 10"));
    // Each statement is within 5 seconds of the one before.
    let cut = [heard(0, &[(10, 1)]), heard(4, &[(9, 1)]), heard(8, &[(9, 1)])];
    assert!(judged(&cut).starts_with("chain 0 became shorter: it had 10 records at"));
    let cut_and_late = [heard(8, &[(9, 1)]), heard(4, &[(9, 1)]), heard(0, &[(10, 1)])];
    assert!(judged(&cut_and_late).starts_with("chain 0 became shorter: it had 10 records at"));
    let gone = [heard(0, &[(1, 1), (1, 1)]), heard(4, &[(1, 1)]), heard(8, &[(1, 1)])];
    assert!(judged(&gone[..2]).is_empty() && judged(&gone).contains("chain 1 was there at"));
    let added = [heard(60, &[(1, 1), (1, 1)]), heard(0, &[(1, 1)])];
    assert_eq!(judged(&added), "", "the chain was added between them");
    let services = [heard(0, &[(10, 1)]), heard_by(0, "accounts", 60, &[(2, 7)])];
    assert_eq!(judged(&services), "", "each service has chains of its own");
}

/// Late statements are compared with those around them, not with the farthest end alone.
#[test]
fn a_late_statement_fits_the_statements_around_it() {
    let table = [
        (30, 12, 2, ""),
        (30, 10, 1, ""),
        (30, 20, 3, ""),
        (30, 10, 2, "chain 0 has another record at place 10"),
        (30, 9, 2, "chain 0 became shorter: it had 10 records at"),
        (30, 21, 2, "chain 0 became shorter: it had 21 records at"),
        (90, 19, 2, "chain 0 became shorter: it had 20 records at"),
        (90, 20, 3, ""),
        (90, 25, 4, ""),
        (3, 9, 1, ""),
        (57, 21, 9, ""),
    ];
    for (seconds, place, hash, expected) in table {
        let before = [(0, 10, 1), (60, 20, 3), (120, 30, 5)];
        let around = before.into_iter().chain([(seconds, place, hash)]);
        let around: Vec<Heard> =
            around.map(|(seconds, place, hash)| heard(seconds, &[(place, hash)])).collect();
        let found = judged(&around);
        let is_expected = found.starts_with(expected) && expected.is_empty() == found.is_empty();
        assert!(is_expected, "{seconds} {place} {hash}: {found:?}");
    }
}

#[test]
fn a_late_statement_is_kept_and_is_not_the_latest() {
    let folder = Folder::new("late");
    let mut witness = folder.open().expect("a new file");
    let is_latest = |result: Result<(ChainEnds, bool), WitnessError>| result.expect("fits").1;
    assert!(is_latest(witness.hear(&heard(0, &[(10, 1)]))));
    assert!(!is_latest(witness.hear(&heard(-60, &[(9, 1)]))));
    assert!(is_latest(witness.hear(&heard(60, &[(10, 1)]))));
    assert!(!is_latest(witness.hear(&heard(60, &[(10, 1)]))), "somebody repeats it");
}

#[test]
fn a_statement_is_of_its_service_and_of_its_key() {
    let other_key = heard_by(1, "ledger", 0, &[(10, 1)]);
    assert!(judged(&[other_key]).contains("no signature of a known key"));
    let mut renamed = heard_by(0, "accounts", 0, &[(10, 1)]);
    renamed.kind = "ledger.chains.signed.v1".to_owned();
    assert!(judged(&[renamed]).contains("no signature of a known key"));
    let mut changed = heard(0, &[(10, 1)]);
    changed.note = changed.note.replacen("0 10 ", "0 11 ", 1);
    assert!(judged(&[changed]).contains("its signature is wrong"));
    let note = key(0).sign(&origin_of("ledger"), "another text\n");
    let other_text = Heard { note, ..heard(0, &[(10, 1)]) };
    assert!(judged(&[other_text]).contains("does not state the ends"));
    let of_accounts = heard_by(0, "accounts", 0, &[(10, 1)]).note;
    let (text, _) = of_accounts.split_once("\n\n").expect("a note");
    let note = key(0).sign(&origin_of("ledger"), &format!("{text}\n"));
    let of_others = Heard { note, ..heard(0, &[(10, 1)]) };
    assert!(judged(&[of_others]).contains("does not state the ends of its chains"));
}

#[test]
fn a_contradiction_is_kept_and_found_again_by_a_later_run() {
    let folder = Folder::new("kept");
    let mut witness = folder.open().expect("a new file");
    for (seconds, place) in [(0, 10), (60, 11)] {
        witness.hear(&heard(seconds, &[(place, 1)])).expect("it fits");
    }
    assert!(matches!(folder.open(), Err(WitnessError::Input(_))), "two witnesses, one file");
    assert!(why(witness.hear(&heard(120, &[(9, 1)]))).contains("became shorter"));
    drop(witness);
    let again = folder.open().expect_err("the file has a contradiction").to_string();
    assert!(again.starts_with("line 3: ledger: chain 0 became shorter"), "{again}");
}

#[test]
fn a_later_run_goes_on_where_the_file_ends() {
    let folder = Folder::new("resumed");
    folder.open().and_then(|mut new| new.hear(&heard(0, &[(10, 1)]))).expect("it fits");
    let whole = fs::read_to_string(folder.file()).expect("the file");
    fs::write(folder.file(), format!("{whole}{}", &whole[..30])).expect("an unfinished line");
    let mut resumed = folder.open().expect("the file goes on");
    assert_eq!(fs::read_to_string(folder.file()).expect("the file"), whole);
    assert!(why(resumed.hear(&heard(60, &[(9, 1)]))).contains("became shorter"));
    let text = fs::read_to_string(folder.file()).expect("the file");
    assert!(text.starts_with(&whole) && text.lines().count() == 2, "{text}");
}

#[test]
fn a_new_key_is_used_as_soon_as_its_file_has_it() {
    let folder = Folder::new("rotated");
    let mut witness = folder.open().expect("a new file");
    witness.hear(&heard(0, &[(10, 1)])).expect("the first key");
    folder.put_keys(&[1, 0]);
    witness.hear(&heard_by(1, "ledger", 60, &[(11, 2)])).expect("the second key");
    drop(witness);
    assert_eq!(folder.open().expect("both keys are there").lines(), 2);
    folder.put_keys(&[1]);
    assert!(why(folder.open()).contains("no signature of a known key"));
}

#[test]
fn only_a_witness_s_file_is_written_into() {
    let folder = Folder::new("others");
    for content in ["x", "{\"ends\":", "{\"ends\":[]}\n", "\n", "{\"heard_at\":\"\"}\n"] {
        fs::write(folder.file(), content).expect("a file");
        assert!(matches!(folder.open(), Err(WitnessError::Input(_))), "{content:?}");
        assert_eq!(fs::read_to_string(folder.file()).expect("the file"), content);
    }
    fs::write(folder.file(), "{\"heard").expect("a file");
    folder.open().expect("the first line was not finished");
}

#[test]
fn statements_are_anchors_of_a_proof_if_their_keys_have_signed_them() {
    let folder = Folder::new("anchors");
    let mut witness = folder.open().expect("a new file");
    for statement in [
        heard(0, &[(10, 1), (5, 1)]),
        heard(60, &[(10, 1), (6, 2)]),
        heard_by(0, "accounts", 60, &[(3, 3)]),
        heard_by(0, "accounts", 120, &[(3, 3)]),
    ] {
        witness.hear(&statement).expect("it fits");
    }
    let keys = folder.keys(&["ledger", "accounts"]);
    let (found, skipped) = anchors(&folder.file(), &keys).expect("statements");
    assert_eq!(skipped, Skipped::default());
    let places: Vec<_> = found.ends.iter().map(|end| (end.chain, end.place)).collect();
    assert_eq!(places, [(0, 10), (1, 5), (1, 6)]);
    assert_eq!(found.history.iter().map(|end| end.place).collect::<Vec<_>>(), [3]);

    let refused = |keys: &WitnessKeys| {
        anchors(&folder.file(), keys).expect_err("they are not checked").to_string()
    };
    assert!(refused(&WitnessKeys::default()).contains("by --key"));
    assert!(refused(&folder.keys(&["ledger"])).contains("statements of accounts"));
    folder.put_keys(&[1]);
    assert!(refused(&keys).contains("line 1: the statement is not believed"));
}

/// Whoever owns a database can have anything announced in the service's name, and the disk of a
/// witness can fail: the other statements stay evidence.
#[test]
fn what_is_no_statement_in_a_witness_s_file_is_skipped_and_counted() {
    let folder = Folder::new("skipped");
    let line = |heard: &Heard| format!("{}\n", serde_json::to_string(heard).expect("JSON"));
    let good = line(&heard(0, &[(10, 1)]));
    let unsigned = "{\"ends\":[{\"chain\":0,\"place\":99,\"hash\":\"";
    let unsigned = format!("{unsigned}{}\"}}]}}\n", "0".repeat(64));
    let forged = line(&heard_by(1, "ledger", 60, &[(12, 1)]));
    let nobody = line(&Heard { kind: "eve.chains.signed.v1".to_owned(), ..heard(0, &[(13, 1)]) });
    let damaged = good.replacen("heard_at", "heard_xx", 1);
    let others = [
        (&unsigned, "no line of a"),
        (&forged, "not believed"),
        (&nobody, "of no service"),
        (&damaged, "no line of a"),
    ];
    let keys = folder.keys(&["ledger"]);
    for (other, why) in others {
        for (content, number) in [(format!("{other}{good}"), 1), (format!("{good}{other}"), 2)] {
            fs::write(folder.file(), &content).expect("a file");
            let (found, skipped) = anchors(&folder.file(), &keys).expect("one is a statement");
            assert_eq!(found.ends.iter().map(|end| end.place).collect::<Vec<_>>(), [10]);
            let first = skipped.first.expect("one is not");
            assert_eq!(skipped.lines, 1, "{first}");
            assert!(first.starts_with(&format!("line {number}: ")) && first.contains(why));
        }
    }
    fs::write(folder.file(), format!("{good}{}", &good[..40])).expect("a file");
    let (_, skipped) = anchors(&folder.file(), &keys).expect("the witness is writing");
    assert_eq!(skipped, Skipped::default());
    fs::write(folder.file(), format!("{forged}{unsigned}")).expect("a file");
    let none = anchors(&folder.file(), &keys).expect_err("none is a statement").to_string();
    assert!(none.contains("line 1: the statement is not believed"), "{none}");
}

#[test]
fn a_key_names_a_service_with_chains_and_a_file() {
    for wrong in ["ledger", "ledger=", "=x", "notifications=x", "eve=x"] {
        let why = wrong.parse::<KeyFile>().expect_err(wrong);
        assert_eq!(why, "must be SERVICE=FILE, with accounts or ledger as service");
    }
}
