//! The first operator's token: made at the first start, kept in a file that only the server's user can read.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::token::{Token, digest};

/// The name of the file in the data directory.
const FILE: &str = "admin.token";

/// The first operator's token.
pub struct Bootstrap {
    digest: [u8; 32],
    path: Option<PathBuf>,
}

impl Bootstrap {
    /// Takes the configured token, or that of the file, which is made if it is not there.
    ///
    /// # Errors
    /// The file can be neither read nor made, or is empty.
    pub fn open(data: &Path, configured: Option<&SecretString>) -> io::Result<Self> {
        if let Some(token) = configured {
            return Ok(Self { digest: digest(token.expose_secret()), path: None });
        }
        let path = data.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => write_new(&path)?,
            other => other?,
        };
        let token = text.trim();
        if token.is_empty() {
            let detail = format!("{} is empty; remove it and a new token is made", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, detail));
        }
        Ok(Self { digest: digest(token), path: Some(path) })
    }

    /// Where the token lies; `None`: it was configured.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether this is the token. Takes the same time whatever is presented.
    #[must_use]
    pub fn is(&self, presented: &str) -> bool {
        digest(presented).ct_eq(&self.digest).into()
    }
}

fn write_new(path: &Path) -> io::Result<String> {
    let token = Token::random().text;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_made_once_and_only_its_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let first = Bootstrap::open(directory.path(), None).unwrap();
        let path = first.path().unwrap();
        let token = std::fs::read_to_string(path).unwrap();
        let again = Bootstrap::open(directory.path(), None).unwrap();
        for bootstrap in [&first, &again] {
            assert!(bootstrap.is(token.trim()));
            assert!(!bootstrap.is("") && !bootstrap.is("nonsense") && !bootstrap.is(&Token::random().text));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn an_empty_file_is_not_a_token() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE), "\n").unwrap();
        assert!(Bootstrap::open(directory.path(), None).is_err());
    }

    #[test]
    fn a_configured_token_leaves_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let bootstrap = Bootstrap::open(directory.path(), Some(&SecretString::from("from elsewhere"))).unwrap();
        assert!(bootstrap.is("from elsewhere") && bootstrap.path().is_none());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
