//! The same saves over TLS, in a process of its own.
//!
//! Each client checks the server by the platform's verifier, as it does in a product. Which authority
//! it trusts is told to that by a variable of the environment, so the bench runs itself once more.

use std::process::Command;

use super::{Server, one_core};
use crate::tls::Authority;

const WORD: &str = "--over-tls";

/// Where the platform's verifier looks on Linux.
const TRUSTED: &str = "SSL_CERT_FILE";

/// The server, if this is the child. Its authority is one that this process trusts from now on.
pub(super) fn server_of_child() -> Option<Server> {
    if !std::env::args().any(|word| word == WORD) {
        return None;
    }
    let authority = Authority::new();
    std::fs::write(std::env::var_os(TRUSTED).unwrap(), authority.pem()).unwrap();
    Some(Server::start_over_tls(authority.server("127.0.0.1")))
}

/// Lets a child print its rows behind those of this process.
pub(super) fn run_child() {
    let trusted = tempfile::NamedTempFile::new().unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(words())
        .arg(WORD)
        .env(TRUSTED, trusted.path())
        .status()
        .unwrap();
    assert!(status.success(), "the saves over TLS: {status}");
}

/// What a child is told of what this process was told.
pub(super) fn words() -> impl Iterator<Item = String> {
    std::env::args().skip(1).filter(|word| ["--json", one_core::WORD].contains(&word.as_str()))
}
