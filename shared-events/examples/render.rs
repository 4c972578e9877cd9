//! Writes every generated file of the contract to its place in the repository:
//! `cargo run -p shared-events --example render`, or `make schemas`.

use std::{fs, io, path::Path};

use shared_events::documents::documents;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (path, text) in documents() {
        let file = root.join(path);
        fs::create_dir_all(file.parent().expect("every document is in a folder"))?;
        fs::write(file, text)?;
    }
    Ok(())
}
