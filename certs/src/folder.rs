//! The files of a bank's certificates. Promise: a certificate and key that are there stay until
//! they are old; only their owner can read a key; a file is replaced as a whole.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{Authority, Identity, Unissued, Usage};

/// The authority's files: `authority.pem` and `authority.key`.
const AUTHORITY: &str = "authority";
/// A certificate of this age is renewed: a hundred days before it ends.
const RENEWED_AFTER: Duration = Duration::from_secs(297 * 24 * 60 * 60);

/// The folder of a bank's certificates.
pub struct Folder {
    path: PathBuf,
    authority: Authority,
}

/// The files cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file cannot be read or written.
    #[error("{} cannot be used", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// A certificate cannot be made.
    #[error(transparent)]
    Unissued(#[from] Unissued),
    /// The authority's certificate is there without its key: a bank has brought its own.
    #[error("{} has an authority without a key: put its certificates there, too", .0.display())]
    ForeignAuthority(PathBuf),
}

impl Folder {
    /// Opens the folder; a missing authority is made.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(path).map_err(|error| FolderError::File(path.to_owned(), error))?;
        let [certificate, key] = files(path, AUTHORITY);
        let authority = match (read(&certificate)?, read(&key)?) {
            (Some(certificate), Some(key)) => Authority::restore(certificate, key)?,
            (Some(_), None) => return Err(FolderError::ForeignAuthority(path.to_owned())),
            (None, _) => {
                let authority = Authority::new()?;
                write(path, AUTHORITY, &authority.identity())?;
                authority
            }
        };
        Ok(Self { path: path.to_owned(), authority })
    }

    /// Makes the certificate `name`, unless a young one is there and `renewed` is false. Returns
    /// whether it was made.
    ///
    /// # Errors
    /// If a file cannot be written, or a name of the server cannot be one.
    pub fn provide(
        &self,
        name: &str,
        usage: Usage<'_>,
        renewed: bool,
    ) -> Result<bool, FolderError> {
        let [certificate, key] = files(&self.path, name);
        if !renewed && is_young(&certificate) && key.exists() {
            return Ok(false);
        }
        write(&self.path, name, &self.authority.issue(name, usage)?)?;
        Ok(true)
    }
}

pub(crate) fn files(folder: &Path, name: &str) -> [PathBuf; 2] {
    ["pem", "key"].map(|kind| folder.join(format!("{name}.{kind}")))
}

fn is_young(file: &Path) -> bool {
    let made = fs::metadata(file).and_then(|metadata| metadata.modified());
    made.is_ok_and(|made| {
        SystemTime::now().duration_since(made).is_ok_and(|age| age < RENEWED_AFTER)
    })
}

pub(crate) fn read(file: &Path) -> Result<Option<String>, FolderError> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FolderError::File(file.to_owned(), error)),
    }
}

fn write(folder: &Path, name: &str, identity: &Identity) -> Result<(), FolderError> {
    let texts = [&identity.certificate, &identity.key];
    files(folder, name).iter().zip(texts).try_for_each(|(file, text)| replace(file, text))
}

/// Replaces a file as a whole; its owner alone can read it.
pub(crate) fn replace(file: &Path, text: &str) -> Result<(), FolderError> {
    let new = file.with_extension("new");
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut new| new.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, file));
    written.map_err(|error| FolderError::File(file.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_there_stays_and_a_key_is_its_owners() {
        let path = std::env::temp_dir().join(format!("certs-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let provide = |renewed| {
            let folder = Folder::open(&path).expect("the folder can be made");
            folder.provide("ledger", Usage::Client, renewed).expect("it can be written")
        };
        let content = |file| fs::read_to_string(path.join(file)).expect(file);
        assert!(provide(false));
        let first = (content("authority.pem"), content("ledger.pem"), content("ledger.key"));
        assert!(!provide(false));
        assert_eq!(first, (content("authority.pem"), content("ledger.pem"), content("ledger.key")));
        assert!(provide(true));
        assert_eq!(first.0, content("authority.pem"), "the authority is kept");
        assert!(first.1 != content("ledger.pem") && first.2 != content("ledger.key"));
        for file in fs::read_dir(&path).expect("the folder") {
            let mode = file.and_then(|file| file.metadata()).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::remove_file(path.join("authority.key")).expect("it is there");
        assert!(matches!(Folder::open(&path), Err(FolderError::ForeignAuthority(_))));
        fs::remove_dir_all(&path).expect("it is there");
    }
}
