//! Holds documents to the schema of camt.053.001.08, in unit tests and, by the path of this file,
//! in the facts about the running bank. The schema is ISO's and lies beside the repository; without
//! it, or without `xmllint`, a test says so past its harness, which would keep it, and checks the
//! rest.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::Once,
};

const SCHEMA: &str = "camt.053.001.08.xsd";

/// The schema, where it is: in `BANKWIRE_ISO20022`, or beside the repository, which is above the
/// crate by one folder or more.
fn schema() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("BANKWIRE_ISO20022") {
        return Some(Path::new(&folder).join(SCHEMA)).filter(|path| path.exists());
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.map(|folder| folder.join("shared/data/iso20022").join(SCHEMA)).find(|path| path.exists())
}

/// Says once for each test binary that documents are not held to the schema.
fn left_out(why: &str) {
    static SAID: Once = Once::new();
    // A harness hides the output of passing tests; this line must be seen.
    SAID.call_once(|| drop(writeln!(std::io::stderr(), "NOT CHECKED: statements: {why}")));
}

/// Fails with the schema's objections to any of these documents.
pub(crate) fn check(documents: &[String]) -> Result<(), String> {
    let Some(schema) = schema() else {
        left_out(&format!("{SCHEMA} is not there; BANKWIRE_ISO20022 names its folder"));
        return Ok(());
    };
    if Command::new("xmllint").arg("--version").output().is_err() {
        left_out("there is no xmllint (Debian: libxml2-utils)");
        return Ok(());
    }
    let folder = std::env::temp_dir().join(format!("camt053-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let files = documents.iter().enumerate().map(|(number, document)| {
        let file = folder.join(format!("{number}.xml"));
        std::fs::write(&file, document).expect("a temporary file");
        file
    });
    let files: Vec<PathBuf> = files.collect();
    let mut xmllint = Command::new("xmllint");
    let ran = xmllint.args(["--noout", "--schema"]).arg(schema).args(&files).output();
    let ran = ran.expect("xmllint runs");
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    let said = String::from_utf8_lossy(&ran.stderr);
    let wrong: Vec<&str> = said.lines().filter(|line| !line.ends_with(" validates")).collect();
    if ran.status.success() { Ok(()) } else { Err(wrong.join("\n")) }
}
