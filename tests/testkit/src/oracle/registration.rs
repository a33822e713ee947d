//! Registration: the URL says what was put in, and the redirect brings back what was added.

use url::{Url, form_urlencoded};
use usage_proto::{Api, BaseUrl, BuildError, InvalidToken, RedirectError, Registration, Token};

use super::base_url;
use crate::uri::{escape_form, pairs};
use usage_proto::oracles::{check_debug, check_error, is_telling};

/// A registration, and what the API does with it.
#[derive(Debug, Clone)]
pub struct Input {
    /// The base URL.
    pub base: String,
    /// A field of the registration.
    pub cluster_id: String,
    /// A field of the registration.
    pub product: String,
    /// Where the browser is sent back to.
    pub redirect: Option<String>,
    /// The caller's nonce.
    pub nonce: Option<Vec<u8>>,
    /// The token that the API hands out.
    pub token: String,
}

impl Input {
    /// Reads one field a line: base URL, cluster id, product, redirect URL, nonce, token. An empty
    /// redirect URL or nonce is none.
    #[must_use]
    pub fn from_text(data: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(data).ok()?;
        let mut lines = text.splitn(6, '\n');
        let mut field = || lines.next().unwrap_or_default().to_owned();
        let some = |text: String| (!text.is_empty()).then_some(text);
        Some(Self {
            base: field(),
            cluster_id: field(),
            product: field(),
            redirect: some(field()),
            nonce: some(field()).map(String::into_bytes),
            token: field(),
        })
    }

    fn registration(&self) -> Registration {
        let mut registration = Registration::new(&self.cluster_id, &self.product);
        if let Some(redirect) = &self.redirect {
            registration = registration.redirect_url(redirect);
        }
        match &self.nonce {
            Some(nonce) => registration.state(nonce),
            None => registration,
        }
    }

    fn state(&self) -> Option<String> {
        self.nonce.as_deref().map(hex)
    }
}

/// Builds the URL, answers like the API, and holds both against the rules W3, W20, W21, W22 and
/// W23.
///
/// # Panics
///
/// If one of them is broken.
pub fn check(input: &Input) {
    base_url::check(&input.base);
    check_hidden(input);
    let Ok(base) = BaseUrl::new(&input.base) else { return };
    let outcome = Api::new(base.clone()).registration_url(&input.registration());
    if let Some(field) = blank(input) {
        let named =
            matches!(outcome, Err(BuildError::Blank { field: found, .. }) if found == field);
        assert!(named, "W21: {field} is blank, but: {outcome:?}");
        return;
    }
    let sent = match (&input.redirect, &outcome) {
        (Some(redirect), Err(BuildError::RedirectUrl { .. })) => {
            assert!(!base_url::is_plain(redirect), "W22: {redirect} was refused");
            return;
        }
        (Some(redirect), Err(BuildError::RedirectState)) => {
            let taken = input.nonce.is_some() && is_taken(redirect, "state");
            assert!(taken, "W23: {redirect} has no state of its own");
            return;
        }
        (Some(redirect), Ok(_)) => {
            check_absolute(redirect);
            Some(with_state(input, redirect))
        }
        (None, Ok(_)) => None,
        (_, Err(error)) => panic!("a registration was refused: {error:?}"),
    };
    let url = outcome.unwrap();
    check_url(input, &base, url.as_str(), sent.as_deref());
    if let Some(sent) = sent {
        check_redirect(input, &sent);
    }
}

/// W22: a browser goes there from any page, and finds what the text says.
fn check_absolute(redirect: &str) {
    let url = Url::parse(redirect).unwrap();
    assert!(["http", "https"].contains(&url.scheme()), "W22: {redirect}");
    let slashes = redirect.split_once(':').unwrap().1;
    let host = slashes.strip_prefix("//").unwrap_or_default();
    assert!(!host.is_empty() && !host.starts_with(['/', '\\']), "W22: {redirect:?}");
    assert!(!redirect.contains(|c: char| c.is_ascii_control()), "W22: {redirect:?}");
}

/// W20: the very bytes, and they can be read back.
fn check_url(input: &Input, base: &BaseUrl, url: &str, sent: Option<&str>) {
    let mut fields = vec![("cluster_id", input.cluster_id.as_str()), ("product", &input.product)];
    fields.extend(sent.map(|redirect| ("redirect_url", redirect)));
    let written: Vec<_> =
        fields.iter().map(|(key, text)| format!("{key}={}", escape_form(text))).collect();
    assert_eq!(url, format!("{base}/start?{}", written.join("&")), "W20");
    let (_, query) = url.split_once('?').unwrap();
    let read = pairs(query).unwrap();
    let read: Vec<_> = read.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
    assert_eq!(read, fields, "W20: building and parsing are inverse");
}

