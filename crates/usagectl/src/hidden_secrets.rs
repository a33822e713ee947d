//! What clap repeats of the arguments, without what may be a password.

/// Stands for what is not repeated.
const HIDDEN: &str = "[hidden]";

/// The text without what is behind the `://` of an address, or behind a `password=`, up to the quote
/// that ends it. An address that has nothing but a place stays.
pub(crate) fn hide(text: &str) -> String {
    text.split_inclusive('\n').map(hide_in_line).collect()
}

fn hide_in_line(line: &str) -> String {
    let Some(start) = start(line) else { return line.to_owned() };
    let end = line.rfind('\'').filter(|end| *end >= start).unwrap_or(line.trim_end().len());
    if line[start..end].contains(['@', '?', '=']) {
        format!("{}{HIDDEN}{}", &line[..start], &line[end..])
    } else {
        line.to_owned()
    }
}

/// Where a secret may begin.
fn start(line: &str) -> Option<usize> {
    const WORD: &str = "password";
    // In ASCII each letter keeps its place.
    let lower = line.to_ascii_lowercase();
    let setting = lower.match_indices(WORD).map(|(at, _)| at + WORD.len());
    let mut setting = setting.filter(|end| lower[*end..].trim_start().starts_with('='));
    let address = lower.find("://").map(|at| at + 3);
    // Somebody may have forgotten the slashes.
    let nearly = ["postgres:", "postgresql:"]
        .into_iter()
        .filter_map(|scheme| lower.find(scheme).map(|at| at + scheme.len()));
    nearly.chain(address).chain(setting.next()).min()
}

#[cfg(test)]
mod tests {
    use super::hide;

    #[test]
    fn what_may_be_a_password_is_not_repeated() {
        for (text, expected) in [
            ("argument 'postgres://u:p@h/x' found", "argument 'postgres:[hidden]' found"),
            ("argument 'mysql://u:p@h/x' found", "argument 'mysql://[hidden]' found"),
            ("argument 'postgresql:u:p@h/x'", "argument 'postgresql:[hidden]'"),
            ("'Postgres://u:p'a@h/x?y' found\n\nUsage", "'Postgres:[hidden]' found\n\nUsage"),
            ("'postgres://h/x?pass%77ord=p'", "'postgres:[hidden]'"),
            ("'host=h PassWord = p' found", "'host=h PassWord[hidden]' found"),
            ("postgres://u:p@h\nnext", "postgres:[hidden]\nnext"),
            ("'http://localhost:80/x' found", "'http://localhost:80/x' found"),
            ("'--password-file=x' found", "'--password-file=x' found"),
            ("the next 'ü' is 'password'", "the next 'ü' is 'password'"),
        ] {
            assert_eq!(hide(text), expected);
        }
    }
}
