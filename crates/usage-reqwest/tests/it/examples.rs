//! The examples do what they show.

#[expect(dead_code, reason = "as a program it starts itself")]
#[path = "../../examples/save_with_own_client.rs"]
mod save_with_own_client;
#[expect(dead_code, reason = "as a program it starts itself")]
#[path = "../../examples/save_with_reqwest.rs"]
mod save_with_reqwest;

#[tokio::test]
async fn one_saves_and_says_what_went_wrong() {
    let mut out = Vec::new();
    save_with_reqwest::demo(&mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[..2], ["server: 201 Created", "usage: 201 Created"], "{out}");
    assert!(lines[2].starts_with("refused: "), "{out}");
    assert!(lines[3].starts_with("fields: {\"version\": ["), "{out}");
    assert_eq!(lines[4], "stored: 1 server, 1 usage report", "{out}");
    assert!(lines[5].starts_with("gone: could not connect to http://127.0.0.1:"), "{out}");
    assert!(lines[5].contains(": Connection refused"), "{out}");
    assert!(lines[5].ends_with("; try again: true"), "{out}");
    assert_eq!(lines.len(), 6, "{out}");
}

#[tokio::test]
async fn one_saves_with_the_client_that_the_program_has() {
    let mut out = Vec::new();
    save_with_own_client::demo(&mut out).await.unwrap();
    let expected = "health: 200 OK\nusage: 201 Created\nstored: 1 usage report\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}
