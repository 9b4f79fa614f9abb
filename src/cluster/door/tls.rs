//! TLS between nodes: both ends show a certificate of the cluster's authority, and it names the node.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::{Resumption, verify_server_name},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::{ParsedCertificate, WebPkiClientVerifier},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::cluster::{credentials::certificate_name, identity::NodeId};

/// What is wrong with the files of a node.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no such thing.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// Certificate, key and authority do not fit together.
    #[error("the node's certificate: {0}")]
    Unfit(String),
    /// The certificate is for somebody else.
    #[error("the certificate is not for node `{node}` of cluster `{cluster}`; make one with `rookery cluster node`")]
    Other {
        /// The node that is configured.
        node: String,
        /// The cluster that the secret names.
        cluster: String,
    },
}

/// Both ends, from a node's files. TLS 1.3 only; no resumption, since links live for days.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    cluster: Arc<str>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// One cannot be read, they do not fit together, or the certificate is for another node or cluster.
    pub fn load(
        authority: &Path,
        certificate: &Path,
        key: &Path,
        node: &NodeId,
        cluster: &str,
    ) -> Result<Self, TlsError> {
        let chain = certificates(certificate)?;
        let told = |reason: String| TlsError::File { path: key.display().to_string(), reason };
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| told(error.to_string()))?;
        let mut roots = RootCertStore::empty();
        for root in certificates(authority)? {
            roots.add(root).map_err(unfit)?;
        }
        let (roots, provider) = (Arc::new(roots), Arc::new(aws_lc_rs::default_provider()));
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        let verifier = verifier.build().map_err(unfit)?;
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(unfit)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(unfit)?;
        server.send_tls13_tickets = 0;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(unfit)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain.clone(), key)
            .map_err(unfit)?;
        client.resumption = Resumption::disabled();
        if !names(&chain, node, cluster) {
            return Err(TlsError::Other { node: node.to_string(), cluster: cluster.to_owned() });
        }
        let (acceptor, connector) = (Arc::new(server).into(), Arc::new(client).into());
        Ok(Self { acceptor, connector, cluster: cluster.into() })
    }

    /// The accepting end of a handshake: whoever it is, the authority vouches for them.
    ///
    /// # Errors
    /// The other end is none of the cluster, or no TLS.
    pub async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        Ok(self.acceptor.accept(stream).await?.into())
    }

    /// The dialling end: it is this node, or nobody.
    ///
    /// # Errors
    /// The other end is not that node.
    pub async fn connect(&self, stream: TcpStream, node: &NodeId) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(certificate_name(node, &self.cluster)).map_err(std::io::Error::other)?;
        Ok(self.connector.connect(name, stream).await?.into())
    }

    /// Whether the certificate of the other end names this node.
    #[must_use]
    pub fn is(&self, stream: &TlsStream<TcpStream>, node: &NodeId) -> bool {
        let (_, session) = stream.get_ref();
        session.peer_certificates().is_some_and(|chain| names(chain, node, &self.cluster))
    }
}

fn names(chain: &[CertificateDer<'_>], node: &NodeId, cluster: &str) -> bool {
    let name = ServerName::try_from(certificate_name(node, cluster));
    let certificate = chain.first().and_then(|first| ParsedCertificate::try_from(first).ok());
    matches!((certificate, name), (Some(certificate), Ok(name)) if verify_server_name(&certificate, &name).is_ok())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let told = |reason: String| TlsError::File { path: path.display().to_string(), reason };
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| told(error.to_string()))?;
    if found.is_empty() {
        return Err(told("holds no certificate".to_owned()));
    }
    Ok(found)
}

fn unfit(error: impl std::fmt::Display) -> TlsError {
    TlsError::Unfit(error.to_string())
}
