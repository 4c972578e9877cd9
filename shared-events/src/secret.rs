//! Secrets: passwords and keys. Promise: a secret that stands in a file is read again whenever it
//! is used, so that a new one needs no restart; a line break at the end of the file is not part of
//! the secret; nothing shows a secret, neither an error nor a debug output.

use std::{env, fmt, io, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The switch that permits the public secrets of development.
pub const DEVELOPMENT_SWITCH: &str = "BANKWIRE_DEVELOPMENT_SECRETS";
/// The end of every public password: `client-dev`.
const PUBLIC_SUFFIX: &str = "-dev";
/// The public key of webhooks: `bankwire-dev-webhook-secret`.
const PUBLIC_WEBHOOK_SECRET: &str = "whsec_YmFua3dpcmUtZGV2LXdlYmhvb2stc2VjcmV0";
/// After a variable's name: the variable names a file with the secret.
pub const FILE_SUFFIX: &str = "_FILE";

/// A secret, or the file in which it stands.
#[derive(Clone)]
pub enum Secret {
    /// The secret itself, for as long as the process lives.
    Value(SecretString),
    /// A file whose content is the secret.
    File(PathBuf),
}

/// A secret that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the secret in {}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The fault of the file.
        #[source]
        source: io::Error,
    },
    /// There are two forms, which may differ.
    #[error("{0} and {0}{FILE_SUFFIX} are both set: set one of them")]
    Twice(String),
}

impl Secret {
    /// The secret as it is now.
    ///
    /// # Errors
    /// If the file cannot be read, or is no UTF-8.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Value(secret) => Ok(secret.clone()),
            Self::File(file) => match std::fs::read_to_string(file) {
                Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).into()),
                Err(source) => Err(SecretError::File { file: file.clone(), source }),
            },
        }
    }

    /// The secret of the environment variable `name`, or of the file that `<name>_FILE` names.
    ///
    /// # Errors
    /// If both variables are set.
    pub fn of_environment(name: &str) -> Result<Option<Self>, SecretError> {
        let file = env::var_os(format!("{name}{FILE_SUFFIX}")).map(PathBuf::from);
        match (env::var(name).ok(), file) {
            (Some(_), Some(_)) => Err(SecretError::Twice(name.to_owned())),
            (Some(value), None) => Ok(Some(value.into())),
            (None, file) => Ok(file.map(Self::File)),
        }
    }
}

/// The public password of a user.
pub(crate) fn public_password(user: &str) -> String {
    format!("{user}{PUBLIC_SUFFIX}")
}

/// Whether a secret is one of development, which everybody can read in the sources.
#[must_use]
pub fn is_public(secret: &SecretString) -> bool {
    let secret = secret.expose_secret();
    secret.ends_with(PUBLIC_SUFFIX) || secret == PUBLIC_WEBHOOK_SECRET
}

/// Whether the environment permits public secrets.
#[must_use]
pub fn are_public_ones_permitted() -> bool {
    env::var(DEVELOPMENT_SWITCH).is_ok_and(|value| value == "1")
}

/// As the fault of a connection that needs the secret: a later attempt may find it.
impl From<SecretError> for io::Error {
    fn from(error: SecretError) -> Self {
        Self::other(error)
    }
}

impl From<SecretString> for Secret {
    fn from(secret: SecretString) -> Self {
        Self::Value(secret)
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self::Value(secret.into())
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self::Value(secret.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Secret(..)"),
            Self::File(file) => write!(f, "Secret({})", file.display()),
        }
    }
}

/// In a configuration: `password = "..."` or `password = { file = "..." }`.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Notation {
            Value(SecretString),
            File { file: PathBuf },
        }
        match Notation::deserialize(deserializer) {
            Ok(Notation::Value(secret)) => Ok(Self::Value(secret)),
            Ok(Notation::File { file }) => Ok(Self::File(file)),
            // The driver's own error would quote the value.
            Err(_) => Err(serde::de::Error::custom("a secret is a text, or { file = \"...\" }")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_each_time_and_its_line_break_is_not_part_of_the_secret() {
        let file = env::temp_dir().join(format!("secret-{}", uuid::Uuid::now_v7()));
        let secret = Secret::File(file.clone());
        for (content, then) in [
            ("hunter2\n", "hunter2"),
            ("p%41 ss@:/?#ü😀\r\n", "p%41 ss@:/?#ü😀"),
            (" a b ", " a b "),
            ("", ""),
        ] {
            std::fs::write(&file, content).expect("a file can be written");
            assert_eq!(secret.read().expect("it is readable").expose_secret(), then);
        }
        std::fs::remove_file(&file).expect("it is there");
        let error = secret.read().expect_err("the file is gone").to_string();
        assert!(error.contains(&file.display().to_string()), "{error}");
    }

    #[test]
    fn a_configuration_gives_a_text_or_a_file_and_an_error_shows_neither() {
        let read = |json: &str| serde_json::from_str::<Secret>(json);
        assert!(matches!(read(r#""hunter2""#), Ok(Secret::Value(_))));
        assert!(matches!(read(r#"{"file":"/run/x"}"#), Ok(Secret::File(_))));
        let error = read(r#"{"fil":"hunter2"}"#).expect_err("no such key").to_string();
        assert!(error.starts_with("a secret is a text, or") && !error.contains("hunter2"));
        assert_eq!(format!("{:?}", Secret::from("hunter2")), "Secret(..)");
    }

    #[test]
    fn the_secrets_of_the_sources_are_known() {
        for (secret, then) in [
            ("client-dev", true),
            (PUBLIC_WEBHOOK_SECRET, true),
            ("client-dev ", false),
            ("dev", false),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false),
        ] {
            assert_eq!(is_public(&secret.into()), then, "{secret}");
        }
    }
}
