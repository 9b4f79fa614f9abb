//! The cluster's own certificate authority: makes itself, and a certificate and key for each node.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::ServerName;
use time::{Duration, OffsetDateTime};

use super::{BadSecret, Secret, certificate_name};
use crate::cluster::identity::NodeId;

const AUTHORITY: &str = "authority.pem";
const AUTHORITY_KEY: &str = "authority.key";
const SECRET: &str = "secret";
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

/// Days that an authority is good for: longer than any certificate that it makes.
const AUTHORITY_DAYS: i64 = 7_300;

/// What kept credentials from being made.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file is there already, and keys are not overwritten.
    #[error("{0} is there already; nothing was overwritten")]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// The secret is none.
    #[error("the secret: {0}")]
    Secret(#[from] BadSecret),
    /// The host is neither a name nor an address.
    #[error("`{0}` is neither a host name nor an address")]
    Host(String),
    /// The certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] rcgen::Error),
}

/// A cluster's authority and its secret, in one folder that is kept offline.
pub struct Authority {
    secret: Secret,
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// The files of one node.
#[derive(Clone, Debug)]
pub struct NodeFiles {
    /// Who vouches for nodes of the cluster.
    pub authority: PathBuf,
    /// The node's certificate.
    pub certificate: PathBuf,
    /// The node's key.
    pub key: PathBuf,
    /// The cluster's secret.
    pub secret: PathBuf,
}

impl Authority {
    /// Makes an authority and a secret for a new cluster.
    ///
    /// # Errors
    /// The folder holds one already, or cannot be written.
    pub fn create(folder: &Path, cluster: &str) -> Result<Self, CredentialError> {
        let secret = Secret::generate(cluster)?;
        let key = KeyPair::generate()?;
        let params = params_of_authority(cluster);
        let certificate = params.self_signed(&key)?.pem();
        make_folder(folder)?;
        write(&folder.join(AUTHORITY_KEY), &key.serialize_pem())?;
        write(&folder.join(AUTHORITY), &certificate)?;
        write(&folder.join(SECRET), &format!("{}\n", secret.reveal()))?;
        Ok(Self { secret, issuer: Issuer::new(params, key), certificate })
    }

    /// Opens the one in a folder.
    ///
    /// # Errors
    /// It is not there, or damaged.
    pub fn open(folder: &Path) -> Result<Self, CredentialError> {
        let secret: Secret = read(&folder.join(SECRET))?.parse()?;
        let key = KeyPair::from_pem(&read(&folder.join(AUTHORITY_KEY))?)?;
        let certificate = read(&folder.join(AUTHORITY))?;
        Ok(Self { issuer: Issuer::new(params_of_authority(secret.cluster()), key), secret, certificate })
    }

    /// The cluster's secret.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Makes a certificate and a key for a node, good for so many days, and puts them into a folder with what else the node
    /// needs: the authority's certificate and the secret.
    ///
    /// # Errors
    /// The folder holds such files already, or cannot be written.
    pub fn admit(
        &self,
        node: &NodeId,
        hosts: &[String],
        days: u32,
        folder: &Path,
    ) -> Result<NodeFiles, CredentialError> {
        let key = KeyPair::generate()?;
        let params = self.params_of_node(node, hosts, days)?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        make_folder(folder)?;
        let files = NodeFiles {
            authority: folder.join(AUTHORITY),
            certificate: folder.join(CERTIFICATE),
            key: folder.join(KEY),
            secret: folder.join(SECRET),
        };
        write(&files.key, &key.serialize_pem())?;
        write(&files.certificate, &certificate)?;
        write(&files.authority, &self.certificate)?;
        write(&files.secret, &format!("{}\n", self.secret.reveal()))?;
        Ok(files)
    }

    fn params_of_node(&self, node: &NodeId, hosts: &[String], days: u32) -> Result<CertificateParams, CredentialError> {
        let mut params = CertificateParams::new(vec![certificate_name(node, self.secret.cluster())])?;
        for host in hosts {
            // What no client of TLS would take for a name does not belong into a certificate either.
            let told = || CredentialError::Host(host.clone());
            params.subject_alt_names.push(match ServerName::try_from(host.as_str()).map_err(|_| told())? {
                ServerName::IpAddress(address) => SanType::IpAddress(address.into()),
                _ => SanType::DnsName(host.as_str().try_into().map_err(|_| told())?),
            });
        }
        params.distinguished_name = name(&format!("{node} of {}", self.secret.cluster()));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = validity(i64::from(days));
        Ok(params)
    }
}

/// Made anew from the name each time: the same name and key are the same issuer.
fn params_of_authority(cluster: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&format!("Rookery cluster {cluster}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = validity(AUTHORITY_DAYS);
    params
}

fn name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

/// From yesterday on: clocks of a cluster may differ by a little.
fn validity(days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::now_utc();
    (now - Duration::days(1), now + Duration::days(days))
}

fn make_folder(folder: &Path) -> Result<(), CredentialError> {
    fs::create_dir_all(folder).map_err(|error| CredentialError::File(folder.to_owned(), error))
}

fn read(path: &Path) -> Result<String, CredentialError> {
    fs::read_to_string(path).map_err(|error| CredentialError::File(path.to_owned(), error))
}

/// Writes a new file that only its owner may read.
fn write(path: &Path, text: &str) -> Result<(), CredentialError> {
    let told = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => CredentialError::Exists(path.to_owned()),
        _ => CredentialError::File(path.to_owned(), error),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(told)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(told)
}
