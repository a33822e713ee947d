//! Standard output that does not take what there is to say.

use crate::serving::Serving;
use crate::usagectl::{Ran, run};

/// The command with nobody who reads its standard output.
fn unread(arguments: &[&str]) -> Ran {
    run(arguments).stdin("[]").done_after(|child| drop(child.stdout.take()))
}

/// As in `usagectl demo | head -1`.
#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let report = ["usage", "--product", "p", "-"];
    for arguments in [
        &["demo"][..],
        &["--help"],
        &["save", "--help"],
        &["register", "--print", "--cluster-id", "c", "--product", "p"],
        &[&["preview"], &report[..]].concat(),
    ] {
        let ran = unread(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

/// The exit status still tells what became of the report.
#[test]
fn a_closed_pipe_does_not_hide_the_outcome() {
    let serving = Serving::start(&["--fail", "500:1"]);
    let arguments = ["save", "usage", "--product", "p", "-", "--json", "--url", &serving.url];
    let ran = unread(&arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(3), ""));
    let ran = unread(&arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(serving.store().usage().read_all().unwrap().len(), 1);
}

/// A full disk is not hidden, and neither is what was done before.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let serving = Serving::start(&[]);
    let arguments = ["save", "usage", "--product", "p", "-", "--url", &serving.url];
    let ran = run(&arguments).stdin("[]").stdout(full()).done();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("the report was saved"), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot write to standard output"), "{}", ran.stderr);
    assert!(ran.stderr.contains("No space left"), "{}", ran.stderr);

    let ran = run(&["demo"]).stdout(full()).done();
    assert_eq!(ran.code, Some(1), "{ran:?}");
}
