//! The examples do what they show.

#[expect(dead_code, reason = "as a program it starts itself")]
#[path = "../../examples/save_with_hyper.rs"]
mod save_with_hyper;
#[expect(dead_code, reason = "as a program it starts itself")]
#[path = "../../examples/save_with_tower.rs"]
mod save_with_tower;

/// The API that is not there any more.
#[track_caller]
fn gone(line: &str) {
    assert!(line.starts_with("gone: could not connect to http://127.0.0.1:"), "{line}");
    assert!(line.contains(": Connection refused"), "{line}");
    assert!(line.ends_with("; try again: true"), "{line}");
}

#[tokio::test]
async fn one_saves_and_says_what_went_wrong() {
    let mut out = Vec::new();
    save_with_hyper::demo(&mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[..2], ["server: 201 Created", "usage: 201 Created"], "{out}");
    assert!(lines[2].starts_with("refused: "), "{out}");
    assert!(lines[3].starts_with("fields: {\"version\": ["), "{out}");
    assert_eq!(lines[4], "stored: 1 server, 1 usage report", "{out}");
    gone(lines[5]);
    assert_eq!(lines.len(), 6, "{out}");
}

#[tokio::test]
async fn one_saves_through_a_stack_of_its_own() {
    let mut out = Vec::new();
    save_with_tower::demo(&mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    let lines: Vec<_> = out.lines().collect();
    let expected =
        ["own: 201 Created", "ready-made: 201 Created", "counted: 1", "stored: 2 usage reports"];
    assert_eq!(lines[..4], expected, "{out}");
    gone(lines[4]);
}
