//! Where a token comes from. Never an argument: other users of the machine can read those.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use usage_proto::Token;

use crate::failure::Failure;

/// The variable that holds a token.
pub(crate) const VARIABLE: &str = "USAGE_TOKEN";

/// The largest file that is read for a token, in bytes. A token fits into a header.
const LIMIT: u64 = 64 << 10;

/// Whether there is a token in `file` or in `USAGE_TOKEN`, right or wrong.
pub(crate) fn is_given(file: Option<&Path>) -> bool {
    file.is_some() || std::env::var_os(VARIABLE).is_some()
}

/// The token of `file`, `-` for standard input, or else of `USAGE_TOKEN`; `None` without either.
///
/// A variable or a file that is empty is an error, not the lack of a token: a report that was
/// meant for an organisation would otherwise belong to none.
pub(crate) fn find(file: Option<&Path>) -> Result<Option<Token>, Failure> {
    let (origin, text) = match (file, std::env::var_os(VARIABLE)) {
        (Some(path), _) if path.as_os_str() == "-" => {
            (String::from("<stdin>"), read(io::stdin().lock()))
        }
        (Some(path), _) => (path.display().to_string(), File::open(path).and_then(read)),
        (None, Some(value)) => (
            VARIABLE.to_owned(),
            value.into_string().map_err(|_| io::Error::other("it is not printable ASCII")),
        ),
        (None, None) => return Ok(None),
    };
    let field = || Some("token".to_owned());
    let text = text.map_err(|source| Failure::Build {
        message: format!("cannot read the token from {origin}"),
        field: field(),
        source: Some(source.into()),
    })?;
    match Token::new(&text) {
        Ok(token) => Ok(Some(token)),
        Err(error) => Err(Failure::Build {
            message: format!("{origin}: {error}"),
            field: field(),
            source: None,
        }),
    }
}

fn read(file: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let length = file.take(LIMIT + 1).read_to_string(&mut text)?;
    if length as u64 > LIMIT {
        return Err(io::Error::other("it is too long for a token"));
    }
    Ok(text)
}
