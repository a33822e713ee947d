//! The examples do what they show, and the number of lines in their heads is right.

#[cfg(any(feature = "reqwest", feature = "hyper"))]
#[expect(dead_code, reason = "as a program it starts itself")]
#[path = "../../examples/axum_server.rs"]
mod axum_server;
#[expect(dead_code, reason = "as a program it starts itself")]
#[path = "../../examples/sync_program.rs"]
mod sync_program;

#[test]
fn a_program_without_async_reports() {
    let mut out = Vec::new();
    sync_program::demo(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("stored: 1 server, 1 usage report\n"), "{out}");
    assert!(out.contains("\"num_keys\":3"), "{out}");
}

#[cfg(any(feature = "reqwest", feature = "hyper"))]
#[test]
fn a_server_reports_once_its_last_request_is_answered() {
    let mut out = Vec::new();
    axum_server::demo(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("answer: request 1; usage reporting is on"), "{out}");
    assert!(out.contains("stored: 1 server, 1 usage report\n"), "{out}");
}

#[test]
fn as_many_lines_concern_reporting_as_their_heads_say() {
    let sources = [
        include_str!("../../examples/sync_program.rs"),
        include_str!("../../examples/axum_server.rs"),
    ];
    for source in sources {
        let said = source.lines().find_map(|line| {
            line.strip_suffix(" lines concern reporting; they stand between the marks.")
        });
        let said: usize = said.unwrap().trim_start_matches("//! ").parse().unwrap();
        let parts = source.split("// [reporting\n").skip(1);
        let between = parts.map(|part| part.split_once("// reporting]").unwrap().0);
        let lines = between.flat_map(str::lines).filter(|line| !line.trim().is_empty());
        assert_eq!(lines.count(), said);
    }
}
