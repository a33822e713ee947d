//! What somebody pastes: the address that the browser ended at, or the token that a page shows.

use std::io::{self, BufRead as _};
use std::thread;

use tokio::sync::mpsc::UnboundedSender;
use usage_proto::{Registration, Token};

use crate::output;
use crate::terminal_text;

/// A line that is longer is not one of the two.
const LONGEST: u64 = 64 << 10;

/// A token that can be guessed is not one.
const SHORTEST: usize = 8;

/// Reads lines of standard input on a thread of its own, until one is a token. Nobody waits for it:
/// the program ends with it in the middle.
pub(super) fn listen(registration: Registration, found: UnboundedSender<Token>) {
    // Without a thread there is still the browser.
    let _ = thread::Builder::new().name("pasted".to_owned()).spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut line = String::new();
        loop {
            line.clear();
            match io::Read::take(&mut stdin, LONGEST).read_line(&mut line) {
                Ok(1..) if line.trim().is_empty() => continue,
                Ok(1..) => {}
                Ok(0) | Err(_) => return,
            }
            match read(line.trim(), &registration) {
                Ok(token) => {
                    let _ = found.send(token);
                    return;
                }
                Err(words) => {
                    output::note(&format!("not taken: {}", terminal_text::escape(&words)));
                }
            }
        }
    });
}

/// An address is held to the registration, state and all; anything else is a token by itself, unless
/// it is a word or a sentence that was meant for somebody else.
fn read(text: &str, registration: &Registration) -> Result<Token, String> {
    if text.contains("://") || text.contains("token=") || text.starts_with('/') {
        return registration.parse_redirect(text).map_err(|error| error.to_string());
    }
    if text.len() < SHORTEST || text.contains(char::is_whitespace) {
        return Err("this is neither the address that the browser ended at nor a token".to_owned());
    }
    Token::new(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use usage_proto::Registration;

    use super::read;

    #[test]
    fn an_address_is_held_to_the_registration_and_a_token_is_taken_as_it_is() {
        let registration = Registration::new("c", "p")
            .redirect_url("http://127.0.0.1:1/callback")
            .state_in_path([1; 16]);
        let path = registration.redirect_path().unwrap();
        for text in [
            "abcdefgh".to_owned(),
            format!("http://127.0.0.1:1{path}?token=abcdefgh"),
            format!("{path}?token=abcdefgh"),
        ] {
            assert_eq!(read(&text, &registration).unwrap().expose(), "abcdefgh", "{text}");
        }
        for text in [
            "http://127.0.0.1:1/callback/other?token=abc".to_owned(),
            "https://usage.example/start?cluster_id=c".to_owned(),
            "?token=abc".to_owned(),
            format!("http://127.0.0.1:1{path}"),
            "two\twords-that-are-long".to_owned(),
            "what is this".to_owned(),
            "help".to_owned(),
            "tökenlang".to_owned(),
        ] {
            assert!(read(&text, &registration).is_err(), "{text}");
        }
    }
}
