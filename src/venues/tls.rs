//! One way to encrypt, for sockets and requests alike: rustls with ring, and the roots that browsers trust. The provider is
//! handed over explicitly, since two in one program stop it when neither is.

use crate::venues::codec::VenueError;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use std::net::IpAddr;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::http::Uri;

/// The provider of ciphers.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// How sockets are encrypted.
pub fn client() -> Result<Arc<ClientConfig>, VenueError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let versions = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = versions.map_err(|e| VenueError::Start(e.to_string()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// A base URL without a slash at its end. Without encryption only this machine is talked to.
pub fn base_url(url: &str, plain: &str, encrypted: &str) -> Result<String, VenueError> {
    let wrong = |why: &str| VenueError::Url { url: url.to_owned(), why: why.to_owned() };
    let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
    let host = uri.host().ok_or_else(|| wrong("it names no host"))?;
    let is_local = || {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|ip| ip.is_loopback())
    };
    match uri.scheme_str() {
        Some(scheme) if scheme == encrypted => {}
        Some(scheme) if scheme == plain && is_local() => {}
        Some(scheme) if scheme == plain => {
            return Err(wrong("without encryption only this machine is talked to"));
        }
        _ => return Err(wrong(&format!("it does not begin with {encrypted}://"))),
    }
    if uri.query().is_some() || url.contains('#') {
        return Err(wrong("a base has no query"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_talked_to_without_encryption() {
        let ok = |url: &str| base_url(url, "ws", "wss");
        assert_eq!(ok("wss://fstream.example.com/").unwrap(), "wss://fstream.example.com");
        for local in ["ws://127.0.0.1:9", "ws://localhost:80/x", "ws://[::1]:7"] {
            assert_eq!(ok(local).unwrap(), local);
        }
        for (url, why) in [
            ("ws://fstream.example.com", "only this machine"),
            ("ws://127.0.0.1.example.com", "only this machine"),
            ("https://example.com", "does not begin with wss"),
            ("fstream", "does not begin with wss"),
            ("wss://x/?a=b", "no query"),
            ("", "no URL"),
        ] {
            let said = ok(url).unwrap_err().to_string();
            assert!(said.contains(why) && said.contains("write wss://HOST"), "{said}");
        }
    }

    #[test]
    fn encryption_needs_nothing_installed() {
        assert!(client().is_ok());
    }
}
