//! Every medium has one door, which makes foreign text harmless (`shared_events::text`). These
//! rules find a way past it.

use super::{Source, check};

/// The words by which a medium is reached, and the files that may.
const DOORS: [(&str, &[&str], &[&str]); 8] = [
    (
        "standard output and standard error: print through `output` or log",
        &["io::stdout", "io::stderr", "print!(", "println!(", "eprint!(", "/dev/tty", "/dev/std"],
        &[
            "teller/cli/src/output.rs",
            "bench/src/output.rs",
            "shared-events/src/host/telemetry.rs",
            // It prints its own arguments alone.
            "certs/src/main.rs",
        ],
    ),
    (
        "the log's writer: `host::telemetry` starts the log",
        &["tracing_subscriber", "set_global_default", "fmt::layer"],
        &["shared-events/src/host/telemetry.rs"],
    ),
    (
        "CSV: write a `Spreadsheet`",
        &["csv::Writer", "text::csv_field"],
        &["teller/cli/src/spreadsheet.rs"],
    ),
    (
        "XML: write elements through `Xml::text`",
        &["BytesText", "quick_xml", "BytesCData"],
        &["teller/camt053/src/xml.rs"],
    ),
    (
        "e-mail: the texts of a message are a `Letter`",
        &["Message::builder", "MultiPart", "SinglePart"],
        &["notifications-svc/src/transports/email/mail.rs"],
    ),
    (
        "HTTP: webhooks are called by `WebhookClient`, the broker's management by `Management`",
        &["reqwest::", "hyper::"],
        &[
            "notifications-svc/src/transports/webhook/",
            "notifications-svc/src/lib.rs",
            "teller/cli/src/client/management.rs",
        ],
    ),
    (
        "the probes: `probes::report` writes what they answer",
        &["into_response()", "axum::Json", "Json("],
        &["shared-events/src/host/probes.rs"],
    ),
    (
        "the program's own words: no text of a stranger goes this way",
        &[".ours("],
        &["teller/cli/src/output.rs", "teller/cli/src/completions.rs"],
    ),
];

#[test]
fn every_medium_has_one_door() {
    let mut found = Vec::new();
    let mut used = vec![false; DOORS.len()];
    for source in Source::shipped() {
        for ((rule, words, doors), used) in DOORS.iter().zip(&mut used) {
            let mentions = source.mentions(words);
            match doors.iter().any(|door| source.path.starts_with(door)) {
                true => *used |= !mentions.is_empty(),
                false => found.extend(mentions.into_iter().map(|place| format!("{place}: {rule}"))),
            }
        }
    }
    check("this text reaches people past the door", found);
    let unused = DOORS.iter().zip(used).filter(|(_, used)| !used).map(|((rule, ..), _)| rule);
    check("the words of this rule stand nowhere any more", unused.map(|rule| (*rule).to_owned()));
}

/// What each door does with foreign text, so that a door that is built anew is still one.
#[test]
fn every_door_makes_text_visible() {
    const DOORS: [(&str, &str); 9] = [
        ("teller/cli/src/output.rs", "visible("),
        ("bench/src/output.rs", "visible("),
        ("shared-events/src/host/telemetry.rs", "visible("),
        ("shared-events/src/host/probes.rs", "visible_json("),
        ("teller/cli/src/spreadsheet.rs", "csv_field("),
        ("teller/camt053/src/xml.rs", "visible("),
        ("teller/audit/src/export.rs", "visible_json("),
        ("notifications-svc/src/letters/letter.rs", "visible("),
        ("notifications-svc/src/transports/webhook/webhook_body.rs", "visible_json("),
    ];
    let sources: Vec<Source> = Source::shipped().collect();
    let is_open = |(path, function): &(&str, &str)| {
        let door = sources.iter().find(|source| source.path == *path);
        door.is_none_or(|door| door.mentions(&[function]).is_empty())
    };
    let open = DOORS.into_iter().filter(is_open);
    check("close it again", open.map(|(path, function)| format!("{path} lacks {function}..)")));
}

/// A parser that follows any depth needs a bounded depth, not a large stack.
#[test]
fn no_thread_has_a_stack_of_its_own_size() {
    let words = ["stack_size", "thread_stack_size", "RUST_MIN_STACK", "stacker::", "RLIMIT_STACK"];
    let found = Source::shipped().flat_map(|source| source.mentions(&words));
    check("bound the depth instead", found);
}
