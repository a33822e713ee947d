//! The example does what its page says.

#[expect(dead_code, reason = "as a program it starts itself")]
#[path = "../../examples/event_loop.rs"]
mod example;

#[test]
fn the_example_reports_from_an_event_loop_of_its_own() {
    let mut out = Vec::new();
    example::demo(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    let lines = |start: &str| out.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(lines("stored: server"), 1, "{out}");
    assert_eq!(lines("stored: usage of Example Inc.: [{"), 3, "{out}");
    assert_eq!(out.matches("503 Service Unavailable").count(), 1 + 1, "{out}");
    assert!(out.contains("attempt 2\n"), "{out}");
}
