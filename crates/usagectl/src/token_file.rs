//! Where a token comes from. Never an argument: other users of the machine can read those.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use usage_files::Secret;
use usage_proto::Token;

use crate::failure::Failure;
use crate::{output, terminal_text};

/// The variable that holds a token.
pub(crate) const VARIABLE: &str = "USAGE_TOKEN";

/// The part of the input that is to blame for a token that is wrong.
const FIELD: &str = "token";

/// The largest file that is read for a token, in bytes. A token fits into a header.
const LIMIT: usize = 64 << 10;

/// How long a file may take, which may be a pipe that another program writes to.
const WAIT: Duration = Duration::from_secs(30);

/// Whether there is a token in `file` or in `USAGE_TOKEN`, right or wrong.
pub(crate) fn is_given(file: Option<&Path>) -> bool {
    file.is_some() || std::env::var_os(VARIABLE).is_some()
}

/// The token of `file`, `-` for standard input, or else of `USAGE_TOKEN`; `None` without either.
///
/// A variable or a file that is empty is an error, not the lack of a token: a report that was
/// meant for an organisation would otherwise belong to none.
pub(crate) fn find(file: Option<&Path>) -> Result<Option<Token>, Failure> {
    match (file, std::env::var_os(VARIABLE)) {
        (Some(path), _) if path.as_os_str() == "-" => {
            understand("<stdin>", read(io::stdin().lock())).map(Some)
        }
        (Some(path), _) => {
            let secret = read_file(path)?;
            if let Some(mode) = secret.readable_by_others {
                output::note(&terminal_text::escape(&format!(
                    "usagectl: others can read the token in {} (mode {mode:04o}): take the right \
                     away from them (chmod go-r)",
                    path.display()
                )));
            }
            in_file(path, secret).map(Some)
        }
        (None, Some(value)) => {
            understand(VARIABLE, value.into_string().map_err(|_| not_ascii())).map(Some)
        }
        (None, None) => Ok(None),
    }
}

/// The token of a file that was read before: what there is to say about the file has been said.
pub(crate) fn read_again(path: &Path) -> Result<Token, Failure> {
    in_file(path, read_file(path)?)
}

/// Reads a file that may be a link or a pipe, and is nobody else's to write.
fn read_file(path: &Path) -> Result<Secret, Failure> {
    let secret = usage_files::read_secret(path, LIMIT, WAIT);
    secret.map_err(|error| Failure::unread(error, "the token from ", Some(FIELD.to_owned())))
}

fn in_file(path: &Path, secret: Secret) -> Result<Token, Failure> {
    let text = String::from_utf8(secret.bytes).map_err(|_| not_ascii());
    understand(&path.display().to_string(), text)
}

fn understand(origin: &str, text: io::Result<String>) -> Result<Token, Failure> {
    let field = Some(FIELD.to_owned());
    match text.map(|text| Token::new(&text)) {
        Ok(Ok(token)) => Ok(token),
        Ok(Err(error)) => {
            Err(Failure::Build { message: format!("{origin}: {error}"), field, source: None })
        }
        Err(source) => Err(Failure::Build {
            message: format!("cannot read the token from {origin}"),
            field,
            source: Some(source.into()),
        }),
    }
}

fn read(stdin: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let length = stdin.take(LIMIT as u64 + 1).read_to_string(&mut text)?;
    if length > LIMIT {
        return Err(io::Error::other("it is too long for a token"));
    }
    Ok(text)
}

fn not_ascii() -> io::Error {
    io::Error::other("it is not printable ASCII")
}
