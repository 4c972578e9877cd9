//! Holds documents to the schema of camt.053.001.08, in tests. The schema is ISO's and lies beside
//! the repository; without it, or without `xmllint`, a test says so loudly and checks the rest.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

const SCHEMA: &str = "camt.053.001.08.xsd";

/// The schema, where it is: in `BANKWIRE_ISO20022`, or beside the repository.
fn schema() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/iso20022");
    let folder = std::env::var_os("BANKWIRE_ISO20022").map_or(beside, PathBuf::from);
    Some(folder.join(SCHEMA)).filter(|path| path.exists())
}

/// Fails where the schema refuses any of these documents.
#[allow(clippy::print_stderr, reason = "a check that is left out must be seen")]
pub(super) fn check(documents: &[String]) {
    let Some(schema) = schema() else {
        eprintln!("NOT CHECKED: {SCHEMA} is not there; BANKWIRE_ISO20022 names its folder");
        return;
    };
    if Command::new("xmllint").arg("--version").output().is_err() {
        eprintln!("NOT CHECKED: there is no xmllint (Debian: libxml2-utils)");
        return;
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
    let said = String::from_utf8_lossy(&ran.stderr);
    let wrong: Vec<&str> = said.lines().filter(|line| !line.ends_with(" validates")).collect();
    assert!(ran.status.success(), "{}", wrong.join("\n"));
    std::fs::remove_dir_all(&folder).expect("it is ours");
}
