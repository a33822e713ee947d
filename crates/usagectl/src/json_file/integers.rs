//! Integers that no payload holds: the parser makes the nearest float of them.

use super::{Mistake, shape};

/// Refuses an integer that needs more than 64 bits. `json` is known to be JSON.
pub(super) fn check(json: &str) -> Result<(), Mistake> {
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b'"' => string_end(bytes, at),
            b'-' | b'0'..=b'9' => {
                let end = number_end(bytes, at);
                let number = &json[at..end];
                if is_too_large(number) {
                    return Err(Mistake {
                        offset: at,
                        message: format!(
                            "the integer {number} needs more than 64 bits and would lose digits: \
                             write it as a string"
                        ),
                        path: shape::path_at(json, at),
                        named: false,
                    });
                }
                end
            }
            _ => at + 1,
        };
    }
    Ok(())
}

fn is_too_large(number: &str) -> bool {
    let integer = !number.contains(['.', 'e', 'E']);
    integer && number.parse::<u64>().is_err() && number.parse::<i64>().is_err()
}

fn number_end(bytes: &[u8], start: usize) -> usize {
    let length = bytes[start..]
        .iter()
        .take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
        .count();
    start + length
}

/// Just behind the closing quote of the string that starts at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
