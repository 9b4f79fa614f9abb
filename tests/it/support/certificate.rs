//! A certificate of the tests' own, and clients that trust it and nothing else.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::Connector;

use super::process::{Setup, write};
use super::rest::Rest;

/// The certificate, its files, and who trusts it.
pub(crate) struct Certificate {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// Makes one for 127.0.0.1 and writes it beside the data folder.
    pub(crate) fn make(setup: &Setup) -> Certificate {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let (certificate, key) = (setup.beside("certificate.pem"), setup.beside("key.pem"));
        write(&certificate, &made.cert.pem());
        write(&key, &made.signing_key.serialize_pem());
        Certificate { certificate, key, der: made.cert.der().clone() }
    }

    pub(crate) fn client(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth()
    }

    pub(crate) fn connector(&self) -> Connector {
        Connector::Rustls(Arc::new(self.client(rustls::ALL_VERSIONS)))
    }

    pub(crate) fn rest(&self, base: &str) -> Rest {
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(self.client(rustls::ALL_VERSIONS))
            .build()
            .expect("an http client");
        Rest::over(http, base)
    }
}
