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
    let refused =
        "usage could not be collected: the number at `[0].values.hit_ratio` is not finite";
    assert_eq!(out.matches(refused).count(), 1, "{out}");
}

#[test]
fn the_example_connects_to_where_the_request_goes() {
    let destination = |uri: &str| {
        let uri = uri.parse().unwrap();
        example::destination(&uri).map(|(host, port)| (host.to_owned(), port)).ok()
    };
    assert_eq!(destination("http://[::1]:8086/usage"), Some(("::1".to_owned(), 8086)));
    assert_eq!(
        destination("http://usage.example.com/"),
        Some(("usage.example.com".to_owned(), 80))
    );
    assert_eq!(destination("https://usage.example.com/"), None);
}
