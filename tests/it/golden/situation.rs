//! What is special about a case, judged by the text of the rules and without the core.

/// The rule that a base URL breaks: W5 for user information, W4 for anything else.
pub(super) fn base_url_fault(text: &str) -> Option<u8> {
    let Some((scheme, rest)) = text.split_once("://") else { return Some(4) };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some(5);
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, port),
        _ => (authority, "80"),
    };
    let fine = ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains(['?', '#'])
        && !host.is_empty()
        && !host.contains('%')
        && host.starts_with('[') == host.ends_with(']')
        && port.bytes().all(|byte| byte.is_ascii_digit());
    (!fine).then_some(4)
}

/// Whether a token breaks W6.
pub(super) fn token_fault(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.contains(|c: char| !c.is_ascii() || c.is_ascii_control())
}

/// Whether a base URL sends a token where anyone can read it (W7).
pub(super) fn is_plaintext(base: &str) -> bool {
    let base = base.to_ascii_lowercase();
    let Some(rest) = base.strip_prefix("http://") else { return false };
    !["localhost", "127.", "[::1]"].iter().any(|host| rest.starts_with(host))
}

/// Whether a redirect URL is absolute and of the web (W22).
pub(super) fn is_web_url(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme))
}