/// W23: exactly one token, and the state that was sent.
fn check_redirect(input: &Input, sent: &str) {
    let registration = input.registration();
    let parse = |redirect: &str| {
        let outcome = registration.parse_redirect(redirect);
        if let Err(error) = &outcome {
            let secrets: &[&str] = if is_telling(&input.token) { &[&input.token] } else { &[] };
            check_error(error, secrets);
        }
        outcome
    };
    let token = escape_form(&input.token);
    if is_taken(sent, "token") {
        let outcome = parse(&add(sent, "token", &token));
        assert_eq!(outcome, Err(RedirectError::ManyTokens), "W23: {sent} has a token already");
        return;
    }
    let back = add(sent, "token", &token);
    let outcome = parse(&back);
    match (&outcome, Token::new(&input.token)) {
        (Ok(found), Ok(expected)) => assert_eq!(found, &expected, "W23: {back}"),
        (Err(RedirectError::NoToken), Err(InvalidToken::Empty)) if input.token.is_empty() => {}
        (Err(RedirectError::Token(error)), Err(expected)) => assert_eq!(error, &expected, "W23"),
        (outcome, _) => panic!("W23: {back} gives {outcome:?}"),
    }
    if outcome.is_err() {
        return;
    }
    let after_host = back.split_once("://").unwrap().1;
    let path = &after_host[after_host.find(['/', '?']).unwrap_or(after_host.len())..];
    assert_eq!(parse(path), outcome, "W23: path and query alone: {path}");
    assert_eq!(parse(sent), Err(RedirectError::NoToken), "W23: {sent}");
    let twice = add(&back, "token", &token);
    assert_eq!(parse(&twice), Err(RedirectError::ManyTokens), "W23: {twice}");
    if let Some(state) = input.state().filter(|state| !state.is_empty()) {
        let (front, last) = state.split_at(state.len() - 1);
        let other = if last == "0" { '1' } else { '0' };
        for forgery in [format!("{front}{other}"), front.to_owned(), String::new()] {
            let forged = back.replace(&format!("state={state}"), &format!("state={forgery}"));
            assert_eq!(parse(&forged), Err(RedirectError::State), "W23: {forged}");
        }
        let again = add(&back, "state", &state);
        assert_eq!(parse(&again), Err(RedirectError::State), "W23: {again}");
    }
}

/// The nonce is as secret as the token: who knows it can make up a redirect.
fn check_hidden(input: &Input) {
    let Some(state) = input.state().filter(|state| is_telling(state)) else { return };
    let fields = [&input.base, &input.cluster_id, &input.product];
    let elsewhere = fields.into_iter().chain(&input.redirect).any(|text| text.contains(&state));
    if !elsewhere {
        check_debug(&input.registration(), &[&state]);
    }
}

fn blank(input: &Input) -> Option<&'static str> {
    let fields = [("cluster_id", &input.cluster_id), ("product", &input.product)];
    fields.into_iter().find(|(_, text)| text.trim().is_empty()).map(|(field, _)| field)
}

fn with_state(input: &Input, redirect: &str) -> String {
    match input.state() {
        Some(state) => add(redirect, "state", &state),
        None => redirect.to_owned(),
    }
}

/// Adds a parameter behind the others, in front of the fragment.
fn add(url: &str, key: &str, value: &str) -> String {
    let (front, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let separator = match front.split_once('?') {
        Some((_, "")) => "",
        Some(_) => "&",
        None => "?",
    };
    format!("{front}{separator}{key}={value}{fragment}")
}

/// Two lower-case hexadecimal digits for each byte.
///
/// # Panics
///
/// Never: four bits are a digit.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |four| char::from_digit(u32::from(four), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// Whether a URL has a parameter of this name already.
fn is_taken(url: &str, key: &str) -> bool {
    let front = url.split('#').next().unwrap_or_default();
    let query = front.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == key)
}

/// Registrations with all kinds of text.
#[cfg(feature = "proptest")]
pub fn inputs() -> impl proptest::strategy::Strategy<Value = Input> {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::text::texts;

    let bases = prop_oneof![
        3 => Just("https://usage.example.com/prefix".to_owned()),
        1 => base_url::texts(),
    ];
    let redirects = prop_oneof![
        4 => ("https?://[a-z]{1,5}(:[0-9]{2,4})?", "(/[a-zé%20~*]{0,5}){0,2}",
              "(\\?([a-z]{1,5}=[a-zé +%26]{0,4}&?){0,3})?", "(#[a-z?=]{0,5})?")
            .prop_map(|(origin, path, query, fragment)| format!("{origin}{path}{query}{fragment}")),
        1 => "https?://[a-z]{1,5}/\\?(state|token|stat%65)=[a-z]{0,2}",
        1 => base_url::texts(),
    ];
    let fields = prop_oneof![4 => "[a-z0-9-]{1,10}", 4 => texts(), 1 => "[ \\t\\n]{0,2}"];
    let tokens = prop_oneof![4 => "[a-z]{4}[0-9][!-~]{4,20}", 1 => "[ -~]{0,8}", 1 => texts()];
    let nonces = option::of(vec(any::<u8>(), 0..20));
    (bases, fields.clone(), fields, option::weighted(0.8, redirects), nonces, tokens).prop_map(
        |(base, cluster_id, product, redirect, nonce, token)| Input {
            base,
            cluster_id,
            product,
            redirect,
            nonce,
            token,
        },
    )
}
